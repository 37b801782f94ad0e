//! What a worker found out, and what follows: done, again later, or a report to the sender.

use super::{
    claim::{Lease, LeasedRecipient, StoredRecipient},
    schedule::{GIVE_UP_AFTER, TELL_DELAY_AFTER, retry_after},
};
use crate::{
    Site,
    dsn::{self, Fate, Original, Outcome},
    submission::{self, Note, Reached},
};
use congvu_storage::{Tx, params};
use congvu_types::{AccountId, QueueId, Result, SubmissionId, Timestamp};
use std::time::Duration;

/// What became of an attempt at one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The remote server took it.
    Delivered {
        /// Whether it will report success itself (it offers DSN, RFC 3461 §5.2.2).
        reports: bool,
    },
    /// It will never work (5yz).
    Failed {
        /// The enhanced status code, such as `5.1.1`.
        status: String,
    },
    /// Perhaps later (4yz, no connection, no DNS).
    Later {
        /// The enhanced status code, such as `4.4.1`.
        status: String,
    },
}

/// An attempt at one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The entry.
    pub recipient: QueueId,
    /// What became of it.
    pub outcome: AttemptOutcome,
    /// The remote server's name; empty when none was reached.
    pub remote: String,
    /// What it said, on one line; or what went wrong.
    pub answer: String,
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// Nothing: the group is done.
    Done,
    /// It is due again then.
    Again(Timestamp),
    /// The lease was not held any more; nothing was changed.
    LeaseLost,
}

/// Takes a worker's report of an attempt. A recipient that it does not mention is tried again. Reports to the sender are
/// sent in the same transaction.
pub fn report(tx: &mut Tx, site: &Site, lease: &Lease, attempts: &[Attempt]) -> Result<Reported> {
    let Some((tries, delay_told)) = count(tx, lease)? else { return Ok(Reported::LeaseLost) };
    let age = tx.now().since(lease.queued_at);
    let mut told = refuse_unreadable(tx, lease)?;
    let mut waiting = Vec::new();
    let mut notes: Vec<Note> = told.iter().map(Outcome::note).collect();
    for recipient in &lease.recipients {
        let attempt = attempts.iter().find(|a| a.recipient == recipient.id);
        match fate(attempt, age >= GIVE_UP_AFTER) {
            Some((fate, status)) => {
                forget(tx, lease, recipient.id)?;
                let outcome = outcome(recipient, fate, status, attempt);
                notes.push(relayed(&outcome));
                if fate != Fate::Delivered {
                    told.push(outcome);
                }
            }
            None => {
                note(tx, lease, attempt)?;
                let outcome = outcome(recipient, Fate::Delayed, status_of(attempt), attempt);
                notes.push(outcome.note());
                waiting.push(outcome);
            }
        }
    }
    let tell_delay = age >= TELL_DELAY_AFTER && !delay_told && !waiting.is_empty();
    let reported = conclude(tx, lease, tries, (waiting.is_empty(), delay_told || tell_delay))?;
    if tell_delay {
        told.append(&mut waiting);
    }
    let original = Original {
        mail_from: lease.mail_from.clone(),
        ret: lease.ret,
        envid: lease.envid.clone(),
        blob: lease.blob,
        arrived_at: lease.queued_at,
    };
    dsn::send_each(tx, site, &original, &told)?;
    tell_submission(tx, lease.message, &notes)?;
    if reported == Reported::Done {
        forget_message(tx, lease.message)?;
    }
    Ok(reported)
}

/// RFC 8621 §7: of what another server took nothing more is known, whether it reports success or not.
fn relayed(outcome: &Outcome) -> Note {
    let mut note = outcome.note();
    if note.reached == Reached::Yes {
        note.reached = Reached::Unknown;
    }
    note
}

/// Tells the submission that a message came from, when it came from one.
pub(super) fn tell_submission(tx: &mut Tx, message: i64, notes: &[Note]) -> Result<()> {
    let from = tx.query_opt(
        "SELECT account_id, submission_id FROM queue_message WHERE id = ?1",
        &params![message],
        |r| Ok((r.opt_i64(0)?.map(AccountId::new)).zip(r.opt_i64(1)?.map(SubmissionId::new))),
    )?;
    match from.flatten() {
        Some(submission) => submission::note(tx, submission, notes),
        None => Ok(()),
    }
}

/// Notes no more than what keeps a message from being sent twice, when [`report()`] fails again and again, as it does when
/// the report to the sender is what fails: who has it is struck off, the others wait for their next turn.
pub fn strike(tx: &mut Tx, lease: &Lease, attempts: &[Attempt]) -> Result<Reported> {
    let Some((tries, delay_told)) = count(tx, lease)? else { return Ok(Reported::LeaseLost) };
    let mut is_done = lease.unreadable.is_empty();
    let mut notes = Vec::new();
    for recipient in &lease.recipients {
        let attempt = attempts.iter().find(|a| a.recipient == recipient.id);
        if matches!(attempt.map(|a| &a.outcome), Some(AttemptOutcome::Delivered { .. })) {
            forget(tx, lease, recipient.id)?;
            notes.push(relayed(&outcome(recipient, Fate::Delivered, "2.0.0", attempt)));
        } else {
            note(tx, lease, attempt)?;
            is_done = false;
        }
    }
    tell_submission(tx, lease.message, &notes)?;
    if is_done {
        let reported = conclude(tx, lease, tries, (true, delay_told))?;
        forget_message(tx, lease.message)?;
        return Ok(reported);
    }
    // When time is up, too, it waits for its turn: due at once it would be claimed, sent and struck without end.
    put_off(tx, lease, tx.now().after(wait_after(lease, tries)), delay_told)
}

