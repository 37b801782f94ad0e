//! `Mailbox/get` (RFC 8621 §2.1).

use super::{PROPERTIES, Tree, show};
use crate::{
    arguments::{Arguments, pick},
    capabilities::MAX_GET,
    dispatch::{Caller, Outcome},
    ids::Id,
    state,
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Mailboxes that are shown when all are asked for.
const MOST_MAILBOXES: usize = 2_500;

/// `Mailbox/get`
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let ids = arguments.ids(MAX_GET)?;
    let properties = arguments.properties(&PROPERTIES)?;
    let tree = Tree::read(snapshot, &acting)?;
    let shown = |row| pick(show(&tree, &acting, row), properties.as_deref());
    let (mut list, mut not_found) = (Vec::<Value>::new(), Vec::new());
    match ids {
        None => list.extend(tree.rows.iter().take(MOST_MAILBOXES).map(shown)),
        Some(ids) => {
            let by_id: HashMap<String, _> = tree.rows.iter().map(|row| (row.id.text(), row)).collect();
            for id in ids {
                match by_id.get(&id) {
                    Some(row) => list.push(shown(row)),
                    None => not_found.push(id),
                }
            }
        }
    }
    let state = state::emails(congvu_mail::state(snapshot, acting.account())?);
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}
