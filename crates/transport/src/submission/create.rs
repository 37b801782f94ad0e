//! Somebody sends: everything is asked at once, then it leaves, is held, or waits.

use super::{Hold, LONGEST_UNDO, MAX_DELAY, Submission, SubmissionState, read, record, status};
use crate::{
    Site, identity,
    outgoing::{Kind, next},
    submit::{Submitted, check, submit},
};
use congvu_casework::review::{self, Draft};
use congvu_directory::{Mandate, SignedIn, act_for, right};
use congvu_storage::{Tx, params};
use congvu_types::{
    AccountId, EmailId, Error, IdentityId, Refusal, RefusalKind, Result, ReviewId, SubmissionId, ThreadId,
    Timestamp,
};
use std::time::Duration;

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    /// The account that sends.
    pub account: AccountId,
    /// The stored message that the bytes were read from.
    pub email: EmailId,
    /// Its conversation.
    pub thread: ThreadId,
    /// As whom.
    pub identity: IdentityId,
    /// How long it waits.
    pub hold: Hold,
    /// The bytes and the envelope, by [`super::prepare()`]; its blob is staged.
    pub draft: Draft,
}

/// When it leaves, and in what sense it waits.
struct Times {
    send_at: Timestamp,
    /// It waits for second thoughts, and is nobody else's business yet.
    is_undo: bool,
    /// It waits for its time.
    is_later: bool,
}

/// Sends. From an account under review it is held (S9.1, Điều 9): at once, or when the time for second thoughts is over; what
/// is to leave later is held at once and leaves at its time, when it is approved by then.
pub fn create(tx: &mut Tx, site: &Site, who: &SignedIn, new: &NewSubmission) -> Result<Submission> {
    let acting = act_for::<right::Submit>(tx, who, new.account)?;
    if !identity::exists(tx, &acting, new.identity)? {
        return Err(Refusal::new(RefusalKind::InvalidValue).with("key", "identityId").into());
    }
    let sender = check(tx, site, who, &new.draft)?;
    if sender.account() != new.account {
        // Whose reviewers would decide, and whose log would tell of it, is the account of the sender.
        return Err(Refusal::new(RefusalKind::SenderNotAllowed).with("address", sender.address()).into());
    }
    let rule = review::would_hold(tx, &sender, &new.draft)?;
    let times = times(tx.now(), new.hold)?;
    let id = SubmissionId::new(tx.new_id());
    tx.put_blob(&new.draft.message().blob)?;
    status::prepare(tx, (new.account, id), new.draft.envelope())?;
    let not_before = times.is_later.then_some(times.send_at);
    let (state, held) = if times.is_undo || (times.is_later && rule.is_none()) {
        (SubmissionState::Scheduled, None)
    } else {
        match submit(tx, site, who, &new.draft.for_submission(id, not_before))? {
            Submitted::Sent(_) => (SubmissionState::Sent, None),
            Submitted::AwaitingReview(review, _) => (SubmissionState::Held, Some(review)),
        }
    };
    if state == SubmissionState::Scheduled {
        record(tx, new.account, "submission.scheduled", id, None)?;
    }
    insert(tx, who, new, (id, &times), (state, held))?;
    let made = read::one(tx, new.account, id)?;
    made.ok_or_else(|| Error::fault("sending", "the submission is not there"))
}

/// RFC 4865 §4.1: a time that is past is now; one too far away is refused.
fn times(now: Timestamp, hold: Hold) -> Result<Times> {
    let (send_at, is_undo) = match hold {
        Hold::None => (now, false),
        Hold::For(seconds) => {
            let held = Duration::from_secs(u64::from(seconds));
            (now.after(held), held <= LONGEST_UNDO)
        }
        Hold::Until(at) => (at.max(now), false),
    };
    if send_at > now.after(MAX_DELAY) {
        return Err(Refusal::new(RefusalKind::InvalidValue).with("key", "envelope").into());
    }
    let waits = send_at > now;
    Ok(Times { send_at, is_undo: waits && is_undo, is_later: waits && !is_undo })
}

fn insert(
    tx: &mut Tx,
    who: &SignedIn,
    new: &NewSubmission,
    (id, times): (SubmissionId, &Times),
    (state, held): (SubmissionState, Option<ReviewId>),
) -> Result<()> {
    let json = |e| Error::fault("writing JSON", e);
    let (mandate, now) = (Mandate::of(who), tx.now());
    let modseq = next(tx, new.account, Kind::Submission)?;
    tx.execute(
        "INSERT INTO submission (account_id, id, person_id, scope_id, device_id, email_id, thread_id, identity_id, envelope,
            hold, blob_hash, subject, send_at, state, review_id, due_at, attempts, version, hidden, created_at, closed_at,
            created_modseq, modseq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, 0, 0, ?17, ?18, ?19, ?19)",
        &params![
            new.account.get(),
            id.get(),
            mandate.person.get(),
            mandate.scope.map(AccountId::get),
            mandate.device.map(congvu_types::CredentialId::get),
            new.email.get(),
            new.thread.get(),
            new.identity.get(),
            serde_json::to_string(new.draft.envelope()).map_err(json)?,
            serde_json::to_string(&new.hold).map_err(json)?,
            new.draft.message().blob.hash().as_bytes(),
            &new.draft.message().summary.subject,
            times.send_at,
            state.as_str(),
            held.map(ReviewId::get),
            (state == SubmissionState::Scheduled).then_some(times.send_at),
            now,
            (!state.is_open()).then_some(now),
            modseq.0
        ],
    )?;
    Ok(())
}
