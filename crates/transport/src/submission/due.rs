//! What waited and is due leaves, or does not: a worker's steps. Rights are asked anew, of whoever ordered it; the gate is the
//! one that everything passes.

use super::{Submission, SubmissionState, Turn, give_back::give_back, notice, read, record, turn};
use crate::{
    Site,
    queue::{self, GIVE_UP_AFTER, retry_after},
    submit::{Submitted, check, submit},
};
use congvu_casework::review::{self, Draft, ReadAhead, Via};
use congvu_directory::{Mandate, resume};
use congvu_storage::{Actor, Db, Snapshot, Tx, params};
use congvu_types::{
    AccountId, CredentialId, Error, PersonId, Refusal, RefusalKind, Result, ReviewId, SubmissionId, Timestamp,
};

/// A submission that is due, and who ordered it.
#[derive(Debug, Clone, Copy)]
struct Due {
    account: AccountId,
    id: SubmissionId,
    mandate: Mandate,
    review: Option<ReviewId>,
    send_at: Timestamp,
    /// How often it was put off.
    attempts: u32,
}

/// Releases the submission that has been due longest, if there is one; returns whether there was. One that cannot be worked
/// off steps aside, so that it never keeps the others waiting.
pub async fn step(db: &Db, site: &Site) -> Result<bool> {
    let Some(due) = db.read_quick(next).await? else { return Ok(false) };
    match work_off(db, site, due).await {
        Ok(()) => {}
        Err(Error::Refused(refusal)) if refusal.kind != RefusalKind::Busy => {
            end(db, due, refusal).await?;
        }
        // As a message for a server that never answers: five days, and the sender is told.
        Err(error) if is_given_up(db, &due) => {
            tracing::error!(%error, submission = %due.id, "a submission cannot be worked off");
            end(db, due, Refusal::new(RefusalKind::InvalidMessage)).await?;
        }
        Err(error) => {
            tracing::error!(%error, submission = %due.id, "a submission that is due is put off");
            db.write(actor(&due), move |tx| put_off(tx, &due)).await?;
        }
    }
    Ok(true)
}

/// Not at the first failure, however late it is: the server may have been down for days.
fn is_given_up(db: &Db, due: &Due) -> bool {
    due.attempts > 0 && db.clock().now().since(due.send_at) >= GIVE_UP_AFTER
}

/// Refuses a submission; one that cannot even be refused as it should is ended by its state alone, and the log has named it.
async fn end(db: &Db, due: Due, refusal: Refusal) -> Result<()> {
    match db.write(actor(&due), move |tx| refuse(tx, &due, &refusal)).await {
        // Somebody else has the row in this moment: what they do counts, or it is tried again.
        Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Busy => Ok(()),
        Err(error) if is_given_up(db, &due) => {
            tracing::error!(%error, submission = %due.id, "refusing a submission");
            db.write(actor(&due), move |tx| end_unread(tx, &due)).await
        }
        Err(error) => {
            tracing::error!(%error, submission = %due.id, "refusing a submission is put off");
            db.write(actor(&due), move |tx| put_off(tx, &due)).await
        }
        Ok(()) => Ok(()),
    }
}

fn end_unread(tx: &mut Tx, due: &Due) -> Result<()> {
    if take(tx, due)? {
        let to = Turn { state: SubmissionState::Refused, review: None, due_at: None };
        turn(tx, (due.account, due.id), to, None)?;
    }
    Ok(())
}

/// S8.3c (Điều 8): what leaves leads to the person who ordered it.
fn actor(due: &Due) -> Actor {
    Actor::Person(due.mandate.person)
}

/// Returns when the next submission is due, so that a worker knows how long to sleep.
pub fn next_due(snapshot: &Snapshot) -> Result<Option<Timestamp>> {
    let sql = "SELECT due_at FROM submission WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1";
    snapshot.query_opt(sql, &[], |r| Ok(Timestamp(r.i64(0)?)))
}

fn next(snapshot: &Snapshot) -> Result<Option<Due>> {
    let now = snapshot.now();
    snapshot.query_opt(
        "SELECT account_id, id, person_id, scope_id, device_id, review_id, send_at, attempts FROM submission WHERE due_at <= ?1
         ORDER BY due_at, id LIMIT 1",
        &params![now],
        |r| {
            Ok(Due {
                account: AccountId::new(r.i64(0)?),
                id: SubmissionId::new(r.i64(1)?),
                mandate: Mandate {
                    person: PersonId::new(r.i64(2)?),
                    scope: r.opt_i64(3)?.map(AccountId::new),
                    device: r.opt_i64(4)?.map(CredentialId::new),
                },
                review: r.opt_i64(5)?.map(ReviewId::new),
                send_at: Timestamp(r.i64(6)?),
                attempts: r.u32(7)?,
            })
        },
    )
}

