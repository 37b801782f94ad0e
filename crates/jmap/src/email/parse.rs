//! `Email/parse` (RFC 8621 §4.9): messages that lie in blobs, such as a message within a message.

use super::{render, wanted::Wanted};
use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs,
    dispatch::{Acts, Answer, Context, Outcome},
    error::MethodError,
    ids::Id,
};
use congvu_casework::review::Parts;
use congvu_message::{Envelope, headers, parse_structure, summarize};
use congvu_types::AccountId;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Messages of one call.
const MOST_BLOBS: usize = 50;

/// `Email/parse`
pub(crate) fn parse(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let ids = arguments.texts("blobIds")?.ok_or_else(|| MethodError::arguments("blobIds is needed"))?;
    if ids.len() > MOST_BLOBS {
        return Err("requestTooLarge".into());
    }
    let wanted = Arc::new(Wanted::take(&mut arguments, true)?);
    let caller = context.caller.clone();
    // The account is asked for even when there is nothing to parse.
    context.read(move |s| caller.acting::<congvu_directory::right::Read>(s, account).map(drop)).await?;
    let (mut parsed, mut not_parsable, mut not_found) = (Map::new(), Vec::new(), Vec::new());
    for text in ids {
        let Some(id) = BlobId::read(&text) else {
            not_found.push(text);
            continue;
        };
        let (caller, wanted) = (context.caller.clone(), wanted.clone());
        let found = context.read(move |snapshot| {
            let Some(found) = blobs::find(snapshot, &caller, account, &id)? else { return Ok(None) };
            let Some(raw) = id.cut(&found.raw) else { return Ok(None) };
            let Some((email, is_whole)) = show(&raw, &id, &wanted) else { return Ok(Some(None)) };
            // Of a message within, the part that it is was opened.
            let mut shown = found.shown(&id);
            if !is_whole {
                shown.iter_mut().for_each(|(_, parts)| *parts = Parts::default());
            }
            Ok(Some(Some((email, if wanted.shows_text() { shown } else { Vec::new() }))))
        });
        match found.await? {
            None => not_found.push(text),
            Some(None) => not_parsable.push(text),
            Some(Some((email, shown))) => {
                blobs::record(&context.app, &context.caller, account, shown).await?;
                parsed.insert(text, email);
            }
        }
    }
    let or_null = |list: Vec<String>| if list.is_empty() { Value::Null } else { list.into() };
    let parsed = if parsed.is_empty() { Value::Null } else { Value::Object(parsed) };
    Ok(json!({
        "accountId": account.text(),
        "parsed": parsed,
        "notParsable": or_null(not_parsable),
        "notFound": or_null(not_found),
    })
    .into())
}

/// Shows a message from its bytes, and whether the whole of it was shown; `None` when it is none.
fn show(raw: &[u8], id: &BlobId, wanted: &Wanted) -> Option<(Value, bool)> {
    headers::fields(raw).next()?;
    let root = parse_structure(raw);
    let mut email = Map::new();
    for name in &wanted.properties {
        let value = match name.as_str() {
            "blobId" => id.text().into(),
            "size" => raw.len().into(),
            "hasAttachment" | "preview" => continue,
            known if super::wanted::METADATA.contains(&known) => Value::Null,
            _ => continue,
        };
        email.insert(name.clone(), value);
    }
    if wanted.has("hasAttachment") || wanted.has("preview") {
        let summary = summarize(raw);
        if wanted.has("hasAttachment") {
            email.insert("hasAttachment".to_owned(), summary.has_attachment.into());
        }
        if wanted.has("preview") {
            email.insert("preview".to_owned(), summary.preview.into());
        }
    }
    render::envelope(&mut email, &Envelope::read(raw), wanted);
    let places = render::content(&mut email, (raw, &root), id, wanted);
    let is_whole = Parts::within(raw, &root, &places) == Parts::all(&root);
    Some((Value::Object(email), is_whole))
}
