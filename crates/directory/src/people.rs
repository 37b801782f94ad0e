//! Agencies and people.

use congvu_storage::{Row, Snapshot, params};
use congvu_types::{AccountId, AgencyId, Domain, EmailAddress, Language, PersonId, Result};

/// An agency (cơ quan), the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyRow {
    /// Its id.
    pub id: AgencyId,
    /// Its code, as in `username@code`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The domain of its addresses.
    pub domain: String,
}

/// A person: the one who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The id.
    pub id: PersonId,
    /// The agency.
    pub agency: AgencyId,
    /// The agency's code.
    pub agency_code: String,
    /// The name to sign in with.
    pub username: String,
    /// The full name.
    pub name: String,
    /// The unit's code.
    pub unit: Option<String>,
    /// The position.
    pub position: Option<String>,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Grows with every change of credentials or of `is_active`.
    pub(crate) version: i64,
    /// The language of the interface.
    pub language: Language,
}

impl PersonRow {
    /// Returns the form that signs in: `username@agency-code`.
    #[must_use]
    pub fn login(&self) -> String {
        format!("{}@{}", self.username, self.agency_code)
    }
}

fn row(r: &Row<'_>) -> Result<PersonRow> {
    Ok(PersonRow {
        id: PersonId::new(r.i64(0)?),
        agency: AgencyId::new(r.i64(1)?),
        agency_code: r.text(2)?,
        username: r.text(3)?,
        name: r.text(4)?,
        unit: r.opt_text(5)?,
        position: r.opt_text(6)?,
        is_active: r.i64(7)? != 0,
        version: r.i64(8)?,
        language: Language::from_tag(&r.text(9)?),
    })
}

/// Returns a person.
pub fn person(snapshot: &Snapshot, id: PersonId) -> Result<Option<PersonRow>> {
    snapshot.query_opt(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM person p JOIN agency a ON a.id = p.agency_id WHERE p.id = ?1",
        &params![id.get()],
        row,
    )
}

/// Returns every person, by agency and user name.
pub fn people(snapshot: &Snapshot) -> Result<Vec<PersonRow>> {
    snapshot.query(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM person p JOIN agency a ON a.id = p.agency_id ORDER BY a.code, p.username",
        &[],
        row,
    )
}

/// Returns the people of an agency who hold a position and may sign in.
pub fn people_in_position(snapshot: &Snapshot, agency: AgencyId, position: &str) -> Result<Vec<PersonRow>> {
    snapshot.query(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM person p JOIN agency a ON a.id = p.agency_id
         WHERE p.agency_id = ?1 AND p.position = ?2 AND p.active = 1 ORDER BY p.id LIMIT 100",
        &params![agency.get(), position],
        row,
    )
}

/// Finds who signs in with `login`: `username@agency-code`, or the address of an account that they own.
pub fn person_by_login(snapshot: &Snapshot, login: &str) -> Result<Option<PersonRow>> {
    let Some((username, place)) = login.rsplit_once('@') else { return Ok(None) };
    let found = snapshot.query_opt(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM person p JOIN agency a ON a.id = p.agency_id WHERE a.code = ?1 AND p.username = ?2",
        &params![place.to_ascii_lowercase(), username.to_lowercase()],
        row,
    )?;
    if found.is_some() {
        return Ok(found);
    }
    let Ok(address) = login.parse::<EmailAddress>() else { return Ok(None) };
    snapshot.query_opt(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM account c JOIN person p ON p.id = c.owner_id JOIN agency a ON a.id = p.agency_id
         WHERE c.address_key = ?1",
        &params![address.key()],
        row,
    )
}

/// Returns an agency.
pub fn agency(snapshot: &Snapshot, id: AgencyId) -> Result<AgencyRow> {
    snapshot.query_one("SELECT id, code, name, domain FROM agency WHERE id = ?1", &params![id.get()], |r| {
        Ok(AgencyRow { id: AgencyId::new(r.i64(0)?), code: r.text(1)?, name: r.text(2)?, domain: r.text(3)? })
    })
}

/// Returns the agency whose domain this is.
pub(crate) fn agency_by_domain(snapshot: &Snapshot, domain: &Domain) -> Result<Option<AgencyId>> {
    snapshot.query_opt("SELECT id FROM agency WHERE domain = ?1", &params![domain.as_str()], |r| {
        Ok(AgencyId::new(r.i64(0)?))
    })
}

/// A unit of an agency (phòng).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// Returns the units of an agency, by name.
pub fn units(snapshot: &Snapshot, agency: AgencyId) -> Result<Vec<UnitRow>> {
    snapshot.query(
        "SELECT code, name FROM unit WHERE agency_id = ?1 ORDER BY name, code LIMIT 1000",
        &params![agency.get()],
        |r| Ok(UnitRow { code: r.text(0)?, name: r.text(1)? }),
    )
}

/// Returns a unit of an agency by its code.
pub fn unit(snapshot: &Snapshot, agency: AgencyId, code: &str) -> Result<Option<UnitRow>> {
    snapshot.query_opt(
        "SELECT code, name FROM unit WHERE agency_id = ?1 AND code = ?2",
        &params![agency.get(), code],
        |r| Ok(UnitRow { code: r.text(0)?, name: r.text(1)? }),
    )
}

/// Returns who may use an account, its owner or by a grant, and may sign in; by name.
pub fn users_of(snapshot: &Snapshot, account: AccountId) -> Result<Vec<PersonRow>> {
    snapshot.query(
        "SELECT p.id, p.agency_id, a.code, p.username, p.name, p.unit, p.position, p.active, p.version, p.language
         FROM person p JOIN agency a ON a.id = p.agency_id
         WHERE p.active = 1 AND p.id IN (SELECT person_id FROM account_grant WHERE account_id = ?1 AND rights <> 0
            UNION SELECT owner_id FROM account WHERE id = ?1) ORDER BY p.name, p.id LIMIT 1000",
        &params![account.get()],
        row,
    )
}
