//! Mailboxes (RFC 8621 §2), a method a file.

mod changes;
mod get;
mod query;
mod set;

pub(crate) use changes::changes;
pub(crate) use get::get;
pub(crate) use query::{query, query_changes};
pub(crate) use set::set;

use crate::ids::Id;
use congvu_directory::{Acting, right};
use congvu_mail::{MailboxRow, Role};
use congvu_storage::Snapshot;
use congvu_types::Result;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Properties of a mailbox. `reviewRole` is ours (docs/jmap.md): RFC 8621 has no role for the review of what is sent.
pub(crate) const PROPERTIES: [&str; 12] = [
    "id",
    "name",
    "parentId",
    "role",
    "sortOrder",
    "totalEmails",
    "unreadEmails",
    "totalThreads",
    "unreadThreads",
    "myRights",
    "isSubscribed",
    "reviewRole",
];

/// An account's mailboxes as a tree.
pub(crate) struct Tree {
    pub(crate) rows: Vec<MailboxRow>,
    by_name: HashMap<String, usize>,
}

impl Tree {
    /// Reads the mailboxes as this person sees them.
    pub(crate) fn read(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<Self> {
        let rows = match acting.is_shared() {
            true => congvu_mail::shared_mailboxes(snapshot, acting.account(), acting.person())?,
            false => congvu_mail::mailboxes(snapshot, acting.account())?,
        };
        let by_name = rows.iter().enumerate().map(|(at, row)| (row.name.clone(), at)).collect();
        Ok(Self { rows, by_name })
    }

    /// The mailbox above; one whose own mailbox is missing stands at the top under its whole name.
    pub(crate) fn parent(&self, row: &MailboxRow) -> Option<&MailboxRow> {
        let (above, _) = row.name.rsplit_once('/')?;
        self.by_name.get(above).and_then(|at| self.rows.get(*at))
    }

    /// The name within the mailbox above.
    pub(crate) fn name<'r>(&self, row: &'r MailboxRow) -> &'r str {
        match (self.parent(row), row.name.rsplit_once('/')) {
            (Some(_), Some((_, last))) => last,
            _ => &row.name,
        }
    }
}

/// The role by its registered name (RFC 8621 §2).
pub(crate) const fn role(role: Role) -> Option<&'static str> {
    match role {
        Role::Inbox => Some("inbox"),
        Role::Sent => Some("sent"),
        Role::Drafts => Some("drafts"),
        Role::Junk => Some("junk"),
        Role::Trash => Some("trash"),
        Role::Archive => Some("archive"),
        Role::None | Role::Awaiting | Role::Approved | Role::Returned | Role::Rejected => None,
    }
}

/// What a mailbox is in the review of outgoing mail (S9.1, Điều 9).
const fn review_role(role: Role) -> Option<&'static str> {
    match role {
        Role::Awaiting => Some("awaiting"),
        Role::Approved => Some("approved"),
        Role::Returned => Some("returned"),
        Role::Rejected => Some("rejected"),
        _ => None,
    }
}

/// The order in which mailboxes stand.
pub(crate) const fn sort_order(role: Role) -> u32 {
    match role {
        Role::Inbox => 1,
        Role::Awaiting => 2,
        Role::Drafts => 3,
        Role::Sent => 4,
        Role::Archive => 5,
        Role::Returned => 6,
        Role::Approved => 7,
        Role::Rejected => 8,
        Role::Junk => 9,
        Role::Trash => 10,
        Role::None => 20,
    }
}

/// What the person may do there (RFC 8621 §2 `myRights`). What lies in the review is changed by decisions alone.
fn my_rights(acting: &Acting<right::Read>, row: &MailboxRow) -> Value {
    let may_write = acting.with::<right::Draft>().is_some();
    let (is_review, is_plain) = (row.role.is_review(), row.role == Role::None);
    json!({
        "mayReadItems": true,
        "mayAddItems": may_write && !is_review,
        "mayRemoveItems": may_write && !is_review,
        "maySetSeen": may_write,
        "maySetKeywords": may_write,
        "mayCreateChild": may_write && !is_review,
        "mayRename": may_write && is_plain,
        "mayDelete": may_write && is_plain,
        "maySubmit": acting.with::<right::Submit>().is_some(),
    })
}

/// Shows a mailbox.
pub(crate) fn show(tree: &Tree, acting: &Acting<right::Read>, row: &MailboxRow) -> Map<String, Value> {
    let shown = json!({
        "id": row.id.text(),
        "name": tree.name(row),
        "parentId": tree.parent(row).map(|parent| parent.id.text()),
        "role": role(row.role),
        "sortOrder": sort_order(row.role),
        "totalEmails": row.total,
        "unreadEmails": row.unseen,
        "totalThreads": row.threads,
        "unreadThreads": row.unread_threads,
        "myRights": my_rights(acting, row),
        "isSubscribed": row.is_subscribed,
        "reviewRole": review_role(row.role),
    });
    if let Value::Object(shown) = shown { shown } else { Map::new() }
}