/// Counts an attempt and frees the lease, if it is still held: how often it was tried, and whether the delay was told.
fn count(tx: &mut Tx, lease: &Lease) -> Result<Option<(u32, bool)>> {
    tx.query_opt(
        "UPDATE queue_group SET attempts = attempts + 1, lease_until = 0
         WHERE id = ?1 AND fence = ?2 AND lease_owner = ?3 RETURNING attempts, delay_told",
        &params![lease.group.get(), lease.fence, lease.node],
        |r| Ok((r.u32(0)?, r.i64(1)? != 0)),
    )
}

/// What is settled by an attempt; `None` is to be tried again. RFC 3463 §3.5: 4.4.7, delivery time expired.
fn fate(attempt: Option<&Attempt>, is_expired: bool) -> Option<(Fate, &str)> {
    match attempt.map(|a| &a.outcome) {
        Some(AttemptOutcome::Delivered { reports: true }) => Some((Fate::Delivered, "2.0.0")),
        // RFC 3461 §5.2.2 (c): to a server without DSN, who asked for success is told that it was relayed.
        Some(AttemptOutcome::Delivered { reports: false }) => Some((Fate::Relayed, "2.0.0")),
        Some(AttemptOutcome::Failed { status }) => Some((Fate::Failed, status)),
        Some(AttemptOutcome::Later { .. }) | None if is_expired => Some((Fate::Failed, "4.4.7")),
        Some(AttemptOutcome::Later { .. }) | None => None,
    }
}

fn status_of(attempt: Option<&Attempt>) -> &str {
    match attempt.map(|a| &a.outcome) {
        Some(AttemptOutcome::Later { status } | AttemptOutcome::Failed { status }) => status,
        Some(AttemptOutcome::Delivered { .. }) | None => "4.0.0",
    }
}

fn outcome(recipient: &LeasedRecipient, fate: Fate, status: &str, attempt: Option<&Attempt>) -> Outcome {
    let asked = (recipient.notify, recipient.orcpt.clone());
    let mut outcome = Outcome::of_text(recipient.address.to_string(), asked, fate, status);
    outcome.remote = attempt.map(|a| a.remote.clone()).filter(|r| !r.is_empty());
    outcome.answer = attempt.map(|a| short(&a.answer)).filter(|a| !a.is_empty());
    outcome
}

/// Whose stored address makes no sense is told of at once: no try would do better (RFC 3463 §3.2: 5.1.3).
fn refuse_unreadable(tx: &mut Tx, lease: &Lease) -> Result<Vec<Outcome>> {
    let mut told = Vec::new();
    for StoredRecipient { id, address, notify, orcpt } in lease.unreadable.iter().cloned() {
        forget(tx, lease, id)?;
        told.push(Outcome::of_text(address, (notify, orcpt), Fate::Failed, "5.1.3"));
    }
    Ok(told)
}

fn short(answer: &str) -> String {
    answer.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

fn note(tx: &mut Tx, lease: &Lease, attempt: Option<&Attempt>) -> Result<()> {
    let Some(attempt) = attempt else { return Ok(()) };
    tx.execute(
        "UPDATE queue_recipient SET status = ?3, answer = ?4, remote = ?5 WHERE group_id = ?1 AND id = ?2",
        &params![
            lease.group.get(),
            attempt.recipient.get(),
            status_of(Some(attempt)),
            short(&attempt.answer),
            short(&attempt.remote)
        ],
    )?;
    Ok(())
}

fn forget(tx: &mut Tx, lease: &Lease, recipient: QueueId) -> Result<()> {
    let key = params![lease.group.get(), recipient.get()];
    tx.execute("DELETE FROM queue_recipient WHERE group_id = ?1 AND id = ?2", &key)?;
    Ok(())
}

fn conclude(tx: &mut Tx, lease: &Lease, tries: u32, (is_done, delay_told): (bool, bool)) -> Result<Reported> {
    if is_done {
        tx.execute("DELETE FROM queue_group WHERE id = ?1", &params![lease.group.get()])?;
        return Ok(Reported::Done);
    }
    // The last attempt is made when time is up, not hours later.
    let give_up_at = lease.queued_at.after(GIVE_UP_AFTER);
    let next_at = tx.now().after(wait_after(lease, tries)).min(give_up_at.max(tx.now()));
    put_off(tx, lease, next_at, delay_told)
}

fn wait_after(lease: &Lease, tries: u32) -> Duration {
    retry_after(tries, u64::try_from(lease.group.get()).unwrap_or(0))
}

fn put_off(tx: &mut Tx, lease: &Lease, next_at: Timestamp, delay_told: bool) -> Result<Reported> {
    tx.execute(
        "UPDATE queue_group SET next_at = ?2, delay_told = ?3 WHERE id = ?1",
        &params![lease.group.get(), next_at, delay_told],
    )?;
    Ok(Reported::Again(next_at))
}

/// A message goes when its last group has gone. The row is locked first, so that the last two groups do not each leave it
/// to the other.
pub(super) fn forget_message(tx: &mut Tx, message: i64) -> Result<()> {
    tx.execute("UPDATE queue_message SET size = size WHERE id = ?1", &params![message])?;
    tx.execute(
        "DELETE FROM queue_message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM queue_group WHERE message_id = ?1)",
        &params![message],
    )?;
    Ok(())
}
