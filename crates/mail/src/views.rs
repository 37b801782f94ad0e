//! The views in use, shared by the process and brought forward once a change, whatever the number of watchers.

use crate::{Entry, FlagSet, View, flags, mailboxes};
use congvu_storage::{Db, Snapshot, params};
use congvu_types::{AccountId, MailboxId, Result, Uid};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};
use tokio::sync::Mutex as AsyncMutex;

/// How many views are kept; sessions that use one hold it besides.
const KEPT: usize = 512;
/// More changes than this at once, and the view is loaded anew.
const MOST_CHANGES: usize = 20_000;

type Slot = Arc<AsyncMutex<Option<Arc<View>>>>;

/// The process's views. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Views {
    db: Db,
    slots: Arc<Mutex<LruCache<(AccountId, MailboxId), Slot>>>,
}

impl Views {
    /// Makes an empty cache over a database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, slots: Arc::new(Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(KEPT - 1)))) }
    }

    /// Returns the newest view of a mailbox. Many callers at once cost one query.
    pub async fn current(&self, account: AccountId, mailbox: MailboxId) -> Result<Arc<View>> {
        let slot = self.slots.lock().get_or_insert((account, mailbox), Slot::default).clone();
        let mut held = slot.lock().await;
        let known = held.clone();
        let view = match known {
            Some(known) => self.db.read_quick(move |s| bring_forward(s, &known)).await?,
            None => None,
        };
        let view = match view {
            Some(view) => view,
            None => Arc::new(self.db.read(move |s| load(s, account, mailbox)).await?),
        };
        *held = Some(view.clone());
        Ok(view)
    }
}

/// Loads a mailbox whole.
fn load(snapshot: &Snapshot, account: AccountId, mailbox: MailboxId) -> Result<View> {
    let row = mailboxes::mailbox(snapshot, account, mailbox)?;
    let mut view = View::empty(account, mailbox, row.uidvalidity);
    snapshot.each(
        "SELECT uid, flags, modseq FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY uid",
        &params![account.get(), mailbox.get()],
        |r| {
            view.upsert(entry(r)?);
            Ok(true)
        },
    )?;
    finish(snapshot, &mut view, &row)?;
    Ok(view)
}

fn entry(r: &congvu_storage::Row<'_>) -> Result<Entry> {
    Ok(Entry { uid: Uid(r.u32(0)?), flags: FlagSet(r.u64(1)?), modseq: r.u64(2)? })
}

fn finish(snapshot: &Snapshot, view: &mut View, row: &mailboxes::MailboxRow) -> Result<()> {
    view.uidnext = row.uidnext;
    view.modseq = row.highest_modseq;
    view.unseen = row.unseen;
    let keywords = flags::keywords(snapshot, view.account)?;
    if *view.keywords != keywords {
        view.keywords = Arc::new(keywords);
    }
    view.recount();
    Ok(())
}

/// Applies what changed since; `None` when a fresh load is better.
fn bring_forward(snapshot: &Snapshot, known: &Arc<View>) -> Result<Option<Arc<View>>> {
    let row = mailboxes::mailbox(snapshot, known.account, known.mailbox)?;
    if row.highest_modseq == known.modseq && row.uidvalidity == known.uidvalidity {
        return Ok(Some(known.clone()));
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
    changed.sort_by_key(|e| e.uid);
    for entry in changed {
        view.upsert(entry);
    }
    for uid in gone {
        view.remove(uid);
    }
    if view.is_worn() {
        return Ok(None);
    }
    finish(snapshot, &mut view, &row)?;
    Ok(Some(Arc::new(view)))
}
