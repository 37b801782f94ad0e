//! An agency's regulation as data: `regulation.toml` → question → decision with its citation. Pure.
//!
//! Nothing configured means the behaviour of a plain mail server. Another agency changes the file, not the program.

mod parse;

use congvu_types::{Citation, Domain};
pub use parse::Finding;
use std::time::Duration;

/// What kind of account (hộp thư).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// Of the whole agency, shared (S3.1a).
    Agency,
    /// Of a unit.
    Unit,
    /// Of a position, whoever holds it.
    Position,
    /// Of one person (S3.2).
    Personal,
}

impl AccountKind {
    /// Returns the word of fixtures, regulation files and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Unit => "unit",
            Self::Position => "position",
            Self::Personal => "personal",
        }
    }

    /// Reads that word.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Agency, Self::Unit, Self::Position, Self::Personal].into_iter().find(|k| k.as_str() == name)
    }
}

/// Who may have a personal account (S3.2, Điều 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalAccounts {
    /// The positions that may.
    pub positions: Vec<String>,
    /// The article.
    pub citation: Citation,
}

/// How outgoing mail is reviewed (S9.1, Điều 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingReview {
    /// Whose mail is held.
    pub accounts: Vec<AccountKind>,
    /// How long a decision may take before it passes to a deputy; never to sending.
    pub decide_within: Option<Duration>,
    /// The article.
    pub citation: Citation,
}

/// Which domains are official (S2.2b, S8.3c).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialDomains {
    /// Suffixes, judged on label boundaries.
    pub suffixes: Vec<Domain>,
    /// The article.
    pub citation: Citation,
}

/// What a password must be (S4.2d).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passwords {
    /// The least number of characters.
    pub min_length: usize,
    /// The article.
    pub citation: Citation,
}

/// An agency's regulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Regulation {
    /// The instrument's title.
    pub title: String,
    /// Personal accounts; `None` leaves them free.
    pub personal_accounts: Option<PersonalAccounts>,
    /// Review of outgoing mail; `None` holds nothing.
    pub outgoing_review: Option<OutgoingReview>,
    /// Official domains; `None` calls no domain official or unofficial.
    pub official_domains: Option<OfficialDomains>,
    /// Passwords; `None` leaves the program's own minimum.
    pub passwords: Option<Passwords>,
}

/// Whether something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'r> {
    /// Nothing stands against it.
    Allowed,
    /// The regulation refuses it, by this article.
    Refused(&'r Citation),
}

impl Regulation {
    /// Reads a regulation file; every fault with its line.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        parse::parse(text)
    }

    /// May somebody in this position have an account of this kind? S3.2 (Điều 3): personal accounts only for the
    /// positions named.
    #[must_use]
    pub fn entitlement(&self, kind: AccountKind, position: Option<&str>) -> Decision<'_> {
        match &self.personal_accounts {
            Some(rule)
                if kind == AccountKind::Personal
                    && !position.is_some_and(|p| rule.positions.iter().any(|entitled| entitled == p)) =>
            {
                Decision::Refused(&rule.citation)
            }
            _ => Decision::Allowed,
        }
    }

    /// Must what leaves such an account be reviewed? S9.1 (Điều 9).
    #[must_use]
    pub fn outgoing(&self, kind: AccountKind) -> Option<&OutgoingReview> {
        self.outgoing_review.as_ref().filter(|rule| rule.accounts.contains(&kind))
    }

    /// Is this an official domain? S2.2b (Điều 2). `None` when the regulation names none.
    #[must_use]
    pub fn is_official(&self, domain: &Domain) -> Option<bool> {
        let rule = self.official_domains.as_ref()?;
        Some(rule.suffixes.iter().any(|suffix| domain.is_within(suffix)))
    }
}
