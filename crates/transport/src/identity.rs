//! As whom somebody writes (RFC 8621 §6): a name, where answers go, signatures. They belong to the account, so that everybody
//! who writes for the agency signs alike; whoever manages the account keeps them (docs/adr).
//!
//! An account has one from the beginning, whose id is the account's own number: its row is written when it is first changed,
//! so that reading writes nothing. Its address is the account's.

use crate::outgoing::{self, Changed, Kind, bury, next};
use congvu_directory::{Acting, account, agency, person, right};
use congvu_storage::{Chain, Event, Row, Snapshot, Tx, params};
use congvu_types::{AccountId, EmailAddress, Error, IdentityId, ModSeq, Refusal, RefusalKind, Result};
use serde::{Deserialize, Serialize};

/// A name and an address, as a client writes them into a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAddress {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: String,
}

/// As whom somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id.
    pub id: IdentityId,
    /// The name beside the address.
    pub name: String,
    /// The address.
    pub email: String,
    /// Where answers go, when it is elsewhere.
    pub reply_to: Option<Vec<NamedAddress>>,
    /// Who gets a blind copy.
    pub bcc: Option<Vec<NamedAddress>>,
    /// The signature of plain text.
    pub text_signature: String,
    /// The signature of HTML.
    pub html_signature: String,
    /// Whether it may be removed.
    pub may_delete: bool,
}

/// What may be changed of an identity: everything but the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityChange {
    /// The name.
    pub name: Option<String>,
    /// Where answers go; `Some(None)` is nowhere else.
    pub reply_to: Option<Option<Vec<NamedAddress>>>,
    /// Who gets a blind copy.
    pub bcc: Option<Option<Vec<NamedAddress>>>,
    /// The signature of plain text.
    pub text_signature: Option<String>,
    /// The signature of HTML.
    pub html_signature: Option<String>,
}

/// An account has so many identities at most.
pub const MOST_IDENTITIES: usize = 50;
/// A name is so many bytes long at most …
const LONGEST_NAME: usize = 500;
/// … a signature so many, pictures within it included …
const LONGEST_SIGNATURE: usize = 64 * 1024;
/// … and a list of addresses has so many.
const MOST_ADDRESSES: usize = 50;

fn row(r: &Row<'_>, default: IdentityId) -> Result<Identity> {
    let json = |e| Error::fault("reading an identity", e);
    let id = IdentityId::new(r.i64(0)?);
    Ok(Identity {
        id,
        name: r.text(1)?,
        email: r.text(2)?,
        reply_to: serde_json::from_str(&r.text(3)?).map_err(json)?,
        bcc: serde_json::from_str(&r.text(4)?).map_err(json)?,
        text_signature: r.text(5)?,
        html_signature: r.text(6)?,
        may_delete: id != default,
    })
}

const fn default_id(account: AccountId) -> IdentityId {
    IdentityId::new(account.get())
}

/// The identity that an account has from the beginning: the name of the person who holds it, else of the agency.
fn default(snapshot: &Snapshot, id: AccountId) -> Result<Identity> {
    let account = account(snapshot, id)?;
    let holder = match account.owner {
        Some(owner) => person(snapshot, owner)?.map(|p| p.name),
        None => None,
    };
    let name = match holder {
        Some(name) => name,
        None => agency(snapshot, account.agency)?.name,
    };
    Ok(Identity {
        id: default_id(id),
        name,
        email: account.address.to_string(),
        reply_to: None,
        bcc: None,
        text_signature: String::new(),
        html_signature: String::new(),
        may_delete: false,
    })
}

/// Returns the identities of an account, the one that it has from the beginning first.
pub fn identities(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<Vec<Identity>> {
    let default_id = default_id(acting.account());
    let mut found = snapshot.query(
        "SELECT id, name, email, reply_to, bcc, text_signature, html_signature FROM identity WHERE account_id = ?1
         ORDER BY id LIMIT ?2",
        &params![acting.account().get(), MOST_IDENTITIES + 1],
        |r| row(r, default_id),
    )?;
    match found.iter().position(|identity| identity.id == default_id) {
        Some(place) => found[..=place].rotate_right(1),
        None => found.insert(0, default(snapshot, acting.account())?),
    }
    Ok(found)
}

/// Returns the name that an account writes under.
pub(crate) fn name(snapshot: &Snapshot, account: AccountId) -> Result<String> {
    match stored(snapshot, account, default_id(account))? {
        Some(identity) => Ok(identity.name),
        None => Ok(default(snapshot, account)?.name),
    }
}

/// Returns whether an account has this identity.
pub(crate) fn exists(snapshot: &Snapshot, acting: &Acting<right::Submit>, id: IdentityId) -> Result<bool> {
    Ok(id == default_id(acting.account()) || stored(snapshot, acting.account(), id)?.is_some())
}

fn stored(snapshot: &Snapshot, account: AccountId, id: IdentityId) -> Result<Option<Identity>> {
    snapshot.query_opt(
        "SELECT id, name, email, reply_to, bcc, text_signature, html_signature FROM identity
         WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get()],
        |r| row(r, default_id(account)),
    )
}

/// Returns what changed of an account's identities.
pub fn identity_changes(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: ModSeq,
    most: usize,
) -> Result<Option<Changed<IdentityId>>> {
    outgoing::changes(snapshot, acting.account(), Kind::Identity, (since, most), IdentityId::new)
}

fn invalid(key: &str) -> Error {
    Refusal::new(RefusalKind::InvalidValue).with("key", key).into()
}

