//! What somebody wants to send: the message and its envelope, all facts computed before the transaction.

use congvu_mail::PreparedMessage;
use congvu_message::{
    MAX_DEPTH, MAX_PARTS, MessageDigest, SenderFields, digest, is_within_limits, sender_fields,
};
use congvu_types::{EmailAddress, Refusal, RefusalKind, Result, SubmissionId, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// By which way a message came to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// SMTP submission: the client files its own copy in Sent.
    Smtp,
    /// JMAP, as the web application speaks: the client files its own copy in Sent.
    Jmap,
    /// The web application.
    Web,
    /// The command line.
    Cli,
}

/// When the sender wants to hear (RFC 3461 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// On success.
    pub success: bool,
    /// On failure.
    pub failure: bool,
    /// On delay.
    pub delay: bool,
}

impl Notify {
    /// NOTIFY=NEVER.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

impl Default for Notify {
    /// RFC 3461 §4.1: without NOTIFY, failures and perhaps delays.
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

/// How much of a message a report returns (RFC 3461 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ret {
    /// The header.
    #[default]
    Hdrs,
    /// All of it.
    Full,
}

/// One recipient of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeRecipient {
    /// The address.
    pub address: EmailAddress,
    /// When the sender wants to hear.
    #[serde(default)]
    pub notify: Notify,
    /// ORCPT as given (RFC 3461 §4.2), such as `rfc822;a@x.example`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<String>,
}

impl EnvelopeRecipient {
    /// Makes a recipient without parameters.
    #[must_use]
    pub fn new(address: EmailAddress) -> Self {
        Self { address, notify: Notify::default(), orcpt: None }
    }
}

/// Who sends to whom (RFC 5321 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The reverse-path; `None` is the null one (`<>`).
    pub mail_from: Option<EmailAddress>,
    /// RET.
    #[serde(default)]
    pub ret: Ret,
    /// ENVID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
    /// The forward-paths.
    pub recipients: Vec<EnvelopeRecipient>,
}

impl Envelope {
    /// Makes an envelope without DSN parameters.
    #[must_use]
    pub fn new(mail_from: Option<EmailAddress>, recipients: impl IntoIterator<Item = EmailAddress>) -> Self {
        let recipients = recipients.into_iter().map(EnvelopeRecipient::new).collect();
        Self { mail_from, ret: Ret::default(), envid: None, recipients }
    }

    /// Makes the envelope of what is written by a program: from nobody, and no report is wanted.
    pub(super) fn unreported(recipients: impl IntoIterator<Item = EmailAddress>) -> Self {
        let mut envelope = Self::new(None, recipients);
        for recipient in &mut envelope.recipients {
            recipient.notify = Notify::NEVER;
        }
        envelope
    }
}

/// What somebody wants to send. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(crate) message: PreparedMessage,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) fields: Arc<SenderFields>,
    pub(crate) digest: Arc<MessageDigest>,
    pub(crate) via: Via,
    pub(crate) submission: Option<SubmissionId>,
    pub(crate) not_before: Option<Timestamp>,
}

impl Draft {
    /// Prepares a message that is complete (`congvu_message::complete`): hashes, compresses and reads it. CPU only.
    /// Refuses a message without a readable author (RFC 5322 §3.6.2), and one that cannot be taken apart to its end: who
    /// reviews it is to see each part by its name (S9.1, Điều 9).
    pub fn prepare(raw: &[u8], envelope: Envelope, via: Via) -> Result<Self> {
        let fields = Arc::new(sender_fields(raw)?);
        if !is_within_limits(raw) {
            let refusal = Refusal::new(RefusalKind::TooManyParts).with("parts", MAX_PARTS);
            return Err(refusal.with("levels", MAX_DEPTH).into());
        }
        let message = congvu_mail::prepare(raw)?;
        Ok(Self {
            message,
            envelope: Arc::new(envelope),
            fields,
            digest: Arc::new(digest(raw)),
            via,
            submission: None,
            not_before: None,
        })
    }

    /// Says whose submission it is, which is told what becomes of it, and when it leaves at the earliest: an approval before
    /// that is kept until then.
    #[must_use]
    pub fn for_submission(&self, id: SubmissionId, not_before: Option<Timestamp>) -> Self {
        Self { submission: Some(id), not_before, ..self.clone() }
    }

    /// Returns the message; its blob is to be staged before the transaction.
    #[must_use]
    pub const fn message(&self) -> &PreparedMessage {
        &self.message
    }

    /// Returns the envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns who the message says it is from.
    #[must_use]
    pub fn fields(&self) -> &SenderFields {
        &self.fields
    }

    /// Returns by which way it came.
    #[must_use]
    pub const fn via(&self) -> Via {
        self.via
    }
}
