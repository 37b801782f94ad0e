//! `Email/import` (RFC 8621 §4.8): whole messages from blobs.

use super::{filing::Filing, set};
use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs,
    capabilities::MAX_SET,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::{MethodError, SetError},
    set::{Done, begin, objects},
    state,
};
use congvu_directory::right;
use congvu_message::headers;
use congvu_storage::Tx;
use congvu_types::AccountId;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// `Email/import`
pub(crate) fn import(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let if_in_state = arguments.state("ifInState")?;
    let emails = objects(&mut arguments, "emails")?;
    if emails.is_empty() {
        return Err(MethodError::arguments("emails is needed").into());
    }
    if emails.len() > MAX_SET {
        return Err("requestTooLarge".into());
    }
    let caller = context.caller.clone();
    context.read(move |s| caller.acting::<right::Draft>(s, account).map(drop)).await?;
    let mut news = Vec::with_capacity(emails.len());
    for (name, object) in emails {
        news.push((name, prepare(context, account, object).await?));
    }
    let (caller, made) = (context.caller.clone(), context.created.clone());
    let done =
        context.write(move |tx| apply(tx, &caller, account, if_in_state.as_ref(), &news, &made)).await?;
    for (name, id) in done.new_ids() {
        context.remember(name, id.to_owned());
    }
    let response = done.response(account);
    let kept = ["accountId", "oldState", "newState", "created", "notCreated"];
    let kept = kept.map(|name| (name.to_owned(), response.get(name).cloned().unwrap_or_default()));
    Ok(json!(Map::from_iter(kept)).into())
}

async fn prepare(
    context: &Context,
    account: AccountId,
    mut object: Map<String, Value>,
) -> Outcome<Result<set::New, SetError>> {
    let filing = match Filing::take(&mut object) {
        Ok(filing) => filing,
        Err(error) => return Ok(Err(error)),
    };
    let Some(Value::String(text)) = object.remove("blobId") else {
        return Ok(Err(SetError::properties(["blobId"], "a message is imported from a blob")));
    };
    if let Some(name) = object.keys().next() {
        return Ok(Err(SetError::properties([name.as_str()], "this cannot be set")));
    }
    let (caller, id) = (context.caller.clone(), BlobId::read(&text));
    let found = context.read(move |s| {
        let Some(id) = id else { return Ok(None) };
        let Some(found) = blobs::find(s, &caller, account, &id)? else { return Ok(None) };
        Ok(id.cut(&found.raw).map(|raw| (raw.into_owned(), found.shown(&id))))
    });
    let Some((raw, shown)) = found.await? else {
        return Ok(Err(SetError::new("blobNotFound").with("notFound", vec![text])));
    };
    let most = context.app.options.max_message_bytes;
    if raw.len() > most {
        return Ok(Err(SetError::new("tooLarge").with("maxSize", most)));
    }
    if headers::fields(&raw).next().is_none() {
        return Ok(Err(SetError::because("invalidEmail", "this is no message")));
    }
    blobs::record(&context.app, &context.caller, account, shown).await?;
    // Lines end with CRLF alone (RFC 5322 §2.3), as in everything that we store.
    let message = set::ready(context, headers::to_crlf(&raw)).await?;
    Ok(Ok(set::New { filing, message }))
}

fn apply(
    tx: &mut Tx,
    caller: &Caller,
    account: AccountId,
    if_in_state: Option<&String>,
    news: &set::News,
    made: &HashMap<String, String>,
) -> Outcome<Done> {
    let acting = caller.acting::<right::Draft>(tx, account)?;
    let mut done = Done { old_state: begin(tx, &acting, if_in_state)?, ..Done::default() };
    for (name, new) in news {
        let filed = match new {
            Ok(new) => set::file(tx, &acting, new, made, caller.language)?,
            Err(error) => Err(error.clone()),
        };
        match filed {
            Ok(told) => drop(done.created.insert(name.clone(), told)),
            Err(error) => done.refuse_creation(name, &error),
        }
    }
    done.new_state = state::emails(congvu_mail::state(tx, account)?);
    Ok(done)
}
