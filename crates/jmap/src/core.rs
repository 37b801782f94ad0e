//! `Core/echo` (RFC 8620 §4) and `Blob/copy` (§6.3).

use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs,
    capabilities::MAX_SET,
    dispatch::{Acts, Answer, Caller, Context, Failure, Outcome},
    error::{MethodError, SetError},
    ids::Id,
};
use congvu_directory::right;
use congvu_storage::{PreparedBlob, Snapshot};
use congvu_types::{AccountId, Error};
use serde_json::{Map, Value, json};

/// `Core/echo`: the arguments again.
pub(crate) fn echo(_: &Snapshot, _: &Caller, arguments: Arguments) -> Outcome {
    Ok(Value::Object(arguments.into_map()))
}

/// `Blob/copy`
pub(crate) fn copy_blobs(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(copy(context, arguments))
}

async fn copy(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let from: AccountId = arguments.account_id("fromAccountId").map_err(|e| of_source(e.into()))?;
    let into: AccountId = arguments.account_id("accountId")?;
    let ids = arguments.texts("blobIds")?.ok_or_else(|| MethodError::arguments("blobIds is needed"))?;
    if ids.len() > MAX_SET {
        return Err("requestTooLarge".into());
    }
    let (caller, language) = (context.caller.clone(), context.caller.language);
    // Who may not write there copies nothing.
    context.read(move |s| caller.acting::<right::Draft>(s, into).map(drop)).await?;
    let (mut copied, mut not_copied) = (Map::new(), Map::new());
    for text in ids {
        let (caller, id) = (context.caller.clone(), BlobId::read(&text));
        let found = context
            .read(move |s| match id {
                Some(id) => Ok(blobs::find(s, &caller, from, &id)?.map(|found| (id, found))),
                None => Ok(None),
            })
            .await
            .map_err(of_source)?;
        let cut = found.as_ref().and_then(|(id, found)| Some((id, found, id.cut(&found.raw)?)));
        let Some((id, found, bytes)) = cut else {
            not_copied.insert(text, SetError::new("blobNotFound").to_value());
            continue;
        };
        let blob = PreparedBlob::new(&bytes)?;
        blobs::record(&context.app, &context.caller, from, found.shown(id)).await?;
        context.app.options.db.stage_blob(&blob).await?;
        let (caller, new) = (context.caller.clone(), BlobId::whole(blob.hash()).text());
        let kept = context.write(move |tx| {
            let acting = caller.acting::<right::Draft>(tx, into)?;
            Ok(congvu_mail::keep_upload(tx, &acting, &blob)?)
        });
        match kept.await {
            Ok(()) => drop(copied.insert(text, new.into())),
            Err(Failure::Core(Error::Refused(refusal))) => {
                not_copied.insert(text, SetError::of(&refusal, language).to_value());
            }
            Err(other) => return Err(other),
        }
    }
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    Ok(json!({
        "fromAccountId": from.text(),
        "accountId": into.text(),
        "copied": or_null(copied),
        "notCopied": or_null(not_copied),
    })
    .into())
}

/// The account that is copied from has errors of its own (RFC 8620 §5.4).
pub(crate) fn of_source(failure: Failure) -> Failure {
    match failure {
        Failure::Method(error) if error.kind == "accountNotFound" => "fromAccountNotFound".into(),
        Failure::Method(error) if error.kind == "accountNotSupportedByMethod" => {
            "fromAccountNotSupportedByMethod".into()
        }
        other => other,
    }
}
