//! Mailboxes (thư mục): names, roles, counters.

use crate::{flags::bits, purge, record::Act, state};
use congvu_directory::{Acting, right};
use congvu_storage::{Row, Snapshot, Tx, params};
use congvu_types::{AccountId, Flags, MailboxId, ModSeq, PersonId, RefusalKind, Result};
use std::{borrow::Cow, collections::HashMap};
use unicode_normalization::UnicodeNormalization;

/// What a mailbox is for (RFC 6154, RFC 8621 §2; the last four are the review of outgoing mail, S9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// No special use.
    None,
    /// Where mail arrives.
    Inbox,
    /// What was sent.
    Sent,
    /// What is being written.
    Drafts,
    /// Junk.
    Junk,
    /// What was deleted.
    Trash,
    /// What is kept.
    Archive,
    /// Outgoing mail that waits for a decision: "Chờ duyệt".
    Awaiting,
    /// What was approved: "Đã duyệt".
    Approved,
    /// What was returned to its author: "Trả lại".
    Returned,
    /// What was rejected: "Từ chối".
    Rejected,
}

impl Role {
    /// The mailboxes that every account has.
    pub const STANDARD: [Self; 6] =
        [Self::Inbox, Self::Sent, Self::Drafts, Self::Junk, Self::Trash, Self::Archive];
    /// The mailboxes of an account whose mail is reviewed.
    pub const REVIEW: [Self; 4] = [Self::Awaiting, Self::Approved, Self::Returned, Self::Rejected];
    const ALL: [Self; 11] = [
        Self::None,
        Self::Inbox,
        Self::Sent,
        Self::Drafts,
        Self::Junk,
        Self::Trash,
        Self::Archive,
        Self::Awaiting,
        Self::Approved,
        Self::Returned,
        Self::Rejected,
    ];

    /// Returns the name a mailbox of this role is made with.
    #[must_use]
    pub const fn default_name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Inbox => "INBOX",
            Self::Sent => "Sent",
            Self::Drafts => "Drafts",
            Self::Junk => "Junk",
            Self::Trash => "Trash",
            Self::Archive => "Archive",
            Self::Awaiting => "Chờ duyệt",
            Self::Approved => "Đã duyệt",
            Self::Returned => "Trả lại",
            Self::Rejected => "Từ chối",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Junk => "junk",
            Self::Trash => "trash",
            Self::Archive => "archive",
            Self::Awaiting => "awaiting",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
        }
    }

    /// Returns whether only decisions change what lies there (S9.1, Điều 9: a held message cannot be edited).
    #[must_use]
    pub const fn is_review(self) -> bool {
        matches!(self, Self::Awaiting | Self::Approved | Self::Returned | Self::Rejected)
    }

    /// Returns the special-use attribute (RFC 6154 §2).
    #[must_use]
    pub const fn special_use(self) -> Option<&'static str> {
        match self {
            Self::Sent => Some("\\Sent"),
            Self::Drafts => Some("\\Drafts"),
            Self::Junk => Some("\\Junk"),
            Self::Trash => Some("\\Trash"),
            Self::Archive => Some("\\Archive"),
            _ => None,
        }
    }
}

/// A mailbox with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// The account.
    pub account: AccountId,
    /// The id.
    pub id: MailboxId,
    /// The whole name; levels are separated by `/`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// UIDVALIDITY.
    pub uidvalidity: u32,
    /// The UID that the next message gets.
    pub uidnext: u32,
    /// The modseq of its last change.
    pub highest_modseq: u64,
    /// How many messages.
    pub total: u64,
    /// How many without `\Seen`.
    pub unseen: u64,
    /// Bytes of all messages.
    pub size: u64,
    /// Whether it is subscribed.
    pub is_subscribed: bool,
    /// What was expunged up to here is not known any more (RFC 7162 §3.2.5.2).
    pub min_modseq: u64,
    /// The modseq that it was made at.
    pub created_modseq: u64,
    /// The modseq of its last change but of counters: its name.
    pub named_modseq: u64,
    /// How many conversations have a message here.
    pub threads: u64,
    /// How many have one here without `\\Seen`.
    pub unread_threads: u64,
}

