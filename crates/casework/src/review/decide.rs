//! The decision on a held message, and what an author and a reviewer may do besides.

use super::{
    Cleared, ReadAhead, notice, opened,
    read::{self, Review},
    state::ReviewState,
};
use congvu_directory::{SignedIn, still_signed_in};
use congvu_mail::{Copied, Role};
use congvu_storage::{Chain, Event, Tx, params};
use congvu_types::{Citation, Refusal, RefusalKind, Result, ReviewId};

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
    /// It leaves (đã duyệt).
    Approve,
    /// Back to the author, to be mended (trả lại).
    Return,
    /// It does not leave (từ chối).
    Reject,
}

impl DecisionKind {
    const fn state(self) -> ReviewState {
        match self {
            Self::Approve => ReviewState::Approved,
            Self::Return => ReviewState::Returned,
            Self::Reject => ReviewState::Rejected,
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Approve => Role::Approved,
            Self::Return => Role::Returned,
            Self::Reject => Role::Rejected,
        }
    }

    const fn event(self) -> &'static str {
        match self {
            Self::Approve => "review.approved",
            Self::Return => "review.returned",
            Self::Reject => "review.rejected",
        }
    }
}

/// What the reviewer had before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The digest that was shown with the message.
    Digest(String),
    /// The message in its mailbox, named by UID: its bytes never change (RFC 9051 §2.3.1.1). There is no place for a
    /// comment on this way.
    InMailbox,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub kind: DecisionKind,
    /// Why; needed to return or reject.
    pub comment: Option<String>,
    /// On what.
    pub seen: Seen,
}

/// What a decision brought about.
#[derive(Debug)]
pub struct Decided {
    /// The review after it.
    pub review: Review,
    /// Where the message went within the account.
    pub moved: Copied,
    /// The proof that it may leave, when it was approved.
    pub cleared: Option<Cleared>,
}

/// Comments are kept to this many characters.
const LONGEST_COMMENT: usize = 4000;

/// Decides on a held message. S9.1 (Điều 9): by somebody with the right to review, or the deputy it was passed on to;
/// never by its author; on exactly the bytes that were seen; once. An approval is for who opened every part.
pub fn decide(
    tx: &mut Tx,
    who: &SignedIn,
    id: ReviewId,
    decision: &Decision,
    ahead: &ReadAhead,
) -> Result<Decided> {
    let mut review = lock(tx, id)?;
    let refuse = |kind| Refusal::new(kind).citing(&review.citation);
    still_signed_in(tx, who)?;
    // S9.1 (Điều 9): an author is told so even without the right to review.
    if review.author == who.person() {
        return Err(refuse(RefusalKind::OwnMessage).into());
    }
    if !read::may_decide(tx, who, &review)? {
        // Who may not even read it is not told that it exists.
        read::open(tx, who, id)?;
        return Err(refuse(RefusalKind::NoRight).into());
    }
    if review.state != ReviewState::Awaiting {
        return Err(refuse(RefusalKind::AlreadyDecided).into());
    }
    check_bytes(tx, &review, &decision.seen)?;
    if decision.kind == DecisionKind::Approve {
        opened::check_all_opened(tx, &review, who.person())?;
    }
    let comment = comment(decision, &review.citation)?;
    let moved = close(tx, &mut review, (decision.kind.state(), decision.kind.role()), Some((who, comment)))?;
    record(tx, &review, decision.kind.event())?;
    let cleared = match decision.kind {
        DecisionKind::Approve if review.not_before.is_some_and(|at| at > tx.now()) => {
            wait(tx, &mut review)?;
            None
        }
        DecisionKind::Approve => Some(approved(tx, &review, ahead)?),
        DecisionKind::Return | DecisionKind::Reject => None,
    };
    notice::tell_author(tx, &review, who.name())?;
    Ok(Decided { review, moved, cleared })
}

/// Reads a review and keeps it from every other transaction until the end of this one.
pub(super) fn lock(tx: &mut Tx, id: ReviewId) -> Result<Review> {
    tx.execute("UPDATE review SET version = version + 1 WHERE id = ?1", &params![id.get()])?;
    read::get(tx, id)?.ok_or_else(|| RefusalKind::NotFound.into())
}

/// S9.1 (Điều 9): an edit voids the approval. What was seen, what was stored and what lies there must be one.
fn check_bytes(tx: &Tx, review: &Review, seen: &Seen) -> Result<()> {
    let held = congvu_mail::message(tx, review.account, review.mailbox, review.uid)?;
    let is_same = held.is_some_and(|m| m.email == review.email && m.blob == review.blob)
        && review.blob.to_hex() == review.digest.whole
        && match seen {
            Seen::Digest(digest) => digest.eq_ignore_ascii_case(&review.digest.whole),
            Seen::InMailbox => true,
        };
    if is_same { Ok(()) } else { Err(Refusal::new(RefusalKind::Changed).citing(&review.citation).into()) }
}

fn comment(decision: &Decision, citation: &Citation) -> Result<Option<String>> {
    let given = decision.comment.as_deref().map(str::trim).filter(|c| !c.is_empty());
    let needed = decision.kind != DecisionKind::Approve && decision.seen != Seen::InMailbox;
    if needed && given.is_none() {
        return Err(Refusal::new(RefusalKind::ReasonNeeded).citing(citation).into());
    }
    Ok(given.map(|c| c.chars().filter(|c| *c == '\n' || !c.is_control()).take(LONGEST_COMMENT).collect()))
}

