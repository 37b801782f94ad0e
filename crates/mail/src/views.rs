//! The views in use, shared by the process and brought forward once a change, whatever the number of watchers.
//!
//! A view that a session holds is found again for as long as it is held; the newest of others are kept within a budget of
//! bytes. So neither many mailboxes in use nor a few huge ones make a command read a mailbox whole.

use crate::{Entry, FlagSet, View, flags, mailboxes, state};
use congvu_storage::{Db, Snapshot, params};
use congvu_types::{AccountId, MailboxId, ModSeq, Result, Uid};
use lru::LruCache;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex as AsyncMutex;

/// Bytes of views that are kept although nobody may hold them: some five million messages.
const KEPT_BYTES: usize = 128 * 1024 * 1024;
/// More changes than this at once, and the view is read anew.
const MOST_CHANGES: usize = 20_000;
/// Messages read in one go.
const PAGE: usize = 65_536;

type Key = (AccountId, MailboxId);

/// What is known of one mailbox.
#[derive(Debug, Default)]
struct Slot {
    newest: AsyncMutex<Newest>,
    /// How many refreshes have begun.
    begun: AtomicU64,
}

#[derive(Debug, Default)]
struct Newest {
    view: Weak<View>,
    /// The account's modseq when it was true.
    as_of: u64,
    /// Which refresh made it.
    refresh: u64,
}

#[derive(Debug)]
struct Kept {
    slots: HashMap<Key, Arc<Slot>>,
    /// So many slots, and those that nobody needs are thrown away.
    prune_at: usize,
    views: LruCache<Key, Arc<View>>,
    bytes: usize,
}

/// The process's views. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Views {
    db: Db,
    kept: Arc<Mutex<Kept>>,
}

impl Views {
    /// Makes an empty cache over a database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let kept = Kept { slots: HashMap::new(), prune_at: 1_024, views: LruCache::unbounded(), bytes: 0 };
        Self { db, kept: Arc::new(Mutex::new(kept)) }
    }

    /// Returns the newest view of a mailbox, made from `held`, a view that the caller has, when nobody has a newer one.
    /// Callers that wait for the same look at the database share it.
    pub async fn current(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        held: Option<&Arc<View>>,
    ) -> Result<Arc<View>> {
        self.refresh((account, mailbox), held, None).await
    }

    /// Like [`Views::current`] for whoever was told by the change feed that the account changed: a view that is as new as
    /// that costs no look at the database, so the watchers of a mailbox cost one look together.
    pub async fn since(&self, held: &Arc<View>, told: ModSeq) -> Result<Arc<View>> {
        self.refresh((held.account, held.mailbox), Some(held), Some(told)).await
    }

    async fn refresh(&self, key: Key, held: Option<&Arc<View>>, told: Option<ModSeq>) -> Result<Arc<View>> {
        let slot = self.kept.lock().slot(key);
        let arrived = slot.begun.load(Ordering::Acquire);
        let mut newest = slot.newest.lock().await;
        let alive = newest.view.upgrade();
        if let Some(known) = alive.clone() {
            let is_told = told.is_some_and(|told| newest.as_of >= told.0);
            // A look that began after this caller came saw whatever it wants to see.
            if is_told || newest.refresh > arrived {
                return Ok(known);
            }
        }
        // What the caller holds may not be the last of its line: others may hold what was made from it before.
        let parts = alive.is_none();
        let known = alive.or_else(|| held.cloned());
        let refresh = slot.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let brought = match known.clone() {
            Some(known) => self.db.read_quick(move |s| bring_forward(s, &known, parts)).await?,
            None => None,
        };
        let (view, as_of) = match brought {
            Some(brought) => brought,
            None => self.db.read(move |s| load(s, key, known.as_deref(), parts)).await?,
        };
        *newest = Newest { view: Arc::downgrade(&view), as_of, refresh };
        drop(newest);
        self.kept.lock().keep(key, &view);
        Ok(view)
    }
}

impl Kept {
    fn slot(&mut self, key: Key) -> Arc<Slot> {
        if self.slots.len() >= self.prune_at {
            let views = &self.views;
            self.slots
                .retain(|key, slot| Arc::strong_count(slot) > 1 || views.contains(key) || slot.is_held());
            self.prune_at = 1_024.max(self.slots.len() * 2);
        }
        self.slots.entry(key).or_default().clone()
    }

