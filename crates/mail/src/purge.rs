//! Mailboxes that were deleted: their row is gone at once, their messages go in steps that hold nobody up.

use crate::{MailboxRow, state};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, ModSeq, Result};

/// Messages removed in one step; with what hangs on them some 500 rows.
const AT_ONCE: usize = 150;
/// Tombstones removed in one step.
const TOMBSTONES_AT_ONCE: usize = 500;

/// Notes that a mailbox's messages are to be removed. They are seen by nobody once its row is gone. Whoever asks what changed
/// since before it lost its last message cannot be told which those were.
pub(crate) fn doom(tx: &mut Tx, mailbox: &MailboxRow, modseq: ModSeq) -> Result<()> {
    let (account, id) = (mailbox.account.get(), mailbox.id.get());
    tx.execute("INSERT INTO doomed_mailbox (account_id, mailbox_id) VALUES (?1, ?2)", &params![account, id])?;
    let lost = if mailbox.total == 0 { mailbox.highest_modseq } else { modseq.0 };
    tx.execute(
        "INSERT INTO mailbox_gone (account_id, modseq, mailbox_id, lost_modseq, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &params![account, modseq.0, id, lost, tx.now()],
    )
    .map(drop)
}

/// Returns whether there is anything for [`purge_step`] to do.
pub fn is_purge_due(snapshot: &Snapshot) -> Result<bool> {
    Ok(first(snapshot)?.is_some())
}

fn first(snapshot: &Snapshot) -> Result<Option<(i64, i64)>> {
    snapshot.query_opt(
        "SELECT account_id, mailbox_id FROM doomed_mailbox ORDER BY account_id, mailbox_id LIMIT 1",
        &[],
        |r| Ok((r.i64(0)?, r.i64(1)?)),
    )
}

/// Removes some messages of a deleted mailbox and gives their room back (S8.1, Điều 8: what is counted is what is there).
/// Returns whether there may be more. For the bulk lane.
pub fn purge_step(tx: &mut Tx) -> Result<bool> {
    let Some((account, mailbox)) = first(tx)? else { return Ok(false) };
    let key = params![account, mailbox];
    // Two nodes on one mailbox take turns here.
    tx.execute(
        "UPDATE doomed_mailbox SET mailbox_id = mailbox_id WHERE account_id = ?1 AND mailbox_id = ?2",
        &key,
    )?;
    let (messages, bytes, last) = tx.query_one(
        "SELECT COUNT(*), CAST(COALESCE(SUM(e.size), 0) AS BIGINT), COALESCE(MAX(p.uid), 0)
         FROM (SELECT uid, email_id FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY uid LIMIT ?3) p
         JOIN email e ON e.account_id = ?1 AND e.id = p.email_id",
        &params![account, mailbox, AT_ONCE],
        |r| Ok((r.u64(0)?, r.u64(1)?, r.i64(2)?)),
    )?;
    if messages > 0 {
        return remove_messages(tx, (account, mailbox, last), bytes, messages).map(|()| true);
    }
    let tombstones = tx.execute(
        "DELETE FROM expunged WHERE account_id = ?1 AND mailbox_id = ?2 AND modseq <= (SELECT MAX(modseq) FROM
            (SELECT modseq FROM expunged WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY modseq, uid LIMIT ?3) oldest)",
        &params![account, mailbox, TOMBSTONES_AT_ONCE],
    )?;
    let conversations = tx.execute(
        "DELETE FROM conversation WHERE account_id = ?1 AND mailbox_id = ?2 AND thread_id <= (SELECT MAX(thread_id) FROM
            (SELECT thread_id FROM conversation WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY thread_id LIMIT ?3) first)",
        &params![account, mailbox, TOMBSTONES_AT_ONCE],
    )?;
    if tombstones == 0 && conversations == 0 {
        tx.execute("DELETE FROM doomed_mailbox WHERE account_id = ?1 AND mailbox_id = ?2", &key)?;
    }
    Ok(true)
}

fn remove_messages(
    tx: &mut Tx,
    (account, mailbox, last): (i64, i64, i64),
    bytes: u64,
    messages: u64,
) -> Result<()> {
    state::give_back(tx, AccountId::new(account), bytes, messages)?;
    let range = params![account, mailbox, last];
    tx.execute(
        "DELETE FROM email_read WHERE account_id = ?1 AND email_id IN
            (SELECT email_id FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid <= ?3)",
        &range,
    )?;
    tx.execute(
        "DELETE FROM email WHERE account_id = ?1 AND id IN
            (SELECT email_id FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid <= ?3)",
        &range,
    )?;
    tx.execute("DELETE FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid <= ?3", &range)
        .map(drop)
}
