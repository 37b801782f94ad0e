//! Bytes that were uploaded and that no message holds yet (RFC 8620 §6), and which messages hold a blob.
//!
//! A person sees their own uploads alone. They are kept for a day, so that a draft of this morning can still be finished.

use congvu_directory::{Acting, Right, right};
use congvu_storage::{BlobHash, PreparedBlob, Snapshot, Tx, params};
use congvu_types::{AccountId, EmailId, PersonId, RefusalKind, Result, Timestamp};
use std::time::Duration;

/// Uploads are kept this long, …
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3600);
/// … and never less than this, whatever a person uploads besides (RFC 8620 §6).
const KEPT_AT_LEAST: Duration = Duration::from_secs(3600);
/// Bytes that one person may have uploaded and not used.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Uploads that one person may have.
const MOST_UPLOADS: u64 = 2_000;
/// Messages over one blob that are looked at.
const MOST_HOLDERS: usize = 50;

/// Something that a person uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The name of its bytes.
    pub blob: BlobHash,
    /// Bytes.
    pub size: u64,
}

/// Keeps uploaded bytes for a person who may write in the account or send from it. The oldest of their uploads go when there
/// is no room.
pub fn keep_upload<R: Right>(tx: &mut Tx, acting: &Acting<R>, blob: &PreparedBlob) -> Result<()> {
    if acting.with::<right::Draft>().is_none() && acting.with::<right::Submit>().is_none() {
        return Err(RefusalKind::NoRight.into());
    }
    make_room(tx, acting.person(), blob.len() as u64)?;
    tx.put_blob(blob)?;
    tx.execute(
        "INSERT INTO upload (person_id, account_id, blob_hash, size, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (person_id, account_id, blob_hash) DO UPDATE SET at = excluded.at",
        &params![acting.person().get(), acting.account().get(), blob.hash().as_bytes(), blob.len(), tx.now()],
    )
    .map(drop)
}

fn make_room(tx: &mut Tx, person: PersonId, bytes: u64) -> Result<()> {
    let (now, fresh) = (tx.now(), tx.now().before(KEPT_AT_LEAST));
    tx.execute(
        "DELETE FROM upload WHERE person_id = ?1 AND at < ?2",
        &params![person.get(), now.before(KEPT)],
    )?;
    let held = |tx: &Tx| {
        tx.query_one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upload WHERE person_id = ?1",
            &params![person.get()],
            |r| Ok((r.u64(0)?, r.u64(1)?)),
        )
    };
    let is_full = |(count, held): (u64, u64)| count >= MOST_UPLOADS || held + bytes > MOST_BYTES;
    if !is_full(held(tx)?) {
        return Ok(());
    }
    tx.execute("DELETE FROM upload WHERE person_id = ?1 AND at < ?2", &params![person.get(), fresh])?;
    if is_full(held(tx)?) { Err(RefusalKind::TooMany.into()) } else { Ok(()) }
}

/// Returns what a person uploaded to an account under this name, while it is kept.
pub fn upload<R: Right>(snapshot: &Snapshot, acting: &Acting<R>, blob: &BlobHash) -> Result<Option<Upload>> {
    snapshot.query_opt(
        "SELECT size FROM upload WHERE person_id = ?1 AND account_id = ?2 AND blob_hash = ?3 AND at >= ?4",
        &params![acting.person().get(), acting.account().get(), blob.as_bytes(), snapshot.now().before(KEPT)],
        |r| Ok(Upload { blob: *blob, size: r.u64(0)? }),
    )
}

/// Returns messages of an account over a blob, the oldest first: some of them when there are many.
pub fn holders(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    blob: &BlobHash,
) -> Result<Vec<(EmailId, u64)>> {
    snapshot.query(
        "SELECT e.id, e.size FROM email e WHERE e.blob_hash = ?1 AND e.account_id = ?2
            AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)
         ORDER BY e.id LIMIT ?3",
        &params![blob.as_bytes(), acting.account().get(), MOST_HOLDERS],
        |r| Ok((EmailId::new(r.i64(0)?), r.u64(1)?)),
    )
}

/// Removes uploads that have had their time: some at once; returns how many.
pub(crate) fn remove_outdated_uploads(tx: &mut Tx, before: Timestamp, most: usize) -> Result<u64> {
    let old = tx.query(
        "SELECT person_id, account_id, blob_hash FROM upload WHERE at < ?1 LIMIT ?2",
        &params![before, most],
        |r| Ok((PersonId::new(r.i64(0)?), AccountId::new(r.i64(1)?), r.bytes(2)?)),
    )?;
    let mut removed = 0;
    for (person, account, blob) in old {
        removed += tx.execute(
            "DELETE FROM upload WHERE person_id = ?1 AND account_id = ?2 AND blob_hash = ?3 AND at < ?4",
            &params![person.get(), account.get(), &blob, before],
        )?;
    }
    Ok(removed)
}
