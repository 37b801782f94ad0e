//! The asking. Every step has its own patience, so that no domain's slow servers use up the time of another's.

use super::{
    ArcFact, AuthResult, DkimFact, DmarcFact, Facts, IprevFact, Network, PeerFacts, Policy, SpfFact,
};
use congvu_message::{AuthorFault, read_authors};
use congvu_types::Domain;
use futures_util::future::join_all;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, DnsError, Error, IprevResult,
    MessageAuthenticator, SpfOutput, SpfResult, dkim::Canonicalization, dkim::DkimError,
    dmarc::verify::DmarcParameters, spf::verify::SpfParameters,
};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{runtime::RuntimeFlavor, time::timeout};

/// No message has more signatures checked than this; each costs a lookup.
const MAX_SIGNATURES: usize = 8;
/// Each step has this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// What was told to come again is filed as junk when it still comes after this long: a resolver's bad minute is over by then.
const DEFERRED_FOR: Duration = Duration::from_secs(3600);
/// It is remembered this long, …
const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// … so many of them at most.
const MOST_REMEMBERED: usize = 10_000;
/// The hashing of what is larger is done aside.
const LARGE: usize = 1024 * 1024;

/// A message as it would come again: its author's domain, its reverse-path, its text.
type Deferred = (String, String, u64);

/// Finds out. Cheap to clone.
#[derive(Clone)]
pub struct Inspector {
    host: String,
    resolver: Option<MessageAuthenticator>,
    trusted: Vec<Network>,
    /// When what was told to come again came first.
    deferred: Arc<Mutex<HashMap<Deferred, Instant>>>,
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspector")
            .field("host", &self.host)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

impl Inspector {
    /// Makes an inspector. `host` is our name; without a resolver nothing is asked; what comes from `trusted` is not
    /// looked at.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        resolver: Option<MessageAuthenticator>,
        trusted: Vec<Network>,
    ) -> Self {
        Self { host: host.into(), resolver, trusted, deferred: Arc::default() }
    }

