//! `EmailView/get` (docs/jmap.md): an email made ready to be shown, so that a page never handles what a stranger wrote. HTML is
//! without scripts and loads nothing; pictures that the message brings are within it; attachments are what their bytes say.

use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs::{self, Shown},
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    email::Structure,
    error::MethodError,
    ids::Id,
};
use congvu_casework::review::Parts;
use congvu_directory::right;
use congvu_mail::EmailRow;
use congvu_message::{
    InlineImages, Part, Remote, attached, attachments, html_body, parse_structure, safe_html_with, text_body,
    text_parts,
};
use congvu_storage::Snapshot;
use congvu_types::{AccountId, EmailId};
use serde_json::{Value, json};

/// Emails of one call.
const MOST_EMAILS: usize = 50;
/// Bytes of HTML that are made ready, and of text that is shown; the message itself can be downloaded.
const LONGEST: usize = 2 * 1024 * 1024;

/// `EmailView/get`
pub(crate) fn get(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

struct Found {
    list: Vec<Value>,
    not_found: Vec<String>,
    state: String,
    shown: Shown,
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let ids = arguments.ids(MOST_EMAILS)?.ok_or_else(|| MethodError::arguments("ids is needed"))?;
    let remote = if arguments.flag("allowRemote")? { Remote::Shown } else { Remote::Blocked };
    let caller = context.caller.clone();
    let found = context.read(move |s| find(s, &caller, account, ids, remote)).await?;
    blobs::record(&context.app, &context.caller, account, found.shown).await?;
    Ok(json!({
        "accountId": account.text(),
        "state": found.state,
        "list": found.list,
        "notFound": found.not_found,
    })
    .into())
}

fn find(
    snapshot: &Snapshot,
    caller: &Caller,
    account: AccountId,
    ids: Vec<String>,
    remote: Remote,
) -> Outcome<Found> {
    let acting = caller.acting::<right::Read>(snapshot, account)?;
    let state = crate::state::emails(congvu_mail::state(snapshot, account)?);
    let mut found = Found { list: Vec::new(), not_found: Vec::new(), state, shown: Vec::new() };
    let known: Vec<EmailId> = ids.iter().filter_map(|id| EmailId::read(id)).collect();
    let mut rows = congvu_mail::emails(snapshot, &acting, &known)?.into_iter().peekable();
    for id in ids {
        match rows.next_if(|row| row.id.text() == id) {
            Some(row) => {
                caller.take_room(usize::try_from(row.size).unwrap_or(usize::MAX))?;
                let raw = snapshot.blob(&row.blob)?;
                let (view, parts) = show(&row, &raw, remote);
                found.list.push(view);
                found.shown.push((row.id, parts));
            }
            None => found.not_found.push(id),
        }
    }
    Ok(found)
}

/// A beginning of a text.
fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Makes an email ready; says too which of its parts that shows.
fn show(row: &EmailRow, raw: &[u8], remote: Remote) -> (Value, Parts) {
    let root = parse_structure(raw);
    let text = text_body(raw, &root);
    let markup = html_body(raw, &root);
    let html = markup.as_ref().map(|m| safe_html_with(cut(m), &InlineImages::of(raw, &root), remote));
    let pictures = html.as_ref().map(|h| h.pictures.clone()).unwrap_or_default();
    let is_text_cut = text.len() > LONGEST;
    let is_html_cut = markup.as_ref().is_some_and(|m| m.len() > LONGEST);
    let mut shown = Parts::attachments(pictures.iter().copied());
    if html.is_some() && !is_html_cut {
        shown.add(&Parts::html(raw, &root));
    }
    if !is_text_cut {
        shown.add(&Parts::plain(raw, &root));
    }
    let has_plain = text_parts(&root).iter().any(|part| part.subtype == "plain");
    let view = json!({
        "id": row.id.text(),
        "html": html.as_ref().map(|h| h.html.as_str()),
        "hadRemote": html.as_ref().is_some_and(|h| h.has_remote_content),
        "text": cut(&text),
        "textIsFromHtml": !has_plain && markup.is_some(),
        "isTruncated": is_text_cut || is_html_cut,
        "attachments": attached_views(row, raw, &root, &pictures),
    });
    (view, shown)
}

fn attached_views(row: &EmailRow, raw: &[u8], root: &Part, pictures: &[usize]) -> Vec<Value> {
    let id = BlobId::whole(row.blob);
    let structure = Structure::of(root);
    let all = attachments(raw, root).into_iter().zip(attached(root)).enumerate();
    all.map(|(place, (found, part))| {
        json!({
            "partId": structure.part_id(part),
            "blobId": id.part(part).map(|id| id.text()),
            "name": found.name,
            "type": found.detected_type.unwrap_or(&found.declared_type),
            "declaredType": found.declared_type,
            "detectedType": found.detected_type,
            "size": found.content.len(),
            "cid": found.content_id,
            "isDangerous": found.is_dangerous,
            "isShown": pictures.contains(&place),
        })
    })
    .collect()
}
