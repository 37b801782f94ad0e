//! Blobs by method (RFC 9404): small ones without an upload of their own, pieces of blobs, and what holds one.

use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs,
    capabilities::{MAX_GET, MAX_SET},
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::{MethodError, SetError},
    ids::Id,
    set::{Done, objects},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use congvu_directory::right;
use congvu_storage::{PreparedBlob, Snapshot};
use congvu_types::{AccountId, Error, RefusalKind};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::collections::HashMap;

/// Bytes of one blob that is uploaded so, and of all that one `Blob/get` gives.
pub(crate) const MAX_DATA: usize = 8 * 1024 * 1024;
/// Sources of one blob.
pub(crate) const MAX_SOURCES: usize = 64;
/// Digests that are made.
pub(crate) const DIGESTS: [&str; 2] = ["sha-256", "sha-512"];
/// Types that `Blob/lookup` knows.
pub(crate) const TYPES: [&str; 3] = ["Email", "Mailbox", "Thread"];

/// Takes the bytes from `offset` on, as many as `length` says; `None` when there are not so many.
fn range(bytes: &[u8], offset: u64, length: Option<u64>) -> (&[u8], bool) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let rest = bytes.get(start..).unwrap_or_default();
    let length = length.map_or(rest.len(), |l| usize::try_from(l).unwrap_or(usize::MAX));
    let is_short = offset > bytes.len() as u64 || length > rest.len();
    (rest.get(..length.min(rest.len())).unwrap_or_default(), is_short)
}

/// `Blob/upload` (RFC 9404 §4.1)
pub(crate) fn upload(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run_upload(context, arguments))
}

async fn run_upload(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let create = objects(&mut arguments, "create")?;
    if create.len() > MAX_SET {
        return Err("requestTooLarge".into());
    }
    let caller = context.caller.clone();
    context.read(move |s| caller.acting::<right::Draft>(s, account).map(drop)).await?;
    let mut done = Done::default();
    for (name, object) in create {
        match one_upload(context, account, object).await? {
            Ok((id, told)) => {
                context.remember(&name, id);
                done.created.insert(name, told);
            }
            Err(error) => done.refuse_creation(&name, &error),
        }
    }
    let map = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    Ok(json!({
        "accountId": account.text(),
        "created": map(done.created),
        "notCreated": map(done.not_created),
    })
    .into())
}

type Each<T> = Outcome<Result<T, SetError>>;

async fn one_upload(
    context: &Context,
    account: AccountId,
    object: Map<String, Value>,
) -> Each<(String, Value)> {
    let wrong = |what: &str| SetError::properties(["data"], what.to_owned());
    let Some(Value::Array(sources)) = object.get("data") else {
        return Ok(Err(wrong("data is a list of sources")));
    };
    if sources.is_empty() || sources.len() > MAX_SOURCES {
        return Ok(Err(wrong("too few sources, or too many")));
    }
    let kind = object.get("type").and_then(Value::as_str).map(|k| k.chars().take(200).collect::<String>());
    let mut bytes = Vec::new();
    for source in sources {
        let piece = match source_of(context, account, source).await? {
            Ok(piece) => piece,
            Err(error) => return Ok(Err(error)),
        };
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_DATA {
            return Ok(Err(SetError::new("tooLarge").with("maxSize", MAX_DATA)));
        }
    }
    let (blob, size, caller) = (PreparedBlob::new(&bytes)?, bytes.len(), context.caller.clone());
    context.app.options.db.stage_blob(&blob).await?;
    let id = BlobId::whole(blob.hash()).text();
    let language = caller.language;
    let kept = context.write(move |tx| {
        let acting = caller.acting::<right::Draft>(tx, account)?;
        Ok(congvu_mail::keep_upload(tx, &acting, &blob)?)
    });
    match kept.await {
        Ok(()) => Ok(Ok((id.clone(), json!({ "id": id, "type": kind, "size": size })))),
        Err(crate::dispatch::Failure::Core(Error::Refused(refusal)))
            if refusal.kind == RefusalKind::TooMany =>
        {
            Ok(Err(SetError::of(&refusal, language)))
        }
        Err(other) => Err(other),
    }
}

/// The bytes of one source: text, base64, or a piece of another blob.
async fn source_of(context: &Context, account: AccountId, source: &Value) -> Each<Vec<u8>> {
    let wrong = |what: &str| SetError::properties(["data"], what.to_owned());
    let text = |name: &str| source.get(name).and_then(Value::as_str);
    match (text("data:asText"), text("data:asBase64"), text("blobId")) {
        (Some(text), None, None) => Ok(Ok(text.as_bytes().to_vec())),
        (None, Some(encoded), None) => {
            Ok(BASE64_STANDARD.decode(encoded).map_err(|_| wrong("this is no base64")))
        }
        (None, None, Some(id)) => {
            let number = |name: &str| match source.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong("offset and length are numbers")),
            };
            let (offset, length) = match (number("offset"), number("length")) {
                (Ok(offset), Ok(length)) => (offset.unwrap_or(0), length),
                (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
            };
            let missing = || SetError::new("blobNotFound").with("notFound", vec![id.to_owned()]);
            let id = crate::dispatch::created(id, &context.created).and_then(BlobId::read);
            let Some(bytes) = fetch(context, account, id).await? else { return Ok(Err(missing())) };
            match range(&bytes, offset, length) {
                (_, true) => Ok(Err(wrong("the blob is not so long"))),
                (piece, false) => Ok(Ok(piece.to_vec())),
            }
        }
        _ => Ok(Err(wrong("a source is data:asText, data:asBase64 or blobId"))),
    }
}

