//! Sign-in: who it is, by password, app password or SCRAM; the only maker of [`SignedIn`].

use crate::{
    app_passwords,
    credentials::{self, Found, Login},
    password::{self, Hashed},
    regulation_of,
    scram::{self, ScramKeys},
    sign_in_audit::SignInAudit,
    signed_in::{Means, SignedIn, stands},
    throttle::{Attempt, Throttle},
};
use congvu_storage::{Actor, Chain, Db, Event};
use congvu_types::{AgencyId, Error, PersonId, Refusal, RefusalKind, Result, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;
use std::{net::IpAddr, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::sync::{OnceCell, Semaphore};

/// A verified secret is remembered this long, so that a client that connects every minute costs no Argon2.
const REMEMBER: Duration = Duration::from_secs(600);
/// Argon2 computations at once, 19 MiB each.
const AT_ONCE: usize = 4;

/// Where somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The web application, the only door that a password that must be changed opens (S4.2d, Điều 4).
    Web,
    /// A mail client over SMTP.
    Smtp,
    /// A mail client over IMAP.
    Imap,
    /// A mail client over JMAP.
    Jmap,
}

impl Door {
    /// Returns the word of the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Jmap => "jmap",
        }
    }
}

/// How people may sign in.
#[derive(Debug, Clone, Copy)]
pub struct AuthPolicy {
    /// Whether mail clients may use the person's password, by SCRAM too; else only app passwords.
    pub clients_may_use_password: bool,
}

/// A password that was verified: whose, at which version of their credentials, and until when this is believed.
type Verified = (PersonId, i64, Timestamp);

/// Where from, and at which door.
type At = (Door, IpAddr);

#[derive(Debug)]
struct Inner {
    db: Db,
    policy: AuthPolicy,
    throttle: Throttle,
    audit: SignInAudit,
    /// Verified secrets by a keyed name.
    verified: Mutex<LruCache<[u8; 32], Verified>>,
    /// Names the cache's entries. Never leaves the process.
    process_key: [u8; 32],
    /// Makes salts for people who do not exist; kept in the database, so that they stay the same.
    salt_key: OnceCell<Vec<u8>>,
    /// Stands in for a hash that there is not, so that the answer takes as long. Nobody knows what it is the hash of.
    decoy: String,
    slots: Arc<Semaphore>,
}

/// Signs people in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

/// What comparing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fits,
    Wrong,
    Throttled,
}

