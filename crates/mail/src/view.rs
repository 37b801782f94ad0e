//! A selected mailbox as a compact immutable view: 24 bytes a message, in chunks shared by every session that watches.
//!
//! A change makes a new view over the old chunks but for those it touches, so its cost is that of the change and of a
//! list of chunks (one for each 4,096 messages), whatever the number of watchers. A view that is read from the database
//! anew takes over the chunks of the one before that are still true, so even then two views compare by place.

use crate::FlagSet;
use congvu_types::{AccountId, MailboxId, Uid};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

const CHUNK: usize = 4096;
static LINES: AtomicU64 = AtomicU64::new(0);

/// One message of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The UID.
    pub uid: Uid,
    /// Flags and keywords.
    pub flags: FlagSet,
    /// The modseq of its last change.
    pub modseq: u64,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    entries: Vec<Entry>,
    /// The highest UID that ever stood here: a UID belongs to the first chunk whose bound is not below it.
    bound: u32,
}

/// A mailbox at one modseq.
#[derive(Debug, Clone)]
pub struct View {
    /// The account.
    pub account: AccountId,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// UIDVALIDITY.
    pub uidvalidity: u32,
    /// The UID that the next message gets.
    pub uidnext: u32,
    /// The modseq of the mailbox's last change.
    pub modseq: u64,
    /// Messages without `\Seen`.
    pub unseen: u64,
    /// The account's keywords in the order of their bits.
    pub keywords: Arc<Vec<String>>,
    /// Chunks keep their place and, but for the last, their bound for the life of a line of views, so two views compare by
    /// place. A chunk may become empty.
    chunks: Vec<Arc<Chunk>>,
    /// How many messages stand before each chunk.
    before: Vec<u32>,
    total: u32,
    /// Which load from the database this view descends from.
    line: u64,
}

/// The difference between two views of one mailbox, the older one's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Sequence numbers in the older view of messages that are gone, ascending.
    pub expunged: Vec<u32>,
    /// UIDs of those.
    pub expunged_uids: Vec<Uid>,
    /// Messages of both whose flags changed.
    pub changed: Vec<Entry>,
    /// Whether messages came.
    pub has_new: bool,
}

impl View {
    /// Makes the view of an empty mailbox.
    #[must_use]
    pub(crate) fn empty(account: AccountId, mailbox: MailboxId, uidvalidity: u32) -> Self {
        Self {
            account,
            mailbox,
            uidvalidity,
            uidnext: 1,
            modseq: 0,
            unseen: 0,
            keywords: Arc::default(),
            chunks: Vec::new(),
            before: Vec::new(),
            total: 0,
            line: LINES.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Returns how many messages there are.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.total
    }

    /// Returns whether there is no message.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Returns the message with this sequence number, from 1.
    #[must_use]
    pub fn by_seq(&self, seq: u32) -> Option<&Entry> {
        let index = seq.checked_sub(1)?;
        let chunk = self.before.partition_point(|before| *before <= index).checked_sub(1)?;
        self.chunks.get(chunk)?.entries.get((index - self.before[chunk]) as usize)
    }

    /// Returns the sequence number and the message of a UID.
    #[must_use]
    pub fn by_uid(&self, uid: Uid) -> Option<(u32, &Entry)> {
        let place = self.place_of(uid);
        let entries = &self.chunks.get(place)?.entries;
        let at = entries.binary_search_by_key(&uid, |e| e.uid).ok()?;
        Some((self.before.get(place)? + u32::try_from(at).ok()? + 1, entries.get(at)?))
    }

    /// Iterates over messages with sequence numbers from `first` to `last`.
    pub fn range(&self, first: u32, last: u32) -> impl Iterator<Item = (u32, &Entry)> {
        let start = self.before.partition_point(|before| *before < first).saturating_sub(1);
        self.chunks[start.min(self.chunks.len())..]
            .iter()
            .zip(&self.before[start.min(self.before.len())..])
            .take_while(move |(_, before)| **before < last)
            .flat_map(|(chunk, before)| (*before + 1..).zip(&chunk.entries))
            .skip_while(move |(seq, _)| *seq < first)
            .take_while(move |(seq, _)| *seq <= last)
    }

    /// Iterates over messages with UIDs from `first` to `last`.
    pub fn uid_range(&self, first: Uid, last: Uid) -> impl Iterator<Item = (u32, &Entry)> {
        let start = self.seq_at_or_after(first);
        self.range(start, self.total).take_while(move |(_, entry)| entry.uid <= last)
    }

    /// Returns the sequence numbers of the first and last message with a UID from `first` to `last`; `None` when there is
    /// none.
    #[must_use]
    pub fn seq_range(&self, first: Uid, last: Uid) -> Option<(u32, u32)> {
        let from = self.seq_at_or_after(first);
        let until = last.0.checked_add(1).map_or(self.total + 1, |after| self.seq_at_or_after(Uid(after)));
        (from < until).then(|| (from, until - 1))
    }

    /// The sequence number of the first message with a UID of at least `uid`; one past the end when there is none.
    fn seq_at_or_after(&self, uid: Uid) -> u32 {
        let place = self.place_of(uid);
        match (self.chunks.get(place), self.before.get(place)) {
            (Some(found), Some(before)) => {
                let at = found.entries.partition_point(|e| e.uid < uid);
                before + u32::try_from(at).unwrap_or(0) + 1
            }
            _ => self.total + 1,
        }
    }

    /// The place of the chunk that a UID belongs to; past the end when it is higher than any so far.
    fn place_of(&self, uid: Uid) -> usize {
        self.chunks.partition_point(|chunk| chunk.bound < uid.0)
    }

    /// Returns what changed from `old` to this view. Chunks that both share cost one comparison.
    #[must_use]
    pub fn changes_since(&self, old: &Self) -> Changes {
        let mut changes = Changes { has_new: self.last_uid() > old.last_uid(), ..Changes::default() };
        if self.line != old.line {
            compare(old.entries(), self.entries(), 0, &mut changes);
            return changes;
        }
        for (place, (then, before)) in old.chunks.iter().zip(&old.before).enumerate() {
            match self.chunks.get(place) {
                Some(now) if Arc::ptr_eq(now, then) => {}
                Some(now) => compare(&then.entries, &now.entries, *before, &mut changes),
                None => compare(&then.entries, [], *before, &mut changes),
            }
        }
        changes
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries)
    }

