//! Delivery to more accounts than one transaction should lock: a durable job, worked off 64 accounts at a time.
//!
//! An account is struck from the job by the transaction that delivers to it, so that a job cut off anywhere goes on where
//! it was. Neither a job nor an account that cannot be dealt with keeps the others waiting.

use crate::{
    Site,
    dsn::{self, Fate, Original, Outcome},
    local::{self, AT_ONCE, Local},
    queue::{GIVE_UP_AFTER, TOPIC, codec, retry_after},
    submission::{self, Note},
};
use congvu_casework::review::{Envelope, Notify};
use congvu_mail::{PreparedMessage, Role};
use congvu_storage::{Actor, BlobHash, Db, Row, Snapshot, Tx, params};
use congvu_types::{AccountId, Flags, JobId, ModSeq, Result, SubmissionId, Timestamp};
use std::collections::BTreeMap;

/// A job: one message for many accounts.
#[derive(Debug, Clone)]
struct Job {
    id: JobId,
    key: String,
    folder: Role,
    original: Original,
    attempts: u32,
    /// The submission that it came from.
    submission: Option<(AccountId, SubmissionId)>,
}

/// A job was put off so often, and a report of success that cannot be sent holds its message back no more.
const REPORT_TRIES: u32 = 3;

fn folder_name(folder: Role) -> &'static str {
    if folder == Role::Junk { "junk" } else { "inbox" }
}

