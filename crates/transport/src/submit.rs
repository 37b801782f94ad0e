//! Somebody sends: the one verb that every door calls.

use crate::{Site, local, queue};
use congvu_casework::review::{self, Clearance, Draft};
use congvu_directory::{Acting, SignedIn, right, sender, still_signed_in};
use congvu_storage::Tx;
use congvu_types::{Citation, EmailAddress, Refusal, RefusalKind, Result, ReviewId};

/// Where a message that left went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// How many recipients have it already, or will by a job of this server.
    pub here: usize,
    /// How many are queued to other servers, or captured.
    pub elsewhere: usize,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It left.
    Sent(Sent),
    /// It waits for a decision, by this article.
    AwaitingReview(ReviewId, Citation),
}

/// No message has more recipients than this (RFC 5321 §4.5.3.1.8 asks for 100).
pub const MAX_RECIPIENTS: usize = 1000;

/// Submits a message. The envelope sender and every address of `From`, `Sender` and their `Resent-` kin must be addresses
/// that the person may use (RFC 6409 §6.1, S3.1b); when one of them is of an account under review, the message is held
/// (S9.1, Điều 9), and when they are of several such accounts it is refused. An address of ours that nobody has refuses the
/// whole message.
pub fn submit(tx: &mut Tx, site: &Site, who: &SignedIn, draft: &Draft) -> Result<Submitted> {
    let acting = check(tx, site, who, draft)?;
    match review::clear(tx, &acting, draft)? {
        Clearance::Cleared(cleared) => Ok(Submitted::Sent(queue::enqueue(tx, site, cleared)?)),
        Clearance::Held(held) => Ok(Submitted::AwaitingReview(held.id, held.citation)),
    }
}

/// Asks all that can be asked before the gate. Returned is the proof for the account that decides.
pub(crate) fn check(tx: &Tx, site: &Site, who: &SignedIn, draft: &Draft) -> Result<Acting<right::Submit>> {
    still_signed_in(tx, who)?;
    let recipients = &draft.envelope().recipients;
    if recipients.is_empty() {
        return Err(RefusalKind::NoRecipients.into());
    }
    if recipients.len() > MAX_RECIPIENTS {
        return Err(Refusal::new(RefusalKind::TooMany).with("most", MAX_RECIPIENTS).into());
    }
    let acting = senders(tx, who, draft)?;
    let routed = local::route(tx, site, recipients)?;
    if routed.unknown.is_empty() {
        return Ok(acting);
    }
    let unknown = routed.unknown.iter().filter_map(|place| recipients.get(*place));
    let refusal = Refusal::new(RefusalKind::UnknownRecipient);
    Err(unknown.fold(refusal, |refusal, unknown| refusal.with("address", &unknown.address)).into())
}

/// The proof for every address that the message is sent from. Returned is the one that decides: of the account under
/// review if there is one, else of the first author. One decision cannot stand for two accounts, whose reviewers differ,
/// nor one agency's regulation for another's (S9.1, Điều 9).
fn senders(tx: &Tx, who: &SignedIn, draft: &Draft) -> Result<Acting<right::Submit>> {
    let fields = draft.fields();
    let mut addresses: Vec<&EmailAddress> = fields.all().collect();
    addresses.extend(&draft.envelope().mail_from);
    let mut chosen: Option<(Acting<right::Submit>, Option<Citation>)> = None;
    for address in &addresses {
        let acting = sender(tx, who, address)?;
        let rule = review::review_rule(tx, &acting)?;
        let Some((before, rule_before)) = &chosen else {
            chosen = Some((acting, rule));
            continue;
        };
        if acting.account() == before.account() {
            continue;
        }
        let both_reviewed = rule.is_some() && rule_before.is_some();
        if both_reviewed || acting.agency() != before.agency() {
            return Err(several(&addresses, rule.as_ref().or(rule_before.as_ref())).into());
        }
        if rule.is_some() {
            chosen = Some((acting, rule));
        }
    }
    chosen.map(|(acting, _)| acting).ok_or_else(|| RefusalKind::InvalidMessage.into())
}

fn several(addresses: &[&EmailAddress], rule: Option<&Citation>) -> Refusal {
    let mut named: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    named.sort_unstable();
    named.dedup();
    let refusal = Refusal::new(RefusalKind::SeveralSenders).with("addresses", named.join(", "));
    match rule {
        Some(citation) => refusal.citing(citation),
        None => refusal,
    }
}