    /// Keeps a view; those not asked for the longest go when there is no room.
    fn keep(&mut self, key: Key, view: &Arc<View>) {
        self.bytes += view.bytes();
        if let Some((_, old)) = self.views.push(key, view.clone()) {
            self.bytes = self.bytes.saturating_sub(old.bytes());
        }
        while self.bytes > KEPT_BYTES {
            let Some((_, old)) = self.views.pop_lru() else { break };
            self.bytes = self.bytes.saturating_sub(old.bytes());
        }
    }
}

impl Slot {
    /// Whether some session holds the newest view.
    fn is_held(&self) -> bool {
        self.newest.try_lock().is_ok_and(|newest| newest.view.strong_count() > 0)
    }
}

/// Reads a mailbox whole; what is still true of `known` is shared with it, and its line unless the view `parts` from it.
fn load(
    snapshot: &Snapshot,
    (account, mailbox): Key,
    known: Option<&View>,
    parts: bool,
) -> Result<(Arc<View>, u64)> {
    let row = mailboxes::mailbox(snapshot, account, mailbox)?;
    let mut view = View::empty(account, mailbox, row.uidvalidity);
    let mut after = 0;
    loop {
        let mut read = 0;
        snapshot.each(
            "SELECT uid, flags, modseq FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid > ?3
             ORDER BY uid LIMIT ?4",
            &params![account.get(), mailbox.get(), after, PAGE],
            |r| {
                let entry = entry(r)?;
                after = entry.uid.0;
                read += 1;
                view.upsert(entry);
                Ok(true)
            },
        )?;
        if read < PAGE {
            break;
        }
    }
    if let Some(known) = known {
        view.recount();
        view.succeed(known);
        if parts {
            view.part();
        }
    }
    let as_of = finish(snapshot, &mut view, &row)?;
    Ok((Arc::new(view), as_of))
}

fn entry(r: &congvu_storage::Row<'_>) -> Result<Entry> {
    Ok(Entry { uid: Uid(r.u32(0)?), flags: FlagSet(r.u64(1)?), modseq: r.u64(2)? })
}

/// Fills in what stands beside the messages; returns the account's modseq.
fn finish(snapshot: &Snapshot, view: &mut View, row: &mailboxes::MailboxRow) -> Result<u64> {
    view.uidnext = row.uidnext;
    view.modseq = row.highest_modseq;
    view.unseen = row.unseen;
    let keywords = flags::keywords(snapshot, view.account)?;
    if *view.keywords != keywords {
        view.keywords = Arc::new(keywords);
    }
    view.recount();
    Ok(state::state(snapshot, view.account)?.0)
}

/// Applies what changed since, in a line of its own if it `parts`; `None` when reading it anew is better.
fn bring_forward(snapshot: &Snapshot, known: &Arc<View>, parts: bool) -> Result<Option<(Arc<View>, u64)>> {
    let row = mailboxes::mailbox(snapshot, known.account, known.mailbox)?;
    if row.highest_modseq == known.modseq && row.uidvalidity == known.uidvalidity {
        return Ok(Some((known.clone(), state::state(snapshot, known.account)?.0)));
    }
    // Tombstones of that time were cut.
    if known.modseq < row.min_modseq {
        return Ok(None);
    }
    let since = params![known.account.get(), known.mailbox.get(), known.modseq, MOST_CHANGES];
    let gone = snapshot.query(
        "SELECT uid FROM expunged WHERE account_id = ?1 AND mailbox_id = ?2 AND modseq > ?3 LIMIT ?4",
        &since,
        |r| Ok(Uid(r.u32(0)?)),
    )?;
    let mut changed = snapshot.query(
        "SELECT uid, flags, modseq FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND modseq > ?3
         ORDER BY modseq, uid LIMIT ?4",
        &since,
        entry,
    )?;
    if gone.len() >= MOST_CHANGES || changed.len() >= MOST_CHANGES || row.uidvalidity != known.uidvalidity {
        return Ok(None);
    }
    let mut view = View::clone(known);
    if parts {
        view.part();
    }
    changed.sort_by_key(|e| e.uid);
    for entry in changed {
        view.upsert(entry);
    }
    for uid in gone {
        view.remove(uid);
    }
    let as_of = finish(snapshot, &mut view, &row)?;
    Ok(Some((Arc::new(view), as_of)))
}