    /// Returns our name, the authserv-id of RFC 8601 §2.5.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether what comes from there is not looked at.
    #[must_use]
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(ip))
    }

    /// Finds out what it can; what takes longer than ten seconds is a temporary error.
    pub async fn inspect(&self, peer: &PeerFacts<'_>, raw: &[u8]) -> Facts {
        if self.trusts(peer.ip) {
            return Self::take_on_trust(raw);
        }
        let facts = Facts { authors: read_authors(raw), ..Facts::default() };
        match &self.resolver {
            Some(resolver) => self.ask(resolver, peer, raw, facts).await,
            None => facts,
        }
    }

    /// Returns the facts of what a relay of ours brings, which has looked at it itself.
    #[must_use]
    pub fn take_on_trust(raw: &[u8]) -> Facts {
        Facts { is_trusted: true, authors: read_authors(raw), ..Facts::default() }
    }

    /// Finds out about the signatures alone.
    pub async fn signatures(&self, raw: &[u8]) -> Vec<DkimFact> {
        let Some(resolver) = &self.resolver else { return Vec::new() };
        let parsed = parse(raw);
        let signed = parsed.as_ref().map(each_signature).unwrap_or_default();
        verify(resolver, &signed).await.iter().filter_map(dkim_fact).collect()
    }

    async fn ask(
        &self,
        resolver: &MessageAuthenticator,
        peer: &PeerFacts<'_>,
        raw: &[u8],
        mut facts: Facts,
    ) -> Facts {
        let parsed = parse(raw);
        let signed = parsed.as_ref().map(each_signature).unwrap_or_default();
        let (iprev, spf, dkim, arc) = tokio::join!(
            iprev(resolver, peer.ip),
            self.spf(resolver, peer),
            verify(resolver, &signed),
            arc(resolver, parsed.as_ref()),
        );
        let trimmed = dkim.iter().any(is_suspect).then(|| trimmed_copy(raw)).flatten();
        let second = trimmed.as_deref().and_then(parse);
        let signed_again = second.as_ref().map(each_signature).unwrap_or_default();
        let dkim = put_right(dkim, verify(resolver, &signed_again).await);
        facts.iprev = iprev;
        facts.arc = arc;
        facts.dkim = dkim.iter().filter_map(dkim_fact).collect();
        if let Some(message) = &parsed {
            agree(&mut facts, message);
            facts.dmarc = self.dmarc(resolver, peer, &facts, (message, &dkim, &spf)).await;
        }
        facts.spf = SpfFact {
            result: spf_result(spf.result()),
            domain: spf.domain().to_owned(),
            by_helo: peer.mail_from.is_none(),
        };
        facts
    }

    async fn spf(&self, resolver: &MessageAuthenticator, peer: &PeerFacts<'_>) -> SpfOutput {
        let ip = peer.ip.to_canonical();
        let sender = peer.mail_from.map(ToString::to_string);
        // RFC 7208 §2.4: a null reverse-path stands for postmaster at the name of HELO.
        let asked = match &sender {
            Some(sender) => SpfParameters::verify_mail_from(ip, peer.helo, &self.host, sender),
            None => SpfParameters::verify_ehlo(ip, peer.helo, &self.host),
        };
        match timeout(PATIENCE, resolver.verify_spf(asked)).await {
            Ok(found) => found,
            Err(_) => SpfOutput::new(sending_domain(peer)).with_result(SpfResult::TempError),
        }
    }

    /// Asks the author's domain, after all others and in its own time: whoever writes a message chooses most of the other
    /// servers that are asked, and must not choose that this one is not (RFC 9989 §5.3.6).
    async fn dmarc(
        &self,
        resolver: &MessageAuthenticator,
        peer: &PeerFacts<'_>,
        facts: &Facts,
        (message, dkim, spf): (&AuthenticatedMessage<'_>, &[DkimOutput<'_>], &SpfOutput),
    ) -> DmarcFact {
        // Whose policy would it be?
        let Some(author) = facts.authors.domain() else { return DmarcFact::default() };
        let domain = sending_domain(peer);
        let parameters = DmarcParameters::new(message, dkim, &domain, spf);
        let (result, policy) = match timeout(PATIENCE, resolver.verify_dmarc(parameters)).await {
            Ok(found) => {
                let result = dmarc_result(&found.result());
                let is_unknown = result == AuthResult::TempError && found.dmarc_record().is_none();
                (result, if is_unknown { Policy::Unknown } else { policy(found.policy()) })
            }
            Err(_) => (AuthResult::TempError, Policy::Unknown),
        };
        let mut fact = DmarcFact { result, domain: author.to_string(), policy, was_deferred: false };
        if fact.result == AuthResult::TempError {
            fact.was_deferred = self.remember(&fact.domain, peer, message.raw_message, Instant::now());
        }
        fact
    }

    /// Notes what is told to come again; returns whether it was noted long enough before.
    fn remember(&self, domain: &str, peer: &PeerFacts<'_>, raw: &[u8], now: Instant) -> bool {
        let sender = peer.mail_from.map(ToString::to_string).unwrap_or_default();
        let mut text = DefaultHasher::new();
        raw.hash(&mut text);
        let mut deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        deferred.retain(|_, at| now.duration_since(*at) < MEMORY);
        if deferred.len() >= MOST_REMEMBERED {
            deferred.clear();
        }
        let first = deferred.entry((domain.to_owned(), sender, text.finish())).or_insert(now);
        now.duration_since(*first) >= DEFERRED_FOR
    }
}

/// The domain that SPF is about.
fn sending_domain(peer: &PeerFacts<'_>) -> String {
    peer.mail_from.map_or_else(|| peer.helo.to_owned(), |from| from.domain().to_string())
}

/// Reading hashes the body: of a large message aside, so that other sessions go on.
fn parse(raw: &[u8]) -> Option<AuthenticatedMessage<'_>> {
    let can_block = tokio::runtime::Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    let mut message = if raw.len() > LARGE && can_block {
        tokio::task::block_in_place(|| AuthenticatedMessage::parse(raw))?
    } else {
        AuthenticatedMessage::parse(raw)?
    };
    message.dkim_headers.truncate(MAX_SIGNATURES);
    Some(message)
}

