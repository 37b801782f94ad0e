//! Messages come in: delivery, APPEND, and what the system files itself.

use crate::{
    FlagSet, MailboxRow, PreparedMessage, Role,
    conversations::Tally,
    flags::{bits, resolve_keywords},
    mailboxes,
    record::Act,
    state, threads,
};
use congvu_directory::{Acting, right};
use congvu_storage::{Tx, params};
use congvu_types::{
    AccountId, EmailId, Error, Fault, Flags, Keyword, MailboxId, ModSeq, RefusalKind, Result, ThreadId,
    Timestamp, Uid,
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
    /// A repeated delivery with the same key, within a week, is the first one again. For a caller that repeats what it
    /// does; a transaction that is run again or was in doubt needs none.
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
    let modseq = state::lock_with_room(tx, account, message.size() as u64, 1)?;
    let keywords = resolve_keywords(tx, account, &options.keywords)?;
    let flags = FlagSet(bits(options.flags).0 | keywords.0);
    let delivered = store(tx, account, target, message, flags, (modseq, options.received_at))?;
    if let Some(key) = &options.delivery_key {
        tx.execute(
            "INSERT INTO delivery_key (account_id, key, mailbox_id, uidvalidity, uid, email_id, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &params![
                account.get(),
                key,
                delivered.mailbox.get(),
                delivered.uidvalidity,
                delivered.uid.0,
                delivered.email.get(),
                tx.now()
            ],
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
    let into = mailboxes::mailbox(tx, acting.account(), mailbox)?;
    if into.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let delivered = deliver(tx, acting.account(), Target::Mailbox(mailbox), message, options)?;
    let act = Act::new().on([delivered.uid], &[&message.blob.hash()]);
    act.record(tx, acting, "mail.appended", &into.name)?;
    Ok(delivered)
}

fn delivered_before(tx: &Tx, account: AccountId, options: &DeliverOptions) -> Result<Option<Delivered>> {
    let Some(key) = &options.delivery_key else { return Ok(None) };
    tx.query_opt(
        "SELECT email_id, mailbox_id, uidvalidity, uid FROM delivery_key WHERE account_id = ?1 AND key = ?2",
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
            has_attachment, preview, summary, created_modseq, mailbox_id, uid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
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
            &summary.encoded,
            modseq.0,
            found.id.get(),
            found.uidnext
        ],
    )?;
    let email_id = EmailId::new(email);
    let uid =
        put(tx, &found, &[Placed { email: email_id, thread, flags, size: message.size() as u64 }], modseq)?;
    let uid = uid.first().copied().ok_or_else(|| Fault::new("a message was given no UID"))?;
    Ok(Delivered { email: email_id, mailbox: found.id, uidvalidity: found.uidvalidity, uid })
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

/// A message that gets a place in a mailbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) email: EmailId,
    pub(crate) thread: ThreadId,
    pub(crate) flags: FlagSet,
    /// Bytes.
    pub(crate) size: u64,
}

/// Gives messages their UIDs in a mailbox, from its UIDNEXT on, and counts them. The mailbox was read under the account's
/// lock.
pub(crate) fn put(
    tx: &mut Tx,
    mailbox: &MailboxRow,
    messages: &[Placed],
    modseq: ModSeq,
) -> Result<Vec<Uid>> {
    let mut uids = Vec::with_capacity(messages.len());
    let (mut unseen, mut size, mut tally) = (0, 0, Tally::default());
    for (uid, message) in (mailbox.uidnext..).zip(messages) {
        let is_unseen = i64::from(!message.flags.system().contains(Flags::SEEN));
        unseen += is_unseen;
        tally.count(message.thread, 1, is_unseen);
        size += message.size;
        tx.execute(
            "INSERT INTO placement (account_id, mailbox_id, uid, email_id, flags, modseq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &params![
                mailbox.account.get(),
                mailbox.id.get(),
                uid,
                message.email.get(),
                message.flags.stored(),
                modseq.0
            ],
        )?;
        uids.push(Uid(uid));
    }
    let threads = tally.apply(tx, mailbox.account, mailbox.id)?;
    let counted = tx.execute(
        "UPDATE mailbox SET uidnext = uidnext + ?3, highest_modseq = ?4, total = total + ?3, unseen = unseen + ?5,
            size = size + ?6, threads = threads + ?8, unread_threads = unread_threads + ?9
         WHERE account_id = ?1 AND id = ?2 AND uidnext = ?7",
        &params![
            mailbox.account.get(),
            mailbox.id.get(),
            messages.len(),
            modseq.0,
            unseen,
            size,
            mailbox.uidnext,
            threads.all,
            threads.unseen
        ],
    )?;
    if counted == 1 {
        Ok(uids)
    } else {
        Err(Fault::new("a mailbox was read without its account's lock").into())
    }
}