fn row(r: &Row<'_>) -> Result<MailboxRow> {
    let role = r.text(3)?;
    Ok(MailboxRow {
        account: AccountId::new(r.i64(0)?),
        id: MailboxId::new(r.i64(1)?),
        name: r.text(2)?,
        role: Role::ALL.into_iter().find(|known| known.key() == role).unwrap_or(Role::None),
        uidvalidity: r.u32(4)?,
        uidnext: r.u32(5)?,
        highest_modseq: r.u64(6)?,
        total: r.u64(7)?,
        unseen: r.u64(8)?,
        size: r.u64(9)?,
        is_subscribed: r.i64(10)? != 0,
        min_modseq: r.u64(11)?,
        created_modseq: r.u64(12)?,
        named_modseq: r.u64(13)?,
        threads: r.u64(14)?,
        unread_threads: r.u64(15)?,
    })
}

/// Returns an account's mailboxes, INBOX first, the others by name.
pub fn mailboxes(snapshot: &Snapshot, account: AccountId) -> Result<Vec<MailboxRow>> {
    let mut found = snapshot.query(
        "SELECT account_id, id, name, role, uidvalidity, uidnext, highest_modseq, total, unseen, size, subscribed,
            min_modseq, created_modseq, named_modseq, threads, unread_threads FROM mailbox WHERE account_id = ?1 LIMIT 10000",
        &params![account.get()],
        row,
    )?;
    found.sort_by(|a, b| (a.role != Role::Inbox, &a.name).cmp(&(b.role != Role::Inbox, &b.name)));
    Ok(found)
}

/// Returns a mailbox.
pub fn mailbox(snapshot: &Snapshot, account: AccountId, id: MailboxId) -> Result<MailboxRow> {
    snapshot
        .query_opt(
            "SELECT account_id, id, name, role, uidvalidity, uidnext, highest_modseq, total, unseen, size, subscribed,
                min_modseq, created_modseq, named_modseq, threads, unread_threads FROM mailbox WHERE account_id = ?1 AND id = ?2",
            &params![account.get(), id.get()],
            row,
        )?
        .ok_or_else(|| RefusalKind::NotFound.into())
}

/// Counts the messages marked `\\Deleted` (RFC 9051 §6.3.11, STATUS DELETED), by reading all.
pub fn count_deleted(snapshot: &Snapshot, account: AccountId, id: MailboxId) -> Result<u64> {
    snapshot.query_one(
        "SELECT COUNT(*) FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND flags & ?3 <> 0",
        &params![account.get(), id.get(), bits(Flags::DELETED).0],
        |r| r.u64(0),
    )
}

/// RFC 9051 §5.1: INBOX is one name in any case, above others too.
fn normal(name: &str) -> Cow<'_, str> {
    let (first, rest) = name.split_at(name.find('/').unwrap_or(name.len()));
    let is_inbox = first != "INBOX" && first.eq_ignore_ascii_case("INBOX");
    if is_inbox { Cow::Owned(format!("INBOX{rest}")) } else { Cow::Borrowed(name) }
}

/// Finds a mailbox by its whole name. INBOX is found in any case (RFC 9051 §5.1).
pub fn mailbox_by_name(snapshot: &Snapshot, account: AccountId, name: &str) -> Result<Option<MailboxRow>> {
    let name = normal(name);
    snapshot.query_opt(
        "SELECT account_id, id, name, role, uidvalidity, uidnext, highest_modseq, total, unseen, size, subscribed,
            min_modseq, created_modseq, named_modseq, threads, unread_threads FROM mailbox WHERE account_id = ?1 AND name = ?2",
        &params![account.get(), name.as_ref()],
        row,
    )
}

/// Finds the mailbox of a role; `Junk` of an account without one is found as INBOX by the caller.
pub fn mailbox_by_role(snapshot: &Snapshot, account: AccountId, role: Role) -> Result<Option<MailboxRow>> {
    snapshot.query_opt(
        "SELECT account_id, id, name, role, uidvalidity, uidnext, highest_modseq, total, unseen, size, subscribed,
            min_modseq, created_modseq, named_modseq, threads, unread_threads FROM mailbox WHERE account_id = ?1 AND role = ?2",
        &params![account.get(), role.key()],
        row,
    )
}

