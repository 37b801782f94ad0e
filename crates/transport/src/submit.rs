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
const MAX_RECIPIENTS: usize = 1000;

/// Submits a message. The envelope sender and every address of `From` and `Sender` must be addresses that the person may
/// use (RFC 6409 §6.1, S3.1b); when one of them is of an account under review, the message is held (S9.1, Điều 9). An
/// address of ours that nobody has refuses the whole message.
pub fn submit(tx: &mut Tx, site: &Site, who: &SignedIn, draft: &Draft) -> Result<Submitted> {
    still_signed_in(tx, who)?;
    let recipients = &draft.envelope().recipients;
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        return Err(RefusalKind::TooMany.into());
    }
    let acting = senders(tx, who, draft)?;
    let routed = local::route(tx, recipients)?;
    if let Some(place) = routed.unknown.first() {
        let address = &recipients[*place].address;
        return Err(Refusal::new(RefusalKind::UnknownRecipient).with("address", address).into());
    }
    match review::clear(tx, &acting, draft)? {
        Clearance::Cleared(cleared) => Ok(Submitted::Sent(queue::enqueue(tx, site, cleared)?)),
        Clearance::Held(held) => Ok(Submitted::AwaitingReview(held.id, held.citation)),
    }
}

/// The proof for every address that the message is sent from. Returned is the one that decides: of an account under
/// review if there is one, else of the first author.
fn senders(tx: &Tx, who: &SignedIn, draft: &Draft) -> Result<Acting<right::Submit>> {
    let fields = draft.fields();
    let mut addresses: Vec<&EmailAddress> = fields.from.iter().chain(&fields.sender).collect();
    addresses.extend(&draft.envelope().mail_from);
    let mut chosen: Option<Acting<right::Submit>> = None;
    for address in addresses {
        let acting = sender(tx, who, address)?;
        if chosen.is_none() || review::is_reviewed(tx, &acting)? {
            let settled = match &chosen {
                Some(before) => review::is_reviewed(tx, before)?,
                None => false,
            };
            if !settled {
                chosen = Some(acting);
            }
        }
    }
    chosen.ok_or_else(|| RefusalKind::InvalidMessage.into())
}
