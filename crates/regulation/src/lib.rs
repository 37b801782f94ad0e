//! An agency's regulation as data: `regulation.toml` → question → decision with its citation. Pure.
//!
//! Nothing configured means the behaviour of a plain mail server. Another agency changes the file, not the program.
//! Every question is a method of [`Regulation`]; every answer that is not "yes" carries the article it rests on.

mod parse;
mod table;

use congvu_types::{Citation, Domain};
use std::time::Duration;
pub use table::Finding;

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
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Agency, Self::Unit, Self::Position, Self::Personal];

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
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }

    /// Returns whether one person holds such an account; the other kinds are shared by grants (S3.1b).
    #[must_use]
    pub const fn has_holder(self) -> bool {
        matches!(self, Self::Position | Self::Personal)
    }
}

/// Who may have a personal account (S3.2, Điều 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalAccounts {
    /// The positions that may.
    pub positions: Vec<String>,
    /// How many the whole agency may have; `None` sets no number.
    pub at_most: Option<usize>,
    /// The article.
    pub citation: Citation,
}

/// How outgoing mail is reviewed (S9.1, Điều 9). Who reviews is not said here: the holders of the right `review` on
/// the account, never the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingReview {
    /// Whose mail is held.
    pub accounts: Vec<AccountKind>,
    /// How long a decision may take before it passes to a deputy; never to sending.
    pub decide_within: Option<Duration>,
    /// The positions to which an overdue decision passes, in this order.
    pub deputies: Vec<String>,
    /// The article.
    pub citation: Citation,
}

/// Which domains are official (S2.2b, Điều 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficialDomains {
    /// Suffixes, judged on label boundaries.
    pub suffixes: Vec<Domain>,
    /// The article.
    pub citation: Citation,
}

/// Private email (hộp thư cá nhân: yahoo, gmail…), not to be used for official work (S8.3a, Điều 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateMail {
    /// The providers' domains, judged on label boundaries.
    pub providers: Vec<Domain>,
    /// What happens when official mail is addressed to one.
    pub as_recipient: Response,
    /// The article.
    pub citation: Citation,
}

/// What a rule does when it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// Nothing.
    Allow,
    /// Tells the person, and the reviewer where there is one; goes on.
    Warn,
    /// Refuses.
    Refuse,
}

/// What a password must be (S4.2d, Điều 4).
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
    /// Private email; `None` treats it as any other.
    pub private_mail: Option<PrivateMail>,
    /// Passwords; `None` leaves the program's own minimum.
    pub passwords: Option<Passwords>,
}

/// The facts on which an entitlement is judged.
#[derive(Debug, Clone, Copy)]
pub struct Entitlement<'f> {
    /// What kind of account is asked for.
    pub kind: AccountKind,
    /// The position of who would hold it.
    pub position: Option<&'f str>,
    /// How many accounts of this kind the agency has already.
    pub existing: usize,
}

/// What the regulation says to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'r> {
    /// Nothing stands against it.
    Allowed,
    /// It may be done; the person is told of this article.
    Warned(&'r Citation),
    /// The regulation refuses it, by this article.
    Refused(&'r Citation),
}

impl Regulation {
    /// Reads a regulation file; every fault with its line.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        parse::parse(text)
    }

    /// May somebody have an account of this kind? S3.2 (Điều 3): personal accounts only for the positions named, and
    /// no more of them than the number set. S1.2b (Điều 1): everybody else uses the agency's account.
    #[must_use]
    pub fn entitlement(&self, asked: &Entitlement<'_>) -> Decision<'_> {
        let Some(rule) = self.personal_accounts.as_ref().filter(|_| asked.kind == AccountKind::Personal)
        else {
            return Decision::Allowed;
        };
        let is_named = asked.position.is_some_and(|p| rule.positions.iter().any(|named| named == p));
        if is_named && rule.at_most.is_none_or(|most| asked.existing < most) {
            return Decision::Allowed;
        }
        Decision::Refused(&rule.citation)
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

    /// May an address of this domain stand in official business as one's own? S2.2b (Điều 2): official domains only.
    #[must_use]
    pub fn official_domain(&self, domain: &Domain) -> Decision<'_> {
        match (&self.official_domains, self.is_official(domain)) {
            (Some(rule), Some(false)) => Decision::Refused(&rule.citation),
            _ => Decision::Allowed,
        }
    }

    /// May official mail be addressed to this domain? S8.3a (Điều 8): a private provider is told of; a citizen's
    /// private address is not by itself wrong, so that the usual response is a warning.
    #[must_use]
    pub fn recipient(&self, domain: &Domain) -> Decision<'_> {
        let Some(rule) = &self.private_mail else { return Decision::Allowed };
        if !rule.providers.iter().any(|provider| domain.is_within(provider)) {
            return Decision::Allowed;
        }
        match rule.as_recipient {
            Response::Allow => Decision::Allowed,
            Response::Warn => Decision::Warned(&rule.citation),
            Response::Refuse => Decision::Refused(&rule.citation),
        }
    }
}
