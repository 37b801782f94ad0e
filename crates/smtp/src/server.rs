//! The server's end: one session a connection.

mod auth;
mod data;
mod pace;
mod receive;
mod session;
mod submission;

use congvu_directory::Authenticator;
use congvu_net::{Budget, Connection};
use congvu_storage::Db;
use congvu_transport::{Rules, Site, facts::Inspector};
use rustls::ServerConfig;
use session::Session;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Mail from other servers (port 25): no sign-in, no relaying.
    Receive,
    /// Mail from people who sign in (RFC 6409; ports 587 and 465).
    Submission,
    /// Mail from trusted relays, an answer for each recipient (RFC 2033).
    Lmtp,
}

/// What a door needs.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Which door.
    pub service: Service,
    /// The database.
    pub db: Db,
    /// Who signs people in.
    pub authenticator: Authenticator,
    /// Our name, and where outside mail goes.
    pub site: Site,
    /// Who finds out about what comes in.
    pub inspector: Inspector,
    /// What is done with what it finds.
    pub rules: Rules,
    /// TLS for STARTTLS; without it none is offered.
    pub tls: Option<Arc<ServerConfig>>,
    /// Allows sign-in without TLS: for tests on loopback.
    pub allow_plain_sign_in: bool,
    /// The largest message, in bytes.
    pub max_message_bytes: usize,
    /// How much memory messages under way may take together, in bytes.
    pub max_memory_bytes: usize,
}

/// A door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    options: Arc<SmtpOptions>,
    budget: Budget,
}

impl SmtpServer {
    /// Makes a door.
    #[must_use]
    pub fn new(options: SmtpOptions) -> Self {
        Self { budget: Budget::new(options.max_memory_bytes), options: Arc::new(options) }
    }

    /// Serves a connection to its end, or until `stop`.
    pub async fn connection(self, connection: Connection, stop: CancellationToken) {
        Box::pin(Session::new(self, connection).run(stop)).await;
    }
}
