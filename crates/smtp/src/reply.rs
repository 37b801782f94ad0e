//! Replies: code, enhanced code (RFC 2034, RFC 3463) and a sentence; one exhaustive match for refusals.

use crate::{body::BodyFault, codec::SyntaxError};
use congvu_types::{Error, Language, Refusal, RefusalKind};
use unicode::ascii;

/// A reply of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// The enhanced code, empty for replies that have none.
    pub(crate) status: &'static str,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn new(code: u16, status: &'static str, text: impl Into<String>) -> Self {
        Self { code, status, text: text.into() }
    }

    /// Writes the line; what is not ASCII is spelled without accents (RFC 5321 §4.2), and no line is too long (§4.5.3.1.5).
    pub(crate) fn line(&self) -> String {
        let space = if self.status.is_empty() { "" } else { " " };
        let mut text = format!("{} {}{space}{}", self.code, self.status, ascii(&self.text));
        text.truncate(500);
        text.push_str("\r\n");
        text
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.code < 400
    }

    /// Whether the connection closes behind it (RFC 5321 §3.8).
    pub(crate) const fn closes(&self) -> bool {
        self.code == 421
    }

    /// Words a refusal.
    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        let (code, status) = codes(refusal.kind);
        Self::new(code, status, refusal.sentence(Language::English))
    }

    /// Words an error of the core: a refusal in its own words; a fault is told to try again and nothing else.
    pub(crate) fn error(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::refusal(refusal),
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "a message could not be taken");
                Self::new(451, "4.3.0", "Something failed here. Nothing was lost; try again later.")
            }
        }
    }

    pub(crate) fn syntax(error: &SyntaxError) -> Self {
        match error {
            SyntaxError::Unknown => Self::new(500, "5.5.1", "Command not recognized."),
            SyntaxError::Arguments(expected) => Self::new(501, "5.5.4", format!("Expected {expected}.")),
            SyntaxError::Address => Self::new(501, "5.1.3", "That is not an email address."),
            SyntaxError::Parameter(name) => {
                Self::new(555, "5.5.4", format!("Parameter {name} is not known, or its value is not valid."))
            }
        }
    }

    pub(crate) fn body(fault: BodyFault) -> Self {
        match fault {
            BodyFault::BareLineEnd => {
                Self::new(550, "5.6.0", "Lines must end with CRLF; the message has a bare CR or LF.")
            }
            BodyFault::TooLarge => Self::refusal(&Refusal::new(RefusalKind::TooLarge)),
            BodyFault::NoRoom => Self::new(452, "4.3.1", "Too many large messages at once. Try again later."),
        }
    }
}

/// Every kind has its codes: a new kind does not compile until it has them.
const fn codes(kind: RefusalKind) -> (u16, &'static str) {
    match kind {
        RefusalKind::NotFound | RefusalKind::UnknownRecipient => (550, "5.1.1"),
        RefusalKind::NoRight
        | RefusalKind::SenderNotAllowed
        | RefusalKind::SeveralSenders
        | RefusalKind::NeedsReview
        | RefusalKind::RelayDenied
        | RefusalKind::SignInToSend
        | RefusalKind::UnofficialDomain
        | RefusalKind::NotEntitled
        | RefusalKind::OwnMessage => (550, "5.7.1"),
        // RFC 5321 §3.3: no valid recipients.
        RefusalKind::NoRecipients => (554, "5.5.1"),
        RefusalKind::SenderPolicy => (550, "5.7.26"),
        RefusalKind::SignInFailed => (535, "5.7.8"),
        // The client keeps the message, and hears at its next sign-in what to do (RFC 4954 §6).
        RefusalKind::SignedOut => (421, "4.7.0"),
        RefusalKind::PasswordMustChange => (534, "5.7.9"),
        RefusalKind::TooManyAttempts => (454, "4.7.0"),
        RefusalKind::OverQuota => (452, "4.2.2"),
        RefusalKind::TooLarge => (552, "5.3.4"),
        RefusalKind::TooMany => (452, "4.5.3"),
        RefusalKind::MailLoop => (554, "5.4.6"),
        RefusalKind::InvalidMessage | RefusalKind::TooManyParts => (550, "5.6.0"),
        RefusalKind::SenderUnverified => (451, "4.7.0"),
        RefusalKind::Busy => (451, "4.3.2"),
        RefusalKind::WeakPassword
        | RefusalKind::AlreadyExists
        | RefusalKind::InvalidName
        | RefusalKind::InvalidValue
        | RefusalKind::InUse
        | RefusalKind::AlreadyDecided
        | RefusalKind::Changed
        | RefusalKind::ReasonNeeded
        | RefusalKind::NotOpened => (554, "5.0.0"),
    }
}

mod unicode {
    use std::borrow::Cow;

    /// Spells Vietnamese without accents, so that an article can be read in every log: "Điều 9" becomes "Dieu 9".
    pub(super) fn ascii(text: &str) -> Cow<'_, str> {
        if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(congvu_types::without_accents(text).chars().map(plain).collect())
    }

    fn plain(c: char) -> char {
        match c {
            c if c.is_ascii_control() => ' ',
            c if c.is_ascii() => c,
            '“' | '”' => '"',
            '‘' | '’' => '\'',
            '–' | '—' => '-',
            _ => '?',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_line_of_ascii_with_its_article() {
        let reply = Reply::new(250, "2.0.0", "Held for review (điểm a khoản 2 Điều 9)\r\n250 more");
        assert_eq!(reply.line(), "250 2.0.0 Held for review (diem a khoan 2 Dieu 9)  250 more\r\n");
        assert!(Reply::new(250, "2.0.0", "x".repeat(900)).line().len() <= 512);
    }

    #[test]
    fn every_refusal_has_a_code_of_its_class() {
        for kind in RefusalKind::ALL {
            let reply = Reply::refusal(&Refusal::new(kind));
            assert_eq!(
                reply.status.as_bytes()[0],
                b'0' + u8::try_from(reply.code / 100).unwrap(),
                "{kind:?}"
            );
        }
    }
}
