//! Facts and rules in, verdict out. Pure: SPF trouble is a row of a table, not a mock.

use crate::{
    claims::Claim,
    facts::{AuthResult, Facts, Policy},
};
use congvu_message::AuthorFault;
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
    /// It is to come again later.
    Later,
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
    /// It says it is from an address of ours; nobody signed in to send it, and our domain does not vouch for it.
    OwnAddress,
    /// Who wrote it can be read in more than one way, or not at all.
    UnclearAuthor(AuthorFault),
    /// What the author's domain says could not be found out.
    DmarcUnknown,
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
    /// The address of ours that it says it is from, when that decided.
    pub claim: Option<Claim>,
}

impl Verdict {
    fn new(action: Action, reason: Reason) -> Self {
        Self { action, reason, domain: None, claim: None }
    }

    /// Returns the refusal, when it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self.action {
            Action::Accept | Action::Junk => return None,
            Action::Later => return Some(Refusal::new(RefusalKind::SenderUnverified)),
            Action::Reject => {}
        }
        if let Reason::UnclearAuthor(_) = self.reason {
            return Some(Refusal::new(RefusalKind::InvalidMessage));
        }
        let Some(claim) = &self.claim else {
            let refusal = Refusal::new(RefusalKind::SenderPolicy);
            return Some(refusal.with("domain", self.domain.as_deref().unwrap_or_default()));
        };
        let refusal = Refusal::new(RefusalKind::SignInToSend).with("address", &claim.address);
        Some(match &claim.review {
            Some(citation) => refusal.citing(citation),
            None => refusal,
        })
    }
}

/// Judges a message.
#[must_use]
pub fn judge(facts: &Facts, rules: &Rules) -> Verdict {
    if let Some(claim) = false_claim(facts, rules) {
        // What could not be asked may vouch for it the next time.
        let action = if might_vouch(facts) { Action::Later } else { Action::Reject };
        let claim = Some(claim.clone());
        return Verdict { claim, ..Verdict::new(action, Reason::OwnAddress) };
    }
    if facts.is_trusted {
        return Verdict::new(Action::Accept, Reason::TrustedNetwork);
    }
    if let Some(fault) = facts.authors.fault {
        // RFC 5322 §3.6: a message has one From. Of several, each program shows another; of none, nothing.
        let is_several = fault == AuthorFault::SeveralFrom;
        let action = if is_several { Action::Reject } else { Action::Junk };
        return Verdict::new(action, Reason::UnclearAuthor(fault));
    }
    let domain = Some(facts.dmarc.domain.clone());
    match facts.dmarc.result {
        AuthResult::Fail => return Verdict { domain, ..failed_dmarc(facts, rules) },
        // RFC 9989 §5.3.6: an error is no failure, and no pass either. What is asked to come again, and still comes when
        // that should be over, is filed as junk: a domain whose DNS is broken for good loses no mail by it.
        AuthResult::TempError if facts.dmarc.policy != Policy::None => {
            let action = if facts.dmarc.was_deferred { Action::Junk } else { Action::Later };
            return Verdict { domain, ..Verdict::new(action, Reason::DmarcUnknown) };
        }
        _ => {}
    }
    let unspoken = facts.dmarc.result == AuthResult::None;
    if rules.spf_fail_is_junk && unspoken && facts.spf.result == AuthResult::Fail && !has_signature(facts) {
        let domain = Some(facts.spf.domain.clone());
        return Verdict { domain, ..Verdict::new(Action::Junk, Reason::SpfFail) };
    }
    Verdict::new(Action::Accept, Reason::Clean)
}

/// An address of ours for which nothing vouches (S8.3c, Điều 8: every message leads to a person). Relays of ours may bring
/// mail from programs of the agency, but not from an account under review, which only an approval sends (S9.1, Điều 9).
fn false_claim<'f>(facts: &'f Facts, rules: &Rules) -> Option<&'f Claim> {
    if is_sealed(facts, rules) {
        return None;
    }
    let is_barred = |claim: &&Claim| !facts.is_trusted || claim.review.is_some();
    facts.claims.iter().filter(is_barred).find(|claim| !facts.vouches(claim.address.domain()))
}

