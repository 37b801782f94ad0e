//! How many messages of each conversation lie in each mailbox, counted as they come and go: so a mailbox knows how many
//! conversations it has (RFC 8621 §2 `totalThreads`) without reading its messages.

use congvu_storage::{Tx, params};
use congvu_types::{AccountId, Fault, MailboxId, Result, ThreadId};
use std::collections::BTreeMap;

/// By how much counters of a mailbox change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Delta {
    /// Conversations; messages while it is counted for one conversation.
    pub(crate) all: i64,
    /// Those with a message without `\Seen`.
    pub(crate) unseen: i64,
}

/// What comes to a mailbox and what leaves it, by conversation.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<ThreadId, Delta>);

impl Tally {
    pub(crate) fn count(&mut self, thread: ThreadId, emails: i64, unseen: i64) {
        let delta = self.0.entry(thread).or_default();
        delta.all += emails;
        delta.unseen += unseen;
    }

    /// Writes the counts down; returns by how much the mailbox's own counters change. The account's row is locked.
    pub(crate) fn apply(self, tx: &mut Tx, account: AccountId, mailbox: MailboxId) -> Result<Delta> {
        let mut sum = Delta::default();
        for (thread, delta) in self.0 {
            if delta == Delta::default() {
                continue;
            }
            let key = params![account.get(), mailbox.get(), thread.get(), delta.all, delta.unseen];
            let after = tx
                .query_opt(
                    "INSERT INTO conversation (account_id, mailbox_id, thread_id, emails, unseen)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (account_id, mailbox_id, thread_id) DO UPDATE SET
                        emails = conversation.emails + excluded.emails, unseen = conversation.unseen + excluded.unseen
                     RETURNING emails, unseen",
                    &key,
                    |r| Ok(Delta { all: r.i64(0)?, unseen: r.i64(1)? }),
                )?
                .ok_or_else(|| Fault::new("a conversation was not counted"))?;
            let before = Delta { all: after.all - delta.all, unseen: after.unseen - delta.unseen };
            sum.all += i64::from(after.all > 0) - i64::from(before.all > 0);
            sum.unseen += i64::from(after.unseen > 0) - i64::from(before.unseen > 0);
            if after.all == 0 {
                tx.execute(
                    "DELETE FROM conversation WHERE account_id = ?1 AND mailbox_id = ?2 AND thread_id = ?3",
                    &params![account.get(), mailbox.get(), thread.get()],
                )?;
            }
        }
        Ok(sum)
    }
}
