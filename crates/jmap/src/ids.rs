//! Ids as clients see them (RFC 8620 §1.2): a letter and the number, so that none begins with a digit and none is taken
//! for another kind's.

use congvu_types::{AccountId, EmailId, IdentityId, MailboxId, SubmissionId, ThreadId};

/// An id that clients see.
pub(crate) trait Id: Copy {
    /// The letter it begins with.
    const LETTER: char;
    fn of(number: i64) -> Self;
    fn number(self) -> i64;

    /// Returns the text.
    fn text(self) -> String {
        format!("{}{}", Self::LETTER, self.number())
    }

    /// Reads the one text of an id; anything else names nothing.
    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::LETTER)?;
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse().ok().filter(|_| is_plain).map(Self::of)
    }
}

macro_rules! ids {
    ($($name:ident $letter:literal),* $(,)?) => {$(
        impl Id for $name {
            const LETTER: char = $letter;
            fn of(number: i64) -> Self {
                Self::new(number)
            }
            fn number(self) -> i64 {
                self.get()
            }
        }
    )*};
}

ids! { AccountId 'a', EmailId 'e', ThreadId 't', MailboxId 'm', SubmissionId 's', IdentityId 'i' }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        assert_eq!(EmailId::new(12).text(), "e12");
        assert_eq!(EmailId::read("e12"), Some(EmailId::new(12)));
        for bad in ["", "e", "m12", "e-1", "e+1", "e012", "e0", "12", "e99999999999999999999", "e1 "] {
            assert_eq!(EmailId::read(bad), None, "{bad}");
        }
    }
}