    /// Begins a line of its own. Within a line each view is made from the one before: two made from the same one may cut what
    /// came into chunks differently, and compared by place they would miss messages that are there.
    pub(crate) fn part(&mut self) {
        self.line = LINES.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns this view with the messages put back that `changes` from `old` took away: what a client sees that may not
    /// hear of removals yet (RFC 9051 §7.5.1). Its numbers are those of `old`, and what came stands behind them.
    #[must_use]
    pub fn withholding(&self, old: &Self, changes: &Changes) -> Self {
        let mut view = self.clone();
        for entry in changes.expunged.iter().filter_map(|seq| old.by_seq(*seq)) {
            view.upsert(*entry);
        }
        view.recount();
        view
    }

    /// Puts in a new or changed message.
    pub(crate) fn upsert(&mut self, entry: Entry) {
        let place = self.place_of(entry.uid);
        if let Some(chunk) = self.chunks.get_mut(place) {
            let entries = &mut Arc::make_mut(chunk).entries;
            match entries.binary_search_by_key(&entry.uid, |e| e.uid) {
                Ok(at) => entries[at] = entry,
                Err(at) => entries.insert(at, entry),
            }
            return;
        }
        match self.chunks.last_mut() {
            Some(chunk) if chunk.entries.len() < CHUNK => {
                let chunk = Arc::make_mut(chunk);
                chunk.entries.push(entry);
                chunk.bound = entry.uid.0;
            }
            _ => self.chunks.push(Arc::new(Chunk { entries: vec![entry], bound: entry.uid.0 })),
        }
    }

    /// Takes a message out.
    pub(crate) fn remove(&mut self, uid: Uid) {
        let place = self.place_of(uid);
        let Some(chunk) = self.chunks.get_mut(place) else { return };
        if let Ok(at) = chunk.entries.binary_search_by_key(&uid, |e| e.uid) {
            Arc::make_mut(chunk).entries.remove(at);
        }
    }

    /// Counts again after a run of changes.
    pub(crate) fn recount(&mut self) {
        self.before.clear();
        self.total = 0;
        for chunk in &self.chunks {
            self.before.push(self.total);
            self.total += u32::try_from(chunk.entries.len()).unwrap_or(0);
        }
    }

    /// Takes the place of `known` in its line: the same bounds, and the very chunks that are still true. Both were read from
    /// the database whole. A line whose chunks have become nearly empty ends instead.
    pub(crate) fn succeed(&mut self, known: &Self) {
        if known.uidvalidity != self.uidvalidity || known.is_worn() {
            return;
        }
        let mut entries = self.chunks.iter().flat_map(|c| c.entries.iter().copied()).peekable();
        let mut chunks: Vec<Arc<Chunk>> = Vec::with_capacity(known.chunks.len());
        for chunk in &known.chunks {
            let mut now = Vec::with_capacity(chunk.entries.len());
            while let Some(entry) = entries.next_if(|e| e.uid.0 <= chunk.bound) {
                now.push(entry);
            }
            let is_true = now == chunk.entries;
            chunks.push(if is_true {
                chunk.clone()
            } else {
                Arc::new(Chunk { entries: now, bound: chunk.bound })
            });
        }
        let newer: Vec<Entry> = entries.collect();
        self.chunks = chunks;
        self.line = known.line;
        for entry in newer {
            self.upsert(entry);
        }
    }

    /// Whether most chunks hold next to nothing.
    fn is_worn(&self) -> bool {
        self.chunks.len() > 16 + 4 * self.total as usize / CHUNK
    }

    /// About how much memory the view takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.total as usize * size_of::<Entry>() + self.chunks.len() * 80 + size_of::<Self>()
    }

