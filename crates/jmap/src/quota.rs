//! Quotas (RFC 9425): one for the bytes of an account, where it has a limit (S8.1, Điều 8).

use crate::{
    arguments::{Arguments, pick},
    capabilities::MAX_GET,
    dispatch::{Caller, Outcome},
    error::MethodError,
    filter::{self, Filter},
    ids::Id,
    window::Window,
};
use congvu_directory::{Acting, account_quota, right};
use congvu_storage::Snapshot;
use serde_json::{Map, Value, json};

/// The one quota's id.
const ID: &str = "q1";
const PROPERTIES: [&str; 10] = [
    "id",
    "resourceType",
    "used",
    "hardLimit",
    "scope",
    "name",
    "types",
    "warnLimit",
    "softLimit",
    "description",
];

/// The quota, and the state that stands for it; none where the account has no limit.
fn read(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Outcome<(Option<Map<String, Value>>, String)> {
    let limit = account_quota(snapshot, acting.account())?;
    let used = congvu_mail::usage(snapshot, acting.account())?.bytes;
    let state = limit.map_or_else(|| "none".to_owned(), |limit| format!("{used}-{limit}"));
    let quota = limit.map(|limit| {
        json!({
            "id": ID,
            "resourceType": "octets",
            "used": used,
            "hardLimit": limit,
            "warnLimit": limit / 10 * 9,
            "softLimit": null,
            "scope": "account",
            "name": acting.address().to_string(),
            "description": null,
            "types": ["Mail"],
        })
    });
    let quota = quota.and_then(|quota| if let Value::Object(quota) = quota { Some(quota) } else { None });
    Ok((quota, state))
}

/// `Quota/get` (RFC 9425 §4.2)
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let ids = arguments.ids(MAX_GET)?;
    let properties = arguments.properties(&PROPERTIES)?;
    let (quota, state) = read(snapshot, &acting)?;
    let is_asked = ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id == ID));
    let has = quota.is_some();
    let list: Vec<Value> =
        quota.filter(|_| is_asked).map(|quota| pick(quota, properties.as_deref())).into_iter().collect();
    let not_found: Vec<String> =
        ids.unwrap_or_default().into_iter().filter(|id| !(has && id == ID)).collect();
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}

/// `Quota/changes` (RFC 9425 §4.3): from a state to the present one.
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let since = arguments.needed_text("sinceState")?;
    let (_, state) = read(snapshot, &acting)?;
    let is_ours = |text: &str| {
        text == "none"
            || text
                .split_once('-')
                .is_some_and(|(used, limit)| used.parse::<u64>().is_ok() && limit.parse::<u64>().is_ok())
    };
    if !is_ours(&since) {
        return Err("cannotCalculateChanges".into());
    }
    let (had, has) = (since != "none", state != "none");
    let one = |is: bool| if is { vec![ID] } else { Vec::new() };
    let changed = since != state;
    let limit = |text: &str| text.split_once('-').map(|(_, limit)| limit.to_owned());
    let only_used = changed && had && has && limit(&since) == limit(&state);
    Ok(json!({
        "accountId": acting.account().text(),
        "oldState": since,
        "newState": state,
        "hasMoreChanges": false,
        "created": one(changed && !had && has),
        "updated": one(changed && had && has),
        "destroyed": one(changed && had && !has),
        "updatedProperties": if only_used { json!(["used"]) } else { Value::Null },
    }))
}

/// One condition on a quota.
#[derive(Debug)]
enum Condition {
    Is(bool),
    Name(String),
}

fn condition(given: Map<String, Value>) -> Outcome<Filter<Condition>> {
    let mut all = Vec::new();
    for (name, value) in given {
        let text = value
            .as_str()
            .ok_or_else(|| MethodError::arguments(format!("the filter's {name} is a string")))?;
        all.push(Filter::One(match name.as_str() {
            "name" => Condition::Name(text.to_lowercase()),
            "scope" => Condition::Is(text == "account"),
            "resourceType" => Condition::Is(text == "octets"),
            "type" => Condition::Is(text == "Mail"),
            _ => return Err("unsupportedFilter".into()),
        }));
    }
    Ok(Filter::And(all))
}

/// `Quota/query` (RFC 9425 §4.4)
pub(crate) fn query(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let window = Window::take(&mut arguments)?;
    let filter = filter::read(arguments.object("filter")?, &mut condition)?;
    let sort = filter::sort(arguments.take("sort"))?;
    if sort.iter().any(|s| !["name", "used"].contains(&s.property.as_str())) {
        return Err("unsupportedSort".into());
    }
    let (quota, state) = read(snapshot, &acting)?;
    let address = acting.address().to_string();
    let fits = |condition: &Condition| match condition {
        Condition::Is(is) => *is,
        Condition::Name(part) => address.contains(part),
    };
    let all: Vec<String> = quota.filter(|_| filter.holds(&fits)).map(|_| ID.to_owned()).into_iter().collect();
    let (position, ids) = window.cut(&all)?;
    let mut told = json!({
        "accountId": acting.account().text(),
        "queryState": state,
        "canCalculateChanges": false,
        "position": position,
        "ids": ids,
    });
    if let (Value::Object(told), true) = (&mut told, window.wants_total) {
        told.insert("total".to_owned(), all.len().into());
    }
    Ok(told)
}
