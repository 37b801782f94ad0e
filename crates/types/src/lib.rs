//! The values every other crate speaks in: ids, addresses, instants, flags, citations, refusals.
//!
//! Nothing here does I/O and nothing here depends on another crate of ours. A type stands here when it
//! carries an invariant that two crates rely on.

mod address;
mod citation;
mod error;
mod flags;
mod fold;
mod ids;
mod locale;
mod refusal;
mod time;

pub use address::{AddressError, Domain, EmailAddress};
pub use citation::Citation;
pub use error::{Error, Fault, Result};
pub use flags::{Flags, Keyword, KeywordError};
pub use fold::{composed, fold, without_accents};
pub use ids::{
    AccountId, AgencyId, CredentialId, EmailId, GrantId, IdError, IdentityId, JobId, MailboxId, ModSeq,
    NoteId, PersonId, PositionId, QueueId, ReviewId, SessionId, SubmissionId, ThreadId, Uid, UidValidity,
    UnitId,
};
pub use locale::{Language, sentence};
pub use refusal::{Refusal, RefusalKind};
pub use time::{Clock, SystemClock, Timestamp};
