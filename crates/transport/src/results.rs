//! What the trace of a message says: Return-Path, Authentication-Results, Received.

use crate::facts::{AuthResult, Facts, PeerFacts, Policy};
use congvu_message::headers;
use congvu_types::EmailAddress;
use std::fmt::Write as _;

/// The trace fields that a message gets when it comes in.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    /// Our name.
    pub host: &'a str,
    /// The reverse-path.
    pub return_path: Option<&'a EmailAddress>,
    /// The whole Authentication-Results field with its CRLF; empty for none.
    pub results: &'a str,
    /// The whole Received field with its CRLF.
    pub received: &'a str,
}

/// Writes the Authentication-Results field (RFC 8601 §2.2) with its CRLF; empty for a trusted network.
#[must_use]
pub fn authentication_results(host: &str, peer: &PeerFacts<'_>, facts: &Facts) -> String {
    if facts.is_trusted {
        return String::new();
    }
    let mut text =
        format!("Authentication-Results: {};\r\n\tiprev={}", token(host), facts.iprev.result.as_str());
    let _ = write!(text, " policy.iprev={}", value(&peer.ip.to_canonical().to_string()));
    let property = if facts.spf.by_helo { "helo" } else { "mailfrom" };
    let asked = match peer.mail_from.filter(|_| !facts.spf.by_helo) {
        Some(sender) => sender.to_string(),
        None => peer.helo.to_owned(),
    };
    let _ = write!(text, ";\r\n\tspf={} smtp.{property}={}", facts.spf.result.as_str(), value(&asked));
    for dkim in &facts.dkim {
        let (domain, selector) = (value(&dkim.domain), value(&dkim.selector));
        let _ = write!(text, ";\r\n\tdkim={} header.d={domain} header.s={selector}", dkim.result.as_str());
    }
    if facts.dkim.is_empty() {
        text.push_str(";\r\n\tdkim=none");
    }
    match facts.authors.fault {
        None => text.push_str(&format!(";\r\n\tdmarc={}", facts.dmarc.result.as_str())),
        // RFC 8601 §2.2: why.
        Some(fault) => text.push_str(&format!(";\r\n\tdmarc=permerror reason={}", value(fault.as_str()))),
    }
    if !facts.dmarc.domain.is_empty() {
        let wanted = match facts.dmarc.policy {
            Policy::None | Policy::Unknown => "none",
            Policy::Quarantine => "quarantine",
            Policy::Reject => "reject",
        };
        let _ = write!(text, " header.from={} policy.dmarc={wanted}", value(&facts.dmarc.domain));
    }
    if facts.arc.result != AuthResult::None {
        let _ = write!(text, ";\r\n\tarc={}", facts.arc.result.as_str());
        if let Some(sealer) = &facts.arc.sealer {
            let _ = write!(text, " header.d={}", value(sealer));
        }
    }
    text.push_str("\r\n");
    text
}

/// A token of RFC 2045 §5.1; what is none loses the characters that are not.
fn token(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_:".contains(*c)).take(255).collect()
}

/// A value of RFC 8601 §2.2: bare where that is possible, else quoted; never a line break.
fn value(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "!#$&*+-.^_`{|}~@".contains(c);
    if !text.is_empty() && text.len() <= 320 && text.chars().all(bare) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()).take(320) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Puts the trace on a message. Fields that claim to be ours are removed first: Return-Path (RFC 5321 §4.4) and results
/// under our own name, which only we may state (RFC 8601 §5).
#[must_use]
pub fn stamp(raw: &[u8], trace: &Trace<'_>) -> Vec<u8> {
    let kept =
        headers::remove(raw, |field| field.is("Return-Path") || headers::is_result_of(field, trace.host));
    let path = trace.return_path.map(ToString::to_string).unwrap_or_default();
    let mut stamped = format!("Return-Path: <{path}>\r\n").into_bytes();
    stamped.extend_from_slice(trace.results.as_bytes());
    stamped.extend_from_slice(trace.received.as_bytes());
    stamped.extend_from_slice(&kept);
    stamped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_under_our_own_name_are_removed() {
        let raw = b"Authentication-Results: mx.a.example; spf=pass\r\n\
            authentication-results: (x) MX.A.example 1; dkim=pass\r\nAuthentication-Results: other.example; spf=pass\r\n\
            Return-Path: <x@y.example>\r\nSubject: x\r\n\r\nbody\r\n";
        let trace =
            Trace { host: "mx.a.example", return_path: None, results: "", received: "Received: r\r\n" };
        assert_eq!(
            String::from_utf8_lossy(&stamp(raw, &trace)),
            "Return-Path: <>\r\nReceived: r\r\nAuthentication-Results: other.example; spf=pass\r\nSubject: x\r\n\r\nbody\r\n"
        );
    }

    #[test]
    fn values_cannot_break_the_field() {
        assert_eq!(value("a@x.example"), "a@x.example");
        assert_eq!(value("a;b\r\nX: y\""), "\"a;bX: y\\\"\"");
    }
}
