//! Sockets without mail meaning: accepting with limits, TLS, lines, SASL; dialling and name lookup.
//!
//! INVARIANT: a line ends with CRLF and nothing else; a bare CR or LF is an error, so nobody smuggles a command
//! (RFC 5321 §2.3.8; test: `bare_line_ends_are_errors`).
//! INVARIANT: what was sent in clear before STARTTLS is never read as if it came over TLS (RFC 3207 §4.2; test:
//! `plaintext_before_the_handshake_is_refused`).

mod budget;
mod connection;
mod dialer;
mod listener;
mod resolver;
pub mod sasl;
pub mod tls;

pub use budget::{Budget, Share};
pub use connection::{Connection, ReadError};
pub use dialer::{Dialed, dial};
pub use listener::{Entered, Gate, bind, serve};
pub use resolver::{MailHost, MxAnswer, Resolver, mail_hosts, nearer_than_us, resolver};

/// Returns 24 random characters that stand in a header, a file name or a protocol's token alike (144 bits).
pub fn random_token() -> std::io::Result<String> {
    let mut random = [0; 18];
    getrandom::fill(&mut random).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, random))
}
