//! What did not leave is a draft again: nothing that somebody wrote is lost.

use super::Submission;
use congvu_directory::account_quota;
use congvu_mail::{DeliverOptions, Role, Target, email_places, mailbox, mailbox_by_role, move_as_system};
use congvu_storage::Tx;
use congvu_types::{Flags, Result};

/// Puts the message of a submission that was refused back among the drafts: from Sent, where a client files it when it sends
/// (RFC 8621 §7.5 `onSuccessUpdateEmail`), or from the bytes of the submission when the draft is gone. Without room it
/// stays as it is: the bytes are kept with the submission.
pub(super) fn give_back(tx: &mut Tx, submission: &Submission) -> Result<()> {
    let account = submission.account;
    let Some(drafts) = mailbox_by_role(tx, account, Role::Drafts)? else { return Ok(()) };
    if let Some(place) = email_places(tx, account, &[submission.email])?.first() {
        if mailbox(tx, account, place.mailbox)?.role == Role::Sent {
            move_as_system(tx, account, place.mailbox, drafts.id, &[place.uid])?;
        }
        return Ok(());
    }
    let message = congvu_mail::prepare_stored(tx, &submission.blob)?;
    let used = congvu_mail::usage(tx, account)?.bytes;
    if account_quota(tx, account)?.is_some_and(|quota| used.saturating_add(message.size() as u64) > quota) {
        tracing::warn!(account = account.get(), "no room for the draft of a submission that was refused");
        return Ok(());
    }
    let options = DeliverOptions { flags: Flags::DRAFT.with(Flags::SEEN), ..DeliverOptions::default() };
    congvu_mail::deliver(tx, account, Target::Mailbox(drafts.id), &message, &options).map(drop)
}
