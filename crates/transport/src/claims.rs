//! Who a message from outside says it is, when that is one of us.

use crate::Site;
use congvu_directory::{Recipient, account, is_local_domain, recipient, regulation_of};
use congvu_message::Authors;
use congvu_storage::Snapshot;
use congvu_types::{Citation, EmailAddress, Result};

/// A sender of ours, as a message says that nobody signed in to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The address.
    pub address: EmailAddress,
    /// The article by which what this account sends is reviewed (S9.1, Điều 9); `None` when it is not.
    pub review: Option<Citation>,
}

/// Returns which of a message's authors, and its reverse-path, are addresses of domains of ours or of this host.
pub fn claims(
    snapshot: &Snapshot,
    site: &Site,
    authors: &Authors,
    mail_from: Option<&EmailAddress>,
) -> Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = Vec::new();
    for address in mail_from.into_iter().chain(&authors.addresses) {
        if claims.iter().any(|claim| claim.address == *address) {
            continue;
        }
        if is_local_domain(snapshot, address.domain())? || site.is_host(address.domain()) {
            claims.push(Claim { address: address.clone(), review: review(snapshot, address)? });
        }
    }
    Ok(claims)
}

fn review(snapshot: &Snapshot, address: &EmailAddress) -> Result<Option<Citation>> {
    let Recipient::Account(id) = recipient(snapshot, address)? else { return Ok(None) };
    let row = account(snapshot, id)?;
    Ok(regulation_of(snapshot, row.agency)?.outgoing(row.kind).map(|rule| rule.citation.clone()))
}
