//! Reading messages: rows by pages, bytes one at a time, and who has read what.

use crate::FlagSet;
use congvu_directory::{Acting, right};
use congvu_storage::{BlobHash, Row, Snapshot, Tx, params};
use congvu_types::{AccountId, EmailId, MailboxId, Result, ThreadId, Timestamp, Uid};

/// How much of each row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Flags, dates, sizes, ids.
    Facts,
    /// Those and the encoded envelope and structure.
    Summary,
}

/// A message as a mailbox shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The UID.
    pub uid: Uid,
    /// The message's id.
    pub email: EmailId,
    /// Flags and keywords.
    pub flags: FlagSet,
    /// The modseq of its last change.
    pub modseq: u64,
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
    /// `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// Envelope and structure (`congvu_message::decode_summary`), when wanted.
    pub summary: Vec<u8>,
}

fn row(r: &Row<'_>) -> Result<MessageRow> {
    Ok(MessageRow {
        uid: Uid(r.u32(0)?),
        email: EmailId::new(r.i64(1)?),
        flags: FlagSet(r.u64(2)?),
        modseq: r.u64(3)?,
        size: r.u64(4)?,
        received_at: Timestamp(r.i64(5)?),
        sent_at: r.opt_i64(6)?.map(Timestamp),
        blob: BlobHash::from_slice(&r.bytes(7)?)?,
        thread: ThreadId::new(r.i64(8)?),
        subject: r.text(9)?,
        message_id: r.opt_text(10)?,
        summary: r.opt_bytes(11)?.unwrap_or_default(),
    })
}

/// Returns up to `limit` messages of a mailbox with UIDs from `first` to `last`, in order.
pub fn messages(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    mailbox: MailboxId,
    (first, last): (Uid, Uid),
    want: Want,
    limit: usize,
) -> Result<Vec<MessageRow>> {
    let values = params![acting.account().get(), mailbox.get(), first.0, last.0, limit];
    match want {
        Want::Facts => snapshot.query(
            "SELECT p.uid, p.email_id, p.flags, p.modseq, e.size, e.received_at, e.sent_at, e.blob_hash, e.thread_id,
                e.subject, e.message_id, CAST(NULL AS BYTEA)
             FROM placement p JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
             WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid BETWEEN ?3 AND ?4
                AND EXISTS (SELECT 1 FROM mailbox WHERE account_id = ?1 AND id = ?2) ORDER BY p.uid LIMIT ?5",
            &values,
            row,
        ),
        Want::Summary => snapshot.query(
            "SELECT p.uid, p.email_id, p.flags, p.modseq, e.size, e.received_at, e.sent_at, e.blob_hash, e.thread_id,
                e.subject, e.message_id, e.summary
             FROM placement p JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
             WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid BETWEEN ?3 AND ?4
                AND EXISTS (SELECT 1 FROM mailbox WHERE account_id = ?1 AND id = ?2) ORDER BY p.uid LIMIT ?5",
            &values,
            row,
        ),
    }
}

/// Returns one message of a mailbox, the system reading.
pub fn message(
    snapshot: &Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    uid: Uid,
) -> Result<Option<MessageRow>> {
    snapshot.query_opt(
        "SELECT p.uid, p.email_id, p.flags, p.modseq, e.size, e.received_at, e.sent_at, e.blob_hash, e.thread_id,
            e.subject, e.message_id, e.summary
         FROM placement p JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
         WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = ?3
            AND EXISTS (SELECT 1 FROM mailbox WHERE account_id = ?1 AND id = ?2)",
        &params![account.get(), mailbox.get(), uid.0],
        row,
    )
}

/// Returns a message's bytes, verified.
pub fn raw(snapshot: &Snapshot, message: &MessageRow) -> Result<Vec<u8>> {
    snapshot.blob(&message.blob)
}

/// Notes that a person read a message of a shared account (S3.1b, Điều 3: named people on a shared account). Once.
pub fn record_read(tx: &mut Tx, acting: &Acting<right::Read>, emails: &[EmailId]) -> Result<()> {
    let now = tx.now();
    for email in emails {
        tx.execute(
            "INSERT INTO email_read (account_id, email_id, person_id, read_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account_id, email_id, person_id) DO NOTHING",
            &params![acting.account().get(), email.get(), acting.person().get(), now],
        )?;
    }
    Ok(())
}
