//! The messages of a mailbox by their dates, a page at a time, with as much of each as a list must know.

use crate::FlagSet;
use congvu_storage::{Row, Snapshot, params};
use congvu_types::{AccountId, EmailId, MailboxId, Result, ThreadId, Timestamp};
use std::{cmp::Ordering, collections::VecDeque};

/// Rows of a mailbox read at once: few at first, for most lists are short.
const PAGES: [usize; 2] = [128, 4_096];

/// What is known of a message while a list is made.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) email: EmailId,
    pub(super) thread: ThreadId,
    pub(super) mailbox: MailboxId,
    pub(super) received_at: Timestamp,
    pub(super) has_attachment: bool,
    pub(super) flags: FlagSet,
    pub(super) size: u64,
    pub(super) sent_at: Option<Timestamp>,
    pub(super) sender: String,
    pub(super) subject: String,
}

/// How much of a message a list must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// What the index of lists has.
    Listed,
    /// Its flags too.
    Flags,
    /// All of it.
    Whole,
}

const LISTED: [&str; 2] = [
    "SELECT id, thread_id, received_at, has_attachment FROM email
     WHERE account_id = ?1 AND mailbox_id = ?2 AND (received_at, id) < (?3, ?4)
     ORDER BY received_at DESC, id DESC LIMIT ?5",
    "SELECT id, thread_id, received_at, has_attachment FROM email
     WHERE account_id = ?1 AND mailbox_id = ?2 AND (received_at, id) > (?3, ?4)
     ORDER BY received_at, id LIMIT ?5",
];
const FLAGS: [&str; 2] = [
    "SELECT e.id, e.thread_id, e.received_at, e.has_attachment, p.flags FROM email e
     JOIN placement p ON p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = e.uid
     WHERE e.account_id = ?1 AND e.mailbox_id = ?2 AND (e.received_at, e.id) < (?3, ?4)
     ORDER BY e.received_at DESC, e.id DESC LIMIT ?5",
    "SELECT e.id, e.thread_id, e.received_at, e.has_attachment, p.flags FROM email e
     JOIN placement p ON p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = e.uid
     WHERE e.account_id = ?1 AND e.mailbox_id = ?2 AND (e.received_at, e.id) > (?3, ?4)
     ORDER BY e.received_at, e.id LIMIT ?5",
];
const WHOLE: [&str; 2] = [
    "SELECT e.id, e.thread_id, e.received_at, e.has_attachment, p.flags, e.size, e.sent_at, e.sender, e.subject FROM email e
     JOIN placement p ON p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = e.uid
     WHERE e.account_id = ?1 AND e.mailbox_id = ?2 AND (e.received_at, e.id) < (?3, ?4)
     ORDER BY e.received_at DESC, e.id DESC LIMIT ?5",
    "SELECT e.id, e.thread_id, e.received_at, e.has_attachment, p.flags, e.size, e.sent_at, e.sender, e.subject FROM email e
     JOIN placement p ON p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = e.uid
     WHERE e.account_id = ?1 AND e.mailbox_id = ?2 AND (e.received_at, e.id) > (?3, ?4)
     ORDER BY e.received_at, e.id LIMIT ?5",
];
pub(super) const ONE: &str = "SELECT e.id, e.thread_id, e.received_at, e.has_attachment, p.flags, e.size, e.sent_at, e.sender, e.subject,
        e.mailbox_id FROM email e
     JOIN placement p ON p.account_id = e.account_id AND p.mailbox_id = e.mailbox_id AND p.uid = e.uid
     WHERE e.account_id = ?1 AND e.id = ?2
        AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)";

pub(super) fn candidate(r: &Row<'_>, mailbox: MailboxId, depth: Depth) -> Result<Candidate> {
    let is_whole = depth == Depth::Whole;
    Ok(Candidate {
        email: EmailId::new(r.i64(0)?),
        thread: ThreadId::new(r.i64(1)?),
        mailbox,
        received_at: Timestamp(r.i64(2)?),
        has_attachment: r.i64(3)? != 0,
        flags: FlagSet(if depth >= Depth::Flags { r.u64(4)? } else { 0 }),
        size: if is_whole { r.u64(5)? } else { 0 },
        sent_at: if is_whole { r.opt_i64(6)?.map(Timestamp) } else { None },
        sender: if is_whole { r.text(7)? } else { String::new() },
        subject: if is_whole { r.text(8)? } else { String::new() },
    })
}

/// Where the reading of a mailbox has come.
pub(super) struct Cursor {
    mailbox: MailboxId,
    ascending: bool,
    after: (i64, i64),
    read: VecDeque<Candidate>,
    pages: usize,
    is_done: bool,
}

impl Cursor {
    pub(super) fn new(mailbox: MailboxId, ascending: bool) -> Self {
        let edge = if ascending { i64::MIN } else { i64::MAX };
        Self { mailbox, ascending, after: (edge, edge), read: VecDeque::new(), pages: 0, is_done: false }
    }

    pub(super) fn next(
        &mut self,
        snapshot: &Snapshot,
        account: AccountId,
        depth: Depth,
    ) -> Result<Option<Candidate>> {
        if self.read.is_empty() && !self.is_done {
            let page = PAGES[usize::from(self.pages > 0)];
            self.pages += 1;
            let statements = match depth {
                Depth::Listed => LISTED,
                Depth::Flags => FLAGS,
                Depth::Whole => WHOLE,
            };
            let key = params![account.get(), self.mailbox.get(), self.after.0, self.after.1, page];
            snapshot.each(statements[usize::from(self.ascending)], &key, |r| {
                self.read.push_back(candidate(r, self.mailbox, depth)?);
                Ok(true)
            })?;
            self.is_done = self.read.len() < page;
            if let Some(last) = self.read.back() {
                self.after = (last.received_at.millis(), last.email.get());
            }
        }
        Ok(self.read.pop_front())
    }
}

/// The next message of a mailbox; the one that comes first in the list is the greatest.
pub(super) struct Head {
    pub(super) found: Candidate,
    pub(super) cursor: usize,
    pub(super) ascending: bool,
}

impl Head {
    fn key(&self) -> (Timestamp, EmailId) {
        (self.found.received_at, self.found.email)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.key().cmp(&other.key());
        if self.ascending { order.reverse() } else { order }
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head {}
