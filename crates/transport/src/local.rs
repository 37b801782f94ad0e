//! Where each recipient's mail goes, and delivery to accounts here.

use congvu_casework::review::EnvelopeRecipient;
use congvu_directory::Recipient;
use congvu_mail::{DeliverOptions, PreparedMessage, Role, Target};
use congvu_storage::{Snapshot, Tx};
use congvu_types::{AccountId, Error, Flags, Refusal, RefusalKind, Result};
use std::collections::BTreeMap;

/// At most this many accounts are written in one transaction; more become a job (docs: storage §3.4).
pub(crate) const AT_ONCE: usize = 64;

/// Recipients by where their mail goes; the numbers are their places in the envelope.
#[derive(Debug, Default)]
pub(crate) struct Routed {
    /// To accounts here, in the ascending order in which accounts are locked.
    pub(crate) local: BTreeMap<AccountId, Vec<usize>>,
    /// To other domains.
    pub(crate) elsewhere: Vec<usize>,
    /// To nobody: our domain, no such address.
    pub(crate) unknown: Vec<usize>,
}

/// Sorts recipients by where their mail goes.
pub(crate) fn route(snapshot: &Snapshot, recipients: &[EnvelopeRecipient]) -> Result<Routed> {
    let mut routed = Routed::default();
    for (place, recipient) in recipients.iter().enumerate() {
        match congvu_directory::recipient(snapshot, &recipient.address)? {
            Recipient::Account(account) => routed.local.entry(account).or_default().push(place),
            Recipient::Elsewhere => routed.elsewhere.push(place),
            Recipient::Unknown => routed.unknown.push(place),
        }
    }
    Ok(routed)
}

/// One message for accounts here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local<'a> {
    /// Names the delivery: the same key delivers once.
    pub(crate) key: &'a str,
    /// INBOX or Junk.
    pub(crate) folder: Role,
    /// The message.
    pub(crate) message: &'a PreparedMessage,
    /// Its flags.
    pub(crate) flags: Flags,
}

/// Delivers to one account. An account without room refuses before anything is written, so that the others of the same
/// transaction are not touched (S8.1, Điều 8).
pub(crate) fn deliver(tx: &mut Tx, account: AccountId, local: &Local<'_>) -> Result<Result<(), Refusal>> {
    let options = DeliverOptions {
        flags: local.flags,
        delivery_key: Some(local.key.to_owned()),
        ..DeliverOptions::default()
    };
    match congvu_mail::deliver(tx, account, Target::Role(local.folder), local.message, &options) {
        Ok(_) => Ok(Ok(())),
        Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::OverQuota => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}
