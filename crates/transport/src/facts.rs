//! What can be found out about a message that comes in: SPF, DKIM, DMARC, ARC, the name of the peer.
//!
//! The core's one async corner. It asks DNS and holds no SQL; what it finds are plain values that [`crate::judge()`] reads.
//! Without a resolver nothing is asked and every result is `none`.

mod inspect;

use crate::claims::Claim;
use congvu_message::Authors;
use congvu_types::{Domain, EmailAddress};
pub use inspect::Inspector;
/// Who asks DNS, made from a resolver.
pub use mail_auth::MessageAuthenticator;
use std::net::IpAddr;

/// A result of RFC 8601 §2.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthResult {
    /// Nothing to check.
    #[default]
    None,
    /// It is so.
    Pass,
    /// It is not so.
    Fail,
    /// It is probably not so.
    SoftFail,
    /// Nothing is said.
    Neutral,
    /// DNS failed for now.
    TempError,
    /// What was found cannot be understood.
    PermError,
}

impl AuthResult {
    /// Returns the word of RFC 8601.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What a domain wants done with what fails DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Nothing.
    #[default]
    None,
    /// Set it apart.
    Quarantine,
    /// Refuse it.
    Reject,
    /// It could not be asked.
    Unknown,
}

/// Whether the peer's address has a name that leads back to it (RFC 8601 §3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IprevFact {
    /// The result.
    pub result: AuthResult,
    /// The name.
    pub name: Option<String>,
}

/// Whether the sender's domain sends from there (RFC 7208).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpfFact {
    /// The result.
    pub result: AuthResult,
    /// The domain asked.
    pub domain: String,
    /// Whether it was the name of HELO, the reverse-path being null.
    pub by_helo: bool,
}

/// One signature (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimFact {
    /// The result.
    pub result: AuthResult,
    /// Who signed.
    pub domain: String,
    /// The selector.
    pub selector: String,
}

/// Whether the author's domain vouches (RFC 7489, RFC 9989).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DmarcFact {
    /// The result.
    pub result: AuthResult,
    /// The author's domain.
    pub domain: String,
    /// What it wants done with a failure.
    pub policy: Policy,
    /// Whether such a message was told to come again before, when this could not be found out either.
    pub was_deferred: bool,
}

/// Whether those who passed it on vouch (RFC 8617).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArcFact {
    /// The result.
    pub result: AuthResult,
    /// Who sealed last.
    pub sealer: Option<String>,
}

/// Everything found out about a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Whether it came from a network of ours, and nothing was asked.
    pub is_trusted: bool,
    /// Who it says it is from.
    pub authors: Authors,
    /// Which of its senders would be ours.
    pub claims: Vec<Claim>,
    /// The peer's name.
    pub iprev: IprevFact,
    /// SPF.
    pub spf: SpfFact,
    /// Each signature.
    pub dkim: Vec<DkimFact>,
    /// DMARC.
    pub dmarc: DmarcFact,
    /// ARC.
    pub arc: ArcFact,
}

impl Facts {
    /// Returns whether the domain, or one above it, has signed, or its servers have sent.
    pub(crate) fn vouches(&self, domain: &Domain) -> bool {
        let named = |text: &str| text.parse::<Domain>().ok();
        let signed =
            self.dkim.iter().filter(|d| d.result == AuthResult::Pass).filter_map(|d| named(&d.domain));
        let is_signed = signed.into_iter().any(|d| domain.is_within(&d));
        let is_sent = self.spf.result == AuthResult::Pass
            && !self.spf.by_helo
            && named(&self.spf.domain).is_some_and(|d| d == *domain);
        is_signed || is_sent
    }

    /// Returns whether the reverse-path is to be believed: a report goes to nobody else's (RFC 3461 §4.1 has them asked
    /// for by anybody).
    #[must_use]
    pub fn believes(&self, mail_from: Option<&EmailAddress>) -> bool {
        self.is_trusted || mail_from.is_some_and(|from| self.vouches(from.domain()))
    }
}

/// Who brings the message.
#[derive(Debug, Clone, Copy)]
pub struct PeerFacts<'a> {
    /// The peer's address.
    pub ip: IpAddr,
    /// What it called itself.
    pub helo: &'a str,
    /// The reverse-path.
    pub mail_from: Option<&'a EmailAddress>,
}

/// A network, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl std::str::FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network; write one as 10.0.0.0/8 or 192.0.2.7");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let base: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits <= most { Ok(Self { base, bits }) } else { Err(wrong()) }
    }
}

impl Network {
    /// Returns whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(base).checked_shr(shift).unwrap_or(0)
                    == u32::from(address).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(base).checked_shr(shift).unwrap_or(0)
                    == u128::from(address).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}
