//! The access protocols: IMAP, for mail clients that others wrote.

mod imap;

pub use imap::{ImapOptions, ImapServer};

/// What fuzzing reaches.
pub mod fuzzing {
    /// Reads one whole command, literals included; never panics.
    pub fn imap_command(bytes: &[u8]) {
        let _ = crate::imap::parse(bytes);
    }
}
