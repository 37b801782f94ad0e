//! Decisions on what is held, from every door: the API and the command line by id, IMAP by moving the message.

use crate::{Sent, Site, queue, submission};
use congvu_casework::review::{self, Decided, Decision, DecisionKind, ReadAhead, Review, ReviewState, Seen};
use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{Copied, Role};
use congvu_storage::{Snapshot, Tx};
use congvu_types::{AccountId, MailboxId, RefusalKind, Result, ReviewId, Uid};

/// Decides on a held message (S9.1, Điều 9); an approved one leaves in the same transaction. What is decided on is
/// read before it.
pub fn decide(
    tx: &mut Tx,
    site: &Site,
    who: &SignedIn,
    id: ReviewId,
    decision: &Decision,
    ahead: &ReadAhead,
) -> Result<(Review, Option<Sent>)> {
    let (review, _, sent) = carry_out(tx, site, who, id, decision, ahead)?;
    Ok((review, sent))
}

fn carry_out(
    tx: &mut Tx,
    site: &Site,
    who: &SignedIn,
    id: ReviewId,
    decision: &Decision,
    ahead: &ReadAhead,
) -> Result<(Review, Copied, Option<Sent>)> {
    let decided = review::decide(tx, who, id, decision, ahead)?;
    let sent = match decided.cleared {
        Some(cleared) => Some(queue::enqueue(tx, site, cleared)?),
        None => None,
    };
    submission::decided(tx, &decided.review)?;
    Ok((decided.review, decided.moved, sent))
}

/// Takes a held message back, for its author.
pub fn withdraw(tx: &mut Tx, who: &SignedIn, id: ReviewId) -> Result<Review> {
    Ok(take_back(tx, who, id)?.review)
}

fn take_back(tx: &mut Tx, who: &SignedIn, id: ReviewId) -> Result<Decided> {
    let decided = review::withdraw(tx, who, id)?;
    submission::decided(tx, &decided.review)?;
    Ok(decided)
}

/// Passes up to `limit` overdue reviews on (S9.1, Điều 9), and tells the submissions of it. Returns how many; call it again
/// while it is `limit`.
pub fn pass_overdue_on(tx: &mut Tx, limit: usize) -> Result<usize> {
    review::step_telling(tx, limit, submission::decided)
}

/// Moves messages within an account, as IMAP and JMAP do. Out of "Chờ duyệt" a move is a decision: to "Đã duyệt", "Trả
/// lại" or "Từ chối" by a reviewer, to Drafts by the author who takes the message back. Every other move from or to a
/// mailbox of the review is refused.
pub fn move_messages(
    tx: &mut Tx,
    site: &Site,
    who: &SignedIn,
    (account, from, to): (AccountId, MailboxId, MailboxId),
    uids: &[Uid],
    ahead: &ReadAhead,
) -> Result<Copied> {
    // Who may not see the account learns nothing of its mailboxes.
    act_for::<right::Read>(tx, who, account)?;
    let source = congvu_mail::mailbox(tx, account, from)?.role;
    let target = congvu_mail::mailbox(tx, account, to)?;
    if source != Role::Awaiting {
        let acting = act_for::<right::Draft>(tx, who, account)?;
        return congvu_mail::move_messages(tx, &acting, from, to, uids);
    }
    let step = match target.role {
        Role::Approved => Some(DecisionKind::Approve),
        Role::Returned => Some(DecisionKind::Return),
        Role::Rejected => Some(DecisionKind::Reject),
        Role::Drafts => None,
        _ => return Err(RefusalKind::NoRight.into()),
    };
    let mut all = Copied { uidvalidity: target.uidvalidity, uids: Vec::with_capacity(uids.len()) };
    for uid in uids {
        // A UID that is gone is passed over (RFC 9051 §6.4.9).
        let Some(id) = waiting_at(tx, account, from, *uid)? else { continue };
        let moved = match step {
            Some(kind) => {
                let decision = Decision { kind, comment: None, seen: Seen::InMailbox };
                carry_out(tx, site, who, id, &decision, ahead)?.1
            }
            None => take_back(tx, who, id)?.moved,
        };
        all.uids.extend(moved.uids);
    }
    Ok(all)
}

fn waiting_at(
    snapshot: &Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    uid: Uid,
) -> Result<Option<ReviewId>> {
    let found = review::review_at(snapshot, account, mailbox, uid)?;
    Ok(found.filter(|r| r.state == ReviewState::Awaiting).map(|r| r.id))
}
