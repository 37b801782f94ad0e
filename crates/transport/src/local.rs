//! Where each recipient's mail goes, and delivery to accounts here.

use crate::{Site, vacation};
use congvu_casework::review::EnvelopeRecipient;
use congvu_directory::Recipient;
use congvu_mail::{DeliverOptions, PreparedMessage, Role, Target};
use congvu_storage::{Snapshot, Tx};
use congvu_types::{AccountId, EmailAddress, Error, Flags, Refusal, RefusalKind, Result};
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

/// Returns where mail for `address` goes. The postmaster of this host and of each domain of ours is always there (RFC 5321
/// §4.5.1): the account named in the configuration, else one that somebody manages. Nobody else is at the host's own name.
pub fn recipient(snapshot: &Snapshot, site: &Site, address: &EmailAddress) -> Result<Recipient> {
    let found = congvu_directory::recipient(snapshot, address)?;
    let is_host = site.is_host(address.domain());
    let is_ours = found == Recipient::Unknown || (found == Recipient::Elsewhere && is_host);
    if !is_ours || !address.local().eq_ignore_ascii_case("postmaster") {
        return Ok(if is_ours { Recipient::Unknown } else { found });
    }
    if let Some(named) = site.postmaster()
        && let account @ Recipient::Account(_) = congvu_directory::recipient(snapshot, named)?
    {
        return Ok(account);
    }
    let domain = (!is_host).then(|| address.domain());
    let steward = congvu_directory::managed_account(snapshot, domain)?;
    Ok(steward.map_or(Recipient::Unknown, Recipient::Account))
}

/// Sorts recipients by where their mail goes.
pub(crate) fn route(snapshot: &Snapshot, site: &Site, recipients: &[EnvelopeRecipient]) -> Result<Routed> {
    let mut routed = Routed::default();
    for (place, recipient) in recipients.iter().enumerate() {
        match self::recipient(snapshot, site, &recipient.address)? {
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
    /// Names the arrival, for the job that it may become.
    pub(crate) key: &'a str,
    /// INBOX or Junk.
    pub(crate) folder: Role,
    /// The message.
    pub(crate) message: &'a PreparedMessage,
    /// Its flags.
    pub(crate) flags: Flags,
    /// The reverse-path, to which the account may answer by itself.
    pub(crate) mail_from: Option<&'a EmailAddress>,
}

/// Delivers to one account. An account without room refuses before anything is written, so that the others of the same
/// transaction are not touched (S8.1, Điều 8). No delivery key: whoever delivers here ends what it delivers from, a job's
/// row or a decision, in the same transaction, and so never repeats it.
pub(crate) fn deliver(tx: &mut Tx, account: AccountId, local: &Local<'_>) -> Result<Result<(), Refusal>> {
    let options = DeliverOptions { flags: local.flags, ..DeliverOptions::default() };
    match congvu_mail::deliver(tx, account, Target::Role(local.folder), local.message, &options) {
        Ok(_) => {
            if let Some(sender) = local.mail_from.filter(|_| local.folder == Role::Inbox) {
                vacation::arrived(tx, account, sender, &local.message.blob.hash())?;
            }
            Ok(Ok(()))
        }
        Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::OverQuota => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}
