//! Proofs of rights: [`Acting`] says that this person may do this on this account.

use crate::{AccountRow, SignedIn, account, account_by_address, still_signed_in};
use congvu_regulation::AccountKind;
use congvu_storage::{Snapshot, params};
use congvu_types::{AccountId, AgencyId, EmailAddress, PersonId, Refusal, RefusalKind, Result};
use std::marker::PhantomData;

/// A right on an account (quyền).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RightKind {
    /// See mailboxes and messages.
    Read,
    /// Change them: flags, drafts, filing, deleting.
    Draft,
    /// Send from the account's address.
    Submit,
    /// Decide on what others send (S9.1, Điều 9).
    Review,
    /// Manage who else may.
    Manage,
}

impl RightKind {
    /// Every right, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Read, Self::Draft, Self::Submit, Self::Review, Self::Manage];

    /// Returns the word of fixtures and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Draft => "draft",
            Self::Submit => "submit",
            Self::Review => "review",
            Self::Manage => "manage",
        }
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u8);

impl Rights {
    /// What the owner of a personal or position account has.
    pub const OWNER: Self = Self(0b1_0111);

    /// Reads words such as `read`; an unknown one gives `None`.
    #[must_use]
    pub fn by_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        names.into_iter().try_fold(Self(0), |set, name| {
            let right = RightKind::ALL.into_iter().find(|r| r.as_str() == name)?;
            Some(Self(set.0 | 1 << right as u8))
        })
    }

    pub(crate) fn from_bits(bits: i64) -> Self {
        Self(u8::try_from(bits & 31).unwrap_or(0))
    }

    pub(crate) fn bits(self) -> i64 {
        i64::from(self.0)
    }

    /// Returns whether `right` is among them.
    #[must_use]
    pub const fn has(self, right: RightKind) -> bool {
        self.0 >> right as u8 & 1 == 1
    }

    /// Iterates over the rights.
    pub fn iter(self) -> impl Iterator<Item = RightKind> {
        RightKind::ALL.into_iter().filter(move |r| self.has(*r))
    }
}

/// A right as a type.
pub trait Right: Send + Sync + 'static {
    /// Which one.
    const KIND: RightKind;
}

/// The rights as types, for [`Acting`].
pub mod right {
    use super::{Right, RightKind};

    macro_rules! rights {
        ($($(#[$doc:meta])* $name:ident;)*) => {$(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Right for $name {
                const KIND: RightKind = RightKind::$name;
            }
        )*};
    }

    rights! {
        /// See mailboxes and messages.
        Read;
        /// Change them.
        Draft;
        /// Send.
        Submit;
        /// Decide on what others send.
        Review;
        /// Manage who else may.
        Manage;
    }
}

/// The proof that a person may use a right on an account. Made only by [`act_for`] and [`sender`].
#[derive(Debug)]
pub struct Acting<R> {
    account: AccountId,
    agency: AgencyId,
    kind: AccountKind,
    address: EmailAddress,
    person: PersonId,
    person_name: String,
    is_own: bool,
    rights: Rights,
    right: PhantomData<R>,
}

impl<R> Clone for Acting<R> {
    fn clone(&self) -> Self {
        Self {
            address: self.address.clone(),
            person_name: self.person_name.clone(),
            right: PhantomData,
            ..*self
        }
    }
}

impl<R> Acting<R> {
    /// Returns the account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the account's agency.
    #[must_use]
    pub const fn agency(&self) -> AgencyId {
        self.agency
    }

    /// Returns the account's kind.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// Returns the account's address.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Returns who acts.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// Returns the name of who acts.
    #[must_use]
    pub fn person_name(&self) -> &str {
        &self.person_name
    }

    /// Returns whether others may use the account too.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        !self.is_own
    }

    /// Returns the proof of another right on the account, if the person has it; as good as this one, and as old.
    #[must_use]
    pub fn with<S: Right>(&self) -> Option<Acting<S>> {
        self.rights.has(S::KIND).then(|| Acting {
            account: self.account,
            agency: self.agency,
            kind: self.kind,
            address: self.address.clone(),
            person: self.person,
            person_name: self.person_name.clone(),
            is_own: self.is_own,
            rights: self.rights,
            right: PhantomData,
        })
    }
}