/// Whether a lookup failed for now that could have vouched for the sender.
fn might_vouch(facts: &Facts) -> bool {
    let is_open = |result: AuthResult| result == AuthResult::TempError;
    is_open(facts.spf.result) || is_open(facts.arc.result) || facts.dkim.iter().any(|d| is_open(d.result))
}

/// Whether an ARC sealer that is believed vouches for it.
fn is_sealed(facts: &Facts, rules: &Rules) -> bool {
    let sealer = facts.arc.sealer.as_deref().and_then(|s| s.parse::<Domain>().ok());
    facts.arc.result == AuthResult::Pass && sealer.is_some_and(|s| rules.trusted_sealers.contains(&s))
}

fn failed_dmarc(facts: &Facts, rules: &Rules) -> Verdict {
    if is_sealed(facts, rules) {
        return Verdict::new(Action::Accept, Reason::TrustedSealer);
    }
    match facts.dmarc.policy {
        Policy::Reject if rules.honour_reject => Verdict::new(Action::Reject, Reason::DmarcReject),
        Policy::Reject => Verdict::new(Action::Junk, Reason::DmarcReject),
        Policy::Quarantine => Verdict::new(Action::Junk, Reason::DmarcQuarantine),
        Policy::None | Policy::Unknown => Verdict::new(Action::Accept, Reason::Clean),
    }
}