impl Authenticator {
    /// Makes an authenticator over a database.
    pub fn new(db: Db, policy: AuthPolicy) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            db,
            policy,
            throttle: Throttle::default(),
            audit: SignInAudit::default(),
            verified: Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(20_000))),
            process_key: password::random()?,
            salt_key: OnceCell::new(),
            decoy: password::unknown()?,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        })))
    }

    /// Returns whether mail clients may prove the person's password by SCRAM; the doors offer it then alone.
    #[must_use]
    pub fn offers_scram(&self) -> bool {
        self.0.policy.clients_may_use_password
    }

    /// Forgets the SCRAM keys that the policy has no use for: they are quicker to guess at than what stands beside them.
    pub async fn forget_unused_keys(&self) -> Result<()> {
        if self.offers_scram() {
            return Ok(());
        }
        self.0.db.write(Actor::System("sign-in"), credentials::forget_scram).await
    }

    /// Signs in with a password or app password. `login` is `username@agency-code`, the address of an account of one's
    /// own, or `username@agency-code/account-address`.
    pub async fn sign_in(&self, login: &str, secret: &str, door: Door, peer: IpAddr) -> Result<SignedIn> {
        let (found, means) = self.check(&Login::read(login), secret, (door, peer)).await?;
        self.enter(found, means, (door, peer)).await
    }

    /// Says whose secret it is, and what it is.
    async fn check(&self, login: &Login, secret: &str, at: At) -> Result<(Found, Means)> {
        let found = self.find(login).await?;
        // Nobody guesses an app password: it is heard however often somebody else was wrong.
        if let Some(found) = found.as_ref().filter(|f| at.0 != Door::Web && f.may_enter())
            && let Some(used) = app_passwords::fitting(&found.app_passwords, secret)
        {
            let means = Means::AppPassword(used.id);
            app_passwords::note_use(&self.0.db, used, found.person.id, self.now()).await?;
            return Ok((found.clone(), means));
        }
        let attempt = Attempt::new(login.subject(found.as_ref()), at.1, at.0 == Door::Web);
        let name = self.wrong_name(found.as_ref(), secret, at.0);
        if self.0.throttle.was_wrong(&attempt, name, self.now()) {
            return self.failed(found.as_ref(), at).await;
        }
        self.admit(&attempt, found.as_ref(), at).await?;
        let outcome = self.compare(&attempt, found.as_ref(), secret, at.0).await?;
        match (outcome, found) {
            (Outcome::Fits, Some(found)) => Ok((found, Means::Password)),
            (Outcome::Throttled, found) => self.throttled(found.as_ref(), at).await,
            (Outcome::Fits | Outcome::Wrong, found) => {
                self.0.throttle.failed(&attempt, name, self.now());
                self.failed(found.as_ref(), at).await
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.0.db.clock().now()
    }

    /// Asks whether an attempt may be made, and waits where it must.
    async fn admit(&self, attempt: &Attempt, found: Option<&Found>, at: At) -> Result<()> {
        let Some(wait) = self.0.throttle.admit(attempt, self.now()) else {
            return self.throttled(found, at).await;
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn failed<T>(&self, found: Option<&Found>, at: At) -> Result<T> {
        let person = found.map(|f| &f.person);
        self.0.audit.failed(&self.0.db, "person.sign_in_failed", person, at).await?;
        Err(RefusalKind::SignInFailed.into())
    }

    async fn throttled<T>(&self, found: Option<&Found>, at: At) -> Result<T> {
        let person = found.map(|f| &f.person);
        self.0.audit.failed(&self.0.db, "person.sign_in_throttled", person, at).await?;
        Err(RefusalKind::TooManyAttempts.into())
    }

    /// Compares a secret with the password that the person may use at this door.
    async fn compare(
        &self,
        attempt: &Attempt,
        found: Option<&Found>,
        secret: &str,
        door: Door,
    ) -> Result<Outcome> {
        let candidate = found.and_then(|found| self.candidate(found, door));
        let name = candidate.map(|(found, _)| self.cache_name(found, secret, door));
        let throttle = &self.0.throttle;
        if !throttle.reserve(attempt, self.now()) {
            return Ok(Outcome::Throttled);
        }
        if secret.len() > password::MAX_LENGTH {
            return Ok(Outcome::Wrong);
        }
        if let (Some((found, _)), Some(name)) = (candidate, &name)
            && self.is_remembered(found, name)
        {
            throttle.succeeded(attempt, self.now());
            return Ok(Outcome::Fits);
        }
        throttle.release(attempt);
        let slot = self.0.slots.clone().acquire_owned().await;
        let slot = slot.map_err(|e| Error::fault("waiting to verify", e))?;
        // Counted again only now: whoever waits for a slot is not under way yet.
        if !throttle.reserve(attempt, self.now()) {
            return Ok(Outcome::Throttled);
        }
        let phc = candidate.map_or(&self.0.decoy, |(_, phc)| phc).clone();
        let needs_keys = self.offers_scram() && found.is_some_and(|f| f.scram.is_none() && !f.must_change);
        let text = secret.to_owned();
        let (fits, keys) = tokio::task::spawn_blocking(move || {
            let _held = slot;
            let fits = password::verify(&text, &phc);
            let keys = (fits && needs_keys).then(|| password::scram_keys(&text));
            keys.transpose().map(|keys| (fits, keys))
        })
        .await
        .map_err(|e| Error::fault("verifying", e))??;
        // INVARIANT: what was compared with the decoy opens nothing (test: `no_secret_opens_what_has_no_credential`).
        let (Some((found, phc)), Some(name), true) = (candidate, name, fits) else {
            return Ok(Outcome::Wrong);
        };
        throttle.succeeded(attempt, self.now());
        self.remember(found, phc, name, keys).await?;
        Ok(Outcome::Fits)
    }

    /// Whose hash to compare with; `None` when the person has none or may not use it at this door.
    fn candidate<'f>(&self, found: &'f Found, door: Door) -> Option<(&'f Found, &'f String)> {
        let usable = door == Door::Web || self.0.policy.clients_may_use_password;
        found.phc.as_ref().filter(|_| usable && found.may_enter()).map(|phc| (found, phc))
    }

    fn cache_name(&self, found: &Found, secret: &str, door: Door) -> [u8; 32] {
        let web = u8::from(door == Door::Web);
        let person = found.person.id.get().to_be_bytes();
        scram::hmac(&self.0.process_key, &[&[web], person.as_slice(), secret.as_bytes()].concat())
    }

    fn is_remembered(&self, found: &Found, name: &[u8; 32]) -> bool {
        let now = self.now();
        self.0.verified.lock().get(name).is_some_and(|(person, version, until)| {
            found.person.id == *person && found.person.version == *version && now < *until
        })
    }

    /// Names a secret that was compared with a hash, or with none: with another hash it may be right.
    fn wrong_name(&self, found: Option<&Found>, secret: &str, door: Door) -> [u8; 32] {
        let candidate = found.and_then(|found| self.candidate(found, door));
        let phc = candidate.map_or(&self.0.decoy, |(_, phc)| phc);
        scram::hmac(&self.0.process_key, &[phc.as_bytes(), &[0], secret.as_bytes()].concat())
    }

    async fn remember(
        &self,
        found: &Found,
        phc: &str,
        name: [u8; 32],
        keys: Option<ScramKeys>,
    ) -> Result<()> {
        let (person, version) = (found.person.id, found.person.version);
        self.0.verified.lock().put(name, (person, version, self.now().after(REMEMBER)));
        let Some(keys) = keys else { return Ok(()) };
        let phc = phc.to_owned();
        let keep = move |tx: &mut congvu_storage::Tx| credentials::keep_scram(tx, person, &phc, &keys);
        self.0.db.write(Actor::Person(person), keep).await
    }

    /// A refusal with the article on passwords, where the agency's regulation has one.
    async fn cited(&self, agency: AgencyId, kind: RefusalKind) -> Result<Error> {
        let regulation = self.0.db.read_quick(move |s| regulation_of(s, agency)).await?;
        let refusal = Refusal::new(kind);
        Ok(match &regulation.passwords {
            Some(rule) => refusal.citing(&rule.citation).into(),
            None => refusal.into(),
        })
    }

    async fn enter(&self, found: Found, means: Means, at: At) -> Result<SignedIn> {
        if found.must_change && at.0 != Door::Web {
            return Err(self.cited(found.person.agency, RefusalKind::PasswordMustChange).await?);
        }
        self.0.audit.signed_in(&self.0.db, &found.person, at).await?;
        Ok(SignedIn::new(found.person, found.must_change, found.scope, means))
    }

    async fn find(&self, login: &Login) -> Result<Option<Found>> {
        let login = login.clone();
        self.0.db.read_quick(move |s| credentials::find(s, &login)).await
    }

    /// Returns the SCRAM keys of a login (RFC 5802 §3); for one that has none keys that nothing fits, always the same.
    pub async fn scram_keys(&self, login: &str, door: Door, peer: IpAddr) -> Result<ScramKeys> {
        let login = Login::read(login);
        let found = self.find(&login).await?;
        // Nothing is guessed yet, so nothing is counted, and no turn is taken from those who wait to sign in.
        let attempt = Attempt::new(login.subject(found.as_ref()), peer, door == Door::Web);
        if self.0.throttle.is_blocked(&attempt, self.now()) {
            return self.throttled(found.as_ref(), (door, peer)).await;
        }
        self.keys_of(&login, found.as_ref()).await
    }

    async fn keys_of(&self, login: &Login, found: Option<&Found>) -> Result<ScramKeys> {
        if let Some(keys) = found.filter(|_| self.offers_scram()).and_then(|f| f.scram.clone()) {
            return Ok(keys);
        }
        let salt_key = self.0.salt_key.get_or_try_init(|| credentials::salt_key(&self.0.db)).await?;
        Ok(ScramKeys::of_nobody(salt_key, login.key()))
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
        let at = (door, peer);
        let login = Login::read(login);
        // The keys and whom they let in are of one snapshot.
        let found = self.find(&login).await?;
        let attempt = Attempt::new(login.subject(found.as_ref()), peer, door == Door::Web);
        self.admit(&attempt, found.as_ref(), at).await?;
        let keys = self.keys_of(&login, found.as_ref()).await?;
        if !self.0.throttle.reserve(&attempt, self.now()) {
            return self.throttled(found.as_ref(), at).await;
        }
        let signature = keys.check(auth_message, proof);
        match (signature, found) {
            (Some(signature), Some(found)) if found.may_enter() && found.scram.is_some() => {
                self.0.throttle.succeeded(&attempt, self.now());
                Ok((self.enter(found, Means::Password, at).await?, signature))
            }
            (_, found) => self.failed(found.as_ref(), at).await,
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
        self.check(&Login::read(&who.login()), current, (Door::Web, peer)).await?;
        let agency = who.agency();
        let regulation = self.0.db.read_quick(move |s| regulation_of(s, agency)).await?;
        let min_length = regulation.passwords.as_ref().map_or(password::MIN_LENGTH, |rule| rule.min_length);
        if next == current || !password::is_strong(next, who.username(), min_length) {
            return Err(self.cited(agency, RefusalKind::WeakPassword).await?);
        }
        let hashed = self.hash(next).await?;
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

    async fn hash(&self, next: &str) -> Result<Hashed> {
        let (next, with_keys) = (next.to_owned(), self.offers_scram());
        tokio::task::spawn_blocking(move || {
            let hashed = password::hash(&next)?;
            if with_keys { hashed.with_scram(&next) } else { Ok(hashed) }
        })
        .await
        .map_err(|e| Error::fault("hashing a password", e))?
    }
}
