//! A door of the sample agency, open on a port of its own.

use congvu_net::Gate;
use congvu_smtp::{Service, SmtpOptions, SmtpServer};
use congvu_transport::{Rules, facts::Inspector};
use std::net::SocketAddr;
use testkit::{agency::Agency, transcript::Client};
use tokio_util::sync::CancellationToken;

/// Opens a door; it closes with the test.
pub(crate) async fn open(agency: &Agency, service: Service) -> SocketAddr {
    let listener = congvu_net::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let server = SmtpServer::new(SmtpOptions {
        service,
        db: agency.db.clone(),
        authenticator: agency.authenticator.clone(),
        site: agency.site.clone(),
        inspector: Inspector::new("mail.khanhhoa.example", None, Vec::new()),
        rules: Rules::default(),
        tls: None,
        allow_plain_sign_in: true,
        max_message_bytes: 200_000,
        max_memory_bytes: 64 * 1024 * 1024,
    });
    let stop = CancellationToken::new();
    let handle = move |connection| server.clone().connection(connection, CancellationToken::new());
    tokio::spawn(congvu_net::serve(listener, Gate::new(100, 100), stop, None, handle));
    address
}

/// Plays a script at a door.
pub(crate) async fn play(agency: &Agency, service: Service, script: &str) {
    let address = open(agency, service).await;
    Client::connect(address).await.play(script).await;
}
