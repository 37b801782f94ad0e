//! Delivery to more accounts than one transaction should lock: a durable job, worked off 64 accounts at a time.
//!
//! Idempotent by the delivery key, so that a job cut off anywhere goes on where it was.

use crate::{
    Site,
    dsn::{self, Fate, Original, Outcome},
    local::{self, AT_ONCE, Local},
    queue::{TOPIC, codec},
};
use congvu_casework::review::{Envelope, EnvelopeRecipient};
use congvu_mail::{PreparedMessage, Role};
use congvu_storage::{Actor, BlobHash, Db, Row, Snapshot, Tx, params};
use congvu_types::{AccountId, Error, Flags, JobId, ModSeq, Result, Timestamp};
use std::collections::BTreeMap;

/// A job: one message for many accounts.
#[derive(Debug, Clone)]
pub struct Job {
    /// The id.
    pub id: JobId,
    key: String,
    folder: Role,
    original: Original,
}

fn folder_name(folder: Role) -> &'static str {
    if folder == Role::Junk { "junk" } else { "inbox" }
}

/// Stores a job. The blob and the job are on disk when the transaction is.
pub(crate) fn create(
    tx: &mut Tx,
    local: &Local<'_>,
    envelope: &Envelope,
    accounts: &BTreeMap<AccountId, Vec<usize>>,
) -> Result<()> {
    // The same arrival once more is the same job.
    let before =
        tx.query_opt("SELECT id FROM fanout_job WHERE key = ?1 LIMIT 1", &params![local.key], |r| r.i64(0))?;
    if before.is_some() {
        return Ok(());
    }
    tx.put_blob(&local.message.blob)?;
    let (id, now) = (tx.new_id(), tx.now());
    tx.changed(TOPIC, ModSeq(id.unsigned_abs()));
    tx.execute(
        "INSERT INTO fanout_job (id, key, folder, mail_from, ret, envid, blob_hash, version, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)",
        &params![
            id,
            local.key,
            folder_name(local.folder),
            codec::path(envelope.mail_from.as_ref()),
            codec::ret(envelope.ret),
            envelope.envid.clone(),
            local.message.blob.hash().as_bytes(),
            now
        ],
    )?;
    for (account, places) in accounts {
        let Some(recipient) = places.first().and_then(|p| envelope.recipients.get(*p)) else { continue };
        tx.execute(
            "INSERT INTO fanout_recipient (job_id, account_id, address, notify, orcpt) VALUES (?1, ?2, ?3, ?4, ?5)",
            &params![
                id,
                account.get(),
                recipient.address.to_string(),
                codec::notify(recipient.notify),
                recipient.orcpt.clone()
            ],
        )?;
    }
    Ok(())
}

/// Returns the oldest job and its message.
pub fn next(snapshot: &Snapshot) -> Result<Option<(Job, PreparedMessage)>> {
    let job = snapshot.query_opt(
        "SELECT id, key, folder, mail_from, ret, envid, blob_hash, created_at FROM fanout_job ORDER BY id LIMIT 1",
        &[],
        job,
    )?;
    let Some(job) = job else { return Ok(None) };
    let message = congvu_mail::prepare_stored(snapshot, &job.original.blob)?;
    Ok(Some((job, message)))
}

fn job(r: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: JobId::new(r.i64(0)?),
        key: r.text(1)?,
        folder: if r.text(2)? == "junk" { Role::Junk } else { Role::Inbox },
        original: Original {
            mail_from: codec::read_path(&r.text(3)?)?,
            ret: codec::read_ret(&r.text(4)?),
            envid: r.opt_text(5)?,
            blob: BlobHash::from_slice(&r.bytes(6)?)?,
            arrived_at: Timestamp(r.i64(7)?),
        },
    })
}

/// Delivers a job to its next 64 accounts; who had no room is reported to the sender. Returns whether the job is done.
pub fn deliver(tx: &mut Tx, site: &Site, job: &Job, message: &PreparedMessage) -> Result<bool> {
    // Two nodes on one job take turns here.
    tx.execute("UPDATE fanout_job SET version = version + 1 WHERE id = ?1", &params![job.id.get()])?;
    let batch = tx.query(
        "SELECT account_id, address, notify, orcpt FROM fanout_recipient WHERE job_id = ?1 ORDER BY account_id LIMIT ?2",
        &params![job.id.get(), AT_ONCE],
        |r| {
            let address = r.text(1)?.parse().map_err(|e| Error::fault("reading a job", e))?;
            let notify = codec::read_notify(r.i64(2)?);
            Ok((AccountId::new(r.i64(0)?), EnvelopeRecipient { address, notify, orcpt: r.opt_text(3)? }))
        },
    )?;
    let local = Local { key: &job.key, folder: job.folder, message, flags: Flags::NONE };
    let mut outcomes = Vec::new();
    for (account, recipient) in &batch {
        let outcome = local::deliver(tx, *account, &local)?;
        tx.execute(
            "DELETE FROM fanout_recipient WHERE job_id = ?1 AND account_id = ?2",
            &params![job.id.get(), account.get()],
        )?;
        match outcome {
            Ok(()) if recipient.notify.success => {
                outcomes.push(Outcome::new(recipient, Fate::Delivered, "2.1.5"));
            }
            Ok(()) => {}
            // RFC 3463 §3.3: 5.2.2, mailbox full.
            Err(_) => outcomes.push(Outcome::new(recipient, Fate::Failed, "5.2.2")),
        }
    }
    dsn::send_each(tx, site, &job.original, &outcomes)?;
    let is_done = batch.len() < AT_ONCE;
    if is_done {
        tx.execute("DELETE FROM fanout_job WHERE id = ?1", &params![job.id.get()])?;
    }
    Ok(is_done)
}

/// Works off one job, if there is one; returns whether there was.
pub async fn step(db: &Db, site: &Site) -> Result<bool> {
    let Some((job, message)) = db.read(next).await? else { return Ok(false) };
    loop {
        let (site, job, message) = (site.clone(), job.clone(), message.clone());
        if db.write(Actor::System("fanout"), move |tx| deliver(tx, &site, &job, &message)).await? {
            return Ok(true);
        }
    }
}
