//! Reading submissions, for who may read the account.

use super::{Hold, ReviewFacts, Submission, SubmissionState, status};
use crate::outgoing::{self, Changed, Kind};
use congvu_casework::review;
use congvu_directory::{Acting, right};
use congvu_storage::{BlobHash, Row, Snapshot, params};
use congvu_types::{
    AccountId, Citation, EmailId, Error, IdentityId, ModSeq, PersonId, Result, ReviewId, SubmissionId,
    ThreadId, Timestamp,
};

/// A row, without what stands in other tables.
pub(super) struct Stored {
    pub(super) submission: Submission,
    pub(super) review: Option<ReviewId>,
    pub(super) is_hidden: bool,
}

fn row(r: &Row<'_>) -> Result<Stored> {
    let json = |e| Error::fault("reading a submission", e);
    let state = r.text(11)?;
    let submission = Submission {
        account: AccountId::new(r.i64(0)?),
        id: SubmissionId::new(r.i64(1)?),
        person: PersonId::new(r.i64(2)?),
        email: EmailId::new(r.i64(3)?),
        thread: ThreadId::new(r.i64(4)?),
        identity: IdentityId::new(r.i64(5)?),
        envelope: serde_json::from_str(&r.text(6)?).map_err(json)?,
        hold: serde_json::from_str::<Hold>(&r.text(7)?).map_err(json)?,
        blob: BlobHash::from_slice(&r.bytes(8)?)?,
        subject: r.text(9)?,
        send_at: Timestamp(r.i64(10)?),
        state: SubmissionState::by_name(&state).ok_or_else(|| Error::fault("reading a submission", state))?,
        reason: r.opt_text(13)?,
        review: None,
        statuses: Vec::new(),
    };
    Ok(Stored { submission, review: r.opt_i64(12)?.map(ReviewId::new), is_hidden: r.i64(14)? != 0 })
}

pub(super) fn stored(snapshot: &Snapshot, account: AccountId, id: SubmissionId) -> Result<Option<Stored>> {
    snapshot.query_opt(
        "SELECT account_id, id, person_id, email_id, thread_id, identity_id, envelope, hold, blob_hash, subject, send_at,
            state, review_id, reason, hidden
         FROM submission WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get()],
        row,
    )
}

/// Returns a submission whole, but for its review.
pub(super) fn one(snapshot: &Snapshot, account: AccountId, id: SubmissionId) -> Result<Option<Submission>> {
    let Some(stored) = stored(snapshot, account, id)? else { return Ok(None) };
    let mut found = stored.submission;
    if found.state == SubmissionState::Sent {
        found.statuses = status::of(snapshot, (account, id))?;
    }
    found.review = match stored.review {
        Some(id) => review::review_facts(snapshot, account, id)?.map(ReviewFacts::from),
        None => None,
    };
    Ok(Some(found))
}

/// Returns the submissions of these ids that there are, in their order.
pub fn get(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    ids: &[SubmissionId],
) -> Result<Vec<Submission>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        if stored(snapshot, acting.account(), *id)?.is_none_or(|stored| stored.is_hidden) {
            continue;
        }
        found.extend(one(snapshot, acting.account(), *id)?);
    }
    Ok(found)
}

/// Returns the ids of up to `most` submissions, newest first.
pub fn all(snapshot: &Snapshot, acting: &Acting<right::Read>, most: usize) -> Result<Vec<SubmissionId>> {
    snapshot.query(
        "SELECT id FROM submission WHERE account_id = ?1 AND hidden = 0 ORDER BY id DESC LIMIT ?2",
        &params![acting.account().get(), most],
        |r| Ok(SubmissionId::new(r.i64(0)?)),
    )
}

/// Returns what changed of an account's submissions; `None` when that is not known any more.
pub fn changes(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: ModSeq,
    most: usize,
) -> Result<Option<Changed<SubmissionId>>> {
    outgoing::changes(snapshot, acting.account(), Kind::Submission, (since, most), SubmissionId::new)
}

/// Returns the article by which what the account sends is reviewed; `None` when it is not (S9.1, Điều 9).
pub fn will_be_reviewed(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<Option<Citation>> {
    let regulation = congvu_directory::regulation_of(snapshot, acting.agency())?;
    Ok(regulation.outgoing(acting.kind()).map(|rule| rule.citation.clone()))
}