/// A valid signature of anybody shows that the message was relayed on purpose.
fn has_signature(facts: &Facts) -> bool {
    facts.dkim.iter().any(|d| d.result == AuthResult::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ArcFact, DkimFact, DmarcFact, SpfFact};
    use congvu_message::Authors;
    use congvu_types::Citation;

    fn claim(address: &str, reviewed: bool) -> Claim {
        let citation = Citation {
            rule: "S9.1".into(),
            instrument: "Quy định".into(),
            article: 9,
            clause: None,
            point: None,
        };
        Claim { address: address.parse().unwrap(), review: reviewed.then_some(citation) }
    }

    fn signed(domain: &str) -> Vec<DkimFact> {
        vec![DkimFact { result: AuthResult::Pass, domain: domain.into(), selector: "s".into() }]
    }

    fn dmarc(result: AuthResult, policy: Policy) -> Facts {
        let dmarc = DmarcFact { result, domain: "gov.example".into(), policy, was_deferred: false };
        Facts { dmarc, ..Facts::default() }
    }

    fn verdict(facts: &Facts) -> (Action, Reason) {
        let verdict = judge(facts, &Rules::default());
        (verdict.action, verdict.reason)
    }

    /// S8.3c (Điều 8), S9.1 (Điều 9): our own addresses are believed when our domain vouches for them, and not else.
    #[test]
    fn an_address_of_ours_needs_a_voucher() {
        let own = |reviewed| Facts { claims: vec![claim("bqlctgt@a.example", reviewed)], ..Facts::default() };
        let refused = (Action::Reject, Reason::OwnAddress);
        assert_eq!(verdict(&own(false)), refused);
        for stranger in ["evil.example", "x.a.example", "aa.example"] {
            assert_eq!(verdict(&Facts { dkim: signed(stranger), ..own(false) }), refused, "{stranger}");
        }
        let clean = (Action::Accept, Reason::Clean);
        assert_eq!(verdict(&Facts { dkim: signed("a.example"), ..own(true) }), clean);
        let sent = |by_helo| SpfFact { result: AuthResult::Pass, domain: "a.example".into(), by_helo };
        assert_eq!(verdict(&Facts { spf: sent(false), ..own(true) }), clean);
        assert_eq!(verdict(&Facts { spf: sent(true), ..own(true) }), refused);
        let unasked = SpfFact { result: AuthResult::TempError, domain: "a.example".into(), by_helo: false };
        assert_eq!(verdict(&Facts { spf: unasked, ..own(true) }), (Action::Later, Reason::OwnAddress));
        // A relay of ours brings what programs of the agency write, and nothing from an account under review.
        let trusted = |reviewed| Facts { is_trusted: true, ..own(reviewed) };
        assert_eq!(verdict(&trusted(false)), (Action::Accept, Reason::TrustedNetwork));
        assert_eq!(verdict(&trusted(true)), refused);
        let refusal = judge(&trusted(true), &Rules::default()).refusal().unwrap();
        assert_eq!(refusal.kind, RefusalKind::SignInToSend);
        assert!(refusal.citation.is_some_and(|c| c.article == 9));
    }

    #[test]
    fn a_list_that_is_believed_vouches_for_our_own_too() {
        let arc = ArcFact { result: AuthResult::Pass, sealer: Some("lists.example".into()) };
        let facts = Facts { claims: vec![claim("a@a.example", true)], arc, ..Facts::default() };
        let rules = Rules { trusted_sealers: vec!["lists.example".parse().unwrap()], ..Rules::default() };
        assert_eq!(judge(&facts, &rules).action, Action::Accept);
        assert_eq!(judge(&facts, &Rules::default()).action, Action::Reject);
    }

    #[test]
    fn an_author_who_is_unclear_is_junk_and_several_are_refused() {
        let of = |fault| Facts {
            authors: Authors { fault: Some(fault), ..Authors::default() },
            ..dmarc(AuthResult::Pass, Policy::Reject)
        };
        for fault in
            [AuthorFault::NoFrom, AuthorFault::NoAddress, AuthorFault::SeveralDomains, AuthorFault::Malformed]
        {
            assert_eq!(verdict(&of(fault)), (Action::Junk, Reason::UnclearAuthor(fault)));
        }
        let several = judge(&of(AuthorFault::SeveralFrom), &Rules::default());
        assert_eq!(several.refusal().map(|r| r.kind), Some(RefusalKind::InvalidMessage));
    }

    #[test]
    fn what_cannot_be_asked_comes_again_once_and_is_then_junk() {
        for policy in [Policy::Unknown, Policy::Quarantine, Policy::Reject] {
            let mut facts = dmarc(AuthResult::TempError, policy);
            assert_eq!(verdict(&facts), (Action::Later, Reason::DmarcUnknown));
            assert!(judge(&facts, &Rules::default()).refusal().is_some());
            facts.dmarc.was_deferred = true;
            assert_eq!(verdict(&facts), (Action::Junk, Reason::DmarcUnknown));
        }
        assert_eq!(verdict(&dmarc(AuthResult::TempError, Policy::None)).0, Action::Accept);
    }

    #[test]
    fn the_policy_speaks_of_failures() {
        for (result, policy, action) in [
            (AuthResult::Pass, Policy::Reject, Action::Accept),
            (AuthResult::None, Policy::None, Action::Accept),
            (AuthResult::Fail, Policy::None, Action::Accept),
            (AuthResult::Fail, Policy::Quarantine, Action::Junk),
            (AuthResult::Fail, Policy::Reject, Action::Reject),
        ] {
            assert_eq!(verdict(&dmarc(result, policy)).0, action, "{result:?} {policy:?}");
        }
    }

    /// A report about a message goes to its sender only when that is its sender (RFC 3461).
    #[test]
    fn a_reverse_path_is_believed_when_its_domain_vouches() {
        let from = "a@gov.example".parse().unwrap();
        assert!(!Facts::default().believes(Some(&from)));
        assert!(!Facts { dkim: signed("evil.example"), ..Facts::default() }.believes(Some(&from)));
        assert!(Facts { dkim: signed("gov.example"), ..Facts::default() }.believes(Some(&from)));
        assert!(Facts { is_trusted: true, ..Facts::default() }.believes(Some(&from)));
    }
}
