//! A refusal: a right, a limit or a rule says no. An ordinary outcome, never a fault.

use crate::{Citation, Language, sentence};
use serde::Serialize;

/// Why something is refused. A closed list: every door words each kind in one exhaustive match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// The thing named does not exist, or the person may not know that it does.
    NotFound,
    /// The person has no such right on the account.
    NoRight,
    /// Name and password do not fit, or the account of the person is closed.
    SignInFailed,
    /// What the person signed in with ended: closed, revoked, or another password set (S4.2).
    SignedOut,
    /// The password must be changed on the web first (S4.2).
    PasswordMustChange,
    /// Too many failed attempts from here; wait.
    TooManyAttempts,
    /// The password is too short, too common or was used before.
    WeakPassword,
    /// The account has no room (S8.1).
    OverQuota,
    /// The message is larger than is accepted.
    TooLarge,
    /// More of something than is allowed at once.
    TooMany,
    /// Something of that name exists already.
    AlreadyExists,
    /// The name is not allowed.
    InvalidName,
    /// The value is not allowed.
    InvalidValue,
    /// The mailbox has mailboxes or messages in it, or is one that cannot be removed.
    InUse,
    /// The person may not write from this address.
    SenderNotAllowed,
    /// The message is from accounts of which each has a decision of its own (S9.1).
    SeveralSenders,
    /// The message is for nobody.
    NoRecipients,
    /// What this account sends is decided on by a person, so that nothing is sent by itself (S9.1).
    NeedsReview,
    /// No such recipient here.
    UnknownRecipient,
    /// Mail for that domain is not relayed for this peer.
    RelayDenied,
    /// The sender's own policy says to refuse this message (DMARC, SPF).
    SenderPolicy,
    /// The message says it is from an address of ours, but nobody signed in to send it (S8.3c, S9.1).
    SignInToSend,
    /// For now it cannot be found out what the sender's policy says.
    SenderUnverified,
    /// The message has passed here too often.
    MailLoop,
    /// The message cannot be understood, or lacks what it must have.
    InvalidMessage,
    /// The message has more parts, levels or names than can be told apart for who reviews it (S9.1).
    TooManyParts,
    /// Such mail must go by an official domain (S2, S8.3).
    UnofficialDomain,
    /// The regulation gives no such account to this person (S3).
    NotEntitled,
    /// An author cannot decide on their own message (S9.1).
    OwnMessage,
    /// The matter was decided already, or is not open to this step.
    AlreadyDecided,
    /// The thing changed since it was looked at (S9.1: an edit voids the approval).
    Changed,
    /// A reason must be given.
    ReasonNeeded,
    /// Parts of the message were not opened by whoever wants to approve it (S9.1).
    NotOpened,
    /// The server is busy; try again.
    Busy,
}

impl RefusalKind {
    /// Every kind, for tests that each has its words.
    pub const ALL: [Self; 34] = [
        Self::NotFound,
        Self::NoRight,
        Self::SignInFailed,
        Self::SignedOut,
        Self::PasswordMustChange,
        Self::TooManyAttempts,
        Self::WeakPassword,
        Self::OverQuota,
        Self::TooLarge,
        Self::TooMany,
        Self::AlreadyExists,
        Self::InvalidName,
        Self::InvalidValue,
        Self::InUse,
        Self::SenderNotAllowed,
        Self::SeveralSenders,
        Self::NoRecipients,
        Self::NeedsReview,
        Self::UnknownRecipient,
        Self::RelayDenied,
        Self::SenderPolicy,
        Self::SignInToSend,
        Self::SenderUnverified,
        Self::MailLoop,
        Self::InvalidMessage,
        Self::TooManyParts,
        Self::UnofficialDomain,
        Self::NotEntitled,
        Self::OwnMessage,
        Self::AlreadyDecided,
        Self::Changed,
        Self::ReasonNeeded,
        Self::NotOpened,
        Self::Busy,
    ];

    /// Returns the key of the kind's sentence in `locales/`, such as `refusal.overQuota`.
    #[must_use]
    pub fn key(self) -> String {
        let name = serde_json::to_value(self).ok();
        let name = name.as_ref().and_then(|v| v.as_str()).unwrap_or("notFound");
        format!("refusal.{name}")
    }
}

/// A refusal with what its sentence needs and, when a rule is the reason, the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of no.
    pub kind: RefusalKind,
    /// The article, whenever a rule of the regulation is the reason.
    pub citation: Option<Box<Citation>>,
    /// Values named in the sentence: `{name}` in `locales/` is replaced by the value.
    pub params: Vec<(&'static str, String)>,
}

impl Refusal {
    /// Makes a refusal without citation or values.
    #[must_use]
    pub const fn new(kind: RefusalKind) -> Self {
        Self { kind, citation: None, params: Vec::new() }
    }

    /// Adds the article.
    #[must_use]
    pub fn citing(mut self, citation: &Citation) -> Self {
        self.citation = Some(Box::new(citation.clone()));
        self
    }

    /// Adds a value for the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// Returns the sentence for a person: what, why, what to do; ends with `(Điều n)` when a rule decided.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let params: Vec<(&str, &str)> = self.params.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let mut text = sentence(language, &self.kind.key(), &params);
        if let Some(citation) = &self.citation {
            text.push_str(&format!(" ({citation})"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_sentence_in_both_languages() {
        for kind in RefusalKind::ALL {
            for language in [Language::Vietnamese, Language::English] {
                let text = Refusal::new(kind).sentence(language);
                assert!(!text.contains("refusal."), "{kind:?} has no sentence: {text}");
            }
        }
    }

    #[test]
    fn the_sentence_names_the_values_and_the_article() {
        let citation = Citation {
            rule: "S9.1".into(),
            instrument: "Quy định".into(),
            article: 9,
            clause: None,
            point: None,
        };
        let text = Refusal::new(RefusalKind::OwnMessage).citing(&citation).sentence(Language::English);
        assert!(text.ends_with("(Điều 9)"), "{text}");
    }
}
