//! What changed since a state (RFC 8620 §5.2): read off the rows and their tombstones, for there is no log of changes.

use crate::{MAX_BATCH, MailboxRow, mailboxes, state::state};
use congvu_directory::{Acting, right};
use congvu_storage::{Snapshot, params};
use congvu_types::{AccountId, EmailId, MailboxId, ModSeq, Result, ThreadId};
use std::collections::{BTreeMap, BTreeSet};

/// A state of the emails of an account that a client has seen: all changes before a modseq, and of that one those of emails
/// up to `within`. One commit may change more messages than a client takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The state that the client began from to take changes in parts. What came after it is new to the client, unless it
    /// was told in a part and changed again since: then it is told as new twice, for nobody knows.
    pub base: u64,
    /// The modseq.
    pub modseq: u64,
    /// `None`: all changes of that modseq.
    pub within: Option<EmailId>,
}

impl Since {
    /// All changes up to `modseq`.
    #[must_use]
    pub const fn all_of(modseq: ModSeq) -> Self {
        Self { base: modseq.0, modseq: modseq.0, within: None }
    }

    fn has_seen(self, modseq: u64, id: EmailId) -> bool {
        modseq < self.modseq || modseq == self.modseq && self.within.is_none_or(|within| id <= within)
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedIds<T> {
    /// What is new.
    pub created: Vec<T>,
    /// What is different.
    pub updated: Vec<T>,
    /// What is gone.
    pub destroyed: Vec<T>,
    /// The state that these changes lead to.
    pub upto: Since,
    /// Whether there are more changes after that.
    pub has_more: bool,
}

impl<T> ChangedIds<T> {
    const fn none(upto: Since) -> Self {
        Self { created: Vec::new(), updated: Vec::new(), destroyed: Vec::new(), upto, has_more: false }
    }
}

/// A message that changed.
struct Change {
    modseq: u64,
    email: EmailId,
    thread: ThreadId,
    /// The modseq it came with; `None` when it is gone.
    created: Option<u64>,
}

/// Returns what changed of the emails of an account since a state, at most `max` of them, the oldest changes first; `None`
/// when that is not known any more (RFC 8620 §5.2 `cannotCalculateChanges`).
pub fn email_changes(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: Since,
    max: usize,
) -> Result<Option<ChangedIds<EmailId>>> {
    let Some((changes, upto, has_more)) = changes(snapshot, acting.account(), since, max)? else {
        return Ok(None);
    };
    let mut told = ChangedIds { has_more, ..ChangedIds::none(upto) };
    for change in changes {
        let list = match change.created {
            None => &mut told.destroyed,
            Some(created) if created > since.base => &mut told.created,
            Some(_) => &mut told.updated,
        };
        list.push(change.email);
    }
    Ok(Some(told))
}

/// Like [`email_changes`] for conversations: they change when a message comes to them or goes from them (RFC 8621 §3.2).
pub fn thread_changes(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: Since,
    max: usize,
) -> Result<Option<ChangedIds<ThreadId>>> {
    let account = acting.account();
    let Some((changes, upto, has_more)) = changes(snapshot, account, since, max)? else { return Ok(None) };
    let mut told = ChangedIds { has_more, ..ChangedIds::none(upto) };
    // Whether something of it is gone.
    let mut touched: BTreeMap<ThreadId, bool> = BTreeMap::new();
    for change in changes {
        if change.created.is_none_or(|created| created > since.base) {
            *touched.entry(change.thread).or_default() |= change.created.is_none();
        }
    }
    for (thread, has_lost) in touched {
        let first = snapshot.query_opt(
            "SELECT e.created_modseq FROM email e WHERE e.account_id = ?1 AND e.thread_id = ?2
                AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)
             ORDER BY e.id LIMIT 1",
            &params![account.get(), thread.get()],
            |r| r.u64(0),
        )?;
        let list = match first {
            None => &mut told.destroyed,
            Some(created) if !has_lost && created > since.base => &mut told.created,
            Some(_) => &mut told.updated,
        };
        list.push(thread);
    }
    Ok(Some(told))
}

type Found = (Vec<Change>, Since, bool);

/// The changes in order, the state that they lead to, and whether there are more.
fn changes(snapshot: &Snapshot, account: AccountId, since: Since, max: usize) -> Result<Option<Found>> {
    let now = state(snapshot, account)?;
    let boxes = mailboxes::mailboxes(snapshot, account)?;
    if since.modseq > now.0 || is_lost(snapshot, account, &boxes, since)? {
        return Ok(None);
    }
    let mut found = Vec::new();
    for mailbox in boxes.iter().filter(|m| m.highest_modseq >= since.modseq) {
        // A group of changes of one commit is never larger, so the first `max` are whole groups but for the last.
        let wanted = max.saturating_add(1 + MAX_BATCH);
        let key = params![account.get(), mailbox.id.get(), since.modseq, wanted];
        found.extend(snapshot.query(
            "SELECT p.modseq, p.email_id, e.thread_id, e.created_modseq FROM placement p
             JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
             WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.modseq >= ?3 ORDER BY p.modseq, p.uid LIMIT ?4",
            &key,
            |r| {
                let (email, thread) = (EmailId::new(r.i64(1)?), ThreadId::new(r.i64(2)?));
                Ok(Change { modseq: r.u64(0)?, email, thread, created: Some(r.u64(3)?) })
            },
        )?);
        // A message that was moved is told by where it is now.
        found.extend(snapshot.query(
            "SELECT x.modseq, x.email_id, x.thread_id FROM expunged x
             WHERE x.account_id = ?1 AND x.mailbox_id = ?2 AND x.modseq >= ?3
                AND NOT EXISTS (SELECT 1 FROM email e WHERE e.account_id = x.account_id AND e.id = x.email_id)
             ORDER BY x.modseq, x.uid LIMIT ?4",
            &key,
            |r| {
                let (email, thread) = (EmailId::new(r.i64(1)?), ThreadId::new(r.i64(2)?));
                Ok(Change { modseq: r.u64(0)?, email, thread, created: None })
            },
        )?);
    }
    found.retain(|c| !since.has_seen(c.modseq, c.email));
    found.sort_unstable_by_key(|c| (c.modseq, c.email));
    let has_more = found.len() > max;
    found.truncate(max);
    let upto = match found.last() {
        Some(last) if has_more => Since { modseq: last.modseq, within: Some(last.email), ..since },
        _ if has_more => since,
        _ => Since::all_of(now),
    };
    Ok(Some((found, upto, has_more)))
}

/// Whether tombstones after this state were cut, or went with their mailbox.
fn is_lost(snapshot: &Snapshot, account: AccountId, boxes: &[MailboxRow], since: Since) -> Result<bool> {
    if boxes.iter().any(|m| since.modseq < m.min_modseq) || since.modseq < min_modseq(snapshot, account)? {
        return Ok(true);
    }
    let gone = snapshot.query_opt(
        "SELECT 1 FROM mailbox_gone WHERE account_id = ?1 AND modseq > ?2 AND lost_modseq > ?2 LIMIT 1",
        &params![account.get(), since.modseq],
        |_| Ok(()),
    )?;
    Ok(gone.is_some())
}

fn min_modseq(snapshot: &Snapshot, account: AccountId) -> Result<u64> {
    let sql = "SELECT min_modseq FROM account_state WHERE account_id = ?1";
    Ok(snapshot.query_opt(sql, &params![account.get()], |r| r.u64(0))?.unwrap_or(0))
}

/// What changed of the mailboxes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxChanges {
    /// Which.
    pub ids: ChangedIds<MailboxId>,
    /// Whether only counters of the updated ones changed (RFC 8621 §2.2 `updatedProperties`).
    pub only_counts: bool,
}

