//! What can be found out about a message that comes in: SPF, DKIM, DMARC, ARC, the name of the peer.
//!
//! The core's one async corner. It asks DNS and holds no SQL; what it finds are plain values that [`crate::judge()`] reads.
//! Without a resolver nothing is asked and every result is `none`.

use congvu_types::EmailAddress;
/// Who asks DNS, made from a resolver.
pub use mail_auth::MessageAuthenticator;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, IprevResult, SpfOutput, SpfResult,
    dkim::Canonicalization, dkim::DkimError, dmarc::verify::DmarcParameters, spf::verify::SpfParameters,
};
use std::{net::IpAddr, time::Duration};

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

/// Whether the author's domain vouches (RFC 7489).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DmarcFact {
    /// The result.
    pub result: AuthResult,
    /// The author's domain.
    pub domain: String,
    /// What it wants done with a failure.
    pub policy: Policy,
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

/// Finds out. Cheap to clone.
#[derive(Clone)]
pub struct Inspector {
    host: String,
    resolver: Option<MessageAuthenticator>,
    trusted: Vec<Network>,
    patience: Duration,
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspector")
            .field("host", &self.host)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

/// No message has more signatures checked than this; each costs a lookup.
const MAX_SIGNATURES: usize = 8;

impl Inspector {
    /// Makes an inspector. `host` is our name; without a resolver nothing is asked; what comes from `trusted` is not
    /// looked at.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        resolver: Option<MessageAuthenticator>,
        trusted: Vec<Network>,
    ) -> Self {
        Self { host: host.into(), resolver, trusted, patience: Duration::from_secs(20) }
    }

    /// Returns our name, the authserv-id of RFC 8601 §2.5.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Finds out what it can within 20 seconds; what takes longer is a temporary error.
    pub async fn inspect(&self, peer: &PeerFacts<'_>, raw: &[u8]) -> Facts {
        if self.trusted.iter().any(|network| network.contains(peer.ip)) {
            return Facts { is_trusted: true, ..Facts::default() };
        }
        let Some(resolver) = &self.resolver else { return Facts::default() };
        match tokio::time::timeout(self.patience, self.ask(resolver, peer, raw)).await {
            Ok(facts) => facts,
            Err(_) => Facts {
                spf: SpfFact { result: AuthResult::TempError, ..SpfFact::default() },
                dmarc: DmarcFact { result: AuthResult::TempError, ..DmarcFact::default() },
                ..Facts::default()
            },
        }
    }

    async fn ask(&self, resolver: &MessageAuthenticator, peer: &PeerFacts<'_>, raw: &[u8]) -> Facts {
        let mut facts = Facts { iprev: iprev(resolver, peer.ip).await, ..Facts::default() };
        let sender = peer.mail_from.map(ToString::to_string);
        let spf = self.spf(resolver, peer, sender.as_deref()).await;
        facts.spf = SpfFact {
            result: spf_result(spf.result()),
            domain: spf.domain().to_owned(),
            by_helo: sender.is_none(),
        };
        let Some(mut message) = AuthenticatedMessage::parse(raw) else { return facts };
        message.dkim_headers.truncate(MAX_SIGNATURES);
        let trimmed = trimmed_copy(raw);
        let second = trimmed.as_deref().and_then(AuthenticatedMessage::parse);
        let dkim = verify_dkim(resolver, &message, second.as_ref()).await;
        facts.dkim = dkim.iter().filter_map(dkim_fact).collect();
        facts.arc = arc(resolver, &message).await;
        let domain = peer.mail_from.map_or_else(|| peer.helo.to_owned(), |m| m.domain().to_string());
        let dmarc = resolver.verify_dmarc(DmarcParameters::new(&message, &dkim, &domain, &spf)).await;
        facts.dmarc = DmarcFact {
            result: dmarc_result(&dmarc.result()),
            domain: dmarc.domain().to_owned(),
            policy: policy(dmarc.policy()),
        };
        facts
    }

    async fn spf(
        &self,
        resolver: &MessageAuthenticator,
        peer: &PeerFacts<'_>,
        sender: Option<&str>,
    ) -> SpfOutput {
        // RFC 7208 §2.4: a null reverse-path stands for postmaster at the name of HELO.
        let ip = peer.ip.to_canonical();
        let asked = match sender {
            Some(sender) => SpfParameters::verify_mail_from(ip, peer.helo, &self.host, sender),
            None => SpfParameters::verify_ehlo(ip, peer.helo, &self.host),
        };
        resolver.verify_spf(asked).await
    }
}

