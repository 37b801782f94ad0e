//! Accounts (hộp thư công vụ) and which address leads to which.

use crate::{RightKind, people::agency_by_domain};
use congvu_regulation::AccountKind;
use congvu_storage::{Chain, Event, Row, Snapshot, Tx, params};
use congvu_types::{AccountId, AgencyId, Domain, EmailAddress, Error, PersonId, RefusalKind, Result};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The id.
    pub id: AccountId,
    /// The agency.
    pub agency: AgencyId,
    /// The address.
    pub address: EmailAddress,
    /// What kind.
    pub kind: AccountKind,
    /// Who holds a personal or position account.
    pub owner: Option<PersonId>,
    /// How many bytes it may hold; `None` is without limit.
    pub quota_bytes: Option<u64>,
}

fn row(r: &Row<'_>) -> Result<AccountRow> {
    let kind = r.text(3)?;
    Ok(AccountRow {
        id: AccountId::new(r.i64(0)?),
        agency: AgencyId::new(r.i64(1)?),
        address: r.text(2)?.parse().map_err(|e| Error::fault("reading an account's address", e))?,
        kind: AccountKind::by_name(&kind).ok_or_else(|| Error::fault("reading an account", kind))?,
        owner: r.opt_i64(4)?.map(PersonId::new),
        quota_bytes: r.opt_i64(5)?.and_then(|q| u64::try_from(q).ok()),
    })
}

/// Returns an account.
pub fn account(snapshot: &Snapshot, id: AccountId) -> Result<AccountRow> {
    snapshot
        .query_opt(
            "SELECT id, agency_id, address, kind, owner_id, quota_bytes FROM account WHERE id = ?1",
            &params![id.get()],
            row,
        )?
        .ok_or_else(|| RefusalKind::NotFound.into())
}

/// Returns the account of an address.
pub fn account_by_address(snapshot: &Snapshot, address: &EmailAddress) -> Result<Option<AccountRow>> {
    snapshot.query_opt(
        "SELECT id, agency_id, address, kind, owner_id, quota_bytes FROM account WHERE address_key = ?1",
        &params![address.key()],
        row,
    )
}

/// Returns the account that a person holds, the personal one before one of a position; `None` when they share alone.
pub fn own_account(snapshot: &Snapshot, person: PersonId) -> Result<Option<AccountRow>> {
    let held = snapshot.query(
        "SELECT id, agency_id, address, kind, owner_id, quota_bytes FROM account WHERE owner_id = ?1
         ORDER BY address_key LIMIT 100",
        &params![person.get()],
        row,
    )?;
    Ok(held.into_iter().max_by_key(|a| (a.kind == AccountKind::Personal, std::cmp::Reverse(a.address.key()))))
}

/// Returns every account by address.
pub fn accounts(snapshot: &Snapshot) -> Result<Vec<AccountRow>> {
    snapshot.query(
        "SELECT id, agency_id, address, kind, owner_id, quota_bytes FROM account ORDER BY address_key",
        &[],
        row,
    )
}

/// Where mail for an address goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// To an account here.
    Account(AccountId),
    /// The domain is ours, the address is not.
    Unknown,
    /// The domain is not ours.
    Elsewhere,
}

/// Returns where mail for `address` goes; `name+detail` goes to `name` (RFC 5233).
pub fn recipient(snapshot: &Snapshot, address: &EmailAddress) -> Result<Recipient> {
    let find = |address: &EmailAddress| {
        snapshot.query_opt("SELECT id FROM account WHERE address_key = ?1", &params![address.key()], |r| {
            Ok(AccountId::new(r.i64(0)?))
        })
    };
    if let Some(id) = find(address)? {
        return Ok(Recipient::Account(id));
    }
    if let Some(base) = address.without_detail()
        && let Some(id) = find(&base)?
    {
        return Ok(Recipient::Account(id));
    }
    if is_local_domain(snapshot, address.domain())? {
        Ok(Recipient::Unknown)
    } else {
        Ok(Recipient::Elsewhere)
    }
}

/// Returns the account that answers for a domain of ours, or for all: the oldest of an agency that somebody manages, else
/// the oldest that there is.
pub fn managed_account(snapshot: &Snapshot, domain: Option<&Domain>) -> Result<Option<AccountId>> {
    snapshot.query_opt(
        "SELECT a.id FROM account a JOIN agency g ON g.id = a.agency_id WHERE (?1 = '' OR g.domain = ?1)
         ORDER BY CASE WHEN EXISTS (SELECT 1 FROM account_grant t WHERE t.account_id = a.id AND t.rights >= ?2)
             THEN 0 ELSE 1 END, CASE a.kind WHEN 'agency' THEN 0 ELSE 1 END, a.id LIMIT 1",
        &params![domain.map_or("", Domain::as_str), 1_i64 << RightKind::Manage as u8],
        |r| Ok(AccountId::new(r.i64(0)?)),
    )
}

/// Returns whether a domain is one of ours.
pub fn is_local_domain(snapshot: &Snapshot, domain: &Domain) -> Result<bool> {
    Ok(agency_by_domain(snapshot, domain)?.is_some())
}

/// Sets how many bytes an account may hold.
pub fn set_quota(tx: &mut Tx, address: &EmailAddress, quota_bytes: Option<u64>) -> Result<()> {
    let account = account_by_address(tx, address)?.ok_or(Error::from(RefusalKind::NotFound))?;
    tx.execute("UPDATE account SET quota_bytes = ?2 WHERE id = ?1", &params![account.id.get(), quota_bytes])?;
    tx.record(
        Chain::Agency(account.agency),
        &Event {
            name: "account.quota_set",
            subject: address.to_string(),
            citation: None,
            details: serde_json::json!({ "bytes": quota_bytes }),
        },
    )
}

/// Returns how many bytes an account may hold; `None` is without limit.
pub fn account_quota(snapshot: &Snapshot, id: AccountId) -> Result<Option<u64>> {
    let found =
        snapshot.query_opt("SELECT quota_bytes FROM account WHERE id = ?1", &params![id.get()], |r| {
            r.opt_i64(0)
        })?;
    Ok(found.flatten().and_then(|quota| u64::try_from(quota).ok()))
}
