//! What somebody sends by JMAP, followed from the moment they say so (RFC 8621 §7): it waits while it may be undone or until
//! its time, is held for a decision, leaves, or does not.
//!
//! [`create()`] asks everything at once, so that who sends hears at once what stands against it; [`step()`] releases what is
//! due, by [`crate::submit()`], which asks everything again.
//! INVARIANT: what leaves are the bytes of the moment of [`create()`], whatever becomes of the draft (test:
//! `what_leaves_is_what_was_there_when_it_was_sent`).
//! INVARIANT: nothing leaves twice (test: `two_workers_release_once`), nor after it was cancelled (test:
//! `what_was_cancelled_does_not_leave`).

mod cancel;
mod create;
mod due;
mod give_back;
mod notice;
mod old;
mod prepare;
mod query;
mod read;
mod status;

use congvu_casework::review::{Envelope, Review, ReviewState};
use congvu_storage::{BlobHash, Chain, Event, Tx, params};
use congvu_types::{
    AccountId, Citation, EmailId, IdentityId, ModSeq, PersonId, Refusal, Result, ReviewId, SubmissionId,
    ThreadId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use cancel::{cancel, destroy};
pub use create::{NewSubmission, create};
pub use due::{next_due, step};
pub use old::forget_old;
pub use prepare::{default_envelope, prepare};
pub use query::{Found, Order, query};
pub use read::{all, changes, get, will_be_reviewed};
pub(crate) use status::{Note, note};

use crate::outgoing::{Kind, next};

/// Nothing waits longer than this to be sent (RFC 4865 §3: the server's maximum; RFC 8621 §1.3.2 `maxDelayedSend`).
pub const MAX_DELAY: Duration = Duration::from_secs(30 * 24 * 3600);
/// A hold up to this long is for second thoughts: a review begins after it. A longer one is for later: the review is held
/// before, so that nobody approves in a hurry when the time has come.
pub const LONGEST_UNDO: Duration = Duration::from_secs(120);

/// How long a message waits before it leaves (RFC 4865 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// Not at all.
    #[default]
    None,
    /// So many seconds (`HOLDFOR`).
    For(u32),
    /// Until then (`HOLDUNTIL`).
    Until(Timestamp),
}

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmissionState {
    /// It waits for its time.
    Scheduled,
    /// It waits for a decision (S9.1, Điều 9).
    Held,
    /// It left.
    Sent,
    /// Its sender took it back.
    Canceled,
    /// It may not leave: nobody approved it, or who sent it may not any more.
    Refused,
}

impl SubmissionState {
    const ALL: [Self; 5] = [Self::Scheduled, Self::Held, Self::Sent, Self::Canceled, Self::Refused];

    /// Returns the word of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Canceled => "canceled",
            Self::Refused => "refused",
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Returns whether it can still go either way.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Scheduled | Self::Held)
    }
}

/// Whether a message reached a recipient (RFC 8621 §7 `deliveryStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It is on its way.
    Queued,
    /// It is in their account.
    Yes,
    /// It will not reach them.
    No,
    /// It was handed to another server.
    Unknown,
}

impl Reached {
    const ALL: [Self; 4] = [Self::Queued, Self::Yes, Self::No, Self::Unknown];

    /// Returns the word of RFC 8621 §7.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// The address, as the envelope has it.
    pub address: String,
    /// Whether it was reached.
    pub reached: Reached,
    /// What the server said, or what we would: code, enhanced code, text.
    pub reply: String,
}

/// The review of a submission, as whoever reads the account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewFacts {
    /// Its id.
    pub id: ReviewId,
    /// Where it stands.
    pub state: ReviewState,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they said.
    pub comment: Option<String>,
    /// The article that demands it.
    pub citation: Citation,
    /// By when a decision is due.
    pub due_at: Option<Timestamp>,
}