async fn iprev(resolver: &MessageAuthenticator, ip: IpAddr) -> IprevFact {
    let found = resolver.verify_iprev(ip.to_canonical()).await;
    let result = match found.result() {
        IprevResult::Pass => AuthResult::Pass,
        IprevResult::Fail(_) => AuthResult::Fail,
        IprevResult::TempError(_) => AuthResult::TempError,
        IprevResult::PermError(_) => AuthResult::PermError,
        IprevResult::None => AuthResult::None,
    };
    let name = found.ptr.as_ref().and_then(|names| names.first()).map(|n| n.trim_end_matches('.').to_owned());
    IprevFact { result, name }
}

async fn arc(resolver: &MessageAuthenticator, message: &AuthenticatedMessage<'_>) -> ArcFact {
    let found = resolver.verify_arc(message).await;
    ArcFact {
        result: dkim_result(found.result()),
        sealer: found.sets().last().map(|set| set.seal.header.d.to_ascii_lowercase()),
    }
}

/// The library takes lines of spaces at the end of a body into a relaxed body hash, against RFC 6376 §3.4.4; a second
/// look at a copy without such lines puts it right.
async fn verify_dkim<'x>(
    resolver: &MessageAuthenticator,
    message: &'x AuthenticatedMessage<'x>,
    trimmed: Option<&'x AuthenticatedMessage<'x>>,
) -> Vec<DkimOutput<'x>> {
    let mut found = resolver.verify_dkim(message).await;
    let is_suspect = |output: &DkimOutput<'_>| {
        let hash = matches!(
            output.result(),
            DkimResult::Neutral(mail_auth::Error::Dkim(DkimError::FailedBodyHashMatch))
                | DkimResult::Fail(mail_auth::Error::Dkim(DkimError::FailedBodyHashMatch))
        );
        hash && output.signature().is_some_and(|s| s.cb == Canonicalization::Relaxed)
    };
    if let Some(trimmed) = trimmed.filter(|_| found.iter().any(is_suspect)) {
        for (first, second) in found.iter_mut().zip(resolver.verify_dkim(trimmed).await) {
            if is_suspect(first) && first.signature().map(|s| &s.b) == second.signature().map(|s| &s.b) {
                *first = second;
            }
        }
    }
    found
}

/// A copy without lines of spaces and tabs at the end of the body, when there are any.
fn trimmed_copy(raw: &[u8]) -> Option<Vec<u8>> {
    let body = congvu_message::headers::split(raw).1;
    let trimmed = crate::dkim::trim_blank_lines(raw, body);
    (trimmed.len() != raw.len()).then(|| trimmed.into_owned())
}

fn dkim_fact(output: &DkimOutput<'_>) -> Option<DkimFact> {
    let signature = output.signature()?;
    Some(DkimFact {
        result: dkim_result(output.result()),
        domain: signature.d.to_ascii_lowercase(),
        selector: signature.s.clone(),
    })
}

const fn dkim_result(result: &DkimResult) -> AuthResult {
    match result {
        DkimResult::Pass => AuthResult::Pass,
        DkimResult::Neutral(_) => AuthResult::Neutral,
        DkimResult::Fail(_) => AuthResult::Fail,
        DkimResult::PermError(_) => AuthResult::PermError,
        DkimResult::TempError(_) => AuthResult::TempError,
        DkimResult::None => AuthResult::None,
    }
}

const fn spf_result(result: SpfResult) -> AuthResult {
    match result {
        SpfResult::Pass => AuthResult::Pass,
        SpfResult::Fail => AuthResult::Fail,
        SpfResult::SoftFail => AuthResult::SoftFail,
        SpfResult::Neutral => AuthResult::Neutral,
        SpfResult::TempError => AuthResult::TempError,
        SpfResult::PermError => AuthResult::PermError,
        SpfResult::None => AuthResult::None,
    }
}

const fn dmarc_result(result: &DmarcResult) -> AuthResult {
    match result {
        DmarcResult::Pass => AuthResult::Pass,
        DmarcResult::Fail(_) => AuthResult::Fail,
        DmarcResult::TempError(_) => AuthResult::TempError,
        DmarcResult::PermError(_) => AuthResult::PermError,
        DmarcResult::None => AuthResult::None,
    }
}

const fn policy(policy: mail_auth::dmarc::Policy) -> Policy {
    match policy {
        mail_auth::dmarc::Policy::Reject => Policy::Reject,
        mail_auth::dmarc::Policy::Quarantine => Policy::Quarantine,
        mail_auth::dmarc::Policy::None | mail_auth::dmarc::Policy::Unspecified => Policy::None,
    }
}
