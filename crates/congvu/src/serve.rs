//! The server: doors opened, workers started, stopped gracefully.

use crate::{anchors, config::Config, dkim_keys, output::Failure, site, workers};
use congvu_access::{ImapOptions, ImapServer};
use congvu_directory::Authenticator;
use congvu_jmap::JmapOptions;
use congvu_mail::Views;
use congvu_net::{Gate, tls};
use congvu_smtp::{Outbound, OutboundOptions, Route, Service, SmtpOptions, SmtpServer};
use congvu_storage::Db;
use congvu_transport::{
    Rules, Site,
    facts::{Inspector, MessageAuthenticator, Network},
};
use congvu_web::{ClientSettings, ServeOptions, WebOptions};
use rustls::ServerConfig;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// SMTP port of other servers.
const SMTP_PORT: u16 = 25;
/// Memory that messages under way may take together, for each door.
const MEMORY: usize = 512 * 1024 * 1024;
/// At the end, everything has this long.
const GRACE: Duration = Duration::from_secs(8);

/// A server whose doors are open.
pub(crate) struct Running {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// Waits for SIGINT or SIGTERM, then stops.
    pub(crate) async fn until_signal(self) -> Result<(), Failure> {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        tracing::info!("stopping");
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("not everything stopped in time");
        }
        Ok(())
    }
}

/// What the doors share.
struct Parts {
    db: Db,
    site: Site,
    authenticator: Authenticator,
    inspector: Inspector,
    tls: Arc<ServerConfig>,
}

/// `congvu serve`
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let db = site::open_as_server(config).await?;
    let running = start(config, db).await?;
    tracing::info!(host = config.hostname, "serving");
    running.until_signal().await
}

/// Opens every door and starts every worker.
pub(crate) async fn start(config: &Config, db: Db) -> Result<Running, Failure> {
    dkim_keys::ensure(&db).await?;
    let parts = Parts {
        site: site::site(config),
        authenticator: site::authenticator(&db, config)?,
        inspector: inspector(config)?,
        tls: server_tls(config)?,
        db,
    };
    parts.authenticator.forget_unused_keys().await?;
    let running = Running { stop: CancellationToken::new(), tasks: TaskTracker::new() };
    smtp_doors(config, &parts, &running)?;
    imap_doors(config, &parts, &running)?;
    web_doors(config, &parts, &running)?;
    running.tasks.spawn(hear_others(parts.db.clone(), running.stop.clone()));
    let outbound = outbound(config, &parts)?;
    let anchors = anchors::file(&config.blobs);
    workers::start(&running.tasks, &running.stop, &parts.db, &parts.site, outbound, anchors);
    Ok(running)
}

/// Other nodes, and commands at the console, commit too.
async fn hear_others(db: Db, stop: CancellationToken) {
    tokio::select! {
        () = db.hear_others() => {}
        () = stop.cancelled() => {}
    }
}

/// Where the certificate is: the one given, or that of the own authority.
pub(crate) fn certificate(config: &Config) -> Result<(PathBuf, PathBuf, Option<PathBuf>), Failure> {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        return Ok((certificate.clone(), key.clone(), None));
    }
    let Some(directory) = &config.tls.own_authority else {
        return Err(Failure("tls: give certificate and key, or own-authority".to_owned()));
    };
    let names = [config.hostname.clone(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    let files = tls::own_authority(directory, &names)?;
    Ok((files.certificate, files.key, Some(files.ca)))
}

fn server_tls(config: &Config) -> Result<Arc<ServerConfig>, Failure> {
    let (certificate, key, _) = certificate(config)?;
    tls::server_config(&certificate, &key)
        .map_err(|e| Failure(format!("the certificate cannot be used: {e}")))
}

fn inspector(config: &Config) -> Result<Inspector, Failure> {
    let resolver = match config.outbound.without_dns {
        true => None,
        false => Some(MessageAuthenticator(congvu_net::resolver(config.outbound.resolver)?)),
    };
    let networks = networks(&config.trusted_networks)?;
    Ok(Inspector::new(config.hostname.clone(), resolver, networks))
}

fn networks(named: &[String]) -> Result<Vec<Network>, Failure> {
    Ok(named.iter().map(|n| n.parse()).collect::<Result<Vec<_>, String>>()?)
}

fn outbound(config: &Config, parts: &Parts) -> Result<Option<Outbound>, Failure> {
    if config.outbound.capture {
        return Ok(None);
    }
    let route = match &config.outbound.smarthost {
        Some(host) => Route::Smarthost(host.clone()),
        None => {
            let resolver = Box::new(congvu_net::resolver(config.outbound.resolver)?);
            Route::Mx { resolver, port: SMTP_PORT }
        }
    };
    Ok(Some(Outbound::new(OutboundOptions {
        db: parts.db.clone(),
        site: parts.site.clone(),
        node: config.node,
        route,
        tls: Some(tls::opportunistic_client()?),
        per_domain: 10,
        at_once: 100,
    })))
}

/// Opens the listening sockets of one service.
fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let bind = |address: &SocketAddr| {
        congvu_net::bind(*address).map_err(|e| {
            Failure(format!("cannot listen on {address}: {e}; is another server running there?"))
        })
    };
    addresses.iter().map(bind).collect()
}

