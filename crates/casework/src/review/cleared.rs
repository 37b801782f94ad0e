//! The proof that a message may leave.

use super::{Draft, Envelope, Review, Via};
use congvu_message::{Answer, Dsn};
use congvu_storage::BlobHash;
use congvu_types::{AccountId, AgencyId, EmailAddress, EmailId, Result, ReviewId, SubmissionId};
use std::sync::Arc;

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Of an account.
    Account {
        /// The account.
        account: AccountId,
        /// Its agency.
        agency: AgencyId,
        /// The review that approved it, and the stored message that was approved.
        review: Option<(ReviewId, EmailId)>,
    },
    /// The system's own report about a message that the addressee sent.
    Report,
}

/// The proof that a message may leave: made by [`super::clear()`], by an approval, or as a report. Used up by the queue.
#[derive(Debug)]
pub struct Cleared {
    origin: Origin,
    envelope: Arc<Envelope>,
    message: congvu_mail::PreparedMessage,
    files_sent_copy: bool,
    submission: Option<SubmissionId>,
}

impl Cleared {
    /// For `clear` alone: an account whose mail is not reviewed.
    pub(super) fn unreviewed(account: AccountId, agency: AgencyId, draft: &Draft) -> Self {
        Self {
            origin: Origin::Account { account, agency, review: None },
            envelope: draft.envelope.clone(),
            message: draft.message.clone(),
            files_sent_copy: !matches!(draft.via, Via::Smtp | Via::Jmap),
            submission: draft.submission,
        }
    }

    /// For `decide` alone: an approval of exactly these bytes.
    pub(super) fn approved(review: &Review, message: congvu_mail::PreparedMessage) -> Self {
        let origin = Origin::Account {
            account: review.account,
            agency: review.agency,
            review: Some((review.id, review.email)),
        };
        let envelope = Arc::new(review.envelope.clone());
        Self { origin, envelope, message, files_sent_copy: true, submission: review.submission }
    }

    /// For `clear_automatic` alone: an answer that an account without review gives by itself.
    pub(super) fn automatic(account: AccountId, agency: AgencyId, answer: &Answer<'_>) -> Result<Self> {
        let origin = Origin::Account { account, agency, review: None };
        let envelope = Envelope::unreported([answer.to.clone()]);
        let message = congvu_mail::prepare(&congvu_message::answer(answer))?;
        Ok(Self { origin, envelope: Arc::new(envelope), message, files_sent_copy: false, submission: None })
    }

    /// System mail: a delivery report to the sender of the message that it speaks of (RFC 3464). The bytes are written
    /// here, so that nothing but a report is cleared this way; the reverse-path is null (RFC 3461 §5.2.1).
    pub fn report(dsn: &Dsn<'_>) -> Result<Self> {
        let raw = congvu_message::dsn(dsn);
        let envelope = Envelope::unreported([dsn.to.clone()]);
        let message = congvu_mail::prepare(&raw)?;
        Ok(Self {
            origin: Origin::Report,
            envelope: Arc::new(envelope),
            message,
            files_sent_copy: false,
            submission: None,
        })
    }

    /// Returns whose it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns the envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the reverse-path.
    #[must_use]
    pub fn mail_from(&self) -> Option<&EmailAddress> {
        self.envelope.mail_from.as_ref()
    }

    /// Returns the message.
    #[must_use]
    pub const fn message(&self) -> &congvu_mail::PreparedMessage {
        &self.message
    }

    /// Returns whether the account's Sent gets a copy: of what a client did not file itself, and of every approved
    /// message, since the client filed its copy when it was submitted (S7.2c, Điều 7).
    #[must_use]
    pub const fn files_sent_copy(&self) -> bool {
        self.files_sent_copy
    }

    /// Returns the submission that is told what becomes of it.
    #[must_use]
    pub const fn submission(&self) -> Option<SubmissionId> {
        self.submission
    }

    /// Returns the name of the bytes.
    #[must_use]
    pub fn blob(&self) -> BlobHash {
        self.message.blob.hash()
    }
}
