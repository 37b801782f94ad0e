//! SMTP: the server's doors (receiving from other servers, submission, LMTP) and the client that sends what is queued.
//!
//! INVARIANT: a 250 to the end of a message leaves after the commit (test: the trace and crash stories in `tests/e2e`).
//! INVARIANT: nobody relays without signing in (test: `nobody_relays_without_signing_in`).
//! INVARIANT: lines end with CRLF alone, in commands and in message text, so that no message smuggles another
//! (RFC 5321 §2.3.8; test: `a_smuggled_end_is_text_and_refused`).

mod body;
mod client;
mod codec;
mod outbound;
mod params;
mod reply;
mod server;

pub use outbound::{Outbound, OutboundOptions, Route};
pub use server::{Service, SmtpOptions, SmtpServer};

/// What fuzzing reaches.
pub mod fuzzing {
    /// Reads one command line; never panics.
    pub fn command(line: &[u8]) {
        let _ = crate::codec::command(line);
    }

    /// Reads a message's text cut in two; never panics.
    pub fn body(first: &[u8], second: &[u8]) {
        let mut reader = crate::body::DotReader::new(1000);
        let (_, done) = reader.push(first);
        if !done {
            reader.push(second);
        }
    }
}
