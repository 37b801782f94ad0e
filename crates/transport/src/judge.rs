//! Facts and rules in, verdict out. Pure: SPF trouble is a row of a table, not a mock.

use crate::facts::{AuthResult, Facts, Policy};
use congvu_types::{Domain, Refusal, RefusalKind};

/// What the installation does with what the facts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Refuses what fails DMARC when the author's domain says `p=reject`; else files it as junk.
    pub honour_reject: bool,
    /// Files what fails SPF, where no DMARC policy speaks, as junk.
    pub spf_fail_is_junk: bool,
    /// Domains whose unbroken ARC chain is believed over a DMARC failure: known lists and forwarders (RFC 8617 §7.2).
    pub trusted_sealers: Vec<Domain>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { honour_reject: true, spf_fail_is_junk: true, trusted_sealers: Vec::new() }
    }
}

/// What happens to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It goes to INBOX.
    Accept,
    /// It goes to Junk.
    Junk,
    /// It is refused.
    Reject,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing stands against it.
    Clean,
    /// It came from a network of ours.
    TrustedNetwork,
    /// An ARC sealer that is believed vouches for it.
    TrustedSealer,
    /// The author's domain says to refuse.
    DmarcReject,
    /// The author's domain says to set it apart.
    DmarcQuarantine,
    /// The sender's domain does not send from there.
    SpfFail,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The domain whose policy decided.
    pub domain: Option<String>,
}

impl Verdict {
    fn new(action: Action, reason: Reason) -> Self {
        Self { action, reason, domain: None }
    }

    /// Returns the refusal, when it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        (self.action == Action::Reject).then(|| {
            Refusal::new(RefusalKind::SenderPolicy).with("domain", self.domain.as_deref().unwrap_or_default())
        })
    }
}

/// Judges a message.
#[must_use]
pub fn judge(facts: &Facts, rules: &Rules) -> Verdict {
    if facts.is_trusted {
        return Verdict::new(Action::Accept, Reason::TrustedNetwork);
    }
    // RFC 7489 §6.6.2: only a failure lets the policy speak; an error in DNS is no failure.
    if facts.dmarc.result == AuthResult::Fail {
        let verdict = failed_dmarc(facts, rules);
        return Verdict { domain: Some(facts.dmarc.domain.clone()), ..verdict };
    }
    let unspoken = facts.dmarc.result == AuthResult::None;
    if rules.spf_fail_is_junk && unspoken && facts.spf.result == AuthResult::Fail && !has_signature(facts) {
        let domain = Some(facts.spf.domain.clone());
        return Verdict { domain, ..Verdict::new(Action::Junk, Reason::SpfFail) };
    }
    Verdict::new(Action::Accept, Reason::Clean)
}

fn failed_dmarc(facts: &Facts, rules: &Rules) -> Verdict {
    let sealer = facts.arc.sealer.as_deref().and_then(|s| s.parse::<Domain>().ok());
    if facts.arc.result == AuthResult::Pass && sealer.is_some_and(|s| rules.trusted_sealers.contains(&s)) {
        return Verdict::new(Action::Accept, Reason::TrustedSealer);
    }
    match facts.dmarc.policy {
        Policy::Reject if rules.honour_reject => Verdict::new(Action::Reject, Reason::DmarcReject),
        Policy::Reject => Verdict::new(Action::Junk, Reason::DmarcReject),
        Policy::Quarantine => Verdict::new(Action::Junk, Reason::DmarcQuarantine),
        Policy::None => Verdict::new(Action::Accept, Reason::Clean),
    }
}

/// A valid signature of anybody shows that the message was relayed on purpose.
fn has_signature(facts: &Facts) -> bool {
    facts.dkim.iter().any(|d| d.result == AuthResult::Pass)
}