/// Ends a review: moves the message, writes the row and the step.
fn close(
    tx: &mut Tx,
    review: &mut Review,
    (state, role): (ReviewState, Role),
    decided: Option<(&SignedIn, Option<String>)>,
) -> Result<Copied> {
    let target = congvu_mail::mailbox_by_role(tx, review.account, role)?.ok_or(RefusalKind::NotFound)?;
    let uids = [review.uid];
    let moved = congvu_mail::move_as_system(tx, review.account, review.mailbox, target.id, &uids)?;
    let Some((_, uid)) = moved.uids.first().copied() else {
        return Err(Refusal::new(RefusalKind::Changed).citing(&review.citation).into());
    };
    (review.state, review.mailbox, review.uidvalidity, review.uid) =
        (state, target.id, target.uidvalidity, uid);
    (review.decided_at, review.due_at, review.is_waiting) = (Some(tx.now()), None, false);
    if let Some((who, comment)) = decided {
        review.decider = Some((who.person(), who.name().to_owned()));
        review.comment = comment;
    }
    tx.execute(
        "UPDATE review SET state = ?3, mailbox_id = ?4, uidvalidity = ?5, uid = ?6, decided_at = ?7, due_at = NULL, is_waiting = 0,
            decider_id = ?8, decider_name = ?9, comment = ?10 WHERE account_id = ?1 AND id = ?2",
        &params![
            review.account.get(),
            review.id.get(),
            state.as_str(),
            review.mailbox.get(),
            review.uidvalidity,
            uid.0,
            review.decided_at,
            review.decider.as_ref().map(|(person, _)| person.get()),
            review.decider.as_ref().map(|(_, name)| name.clone()),
            review.comment.clone()
        ],
    )?;
    let who = review.decider.as_ref().map(|(person, name)| (*person, name.as_str()));
    read::add_step(tx, (review.account, review.id), who, state.as_str(), review.comment.as_deref())?;
    Ok(moved)
}

fn record(tx: &mut Tx, review: &Review, name: &'static str) -> Result<()> {
    let event = Event {
        name,
        subject: review.id.to_string(),
        citation: Some(&review.citation),
        details: serde_json::json!({
            "digest": review.digest.whole,
            "comment": review.comment,
        }),
    };
    tx.record(Chain::Account(review.account), &event)
}

fn approved(tx: &Tx, review: &Review, ahead: &ReadAhead) -> Result<Cleared> {
    Ok(Cleared::approved(review, ahead.message(tx, &review.blob)?))
}

/// Keeps an approval until its time, for [`release`].
fn wait(tx: &mut Tx, review: &mut Review) -> Result<()> {
    review.is_waiting = true;
    tx.execute("UPDATE review SET is_waiting = 1 WHERE id = ?1", &params![review.id.get()])?;
    Ok(())
}

/// Makes use of an approval that waited for its time: once, and not before. `None` when there is none that may be used. The
/// bytes are those that were approved, whatever happened to the draft meanwhile (S9.1, Điều 9).
pub fn release(tx: &mut Tx, id: ReviewId, ahead: &ReadAhead) -> Result<Option<Cleared>> {
    let now = tx.now();
    let used = tx.execute(
        "UPDATE review SET is_waiting = 0, version = version + 1
         WHERE id = ?1 AND state = ?2 AND is_waiting = 1 AND not_before <= ?3",
        &params![id.get(), ReviewState::Approved.as_str(), now],
    )?;
    let Some(review) = read::get(tx, id)?.filter(|_| used == 1) else { return Ok(None) };
    if review.blob.to_hex() != review.digest.whole {
        return Err(Refusal::new(RefusalKind::Changed).citing(&review.citation).into());
    }
    record(tx, &review, "review.released")?;
    approved(tx, &review, ahead).map(Some)
}

/// Makes an approval useless that waited for its time, when whoever sent the message may not send it any more.
pub fn lapse(tx: &mut Tx, id: ReviewId) -> Result<()> {
    let lapsed = tx.execute(
        "UPDATE review SET is_waiting = 0, version = version + 1 WHERE id = ?1 AND is_waiting = 1",
        &params![id.get()],
    )?;
    let Some(review) = read::get(tx, id)?.filter(|_| lapsed == 1) else { return Ok(()) };
    read::add_step(tx, (review.account, review.id), None, "lapsed", None)?;
    record(tx, &review, "review.lapsed")
}

/// Takes a held message back: its author alone, before the decision, or while an approval waits for its time. It becomes a
/// draft again.
pub fn withdraw(tx: &mut Tx, who: &SignedIn, id: ReviewId) -> Result<Decided> {
    still_signed_in(tx, who)?;
    let mut review = lock(tx, id)?;
    if review.author != who.person() {
        read::open(tx, who, id)?;
        return Err(Refusal::new(RefusalKind::NoRight).citing(&review.citation).into());
    }
    if review.state != ReviewState::Awaiting && !review.is_waiting {
        return Err(Refusal::new(RefusalKind::AlreadyDecided).citing(&review.citation).into());
    }
    let moved = close(tx, &mut review, (ReviewState::Withdrawn, Role::Drafts), Some((who, None)))?;
    record(tx, &review, "review.withdrawn")?;
    Ok(Decided { review, moved, cleared: None })
}

/// Notes in the history that a person looked at a message; once a person.
pub(super) fn viewed(tx: &mut Tx, who: &SignedIn, review: &Review) -> Result<()> {
    let before = tx.query_opt(
        "SELECT seq FROM review_step WHERE account_id = ?1 AND review_id = ?2 AND person_id = ?3 AND step = 'viewed' LIMIT 1",
        &params![review.account.get(), review.id.get(), who.person().get()],
        |r| r.i64(0),
    )?;
    if before.is_some() {
        return Ok(());
    }
    read::add_step(tx, (review.account, review.id), Some((who.person(), who.name())), "viewed", None)?;
    record(tx, review, "review.viewed")
}
