//! Who a message from outside says it is, when that is one of us.

use crate::Site;
use congvu_directory::{Recipient, account, is_local_domain, recipient, regulation_of};
use congvu_message::Authors;
use congvu_storage::Snapshot;
use congvu_types::{Citation, Domain, EmailAddress, Result};

/// A sender of ours, as a message says that nobody signed in to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The address.
    pub address: EmailAddress,
    /// The article by which what this account sends is reviewed (S9.1, Điều 9); `None` when it is not.
    pub review: Option<Citation>,
}

/// Of so many authors at most, and of each of their domains once, it is asked whether they are ours: what a stranger writes
/// must not cost thousands of lookups. A message of more authors than this is from several domains, or from one.
const MOST_AUTHORS: usize = 100;

/// Returns which of a message's authors, and its reverse-path, are addresses of domains of ours or of this host.
pub fn claims(
    snapshot: &Snapshot,
    site: &Site,
    authors: &Authors,
    mail_from: Option<&EmailAddress>,
) -> Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut asked: Vec<(&Domain, bool)> = Vec::new();
    for address in mail_from.into_iter().chain(authors.addresses.iter().take(MOST_AUTHORS)) {
        if claims.iter().any(|claim| claim.address == *address) {
            continue;
        }
        let domain = address.domain();
        let is_ours = match asked.iter().find(|(known, _)| *known == domain) {
            Some((_, is_ours)) => *is_ours,
            None => {
                let is_ours = site.is_host(domain) || is_local_domain(snapshot, domain)?;
                asked.push((domain, is_ours));
                is_ours
            }
        };
        if is_ours {
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