/// Makes the mailboxes of the review of outgoing mail (S9.1, Điều 9). A second call does nothing. An ordinary mailbox that
/// has one of their names makes room: nothing that people file stands in the way of what must be sent.
pub fn ensure_review_mailboxes(tx: &mut Tx, account: AccountId) -> Result<()> {
    state::ensure_account(tx, account)?;
    if mailbox_by_role(tx, account, Role::Rejected)?.is_some() {
        return Ok(());
    }
    let modseq = state::lock(tx, account)?;
    for role in Role::REVIEW {
        if mailbox_by_role(tx, account, role)?.is_none() {
            make_room(tx, account, role.default_name(), modseq)?;
            insert(tx, account, role.default_name(), role, modseq)?;
        }
    }
    Ok(())
}

/// Renames the ordinary mailbox of this name, if there is one, to the first name of `name (1)`, `name (2)` … that is free.
fn make_room(tx: &mut Tx, account: AccountId, name: &str, modseq: ModSeq) -> Result<()> {
    let Some(found) = mailbox_by_name(tx, account, name)? else { return Ok(()) };
    let mut number = 1;
    let mut free = format!("{name} ({number})");
    while mailbox_by_name(tx, account, &free)?.is_some() {
        number += 1;
        free = format!("{name} ({number})");
    }
    rename_tree(tx, &found, &free, modseq)
}

/// Gives a mailbox and all below it another name.
fn rename_tree(tx: &mut Tx, found: &MailboxRow, name: &str, modseq: ModSeq) -> Result<()> {
    let below = format!("{}/", found.name);
    let all = mailboxes(tx, found.account)?;
    for child in all.into_iter().filter(|m| m.id == found.id || m.name.starts_with(&below)) {
        let renamed = format!("{name}{}", child.name.get(found.name.len()..).unwrap_or_default());
        tx.execute(
            "UPDATE mailbox SET name = ?3, named_modseq = ?4 WHERE account_id = ?1 AND id = ?2",
            &params![found.account.get(), child.id.get(), renamed, modseq.0],
        )?;
    }
    Ok(())
}

pub(crate) fn insert(
    tx: &mut Tx,
    account: AccountId,
    name: &str,
    role: Role,
    modseq: ModSeq,
) -> Result<MailboxId> {
    let id = tx.new_id();
    let uidvalidity = state::next_uidvalidity(tx, account)?;
    tx.execute(
        "INSERT INTO mailbox (account_id, id, name, role, uidvalidity, uidnext, highest_modseq, total, unseen, size, subscribed,
            min_modseq, created_modseq, named_modseq, threads, unread_threads)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, 0, 0, 0, 1, 0, ?6, ?6, 0, 0)",
        &params![account.get(), id, name, role.key(), uidvalidity, modseq.0],
    )?;
    Ok(MailboxId::new(id))
}

/// Refuses names that no client could show or address again.
fn check_name(name: &str) -> Result<()> {
    let bad_level = |level: &str| level.is_empty() || level.trim() != level || level == "." || level == "..";
    let bad = name.len() > 500
        || name.chars().any(|c| c.is_control() || "*%\\".contains(c))
        || name.split('/').any(bad_level)
        || name.split('/').count() > 20;
    if bad { Err(RefusalKind::InvalidName.into()) } else { Ok(()) }
}

/// Keeps the names of the review's mailboxes for the review, in every account (S9.1, Điều 9): a mailbox that only looks
/// like "Đã duyệt" would mislead.
fn check_reserved(name: &str) -> Result<()> {
    let fold = |text: &str| text.nfc().collect::<String>().to_lowercase();
    let top = fold(name.split('/').next().unwrap_or_default());
    let is_reserved = Role::REVIEW.iter().any(|role| fold(role.default_name()) == top);
    if is_reserved { Err(RefusalKind::InvalidName.into()) } else { Ok(()) }
}

/// Makes a mailbox and those above it (RFC 9051 §6.3.4).
pub fn create_mailbox(tx: &mut Tx, acting: &Acting<right::Draft>, name: &str) -> Result<MailboxId> {
    check_name(name)?;
    let normal = normal(name);
    let name = normal.as_ref();
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    if mailbox_by_name(tx, account, name)?.is_some() {
        return Err(RefusalKind::AlreadyExists.into());
    }
    check_reserved(name)?;
    let count =
        tx.query_one("SELECT COUNT(*) FROM mailbox WHERE account_id = ?1", &params![account.get()], |r| {
            r.i64(0)
        })?;
    if count >= 2000 {
        return Err(RefusalKind::TooMany.into());
    }
    for (at, _) in name.match_indices('/') {
        if mailbox_by_name(tx, account, &name[..at])?.is_none() {
            insert(tx, account, &name[..at], Role::None, modseq)?;
        }
    }
    let made = insert(tx, account, name, Role::None, modseq)?;
    Act::new().record(tx, acting, "mailbox.created", name)?;
    Ok(made)
}