async fn work_off(db: &Db, site: &Site, due: Due) -> Result<()> {
    let read = move |s: &Snapshot| {
        let Some(stored) = read::stored(s, due.account, due.id)? else { return Ok(None) };
        let raw = s.blob(&stored.submission.blob)?;
        let draft = Draft::prepare(&raw, stored.submission.envelope, Via::Jmap)?;
        let ahead = due.review.map_or_else(|| Ok(ReadAhead::default()), |review| ReadAhead::of(s, review))?;
        Ok(Some((draft, ahead)))
    };
    let Some((draft, ahead)) = db.read(read).await? else { return Ok(()) };
    db.stage_blob(&draft.message().blob).await?;
    let site = site.clone();
    db.write(actor(&due), move |tx| release(tx, &site, &due, (&draft, &ahead))).await
}

/// INVARIANT: whoever has the row while it is scheduled and due releases it; for every other it is done (test:
/// `two_workers_release_once`).
fn take(tx: &mut Tx, due: &Due) -> Result<bool> {
    let now = tx.now();
    let taken = tx.execute(
        "UPDATE submission SET version = version + 1
         WHERE account_id = ?1 AND id = ?2 AND state = ?3 AND due_at <= ?4 AND COALESCE(review_id, 0) = ?5",
        &params![
            due.account.get(),
            due.id.get(),
            SubmissionState::Scheduled.as_str(),
            now,
            due.review.map_or(0, ReviewId::get)
        ],
    )?;
    Ok(taken == 1)
}

fn release(tx: &mut Tx, site: &Site, due: &Due, (draft, ahead): (&Draft, &ReadAhead)) -> Result<()> {
    // The review before the submission, as every decision takes them.
    let approved = match due.review {
        Some(review) => match review::release(tx, review, ahead)? {
            Some(cleared) => Some(cleared),
            None => return step_aside(tx, due),
        },
        None => None,
    };
    if !take(tx, due)? {
        return if approved.is_some() { Err(RefusalKind::Busy.into()) } else { Ok(()) };
    }
    let who = resume(tx, &due.mandate)?;
    let sender = check(tx, site, &who, draft)?;
    if sender.account() != due.account {
        return Err(Refusal::new(RefusalKind::SenderNotAllowed).with("address", sender.address()).into());
    }
    let draft = draft.for_submission(due.id, None);
    let (state, review) = match approved {
        Some(cleared) => {
            queue::enqueue(tx, site, cleared)?;
            (SubmissionState::Sent, None)
        }
        None => match submit(tx, site, &who, &draft)? {
            Submitted::Sent(_) => (SubmissionState::Sent, None),
            Submitted::AwaitingReview(review, _) => (SubmissionState::Held, Some(review)),
        },
    };
    turn(tx, (due.account, due.id), Turn { state, review, due_at: None }, None)
}

/// The approval was used or taken back by somebody else in the same moment: what they did stands in the row, or will. A row
/// that goes on waiting for it is put off, and given up at last, by [`step`].
fn step_aside(tx: &mut Tx, due: &Due) -> Result<()> {
    if take(tx, due)? { Err(RefusalKind::Busy.into()) } else { Ok(()) }
}

/// Ends a submission that may not leave; whoever sent it is told.
fn refuse(tx: &mut Tx, due: &Due, refusal: &Refusal) -> Result<()> {
    if let Some(review) = due.review {
        review::lapse(tx, review)?;
    }
    if !take(tx, due)? {
        // With the row the approval stays as it was.
        return if due.review.is_some() { Err(RefusalKind::Busy.into()) } else { Ok(()) };
    }
    let stored = read::stored(tx, due.account, due.id)?;
    let Some(Submission { account, id, .. }) = stored.as_ref().map(|s| s.submission.clone()) else {
        return Ok(());
    };
    record(tx, account, "submission.refused", id, Some(refusal))?;
    if let Some(stored) = &stored {
        give_back(tx, &stored.submission)?;
    }
    let reason = match &stored {
        Some(stored) => notice::tell(tx, &stored.submission, refusal)?,
        None => String::new(),
    };
    let to = Turn { state: SubmissionState::Refused, review: None, due_at: None };
    turn(tx, (account, id), to, Some(&reason))
}

fn put_off(tx: &mut Tx, due: &Due) -> Result<()> {
    let key = params![due.account.get(), due.id.get(), SubmissionState::Scheduled.as_str()];
    let tried = tx.query_opt(
        "UPDATE submission SET attempts = attempts + 1 WHERE account_id = ?1 AND id = ?2 AND state = ?3
         RETURNING attempts",
        &key,
        |r| r.u32(0),
    )?;
    let Some(tries) = tried else { return Ok(()) };
    let due_at = tx.now().after(retry_after(tries, due.id.get().unsigned_abs()));
    tx.execute(
        "UPDATE submission SET due_at = ?3 WHERE account_id = ?1 AND id = ?2",
        &params![due.account.get(), due.id.get(), due_at],
    )?;
    Ok(())
}
