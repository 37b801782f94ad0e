//! Conversations (RFC 8621 §3).

use crate::{
    arguments::{Arguments, pick},
    capabilities::MAX_GET,
    changes::{asked, told},
    dispatch::{Caller, Outcome},
    ids::Id,
    state,
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_types::ThreadId;
use serde_json::{Map, Value, json};

/// Emails of all conversations that one call tells.
const MOST_EMAILS: usize = 20_000;

/// `Thread/get` (RFC 8621 §3.1)
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let ids = arguments.ids(MAX_GET)?.ok_or("requestTooLarge")?;
    let properties = arguments.properties(&["emailIds"])?;
    let (mut list, mut not_found) = (Vec::new(), Vec::new());
    let mut room = MOST_EMAILS;
    for id in ids {
        let emails = match ThreadId::read(&id) {
            Some(thread) => congvu_mail::thread_emails(snapshot, &acting, thread)?,
            None => Vec::new(),
        };
        if emails.is_empty() {
            not_found.push(id);
            continue;
        }
        room = room.checked_sub(emails.len()).ok_or("requestTooLarge")?;
        let emails: Vec<String> = emails.into_iter().map(Id::text).collect();
        let thread = Map::from_iter([("id".to_owned(), id.into()), ("emailIds".to_owned(), emails.into())]);
        list.push(pick(thread, properties.as_deref()));
    }
    let state = state::emails(congvu_mail::state(snapshot, acting.account())?);
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}

/// `Thread/changes` (RFC 8621 §3.2)
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = asked(&mut arguments)?;
    let changes = congvu_mail::thread_changes(snapshot, &acting, asked.since, asked.most)?;
    let changes = changes.ok_or("cannotCalculateChanges")?;
    Ok(Value::Object(told(acting.account(), &asked, &changes)))
}
