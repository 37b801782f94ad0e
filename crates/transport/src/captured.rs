//! The demo's outbox: mail for other domains, kept and shown, never sent.

use crate::{dkim, queue::codec};
use congvu_casework::review::Cleared;
use congvu_storage::{BlobHash, Snapshot, Tx, params};
use congvu_types::{Error, QueueId, RefusalKind, Result, Timestamp};

/// A captured message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The id.
    pub id: QueueId,
    /// The reverse-path, empty when null.
    pub mail_from: String,
    /// To whom it would have gone.
    pub recipients: Vec<String>,
    /// The subject.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// Its size.
    pub size_bytes: u64,
}

/// Keeps a message.
pub(crate) fn capture(tx: &mut Tx, cleared: &Cleared, places: &[usize]) -> Result<()> {
    let recipients: Vec<String> =
        places.iter().map(|p| cleared.envelope().recipients[*p].address.to_string()).collect();
    let recipients = serde_json::to_string(&recipients).map_err(|e| Error::fault("writing JSON", e))?;
    tx.put_blob(&cleared.message().blob)?;
    let (id, now) = (tx.new_id(), tx.now());
    tx.execute(
        "INSERT INTO captured (id, mail_from, recipients, subject, blob_hash, size, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            id,
            codec::path(cleared.mail_from()),
            recipients,
            &cleared.message().summary.subject,
            cleared.blob().as_bytes(),
            cleared.message().size(),
            now
        ],
    )?;
    Ok(())
}

/// Returns up to `limit` captured messages, newest first.
pub fn captured(snapshot: &Snapshot, limit: usize) -> Result<Vec<Captured>> {
    snapshot.query(
        "SELECT id, mail_from, recipients, subject, at, size FROM captured ORDER BY id DESC LIMIT ?1",
        &params![limit],
        |r| {
            Ok(Captured {
                id: QueueId::new(r.i64(0)?),
                mail_from: r.text(1)?,
                recipients: serde_json::from_str(&r.text(2)?).map_err(|e| Error::fault("reading JSON", e))?,
                subject: r.text(3)?,
                at: Timestamp(r.i64(4)?),
                size_bytes: r.u64(5)?,
            })
        },
    )
}

/// Returns a captured message as it would have gone over the wire, signature included.
pub fn captured_message(snapshot: &Snapshot, id: QueueId) -> Result<Vec<u8>> {
    let hash =
        snapshot.query_opt("SELECT blob_hash FROM captured WHERE id = ?1", &params![id.get()], |r| {
            BlobHash::from_slice(&r.bytes(0)?)
        })?;
    dkim::sign(snapshot, snapshot.blob(&hash.ok_or(RefusalKind::NotFound)?)?)
}
