//! App passwords: a secret of its own for each mail client, made by the program and shown once.
//!
//! Such a secret carries 80 random bits, so its plain SHA-256 cannot be guessed back, and comparing costs a microsecond:
//! ten thousand phones that come back after a restart need no Argon2 (docs/adr/0009-app-passwords.md).

use crate::{SignedIn, password::generate, still_signed_in};
use congvu_storage::{Actor, Chain, Db, Event, Snapshot, Tx, params};
use congvu_types::{CredentialId, Error, PersonId, RefusalKind, Result, Timestamp};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The most that one person has.
const MOST: usize = 30;
/// The longest name of a device, in characters.
const LONGEST_NAME: usize = 80;
/// That a secret was used is noted at most this often.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

/// An app password, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// Its id.
    pub id: CredentialId,
    /// What the person calls the device.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last opened a door, to the hour.
    pub last_used_at: Option<Timestamp>,
}

/// What sign-in compares with.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: CredentialId,
    hash: Vec<u8>,
    last_used_at: Option<Timestamp>,
}

/// The secret as it is compared: people type it with or without its dashes, and telephones begin with a capital.
fn digest(secret: &str) -> [u8; 32] {
    let plain: String =
        secret.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect();
    Sha256::digest(plain.as_bytes()).into()
}

/// Makes an app password for oneself; returns it with its secret, which is stored nowhere.
///
/// # Errors
/// A name that is empty or too long, or too many of them.
pub fn create_app_password(tx: &mut Tx, who: &SignedIn, name: &str) -> Result<(AppPassword, String)> {
    // A session that just ended must not leave a secret behind that outlives it.
    still_signed_in(tx, who)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(RefusalKind::InvalidName.into());
    }
    if app_passwords(tx, who)?.len() >= MOST {
        return Err(RefusalKind::TooMany.into());
    }
    let secret = generate()?;
    let made = AppPassword {
        id: CredentialId::new(tx.new_id()),
        name: name.to_owned(),
        created_at: tx.now(),
        last_used_at: None,
    };
    tx.execute(
        "INSERT INTO app_password (id, person_id, name, secret_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &params![made.id.get(), who.person().get(), name, &digest(&secret), made.created_at],
    )?;
    record(tx, who, "person.app_password_created", name)?;
    Ok((made, secret))
}

/// Returns one's own app passwords, the newest first.
pub fn app_passwords(snapshot: &Snapshot, who: &SignedIn) -> Result<Vec<AppPassword>> {
    snapshot.query(
        "SELECT id, name, created_at, last_used_at FROM app_password WHERE person_id = ?1 ORDER BY id DESC",
        &params![who.person().get()],
        |r| {
            Ok(AppPassword {
                id: CredentialId::new(r.i64(0)?),
                name: r.text(1)?,
                created_at: Timestamp(r.i64(2)?),
                last_used_at: r.opt_i64(3)?.map(Timestamp),
            })
        },
    )
}

/// Takes one of one's own app passwords away: the device that has it is signed in no more.
///
/// # Errors
/// There is none with this id.
pub fn revoke_app_password(tx: &mut Tx, who: &SignedIn, id: CredentialId) -> Result<()> {
    let name = tx.query_opt(
        "DELETE FROM app_password WHERE id = ?1 AND person_id = ?2 RETURNING name",
        &params![id.get(), who.person().get()],
        |r| r.text(0),
    )?;
    let name = name.ok_or(Error::from(RefusalKind::NotFound))?;
    record(tx, who, "person.app_password_revoked", &name)
}

/// Takes all of a person's app passwords away.
pub(crate) fn revoke_all(tx: &mut Tx, person: PersonId) -> Result<()> {
    tx.execute("DELETE FROM app_password WHERE person_id = ?1", &params![person.get()]).map(drop)
}

fn record(tx: &mut Tx, who: &SignedIn, name: &'static str, device: &str) -> Result<()> {
    let details = serde_json::json!({ "device": device });
    tx.record(Chain::Agency(who.agency()), &Event { name, subject: who.login(), citation: None, details })
}

/// Looks up what a person's mail clients may sign in with.
pub(crate) fn stored(snapshot: &Snapshot, person: PersonId) -> Result<Vec<Stored>> {
    snapshot.query(
        "SELECT id, secret_hash, last_used_at FROM app_password WHERE person_id = ?1",
        &params![person.get()],
        |r| {
            let last_used_at = r.opt_i64(2)?.map(Timestamp);
            Ok(Stored { id: CredentialId::new(r.i64(0)?), hash: r.bytes(1)?, last_used_at })
        },
    )
}

/// The one that fits a secret.
pub(crate) fn fitting<'a>(stored: &'a [Stored], secret: &str) -> Option<&'a Stored> {
    let digest = digest(secret);
    stored.iter().find(|s| bool::from(s.hash.as_slice().ct_eq(&digest)))
}

/// Notes that one was used, unless that was noted not long ago.
pub(crate) async fn note_use(db: &Db, used: &Stored, person: PersonId, now: Timestamp) -> Result<()> {
    if used.last_used_at.is_some_and(|last| now < last.after(NOTED_EVERY)) {
        return Ok(());
    }
    let id = used.id;
    db.write(Actor::Person(person), move |tx| {
        tx.execute("UPDATE app_password SET last_used_at = ?2 WHERE id = ?1", &params![id.get(), now])
            .map(drop)
    })
    .await
}
