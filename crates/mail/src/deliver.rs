//! Messages come in: delivery, APPEND, and what the system files itself.

use crate::{
    FlagSet, MailboxRow, PreparedMessage, Role,
    flags::{bits, resolve_keywords},
    mailboxes, state, threads,
};
use congvu_directory::{Acting, right};
use congvu_storage::{Tx, params};
use congvu_types::{
    AccountId, EmailId, Error, Flags, Keyword, MailboxId, ModSeq, RefusalKind, Result, Timestamp, Uid,
};

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The mailbox of a role.
    Role(Role),
    /// This mailbox.
    Mailbox(MailboxId),
}

/// How a message is stored.
#[derive(Debug, Clone, Default)]
pub struct DeliverOptions {
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Vec<Keyword>,
    /// The internal date; now when absent.
    pub received_at: Option<Timestamp>,
    /// A repeated delivery with the same key is the first one again.
    pub delivery_key: Option<String>,
}

/// Where a message was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Its id.
    pub email: EmailId,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The mailbox's UIDVALIDITY.
    pub uidvalidity: u32,
    /// Its UID.
    pub uid: Uid,
}

/// Delivers a message to an account, the system acting. Idempotent by the delivery key.
pub fn deliver(
    tx: &mut Tx,
    account: AccountId,
    target: Target,
    message: &PreparedMessage,
    options: &DeliverOptions,
) -> Result<Delivered> {
    if let Some(done) = delivered_before(tx, account, options)? {
        return Ok(done);
    }
    let size = i64::try_from(message.size()).unwrap_or(i64::MAX);
    let modseq = state::lock(tx, account, size, 1)?;
    let keywords = resolve_keywords(tx, account, &options.keywords)?;
    let flags = FlagSet(bits(options.flags).0 | keywords.0);
    let delivered = store(tx, account, target, message, flags, (modseq, options.received_at))?;
    if let Some(key) = &options.delivery_key {
        tx.execute(
            "INSERT INTO delivery_key (account_id, key, mailbox_id, uid, email_id) VALUES (?1, ?2, ?3, ?4, ?5)",
            &params![account.get(), key, delivered.mailbox.get(), delivered.uid.0, delivered.email.get()],
        )?;
    }
    Ok(delivered)
}

/// Like [`deliver`], for what the system files among the account's own mail, such as a released message in Sent.
pub fn place(
    tx: &mut Tx,
    account: AccountId,
    role: Role,
    message: &PreparedMessage,
    flags: Flags,
) -> Result<Delivered> {
    let options = DeliverOptions { flags, ..DeliverOptions::default() };
    deliver(tx, account, Target::Role(role), message, &options)
}

/// Appends a message for a person (RFC 9051 §6.3.12). The mailboxes of the review are not written by hand (S9.1).
pub fn append(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    mailbox: MailboxId,
    message: &PreparedMessage,
    options: &DeliverOptions,
) -> Result<Delivered> {
    if mailboxes::mailbox(tx, acting.account(), mailbox)?.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    deliver(tx, acting.account(), Target::Mailbox(mailbox), message, options)
}

fn delivered_before(tx: &Tx, account: AccountId, options: &DeliverOptions) -> Result<Option<Delivered>> {
    let Some(key) = &options.delivery_key else { return Ok(None) };
    tx.query_opt(
        "SELECT d.email_id, d.mailbox_id, m.uidvalidity, d.uid FROM delivery_key d
         JOIN mailbox m ON m.account_id = d.account_id AND m.id = d.mailbox_id
         WHERE d.account_id = ?1 AND d.key = ?2",
        &params![account.get(), key],
        |r| {
            Ok(Delivered {
                email: EmailId::new(r.i64(0)?),
                mailbox: MailboxId::new(r.i64(1)?),
                uidvalidity: r.u32(2)?,
                uid: Uid(r.u32(3)?),
            })
        },
    )
}

fn store(
    tx: &mut Tx,
    account: AccountId,
    target: Target,
    message: &PreparedMessage,
    flags: FlagSet,
    (modseq, received_at): (ModSeq, Option<Timestamp>),
) -> Result<Delivered> {
    let found = find(tx, account, target)?;
    tx.put_blob(&message.blob)?;
    let email = tx.new_id();
    let summary = &message.summary;
    let thread = threads::thread_of(tx, account, summary, email)?;
    let received_at = received_at.unwrap_or_else(|| tx.now());
    tx.execute(
        "INSERT INTO email (account_id, id, blob_hash, size, received_at, sent_at, subject, sender, message_id, thread_id,
            has_attachment, preview, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &params![
            account.get(),
            email,
            message.blob.hash().as_bytes(),
            message.size(),
            received_at,
            summary.sent_at,
            &summary.subject,
            &summary.from,
            summary.message_id.clone(),
            thread.get(),
            summary.has_attachment,
            &summary.preview,
            &summary.encoded
        ],
    )?;
    let uid = put(tx, &found, EmailId::new(email), flags, message.size() as u64, modseq)?;
    Ok(Delivered { email: EmailId::new(email), mailbox: found.id, uidvalidity: found.uidvalidity, uid })
}

fn find(tx: &Tx, account: AccountId, target: Target) -> Result<MailboxRow> {
    let found = match target {
        Target::Mailbox(id) => return mailboxes::mailbox(tx, account, id),
        Target::Role(role) => match mailboxes::mailbox_by_role(tx, account, role)? {
            Some(found) => Some(found),
            None => mailboxes::mailbox_by_role(tx, account, Role::Inbox)?,
        },
    };
    found.ok_or_else(|| Error::fault("delivering", "the account has no INBOX"))
}

/// Gives a message its UID in a mailbox and counts it. The account's row is locked.
pub(crate) fn put(
    tx: &mut Tx,
    mailbox: &MailboxRow,
    email: EmailId,
    flags: FlagSet,
    size: u64,
    modseq: ModSeq,
) -> Result<Uid> {
    let unseen = i64::from(!flags.system().contains(Flags::SEEN));
    let next = tx.query_one(
        "UPDATE mailbox SET uidnext = uidnext + 1, highest_modseq = ?3, total = total + 1, unseen = unseen + ?4,
            size = size + ?5 WHERE account_id = ?1 AND id = ?2 RETURNING uidnext",
        &params![mailbox.account.get(), mailbox.id.get(), modseq.0, unseen, size],
        |r| r.u32(0),
    )?;
    let uid = next - 1;
    tx.execute(
        "INSERT INTO placement (account_id, mailbox_id, uid, email_id, flags, modseq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &params![mailbox.account.get(), mailbox.id.get(), uid, email.get(), flags.stored(), modseq.0],
    )?;
    Ok(Uid(uid))
}
