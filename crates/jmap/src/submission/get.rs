//! `EmailSubmission/get` (RFC 8621 §7.1).

use super::{PROPERTIES, show};
use crate::{
    arguments::{Arguments, pick},
    capabilities::MAX_GET,
    dispatch::{Caller, Outcome},
    ids::Id,
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_transport::{outgoing_states, submission};
use congvu_types::SubmissionId;
use serde_json::json;
use std::collections::HashMap;

/// `EmailSubmission/get`. Without ids, the newest are shown; when there are more than fit, they are to be asked for by a query.
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = arguments.ids(MAX_GET)?;
    let properties = arguments.properties(&PROPERTIES)?;
    let asked: Vec<String> = match asked {
        Some(asked) => asked,
        None => {
            let all = submission::all(snapshot, &acting, MAX_GET + 1)?;
            if all.len() > MAX_GET {
                return Err("requestTooLarge".into());
            }
            all.into_iter().map(Id::text).collect()
        }
    };
    let ids: Vec<SubmissionId> = asked.iter().filter_map(|id| SubmissionId::read(id)).collect();
    let found = submission::get(snapshot, &acting, &ids)?;
    let mut found: HashMap<SubmissionId, _> = found.into_iter().map(|f| (f.id, f)).collect();
    let (mut list, mut not_found) = (Vec::with_capacity(asked.len()), Vec::new());
    for id in asked {
        match SubmissionId::read(&id).and_then(|id| found.remove(&id)) {
            Some(found) => list.push(pick(show(&found), properties.as_deref())),
            None => not_found.push(id),
        }
    }
    let state = outgoing_states(snapshot, acting.account())?.submission.to_string();
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}
