//! What somebody ordered while they were signed in, to be carried out later: who it is then, asked anew.

use crate::{
    people,
    signed_in::{Means, SignedIn, still_signed_in},
};
use congvu_storage::Snapshot;
use congvu_types::{AccountId, CredentialId, PersonId, RefusalKind, Result};

/// Who ordered something, as it is stored beside the order. It proves nothing by itself: [`resume`] asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mandate {
    /// Who.
    pub person: PersonId,
    /// The one account that their sign-in opened, when it was for one.
    pub scope: Option<AccountId>,
    /// The app password that they signed in with.
    pub device: Option<CredentialId>,
}

impl Mandate {
    /// Returns what is to be stored of somebody who is signed in.
    #[must_use]
    pub const fn of(who: &SignedIn) -> Self {
        let device = match who.means() {
            Means::Password => None,
            Means::AppPassword(id) => Some(id),
        };
        Self { person: who.person(), scope: who.scope(), device }
    }
}

/// Returns who ordered something, if they could sign in now as they did then (S4.2, Điều 4): the person is active and has not
/// been given a password to change, and the device that they used was not revoked. Another password of their own choice
/// leaves what they ordered standing. What they may do is asked as ever, by [`crate::act_for`] and [`crate::sender`].
pub fn resume(snapshot: &Snapshot, mandate: &Mandate) -> Result<SignedIn> {
    let person = people::person(snapshot, mandate.person)?.ok_or(RefusalKind::SignedOut)?;
    let means = mandate.device.map_or(Means::Password, Means::AppPassword);
    let who = SignedIn::new(person, false, mandate.scope, means);
    still_signed_in(snapshot, &who)?;
    Ok(who)
}
