//! As whom an account writes (RFC 8621 §6): `Identity/get`, `/changes`, `/set`.

use crate::{
    arguments::{Arguments, pick},
    capabilities::{MAX_GET, MAX_SET},
    dispatch::{Acts, Answer, Caller, Context, Failure, Outcome, created},
    error::SetError,
    ids::Id,
    outgoing,
};
use congvu_directory::right;
use congvu_storage::{Snapshot, Tx};
use congvu_transport::{
    identity::{
        Identity, IdentityChange, NamedAddress, change_identity, create_identity, destroy_identity,
        identities, identity_changes,
    },
    outgoing_states,
};
use congvu_types::{AccountId, EmailAddress, Error, IdentityId, Language, Refusal, RefusalKind};
use serde_json::{Map, Value, json};

const PROPERTIES: [&str; 8] =
    ["id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete"];

fn addresses(list: Option<&Vec<NamedAddress>>) -> Value {
    let shown = list.map(|list| list.iter().map(|a| json!({ "name": a.name, "email": a.email })));
    shown.map_or(Value::Null, |shown| shown.collect::<Vec<_>>().into())
}

fn show(identity: &Identity) -> Map<String, Value> {
    let shown = json!({
        "id": identity.id.text(),
        "name": identity.name,
        "email": identity.email,
        "replyTo": addresses(identity.reply_to.as_ref()),
        "bcc": addresses(identity.bcc.as_ref()),
        "textSignature": identity.text_signature,
        "htmlSignature": identity.html_signature,
        "mayDelete": identity.may_delete,
    });
    if let Value::Object(shown) = shown { shown } else { Map::new() }
}

/// `Identity/get` (RFC 8621 §6.1)
pub(crate) fn get(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = arguments.ids(MAX_GET)?;
    let properties = arguments.properties(&PROPERTIES)?;
    let all = identities(snapshot, &acting)?;
    let is_asked = |id: &str| asked.as_ref().is_none_or(|asked| asked.iter().any(|a| a == id));
    let shown = all.iter().filter(|identity| is_asked(&identity.id.text()));
    let list: Vec<Value> = shown.map(|identity| pick(show(identity), properties.as_deref())).collect();
    let is_there = |id: &String| all.iter().any(|identity| identity.id.text() == *id);
    let not_found: Vec<&String> = asked.iter().flatten().filter(|id| !is_there(id)).collect();
    let state = outgoing_states(snapshot, acting.account())?.identity.to_string();
    Ok(json!({ "accountId": acting.account().text(), "state": state, "list": list, "notFound": not_found }))
}

/// `Identity/changes` (RFC 8621 §6.2)
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = outgoing::asked(&mut arguments)?;
    let changes = identity_changes(snapshot, &acting, asked.since, asked.most)?;
    outgoing::told(acting.account(), &asked, changes)
}

/// `Identity/set` (RFC 8621 §6.3)
pub(crate) fn set(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn state(context: &Context, account: AccountId) -> Outcome<String> {
    let caller = context.caller.clone();
    let read = move |s: &Snapshot| {
        caller.acting::<right::Read>(s, account)?;
        Ok(outgoing_states(s, account)?.identity.to_string())
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
    let (mut made, mut not_made) = (Map::new(), Map::new());
    for (creation, object) in create {
        match make(context, account, &object).await? {
            Ok(identity) => {
                context.remember(&creation, identity.id.text());
                made.insert(creation, Value::Object(show(&identity)));
            }
            Err(error) => drop(not_made.insert(creation, error.to_value())),
        }
    }
    let (mut changed, mut not_changed) = (Map::new(), Map::new());
    for (text, patch) in update {
        match change(context, account, &text, &patch).await? {
            Ok(()) => drop(changed.insert(text, Value::Null)),
            Err(error) => drop(not_changed.insert(text, error.to_value())),
        }
    }
    let (mut gone, mut not_gone) = (Vec::new(), Map::new());
    for text in destroy {
        match remove(context, account, &text).await? {
            Ok(()) => gone.push(text),
            Err(error) => drop(not_gone.insert(text, error.to_value())),
        }
    }
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    Ok(json!({
        "accountId": account.text(),
        "oldState": old_state,
        "newState": state(context, account).await?,
        "created": or_null(made),
        "updated": or_null(changed),
        "destroyed": if gone.is_empty() { Value::Null } else { gone.into() },
        "notCreated": or_null(not_made),
        "notUpdated": or_null(not_changed),
        "notDestroyed": or_null(not_gone),
    })
    .into())
}

/// RFC 8621 §6.3: the address must be one that may be written from (`forbiddenFrom`).
fn worded(refusal: &Refusal, language: Language) -> SetError {
    match refusal.kind {
        RefusalKind::SenderNotAllowed => SetError::because("forbiddenFrom", refusal.sentence(language)),
        RefusalKind::InvalidValue => {
            let names =
                refusal.params.iter().filter(|(name, _)| *name == "key").map(|(_, value)| value.as_str());
            SetError::properties(names, refusal.sentence(language))
        }
        _ => SetError::of(refusal, language),
    }
}

/// Does something to one identity, for who manages the account.
async fn one<T: Send + 'static>(
    context: &Context,
    account: AccountId,
    mut f: impl FnMut(&mut Tx, &congvu_directory::Acting<right::Manage>) -> congvu_types::Result<T>
    + Send
    + 'static,
) -> Outcome<Result<T, SetError>> {
    let (who, language) = (context.caller.who.clone(), context.caller.language);
    let done = context.write(move |tx| {
        let acting = congvu_directory::act_for::<right::Manage>(tx, &who, account)?;
        Ok(f(tx, &acting)?)
    });
    match done.await {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Core(Error::Refused(refusal))) => Ok(Err(worded(&refusal, language))),
        Err(other) => Err(other),
    }
}