fn gate(config: &Config) -> Gate {
    Gate::new(config.limits.connections, config.limits.connections_per_address)
}

fn smtp_doors(config: &Config, parts: &Parts, running: &Running) -> Result<(), Failure> {
    let door = |service| {
        SmtpServer::new(SmtpOptions {
            service,
            db: parts.db.clone(),
            authenticator: parts.authenticator.clone(),
            site: parts.site.clone(),
            inspector: parts.inspector.clone(),
            rules: Rules::default(),
            tls: Some(parts.tls.clone()),
            allow_plain_sign_in: config.sign_in.without_tls,
            max_message_bytes: config.limits.message_bytes,
            max_memory_bytes: MEMORY,
        })
    };
    let gate = gate(config);
    let (receive, submission, lmtp) =
        (door(Service::Receive), door(Service::Submission), door(Service::Lmtp));
    let doors = [
        (&config.listen.smtp, receive, None),
        (&config.listen.lmtp, lmtp, None),
        (&config.listen.submission, submission.clone(), None),
        (&config.listen.submissions, submission, Some(parts.tls.clone())),
    ];
    for (addresses, server, tls) in doors {
        for listener in listen(addresses)? {
            let (server, stop) = (server.clone(), running.stop.clone());
            let handle = move |connection| server.clone().connection(connection, stop.clone());
            let serve = congvu_net::serve(listener, gate.clone(), running.stop.clone(), tls.clone(), handle);
            running.tasks.spawn(serve);
        }
    }
    Ok(())
}

fn imap_doors(config: &Config, parts: &Parts, running: &Running) -> Result<(), Failure> {
    let server = ImapServer::new(ImapOptions {
        db: parts.db.clone(),
        authenticator: parts.authenticator.clone(),
        site: parts.site.clone(),
        views: Views::new(parts.db.clone()),
        tls: Some(parts.tls.clone()),
        allow_plain_sign_in: config.sign_in.without_tls,
        max_message_bytes: config.limits.message_bytes,
        max_memory_bytes: MEMORY,
    });
    let gate = gate(config);
    for (addresses, tls) in [(&config.listen.imap, None), (&config.listen.imaps, Some(parts.tls.clone()))] {
        for listener in listen(addresses)? {
            let (server, stop) = (server.clone(), running.stop.clone());
            let handle = move |connection| server.clone().connection(connection, stop.clone());
            let serve = congvu_net::serve(listener, gate.clone(), running.stop.clone(), tls.clone(), handle);
            running.tasks.spawn(serve);
        }
    }
    Ok(())
}

fn web_doors(config: &Config, parts: &Parts, running: &Running) -> Result<(), Failure> {
    let jmap = congvu_jmap::router(JmapOptions {
        site: parts.site.clone(),
        db: parts.db.clone(),
        hostname: config.hostname.clone(),
        max_message_bytes: config.limits.message_bytes,
        max_memory_bytes: MEMORY,
    });
    let options = WebOptions {
        db: parts.db.clone(),
        authenticator: parts.authenticator.clone(),
        site: parts.site.clone(),
        client_settings: client_settings(config),
        allow_plain_sign_in: config.sign_in.without_tls,
        https_port: config.listen.https.first().map(SocketAddr::port),
        trusted_proxies: networks(&config.web.trusted_proxies)?,
        metrics_token: config.web.metrics_token.clone(),
        demo: config.demo,
    };
    let router = congvu_web::router(options, jmap);
    let gate = gate(config);
    for (addresses, tls) in [(&config.listen.http, None), (&config.listen.https, Some(parts.tls.clone()))] {
        for listener in listen(addresses)? {
            let options = ServeOptions { tls: tls.clone(), gate: gate.clone() };
            let serve = congvu_web::serve(listener, options, router.clone(), running.stop.clone());
            running.tasks.spawn(serve);
        }
    }
    Ok(())
}

/// What people type into their mail clients. The sample's name is in nobody's DNS.
fn client_settings(config: &Config) -> ClientSettings {
    let port = |listen: &[SocketAddr], standard| listen.first().map_or(standard, SocketAddr::port);
    ClientSettings {
        host: if config.demo { "localhost".to_owned() } else { config.hostname.clone() },
        imap_port: port(&config.listen.imaps, 993),
        submission_port: port(&config.listen.submissions, 465),
    }
}
