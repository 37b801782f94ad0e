//! What an operator sees and does: `congvu queue`.

use super::{TOPIC, claim, codec, report};
use crate::{
    Site,
    dsn::{self, Fate, Original, Outcome},
    submission::Note,
};
use congvu_storage::{BlobHash, Chain, Event, Row, Snapshot, Tx, params};
use congvu_types::{Error, ModSeq, QueueId, RefusalKind, Result, Timestamp};

/// One recipient in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// The group: what is retried and cancelled together.
    pub group: QueueId,
    /// The entry.
    pub id: QueueId,
    /// To whom.
    pub address: String,
    /// From whom; empty when null.
    pub mail_from: String,
    /// The subject.
    pub subject: String,
    /// Bytes.
    pub size_bytes: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it is due.
    pub next_at: Timestamp,
    /// Whether it is set aside, since it cannot be read: `answer` says why. It is tried again only when told to.
    pub is_set_aside: bool,
    /// Whether a worker holds it now.
    pub is_leased: bool,
    /// The last status code; empty before the first attempt.
    pub status: String,
    /// What the remote server said last.
    pub answer: String,
}

/// Returns up to `limit` recipients after the group `after`, oldest first.
pub fn list(snapshot: &Snapshot, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueRow>> {
    let now = snapshot.now();
    snapshot.query(
        "SELECT g.id, r.id, r.address, COALESCE(m.mail_from, ''), COALESCE(m.subject, ''), COALESCE(m.size, 0), g.attempts,
            COALESCE(m.queued_at, 0), g.next_at, g.lease_until, r.status, r.answer
         FROM queue_group g LEFT JOIN queue_message m ON m.id = g.message_id
            JOIN queue_recipient r ON r.group_id = g.id
         WHERE g.id > ?1 ORDER BY g.id, r.id LIMIT ?2",
        &params![after.map_or(0, QueueId::get), limit],
        |r| {
            Ok(QueueRow {
                group: QueueId::new(r.i64(0)?),
                id: QueueId::new(r.i64(1)?),
                address: r.text(2)?,
                mail_from: r.text(3)?,
                subject: r.text(4)?,
                size_bytes: r.u64(5)?,
                attempts: r.u32(6)?,
                queued_at: Timestamp(r.i64(7)?),
                next_at: Timestamp(r.i64(8)?),
                is_set_aside: r.i64(8)? >= claim::NEVER.millis(),
                is_leased: r.i64(9)? > now.millis(),
                status: r.text(10)?,
                answer: r.text(11)?,
            })
        },
    )
}

/// Returns how many recipients wait in all, for the figures.
pub fn waiting_count(snapshot: &Snapshot) -> Result<u64> {
    snapshot.query_one("SELECT COUNT(*) FROM queue_recipient", &[], |r| r.u64(0))
}

/// Makes a group, or a job of many deliveries here, due now. A group in a worker's hands is left there.
pub fn retry_now(tx: &mut Tx, group: QueueId) -> Result<()> {
    let now = tx.now();
    let due = params![group.get(), now];
    let changed = tx.execute("UPDATE queue_group SET next_at = ?2 WHERE id = ?1", &due)?
        + tx.execute("UPDATE fanout_job SET next_at = ?2 WHERE id = ?1", &due)?;
    if changed != 1 {
        return Err(RefusalKind::NotFound.into());
    }
    tx.changed(TOPIC, ModSeq(group.get().unsigned_abs()));
    let details = serde_json::json!({});
    let event = Event { name: "queue.retried", subject: group.to_string(), citation: None, details };
    tx.record(Chain::System, &event)
}

/// Takes a group out of the queue; the sender is told, so that nothing is lost silently.
pub fn cancel(tx: &mut Tx, site: &Site, group: QueueId) -> Result<()> {
    let now = tx.now();
    let free = tx.query_opt(
        "UPDATE queue_group SET fence = fence + 1 WHERE id = ?1 AND lease_until <= ?2 RETURNING message_id",
        &params![group.get(), now],
        |r| r.i64(0),
    )?;
    let Some(message) = free else {
        let exists =
            tx.query_opt("SELECT id FROM queue_group WHERE id = ?1", &params![group.get()], |r| r.i64(0))?;
        return Err(if exists.is_some() { RefusalKind::Busy } else { RefusalKind::NotFound }.into());
    };
    let original = original(tx, message)?;
    let outcomes: Vec<Outcome> = claim::recipients(tx, group.get())?
        .into_iter()
        .map(|r| Outcome::of_text(r.address, (r.notify, r.orcpt), Fate::Failed, "5.0.0"))
        .collect();
    tx.execute("DELETE FROM queue_recipient WHERE group_id = ?1", &params![group.get()])?;
    tx.execute("DELETE FROM queue_group WHERE id = ?1", &params![group.get()])?;
    match original {
        Ok(original) => dsn::send_each(tx, site, &original, &outcomes)?,
        Err(error) => tracing::error!(%error, %group, "cancelled without a report: the rows cannot be read"),
    }
    tx.record(
        Chain::System,
        &Event {
            name: "queue.cancelled",
            subject: group.to_string(),
            citation: None,
            details: serde_json::json!({ "recipients": outcomes.len() }),
        },
    )?;
    let notes: Vec<Note> = outcomes.iter().map(Outcome::note).collect();
    report::tell_submission(tx, message, &notes)?;
    report::forget_message(tx, message)
}

/// The outer error is the database's; the inner one is that the row makes no sense.
fn original(snapshot: &Snapshot, message: i64) -> Result<Result<Original>> {
    let found = snapshot.query_opt(
        "SELECT mail_from, ret, envid, blob_hash, queued_at FROM queue_message WHERE id = ?1",
        &params![message],
        |r| Ok(read_original(r)),
    )?;
    Ok(found.unwrap_or_else(|| Err(Error::fault("reading the queue", "the message is not there"))))
}

fn read_original(r: &Row<'_>) -> Result<Original> {
    Ok(Original {
        mail_from: codec::read_path(&r.text(0)?)?,
        ret: codec::read_ret(&r.text(1)?),
        envid: r.opt_text(2)?,
        blob: BlobHash::from_slice(&r.bytes(3)?)?,
        arrived_at: Timestamp(r.i64(4)?),
    })
}
