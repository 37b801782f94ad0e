//! Identifiers: 63-bit, time-ordered, made by the node and never by a database sequence.
//!
//! Layout: milliseconds since 2020-01-01 (41 bits) · node (10) · counter (12). Shown as decimal strings.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive decimal number")]
pub struct IdError;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Wraps the number stored in the database.
            #[must_use]
            pub const fn new(raw: i64) -> Self {
                Self(raw)
            }

            /// Returns the number as the database stores it.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                match text.parse::<i64>() {
                    Ok(raw) if raw > 0 && !text.starts_with('+') => Ok(Self(raw)),
                    _ => Err(IdError),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id! {
    /// An agency (cơ quan), the tenant.
    AgencyId;
    /// A unit (phòng) of an agency.
    UnitId;
    /// A position (chức vụ) in an agency.
    PositionId;
    /// A person: the one who signs in.
    PersonId;
    /// An account (hộp thư công vụ; RFC 8620 "account"). Never a folder.
    AccountId;
    /// A person's grant on an account.
    GrantId;
    /// A credential: a password or an app password.
    CredentialId;
    /// A signed-in web session.
    SessionId;
    /// A mailbox (thư mục; RFC 9051, RFC 8621): a folder of an account.
    MailboxId;
    /// A stored message in one account (RFC 8621 Email).
    EmailId;
    /// A conversation in one account (RFC 8621 Thread).
    ThreadId;
    /// A review of outgoing mail (kiểm duyệt thư gửi đi, S9.1).
    ReviewId;
    /// What somebody sends, from the moment they say so (RFC 8621 EmailSubmission).
    SubmissionId;
    /// A name and an address that somebody writes as (RFC 8621 Identity).
    IdentityId;
    /// A note on a conversation that stays within the account.
    NoteId;
    /// An entry of the outbound queue: one message to one recipient.
    QueueId;
    /// A durable job (bounded background work).
    JobId;
}

/// A message's unique identifier within its mailbox (RFC 9051 §2.3.1.1). Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u32);

/// A mailbox's UIDVALIDITY (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidValidity(pub u32);

/// A mod-sequence (RFC 7162 §3.1): grows with every change of an account, in commit order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ModSeq(pub u64);

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for UidValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for ModSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_decimal_text_and_nothing_else_does() {
        let id = AccountId::new(42);
        assert_eq!(id.to_string().parse::<AccountId>(), Ok(id));
        for bad in ["", "0", "-1", "+7", "x", "9223372036854775808"] {
            assert_eq!(bad.parse::<AccountId>(), Err(IdError), "{bad}");
        }
    }
}
