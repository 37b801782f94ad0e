//! Upload and download (RFC 8620 §6.1, §6.2). What is downloaded is never a page: an attachment, in a sandbox, of no type
//! that a browser would run.

use crate::{
    app::App,
    blob_id::BlobId,
    blobs,
    dispatch::{Caller, Failure},
    error::MethodError,
    http::collect,
    ids::Id,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_directory::{Acting, SignedIn, act_for, right};
use congvu_storage::{Actor, PreparedBlob};
use congvu_types::{AccountId, Error, Language};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

/// RFC 8187 §3.2.1: what stands unescaped in a file name.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters of a file name.
const LONGEST_NAME: usize = 200;
/// Characters of a media type.
const LONGEST_TYPE: usize = 200;

/// Takes bytes for a day (RFC 8620 §6.1).
pub(crate) async fn upload(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(language): Extension<Language>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let word = |error: Error| Problem::from_error(&error, language);
    let account = AccountId::read(&account)
        .ok_or_else(|| Problem::plain(StatusCode::NOT_FOUND, "there is no such account"))?;
    let _held = app.uploads.enter(who.person()).ok_or_else(|| Problem::limit("maxConcurrentUpload"))?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.filter(|k| is_type(k)).unwrap_or("application/octet-stream").to_owned();
    // Who may not write there need not send it all.
    let asked = who.clone();
    app.options.db.read_quick(move |s| may_upload(s, &asked, account)).await.map_err(word)?;
    let mut share = app.memory.begin();
    let bytes = collect(body, app.options.max_message_bytes, &mut share, "maxSizeUpload").await?;
    let size = bytes.len();
    let blob = tokio::task::spawn_blocking(move || PreparedBlob::new(&bytes));
    let blob = blob.await.map_err(|e| word(Error::fault("preparing an upload", e)))?.map_err(word)?;
    app.options.db.stage_blob(&blob).await.map_err(word)?;
    let id = BlobId::whole(blob.hash());
    let kept = app.options.db.write(Actor::Person(who.person()), move |tx| {
        may_upload(tx, &who, account)?;
        match act_for::<right::Draft>(tx, &who, account) {
            Ok(acting) => congvu_mail::keep_upload(tx, &acting, &blob),
            Err(_) => congvu_mail::keep_upload(tx, &sending(tx, &who, account)?, &blob),
        }
    });
    kept.await.map_err(word)?;
    let told = json!({ "accountId": account.text(), "blobId": id.text(), "type": kind, "size": size });
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

fn sending(
    snapshot: &congvu_storage::Snapshot,
    who: &SignedIn,
    account: AccountId,
) -> congvu_types::Result<Acting<right::Submit>> {
    act_for::<right::Submit>(snapshot, who, account)
}

/// Whoever writes drafts or sends may upload.
fn may_upload(
    snapshot: &congvu_storage::Snapshot,
    who: &SignedIn,
    account: AccountId,
) -> congvu_types::Result<()> {
    match act_for::<right::Draft>(snapshot, who, account) {
        Ok(_) => Ok(()),
        Err(_) => sending(snapshot, who, account).map(drop),
    }
}

fn is_type(text: &str) -> bool {
    text.len() <= LONGEST_TYPE && text.contains('/') && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

/// What a download is wanted as.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    accept: String,
}

/// Gives bytes out (RFC 8620 §6.2).
pub(crate) async fn download(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(language): Extension<Language>,
    Path((account, blob, name)): Path<(String, String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let none = || Problem::plain(StatusCode::NOT_FOUND, "there is no such blob in this account");
    let account = AccountId::read(&account).ok_or_else(none)?;
    let id = BlobId::read(&blob).ok_or_else(none)?;
    let _held = app.requests.enter(who.person()).ok_or_else(|| Problem::limit("maxConcurrentRequests"))?;
    let caller = Caller::new(who, language);
    let mut share = app.memory.begin();
    let (asked, looked) = (caller.clone(), id.clone());
    let sized = app.options.db.read_quick(move |s| Ok(blobs::source(s, &asked, account, &looked)));
    let sized = sized.await.map_err(|e| Problem::from_error(&e, language))?;
    let size = sized.map_err(|e| worded(e, language))?.ok_or_else(none)?.size;
    if !share.cover(usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(2)) {
        return Err(Problem::plain(StatusCode::SERVICE_UNAVAILABLE, "too much is under way"));
    }
    let (asked, looked) = (caller.clone(), id.clone());
    let found = app.options.db.read(move |s| Ok(blobs::find(s, &asked, account, &looked)));
    let found = found.await.map_err(|e| Problem::from_error(&e, language))?;
    let found = found.map_err(|e| worded(e, language))?.ok_or_else(none)?;
    let bytes = id.cut(&found.raw).ok_or_else(none)?.into_owned();
    let recorded = blobs::record(&app, &caller, account, found.shown(&id)).await;
    recorded.map_err(|e| Problem::from_error(&e, language))?;
    Ok(as_download(bytes, &name, &wanted.accept))
}

fn worded(failure: Failure, language: Language) -> Problem {
    match failure {
        Failure::Core(error) => Problem::from_error(&error, language),
        Failure::Method(MethodError { kind, .. }) => Problem::plain(StatusCode::NOT_FOUND, kind),
    }
}

fn as_download(bytes: Vec<u8>, name: &str, wanted: &str) -> Response {
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let disposition = format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(&name, NAME));
    let plain = HeaderValue::from_static("attachment");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(harmless(wanted))),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).unwrap_or(plain)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        // Mail of an agency is nobody's to keep.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, bytes).into_response()
}

/// The type that is wanted, when nothing comes of it but pictures, sound and text. RFC 8620 §6.2 says to give any type that is
/// asked for: a script or a page from our own address would be ours, so what runs is bytes.
fn harmless(wanted: &str) -> &'static str {
    const SHOWN: [&str; 16] = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/bmp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/mp4",
        "video/mp4",
        "video/webm",
        "application/pdf",
        "application/zip",
        "message/rfc822",
        "text/calendar",
    ];
    let kind = wanted.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/plain" => "text/plain; charset=utf-8",
        "text/csv" => "text/csv; charset=utf-8",
        other => SHOWN.into_iter().find(|known| *known == other).unwrap_or("application/octet-stream"),
    }
}
