//! Email addresses and domains in their compared form.
//!
//! The local part is UTF-8 in NFC, compared byte for byte but for ASCII case; the domain is kept as
//! lower-case A-labels (RFC 5890 §2.3.2.1), so that two spellings of one domain are one value.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use unicode_normalization::UnicodeNormalization;

/// Why a text is not an address or a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@` with something on both sides.
    #[error("an address is written name@domain")]
    NoAt,
    /// The local part is longer than 64 octets or holds characters that no local part may hold.
    #[error("the part before the @ is not valid")]
    LocalPart,
    /// The domain is not a host name of letters, digits and hyphens in labels of 1 to 63 octets.
    #[error("the domain is not valid")]
    Domain,
}

/// A domain name in lower-case A-labels, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Returns the A-label form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this domain is `suffix` or lies below it, judged on a label boundary:
    /// `sub.gov.example` is below `gov.example`, `evilgov.example` is not (S2.2b).
    #[must_use]
    pub fn is_within(&self, suffix: &Self) -> bool {
        match self.0.strip_suffix(&suffix.0) {
            Some("") => true,
            Some(rest) => rest.ends_with('.'),
            None => false,
        }
    }

    /// Returns the form for the eye, with U-labels.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }
}

impl FromStr for Domain {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > 1000 {
            return Err(AddressError::Domain);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| AddressError::Domain)?
        };
        // RFC 1035 §2.3.4: labels of at most 63 octets, names of at most 255.
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if ascii.len() > 253 || !ascii.split('.').all(label) {
            return Err(AddressError::Domain);
        }
        Ok(Self(ascii))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address `local@domain` (RFC 5321 §4.1.2, RFC 6531 §3.3), in its compared form.
///
/// Equality and hashing ignore ASCII case in the local part, as every deployed mail system does;
/// the case written by the sender is kept for showing.
#[derive(Debug, Clone)]
pub struct EmailAddress {
    local: String,
    domain: Domain,
}

impl EmailAddress {
    /// Returns the part before the `@`, unquoted.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// Returns the domain.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Returns the text under which an address is stored and looked up: lower case, A-label domain.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_ascii_lowercase(), self.domain)
    }

    /// Returns whether the address needs SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }

    /// Returns the local part without its `+detail` (RFC 5233 §1), when it has one.
    #[must_use]
    pub fn without_detail(&self) -> Option<Self> {
        let (base, _) = self.local.split_once('+')?;
        (!base.is_empty()).then(|| Self { local: base.to_owned(), domain: self.domain.clone() })
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.domain == other.domain && self.local.eq_ignore_ascii_case(&other.local)
    }
}

impl Eq for EmailAddress {}

impl std::hash::Hash for EmailAddress {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// RFC 5321 §4.5.3.1.1: at most 64 octets; counted in UTF-8 (RFC 6531 §3.3).
const LONGEST_LOCAL: usize = 64;

impl FromStr for EmailAddress {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::NoAt);
        }
        let local = unquote(local).ok_or(AddressError::LocalPart)?;
        if local.len() > LONGEST_LOCAL {
            return Err(AddressError::LocalPart);
        }
        // INVARIANT: what is kept reads back as it was written (test: `what_is_written_is_read_back`). NFC can make a text
        // three times as long and turn a letter into one of the specials, so it comes before every other look.
        let local: String = local.nfc().collect();
        if local.is_empty() || local.len() > LONGEST_LOCAL || local.chars().any(char::is_control) {
            return Err(AddressError::LocalPart);
        }
        Ok(Self { local, domain: domain.parse()? })
    }
}

/// Takes the quotes off a quoted local part; refuses specials in an unquoted one.
fn unquote(local: &str) -> Option<String> {
    let Some(inner) = local.strip_prefix('"') else {
        let dot_atom = !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && !local.chars().any(|c| "()<>[]:;@\\,\" ".contains(c));
        return dot_atom.then(|| local.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next()?),
            '"' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if unquote(&self.local).is_some_and(|plain| plain == self.local) && !self.local.starts_with('"') {
            return write!(f, "{}@{}", self.local, self.domain);
        }
        write!(f, "\"{}\"@{}", self.local.replace('\\', "\\\\").replace('"', "\\\""), self.domain)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    #[test]
    fn suffixes_are_judged_on_label_boundaries() {
        let gov = domain("gov.example");
        assert!(domain("gov.example").is_within(&gov));
        assert!(domain("moc.GOV.example").is_within(&gov));
        for stranger in ["evilgov.example", "gov.example.com", "example"] {
            assert!(!domain(stranger).is_within(&gov), "{stranger}");
        }
    }

    #[test]
    fn addresses_keep_their_case_and_ignore_it() {
        let a: EmailAddress = "Mai.Le@Khanhhoa.Example".parse().unwrap();
        assert_eq!(a.to_string(), "Mai.Le@khanhhoa.example");
        assert_eq!(a, "mai.le@khanhhoa.example".parse().unwrap());
    }

    #[test]
    fn quoted_and_international_addresses_are_read() {
        let quoted: EmailAddress = "\"a b\\\"c\"@x.example".parse().unwrap();
        assert_eq!(quoted.local(), "a b\"c");
        assert_eq!(quoted.to_string().parse::<EmailAddress>(), Ok(quoted));
        let eai: EmailAddress = "mai@khánhhòa.example".parse().unwrap();
        assert!(eai.domain().as_str().starts_with("xn--"));
        assert_eq!("ha\u{0300}@x.example".parse::<EmailAddress>().unwrap().local(), "hà");
    }

    #[test]
    fn a_local_part_that_grows_in_nfc_is_measured_after_it() {
        let grows = format!("{}@x.example", "\u{1D160}".repeat(16));
        assert_eq!(grows.parse::<EmailAddress>(), Err(AddressError::LocalPart));
        // U+037E is a semicolon in NFC: it is written in quotes.
        let special: EmailAddress = "a\u{37E}b@x.example".parse().unwrap();
        assert_eq!(special.to_string(), "\"a;b\"@x.example");
        assert_eq!(special.to_string().parse(), Ok(special));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(
            local in r#"[\PC\u{1D160}\u{37E}\u{301}\\" ;@a.]{1,40}"#, domain in "[a-z\u{E9}\u{3002}.-]{1,12}", quoted: bool,
        ) {
            let text = match quoted {
                true => format!("\"{}\"@{domain}", local.replace('\\', "\\\\").replace('"', "\\\"")),
                false => format!("{local}@{domain}"),
            };
            if let Ok(address) = text.parse::<EmailAddress>() {
                let again: EmailAddress = address.to_string().parse().unwrap();
                proptest::prop_assert_eq!(again.local(), address.local());
                proptest::prop_assert_eq!(again.domain(), address.domain());
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b..c",
            "a@-b",
            "a\r\n@b",
            "a..b@c",
            &format!("{}@b", "x".repeat(65)),
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
    }
}
