//! Messages by their own ids, wherever they lie (RFC 8621 §4). A message lies in one mailbox (docs/adr/0018).

use crate::FlagSet;
use congvu_directory::{Acting, right};
use congvu_storage::{BlobHash, Row, Snapshot, params};
use congvu_types::{AccountId, EmailId, MailboxId, Result, ThreadId, Timestamp, Uid};

/// At most this many messages of a conversation are told.
const MOST_OF_A_THREAD: usize = 1_000;

/// A message with what lists need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailRow {
    /// Its id.
    pub id: EmailId,
    /// The mailbox it lies in.
    pub mailbox: MailboxId,
    /// Its UID there.
    pub uid: Uid,
    /// Flags and keywords.
    pub flags: FlagSet,
    /// The modseq of its last change.
    pub modseq: u64,
    /// The modseq it came with.
    pub created_modseq: u64,
    /// Bytes.
    pub size: u64,
    /// The internal date.
    pub received_at: Timestamp,
    /// The `Date` field.
    pub sent_at: Option<Timestamp>,
    /// The name of its bytes.
    pub blob: BlobHash,
    /// The conversation.
    pub thread: ThreadId,
    /// The subject for the eye.
    pub subject: String,
    /// The first author for the eye.
    pub sender: String,
    /// `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// Whether there is an attachment.
    pub has_attachment: bool,
    /// The first words.
    pub preview: String,
    /// Envelope and structure (`congvu_message::decode_summary`).
    pub summary: Vec<u8>,
}

fn row(r: &Row<'_>) -> Result<EmailRow> {
    Ok(EmailRow {
        id: EmailId::new(r.i64(0)?),
        mailbox: MailboxId::new(r.i64(1)?),
        uid: Uid(r.u32(2)?),
        flags: FlagSet(r.u64(3)?),
        modseq: r.u64(4)?,
        created_modseq: r.u64(5)?,
        size: r.u64(6)?,
        received_at: Timestamp(r.i64(7)?),
        sent_at: r.opt_i64(8)?.map(Timestamp),
        blob: BlobHash::from_slice(&r.bytes(9)?)?,
        thread: ThreadId::new(r.i64(10)?),
        subject: r.text(11)?,
        sender: r.text(12)?,
        message_id: r.opt_text(13)?,
        has_attachment: r.i64(14)? != 0,
        preview: r.text(15)?,
        summary: r.bytes(16)?,
    })
}

/// Returns those of the messages that there are, in the order asked for. The caller bounds how many it asks for.
pub fn emails(snapshot: &Snapshot, acting: &Acting<right::Read>, ids: &[EmailId]) -> Result<Vec<EmailRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(snapshot.query_opt(
            "SELECT e.id, e.mailbox_id, e.uid, p.flags, p.modseq, e.created_modseq, e.size, e.received_at, e.sent_at,
                e.blob_hash, e.thread_id, e.subject, e.sender, e.message_id, e.has_attachment, e.preview, e.summary
             FROM email e JOIN placement p ON p.account_id = e.account_id AND p.mailbox_id = e.mailbox_id AND p.uid = e.uid
             WHERE e.account_id = ?1 AND e.id = ?2
                AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)",
            &params![acting.account().get(), id.get()],
            row,
        )?);
    }
    Ok(found)
}

/// Where a message lies, and how it is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailPlace {
    /// Its id.
    pub id: EmailId,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its UID there.
    pub uid: Uid,
    /// Flags and keywords.
    pub flags: FlagSet,
}

/// Returns where those of the messages lie that there are, in the order asked for.
pub fn email_places(snapshot: &Snapshot, account: AccountId, ids: &[EmailId]) -> Result<Vec<EmailPlace>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(snapshot.query_opt(
            "SELECT e.mailbox_id, e.uid, p.flags FROM email e
             JOIN placement p ON p.account_id = e.account_id AND p.mailbox_id = e.mailbox_id AND p.uid = e.uid
             WHERE e.account_id = ?1 AND e.id = ?2
                AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)",
            &params![account.get(), id.get()],
            |r| {
                let (mailbox, uid) = (MailboxId::new(r.i64(0)?), Uid(r.u32(1)?));
                Ok(EmailPlace { id: *id, mailbox, uid, flags: FlagSet(r.u64(2)?) })
            },
        )?);
    }
    Ok(found)
}

/// Returns the messages of a conversation, the oldest first (RFC 8621 §3); none when there is no such conversation. Of a
/// very long one, the newest thousand.
pub fn thread_emails(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    thread: ThreadId,
) -> Result<Vec<EmailId>> {
    let mut found = snapshot.query(
        "SELECT e.received_at, e.id FROM email e WHERE e.account_id = ?1 AND e.thread_id = ?2
            AND EXISTS (SELECT 1 FROM mailbox m WHERE m.account_id = e.account_id AND m.id = e.mailbox_id)
         ORDER BY e.id DESC LIMIT ?3",
        &params![acting.account().get(), thread.get(), MOST_OF_A_THREAD],
        |r| Ok((r.i64(0)?, EmailId::new(r.i64(1)?))),
    )?;
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}
