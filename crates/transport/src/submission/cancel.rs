//! Second thoughts: a submission is taken back while it may be, or its record is removed.

use super::{Submission, SubmissionState, Turn, read, record, turn};
use crate::outgoing::{Kind, bury};
use congvu_directory::{Acting, SignedIn, act_for, right};
use congvu_storage::{Tx, params};
use congvu_types::{AccountId, EmailId, Error, ModSeq, RefusalKind, Result, SubmissionId};

/// Takes a submission back (RFC 8621 §7: `undoStatus` to `canceled`): whoever sent it, and while nobody else is concerned
/// also who manages the account. From the review it is taken back by its author alone, as from every door.
///
/// # Errors
/// It left, or somebody decided against it ([`RefusalKind::AlreadyDecided`]; RFC 8621 §7.5: `cannotUnsend`).
pub fn cancel(tx: &mut Tx, who: &SignedIn, account: AccountId, id: SubmissionId) -> Result<Submission> {
    let acting = act_for::<right::Read>(tx, who, account)?;
    let stored = read::stored(tx, account, id)?.filter(|s| !s.is_hidden).ok_or(RefusalKind::NotFound)?;
    match (stored.submission.state, stored.review) {
        (SubmissionState::Canceled, _) => {}
        (SubmissionState::Sent | SubmissionState::Refused, _) => {
            return Err(RefusalKind::AlreadyDecided.into());
        }
        (SubmissionState::Held | SubmissionState::Scheduled, Some(review)) => {
            crate::withdraw(tx, who, review)?;
        }
        (_, None) => cancel_scheduled(tx, &acting, &stored.submission)?,
    }
    read::one(tx, account, id)?.ok_or_else(|| Error::fault("cancelling", "the submission is not there"))
}

fn cancel_scheduled(tx: &mut Tx, acting: &Acting<right::Read>, found: &Submission) -> Result<()> {
    if found.person != acting.person() && acting.with::<right::Manage>().is_none() {
        return Err(RefusalKind::NoRight.into());
    }
    // A worker may be releasing it: whoever has the row first decides.
    let taken = tx.execute(
        "UPDATE submission SET version = version + 1
         WHERE account_id = ?1 AND id = ?2 AND state = ?3 AND review_id IS NULL",
        &params![found.account.get(), found.id.get(), SubmissionState::Scheduled.as_str()],
    )?;
    if taken != 1 {
        return Err(RefusalKind::AlreadyDecided.into());
    }
    record(tx, found.account, "submission.canceled", found.id, None)?;
    let to = Turn { state: SubmissionState::Canceled, review: None, due_at: None };
    turn(tx, (found.account, found.id), to, None)
}

/// Removes the record of a submission. One that waits for its time stays: it would leave with nobody able to see it or to take
/// it back (S4.2, Điều 4). The row of one that is held stays, unseen, until it is decided on. Returns its message.
pub fn destroy(tx: &mut Tx, who: &SignedIn, account: AccountId, id: SubmissionId) -> Result<EmailId> {
    let acting = act_for::<right::Submit>(tx, who, account)?;
    let stored = read::stored(tx, account, id)?.filter(|s| !s.is_hidden).ok_or(RefusalKind::NotFound)?;
    if stored.submission.person != acting.person() && acting.with::<right::Manage>().is_none() {
        return Err(RefusalKind::NoRight.into());
    }
    if stored.submission.state == SubmissionState::Scheduled {
        return Err(RefusalKind::InUse.into());
    }
    let created = tx.query_one(
        "SELECT created_modseq FROM submission WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get()],
        |r| Ok(ModSeq(r.u64(0)?)),
    )?;
    tx.execute(
        "UPDATE submission SET hidden = 1 WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get()],
    )?;
    bury(tx, account, Kind::Submission, (id.get(), created))?;
    record(tx, account, "submission.destroyed", id, None)?;
    Ok(stored.submission.email)
}
