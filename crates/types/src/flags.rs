//! Message flags and keywords (RFC 9051 §2.3.2).

use std::{fmt, str::FromStr};

/// A set of system flags (RFC 9051 §2.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `\Seen`: has been read.
    pub const SEEN: Self = Self(1);
    /// `\Answered`: has been answered.
    pub const ANSWERED: Self = Self(2);
    /// `\Flagged`: urgent or special attention.
    pub const FLAGGED: Self = Self(4);
    /// `\Deleted`: marked for EXPUNGE.
    pub const DELETED: Self = Self(8);
    /// `\Draft`: not finished.
    pub const DRAFT: Self = Self(16);
    /// Every system flag.
    pub const ALL: Self = Self(31);

    /// The flags with their names, in the order they are written.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::ANSWERED, "\\Answered"),
        (Self::FLAGGED, "\\Flagged"),
        (Self::DELETED, "\\Deleted"),
        (Self::SEEN, "\\Seen"),
        (Self::DRAFT, "\\Draft"),
    ];

    /// Keeps the bits that are flags.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 31)
    }

    /// Returns the bits, as stored.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Returns whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns this set without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns the flag of this name (`\Seen`, any case), or `None`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }

    /// Iterates over the names of the flags that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }
}

/// Why a text is not a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a keyword is 1 to 100 printable ASCII characters without spaces or any of ( ) {{ ] % * \" \\")]
pub struct KeywordError;

/// A keyword, such as `$Forwarded` (RFC 9051 §2.3.2): an IMAP atom. Keywords are compared without regard to case
/// (RFC 8621 §4.1.1) and keep their spelling: some clients know theirs by its letters.
#[derive(Debug, Clone)]
pub struct Keyword(String);

/// Registered keywords (RFC 9051 §2.3.2) are always spelled like this.
const REGISTERED: [&str; 5] = ["$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing"];

impl Keyword {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the keyword of a name.
    #[must_use]
    pub const fn is(&self, name: &str) -> bool {
        self.0.as_str().eq_ignore_ascii_case(name)
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Keyword {}

impl FromStr for Keyword {
    type Err = KeywordError;
    fn from_str(text: &str) -> Result<Self, KeywordError> {
        let allowed = |b: u8| b.is_ascii_graphic() && !b"(){]%*\"\\".contains(&b);
        if text.is_empty() || text.len() > 100 || !text.bytes().all(allowed) {
            return Err(KeywordError);
        }
        let registered = REGISTERED.into_iter().find(|known| known.eq_ignore_ascii_case(text));
        Ok(Self(registered.unwrap_or(text).to_owned()))
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_atoms_and_ignore_case() {
        assert_eq!("Việc".parse::<Keyword>(), Err(KeywordError));
        assert_eq!("$FORWARDED".parse::<Keyword>().unwrap().as_str(), "$Forwarded");
        let (spelled, other) = ("NonJunk".parse::<Keyword>().unwrap(), "nonjunk".parse().unwrap());
        assert_eq!(spelled, other);
        assert_eq!(spelled.as_str(), "NonJunk");
        for bad in ["", "a b", "x(", "\\Seen", "é", &"k".repeat(101)] {
            assert_eq!(bad.parse::<Keyword>(), Err(KeywordError), "{bad}");
        }
    }

    #[test]
    fn flags_are_found_by_name_in_any_case() {
        assert_eq!(Flags::by_name("\\sEEN"), Some(Flags::SEEN));
        assert_eq!(Flags::by_name("\\Recent"), None);
        assert_eq!(Flags::SEEN.with(Flags::DRAFT).names().collect::<Vec<_>>(), ["\\Seen", "\\Draft"]);
    }
}
