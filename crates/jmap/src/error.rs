//! What a method (RFC 8620 §3.6.2) or one object of a `/set` (§5.3) is refused with: one exhaustive match over the kinds of
//! refusal, with the sentence and, whenever a rule decided, its citation.

use congvu_types::{Error, Language, Refusal, RefusalKind};
use serde_json::{Map, Value, json};

/// Why a method did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodError {
    /// The type, as the RFC names it.
    pub(crate) kind: &'static str,
    /// What was wrong, in words.
    pub(crate) description: Option<String>,
}

impl MethodError {
    /// Makes an error that says no more than its type.
    pub(crate) const fn new(kind: &'static str) -> Self {
        Self { kind, description: None }
    }

    /// Makes an error with words.
    pub(crate) fn because(kind: &'static str, description: impl Into<String>) -> Self {
        Self { kind, description: Some(description.into()) }
    }

    /// An argument is missing or not what it must be.
    pub(crate) fn arguments(description: impl Into<String>) -> Self {
        Self::because("invalidArguments", description)
    }

    /// Words an error of the core. A fault goes to the log whole.
    pub(crate) fn of(error: &Error, language: Language) -> Self {
        match error {
            Error::Refused(refusal) => {
                let kind = match refusal.kind {
                    RefusalKind::NotFound => "notFound",
                    RefusalKind::TooLarge | RefusalKind::TooMany => "requestTooLarge",
                    RefusalKind::Busy => "serverUnavailable",
                    _ => "forbidden",
                };
                Self::because(kind, refusal.sentence(language))
            }
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "a JMAP method failed");
                Self::because("serverFail", congvu_types::sentence(language, "web.fault", &[]))
            }
        }
    }

    /// Returns the arguments of the `error` response.
    pub(crate) fn to_value(&self) -> Value {
        match &self.description {
            Some(description) => json!({ "type": self.kind, "description": description }),
            None => json!({ "type": self.kind }),
        }
    }
}

/// Why one object was not made, changed or destroyed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SetError {
    kind: &'static str,
    more: Map<String, Value>,
}

impl SetError {
    /// Makes an error that says no more than its type.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, more: Map::new() }
    }

    /// Makes an error with words.
    pub(crate) fn because(kind: &'static str, description: impl Into<String>) -> Self {
        Self::new(kind).with("description", description.into())
    }

    /// Properties that are not what they must be.
    pub(crate) fn properties<'n>(
        names: impl IntoIterator<Item = &'n str>,
        description: impl Into<String>,
    ) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        Self::because("invalidProperties", description).with("properties", names)
    }

    /// Adds a property of the error.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Words a refusal. Every kind has its type: a new kind does not compile until it has one.
    pub(crate) fn of(refusal: &Refusal, language: Language) -> Self {
        let error = Self::because(set_type(refusal.kind), refusal.sentence(language));
        let error = match refusal.kind {
            RefusalKind::InvalidName => error.with("properties", ["name"].as_slice()),
            _ => error,
        };
        match refusal.citation.as_deref() {
            Some(citation) => error.with(
                "citation",
                json!({ "rule": citation.rule, "instrument": citation.instrument, "text": citation.to_string() }),
            ),
            None => error,
        }
    }

    /// Whether it is of this type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Returns the error as the response shows it.
    pub(crate) fn to_value(&self) -> Value {
        let mut all = self.more.clone();
        all.insert("type".to_owned(), self.kind.into());
        Value::Object(all)
    }
}

/// RFC 8620 §5.3, RFC 8621 §2.5, §4.6.
const fn set_type(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::NotFound | RefusalKind::UnknownRecipient => "notFound",
        RefusalKind::SignInFailed
        | RefusalKind::SignedOut
        | RefusalKind::NoRight
        | RefusalKind::PasswordMustChange
        | RefusalKind::SenderNotAllowed
        | RefusalKind::RelayDenied
        | RefusalKind::SenderPolicy
        | RefusalKind::SignInToSend
        | RefusalKind::UnofficialDomain
        | RefusalKind::NotEntitled
        | RefusalKind::OwnMessage
        | RefusalKind::InUse
        | RefusalKind::AlreadyDecided
        | RefusalKind::Changed
        | RefusalKind::ReasonNeeded
        | RefusalKind::NotOpened
        | RefusalKind::WeakPassword
        | RefusalKind::NeedsReview
        | RefusalKind::SenderUnverified => "forbidden",
        RefusalKind::NoRecipients => "noRecipients",
        RefusalKind::AlreadyExists => "alreadyExists",
        RefusalKind::InvalidName | RefusalKind::InvalidValue => "invalidProperties",
        RefusalKind::InvalidMessage
        | RefusalKind::TooManyParts
        | RefusalKind::SeveralSenders
        | RefusalKind::MailLoop => "invalidEmail",
        RefusalKind::TooLarge => "tooLarge",
        RefusalKind::TooMany => "overQuota",
        RefusalKind::OverQuota => "overQuota",
        RefusalKind::TooManyAttempts | RefusalKind::Busy => "rateLimit",
    }
}