/// The bytes of a blob that the person may have; that they had them is recorded.
async fn fetch(context: &Context, account: AccountId, id: Option<BlobId>) -> Outcome<Option<Vec<u8>>> {
    let Some(id) = id else { return Ok(None) };
    let caller = context.caller.clone();
    let found = context.read(move |s| {
        let found = blobs::find(s, &caller, account, &id)?;
        Ok(found.and_then(|found| Some((id.cut(&found.raw)?.into_owned(), found.shown(&id)))))
    });
    let Some((bytes, shown)) = found.await? else { return Ok(None) };
    blobs::record(&context.app, &context.caller, account, shown).await?;
    Ok(Some(bytes))
}

/// `Blob/get` (RFC 9404 §4.2)
pub(crate) fn get(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run_get(context, arguments))
}

async fn run_get(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let ids = arguments.ids(MAX_GET)?.ok_or("requestTooLarge")?;
    let asked = arguments.texts("properties")?.unwrap_or_else(|| vec!["data".to_owned(), "size".to_owned()]);
    let is_known = |name: &String| {
        ["data", "data:asText", "data:asBase64", "size", "id"].contains(&name.as_str())
            || name.strip_prefix("digest:").is_some_and(|digest| DIGESTS.contains(&digest))
    };
    if let Some(unknown) = asked.iter().find(|name| !is_known(name)) {
        return Err(MethodError::arguments(format!("there is no property {unknown:.100}")).into());
    }
    let (offset, length) = (arguments.unsigned("offset")?.unwrap_or(0), arguments.unsigned("length")?);
    let (mut list, mut not_found, mut room) = (Vec::new(), Vec::new(), MAX_DATA);
    for text in ids {
        let Some(bytes) = fetch(context, account, BlobId::read(&text)).await? else {
            not_found.push(text);
            continue;
        };
        let (piece, is_short) = range(&bytes, offset, length);
        room = room.checked_sub(piece.len()).ok_or("requestTooLarge")?;
        list.push(shown(&text, piece, is_short, bytes.len(), &asked));
    }
    Ok(json!({ "accountId": account.text(), "list": list, "notFound": not_found }).into())
}

fn shown(id: &str, piece: &[u8], is_short: bool, size: usize, asked: &[String]) -> Value {
    let mut blob = Map::from_iter([("id".to_owned(), id.into())]);
    let text = std::str::from_utf8(piece).ok();
    for name in asked {
        match (name.as_str(), text) {
            ("data" | "data:asText", Some(text)) => drop(blob.insert("data:asText".to_owned(), text.into())),
            ("data:asText", None) => {
                blob.insert("data:asText".to_owned(), Value::Null);
                blob.insert("isEncodingProblem".to_owned(), true.into());
            }
            ("data" | "data:asBase64", _) => {
                blob.insert("data:asBase64".to_owned(), BASE64_STANDARD.encode(piece).into());
            }
            ("size", _) => drop(blob.insert("size".to_owned(), size.into())),
            ("digest:sha-256", _) => {
                blob.insert(name.clone(), BASE64_STANDARD.encode(Sha256::digest(piece)).into());
            }
            ("digest:sha-512", _) => {
                blob.insert(name.clone(), BASE64_STANDARD.encode(Sha512::digest(piece)).into());
            }
            _ => {}
        }
    }
    if is_short {
        blob.insert("isTruncated".to_owned(), true.into());
    }
    Value::Object(blob)
}

/// `Blob/lookup` (RFC 9404 §4.3)
pub(crate) fn lookup(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let ids = arguments.texts("ids")?.ok_or_else(|| MethodError::arguments("ids is needed"))?;
    let types = arguments.texts("typeNames")?.ok_or_else(|| MethodError::arguments("typeNames is needed"))?;
    if ids.len() > MAX_GET || types.len() > TYPES.len() {
        return Err("requestTooLarge".into());
    }
    if types.iter().any(|name| !TYPES.contains(&name.as_str())) {
        return Err("unknownDataType".into());
    }
    let (mut list, mut not_found) = (Vec::new(), Vec::new());
    for text in ids {
        let Some(id) = BlobId::read(&text) else {
            not_found.push(text);
            continue;
        };
        let holders = congvu_mail::holders(snapshot, &acting, id.hash())?;
        let emails: Vec<_> = holders.into_iter().map(|(email, _)| email).collect();
        let rows = congvu_mail::emails(snapshot, &acting, &emails)?;
        if rows.is_empty() && congvu_mail::upload(snapshot, &acting, id.hash())?.is_none() {
            not_found.push(text);
            continue;
        }
        let mut matched: HashMap<&str, Vec<String>> = HashMap::new();
        for name in &types {
            let ids = rows.iter().map(|row| match name.as_str() {
                "Email" => row.id.text(),
                "Thread" => row.thread.text(),
                _ => row.mailbox.text(),
            });
            let mut ids: Vec<String> = ids.collect();
            ids.sort_unstable();
            ids.dedup();
            matched.insert(name, ids);
        }
        list.push(json!({ "id": text, "matchedIds": matched }));
    }
    Ok(json!({ "accountId": acting.account().text(), "list": list, "notFound": not_found }))
}
