//! The making of a list: the messages that the filter lets pass, in order, as far as they are needed.

use super::{
    EmailFilter, EmailHit, EmailQuery, EmailSort, SortKey, Window,
    cursor::{self, Candidate, Cursor, Depth, Head},
    order,
};
use crate::{FlagSet, mailboxes};
use congvu_storage::{Snapshot, params};
use congvu_types::{AccountId, EmailId, MailboxId, RefusalKind, Result, ThreadId};
use std::collections::{BinaryHeap, HashMap, HashSet};

/// No list that must be read whole to be sorted is longer.
const MOST_SORTED: usize = 1_000_000;
/// Messages of a conversation that are looked at for its keywords.
const MOST_OF_A_THREAD: usize = 1_000;

pub(super) struct Scan<'a> {
    snapshot: &'a Snapshot,
    account: AccountId,
    query: &'a EmailQuery,
    /// The flags of conversations that were asked for: those that all of its messages have, and those that some have.
    threads: HashMap<ThreadId, (u64, u64)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, account: AccountId, query: &'a EmailQuery) -> Self {
        Self { snapshot, account, query, threads: HashMap::new() }
    }

    /// The length of a list that the mailbox's own counters tell.
    pub(super) fn counted(&self) -> Result<Option<u64>> {
        let mailbox = match conditions(&self.query.filter) {
            [EmailFilter::InMailbox(mailbox)] => *mailbox,
            _ => return Ok(None),
        };
        let Some(row) = found(mailboxes::mailbox(self.snapshot, self.account, mailbox))? else {
            return Ok(Some(0));
        };
        Ok(Some(if self.query.collapse_threads { row.threads } else { row.total }))
    }

    /// How many messages of the list are needed, and whether it ends there. `None`: all.
    fn needed(&self) -> Option<usize> {
        match self.query.window {
            Window::Position(at) => usize::try_from(at).ok().map(|at| at.saturating_add(self.query.limit)),
            Window::Anchor(..) => None,
        }
    }

    /// The list as far as it is needed, and whether that is all of it.
    pub(super) fn list(&mut self, is_whole: bool) -> Result<(Vec<EmailHit>, bool)> {
        let direction = match self.query.sort.as_slice() {
            [] => Some(false),
            [EmailSort { key: SortKey::ReceivedAt, ascending }, ..] => Some(*ascending),
            _ => None,
        };
        let searched = conditions(&self.query.filter).iter().find_map(|c| match c {
            EmailFilter::OneOf(ids) => Some(ids.clone()),
            _ => None,
        });
        let mut list = List { hits: Vec::new(), seen: self.query.collapse_threads.then(HashSet::new) };
        if let (Some(ascending), None) = (direction, &searched) {
            let is_done = self.stream(ascending, if is_whole { None } else { self.needed() }, &mut list)?;
            return Ok((list.hits, is_done));
        }
        let mut all = Vec::new();
        let mut keep = |scan: &mut Self, found: Candidate| -> Result<bool> {
            if scan.holds(&scan.query.filter, &found)? {
                all.push(found);
            }
            if all.len() > MOST_SORTED { Err(RefusalKind::TooMany.into()) } else { Ok(true) }
        };
        match searched {
            Some(ids) => self.each_of(&ids, &mut keep)?,
            None => self.each(false, Depth::Whole, &mut keep)?,
        }
        self.sort(&mut all)?;
        for found in &all {
            list.push(found);
        }
        Ok((list.hits, true))
    }

    /// Messages in the order of the index, until there are as many as needed. Returns whether it came to the end.
    fn stream(&mut self, ascending: bool, needed: Option<usize>, list: &mut List) -> Result<bool> {
        let mut is_done = true;
        let until = match self.query.window {
            Window::Anchor(anchor, offset) if !self.query.wants_total => Some((anchor, offset)),
            _ => None,
        };
        let mut needed = needed;
        let depth = self.depth();
        self.each(ascending, depth, &mut |scan, found| {
            if !scan.holds(&scan.query.filter, &found)? {
                return Ok(true);
            }
            list.push(&found);
            if let Some((_, offset)) = until.filter(|(anchor, _)| *anchor == found.email) {
                let after = usize::try_from(offset).unwrap_or(0).saturating_add(scan.query.limit);
                needed = Some(list.hits.len().saturating_add(after));
            }
            is_done = needed.is_none_or(|needed| list.hits.len() < needed);
            Ok(is_done)
        })?;
        Ok(is_done)
    }

    /// Visits the messages of the mailboxes that the filter allows, by their dates.
    fn each(
        &mut self,
        ascending: bool,
        depth: Depth,
        visit: &mut impl FnMut(&mut Self, Candidate) -> Result<bool>,
    ) -> Result<()> {
        let mut heads = BinaryHeap::new();
        let mut cursors = Vec::new();
        for mailbox in self.scope()? {
            let mut cursor = Cursor::new(mailbox, ascending);
            if let Some(head) = cursor.next(self.snapshot, self.account, depth)? {
                heads.push(Head { found: head, cursor: cursors.len(), ascending });
                cursors.push(cursor);
            }
        }
        while let Some(Head { found, cursor, .. }) = heads.pop() {
            let reading = cursors.get_mut(cursor);
            let next = reading.map(|c| c.next(self.snapshot, self.account, depth)).transpose()?.flatten();
            heads.extend(next.map(|found| Head { found, cursor, ascending }));
            if !visit(self, found)? {
                break;
            }
        }
        Ok(())
    }

    fn each_of(
        &mut self,
        ids: &HashSet<EmailId>,
        visit: &mut impl FnMut(&mut Self, Candidate) -> Result<bool>,
    ) -> Result<()> {
        for id in ids {
            let found =
                self.snapshot.query_opt(cursor::ONE, &params![self.account.get(), id.get()], |r| {
                    cursor::candidate(r, MailboxId::new(r.i64(9)?), Depth::Whole)
                })?;
            if let Some(found) = found {
                visit(self, found)?;
            }
        }
        Ok(())
    }

    /// The mailboxes that messages of the list may lie in.
    fn scope(&self) -> Result<Vec<MailboxId>> {
        let wanted = conditions(&self.query.filter).iter().find_map(|c| match c {
            EmailFilter::InMailbox(mailbox) => Some(*mailbox),
            _ => None,
        });
        if let Some(mailbox) = wanted {
            let row = found(mailboxes::mailbox(self.snapshot, self.account, mailbox))?;
            return Ok(row.map(|row| row.id).into_iter().collect());
        }
        let all = mailboxes::mailboxes(self.snapshot, self.account)?;
        Ok(all.into_iter().filter(|m| m.total > 0).map(|m| m.id).collect())
    }

    fn depth(&self) -> Depth {
        let sorts = self.query.sort.iter().map(|sort| match sort.key {
            SortKey::ReceivedAt => Depth::Listed,
            SortKey::HasKeyword(_) => Depth::Flags,
            _ => Depth::Whole,
        });
        sorts.fold(depth_of(&self.query.filter), Depth::max)
    }

    fn holds(&mut self, filter: &EmailFilter, found: &Candidate) -> Result<bool> {
        Ok(match filter {
            EmailFilter::And(all) => {
                for one in all {
                    if !self.holds(one, found)? {
                        return Ok(false);
                    }
                }
                true
            }
            EmailFilter::Or(any) => self.any_holds(any, found)?,
            EmailFilter::Not(none) => !self.any_holds(none, found)?,
            EmailFilter::InMailbox(mailbox) => found.mailbox == *mailbox,
            EmailFilter::InMailboxOtherThan(mailboxes) => !mailboxes.contains(&found.mailbox),
            EmailFilter::Before(limit) => found.received_at < *limit,
            EmailFilter::After(limit) => found.received_at >= *limit,
            EmailFilter::MinSize(limit) => found.size >= *limit,
            EmailFilter::MaxSize(limit) => found.size < *limit,
            EmailFilter::HasKeyword(bits) => has(found.flags.0, *bits),
            EmailFilter::AllInThreadHave(bits) => has(self.thread(found.thread)?.0, *bits),
            EmailFilter::SomeInThreadHave(bits) => has(self.thread(found.thread)?.1, *bits),
            EmailFilter::HasAttachment(wanted) => found.has_attachment == *wanted,
            EmailFilter::OneOf(ids) => ids.contains(&found.email),
        })
    }

    fn any_holds(&mut self, any: &[EmailFilter], found: &Candidate) -> Result<bool> {
        for one in any {
            if self.holds(one, found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The flags that all messages of a conversation have, and those that some have.
    fn thread(&mut self, thread: ThreadId) -> Result<(u64, u64)> {
        if let Some(known) = self.threads.get(&thread) {
            return Ok(*known);
        }
        let (mut all, mut some) = (u64::MAX, 0);
        self.snapshot.each(
            "SELECT p.flags FROM email e
             JOIN placement p ON p.account_id = e.account_id AND p.mailbox_id = e.mailbox_id AND p.uid = e.uid
             WHERE e.account_id = ?1 AND e.thread_id = ?2 LIMIT ?3",
            &params![self.account.get(), thread.get(), MOST_OF_A_THREAD],
            |r| {
                let flags = r.u64(0)?;
                all &= flags;
                some |= flags;
                Ok(true)
            },
        )?;
        self.threads.insert(thread, (all, some));
        Ok((all, some))
    }

    fn sort(&mut self, all: &mut [Candidate]) -> Result<()> {
        let sort = if self.query.sort.is_empty() {
            vec![EmailSort { key: SortKey::ReceivedAt, ascending: false }]
        } else {
            self.query.sort.clone()
        };
        let by_thread =
            |key: SortKey| matches!(key, SortKey::AllInThreadHave(_) | SortKey::SomeInThreadHave(_));
        if sort.iter().any(|s| by_thread(s.key)) {
            for found in all.iter() {
                self.thread(found.thread)?;
            }
        }
        order::sort(all, &sort, &self.threads);
        Ok(())
    }
}

/// The list as it grows.
struct List {
    hits: Vec<EmailHit>,
    /// Conversations that are in it, when each is told once.
    seen: Option<HashSet<ThreadId>>,
}

impl List {
    fn push(&mut self, found: &Candidate) {
        if self.seen.as_mut().is_none_or(|seen| seen.insert(found.thread)) {
            self.hits.push(EmailHit { email: found.email, thread: found.thread });
        }
    }
}

/// What must all hold.
fn conditions(filter: &EmailFilter) -> &[EmailFilter] {
    match filter {
        EmailFilter::And(all) => all,
        one => std::slice::from_ref(one),
    }
}

fn depth_of(filter: &EmailFilter) -> Depth {
    match filter {
        EmailFilter::And(all) | EmailFilter::Or(all) | EmailFilter::Not(all) => {
            all.iter().map(depth_of).fold(Depth::Listed, Depth::max)
        }
        EmailFilter::HasKeyword(_) => Depth::Flags,
        EmailFilter::MinSize(_) | EmailFilter::MaxSize(_) => Depth::Whole,
        _ => Depth::Listed,
    }
}

pub(super) const fn has(flags: u64, bits: FlagSet) -> bool {
    bits.0 != 0 && flags & bits.0 == bits.0
}

/// A mailbox that is not there has no messages.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.refusal().is_some_and(|r| r.kind == RefusalKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
