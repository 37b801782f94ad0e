//! The record of what named people do to a shared account (S3.1b, Điều 3): an event of the account's audit chain for each
//! change of what it keeps, in the same commit. What the system does by itself, and what owners do to their own account,
//! is not recorded here.

use crate::transfer::Found;
use congvu_directory::Acting;
use congvu_storage::{BlobHash, Chain, Event, Tx};
use congvu_types::{Result, Uid};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// So many messages of an event are named by their digests; all are named by their UIDs.
const MOST_DIGESTS: usize = 32;

/// Something that a person does to a mailbox.
pub(crate) struct Act(Map<String, Value>);

impl Act {
    pub(crate) fn new() -> Self {
        Self(Map::new())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Names messages by UIDs as ranges, and some of them by the digest of their bytes.
    pub(crate) fn on(self, uids: impl IntoIterator<Item = Uid>, blobs: &[&BlobHash]) -> Self {
        let digests: Vec<Value> =
            blobs.iter().take(MOST_DIGESTS).map(|b| b.to_hex().to_string().into()).collect();
        self.with("uids", ranges(uids)).with("messages", blobs.len()).with("digests", digests)
    }

    /// Like [`Self::on`], where they stand.
    pub(crate) fn on_found(self, found: &[Found]) -> Self {
        let blobs: Vec<&BlobHash> = found.iter().map(|f| &f.blob).collect();
        self.on(found.iter().map(|f| f.uid), &blobs)
    }

    /// Writes it down when the account is shared.
    pub(crate) fn record<R>(
        self,
        tx: &mut Tx,
        acting: &Acting<R>,
        name: &'static str,
        mailbox: &str,
    ) -> Result<()> {
        if !acting.is_shared() {
            return Ok(());
        }
        let event =
            Event { name, subject: mailbox.to_owned(), citation: None, details: Value::Object(self.0) };
        tx.record(Chain::Account(acting.account()), &event)
    }
}

/// UIDs in order as `1:3,7`.
fn ranges(uids: impl IntoIterator<Item = Uid>) -> String {
    let mut text = String::new();
    let mut uids = uids.into_iter().map(|uid| uid.0).peekable();
    while let Some(first) = uids.next() {
        let mut last = first;
        while let Some(next) = uids.next_if(|next| last.checked_add(1) == Some(*next)) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { "," };
        let _ = match first == last {
            true => write!(text, "{comma}{first}"),
            false => write!(text, "{comma}{first}:{last}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_told_as_ranges() {
        let told = |uids: &[u32]| ranges(uids.iter().map(|uid| Uid(*uid)));
        assert_eq!(told(&[]), "");
        assert_eq!(told(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(told(&[u32::MAX]), u32::MAX.to_string());
    }
}
