//! The proof that somebody signed in, and whether what it rests on still stands.

use crate::PersonRow;
use congvu_storage::{Snapshot, params};
use congvu_types::{AccountId, AgencyId, CredentialId, Language, PersonId, RefusalKind, Result};

/// What somebody signed in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Their own password.
    Password,
    /// The app password of one device.
    AppPassword(CredentialId),
}

/// The proof that somebody signed in, made by [`crate::Authenticator`] alone,
/// and by [`crate::resume`] for what they ordered while they were. A connection may hold it for days, so whoever
/// acts on it asks first whether it still stands ([`still_signed_in`]).
#[derive(Debug, Clone)]
pub struct SignedIn {
    person: PersonRow,
    must_change_password: bool,
    scope: Option<AccountId>,
    means: Means,
}

impl SignedIn {
    pub(crate) const fn new(
        person: PersonRow,
        must_change_password: bool,
        scope: Option<AccountId>,
        means: Means,
    ) -> Self {
        Self { person, must_change_password, scope, means }
    }

    /// Returns who.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person.id
    }

    /// Returns their name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.person.name
    }

    /// Returns the form that signs in, `username@agency-code`.
    #[must_use]
    pub fn login(&self) -> String {
        self.person.login()
    }

    /// Returns the user name alone.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.person.username
    }

    /// Returns their agency.
    #[must_use]
    pub const fn agency(&self) -> AgencyId {
        self.person.agency
    }

    /// Returns their language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.person.language
    }

    /// Returns whether nothing but changing the password is open (S4.2d, Điều 4).
    #[must_use]
    pub const fn must_change_password(&self) -> bool {
        self.must_change_password
    }

    /// Returns the one account that this sign-in opens, for logins `USER@AGENCY/ACCOUNT-ADDRESS`.
    #[must_use]
    pub const fn scope(&self) -> Option<AccountId> {
        self.scope
    }

    pub(crate) const fn means(&self) -> Means {
        self.means
    }

    pub(crate) const fn row(&self) -> &PersonRow {
        &self.person
    }
}

/// Asks whether a sign-in still stands: the person may sign in, and the password, or the device's own, is the one that they
/// signed in with (S4.2, Điều 4). Every proof of a right is made behind this question, in the same snapshot.
///
/// # Errors
/// It does not stand ([`RefusalKind::SignedOut`]), or opens nothing but the change of the password.
pub fn still_signed_in(snapshot: &Snapshot, who: &SignedIn) -> Result<()> {
    if who.must_change_password {
        return Err(RefusalKind::PasswordMustChange.into());
    }
    stands(snapshot, who)
}

/// The same, for somebody who must change their password and is about to.
pub(crate) fn stands(snapshot: &Snapshot, who: &SignedIn) -> Result<()> {
    let device = match who.means {
        Means::Password => 0,
        Means::AppPassword(id) => id.get(),
    };
    let found = snapshot.query_opt(
        "SELECT p.active, p.version, c.must_change, d.id FROM person p
         LEFT JOIN credential c ON c.person_id = p.id LEFT JOIN app_password d ON d.id = ?2 AND d.person_id = p.id
         WHERE p.id = ?1",
        &params![who.person().get(), device],
        |r| Ok((r.i64(0)? != 0, r.i64(1)?, r.opt_i64(2)?.unwrap_or(0) != 0, r.opt_i64(3)?.is_some())),
    )?;
    let stands = found.is_some_and(|(is_active, version, must_change, has_device)| {
        let means = match who.means {
            Means::Password => version == who.person.version,
            Means::AppPassword(_) => has_device,
        };
        is_active && means && must_change == who.must_change_password
    });
    if stands { Ok(()) } else { Err(RefusalKind::SignedOut.into()) }
}