/// Returns what changed of the mailboxes of an account since a state; `None` when that is not known any more, or is more
/// than `max`.
pub fn mailbox_changes(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: ModSeq,
    max: usize,
) -> Result<Option<MailboxChanges>> {
    let account = acting.account();
    let now = state(snapshot, account)?;
    if since > now || since.0 < min_modseq(snapshot, account)? {
        return Ok(None);
    }
    let mut told = ChangedIds::none(Since::all_of(now));
    let mut only_counts = true;
    for mailbox in mailboxes::mailboxes(snapshot, account)? {
        if mailbox.created_modseq > since.0 {
            told.created.push(mailbox.id);
        } else if mailbox.highest_modseq.max(mailbox.named_modseq) > since.0 {
            only_counts &= mailbox.named_modseq <= since.0;
            told.updated.push(mailbox.id);
        }
    }
    let gone: BTreeSet<i64> = snapshot
        .query(
            "SELECT mailbox_id FROM mailbox_gone WHERE account_id = ?1 AND modseq > ?2 LIMIT ?3",
            &params![account.get(), since.0, max.saturating_add(1)],
            |r| r.i64(0),
        )?
        .into_iter()
        .collect();
    told.destroyed = gone.into_iter().map(MailboxId::new).collect();
    let count = told.created.len() + told.updated.len() + told.destroyed.len();
    Ok((count <= max).then_some(MailboxChanges { ids: told, only_counts }))
}
