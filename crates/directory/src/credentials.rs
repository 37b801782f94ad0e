//! What is stored of people's secrets, and whose a login is.

use crate::{
    PersonRow, account_by_address, app_passwords, password,
    people::{person, person_by_login},
    scram::ScramKeys,
    signed_in::{Means, SignedIn},
    throttle::Subject,
};
use congvu_storage::{Actor, Db, Snapshot, Tx, params};
use congvu_types::{AccountId, EmailAddress, Error, PersonId, Result};

/// The longest login: two addresses of ordinary length, or one of the longest (RFC 5321 §4.5.3.1).
const LONGEST_LOGIN: usize = 320;

/// A login as somebody wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    person: String,
    scope: Option<String>,
}

impl Login {
    /// Reads a login; one that is too long is nobody's.
    pub(crate) fn read(text: &str) -> Self {
        let text = if text.len() > LONGEST_LOGIN { "" } else { text.trim() };
        match text.split_once('/') {
            Some((person, scope)) => Self { person: person.to_owned(), scope: Some(scope.to_owned()) },
            None => Self { person: text.to_owned(), scope: None },
        }
    }

    /// Returns whose it is, the same however it is written and whichever account is asked for.
    pub(crate) fn key(&self) -> String {
        self.person.to_lowercase()
    }

    /// Returns at whom an attempt with it is made.
    pub(crate) fn subject(&self, found: Option<&Found>) -> Subject {
        found.map_or_else(|| Subject::nobody(&self.key()), |found| Subject::Person(found.person.id))
    }
}

/// Whose a login is.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) person: PersonRow,
    /// The one account that the login asks for.
    pub(crate) scope: Option<AccountId>,
    /// That account is not theirs.
    is_denied: bool,
    pub(crate) phc: Option<String>,
    pub(crate) must_change: bool,
    pub(crate) scram: Option<ScramKeys>,
    pub(crate) app_passwords: Vec<app_passwords::Stored>,
}

impl Found {
    /// Whether the right secret lets them in.
    pub(crate) const fn may_enter(&self) -> bool {
        self.person.is_active && !self.is_denied
    }
}

/// Looks up whose a login is, and what they can sign in with.
pub(crate) fn find(snapshot: &Snapshot, login: &Login) -> Result<Option<Found>> {
    let Some(row) = person_by_login(snapshot, &login.person)? else { return Ok(None) };
    let scope = match &login.scope {
        Some(text) => scope(snapshot, row.id, text)?,
        None => None,
    };
    let credential = snapshot.query_opt(
        "SELECT phc, must_change, scram_salt, scram_iterations, stored_key, server_key FROM credential
         WHERE person_id = ?1",
        &params![row.id.get()],
        |r| {
            let key = |bytes: Option<Vec<u8>>| {
                <[u8; 32]>::try_from(bytes.unwrap_or_default())
                    .map_err(|_| Error::fault("reading a credential", "length"))
            };
            let keys = match (r.opt_bytes(2)?, r.opt_i64(3)?) {
                (Some(salt), Some(iterations)) => Some(ScramKeys {
                    salt,
                    iterations: u32::try_from(iterations)
                        .map_err(|e| Error::fault("reading a credential", e))?,
                    stored_key: key(r.opt_bytes(4)?)?,
                    server_key: key(r.opt_bytes(5)?)?,
                }),
                _ => None,
            };
            Ok((r.text(0)?, r.i64(1)? != 0, keys))
        },
    )?;
    let app_passwords = app_passwords::stored(snapshot, row.id)?;
    let (phc, must_change, scram) = match credential {
        Some((phc, must_change, keys)) => (Some(phc), must_change, keys),
        None => (None, false, None),
    };
    let is_denied = login.scope.is_some() && scope.is_none();
    Ok(Some(Found { person: row, scope, is_denied, phc, must_change, scram, app_passwords }))
}

/// The account that a login asks for, when the person has a right on it.
fn scope(snapshot: &Snapshot, person: PersonId, text: &str) -> Result<Option<AccountId>> {
    let Ok(address) = text.parse::<EmailAddress>() else { return Ok(None) };
    let Some(account) = account_by_address(snapshot, &address)? else { return Ok(None) };
    let granted = snapshot.query_opt(
        "SELECT 1 FROM account_grant WHERE person_id = ?1 AND account_id = ?2 AND rights <> 0",
        &params![person.get(), account.id.get()],
        |_| Ok(()),
    )?;
    Ok((granted.is_some() || account.owner == Some(person)).then_some(account.id))
}

/// Keeps the SCRAM keys of the password whose hash is `phc`, unless another was set meanwhile.
pub(crate) fn keep_scram(tx: &mut Tx, person: PersonId, phc: &str, keys: &ScramKeys) -> Result<()> {
    tx.execute(
        "UPDATE credential SET scram_salt = ?3, scram_iterations = ?4, stored_key = ?5, server_key = ?6
         WHERE person_id = ?1 AND phc = ?2",
        &params![person.get(), phc, &keys.salt, keys.iterations, &keys.stored_key, &keys.server_key],
    )
    .map(drop)
}

/// Forgets everybody's SCRAM keys.
pub(crate) fn forget_scram(tx: &mut Tx) -> Result<()> {
    tx.execute(
        "UPDATE credential SET scram_salt = NULL, scram_iterations = NULL, stored_key = NULL, server_key = NULL
         WHERE scram_salt IS NOT NULL",
        &[],
    )
    .map(drop)
}

/// Returns what the salts of people who do not exist are made with: made once, kept in the database, the same on every node.
pub(crate) async fn salt_key(db: &Db) -> Result<Vec<u8>> {
    const NAME: &str = "scram-salt";
    let fresh = password::random::<32>()?;
    db.write(Actor::System("sign-in"), move |tx| {
        tx.execute(
            "INSERT INTO directory_secret (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            &params![NAME, &fresh],
        )?;
        tx.query_one("SELECT value FROM directory_secret WHERE name = ?1", &params![NAME], |r| r.bytes(0))
    })
    .await
}

/// Makes the proof again for a session that was opened by a sign-in.
pub(crate) fn from_session(snapshot: &Snapshot, id: PersonId, version: i64) -> Result<Option<SignedIn>> {
    let Some(row) = person(snapshot, id)? else { return Ok(None) };
    if !row.is_active || row.version != version {
        return Ok(None);
    }
    let must_change = snapshot
        .query_opt("SELECT must_change FROM credential WHERE person_id = ?1", &params![id.get()], |r| {
            r.i64(0)
        })?
        .unwrap_or(0);
    Ok(Some(SignedIn::new(row, must_change != 0, None, Means::Password)))
}
