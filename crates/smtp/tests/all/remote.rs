//! Servers of other domains that behave as the test wants, and a house that sends to them.

use congvu_net::Connection;
use congvu_smtp::{Outbound as Worker, OutboundOptions, Route};
use congvu_storage::Actor;
use congvu_transport::{Draft, Envelope, Outbound, Site, Submitted, Via, queue, submit};
use congvu_types::Uid;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use testkit::agency::{Agency, DIRECTOR, MIGRATIONS};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How a server behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) greeting: &'static str,
    pub(crate) offers: &'static [&'static str],
    /// Beyond so many in one transaction, RCPT is answered 452.
    pub(crate) most_recipients: usize,
    /// The answer to a RCPT with this word in it.
    pub(crate) rcpt: &'static [(&'static str, &'static str)],
    pub(crate) data: &'static str,
    /// How long it thinks at the end of the text.
    pub(crate) thinks: Duration,
    /// What STARTTLS leads to; without it the handshake fails.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            greeting: "220 remote ESMTP",
            offers: &["PIPELINING", "8BITMIME", "DSN", "SIZE 1000000"],
            most_recipients: 1000,
            rcpt: &[],
            data: "354 go",
            thinks: Duration::ZERO,
            tls: None,
        }
    }
}

/// A server, and what it heard.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Remote {
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), manner).await
    }

    /// Several addresses of this machine stand for several hosts at one port.
    pub(crate) async fn start_at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let remote = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            now: Arc::default(),
            most: Arc::default(),
        };
        let server = remote.clone();
        tokio::spawn(async move {
            while let Ok((socket, peer)) = listener.accept().await {
                let (server, manner) = (server.clone(), manner.clone());
                tokio::spawn(async move {
                    let now = server.now.fetch_add(1, Ordering::SeqCst) + 1;
                    server.most.fetch_max(now, Ordering::SeqCst);
                    server.converse(Connection::plain(socket, peer), &manner).await;
                    server.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        remote
    }

    /// Returns what it heard, a line each.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }

    /// Returns how many conversations there were at once at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    async fn converse(&self, mut connection: Connection, manner: &Manner) {
        let say = |text: &str| format!("{text}\r\n").into_bytes();
        let mut in_text = false;
        let mut recipients = 0;
        connection.send(&say(manner.greeting)).await.unwrap();
        while let Ok(line) = connection.read_line(100_000, Duration::from_secs(30)).await {
            let text = String::from_utf8_lossy(&line).into_owned();
            let verb = text.get(..4).unwrap_or(&text).to_owned();
            if !in_text {
                let shown = if connection.is_tls() { format!("(tls) {text}") } else { text.clone() };
                self.heard.lock().unwrap().push(shown);
            } else {
                self.heard.lock().unwrap().push(text.clone());
            }
            let answer = match verb.as_str() {
                "." if in_text => {
                    tokio::time::sleep(manner.thinks).await;
                    in_text = false;
                    "250 2.0.0 taken".to_owned()
                }
                _ if in_text => continue,
                "EHLO" => {
                    let lines: Vec<String> = manner.offers.iter().map(|o| format!("250-{o}\r\n")).collect();
                    format!("250-remote\r\n{}250 HELP", lines.concat())
                }
                "STAR" => {
                    connection.send(&say("220 go")).await.unwrap();
                    let Some(config) = &manner.tls else { return };
                    if connection.start_tls(config).await.is_err() {
                        return;
                    }
                    continue;
                }
                "MAIL" => {
                    recipients = 0;
                    "250 ok".to_owned()
                }
                "RCPT" => match manner.rcpt.iter().find(|(word, _)| text.contains(word)) {
                    Some((_, answer)) => (*answer).to_owned(),
                    None if recipients >= manner.most_recipients => {
                        "452 4.5.3 too many recipients".to_owned()
                    }
                    None => {
                        recipients += 1;
                        "250 ok".to_owned()
                    }
                },
                "DATA" => {
                    in_text = manner.data.starts_with('3');
                    manner.data.to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            if connection.send(&say(&answer)).await.is_err() {
                return;
            }
        }
    }
}

/// The sample agency with its worker at work.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) agency: Agency,
    site: Site,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl House {
    /// On SQLite alone: for what is no matter of the store.
    pub(crate) async fn new(route: Route) -> Self {
        Self::with(route, None).await
    }

    pub(crate) async fn with(route: Route, tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        let store = testkit::store::sqlite(Arc::new(congvu_types::SystemClock));
        store.db.migrate(&MIGRATIONS).await.unwrap();
        Self::of(Agency::new(store).await, route, tls)
    }

    pub(crate) fn of(agency: Agency, route: Route, tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        let site = Site::new("mail.khanhhoa.example", Outbound::Send);
        let stop = CancellationToken::new();
        let worker = Worker::new(OutboundOptions {
            db: agency.db.clone(),
            site: site.clone(),
            node: 1,
            route,
            tls,
            per_domain: 2,
            at_once: 8,
        });
        let running = tokio::spawn(worker.run(stop.clone()));
        Self { agency, site, stop, running }
    }

    /// Sends from the director's own account, which nobody reviews.
    pub(crate) async fn send(&self, to: &[&str], text: &str) {
        let who = self.agency.person("hung").await;
        let raw = format!(
            "From: {DIRECTOR}\r\nSubject: ra ngoai\r\nMessage-ID: <1@khanhhoa.example>\r\n\r\n{text}\r\n"
        );
        let to: Vec<_> = to.iter().map(|a| a.parse().unwrap()).collect();
        let envelope = Envelope::new(Some(DIRECTOR.parse().unwrap()), to);
        let draft = Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap();
        let site = self.site.clone();
        let sent =
            self.agency.db.write(Actor::System("test"), move |tx| submit(tx, &site, &who, &draft)).await;
        assert!(matches!(sent.unwrap(), Submitted::Sent(_)));
    }

    /// Waits until the queue looks like this, and returns it.
    pub(crate) async fn until(&self, wanted: impl Fn(&[queue::QueueRow]) -> bool) -> Vec<queue::QueueRow> {
        let mut left = Vec::new();
        for _ in 0..400 {
            left = self.agency.db.read(|s| queue::list(s, None, 2000)).await.unwrap();
            if wanted(&left) {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the queue stays: {left:?}");
    }

    /// Waits until nothing is left.
    pub(crate) async fn until_empty(&self) {
        self.until(<[_]>::is_empty).await;
    }

    /// Waits until everything was tried once and waits for its next turn.
    pub(crate) async fn until_tried(&self) -> Vec<queue::QueueRow> {
        self.until(|rows| !rows.is_empty() && rows.iter().all(|r| r.attempts == 1 && !r.is_leased)).await
    }

    /// Returns the last message in the director's INBOX.
    pub(crate) async fn report(&self) -> String {
        let account = self.agency.account(DIRECTOR).await;
        let report = self.agency.db.read(move |s| {
            let inbox = congvu_mail::mailbox_by_role(s, account, congvu_mail::Role::Inbox)?.unwrap();
            let row = congvu_mail::message(s, account, inbox.id, Uid(inbox.uidnext - 1))?.unwrap();
            congvu_mail::raw(s, &row)
        });
        String::from_utf8(report.await.unwrap()).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}
