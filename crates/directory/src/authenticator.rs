//! Sign-in: who it is, by password, app password or SCRAM; the only maker of [`SignedIn`].

use crate::{
    PersonRow, account_by_address, app_passwords, password,
    people::{person, person_by_login},
    regulation_of,
    scram::{self, ScramKeys},
    signed_in::{Means, SignedIn, stands},
    throttle::Throttle,
};
use congvu_storage::{Actor, Chain, Db, Event, Snapshot, params};
use congvu_types::{AccountId, EmailAddress, Error, PersonId, Refusal, RefusalKind, Result, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;
use std::{net::IpAddr, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// A verified secret is remembered this long, so that a client that connects every minute costs no Argon2.
const REMEMBER: Duration = Duration::from_secs(600);
/// Argon2 computations at once, 19 MiB each.
const AT_ONCE: usize = 4;

/// Where somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The web application, the only door that a password that must be changed opens (S4.2d, Điều 4).
    Web,
    /// A mail client over SMTP.
    Smtp,
    /// A mail client over IMAP.
    Imap,
}

/// How people may sign in.
#[derive(Debug, Clone, Copy)]
pub struct AuthPolicy {
    /// Whether mail clients may use the person's password; else only app passwords.
    pub clients_may_use_password: bool,
}

/// A password that was verified: whose, at which version of their credentials, and until when this is believed.
type Verified = (PersonId, i64, Timestamp);

#[derive(Debug)]
struct Inner {
    db: Db,
    policy: AuthPolicy,
    throttle: Throttle,
    /// Verified secrets by a keyed name.
    verified: Mutex<LruCache<[u8; 32], Verified>>,
    /// Names the cache's entries, and makes salts for people who do not exist. Never leaves the process.
    process_key: [u8; 32],
    /// Stands in for a hash that there is not, so that the answer takes as long. Nobody knows what it is the hash of.
    decoy: String,
    slots: Semaphore,
}

/// Signs people in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

struct Found {
    person: PersonRow,
    scope: Option<AccountId>,
    phc: Option<String>,
    must_change: bool,
    scram: Option<ScramKeys>,
    app_passwords: Vec<app_passwords::Stored>,
}

impl Authenticator {
    /// Makes an authenticator over a database.
    pub fn new(db: Db, policy: AuthPolicy) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            db,
            policy,
            throttle: Throttle::default(),
            verified: Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(20_000))),
            process_key: password::random()?,
            decoy: password::unknown()?,
            slots: Semaphore::new(AT_ONCE),
        })))
    }

    /// Signs in with a password or app password. `login` is `username@agency-code`, the address of an account of one's
    /// own, or `username@agency-code/account-address`.
    pub async fn sign_in(&self, login: &str, secret: &str, door: Door, peer: IpAddr) -> Result<SignedIn> {
        let now = self.0.db.clock().now();
        let login = login.trim().to_owned();
        if !self.0.throttle.allows(&login, peer, now) {
            return Err(RefusalKind::TooManyAttempts.into());
        }
        let found = self.find(&login).await?;
        let verified = self.verify(&login, secret, door, found.as_ref(), now).await?;
        match (found, verified) {
            (Some(found), Some(means)) if found.person.is_active => {
                self.0.throttle.succeeded(&login);
                self.admit(found, means, door).await
            }
            _ => {
                self.0.throttle.failed(&login, peer, now);
                Err(RefusalKind::SignInFailed.into())
            }
        }
    }

    /// Compares; says what the secret is when it fits.
    async fn verify(
        &self,
        login: &str,
        secret: &str,
        door: Door,
        found: Option<&Found>,
        now: Timestamp,
    ) -> Result<Option<Means>> {
        if secret.len() > password::MAX_LENGTH {
            return Ok(None);
        }
        let web = u8::from(door == Door::Web);
        let name =
            scram::hmac(&self.0.process_key, &[&[web], login.as_bytes(), b"\0", secret.as_bytes()].concat());
        if let (Some(found), Some((person, version, until))) = (found, self.0.verified.lock().get(&name))
            && found.person.id == *person
            && found.person.version == *version
            && now < *until
        {
            return Ok(Some(Means::Password));
        }
        if let Some(found) = found.filter(|_| door != Door::Web)
            && let Some(used) = app_passwords::fitting(&found.app_passwords, secret)
        {
            app_passwords::note_use(&self.0.db, used, found.person.id, now).await?;
            return Ok(Some(Means::AppPassword(used.id)));
        }
        let candidate = found.and_then(|found| self.candidate(found, door));
        let phc = candidate.map_or(&self.0.decoy, |(_, phc)| phc).clone();
        let secret = secret.to_owned();
        let _slot = self.0.slots.acquire().await.map_err(|e| Error::fault("waiting to verify", e))?;
        let fits = tokio::task::spawn_blocking(move || password::verify(&secret, &phc))
            .await
            .map_err(|e| Error::fault("verifying", e))?;
        // INVARIANT: what was compared with the decoy opens nothing (test: `no_secret_opens_what_has_no_credential`).
        let Some((found, _)) = candidate.filter(|_| fits) else { return Ok(None) };
        let entry = (found.person.id, found.person.version, now.after(REMEMBER));
        self.0.verified.lock().put(name, entry);
        Ok(Some(Means::Password))
    }

    /// Whose hash to compare with; `None` when the person has none or may not use it at this door.
    fn candidate<'f>(&self, found: &'f Found, door: Door) -> Option<(&'f Found, &'f String)> {
        let usable = door == Door::Web || self.0.policy.clients_may_use_password;
        found.phc.as_ref().filter(|_| usable).map(|phc| (found, phc))
    }

    async fn admit(&self, found: Found, means: Means, door: Door) -> Result<SignedIn> {
        if found.must_change && door != Door::Web {
            let agency = found.person.agency;
            let regulation = self.0.db.read_quick(move |s| regulation_of(s, agency)).await?;
            let refusal = Refusal::new(RefusalKind::PasswordMustChange);
            return Err(match &regulation.passwords {
                Some(rule) => refusal.citing(&rule.citation).into(),
                None => refusal.into(),
            });
        }
        Ok(SignedIn::new(found.person, found.must_change, found.scope, means))
    }

    async fn find(&self, login: &str) -> Result<Option<Found>> {
        let login = login.to_owned();
        self.0.db.read_quick(move |s| find(s, &login)).await
    }

    /// Returns the SCRAM keys of a login, RFC 5802; for an unknown one keys that nothing fits, always the same.
    pub async fn scram_keys(&self, login: &str) -> Result<ScramKeys> {
        let found = self.find(login).await?;
        let known = found.filter(|_| self.0.policy.clients_may_use_password).and_then(|f| f.scram);
        Ok(known.unwrap_or_else(|| {
            let salt = scram::hmac(&self.0.process_key, login.as_bytes());
            let nothing = scram::hmac(&salt, b"nobody");
            ScramKeys {
                salt: salt[..16].to_vec(),
                iterations: scram::ITERATIONS,
                stored_key: nothing,
                server_key: nothing,
            }
        }))
    }

    /// Signs in by a SCRAM proof; returns also the server's signature (RFC 5802 §5.1).
    pub async fn sign_in_scram(
        &self,
        login: &str,
        auth_message: &[u8],
        proof: &[u8],
        door: Door,
        peer: IpAddr,
    ) -> Result<(SignedIn, [u8; 32])> {
        let now = self.0.db.clock().now();
        if !self.0.throttle.allows(login, peer, now) {
            return Err(RefusalKind::TooManyAttempts.into());
        }
        let keys = self.scram_keys(login).await?;
        let found = self.find(login).await?.filter(|f| f.person.is_active);
        match (keys.check(auth_message, proof), found) {
            (Some(signature), Some(found)) => {
                self.0.throttle.succeeded(login);
                Ok((self.admit(found, Means::Password, door).await?, signature))
            }
            _ => {
                self.0.throttle.failed(login, peer, now);
                Err(RefusalKind::SignInFailed.into())
            }
        }
    }

    /// Changes one's own password: the current one is asked again, the next one must be strong and new; every
    /// session and every remembered secret ends with it.
    pub async fn change_password(
        &self,
        who: &SignedIn,
        current: &str,
        next: &str,
        peer: IpAddr,
    ) -> Result<()> {
        let login = who.login();
        self.sign_in(&login, current, Door::Web, peer).await?;
        let agency = who.agency();
        let regulation = self.0.db.read_quick(move |s| regulation_of(s, agency)).await?;
        let min_length = regulation.passwords.as_ref().map_or(password::MIN_LENGTH, |rule| rule.min_length);
        if next == current || !password::is_strong(next, who.username(), min_length) {
            let refusal = Refusal::new(RefusalKind::WeakPassword);
            return Err(match &regulation.passwords {
                Some(rule) => refusal.citing(&rule.citation).into(),
                None => refusal.into(),
            });
        }
        let next = next.to_owned();
        let hashed = tokio::task::spawn_blocking(move || password::hash(&next))
            .await
            .map_err(|e| Error::fault("hashing a password", e))??;
        let (person, who) = (who.row().clone(), who.clone());
        self.0
            .db
            .write(Actor::Person(person.id), move |tx| {
                // What an operator set meanwhile is not undone.
                stands(tx, &who)?;
                crate::operate::store_password(tx, person.id, &hashed, false)?;
                tx.record(
                    Chain::Agency(person.agency),
                    &Event {
                        name: "person.password_changed",
                        subject: person.login(),
                        citation: None,
                        details: serde_json::json!({}),
                    },
                )
            })
            .await
    }
}

