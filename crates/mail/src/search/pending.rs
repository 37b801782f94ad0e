//! What of an account is not in the index yet, read off the rows: which messages came after the watermark and which went.

use crate::{MailboxRow, mailboxes, state};
use congvu_storage::{BlobHash, Document, Snapshot, params};
use congvu_types::{AccountId, EmailId, ModSeq, Result, Timestamp};
use std::time::{Duration, Instant};

use super::document::{document, poor_document};

/// A message to be indexed. Its fields are in the order they are worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival {
    /// The modseq it came with.
    pub(super) created: u64,
    pub(super) email: EmailId,
}

/// What is to be done for an account.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// When all is done, this is the watermark.
    pub(super) upto: ModSeq,
    /// Messages that came, the oldest first.
    pub(super) arrivals: Vec<Arrival>,
    /// Messages that are gone.
    pub(super) gone: Vec<EmailId>,
    /// Whether more is gone than is known: a mailbox with what was in it, or tombstones that were cut.
    pub(super) needs_sweep: bool,
}

const ARRIVALS: &str = "SELECT e.created_modseq, p.email_id FROM placement p
    JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
    WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.modseq > ?3 AND e.created_modseq > ?3
    ORDER BY p.modseq DESC, p.uid DESC LIMIT ?4";

/// Reads what is to be done behind a watermark.
pub(super) fn pending(snapshot: &Snapshot, account: AccountId, watermark: ModSeq) -> Result<Pending> {
    let upto = state::state(snapshot, account)?;
    let mut pending = Pending { upto, ..Pending::default() };
    if upto <= watermark {
        return Ok(pending);
    }
    let boxes = mailboxes::mailboxes(snapshot, account)?;
    for mailbox in boxes.iter().filter(|m| m.highest_modseq > watermark.0) {
        let values = params![account.get(), mailbox.id.get(), watermark.0, i64::MAX];
        pending.arrivals.extend(snapshot.query(ARRIVALS, &values, |r| {
            Ok(Arrival { created: r.u64(0)?, email: EmailId::new(r.i64(1)?) })
        })?);
        pending.gone.extend(gone(snapshot, mailbox, watermark)?);
    }
    pending.arrivals.sort_unstable();
    pending.needs_sweep = watermark.0 > 0 && is_lost(snapshot, account, &boxes, watermark)?;
    Ok(pending)
}

fn gone(snapshot: &Snapshot, mailbox: &MailboxRow, watermark: ModSeq) -> Result<Vec<EmailId>> {
    snapshot.query(
        "SELECT x.email_id FROM expunged x WHERE x.account_id = ?1 AND x.mailbox_id = ?2 AND x.modseq > ?3
            AND NOT EXISTS (SELECT 1 FROM email e WHERE e.account_id = x.account_id AND e.id = x.email_id)",
        &params![mailbox.account.get(), mailbox.id.get(), watermark.0],
        |r| Ok(EmailId::new(r.i64(0)?)),
    )
}

fn is_lost(snapshot: &Snapshot, account: AccountId, boxes: &[MailboxRow], watermark: ModSeq) -> Result<bool> {
    let gone = snapshot.query_opt(
        "SELECT 1 FROM mailbox_gone WHERE account_id = ?1 AND modseq > ?2 LIMIT 1",
        &params![account.get(), watermark.0],
        |_| Ok(()),
    )?;
    Ok(gone.is_some() || boxes.iter().any(|m| m.min_modseq > watermark.0))
}

/// A message with what lists know of it, and its document.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) email: EmailId,
    pub(super) received_at: Timestamp,
    pub(super) document: Document,
}

/// Messages that are in no index yet, for a search to look at by itself.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) messages: Vec<Read>,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

/// Rows of a mailbox that are looked at for messages that are not indexed.
const MOST_ROWS: usize = 4_000;
/// Messages that one search reads by itself.
const MOST_READ: usize = 2_000;
/// And bytes of them …
const MOST_BYTES: u64 = 64 << 20;
/// … for so long.
const LONGEST: Duration = Duration::from_secs(1);

/// Reads the messages behind the watermark, the newest first, within bounds.
pub(super) fn tail(snapshot: &Snapshot, account: AccountId, watermark: ModSeq) -> Result<Tail> {
    let mut tail = Tail { is_whole: true, ..Tail::default() };
    if state::state(snapshot, account)? <= watermark {
        return Ok(tail);
    }
    let mut ids = Vec::new();
    for mailbox in mailboxes::mailboxes(snapshot, account)?.iter().filter(|m| m.highest_modseq > watermark.0)
    {
        let values = params![account.get(), mailbox.id.get(), watermark.0, MOST_ROWS];
        let some = snapshot.query(ARRIVALS, &values, |r| Ok(EmailId::new(r.i64(1)?)))?;
        tail.is_whole &= some.len() < MOST_ROWS;
        ids.extend(some);
    }
    // Ids are made in order of time.
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    let (mut left, began) = (MOST_BYTES, Instant::now());
    for id in ids {
        if tail.messages.len() >= MOST_READ || left == 0 || began.elapsed() > LONGEST {
            tail.is_whole = false;
            break;
        }
        if let Some((read, size)) = read(snapshot, account, id, Faults::Told)? {
            left = left.saturating_sub(size);
            tail.messages.push(read);
        }
    }
    Ok(tail)
}

/// What to do when the bytes of a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// It is an error.
    Raised,
    /// It is told in the log, and what lists know of the message will do.
    Told,
}

/// Reads a message and makes its document; `None` when it is gone. Returns its size too.
pub(super) fn read(
    snapshot: &Snapshot,
    account: AccountId,
    email: EmailId,
    faults: Faults,
) -> Result<Option<(Read, u64)>> {
    let found = snapshot.query_opt(
        "SELECT received_at, blob_hash, subject, sender, preview, has_attachment, size FROM email
         WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), email.get()],
        |r| {
            let poor = poor_document(&r.text(2)?, &r.text(3)?, &r.text(4)?, r.i64(5)? != 0);
            Ok((Timestamp(r.i64(0)?), BlobHash::from_slice(&r.bytes(1)?)?, poor, r.u64(6)?))
        },
    )?;
    let Some((received_at, blob, poor, size)) = found else { return Ok(None) };
    let document = match snapshot.blob(&blob) {
        // A message that breaks the reader must not hold up those behind it.
        Ok(raw) => std::panic::catch_unwind(|| document(&raw)).unwrap_or_else(|_| {
            tracing::error!(%account, %email, "a message cannot be read for the search index");
            poor
        }),
        Err(error) if faults == Faults::Told => {
            tracing::warn!(%error, %account, %email, "a message is indexed without its text");
            poor
        }
        Err(error) => return Err(error),
    };
    Ok(Some((Read { email, received_at, document }, size)))
}
