//! What the system tells people about a review, by mail within the house.

use super::{read::Review, state::ReviewState};
use congvu_directory::{PersonRow, account, own_account, person};
use congvu_mail::{DeliverOptions, Role, Target};
use congvu_message::{Notice, notice};
use congvu_storage::Tx;
use congvu_types::{AccountId, EmailAddress, Error, Language, PersonId, Result, Timestamp, sentence};

/// Tells the author what was decided: in their own account, or in the shared one by name.
pub(super) fn tell_author(tx: &mut Tx, review: &Review, decider: &str) -> Result<()> {
    let key = match review.state {
        ReviewState::Approved if review.is_waiting => "review.notice.approvedLater",
        ReviewState::Approved => "review.notice.approved",
        ReviewState::Returned => "review.notice.returned",
        ReviewState::Rejected => "review.notice.rejected",
        ReviewState::Awaiting | ReviewState::Withdrawn => return Ok(()),
    };
    let language = person(tx, review.author)?.map_or(Language::Vietnamese, |p| p.language);
    send(tx, review, (review.author, &review.author_name, language), (key, decider))
}

/// Tells a deputy that the decision passed on to them.
pub(super) fn tell_deputy(tx: &mut Tx, review: &Review, deputy: &PersonRow) -> Result<()> {
    let whom = (deputy.id, deputy.name.as_str(), deputy.language);
    send(tx, review, whom, ("review.notice.passedOn", &review.author_name))
}

fn send(
    tx: &mut Tx,
    review: &Review,
    (whom, name, language): (PersonId, &str, Language),
    (key, other): (&str, &str),
) -> Result<()> {
    let shared = account(tx, review.account)?;
    let target = own_account(tx, whom)?.unwrap_or_else(|| shared.clone());
    let none = sentence(language, "review.notice.noComment", &[]);
    let citation = review.citation.to_string();
    let comment = review.comment.as_deref().filter(|_| review.decided_at.is_some()).unwrap_or(&none);
    let address = shared.address.to_string();
    let leaves_at = review.not_before.map(Timestamp::rfc5322).unwrap_or_default();
    let values = [
        ("time", leaves_at.as_str()),
        ("name", name),
        ("subject", review.subject.as_str()),
        ("account", address.as_str()),
        ("other", other),
        ("comment", comment),
        ("citation", citation.as_str()),
        ("instrument", review.citation.instrument.as_str()),
    ];
    let subject = sentence(language, &format!("{key}.subject"), &values);
    let text = sentence(language, &format!("{key}.text"), &values);
    let from = postmaster(&shared.address)?;
    let unique = tx.new_id().to_string();
    let raw = notice(&Notice {
        from: &from,
        from_name: &sentence(language, "review.notice.from", &[]),
        to: &target.address,
        subject: &subject,
        text: &text,
        about: review.message_id.as_deref(),
        at: tx.now(),
        unique: &unique,
    });
    deliver(tx, target.id, &raw)
}

/// A full account does not stop a decision: the outcome stands in the review and in the mailboxes.
fn deliver(tx: &mut Tx, account: AccountId, raw: &[u8]) -> Result<()> {
    let message = congvu_mail::prepare(raw)?;
    let quota = congvu_directory::account_quota(tx, account)?;
    let used = congvu_mail::usage(tx, account)?.bytes;
    if quota.is_some_and(|quota| used.saturating_add(message.size() as u64) > quota) {
        tracing::warn!(account = account.get(), "no room for a notice about a review");
        return Ok(());
    }
    congvu_mail::deliver(tx, account, Target::Role(Role::Inbox), &message, &DeliverOptions::default())?;
    Ok(())
}

fn postmaster(address: &EmailAddress) -> Result<EmailAddress> {
    let text = format!("postmaster@{}", address.domain());
    text.parse().map_err(|e| Error::fault("making the postmaster's address", e))
}
