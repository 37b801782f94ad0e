//! `Mailbox/changes` (RFC 8621 §2.2).

use crate::{
    arguments::Arguments,
    changes::{asked, told},
    dispatch::{Caller, Outcome},
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_types::ModSeq;
use serde_json::Value;

/// What changes when mail comes and goes (RFC 8621 §2.2 `updatedProperties`).
const COUNTERS: [&str; 4] = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];

/// `Mailbox/changes`
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = asked(&mut arguments)?;
    // A state in parts is one of emails: mailboxes are known as of where it began.
    let since = ModSeq(asked.since.base);
    let changes = congvu_mail::mailbox_changes(snapshot, &acting, since, asked.most)?;
    let changes = changes.ok_or("cannotCalculateChanges")?;
    let mut told = told(acting.account(), &asked, &changes.ids);
    let only_counts = changes.only_counts && !changes.ids.updated.is_empty();
    let properties = if only_counts { COUNTERS.as_slice().into() } else { Value::Null };
    told.insert("updatedProperties".to_owned(), properties);
    Ok(Value::Object(told))
}