impl From<Review> for ReviewFacts {
    fn from(review: Review) -> Self {
        Self {
            id: review.id,
            state: review.state,
            decided_by: review.decider.map(|(_, name)| name),
            decided_at: review.decided_at,
            comment: review.comment,
            citation: review.citation,
            due_at: review.due_at,
        }
    }
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The account that sends.
    pub account: AccountId,
    /// The id.
    pub id: SubmissionId,
    /// Who sent it.
    pub person: PersonId,
    /// The message as it was stored when it was sent; it may be gone.
    pub email: EmailId,
    /// Its conversation.
    pub thread: ThreadId,
    /// As whom.
    pub identity: IdentityId,
    /// From whom to whom.
    pub envelope: Envelope,
    /// How long it was to wait.
    pub hold: Hold,
    /// The bytes that leave.
    pub blob: BlobHash,
    /// The subject.
    pub subject: String,
    /// When it leaves, or left, if nothing comes between.
    pub send_at: Timestamp,
    /// Where it stands.
    pub state: SubmissionState,
    /// Why it was refused at its time, as a sentence for the sender.
    pub reason: Option<String>,
    /// Its review, when it has one.
    pub review: Option<ReviewFacts>,
    /// What is known of each recipient; empty before it left.
    pub statuses: Vec<DeliveryStatus>,
}

/// What a step changes of a submission.
#[derive(Debug, Clone, Copy)]
struct Turn {
    state: SubmissionState,
    review: Option<ReviewId>,
    due_at: Option<Timestamp>,
}

/// Writes a step: the state, what is due, the number of the change. Who is told by the audit records it besides.
fn turn(tx: &mut Tx, (account, id): (AccountId, SubmissionId), to: Turn, reason: Option<&str>) -> Result<()> {
    let now = tx.now();
    let closed_at = (!to.state.is_open()).then_some(now);
    let modseq = next(tx, account, Kind::Submission)?;
    tx.execute(
        "UPDATE submission SET state = ?3, review_id = COALESCE(?4, review_id), due_at = ?5, closed_at = ?6, modseq = ?7,
            reason = ?8, version = version + 1 WHERE account_id = ?1 AND id = ?2",
        &params![
            account.get(),
            id.get(),
            to.state.as_str(),
            to.review.map(ReviewId::get),
            to.due_at,
            closed_at,
            modseq.0,
            reason
        ],
    )?;
    Ok(())
}

/// Notes that something of a submission is otherwise than it was.
pub(crate) fn touch(tx: &mut Tx, account: AccountId, id: SubmissionId) -> Result<()> {
    let ModSeq(modseq) = next(tx, account, Kind::Submission)?;
    tx.execute(
        "UPDATE submission SET modseq = ?3 WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get(), modseq],
    )?;
    Ok(())
}

/// Takes a decision on the review of a submission, or its withdrawal, into account.
pub(crate) fn decided(tx: &mut Tx, review: &Review) -> Result<()> {
    let Some(id) = review.submission else { return Ok(()) };
    let (state, due_at) = match review.state {
        ReviewState::Awaiting => return touch(tx, review.account, id),
        ReviewState::Approved if review.is_waiting => (SubmissionState::Scheduled, review.not_before),
        ReviewState::Approved => (SubmissionState::Sent, None),
        ReviewState::Returned | ReviewState::Rejected => (SubmissionState::Refused, None),
        ReviewState::Withdrawn => (SubmissionState::Canceled, None),
    };
    turn(tx, (review.account, id), Turn { state, review: Some(review.id), due_at }, None)
}

fn record(
    tx: &mut Tx,
    account: AccountId,
    name: &'static str,
    id: SubmissionId,
    why: Option<&Refusal>,
) -> Result<()> {
    let event = Event {
        name,
        subject: id.to_string(),
        citation: why.and_then(|refusal| refusal.citation.as_deref()),
        details: serde_json::json!({ "why": why.map(|refusal| refusal.kind) }),
    };
    tx.record(Chain::Account(account), &event)
}