fn find(snapshot: &Snapshot, login: &str) -> Result<Option<Found>> {
    let (login, scope_address) = match login.split_once('/') {
        Some((login, address)) => (login, Some(address)),
        None => (login, None),
    };
    let Some(row) = person_by_login(snapshot, login)? else { return Ok(None) };
    let scope = match scope_address {
        None => None,
        Some(text) => {
            let Ok(address) = text.parse::<EmailAddress>() else { return Ok(None) };
            let Some(account) = account_by_address(snapshot, &address)? else { return Ok(None) };
            let granted = snapshot.query_opt(
                "SELECT 1 FROM account_grant WHERE person_id = ?1 AND account_id = ?2",
                &params![row.id.get(), account.id.get()],
                |_| Ok(()),
            )?;
            if granted.is_none() && account.owner != Some(row.id) {
                return Ok(None);
            }
            Some(account.id)
        }
    };
    let credential = snapshot.query_opt(
        "SELECT phc, must_change, scram_salt, scram_iterations, stored_key, server_key FROM credential
         WHERE person_id = ?1",
        &params![row.id.get()],
        |r| {
            let key = |bytes: Vec<u8>| {
                <[u8; 32]>::try_from(bytes).map_err(|_| Error::fault("reading a credential", "length"))
            };
            let keys = ScramKeys {
                salt: r.bytes(2)?,
                iterations: r.u32(3)?,
                stored_key: key(r.bytes(4)?)?,
                server_key: key(r.bytes(5)?)?,
            };
            Ok((r.text(0)?, r.i64(1)? != 0, keys))
        },
    )?;
    let app_passwords = app_passwords::stored(snapshot, row.id)?;
    let (phc, must_change, scram) = match credential {
        Some((phc, must_change, keys)) => (Some(phc), must_change, Some(keys)),
        None => (None, false, None),
    };
    Ok(Some(Found { person: row, scope, phc, must_change, scram, app_passwords }))
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
