//! The gate: may this message leave now, or is it held for a decision?

use super::{Cleared, Draft, RuleHit, read, state::ReviewState};
use congvu_directory::{Acting, regulation_of, right};
use congvu_mail::{DeliverOptions, Delivered, Role, Target};
use congvu_message::Answer;
use congvu_regulation::{Decision as Ruling, OutgoingReview, Regulation};
use congvu_storage::{Chain, Event, Snapshot, Tx, params};
use congvu_types::{
    AccountId, Citation, Error, Refusal, RefusalKind, Result, ReviewId, SubmissionId, Timestamp,
};

/// What the gate says.
#[derive(Debug)]
pub enum Clearance {
    /// It may leave.
    Cleared(Cleared),
    /// It waits for a decision, whole.
    Held(Held),
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The review.
    pub id: ReviewId,
    /// The article that demands it.
    pub citation: Citation,
}

/// Returns the article by which what this account sends is reviewed; `None` when it is not.
pub fn review_rule(snapshot: &Snapshot, acting: &Acting<right::Submit>) -> Result<Option<Citation>> {
    let regulation = regulation_of(snapshot, acting.agency())?;
    Ok(regulation.outgoing(acting.kind()).map(|rule| rule.citation.clone()))
}

/// Asks what [`clear`] would say, changing nothing: the article by which the message would be held, if it would.
pub fn would_hold(
    snapshot: &Snapshot,
    acting: &Acting<right::Submit>,
    draft: &Draft,
) -> Result<Option<Citation>> {
    let regulation = regulation_of(snapshot, acting.agency())?;
    recipient_rules(&regulation, draft)?;
    Ok(regulation.outgoing(acting.kind()).map(|rule| rule.citation.clone()))
}

/// Refuses, with the article, an account under review to be one that answers by itself: nobody would decide on what it
/// says (S9.1, Điều 9).
pub fn may_answer_by_itself(snapshot: &Snapshot, account: AccountId) -> Result<()> {
    let row = congvu_directory::account(snapshot, account)?;
    match regulation_of(snapshot, row.agency)?.outgoing(row.kind) {
        Some(rule) => Err(Refusal::new(RefusalKind::NeedsReview).citing(&rule.citation).into()),
        None => Ok(()),
    }
}

/// Clears what an account answers by itself (RFC 3834): never for an account under review (S9.1, Điều 9), never to a domain
/// that the regulation refuses (S8.3a, Điều 8). The bytes are written here, so that nothing but such an answer is cleared this
/// way; the reverse-path is null (RFC 3834 §3.3).
pub fn clear_automatic(snapshot: &Snapshot, account: AccountId, answer: &Answer<'_>) -> Result<Cleared> {
    may_answer_by_itself(snapshot, account)?;
    let row = congvu_directory::account(snapshot, account)?;
    if *answer.from != row.address {
        return Err(Refusal::new(RefusalKind::SenderNotAllowed).with("address", answer.from).into());
    }
    let regulation = regulation_of(snapshot, row.agency)?;
    if let Ruling::Refused(citation) = regulation.recipient(answer.to.domain()) {
        let refusal = Refusal::new(RefusalKind::UnofficialDomain).citing(citation);
        return Err(refusal.with("address", answer.to).into());
    }
    Cleared::automatic(account, row.agency, answer)
}

/// Clears a message of an account that is not reviewed; holds every other whole: never some recipients now and some
/// later (S9.1, Điều 9). A recipient whom the regulation refuses stops the message (S8.3a, Điều 8).
pub fn clear(tx: &mut Tx, acting: &Acting<right::Submit>, draft: &Draft) -> Result<Clearance> {
    let regulation = regulation_of(tx, acting.agency())?;
    let hits = recipient_rules(&regulation, draft)?;
    match regulation.outgoing(acting.kind()) {
        None => Ok(Clearance::Cleared(Cleared::unreviewed(acting.account(), acting.agency(), draft))),
        Some(rule) => hold(tx, acting, draft, rule, &hits).map(Clearance::Held),
    }
}

/// S8.3a (Điều 8): what the regulation says of each recipient's domain, and of where the answers go.
fn recipient_rules(regulation: &Regulation, draft: &Draft) -> Result<Vec<RuleHit>> {
    let mut hits = Vec::new();
    let recipients = draft.envelope.recipients.iter().map(|r| (&r.address, false));
    let replies = draft.fields.reply_to.iter().map(|address| (address, true));
    for (address, is_reply_to) in recipients.chain(replies) {
        match regulation.recipient(address.domain()) {
            Ruling::Allowed => {}
            Ruling::Warned(citation) => {
                hits.push(RuleHit { address: address.to_string(), is_reply_to, citation: citation.clone() })
            }
            Ruling::Refused(citation) => {
                let refusal = Refusal::new(RefusalKind::UnofficialDomain).citing(citation);
                return Err(refusal.with("address", address).into());
            }
        }
    }
    Ok(hits)
}

fn hold(
    tx: &mut Tx,
    acting: &Acting<right::Submit>,
    draft: &Draft,
    rule: &OutgoingReview,
    hits: &[RuleHit],
) -> Result<Held> {
    let account = acting.account();
    congvu_mail::ensure_review_mailboxes(tx, account)?;
    let options = DeliverOptions::default();
    let placed = congvu_mail::deliver(tx, account, Target::Role(Role::Awaiting), &draft.message, &options)?;
    let id = ReviewId::new(tx.new_id());
    let now = tx.now();
    let due_at = rule.decide_within.map(|within| now.after(within));
    insert(tx, acting, draft, (id, &placed, now, due_at), (&rule.citation, hits))?;
    read::add_step(tx, (account, id), Some((acting.person(), acting.person_name())), "submitted", None)?;
    tx.record(
        Chain::Account(account),
        &Event {
            name: "review.submitted",
            subject: id.to_string(),
            citation: Some(&rule.citation),
            details: serde_json::json!({
                "digest": draft.digest.whole,
                "recipients": draft.envelope.recipients.len(),
                "via": draft.via,
            }),
        },
    )?;
    Ok(Held { id, citation: rule.citation.clone() })
}

fn insert(
    tx: &mut Tx,
    acting: &Acting<right::Submit>,
    draft: &Draft,
    (id, placed, now, due_at): (ReviewId, &Delivered, Timestamp, Option<Timestamp>),
    (citation, hits): (&Citation, &[RuleHit]),
) -> Result<()> {
    let summary = &draft.message.summary;
    tx.execute(
        "INSERT INTO review (account_id, id, agency_id, author_id, author_name, state, mailbox_id, uidvalidity, uid,
            email_id, blob_hash, size, subject, message_id, digest, envelope, citation, hits, submitted_at, due_at,
            level, version, submission_id, not_before, is_waiting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, 0, 0, ?21, ?22,
            0)",
        &params![
            acting.account().get(),
            id.get(),
            acting.agency().get(),
            acting.person().get(),
            acting.person_name(),
            ReviewState::Awaiting.as_str(),
            placed.mailbox.get(),
            placed.uidvalidity,
            placed.uid.0,
            placed.email.get(),
            draft.message.blob.hash().as_bytes(),
            draft.message.size(),
            &summary.subject,
            summary.message_id.clone(),
            json(&read::StoredDigest::of(&draft.digest))?,
            json(&*draft.envelope)?,
            json(citation)?,
            json(hits)?,
            now,
            due_at,
            draft.submission.map(SubmissionId::get),
            draft.not_before
        ],
    )?;
    Ok(())
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::fault("writing JSON", e))
}
