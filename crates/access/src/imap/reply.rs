//! How a command ends: OK, NO or BAD, with its response code (RFC 9051 §7.1, RFC 5530).

use congvu_types::{Error, Language, Refusal, RefusalKind};

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It cannot be done: code in brackets (or nothing) and sentence.
    No(String),
    /// It is no command, or not now.
    Bad(String),
    /// The sign-in ended: nothing more is done for this client before it signs in again.
    SignedOut(String),
    /// The connection is of no use any more.
    Gone,
}

/// What a command says at its end: the text behind `OK`.
pub(crate) type Answer = Result<String, Failed>;

impl Failed {
    pub(crate) fn no(text: &str) -> Self {
        Self::No(text.to_owned())
    }

    pub(crate) fn bad(text: &str) -> Self {
        Self::Bad(text.to_owned())
    }
}

impl From<std::io::Error> for Failed {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

impl From<congvu_net::ReadError> for Failed {
    fn from(_: congvu_net::ReadError) -> Self {
        Self::Gone
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refused(&refusal),
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "an IMAP command failed");
                Self::no("[SERVERBUG] Something failed here. Nothing was lost; try again later.")
            }
        }
    }
}

impl From<RefusalKind> for Failed {
    fn from(kind: RefusalKind) -> Self {
        refused(&Refusal::new(kind))
    }
}

/// Words a refusal; the sentence in English, since text outside UTF8=ACCEPT is ASCII (RFC 9051 §5.1 leaves it open, old
/// clients do not).
fn refused(refusal: &Refusal) -> Failed {
    let sentence = congvu_types::without_accents(&refusal.sentence(Language::English));
    let text: String = sentence
        .chars()
        .map(|c| match c {
            c if c.is_control() => ' ',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect();
    if refusal.kind == RefusalKind::SignedOut {
        return Failed::SignedOut(text);
    }
    Failed::No(format!("[{}] {text}", code(refusal.kind)))
}

/// Every kind has its code: a new kind does not compile until it has one.
const fn code(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::NotFound | RefusalKind::UnknownRecipient => "NONEXISTENT",
        RefusalKind::NoRight
        | RefusalKind::SenderNotAllowed
        | RefusalKind::RelayDenied
        | RefusalKind::SenderPolicy
        | RefusalKind::SignInToSend
        | RefusalKind::UnofficialDomain
        | RefusalKind::NotEntitled
        | RefusalKind::OwnMessage => "NOPERM",
        RefusalKind::SignInFailed | RefusalKind::SignedOut => "AUTHENTICATIONFAILED",
        RefusalKind::PasswordMustChange => "EXPIRED",
        RefusalKind::TooManyAttempts | RefusalKind::Busy | RefusalKind::SenderUnverified => "UNAVAILABLE",
        RefusalKind::OverQuota => "OVERQUOTA",
        RefusalKind::TooLarge => "TOOBIG",
        RefusalKind::TooMany => "LIMIT",
        RefusalKind::AlreadyExists => "ALREADYEXISTS",
        RefusalKind::InUse => "INUSE",
        RefusalKind::WeakPassword
        | RefusalKind::InvalidName
        | RefusalKind::InvalidValue
        | RefusalKind::MailLoop
        | RefusalKind::InvalidMessage
        | RefusalKind::TooManyParts
        | RefusalKind::SeveralSenders
        | RefusalKind::NeedsReview
        | RefusalKind::NoRecipients
        | RefusalKind::AlreadyDecided
        | RefusalKind::Changed
        | RefusalKind::ReasonNeeded
        | RefusalKind::NotOpened => "CANNOT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_one_line_with_a_code() {
        for kind in RefusalKind::ALL {
            let text = match Failed::from(kind) {
                Failed::No(text) => text,
                Failed::SignedOut(text) => format!("[] {text}"),
                other => panic!("{other:?}"),
            };
            assert!(text.starts_with('[') && text.is_ascii() && !text.contains('\n'), "{text}");
        }
    }
}