/// Makes an identity. Its address must be the account's (`forbiddenFrom`): what is sent as another account's is that
/// account's matter, with its reviewers (S9.1, Điều 9).
pub fn create_identity(
    tx: &mut Tx,
    acting: &Acting<right::Manage>,
    email: &EmailAddress,
    change: IdentityChange,
) -> Result<Identity> {
    let own = acting.address();
    if email != own {
        return Err(Refusal::new(RefusalKind::SenderNotAllowed).with("address", email).into());
    }
    let count = tx.query_one(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM identity WHERE account_id = ?1",
        &params![acting.account().get()],
        |r| r.u64(0),
    )?;
    if count >= MOST_IDENTITIES as u64 {
        return Err(RefusalKind::TooMany.into());
    }
    let mut identity = Identity {
        id: IdentityId::new(tx.new_id()),
        name: String::new(),
        email: email.to_string(),
        may_delete: true,
        ..default(tx, acting.account())?
    };
    apply(&mut identity, change)?;
    record(tx, acting, "identity.created", &identity)?;
    let modseq = next(tx, acting.account(), Kind::Identity)?;
    write(tx, acting.account(), &identity, (modseq, modseq))?;
    Ok(identity)
}

/// Changes an identity.
pub fn change_identity(
    tx: &mut Tx,
    acting: &Acting<right::Manage>,
    id: IdentityId,
    change: IdentityChange,
) -> Result<Identity> {
    let account = acting.account();
    let found = match stored(tx, account, id)? {
        None if id == default_id(account) => Some(default(tx, account)?),
        found => found,
    };
    let mut identity = found.ok_or(RefusalKind::NotFound)?;
    apply(&mut identity, change)?;
    record(tx, acting, "identity.changed", &identity)?;
    let modseq = next(tx, account, Kind::Identity)?;
    // What was there from the beginning was never created, only changed.
    write(tx, account, &identity, (ModSeq(0), modseq))?;
    Ok(identity)
}

/// Removes an identity; the one that the account has from the beginning stays (RFC 8621 §6: `mayDelete`).
pub fn destroy_identity(tx: &mut Tx, acting: &Acting<right::Manage>, id: IdentityId) -> Result<()> {
    let account = acting.account();
    if id == default_id(account) {
        return Err(RefusalKind::InUse.into());
    }
    let identity = stored(tx, account, id)?.ok_or(RefusalKind::NotFound)?;
    let created = tx.query_opt(
        "DELETE FROM identity WHERE account_id = ?1 AND id = ?2 RETURNING created_modseq",
        &params![account.get(), id.get()],
        |r| Ok(ModSeq(r.u64(0)?)),
    )?;
    record(tx, acting, "identity.removed", &identity)?;
    bury(tx, account, Kind::Identity, (id.get(), created.unwrap_or_default())).map(drop)
}

fn apply(identity: &mut Identity, change: IdentityChange) -> Result<()> {
    let IdentityChange { name, reply_to, bcc, text_signature, html_signature } = change;
    if let Some(name) = name {
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(invalid("name"));
        }
        identity.name = name;
    }
    if let Some(list) = reply_to {
        identity.reply_to = addresses(list, "replyTo")?;
    }
    if let Some(list) = bcc {
        identity.bcc = addresses(list, "bcc")?;
    }
    if let Some(text) = text_signature {
        identity.text_signature = signature(text, "textSignature")?;
    }
    if let Some(text) = html_signature {
        identity.html_signature = signature(text, "htmlSignature")?;
    }
    Ok(())
}

fn addresses(list: Option<Vec<NamedAddress>>, key: &str) -> Result<Option<Vec<NamedAddress>>> {
    let is_bad = |entry: &NamedAddress| {
        let name = entry.name.as_deref().unwrap_or_default();
        entry.email.parse::<EmailAddress>().is_err()
            || name.len() > LONGEST_NAME
            || name.chars().any(char::is_control)
    };
    let is_wrong = list.as_ref().is_some_and(|l| l.len() > MOST_ADDRESSES || l.iter().any(is_bad));
    if is_wrong { Err(invalid(key)) } else { Ok(list) }
}

/// PostgreSQL stores no NUL.
fn signature(text: String, key: &str) -> Result<String> {
    if text.len() > LONGEST_SIGNATURE || text.contains('\0') { Err(invalid(key)) } else { Ok(text) }
}

fn write(
    tx: &mut Tx,
    account: AccountId,
    identity: &Identity,
    (created, modseq): (ModSeq, ModSeq),
) -> Result<()> {
    let json = |e| Error::fault("writing JSON", e);
    tx.execute(
        "INSERT INTO identity (account_id, id, name, email, reply_to, bcc, text_signature, html_signature, created_modseq,
            modseq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, reply_to = excluded.reply_to, bcc = excluded.bcc,
            text_signature = excluded.text_signature, html_signature = excluded.html_signature, modseq = excluded.modseq",
        &params![
            account.get(),
            identity.id.get(),
            &identity.name,
            &identity.email,
            serde_json::to_string(&identity.reply_to).map_err(json)?,
            serde_json::to_string(&identity.bcc).map_err(json)?,
            &identity.text_signature,
            &identity.html_signature,
            created.0,
            modseq.0
        ],
    )?;
    Ok(())
}

/// S3.1b (Điều 3): who changed what everybody signs with.
fn record(
    tx: &mut Tx,
    acting: &Acting<right::Manage>,
    name: &'static str,
    identity: &Identity,
) -> Result<()> {
    let details = serde_json::json!({ "name": identity.name });
    let event = Event { name, subject: identity.id.to_string(), citation: None, details };
    tx.record(Chain::Account(acting.account()), &event)
}