/// The library must see the author whom we show.
fn agree(facts: &mut Facts, message: &AuthenticatedMessage<'_>) {
    let Some(author) = facts.authors.domain() else { return };
    let is_same = |from: &String| {
        from.rsplit_once('@').is_some_and(|(_, domain)| domain.parse::<Domain>().is_ok_and(|d| d == *author))
    };
    if message.froms().is_empty() || !message.froms().iter().all(is_same) {
        facts.authors.fault = Some(AuthorFault::SeveralDomains);
    }
}

async fn iprev(resolver: &MessageAuthenticator, ip: IpAddr) -> IprevFact {
    let Ok(found) = timeout(PATIENCE, resolver.verify_iprev(ip.to_canonical())).await else {
        return IprevFact { result: AuthResult::TempError, name: None };
    };
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

async fn arc(resolver: &MessageAuthenticator, message: Option<&AuthenticatedMessage<'_>>) -> ArcFact {
    let Some(message) = message else { return ArcFact::default() };
    let Ok(found) = timeout(PATIENCE, resolver.verify_arc(message)).await else {
        return ArcFact { result: AuthResult::TempError, sealer: None };
    };
    ArcFact {
        result: dkim_result(found.result()),
        sealer: found.sets().last().map(|set| set.seal.header.d.to_ascii_lowercase()),
    }
}

/// The message once for each of its signatures, so that each can be waited for alone.
fn each_signature<'x>(message: &AuthenticatedMessage<'x>) -> Vec<AuthenticatedMessage<'x>> {
    let one = |at: usize| {
        let mut one = message.clone();
        one.errors = Vec::new();
        one.dkim_headers = one.dkim_headers.into_iter().skip(at).take(1).collect();
        one
    };
    (0..message.dkim_headers.len()).map(one).collect()
}

/// Verifies the signatures at the same time; one that takes too long is in temporary error.
async fn verify<'x>(
    resolver: &MessageAuthenticator,
    signed: &'x [AuthenticatedMessage<'x>],
) -> Vec<DkimOutput<'x>> {
    let each = signed.iter().map(|message| async move {
        match timeout(PATIENCE, resolver.verify_dkim(message)).await {
            Ok(found) => found,
            Err(_) => {
                let late = || DkimOutput::temp_err(Error::Dns(DnsError::Resolver("timed out".to_owned())));
                message.dkim_headers.iter().map(|h| late().with_signature(&h.header)).collect()
            }
        }
    });
    join_all(each).await.into_iter().flatten().collect()
}

/// The library takes lines of spaces at the end of a body into a relaxed body hash, against RFC 6376 §3.4.4; a second
/// look at a copy without such lines puts it right.
fn is_suspect(output: &DkimOutput<'_>) -> bool {
    let hash = matches!(
        output.result(),
        DkimResult::Neutral(Error::Dkim(DkimError::FailedBodyHashMatch))
            | DkimResult::Fail(Error::Dkim(DkimError::FailedBodyHashMatch))
    );
    hash && output.signature().is_some_and(|s| s.cb == Canonicalization::Relaxed)
}

fn put_right<'x>(mut found: Vec<DkimOutput<'x>>, second: Vec<DkimOutput<'x>>) -> Vec<DkimOutput<'x>> {
    for (first, second) in found.iter_mut().zip(second) {
        if is_suspect(first) && first.signature().map(|s| &s.b) == second.signature().map(|s| &s.b) {
            *first = second;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_message_much_later_has_come_again() {
        let inspector = Inspector::new("mx.example", None, Vec::new());
        let peer = PeerFacts { ip: [192, 0, 2, 1].into(), helo: "mx.slow.example", mail_from: None };
        let first = Instant::now();
        let comes =
            |text: &[u8], after: Duration| inspector.remember("slow.example", &peer, text, first + after);
        assert!(!comes(b"one", Duration::ZERO));
        assert!(!comes(b"one", Duration::from_secs(60)));
        assert!(!comes(b"two", DEFERRED_FOR));
        assert!(comes(b"one", DEFERRED_FOR));
        assert!(!comes(b"one", MEMORY + DEFERRED_FOR), "forgotten");
    }
}
