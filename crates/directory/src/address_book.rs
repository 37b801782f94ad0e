//! The agency's address book (danh bạ): its accounts, with who holds them.

use congvu_regulation::AccountKind;
use congvu_storage::{Snapshot, params};
use congvu_types::{AgencyId, Error, Result};

/// An account as colleagues find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEntry {
    /// The address.
    pub address: String,
    /// What kind of account.
    pub kind: AccountKind,
    /// Who holds it; the agency's name for its own account; nothing for a unit's.
    pub name: Option<String>,
    /// The position of who holds it.
    pub position: Option<String>,
}

/// Returns up to `most` accounts of an agency by address, but those of people who may not sign in any more.
pub fn address_book(snapshot: &Snapshot, agency: AgencyId, most: usize) -> Result<Vec<BookEntry>> {
    snapshot.query(
        "SELECT a.address, a.kind, p.name, p.position, g.name FROM account a JOIN agency g ON g.id = a.agency_id
            LEFT JOIN person p ON p.id = a.owner_id
         WHERE a.agency_id = ?1 AND (a.owner_id IS NULL OR p.active = 1) ORDER BY a.address_key LIMIT ?2",
        &params![agency.get(), most],
        |r| {
            let kind = r.text(1)?;
            let kind = AccountKind::by_name(&kind).ok_or_else(|| Error::fault("reading an account", kind))?;
            let of_agency = match kind {
                AccountKind::Agency => r.opt_text(4)?,
                _ => None,
            };
            Ok(BookEntry { address: r.text(0)?, kind, name: r.opt_text(2)?.or(of_agency), position: r.opt_text(3)? })
        },
    )
}