    fn last_uid(&self) -> Option<Uid> {
        self.chunks.iter().rev().find_map(|c| c.entries.last()).map(|e| e.uid)
    }
}

fn compare<'e>(
    old: impl IntoIterator<Item = &'e Entry>,
    now: impl IntoIterator<Item = &'e Entry>,
    before: u32,
    changes: &mut Changes,
) {
    let mut rest = now.into_iter().peekable();
    for (seq, entry) in (before + 1..).zip(old) {
        while rest.peek().is_some_and(|e| e.uid < entry.uid) {
            rest.next();
        }
        match rest.peek() {
            Some(same) if same.uid == entry.uid => {
                if **same != *entry {
                    changes.changed.push(**same);
                }
                rest.next();
            }
            _ => {
                changes.expunged.push(seq);
                changes.expunged_uids.push(entry.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(uids: impl IntoIterator<Item = u32>) -> View {
        let mut view = View::empty(AccountId::new(1), MailboxId::new(1), 1);
        for uid in uids {
            view.upsert(Entry { uid: Uid(uid), flags: FlagSet(0), modseq: 1 });
        }
        view.recount();
        view
    }

    #[test]
    fn numbers_and_uids_lead_to_each_other() {
        let mut view = view((1..=10_000).map(|n| n * 2));
        view.remove(Uid(4));
        view.recount();
        assert_eq!(view.len(), 9_999);
        assert_eq!(view.by_seq(2).map(|e| e.uid), Some(Uid(6)));
        assert_eq!(view.by_uid(Uid(6)).map(|(seq, _)| seq), Some(2));
        assert_eq!(view.by_uid(Uid(20_000)).map(|(seq, _)| seq), Some(9_999));
        assert!(view.by_uid(Uid(7)).is_none() && view.by_seq(0).is_none() && view.by_seq(10_000).is_none());
        assert_eq!(
            view.range(4_095, 4_098).map(|(_, e)| e.uid.0).collect::<Vec<_>>(),
            [8192, 8194, 8196, 8198]
        );
        assert_eq!(
            view.uid_range(Uid(7), Uid(11)).map(|(s, e)| (s, e.uid.0)).collect::<Vec<_>>(),
            [(3, 8), (4, 10)]
        );
        assert_eq!(view.uid_range(Uid(19_999), Uid(u32::MAX)).count(), 1);
        assert_eq!(view.uid_range(Uid(20_001), Uid(u32::MAX)).count(), 0);
        assert_eq!(view.seq_range(Uid(3), Uid(10)), Some((2, 4)));
        assert_eq!(view.seq_range(Uid(7), Uid(7)), None);
        assert_eq!(view.seq_range(Uid(20_000), Uid(u32::MAX)), Some((9_999, 9_999)));
    }

    #[test]
    fn the_difference_is_what_was_done() {
        let old = view(1..=9_000);
        let mut new = old.clone();
        new.remove(Uid(5));
        new.remove(Uid(8_500));
        new.upsert(Entry { uid: Uid(7), flags: FlagSet(1), modseq: 2 });
        new.upsert(Entry { uid: Uid(9_001), flags: FlagSet(0), modseq: 2 });
        new.recount();
        let changes = new.changes_since(&old);
        assert_eq!(changes.expunged, [5, 8_500]);
        assert_eq!(changes.changed.iter().map(|e| e.uid.0).collect::<Vec<_>>(), [7]);
        assert!(changes.has_new);
        assert_eq!(new.changes_since(&new.clone()), Changes::default());
    }

    #[test]
    fn an_emptied_chunk_keeps_its_place() {
        let old = view(1..=12_000);
        let mut new = old.clone();
        (1..=8_192).for_each(|uid| new.remove(Uid(uid)));
        new.recount();
        assert_eq!(new.line, old.line);
        assert_eq!(new.len(), 3_808);
        assert_eq!(new.by_seq(1).map(|e| e.uid), Some(Uid(8_193)));
        assert_eq!(new.by_uid(Uid(8_193)).map(|(seq, _)| seq), Some(1));
        assert_eq!(new.seq_range(Uid(1), Uid(8_192)), None);
        assert_eq!(
            new.range(1, 2).map(|(seq, e)| (seq, e.uid.0)).collect::<Vec<_>>(),
            [(1, 8_193), (2, 8_194)]
        );
        let changes = new.changes_since(&old);
        assert_eq!((changes.expunged.len(), changes.has_new), (8_192, false));
        (8_193..=12_000).for_each(|uid| new.remove(Uid(uid)));
        new.recount();
        assert!(new.is_empty() && new.by_seq(1).is_none() && new.range(1, 5).next().is_none());
    }

    #[test]
    fn a_fresh_load_takes_over_what_is_still_true() {
        let known = view(1..=12_000);
        let mut fresh = view((1..=12_002).filter(|uid| *uid != 5_000));
        fresh.succeed(&known);
        fresh.recount();
        assert_eq!(fresh.line, known.line);
        assert!(Arc::ptr_eq(&fresh.chunks[0], &known.chunks[0]));
        let changes = fresh.changes_since(&known);
        assert_eq!((changes.expunged, changes.changed.len(), changes.has_new), (vec![5_000], 0, true));
        assert_eq!(fresh.by_uid(Uid(12_002)).map(|(seq, _)| seq), Some(12_001));
        assert_eq!(fresh.len(), 12_001);
    }

    #[test]
    fn what_two_views_made_of_the_same_one_both_have_is_not_taken_for_gone() {
        let shared = view(1..=4_095);
        let came = |view: &mut View, uids: &[u32]| {
            uids.iter().for_each(|uid| view.upsert(Entry { uid: Uid(*uid), flags: FlagSet(0), modseq: 2 }));
            view.recount();
        };
        let (mut one, mut other) = (shared.clone(), shared.clone());
        // 4,097 stands in the second chunk of the one and in the first of the other.
        came(&mut one, &[4_096, 4_097]);
        came(&mut other, &[4_097]);
        other.part();
        let changes = other.changes_since(&one);
        assert_eq!((changes.expunged, changes.changed.len(), changes.has_new), (vec![4_096], 0, false));
        assert_eq!(one.changes_since(&other).expunged, [0_u32; 0]);
    }

    #[test]
    fn removals_can_be_withheld() {
        let old = view(1..=9_000);
        let mut new = old.clone();
        for uid in [1, 4_096, 4_097, 8_999, 9_000] {
            new.remove(Uid(uid));
        }
        new.upsert(Entry { uid: Uid(7), flags: FlagSet(1), modseq: 2 });
        new.upsert(Entry { uid: Uid(9_001), flags: FlagSet(0), modseq: 2 });
        new.recount();
        let shown = new.withholding(&old, &new.changes_since(&old));
        assert_eq!(shown.len(), 9_001);
        assert!((1..=9_001).all(|n| shown.by_seq(n).is_some_and(|e| e.uid.0 == n)));
        assert_eq!(shown.by_uid(Uid(7)).map(|(_, e)| e.flags), Some(FlagSet(1)));
        // From there the removals are told later, whatever came in between.
        new.remove(Uid(2));
        new.recount();
        assert_eq!(new.changes_since(&shown).expunged, [1, 2, 4_096, 4_097, 8_999, 9_000]);
        assert!(!new.changes_since(&shown).has_new && new.changes_since(&shown).changed.is_empty());
    }
}