/// Removes a mailbox and its messages; those with a role, and those with others below, stay (RFC 9051 §6.3.5). The mailbox
/// is gone and its name free when this commits, whatever its size; its messages go by [`crate::purge_step`].
pub fn delete_mailbox(tx: &mut Tx, acting: &Acting<right::Draft>, id: MailboxId) -> Result<()> {
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    let found = mailbox(tx, account, id)?;
    if found.role != Role::None {
        return Err(RefusalKind::InUse.into());
    }
    let below = format!("{}/", found.name);
    if mailboxes(tx, account)?.iter().any(|m| m.name.starts_with(&below)) {
        return Err(RefusalKind::InUse.into());
    }
    purge::doom(tx, &found, modseq)?;
    let act = Act::new().with("messages", found.total).with("bytes", found.size);
    act.record(tx, acting, "mailbox.deleted", &found.name)?;
    let key = params![account.get(), id.get()];
    tx.execute("DELETE FROM subscription WHERE account_id = ?1 AND mailbox_id = ?2", &key)?;
    tx.execute("DELETE FROM mailbox WHERE account_id = ?1 AND id = ?2", &key).map(drop)
}

/// Renames a mailbox and all below it (RFC 9051 §6.3.6). Those with a role keep their names.
pub fn rename_mailbox(tx: &mut Tx, acting: &Acting<right::Draft>, id: MailboxId, name: &str) -> Result<()> {
    check_name(name)?;
    let normal = normal(name);
    let name = normal.as_ref();
    let account = acting.account();
    let modseq = state::lock(tx, account)?;
    let found = mailbox(tx, account, id)?;
    if found.role != Role::None {
        return Err(RefusalKind::InUse.into());
    }
    let below = format!("{}/", found.name);
    if format!("{name}/").starts_with(&below) {
        return Err(RefusalKind::InvalidName.into());
    }
    if mailbox_by_name(tx, account, name)?.is_some() {
        return Err(RefusalKind::AlreadyExists.into());
    }
    check_reserved(name)?;
    for (at, _) in name.match_indices('/') {
        if mailbox_by_name(tx, account, &name[..at])?.is_none() {
            insert(tx, account, &name[..at], Role::None, modseq)?;
        }
    }
    rename_tree(tx, &found, name, modseq)?;
    Act::new().with("to", name).record(tx, acting, "mailbox.renamed", &found.name)
}

/// Subscribes or unsubscribes: for everybody in one's own account, and in a shared one for oneself alone (S3.1b, Điều 3:
/// whoever reads an account does not arrange it for the others).
pub fn subscribe(
    tx: &mut Tx,
    acting: &Acting<right::Read>,
    id: MailboxId,
    is_subscribed: bool,
) -> Result<()> {
    let account = acting.account();
    mailbox(tx, account, id)?;
    if acting.is_shared() {
        return tx
            .execute(
                "INSERT INTO subscription (account_id, person_id, mailbox_id, subscribed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account_id, person_id, mailbox_id) DO UPDATE SET subscribed = ?4",
                &params![account.get(), acting.person().get(), id.get(), is_subscribed],
            )
            .map(drop);
    }
    tx.execute(
        "UPDATE mailbox SET subscribed = ?3 WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), id.get(), is_subscribed],
    )
    .map(drop)
}

/// Like [`mailboxes`] of a shared account, subscribed as this person wants it.
pub fn shared_mailboxes(
    snapshot: &Snapshot,
    account: AccountId,
    person: PersonId,
) -> Result<Vec<MailboxRow>> {
    let mut found = mailboxes(snapshot, account)?;
    let wishes = snapshot.query(
        "SELECT mailbox_id, subscribed FROM subscription WHERE account_id = ?1 AND person_id = ?2 LIMIT 10000",
        &params![account.get(), person.get()],
        |r| Ok((MailboxId::new(r.i64(0)?), r.i64(1)? != 0)),
    )?;
    let wishes: HashMap<MailboxId, bool> = wishes.into_iter().collect();
    for mailbox in &mut found {
        mailbox.is_subscribed = wishes.get(&mailbox.id).copied().unwrap_or(mailbox.is_subscribed);
    }
    Ok(found)
}
