//! `Email/get` (RFC 8621 §4.2).

use super::{render, wanted::Wanted};
use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs::{self, Shown},
    capabilities::MAX_GET,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::MethodError,
    ids::Id,
};
use congvu_casework::review::Parts;
use congvu_directory::right;
use congvu_mail::EmailRow;
use congvu_message::{decode_summary, parse_structure};
use congvu_storage::Snapshot;
use congvu_types::{AccountId, EmailId, Error};
use serde_json::{Map, Value, json};

/// `Email/get`
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
    let ids = arguments.ids(MAX_GET)?;
    // "null" would be every email there is (RFC 8621 §4.2).
    let ids = ids.ok_or_else(|| MethodError::new("requestTooLarge"))?;
    let wanted = Wanted::take(&mut arguments, false)?;
    let caller = context.caller.clone();
    let found = context.read(move |snapshot| find(snapshot, &caller, account, ids, &wanted)).await?;
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
    wanted: &Wanted,
) -> Outcome<Found> {
    let acting = caller.acting::<right::Read>(snapshot, account)?;
    let names = congvu_mail::keywords(snapshot, account)?;
    let state = crate::state::emails(congvu_mail::state(snapshot, account)?);
    let mut found = Found { list: Vec::new(), not_found: Vec::new(), state, shown: Vec::new() };
    let known: Vec<EmailId> = ids.iter().filter_map(|id| EmailId::read(id)).collect();
    let rows = congvu_mail::emails(snapshot, &acting, &known)?;
    let mut rows = rows.into_iter().peekable();
    for id in ids {
        match rows.next_if(|row| row.id.text() == id) {
            Some(row) => found.list.push(show(snapshot, caller, &row, &names, wanted, &mut found.shown)?),
            None => found.not_found.push(id),
        }
    }
    Ok(found)
}

/// Shows one email.
fn show(
    snapshot: &Snapshot,
    caller: &Caller,
    row: &EmailRow,
    names: &[String],
    wanted: &Wanted,
    shown: &mut Shown,
) -> Outcome {
    let mut email = Map::new();
    render::metadata(&mut email, row, names, wanted);
    let (envelope, _) = decode_summary(&row.summary).map_err(|e| Error::fault("reading a summary", e))?;
    render::envelope(&mut email, &envelope, wanted);
    if wanted.needs_bytes() {
        caller.take_room(usize::try_from(row.size).unwrap_or(usize::MAX))?;
        let raw = snapshot.blob(&row.blob)?;
        let root = parse_structure(&raw);
        let places = render::content(&mut email, (&raw, &root), &BlobId::whole(row.blob), wanted);
        if wanted.shows_text() {
            shown.push((row.id, Parts::within(&raw, &root, &places)));
        }
    }
    Ok(Value::Object(email))
}