/// Stores a job. The blob and the job are on disk when the transaction is.
pub(crate) fn create(
    tx: &mut Tx,
    local: &Local<'_>,
    envelope: &Envelope,
    accounts: &BTreeMap<AccountId, Vec<usize>>,
    submission: Option<(AccountId, SubmissionId)>,
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
        "INSERT INTO fanout_job (id, key, folder, mail_from, ret, envid, blob_hash, version, created_at, attempts, next_at,
            answer, sender_id, submission_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, 0, ?8, '', ?9, ?10)",
        &params![
            id,
            local.key,
            folder_name(local.folder),
            codec::path(envelope.mail_from.as_ref()),
            codec::ret(envelope.ret),
            envelope.envid.clone(),
            local.message.blob.hash().as_bytes(),
            now,
            submission.map(|(account, _)| account.get()),
            submission.map(|(_, id)| id.get())
        ],
    )?;
    for (account, places) in accounts {
        let Some(recipient) = places.first().and_then(|p| envelope.recipients.get(*p)) else { continue };
        tx.execute(
            "INSERT INTO fanout_recipient (job_id, account_id, address, notify, orcpt, is_apart)
             VALUES (?1, ?2, ?3, ?4, ?5, 0)",
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

/// Returns the job that has been due longest.
fn due(snapshot: &Snapshot) -> Result<Option<JobId>> {
    let now = snapshot.now();
    snapshot.query_opt(
        "SELECT id FROM fanout_job WHERE next_at <= ?1 ORDER BY next_at, id LIMIT 1",
        &params![now],
        |r| Ok(JobId::new(r.i64(0)?)),
    )
}

/// Reads a job and its message; `None` when another node has done it meanwhile.
fn open(snapshot: &Snapshot, id: JobId) -> Result<Option<(Job, PreparedMessage)>> {
    let Some(job) = read(snapshot, id)? else { return Ok(None) };
    let message = congvu_mail::prepare_stored(snapshot, &job.original.blob)?;
    Ok(Some((job, message)))
}

fn read(snapshot: &Snapshot, id: JobId) -> Result<Option<Job>> {
    snapshot.query_opt(
        "SELECT id, key, folder, mail_from, ret, envid, blob_hash, created_at, attempts, sender_id,
            submission_id FROM fanout_job WHERE id = ?1",
        &params![id.get()],
        job,
    )
}

fn job(r: &Row<'_>) -> Result<Job> {
    // Without a readable sender the message arrives all the same; nobody is told of who had no room.
    let mail_from = codec::read_path(&r.text(3)?).unwrap_or_else(|error| {
        tracing::error!(%error, "a job's sender cannot be read");
        None
    });
    Ok(Job {
        id: JobId::new(r.i64(0)?),
        key: r.text(1)?,
        folder: if r.text(2)? == "junk" { Role::Junk } else { Role::Inbox },
        original: Original {
            mail_from,
            ret: codec::read_ret(&r.text(4)?),
            envid: r.opt_text(5)?,
            blob: BlobHash::from_slice(&r.bytes(6)?)?,
            arrived_at: Timestamp(r.i64(7)?),
        },
        attempts: r.u32(8)?,
        submission: (r.opt_i64(9)?.map(AccountId::new)).zip(r.opt_i64(10)?.map(SubmissionId::new)),
    })
}

/// An account that a job is for.
struct Addressee {
    account: AccountId,
    address: String,
    asked: (Notify, Option<String>),
}

fn addressee(r: &Row<'_>) -> Result<Addressee> {
    let asked = (codec::read_notify(r.i64(2)?), r.opt_text(3)?);
    Ok(Addressee { account: AccountId::new(r.i64(0)?), address: r.text(1)?, asked })
}

/// The next accounts of a job: up to 64 in ascending order, or one of them.
fn addressees(snapshot: &Snapshot, job: JobId, one: Option<AccountId>) -> Result<Vec<Addressee>> {
    match one {
        None => snapshot.query(
            "SELECT account_id, address, notify, orcpt FROM fanout_recipient WHERE job_id = ?1 AND is_apart = 0
             ORDER BY account_id LIMIT ?2",
            &params![job.get(), AT_ONCE],
            addressee,
        ),
        Some(account) => snapshot.query(
            "SELECT account_id, address, notify, orcpt FROM fanout_recipient WHERE job_id = ?1 AND account_id = ?2",
            &params![job.get(), account.get()],
            addressee,
        ),
    }
}

/// To whom of a job's accounts is delivered, and whether the sender is told that it was, if they asked.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// `None`: to the next 64.
    one: Option<AccountId>,
    tells_success: bool,
}

/// Delivers a job to some accounts; who had no room is reported to the sender. Returns to how many.
fn deliver(tx: &mut Tx, site: &Site, job: &Job, message: &PreparedMessage, turn: Turn) -> Result<usize> {
    // Two nodes on one job take turns here.
    tx.execute("UPDATE fanout_job SET version = version + 1 WHERE id = ?1", &params![job.id.get()])?;
    let batch = addressees(tx, job.id, turn.one)?;
    let (count, local) = (
        batch.len(),
        Local {
            key: &job.key,
            folder: job.folder,
            message,
            flags: Flags::NONE,
            mail_from: job.original.mail_from.as_ref(),
        },
    );
    let (mut outcomes, mut notes) = (Vec::new(), Vec::new());
    for Addressee { account, address, asked } in batch {
        let outcome = local::deliver(tx, account, &local)?;
        strike(tx, job.id, account)?;
        let is_wanted = outcome.is_err() || asked.0.success && turn.tells_success;
        let outcome = match outcome {
            Ok(()) => Outcome::of_text(address, asked, Fate::Delivered, "2.1.5"),
            // RFC 3463 §3.3: 5.2.2, mailbox full.
            Err(_) => Outcome::of_text(address, asked, Fate::Failed, "5.2.2"),
        };
        notes.push(outcome.note());
        if is_wanted {
            outcomes.push(outcome);
        }
    }
    dsn::send_each(tx, site, &job.original, &outcomes)?;
    tell_submission(tx, job, &notes)?;
    Ok(count)
}

fn tell_submission(tx: &mut Tx, job: &Job, notes: &[Note]) -> Result<()> {
    match job.submission {
        Some(submission) => submission::note(tx, submission, notes),
        None => Ok(()),
    }
}

fn strike(tx: &mut Tx, job: JobId, account: AccountId) -> Result<()> {
    tx.execute(
        "DELETE FROM fanout_recipient WHERE job_id = ?1 AND account_id = ?2",
        &params![job.get(), account.get()],
    )?;
    Ok(())
}

/// Ends a job, or puts it off while accounts are left that cannot be delivered to now. After five days their sender is
/// told, as of a server that does not answer.
fn conclude(tx: &mut Tx, site: &Site, job: &Job) -> Result<()> {
    tx.execute("UPDATE fanout_job SET version = version + 1 WHERE id = ?1", &params![job.id.get()])?;
    if is_expired(tx, job) {
        let apart = apart(tx, job.id)?;
        give_up(tx, site, job, apart)?;
    }
    end_or_put_off(tx, job.id, "some accounts cannot be delivered to")
}

/// Puts off a job that cannot be worked off at all, as when its message is lost. After five days it ends: whoever is left is
/// reported.
fn step_aside(tx: &mut Tx, site: &Site, id: JobId, why: &str) -> Result<()> {
    tx.execute("UPDATE fanout_job SET version = version + 1 WHERE id = ?1", &params![id.get()])?;
    let Some(job) = read(tx, id)? else { return Ok(()) };
    if is_expired(tx, &job) {
        let left = left(tx, id)?;
        give_up(tx, site, &job, left)?;
    }
    end_or_put_off(tx, id, why)
}

fn is_expired(tx: &Tx, job: &Job) -> bool {
    tx.now().since(job.original.arrived_at) >= GIVE_UP_AFTER
}

fn give_up(tx: &mut Tx, site: &Site, job: &Job, addressees: Vec<Addressee>) -> Result<()> {
    let mut outcomes = Vec::new();
    for Addressee { account, address, asked } in addressees {
        strike(tx, job.id, account)?;
        // RFC 3463 §3.5: 4.4.7, delivery time expired.
        outcomes.push(Outcome::of_text(address, asked, Fate::Failed, "4.4.7"));
    }
    dsn::send_each(tx, site, &job.original, &outcomes)?;
    let notes: Vec<Note> = outcomes.iter().map(Outcome::note).collect();
    tell_submission(tx, job, &notes)
}

fn end_or_put_off(tx: &mut Tx, id: JobId, why: &str) -> Result<()> {
    let sql = "SELECT 1 FROM fanout_recipient WHERE job_id = ?1 LIMIT 1";
    match tx.query_opt(sql, &params![id.get()], |_| Ok(()))? {
        Some(()) => put_off(tx, id, why),
        None => {
            tx.execute("DELETE FROM fanout_job WHERE id = ?1", &params![id.get()])?;
            Ok(())
        }
    }
}

/// Lets the other jobs pass: this one is due again later.
fn put_off(tx: &mut Tx, job: JobId, why: &str) -> Result<()> {
    let tried = tx.query_opt(
        "UPDATE fanout_job SET attempts = attempts + 1, answer = ?2 WHERE id = ?1 RETURNING attempts",
        &params![job.get(), why],
        |r| r.u32(0),
    )?;
    let Some(tries) = tried else { return Ok(()) };
    let next_at = tx.now().after(retry_after(tries, job.get().unsigned_abs()));
    tx.execute("UPDATE fanout_job SET next_at = ?2 WHERE id = ?1", &params![job.get(), next_at])?;
    Ok(())
}

/// Accounts that were set apart, as many as are tried at a time.
fn apart(snapshot: &Snapshot, job: JobId) -> Result<Vec<Addressee>> {
    snapshot.query(
        "SELECT account_id, address, notify, orcpt FROM fanout_recipient WHERE job_id = ?1 AND is_apart = 1
         ORDER BY account_id LIMIT 10000",
        &params![job.get()],
        addressee,
    )
}

/// Accounts that have not got it, as many as one report names.
fn left(snapshot: &Snapshot, job: JobId) -> Result<Vec<Addressee>> {
    snapshot.query(
        "SELECT account_id, address, notify, orcpt FROM fanout_recipient WHERE job_id = ?1
         ORDER BY account_id LIMIT 10000",
        &params![job.get()],
        addressee,
    )
}

/// Works off the job that has been due longest, if there is one; returns whether there was. A job that cannot be worked
/// off steps aside, so that it never keeps the others waiting.
pub async fn step(db: &Db, site: &Site) -> Result<bool> {
    let Some(id) = db.read_quick(due).await? else { return Ok(false) };
    if let Err(error) = work_off(db, site, id).await {
        tracing::error!(%error, job = %id, "a job of many deliveries is put off");
        let (site, why) = (site.clone(), error.to_string());
        let reason = why.clone();
        if let Err(error) = db.write(ACTOR, move |tx| step_aside(tx, &site, id, &reason)).await {
            // The report to the sender may be what fails.
            tracing::error!(%error, job = %id, "giving up a job of many deliveries");
            db.write(ACTOR, move |tx| put_off(tx, id, &why)).await?;
        }
    }
    Ok(true)
}

const ACTOR: Actor = Actor::System("fanout");

async fn work_off(db: &Db, site: &Site, id: JobId) -> Result<()> {
    let Some((job, message)) = db.read(move |s| open(s, id)).await? else { return Ok(()) };
    let turn = |turn| {
        let (site, job, message) = (site.clone(), job.clone(), message.clone());
        db.write(ACTOR, move |tx| deliver(tx, &site, &job, &message, turn))
    };
    let one = |account| turn(Turn { one: account, tells_success: true });
    loop {
        match one(None).await {
            Ok(count) if count < AT_ONCE => break,
            Ok(_) => {}
            // One of them cannot be delivered to: it is found out which, and the others go on.
            Err(error) => {
                tracing::warn!(%error, job = %id, "delivering one by one");
                for Addressee { account, .. } in db.read(move |s| addressees(s, id, None)).await? {
                    if let Err(error) = one(Some(account)).await {
                        tracing::error!(%error, job = %id, account = account.get(), "delivering");
                        db.write(ACTOR, move |tx| set_apart(tx, id, account)).await?;
                    }
                }
            }
        }
    }
    for Addressee { account, .. } in db.read(move |s| apart(s, id)).await? {
        if let Err(error) = one(Some(account)).await {
            tracing::error!(%error, job = %id, account = account.get(), "delivering once more");
            if job.attempts >= REPORT_TRIES
                && turn(Turn { one: Some(account), tells_success: false }).await.is_ok()
            {
                tracing::error!(job = %id, account = account.get(), "delivered without the report of it");
            }
        }
    }
    let site = site.clone();
    db.write(ACTOR, move |tx| conclude(tx, &site, &job)).await
}

fn set_apart(tx: &mut Tx, job: JobId, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE fanout_recipient SET is_apart = 1 WHERE job_id = ?1 AND account_id = ?2",
        &params![job.get(), account.get()],
    )?;
    Ok(())
}

/// A job that is under way or was put off, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The id.
    pub id: JobId,
    /// From whom; empty when null.
    pub mail_from: String,
    /// To how many accounts it has yet to be delivered.
    pub left: u64,
    /// When it was stored.
    pub created_at: Timestamp,
    /// How often it was put off.
    pub attempts: u32,
    /// When it is due.
    pub next_at: Timestamp,
    /// Why it was put off.
    pub answer: String,
}

/// Returns up to `limit` jobs, oldest first.
pub fn list(snapshot: &Snapshot, limit: usize) -> Result<Vec<JobRow>> {
    snapshot.query(
        "SELECT id, mail_from, (SELECT CAST(COUNT(*) AS BIGINT) FROM fanout_recipient WHERE job_id = fanout_job.id), created_at,
            attempts, next_at, answer
         FROM fanout_job ORDER BY id LIMIT ?1",
        &params![limit],
        |r| {
            Ok(JobRow {
                id: JobId::new(r.i64(0)?),
                mail_from: r.text(1)?,
                left: r.u64(2)?,
                created_at: Timestamp(r.i64(3)?),
                attempts: r.u32(4)?,
                next_at: Timestamp(r.i64(5)?),
                answer: r.text(6)?,
            })
        },
    )
}
