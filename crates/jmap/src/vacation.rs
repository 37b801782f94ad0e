//! The automatic answer (RFC 8621 §8): one object an account, `singleton`.

use crate::{
    arguments::{Arguments, pick},
    capabilities::{MAX_GET, MAX_SET},
    dispatch::{Acts, Answer, Caller, Context, Failure, Outcome},
    error::SetError,
    ids::Id,
};
use congvu_directory::{act_for, right};
use congvu_storage::Snapshot;
use congvu_transport::{
    outgoing_states,
    vacation::{Vacation, set_vacation, vacation},
};
use congvu_types::{AccountId, Error, Timestamp};
use serde_json::{Map, Value, json};

const SINGLETON: &str = "singleton";
const PROPERTIES: [&str; 7] = ["id", "isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"];

/// `VacationResponse/get` (RFC 8621 §8.1)
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = arguments.ids(MAX_GET)?;
    let properties = arguments.properties(&PROPERTIES)?;
    let found = vacation(snapshot, &acting)?;
    let shown = json!({
        "id": SINGLETON,
        "isEnabled": found.is_enabled,
        "fromDate": found.from.map(Timestamp::rfc3339),
        "toDate": found.to.map(Timestamp::rfc3339),
        "subject": found.subject,
        "textBody": found.text,
        "htmlBody": found.html,
    });
    let Value::Object(shown) = shown else { return Err("serverFail".into()) };
    let is_asked = asked.as_ref().is_none_or(|asked| asked.iter().any(|id| id == SINGLETON));
    let list = if is_asked { vec![pick(shown, properties.as_deref())] } else { Vec::new() };
    let not_found: Vec<String> = asked.into_iter().flatten().filter(|id| id != SINGLETON).collect();
    let state = outgoing_states(snapshot, acting.account())?.vacation.to_string();
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}

/// `VacationResponse/set` (RFC 8621 §8.2)
pub(crate) fn set(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn state(context: &Context, account: AccountId) -> Outcome<String> {
    let caller = context.caller.clone();
    let read = move |s: &Snapshot| {
        caller.acting::<right::Read>(s, account)?;
        Ok(outgoing_states(s, account)?.vacation.to_string())
    };
    context.read(read).await
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let if_in_state = arguments.state("ifInState")?;
    let create = arguments.object("create")?.unwrap_or_default();
    let update = arguments.object("update")?.unwrap_or_default();
    let destroy = arguments.texts("destroy")?.unwrap_or_default();
    if create.len() + update.len() + destroy.len() > MAX_SET {
        return Err("requestTooLarge".into());
    }
    let old_state = state(context, account).await?;
    if if_in_state.is_some_and(|wanted| wanted != old_state) {
        return Err("stateMismatch".into());
    }
    // RFC 8620 §5.3: there is one object, which comes and goes with the account.
    let singleton = || SetError::new("singleton").to_value();
    let not_created: Map<String, Value> =
        create.into_iter().map(|(creation, _)| (creation, singleton())).collect();
    let not_destroyed: Map<String, Value> = destroy.into_iter().map(|id| (id, singleton())).collect();
    let (mut updated, mut not_updated) = (Map::new(), Map::new());
    for (id, patch) in update {
        let outcome = match id.as_str() {
            SINGLETON => change(context, account, &patch).await?,
            _ => Err(SetError::new("notFound")),
        };
        match outcome {
            Ok(()) => drop(updated.insert(id, Value::Null)),
            Err(error) => drop(not_updated.insert(id, error.to_value())),
        }
    }
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    Ok(json!({
        "accountId": account.text(),
        "oldState": old_state,
        "newState": state(context, account).await?,
        "created": null,
        "updated": or_null(updated),
        "destroyed": null,
        "notCreated": or_null(not_created),
        "notUpdated": or_null(not_updated),
        "notDestroyed": or_null(not_destroyed),
    })
    .into())
}

/// Changes the settings, for who manages the account; an account under review does not answer by itself (S9.1, Điều 9).
async fn change(context: &Context, account: AccountId, patch: &Value) -> Outcome<Result<(), SetError>> {
    let patch = patch.as_object().cloned().unwrap_or_default();
    let (who, language) = (context.caller.who.clone(), context.caller.language);
    let done = context.write(move |tx| {
        let acting = act_for::<right::Manage>(tx, &who, account)?;
        let Some(reading) = acting.with::<right::Read>() else { return Err("forbidden".into()) };
        let mut to = vacation(tx, &reading)?;
        if let Err(error) = apply(&mut to, &patch) {
            return Ok(Err(error));
        }
        set_vacation(tx, &acting, &to)?;
        Ok(Ok(()))
    });
    match done.await {
        Ok(outcome) => Ok(outcome),
        Err(Failure::Core(Error::Refused(refusal))) => {
            let names: Vec<&str> = refusal
                .params
                .iter()
                .filter(|(name, _)| *name == "key")
                .map(|(_, key)| key.as_str())
                .collect();
            Ok(Err(match names.is_empty() {
                true => SetError::of(&refusal, language),
                false => SetError::properties(names, refusal.sentence(language)),
            }))
        }
        Err(other) => Err(other),
    }
}

fn apply(to: &mut Vacation, patch: &Map<String, Value>) -> Result<(), SetError> {
    for (name, value) in patch {
        let wrong = || SetError::properties([name.as_str()], "this property cannot be set so");
        let text = || match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(wrong()),
        };
        let date = || match text()? {
            None => Ok(None),
            Some(text) => match text.parse::<jiff::Timestamp>() {
                Ok(at) => Ok(Some(Timestamp(at.as_millisecond()))),
                Err(_) => Err(wrong()),
            },
        };
        match name.as_str() {
            "isEnabled" => to.is_enabled = value.as_bool().ok_or_else(wrong)?,
            "fromDate" => to.from = date()?,
            "toDate" => to.to = date()?,
            "subject" => to.subject = text()?,
            "textBody" => to.text = text()?,
            "htmlBody" => to.html = text()?,
            "id" if value == SINGLETON => {}
            _ => return Err(wrong()),
        }
    }
    Ok(())
}
