//! IMAP on the wire: commands in, data out (RFC 3501, RFC 9051 and extensions). Pure; fuzzed.

pub(crate) mod command;
pub(crate) mod date;
pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod scan;
pub(crate) mod search;
pub(crate) mod set;
pub(crate) mod structure;
pub(crate) mod utf7;
pub(crate) mod write;
