//! `EmailSubmission/query` and `EmailSubmission/queryChanges` (RFC 8621 §7.3, §7.4).

use super::undo_status;
use crate::{
    arguments::Arguments,
    dispatch::{Caller, Outcome},
    error::MethodError,
    filter::{self, Filter},
    ids::Id,
    window::Window,
};
use congvu_directory::{Acting, right};
use congvu_storage::Snapshot;
use congvu_transport::{
    outgoing_states,
    submission::{self, Found, Order},
};
use congvu_types::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Ids that one condition names.
const MOST_NAMED: usize = 1_000;

#[derive(Debug)]
enum Condition {
    Identities(HashSet<String>),
    Emails(HashSet<String>),
    Threads(HashSet<String>),
    UndoStatus(String),
    Before(Timestamp),
    After(Timestamp),
}

fn condition(given: Map<String, Value>) -> Outcome<Filter<Condition>> {
    let mut all = Vec::with_capacity(given.len());
    for (name, value) in given {
        all.push(Filter::One(match name.as_str() {
            "identityIds" => Condition::Identities(ids(&name, value)?),
            "emailIds" => Condition::Emails(ids(&name, value)?),
            "threadIds" => Condition::Threads(ids(&name, value)?),
            "undoStatus" => match value.as_str() {
                Some(status @ ("pending" | "final" | "canceled")) => Condition::UndoStatus(status.to_owned()),
                _ => return Err(wrong(&name)),
            },
            "before" => Condition::Before(date(&name, &value)?),
            "after" => Condition::After(date(&name, &value)?),
            _ => return Err("unsupportedFilter".into()),
        }));
    }
    Ok(Filter::And(all))
}

fn wrong(name: &str) -> crate::dispatch::Failure {
    MethodError::arguments(format!("the filter's {name} is of another type")).into()
}

fn ids(name: &str, value: Value) -> Outcome<HashSet<String>> {
    let Value::Array(items) = value else { return Err(wrong(name)) };
    if items.len() > MOST_NAMED {
        return Err(MethodError::because("unsupportedFilter", "too many ids").into());
    }
    let text = |item: Value| if let Value::String(text) = item { Ok(text) } else { Err(wrong(name)) };
    items.into_iter().map(text).collect()
}

fn date(name: &str, value: &Value) -> Outcome<Timestamp> {
    let read = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    read.map(|at| Timestamp(at.as_millisecond())).ok_or_else(|| wrong(name))
}

fn fits(found: &Found, condition: &Condition) -> bool {
    match condition {
        Condition::Identities(ids) => ids.contains(&found.identity.text()),
        Condition::Emails(ids) => ids.contains(&found.email.text()),
        Condition::Threads(ids) => ids.contains(&found.thread.text()),
        Condition::UndoStatus(status) => undo_status(found.state) == status,
        Condition::Before(at) => found.send_at < *at,
        Condition::After(at) => found.send_at >= *at,
    }
}

/// The list, whole.
fn list(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    arguments: &mut Arguments,
) -> Outcome<Vec<String>> {
    let filter = filter::read(arguments.object("filter")?, &mut condition)?;
    let mut order = Vec::new();
    for sort in filter::sort(arguments.take("sort"))? {
        let by = match sort.property.as_str() {
            "sentAt" | "sendAt" => Order::SentAt,
            "emailId" => Order::Email,
            "threadId" => Order::Thread,
            _ => return Err("unsupportedSort".into()),
        };
        order.push((by, sort.is_ascending));
    }
    let is_wanted = |found: &Found| filter.holds(&|condition| fits(found, condition));
    let found = submission::query(snapshot, acting, &order, is_wanted)?;
    Ok(found.into_iter().map(|found| found.id.text()).collect())
}

/// `EmailSubmission/query`
pub(crate) fn query(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let window = Window::take(&mut arguments)?;
    let all = list(snapshot, &acting, &mut arguments)?;
    let (position, ids) = window.cut(&all)?;
    let mut told = json!({
        "accountId": acting.account().text(),
        "queryState": outgoing_states(snapshot, acting.account())?.submission.to_string(),
        "canCalculateChanges": false,
        "position": position,
        "ids": ids,
    });
    if let Value::Object(told) = &mut told {
        if window.wants_total {
            told.insert("total".to_owned(), all.len().into());
        }
        if window.is_limit_ours && all.len() > position.saturating_add(window.limit) {
            told.insert("limit".to_owned(), window.limit.into());
        }
    }
    Ok(told)
}

/// `EmailSubmission/queryChanges`: nothing when nothing changed; else the list is asked anew.
pub(crate) fn query_changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let since = arguments.needed_text("sinceQueryState")?;
    let state = outgoing_states(snapshot, acting.account())?.submission.to_string();
    list(snapshot, &acting, &mut arguments)?;
    if since != state {
        return Err("cannotCalculateChanges".into());
    }
    Ok(json!({
        "accountId": acting.account().text(),
        "oldQueryState": since,
        "newQueryState": state,
        "removed": [],
        "added": [],
    }))
}
