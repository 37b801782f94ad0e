//! A message comes in: to the accounts of its recipients, in one transaction.

use crate::{
    Action, Site, Verdict,
    dsn::{self, Fate, Original, Outcome},
    fanout,
    local::{self, AT_ONCE, Local},
};
use congvu_casework::review::Envelope;
use congvu_mail::{PreparedMessage, Role};
use congvu_storage::Tx;
use congvu_types::{EmailAddress, Flags, Refusal, RefusalKind, Result};

/// A message that came in, stamped and prepared.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Names this arrival. Unique a transfer, such as the id in its Received field.
    pub id: String,
    /// From whom to whom.
    pub envelope: Envelope,
    /// The message; its blob is staged.
    pub message: PreparedMessage,
    /// Whether it goes to Junk.
    pub is_junk: bool,
    /// Whether the door has one answer for all recipients (RFC 5321 §3.3) or one for each (RFC 2033 §4.2).
    pub one_answer: bool,
}

impl Arrival {
    /// Makes an arrival as a verdict says.
    #[must_use]
    pub fn new(id: String, envelope: Envelope, message: PreparedMessage, verdict: &Verdict) -> Self {
        Self { id, envelope, message, is_junk: verdict.action == Action::Junk, one_answer: true }
    }

    /// Sends no news of success: of what is junk, or whose sender nothing vouches for, reports would go to whoever was
    /// named as the sender, with a text of the writer's choice.
    #[must_use]
    pub fn without_good_news(mut self) -> Self {
        for recipient in &mut self.envelope.recipients {
            recipient.notify.success = false;
        }
        self
    }
}

/// What became of one recipient, in the order of the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The recipient.
    pub address: EmailAddress,
    /// Stored (in the account, or as a job that will deliver), or why not.
    pub outcome: Result<(), Refusal>,
}

/// Takes a message in. Up to 64 accounts are written here, in ascending order; for more the job is what is stored.
/// When the answer is `Ok`, each recipient has an answer of its own (RFC 2033 §4.2); a
/// door with one answer for all refuses when all are refused, and of the others the sender is told by a report.
pub fn receive(tx: &mut Tx, site: &Site, arrival: &Arrival) -> Result<Vec<Receipt>> {
    let recipients = &arrival.envelope.recipients;
    let routed = local::route(tx, site, recipients)?;
    let mut outcomes: Vec<Result<(), Refusal>> = vec![Ok(()); recipients.len()];
    let refused = routed.unknown.iter().map(|p| (*p, RefusalKind::UnknownRecipient));
    let refused = refused.chain(routed.elsewhere.iter().map(|p| (*p, RefusalKind::RelayDenied)));
    for (place, kind) in refused {
        outcomes[place] = Err(Refusal::new(kind).with("address", &recipients[place].address));
    }
    let folder = if arrival.is_junk { Role::Junk } else { Role::Inbox };
    let local = Local {
        key: &arrival.id,
        folder,
        message: &arrival.message,
        flags: Flags::NONE,
        mail_from: arrival.envelope.mail_from.as_ref(),
    };
    if routed.local.len() > AT_ONCE {
        fanout::create(tx, &local, &arrival.envelope, &routed.local, None)?;
    } else {
        for (account, places) in &routed.local {
            let outcome = local::deliver(tx, *account, &local)?;
            for place in places {
                outcomes[*place].clone_from(&outcome);
            }
        }
        report_success(
            tx,
            site,
            arrival,
            &routed.local.into_values().flatten().collect::<Vec<_>>(),
            &outcomes,
        )?;
    }
    if arrival.one_answer && outcomes.iter().any(Result::is_ok) {
        report_failures(tx, site, arrival, &outcomes)?;
    }
    let receipts = recipients.iter().zip(outcomes);
    Ok(receipts.map(|(r, outcome)| Receipt { address: r.address.clone(), outcome }).collect())
}

/// RFC 3461 §4.1: who asked for NOTIFY=SUCCESS hears of it.
fn report_success(
    tx: &mut Tx,
    site: &Site,
    arrival: &Arrival,
    places: &[usize],
    outcomes: &[Result<(), Refusal>],
) -> Result<()> {
    let delivered = places.iter().filter(|p| outcomes[**p].is_ok());
    let delivered: Vec<Outcome> = delivered
        .map(|p| &arrival.envelope.recipients[*p])
        .filter(|r| r.notify.success)
        .map(|r| Outcome::new(r, Fate::Delivered, "2.1.5"))
        .collect();
    let original = Original::of(&arrival.envelope, arrival.message.blob.hash(), tx.now());
    dsn::send(tx, site, &original, &delivered)
}

/// RFC 5321 §3.6.2: what was accepted for some is reported undelivered to those who refused it meanwhile.
fn report_failures(
    tx: &mut Tx,
    site: &Site,
    arrival: &Arrival,
    outcomes: &[Result<(), Refusal>],
) -> Result<()> {
    let refused = arrival.envelope.recipients.iter().zip(outcomes);
    let failed: Vec<Outcome> = refused
        .filter_map(|(recipient, outcome)| {
            let status = match outcome.as_ref().err()?.kind {
                // RFC 3463 §3.3: mailbox full.
                RefusalKind::OverQuota => "5.2.2",
                _ => "5.1.1",
            };
            Some(Outcome::new(recipient, Fate::Failed, status))
        })
        .collect();
    let original = Original::of(&arrival.envelope, arrival.message.blob.hash(), tx.now());
    dsn::send(tx, site, &original, &failed)
}
