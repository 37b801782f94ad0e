//! Removes blobs that nothing names any more. There are no counters: the rows themselves are asked.

use crate::{Actor, Db, Tx, db::SharedBlobs, params, postgres::on_thread};
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

const BATCH: usize = 200;

pub(crate) async fn collect(
    db: &Db,
    store: SharedBlobs,
    references: &'static [BlobReference],
    grace_seconds: u64,
) -> Result<Collected> {
    let mut total = Collected::default();
    let before =
        Timestamp(db.clock().now().millis() - i64::try_from(grace_seconds).unwrap_or(i64::MAX / 2000) * 1000);
    let mut after = Vec::new();
    loop {
        let from = after.clone();
        let step =
            db.write_bulk(Actor::System("collector"), move |tx| batch(tx, references, before, &from)).await?;
        total.examined += step.examined;
        total.removed += step.removed;
        match step.last {
            Some(last) => after = last,
            None => break,
        }
    }
    total.swept_files = sweep_files(db, store, grace_seconds).await?;
    Ok(total)
}

struct Step {
    examined: u64,
    removed: u64,
    last: Option<Vec<u8>>,
}

fn batch(tx: &mut Tx, references: &[BlobReference], before: Timestamp, after: &[u8]) -> Result<Step> {
    let rows = tx.query(
        "SELECT hash FROM blob WHERE hash > ?1 AND created_at < ?2 ORDER BY hash LIMIT ?3",
        &params![after, before, BATCH],
        |r| r.bytes(0),
    )?;
    let mut step = Step { examined: rows.len() as u64, removed: 0, last: None };
    if rows.len() == BATCH {
        step.last = rows.last().cloned();
    }
    for hash in rows {
        let mut named = false;
        for reference in references {
            named = named || tx.query_opt(reference.0, &params![&hash], |_| Ok(()))?.is_some();
        }
        if !named {
            tx.execute("DELETE FROM blob WHERE hash = ?1", &params![&hash])?;
            step.removed += 1;
        }
    }
    Ok(step)
}

/// Removes files that no row names: their row was removed above, or their transaction never came.
async fn sweep_files(db: &Db, store: SharedBlobs, grace_seconds: u64) -> Result<u64> {
    let listing = store.clone();
    let old = on_thread(move || listing.older_than(grace_seconds)).await?;
    let mut swept = 0;
    for hash in old {
        let named = db
            .read_quick(move |s| {
                s.query_opt("SELECT 1 FROM blob WHERE hash = ?1", &params![hash.as_bytes()], |_| Ok(()))
            })
            .await?;
        if named.is_none() {
            let removing = store.clone();
            swept += u64::from(on_thread(move || removing.remove_older(hash, grace_seconds)).await?);
        }
    }
    Ok(swept)
}
