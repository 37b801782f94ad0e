//! COPY, MOVE, EXPUNGE.

use crate::{
    FlagSet, MailboxRow,
    conversations::Tally,
    deliver::{Placed, put},
    mailboxes, read,
    record::Act,
    state,
};
use congvu_directory::{Acting, right};
use congvu_storage::{BlobHash, Snapshot, Tx, params};
use congvu_types::{AccountId, EmailId, MailboxId, ModSeq, RefusalKind, Result, ThreadId, Uid};

/// What a COPY or MOVE did (RFC 4315 §3 COPYUID).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// UIDVALIDITY of the mailbox that they went to.
    pub uidvalidity: u32,
    /// Pairs of old and new UID, in order.
    pub uids: Vec<(Uid, Uid)>,
}

/// A message where it stands.
pub(crate) struct Found {
    pub(crate) uid: Uid,
    email: EmailId,
    thread: ThreadId,
    flags: FlagSet,
    size: u64,
    pub(crate) blob: BlobHash,
}

fn look_up(snapshot: &Snapshot, account: AccountId, mailbox: MailboxId, uids: &[Uid]) -> Result<Vec<Found>> {
    let mut found = Vec::with_capacity(uids.len());
    for uid in uids {
        found.extend(snapshot.query_opt(
            "SELECT p.email_id, p.flags, e.size, e.blob_hash, e.thread_id FROM placement p
             JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id
             WHERE p.account_id = ?1 AND p.mailbox_id = ?2 AND p.uid = ?3",
            &params![account.get(), mailbox.get(), uid.0],
            |r| {
                Ok(Found {
                    uid: *uid,
                    email: EmailId::new(r.i64(0)?),
                    flags: FlagSet(r.u64(1)?),
                    size: r.u64(2)?,
                    blob: BlobHash::from_slice(&r.bytes(3)?)?,
                    thread: ThreadId::new(r.i64(4)?),
                })
            },
        )?);
    }
    Ok(found)
}

/// Refuses when an account has no room for copies of all these messages (S8.1, Điều 8): asked before a COPY of more than a
/// batch begins.
pub fn check_room(
    snapshot: &Snapshot,
    from: (&Acting<right::Read>, MailboxId),
    account: AccountId,
    uids: &[Uid],
) -> Result<()> {
    let Some(quota) = congvu_directory::account_quota(snapshot, account)? else { return Ok(()) };
    let wanted: u64 = look_up(snapshot, from.0.account(), from.1, uids)?.iter().map(|f| f.size).sum();
    let has_room = state::usage(snapshot, account)?.bytes.saturating_add(wanted) <= quota;
    if has_room { Ok(()) } else { Err(RefusalKind::OverQuota.into()) }
}