async fn make(context: &Context, account: AccountId, object: &Value) -> Outcome<Result<Identity, SetError>> {
    let mut object = object.as_object().cloned().unwrap_or_default();
    let email = object.remove("email");
    let email = email.as_ref().and_then(Value::as_str).and_then(|text| text.parse::<EmailAddress>().ok());
    let Some(email) = email else {
        return Ok(Err(SetError::properties(["email"], "an identity has an address")));
    };
    let change = match read(object) {
        Ok(change) => change,
        Err(error) => return Ok(Err(error)),
    };
    one(context, account, move |tx, acting| create_identity(tx, acting, &email, change.clone())).await
}

async fn change(
    context: &Context,
    account: AccountId,
    text: &str,
    patch: &Value,
) -> Outcome<Result<(), SetError>> {
    let Some(id) = created(text, &context.created).and_then(IdentityId::read) else {
        return Ok(Err(SetError::new("notFound")));
    };
    let change = match read(patch.as_object().cloned().unwrap_or_default()) {
        Ok(change) => change,
        Err(error) => return Ok(Err(error)),
    };
    one(context, account, move |tx, acting| change_identity(tx, acting, id, change.clone()).map(drop)).await
}

async fn remove(context: &Context, account: AccountId, text: &str) -> Outcome<Result<(), SetError>> {
    let Some(id) = created(text, &context.created).and_then(IdentityId::read) else {
        return Ok(Err(SetError::new("notFound")));
    };
    one(context, account, move |tx, acting| destroy_identity(tx, acting, id)).await
}

/// Reads what is to change. Patches go to whole properties: none of them is an object (RFC 8620 §5.3).
fn read(object: Map<String, Value>) -> Result<IdentityChange, SetError> {
    let mut change = IdentityChange::default();
    for (name, value) in object {
        let wrong = || SetError::properties([name.as_str()], "this property cannot be set so");
        match (name.as_str(), value) {
            ("name", Value::String(text)) => change.name = Some(text),
            ("textSignature", Value::String(text)) => change.text_signature = Some(text),
            ("htmlSignature", Value::String(text)) => change.html_signature = Some(text),
            // RFC 8620 §5.3: null is the default.
            ("name", Value::Null) => change.name = Some(String::new()),
            ("textSignature", Value::Null) => change.text_signature = Some(String::new()),
            ("htmlSignature", Value::Null) => change.html_signature = Some(String::new()),
            ("replyTo", value) => change.reply_to = Some(read_addresses(value).ok_or_else(wrong)?),
            ("bcc", value) => change.bcc = Some(read_addresses(value).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
    }
    Ok(change)
}

/// `None` when it is no list of addresses, and no null.
fn read_addresses(value: Value) -> Option<Option<Vec<NamedAddress>>> {
    match value {
        Value::Null => Some(None),
        list @ Value::Array(_) => serde_json::from_value(list).ok().map(Some),
        _ => None,
    }
}
