//! Removes blobs that nothing names any more. There are no counters: the rows themselves are asked.
//!
//! Looking is a reader's work, in pages that walk two indexes in the same order; the writer is asked only about what was
//! found. Whoever names a blob touches its row in the same transaction ([`Tx::put_blob`], [`Tx::keep_blob`]), and the
//! removal asks for an old row once more when it holds it: so one of the two sees the other (docs/adr/0010).

use crate::{Actor, BlobHash, Db, Snapshot, Tx, db::SharedBlobs, params, postgres::on_thread};
use congvu_types::{Result, Timestamp};

/// A query that tells whether a row names a blob: `SELECT 1 FROM email WHERE blob_hash = ?1 LIMIT 1`.
/// The crate that owns the table exports it.
#[derive(Debug, Clone, Copy)]
pub struct BlobReference(pub &'static str);

/// What a collection did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Rows looked at.
    pub examined: u64,
    /// Blobs removed.
    pub removed: u64,
    /// Files without a row removed.
    pub swept_files: u64,
}

/// Rows looked at in one read.
const PAGE: usize = 500;
/// Blobs removed in one transaction.
const AT_ONCE: usize = 50;

pub(crate) async fn collect(
    db: &Db,
    store: SharedBlobs,
    references: &'static [BlobReference],
    grace_seconds: u64,
) -> Result<Collected> {
    let mut total = Collected::default();
    let grace = i64::try_from(grace_seconds).unwrap_or(i64::MAX / 2000) * 1000;
    let before = Timestamp(db.clock().now().millis() - grace);
    let mut after = Some(Vec::new());
    while let Some(from) = after.take() {
        let page = db.read(move |s| look(s, references, before, &from)).await?;
        total.examined += page.examined;
        after = page.last;
        for some in page.unnamed.chunks(AT_ONCE).map(<[_]>::to_vec) {
            total.removed += db
                .write_bulk(Actor::System("collector"), move |tx| remove(tx, references, before, &some))
                .await?;
        }
    }
    set_files_aside(db, &store, grace_seconds).await?;
    total.swept_files = empty_trash(db, &store, grace_seconds).await?;
    Ok(total)
}

struct Page {
    examined: u64,
    /// Old blobs that no row names.
    unnamed: Vec<Vec<u8>>,
    /// Where the next page begins.
    last: Option<Vec<u8>>,
}

/// Reads names alone: neither the bytes nor the rows that hold them.
const NAMES: &str = "SELECT hash FROM blob WHERE hash > ?1 ORDER BY hash LIMIT ?2";

fn look(snapshot: &Snapshot, references: &[BlobReference], before: Timestamp, after: &[u8]) -> Result<Page> {
    let names = snapshot.query(NAMES, &params![after, PAGE], |r| r.bytes(0))?;
    let last = if names.len() == PAGE { names.last().cloned() } else { None };
    let mut page = Page { examined: names.len() as u64, unnamed: Vec::new(), last };
    for hash in names {
        let is_old = "SELECT 1 FROM blob WHERE hash = ?1 AND created_at < ?2";
        if !is_named(snapshot, references, &hash)?
            && snapshot.query_opt(is_old, &params![&hash, before], |_| Ok(()))?.is_some()
        {
            page.unnamed.push(hash);
        }
    }
    Ok(page)
}

fn is_named(snapshot: &Snapshot, references: &[BlobReference], hash: &[u8]) -> Result<bool> {
    for reference in references {
        if snapshot.query_opt(reference.0, &params![hash], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn remove(tx: &mut Tx, references: &[BlobReference], before: Timestamp, unnamed: &[Vec<u8>]) -> Result<u64> {
    let mut removed = 0;
    for hash in unnamed {
        if !is_named(tx, references, hash)? {
            // A delivery may hold the row just now: PostgreSQL waits for it and then asks for the age again.
            removed +=
                tx.execute("DELETE FROM blob WHERE hash = ?1 AND created_at < ?2", &params![hash, before])?;
        }
    }
    Ok(removed)
}

async fn has_row(db: &Db, hash: BlobHash) -> Result<bool> {
    let found = db.read_quick(move |s| {
        s.query_opt("SELECT 1 FROM blob WHERE hash = ?1", &params![hash.as_bytes()], |_| Ok(()))
    });
    Ok(found.await?.is_some())
}

/// Sets files aside that no row names: their row was removed above, or their transaction never came.
async fn set_files_aside(db: &Db, store: &SharedBlobs, grace_seconds: u64) -> Result<()> {
    for shelf in 0..=255 {
        let listing = store.clone();
        for hash in on_thread(move || listing.older_than(shelf, grace_seconds)).await? {
            if !has_row(db, hash).await? {
                let store = store.clone();
                on_thread(move || store.set_aside(hash, grace_seconds)).await?;
            }
        }
    }
    Ok(())
}

/// Removes files that were set aside a grace period ago and that no row names now either; returns how many.
async fn empty_trash(db: &Db, store: &SharedBlobs, grace_seconds: u64) -> Result<u64> {
    let mut removed = 0;
    let listing = store.clone();
    for hash in on_thread(move || listing.set_aside_before(grace_seconds)).await? {
        let (store, is_wanted) = (store.clone(), has_row(db, hash).await?);
        on_thread(move || if is_wanted { store.restore(hash) } else { store.remove(hash) }).await?;
        removed += u64::from(!is_wanted);
    }
    Ok(removed)
}