/// Copies up to [`crate::MAX_BATCH`] messages: each copy is a message of its own over the same bytes. Between accounts
/// the keywords stay behind, and who takes a message out of a shared account has read it (S3.1b, Điều 3). Nothing is
/// copied into the mailboxes of the review (S9.1).
pub fn copy_messages(
    tx: &mut Tx,
    from: (&Acting<right::Read>, MailboxId),
    to: (&Acting<right::Draft>, MailboxId),
    uids: &[Uid],
) -> Result<Copied> {
    let (source, target) = (from.0.account(), to.0.account());
    let out_of = mailboxes::mailbox(tx, source, from.1)?;
    let found = look_up(tx, source, from.1, uids)?;
    let bytes = found.iter().map(|f| f.size).sum();
    let modseq = state::lock_with_room(tx, target, bytes, found.len() as u64)?;
    let into = mailboxes::mailbox(tx, target, to.1)?;
    if into.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let mut placed = Vec::with_capacity(found.len());
    for (uid, message) in (into.uidnext..).zip(&found) {
        if source != target {
            // Nothing keeps the source from being expunged and its blob collected meanwhile: its account is not locked.
            tx.keep_blob(&message.blob)?;
        }
        let id = tx.new_id();
        let copied = tx.execute(
            "INSERT INTO email (account_id, id, blob_hash, size, received_at, sent_at, subject, sender, message_id, thread_id,
                has_attachment, preview, summary, created_modseq, mailbox_id, uid)
             SELECT ?1, ?2, blob_hash, size, received_at, sent_at, subject, sender, message_id, thread_id, has_attachment,
                preview, summary, ?5, ?6, ?7 FROM email WHERE account_id = ?3 AND id = ?4",
            &params![
                target.get(),
                id,
                source.get(),
                message.email.get(),
                modseq.0,
                into.id.get(),
                uid
            ],
        )?;
        if copied == 0 {
            // Somebody expunged it meanwhile; COPY is all or nothing (RFC 9051 §6.4.7).
            return Err(RefusalKind::NotFound.into());
        }
        let flags = if source == target { message.flags } else { FlagSet(message.flags.0 & 31) };
        let email = EmailId::new(id);
        placed.push(Placed { email, thread: message.thread, flags, size: message.size });
    }
    if source != target && from.0.is_shared() {
        let emails: Vec<EmailId> = found.iter().map(|f| f.email).collect();
        read::record_read(tx, from.0, &emails)?;
    }
    let new = put(tx, &into, &placed, modseq)?;
    let target_name = format!("{}/{}", to.0.address(), into.name);
    let went = Act::new().on_found(&found).with("to", target_name);
    went.record(tx, from.0, "mail.copied", &out_of.name)?;
    if source != target {
        let blobs: Vec<&BlobHash> = found.iter().map(|f| &f.blob).collect();
        let came = Act::new().on(new.iter().copied(), &blobs).with("from", from.0.address().to_string());
        came.record(tx, to.0, "mail.copied_in", &into.name)?;
    }
    Ok(Copied { uidvalidity: into.uidvalidity, uids: found.iter().map(|f| f.uid).zip(new).collect() })
}

/// Moves up to [`crate::MAX_BATCH`] messages within an account (RFC 6851). Mailboxes of the review are moved from and to
/// by decisions only (S9.1, Điều 9).
pub fn move_messages(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    from: MailboxId,
    to: MailboxId,
    uids: &[Uid],
) -> Result<Copied> {
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    let (source, target) = (mailboxes::mailbox(tx, account, from)?, mailboxes::mailbox(tx, account, to)?);
    if source.role.is_review() || target.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let found = look_up(tx, account, from, uids)?;
    Act::new().on_found(&found).with("to", target.name.as_str()).record(
        tx,
        acting,
        "mail.moved",
        &source.name,
    )?;
    shift(tx, &source, &target, &found, modseq)
}

/// Moves messages as the consequence of a decision.
pub fn move_as_system(
    tx: &mut Tx,
    account: AccountId,
    from: MailboxId,
    to: MailboxId,
    uids: &[Uid],
) -> Result<Copied> {
    let modseq = state::lock(tx, account)?;
    let (source, target) = (mailboxes::mailbox(tx, account, from)?, mailboxes::mailbox(tx, account, to)?);
    let found = look_up(tx, account, from, uids)?;
    shift(tx, &source, &target, &found, modseq)
}

fn shift(
    tx: &mut Tx,
    source: &MailboxRow,
    target: &MailboxRow,
    found: &[Found],
    modseq: ModSeq,
) -> Result<Copied> {
    let placed: Vec<Placed> = found
        .iter()
        .map(|f| Placed { email: f.email, thread: f.thread, flags: f.flags, size: f.size })
        .collect();
    let new = put(tx, target, &placed, modseq)?;
    for (message, uid) in placed.iter().zip(&new) {
        tx.execute(
            "UPDATE email SET mailbox_id = ?3, uid = ?4 WHERE account_id = ?1 AND id = ?2",
            &params![target.account.get(), message.email.get(), target.id.get(), uid.0],
        )?;
    }
    remove(tx, source, found, modseq)?;
    Ok(Copied { uidvalidity: target.uidvalidity, uids: found.iter().map(|f| f.uid).zip(new).collect() })
}

