//! Tells who sent something that it did not leave, by mail within the house.

use super::Submission;
use congvu_directory::{account, account_quota, own_account, person};
use congvu_mail::{DeliverOptions, Role, Target};
use congvu_message::{Notice, notice};
use congvu_storage::Tx;
use congvu_types::{Error, Language, Refusal, Result, sentence};

/// Tells the sender, in their own account or else in the one that they sent from; returns the reason in their language. An
/// account without room goes without: the reason stands in the submission.
pub(super) fn tell(tx: &mut Tx, submission: &Submission, refusal: &Refusal) -> Result<String> {
    let who = person(tx, submission.person)?;
    let language = who.as_ref().map_or(Language::Vietnamese, |p| p.language);
    let reason = refusal.sentence(language);
    let shared = account(tx, submission.account)?;
    let target = own_account(tx, submission.person)?.unwrap_or_else(|| shared.clone());
    let address = shared.address.to_string();
    let values = [
        ("name", who.as_ref().map_or("", |p| p.name.as_str())),
        ("subject", submission.subject.as_str()),
        ("account", address.as_str()),
        ("reason", reason.as_str()),
    ];
    let from = format!("postmaster@{}", shared.address.domain());
    let from = from.parse().map_err(|e| Error::fault("making the postmaster's address", e))?;
    let unique = tx.new_id().to_string();
    let raw = notice(&Notice {
        from: &from,
        from_name: &sentence(language, "submission.notice.from", &[]),
        to: &target.address,
        subject: &sentence(language, "submission.notice.refused.subject", &values),
        text: &sentence(language, "submission.notice.refused.text", &values),
        about: None,
        at: tx.now(),
        unique: &unique,
    });
    let message = congvu_mail::prepare(&raw)?;
    let quota = account_quota(tx, target.id)?;
    let used = congvu_mail::usage(tx, target.id)?.bytes;
    if quota.is_some_and(|quota| used.saturating_add(message.size() as u64) > quota) {
        tracing::warn!(account = target.id.get(), "no room for a notice about a submission");
        return Ok(reason);
    }
    congvu_mail::deliver(tx, target.id, Target::Role(Role::Inbox), &message, &DeliverOptions::default())?;
    Ok(reason)
}
