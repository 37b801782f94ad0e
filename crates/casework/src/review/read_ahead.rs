//! Messages that are about to be decided on, read before the transaction: unpacking, hashing and parsing megabytes would
//! hold every other writer up.

use super::{Review, ReviewState, read};
use congvu_mail::PreparedMessage;
use congvu_storage::{BlobHash, Snapshot};
use congvu_types::{AccountId, MailboxId, Result, ReviewId, Uid};

/// Prepared messages, found by the digest of their bytes, which was verified when they were read: within the transaction
/// the digest alone is compared (S9.1, Điều 9).
#[derive(Debug, Clone, Default)]
pub struct ReadAhead(Vec<PreparedMessage>);

impl ReadAhead {
    /// Reads what a review holds; nothing when it waits neither for a decision nor for its time.
    pub fn of(snapshot: &Snapshot, id: ReviewId) -> Result<Self> {
        let mut ahead = Self::default();
        ahead.add(snapshot, read::get(snapshot, id)?)?;
        Ok(ahead)
    }

    /// Reads what waits at places of a mailbox.
    pub fn at(snapshot: &Snapshot, account: AccountId, mailbox: MailboxId, uids: &[Uid]) -> Result<Self> {
        let mut ahead = Self::default();
        for uid in uids {
            ahead.add(snapshot, read::review_at(snapshot, account, mailbox, *uid)?)?;
        }
        Ok(ahead)
    }

    fn add(&mut self, snapshot: &Snapshot, review: Option<Review>) -> Result<()> {
        if let Some(review) = review.filter(|r| r.state == ReviewState::Awaiting || r.is_waiting) {
            self.0.push(congvu_mail::prepare_stored(snapshot, &review.blob)?);
        }
        Ok(())
    }

    /// Returns the message of these bytes; what was not read ahead is read now.
    pub(super) fn message(&self, snapshot: &Snapshot, hash: &BlobHash) -> Result<PreparedMessage> {
        match self.0.iter().find(|message| message.blob.hash() == *hash) {
            Some(message) => Ok(message.clone()),
            None => congvu_mail::prepare_stored(snapshot, hash),
        }
    }
}
