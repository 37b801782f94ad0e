//! Lists of messages (RFC 8621 §4.4): the newest conversations of a mailbox cost as much as are shown, whatever its size.

mod cursor;
mod order;
mod scan;

use crate::FlagSet;
use congvu_directory::{Acting, right};
use congvu_storage::Snapshot;
use congvu_types::{EmailId, MailboxId, Result, ThreadId, Timestamp};
use scan::Scan;
use std::{collections::HashSet, sync::Arc};

/// Which messages (RFC 8621 §4.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailFilter {
    /// All of these hold; with none, every message.
    And(Vec<Self>),
    /// One of these holds.
    Or(Vec<Self>),
    /// None of these holds.
    Not(Vec<Self>),
    /// It lies in this mailbox.
    InMailbox(MailboxId),
    /// It lies in a mailbox that is none of these.
    InMailboxOtherThan(Vec<MailboxId>),
    /// It came before.
    Before(Timestamp),
    /// It came then or after.
    After(Timestamp),
    /// It has so many bytes or more.
    MinSize(u64),
    /// It has fewer bytes.
    MaxSize(u64),
    /// It has this flag or keyword; no message has an empty set.
    HasKeyword(FlagSet),
    /// All messages of its conversation have it.
    AllInThreadHave(FlagSet),
    /// Some message of its conversation has it.
    SomeInThreadHave(FlagSet),
    /// Whether it has an attachment.
    HasAttachment(bool),
    /// It is one of these: what a search found.
    OneOf(Arc<HashSet<EmailId>>),
}

/// What a list is sorted by (RFC 8621 §4.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The internal date.
    ReceivedAt,
    /// The `Date` field.
    SentAt,
    /// Bytes.
    Size,
    /// The first author.
    From,
    /// The subject without `Re:` and the like (RFC 5256 §2.1 in short).
    Subject,
    /// Whether it has the keyword.
    HasKeyword(FlagSet),
    /// Whether all of its conversation have it.
    AllInThreadHave(FlagSet),
    /// Whether some of its conversation have it.
    SomeInThreadHave(FlagSet),
}

/// One criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailSort {
    /// By what.
    pub key: SortKey,
    /// The smallest first.
    pub ascending: bool,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailQuery {
    /// Which messages.
    pub filter: EmailFilter,
    /// In which order; the newest first when empty. Of equals the newer id comes first, or the older when the first
    /// criterion ascends.
    pub sort: Vec<EmailSort>,
    /// Of each conversation its first message alone.
    pub collapse_threads: bool,
    /// Which part of the list.
    pub window: Window,
    /// At most so many.
    pub limit: usize,
    /// Whether the length of the list is wanted.
    pub wants_total: bool,
}

/// Where the part of a list begins (RFC 8620 §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// There; from the end when negative.
    Position(i64),
    /// So many places from this message.
    Anchor(EmailId, i64),
}

/// A message of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailHit {
    /// Its id.
    pub email: EmailId,
    /// Its conversation.
    pub thread: ThreadId,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailResults {
    /// Where it begins.
    pub position: usize,
    /// The messages.
    pub hits: Vec<EmailHit>,
    /// The length of the list, when wanted.
    pub total: Option<u64>,
}

/// Returns a part of a list; `None` when the anchor is not in it (RFC 8620 §5.5 `anchorNotFound`).
pub fn query_emails(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    query: &EmailQuery,
) -> Result<Option<EmailResults>> {
    let account = acting.account();
    let mut scan = Scan::new(snapshot, account, query);
    let known_total = if query.wants_total { scan.counted()? } else { None };
    let is_whole = query.wants_total && known_total.is_none();
    let (list, is_to_its_end) = scan.list(is_whole)?;
    let total = known_total.or_else(|| is_to_its_end.then_some(list.len() as u64));
    let start = match query.window {
        Window::Position(at) if at < 0 => {
            list.len().saturating_sub(usize::try_from(-at).unwrap_or(usize::MAX))
        }
        Window::Position(at) => usize::try_from(at).unwrap_or(usize::MAX),
        Window::Anchor(anchor, offset) => {
            let Some(at) = list.iter().position(|hit| hit.email == anchor) else { return Ok(None) };
            at.saturating_add_signed(isize::try_from(offset).unwrap_or(isize::MAX))
        }
    };
    let hits = list.get(start..).unwrap_or_default().iter().take(query.limit).copied().collect();
    Ok(Some(EmailResults { position: start, hits, total: total.filter(|_| query.wants_total) }))
}
