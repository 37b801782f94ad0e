//! IMAP: RFC 3501 whole, the base of RFC 9051, and the extensions that CAPABILITY names.
//!
//! `codec` is pure; `session` keeps the state; each family of commands has a file.

mod appending;
mod codec;
mod copying;
mod fetching;
mod fetching_answer;
mod idling;
mod indexed;
mod input;
mod listing;
mod mailboxes;
mod matching;
mod memory;
mod names;
mod reply;
mod searching;
mod selected;
mod session;
mod signing_in;
mod storing;

use congvu_directory::Authenticator;
use congvu_mail::Views;
use congvu_net::Connection;
use congvu_storage::Db;
use congvu_transport::Site;
use memory::Memory;
use rustls::ServerConfig;
use session::Session;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reads a command, for fuzzing.
pub(crate) fn parse(bytes: &[u8]) -> bool {
    codec::command::command(bytes).is_ok_and(|(_, read)| read.is_ok())
}

/// What the door needs.
#[derive(Debug, Clone)]
pub struct ImapOptions {
    /// The database.
    pub db: Db,
    /// Who signs people in.
    pub authenticator: Authenticator,
    /// Our name, and where outside mail goes: an approval by MOVE sends.
    pub site: Site,
    /// The mailboxes in use.
    pub views: Views,
    /// TLS for STARTTLS; without it none is offered.
    pub tls: Option<Arc<ServerConfig>>,
    /// Allows sign-in without TLS: for tests on loopback.
    pub allow_plain_sign_in: bool,
    /// The largest message, in bytes.
    pub max_message_bytes: usize,
    /// Memory that commands under way may take together, in bytes, and answers as much again: APPEND and FETCH hold their
    /// messages. One person takes a quarter of the one and half of the other at most.
    pub max_memory_bytes: usize,
}

/// The door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImapServer {
    options: Arc<ImapOptions>,
    /// What commands under way hold.
    memory: Memory,
    /// What answers under way hold: slow readers must not keep others from filing what they sent.
    answers: Memory,
}

impl ImapServer {
    /// Makes the door.
    #[must_use]
    pub fn new(options: ImapOptions) -> Self {
        let most = options.max_memory_bytes;
        let (memory, answers) = (Memory::new(most, most / 4), Memory::new(most, most / 2));
        Self { options: Arc::new(options), memory, answers }
    }

    /// Serves a connection to its end, or until `stop`.
    pub async fn connection(self, connection: Connection, stop: CancellationToken) {
        Box::new(Session::new(self, connection, stop)).run().await;
    }
}