/// Takes placements out of a mailbox, leaving tombstones.
fn remove(tx: &mut Tx, mailbox: &MailboxRow, found: &[Found], modseq: ModSeq) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let (account, id) = (mailbox.account.get(), mailbox.id.get());
    let (mut unseen, mut size, mut tally, now) = (0, 0, Tally::default(), tx.now());
    for message in found {
        let is_unseen = i64::from(!message.flags.system().contains(congvu_types::Flags::SEEN));
        unseen += is_unseen;
        tally.count(message.thread, -1, -is_unseen);
        size += message.size;
        let key = params![account, id, message.uid.0];
        tx.execute("DELETE FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid = ?3", &key)?;
        tx.execute(
            "INSERT INTO expunged (account_id, mailbox_id, modseq, uid, email_id, thread_id, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &params![account, id, modseq.0, message.uid.0, message.email.get(), message.thread.get(), now],
        )?;
    }
    let threads = tally.apply(tx, mailbox.account, mailbox.id)?;
    tx.execute(
        "UPDATE mailbox SET highest_modseq = ?3, total = total - ?4, unseen = unseen - ?5, size = size - ?6,
            threads = threads + ?7, unread_threads = unread_threads + ?8 WHERE account_id = ?1 AND id = ?2",
        &params![account, id, modseq.0, found.len(), unseen, size, threads.all, threads.unseen],
    )?;
    Ok(())
}

/// Removes up to [`crate::MAX_BATCH`] messages for good (RFC 9051 §6.4.3): those among `uids` that are marked `\Deleted`.
/// Returns the UIDs that are gone.
pub fn expunge(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    mailbox: MailboxId,
    uids: &[Uid],
) -> Result<Vec<Uid>> {
    let account = acting.account();
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let modseq = state::lock(tx, account)?;
    let row = mailboxes::mailbox(tx, account, mailbox)?;
    if row.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let mut found = look_up(tx, account, mailbox, uids)?;
    found.retain(|m| m.flags.system().contains(congvu_types::Flags::DELETED));
    remove_for_good(tx, &row, &found, modseq)?;
    if !found.is_empty() {
        Act::new().on_found(&found).record(tx, acting, "mail.expunged", &row.name)?;
    }
    Ok(found.into_iter().map(|m| m.uid).collect())
}

/// Removes copies that were just made, when the rest of their COPY failed (RFC 9051 §6.4.7: the mailbox is as it was).
pub fn take_back(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    mailbox: MailboxId,
    copies: &[Uid],
) -> Result<()> {
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    let row = mailboxes::mailbox(tx, account, mailbox)?;
    if row.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let found = look_up(tx, account, mailbox, copies)?;
    Act::new().on_found(&found).record(tx, acting, "mail.copy_undone", &row.name)?;
    remove_for_good(tx, &row, &found, modseq)
}

/// Removes up to [`crate::MAX_BATCH`] messages of one mailbox for good, whatever their flags (RFC 8621 §4.6 `destroy`).
/// Returns the UIDs that are gone.
pub fn destroy(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    mailbox: MailboxId,
    uids: &[Uid],
) -> Result<Vec<Uid>> {
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    let row = mailboxes::mailbox(tx, account, mailbox)?;
    if row.role.is_review() {
        return Err(RefusalKind::NoRight.into());
    }
    let found = look_up(tx, account, mailbox, uids)?;
    remove_for_good(tx, &row, &found, modseq)?;
    if !found.is_empty() {
        Act::new().on_found(&found).record(tx, acting, "mail.expunged", &row.name)?;
    }
    Ok(found.into_iter().map(|m| m.uid).collect())
}

fn remove_for_good(tx: &mut Tx, mailbox: &MailboxRow, found: &[Found], modseq: ModSeq) -> Result<()> {
    let account = mailbox.account;
    state::give_back(tx, account, found.iter().map(|f| f.size).sum(), found.len() as u64)?;
    remove(tx, mailbox, found, modseq)?;
    for message in found {
        tx.execute(
            "DELETE FROM email WHERE account_id = ?1 AND id = ?2",
            &params![account.get(), message.email.get()],
        )?;
    }
    Ok(())
}
