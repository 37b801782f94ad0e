//! `Mailbox/query` and `Mailbox/queryChanges` (RFC 8621 §2.3, §2.4).

use super::{Tree, role, sort_order};
use crate::{
    arguments::Arguments,
    dispatch::{Caller, Outcome},
    error::MethodError,
    filter::{self, Filter, Sort},
    ids::Id,
    state,
    window::Window,
};
use congvu_directory::right;
use congvu_mail::{MailboxRow, Role};
use congvu_storage::Snapshot;
use congvu_types::MailboxId;
use serde_json::{Map, Value, json};
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

#[derive(Debug)]
enum Condition {
    Parent(Option<String>),
    Name(String),
    Role(Option<String>),
    HasAnyRole(bool),
    IsSubscribed(bool),
}

fn condition(given: Map<String, Value>) -> Outcome<Filter<Condition>> {
    let wrong = |name: &str| MethodError::arguments(format!("the filter's {name} is of another type"));
    let mut all = Vec::new();
    for (name, value) in given {
        all.push(Filter::One(match (name.as_str(), value) {
            ("parentId", Value::Null) => Condition::Parent(None),
            ("parentId", Value::String(id)) => Condition::Parent(Some(id)),
            ("name", Value::String(text)) => Condition::Name(text.to_lowercase()),
            ("role", Value::Null) => Condition::Role(None),
            ("role", Value::String(role)) => Condition::Role(Some(role)),
            ("hasAnyRole", Value::Bool(has)) => Condition::HasAnyRole(has),
            ("isSubscribed", Value::Bool(is)) => Condition::IsSubscribed(is),
            ("parentId" | "name" | "role" | "hasAnyRole" | "isSubscribed", _) => {
                return Err(wrong(&name).into());
            }
            _ => return Err("unsupportedFilter".into()),
        }));
    }
    Ok(Filter::And(all))
}

fn fits(tree: &Tree, row: &MailboxRow, condition: &Condition) -> bool {
    match condition {
        Condition::Parent(wanted) => tree.parent(row).map(|p| p.id.text()) == *wanted,
        Condition::Name(part) => tree.name(row).to_lowercase().contains(part),
        Condition::Role(wanted) => role(row.role) == wanted.as_deref(),
        Condition::HasAnyRole(has) => role(row.role).is_some() == *has,
        Condition::IsSubscribed(is) => row.is_subscribed == *is,
    }
}

fn compare(tree: &Tree, sort: &[Sort], a: &MailboxRow, b: &MailboxRow) -> Ordering {
    let by_name = |a: &MailboxRow, b: &MailboxRow| {
        (a.role != Role::Inbox, tree.name(a).to_lowercase())
            .cmp(&(b.role != Role::Inbox, tree.name(b).to_lowercase()))
    };
    for one in sort {
        let order = match one.property.as_str() {
            "sortOrder" => sort_order(a.role).cmp(&sort_order(b.role)),
            "name" => by_name(a, b),
            _ => tree.parent(a).map(|p| p.id).cmp(&tree.parent(b).map(|p| p.id)),
        };
        let order = if one.is_ascending { order } else { order.reverse() };
        if order.is_ne() {
            return order;
        }
    }
    by_name(a, b).then(a.id.cmp(&b.id))
}

/// The list, whole.
fn list(tree: &Tree, arguments: &mut Arguments) -> Outcome<Vec<String>> {
    let filter = filter::read(arguments.object("filter")?, &mut condition)?;
    let sort = filter::sort(arguments.take("sort"))?;
    if sort.iter().any(|s| !["sortOrder", "name", "parentId"].contains(&s.property.as_str())) {
        return Err("unsupportedSort".into());
    }
    let (as_tree, filter_as_tree) = (arguments.flag("sortAsTree")?, arguments.flag("filterAsTree")?);
    let mut kept: HashSet<MailboxId> = HashSet::new();
    for row in &tree.rows {
        if filter.holds(&|condition| fits(tree, row, condition)) {
            kept.insert(row.id);
        }
    }
    // RFC 8621 §2.3 `filterAsTree`: of what is kept, all above is kept too.
    let is_kept = |row: &MailboxRow| {
        let mut at = Some(row);
        while let Some(row) = at {
            if !kept.contains(&row.id) {
                return false;
            }
            at = if filter_as_tree { tree.parent(row) } else { None };
        }
        true
    };
    let mut rows: Vec<&MailboxRow> = tree.rows.iter().filter(|row| is_kept(row)).collect();
    rows.sort_by(|a, b| compare(tree, &sort, a, b));
    if as_tree {
        rows = in_tree_order(tree, &rows);
    }
    Ok(rows.into_iter().map(|row| row.id.text()).collect())
}

/// Each mailbox followed by those below it, however deep; what has nothing kept above it stands at the top.
fn in_tree_order<'r>(tree: &Tree, sorted: &[&'r MailboxRow]) -> Vec<&'r MailboxRow> {
    let there: HashSet<MailboxId> = sorted.iter().map(|row| row.id).collect();
    let mut below: HashMap<Option<MailboxId>, Vec<&'r MailboxRow>> = HashMap::new();
    for row in sorted {
        let parent = tree.parent(row).map(|p| p.id).filter(|id| there.contains(id));
        below.entry(parent).or_default().push(row);
    }
    let mut ordered = Vec::with_capacity(sorted.len());
    let mut open: Vec<&MailboxRow> = below.remove(&None).unwrap_or_default();
    open.reverse();
    while let Some(row) = open.pop() {
        ordered.push(row);
        open.extend(below.remove(&Some(row.id)).unwrap_or_default().into_iter().rev());
    }
    ordered
}

/// `Mailbox/query`
pub(crate) fn query(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let window = Window::take(&mut arguments)?;
    let all = list(&Tree::read(snapshot, &acting)?, &mut arguments)?;
    let (position, ids) = window.cut(&all)?;
    let mut told = json!({
        "accountId": acting.account().text(),
        "queryState": state::emails(congvu_mail::state(snapshot, acting.account())?),
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

/// `Mailbox/queryChanges`: nothing when nothing changed; else the list is short enough to be asked anew.
pub(crate) fn query_changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let since = arguments.needed_text("sinceQueryState")?;
    let state = state::emails(congvu_mail::state(snapshot, acting.account())?);
    list(&Tree::read(snapshot, &acting)?, &mut arguments)?;
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