/// Returns the proof, or the refusal: what one may not read is not found, what one may not do is without right, and nobody
/// acts whose sign-in ended. It is as old as its snapshot: whoever keeps a connection asks for each command.
pub fn act_for<R: Right>(snapshot: &Snapshot, who: &SignedIn, id: AccountId) -> Result<Acting<R>> {
    still_signed_in(snapshot, who)?;
    let row = account(snapshot, id)?;
    let rights = rights_on(snapshot, who, &row)?;
    if rights.has(R::KIND) {
        return Ok(proof(who, row, rights));
    }
    let kind = if rights == Rights::default() { RefusalKind::NotFound } else { RefusalKind::NoRight };
    Err(kind.into())
}

fn proof<R>(who: &SignedIn, row: AccountRow, rights: Rights) -> Acting<R> {
    Acting {
        account: row.id,
        agency: row.agency,
        kind: row.kind,
        address: row.address,
        person: who.person(),
        person_name: who.name().to_owned(),
        is_own: row.owner == Some(who.person()),
        rights,
        right: PhantomData,
    }
}

fn rights_on(snapshot: &Snapshot, who: &SignedIn, row: &AccountRow) -> Result<Rights> {
    // A sign-in for one account opens that account alone.
    if who.scope().is_some_and(|scope| scope != row.id) {
        return Ok(Rights::default());
    }
    if row.owner == Some(who.person()) {
        return Ok(Rights::OWNER);
    }
    let bits = snapshot.query_opt(
        "SELECT rights FROM account_grant WHERE person_id = ?1 AND account_id = ?2",
        &params![who.person().get(), row.id.get()],
        |r| r.i64(0),
    )?;
    Ok(bits.map_or_else(Rights::default, Rights::from_bits))
}

/// Returns the proof that the person may write from `address` (RFC 6409 §6.1).
pub fn sender(snapshot: &Snapshot, who: &SignedIn, address: &EmailAddress) -> Result<Acting<right::Submit>> {
    still_signed_in(snapshot, who)?;
    let refused = || Refusal::new(RefusalKind::SenderNotAllowed).with("address", address);
    let row = account_by_address(snapshot, address)?.ok_or_else(refused)?;
    let rights = rights_on(snapshot, who, &row)?;
    if rights.has(RightKind::Submit) { Ok(proof(who, row, rights)) } else { Err(refused().into()) }
}

/// An account that a person may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAccess {
    /// The account.
    pub account: AccountRow,
    /// What they may do.
    pub rights: Rights,
    /// Whether it is their own.
    pub is_own: bool,
}

/// Returns the accounts a person may use: their own first, then the shared ones by address.
pub fn accounts_of(snapshot: &Snapshot, who: &SignedIn) -> Result<Vec<AccountAccess>> {
    still_signed_in(snapshot, who)?;
    let ids = snapshot.query(
        "SELECT id FROM account WHERE owner_id = ?1 UNION SELECT account_id FROM account_grant WHERE person_id = ?1",
        &params![who.person().get()],
        |r| Ok(AccountId::new(r.i64(0)?)),
    )?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let account = account(snapshot, id)?;
        let rights = rights_on(snapshot, who, &account)?;
        let is_own = account.owner == Some(who.person());
        if rights != Rights::default() {
            found.push(AccountAccess { account, rights, is_own });
        }
    }
    found.sort_by_key(|a| (!a.is_own, a.account.address.key()));
    Ok(found)
}

/// Returns what a person may do, an entry for each account, and whether it is their own; for operators.
pub fn rights_of_person(snapshot: &Snapshot, person: PersonId) -> Result<Vec<(Rights, bool)>> {
    let mut found = snapshot.query(
        "SELECT rights FROM account_grant WHERE person_id = ?1 LIMIT 10000",
        &params![person.get()],
        |r| Ok((Rights::from_bits(r.i64(0)?), false)),
    )?;
    if crate::own_account(snapshot, person)?.is_some() {
        found.push((Rights::OWNER, true));
    }
    Ok(found)
}

/// Returns who has a right on an account by grant, in the order of their ids.
pub fn grantees(snapshot: &Snapshot, account: AccountId, wanted: RightKind) -> Result<Vec<PersonId>> {
    let all = snapshot.query(
        "SELECT g.person_id, g.rights FROM account_grant g JOIN person p ON p.id = g.person_id
         WHERE g.account_id = ?1 AND p.active = 1 ORDER BY g.person_id",
        &params![account.get()],
        |r| Ok((PersonId::new(r.i64(0)?), Rights::from_bits(r.i64(1)?))),
    )?;
    Ok(all.into_iter().filter(|(_, rights)| rights.has(wanted)).map(|(person, _)| person).collect())
}
