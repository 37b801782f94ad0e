//! `Email/set` (RFC 8621 §4.6). Content never changes: who edits a draft makes a new one and destroys the old, in one call
//! with `ifInState`, so that of two editors one learns of the other.

use super::{filing::Filing, letter::Described, updating};
use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    blobs,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::SetError,
    ids::Id,
    set::{self, Changes, Done},
    state,
};
use congvu_directory::{Acting, right};
use congvu_mail::{DeliverOptions, Delivered, MAX_KEYWORDS, PreparedMessage};
use congvu_storage::Tx;
use congvu_types::{AccountId, EmailId, Language, MailboxId, RefusalKind};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Refusals of a new email that leave nothing half done.
const ORDINARY: [RefusalKind; 3] = [RefusalKind::NotFound, RefusalKind::NoRight, RefusalKind::OverQuota];

/// A new email, ready to be filed.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) filing: Filing,
    pub(crate) message: PreparedMessage,
}

/// New emails by the client's ids, or why there is none.
pub(crate) type News = Vec<(String, Result<New, SetError>)>;

/// `Email/set`
pub(crate) fn set(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let mut changes = Changes::take(&mut arguments)?;
    let caller = context.caller.clone();
    context.read(move |s| caller.acting::<right::Draft>(s, account).map(drop)).await?;
    let mut news = Vec::with_capacity(changes.create.len());
    for (name, object) in std::mem::take(&mut changes.create) {
        news.push((name, prepare(context, account, object).await?));
    }
    let (caller, made) = (context.caller.clone(), context.created.clone());
    let done = context.write(move |tx| apply(tx, &caller, account, &changes, &news, made.clone())).await?;
    for (name, id) in done.new_ids() {
        context.remember(name, id.to_owned());
    }
    Ok(done.response(account).into())
}

/// Makes the message of a new email, before the transaction.
async fn prepare(
    context: &Context,
    account: AccountId,
    mut object: Map<String, Value>,
) -> Outcome<Result<New, SetError>> {
    let filing = match Filing::take(&mut object) {
        Ok(filing) => filing,
        Err(error) => return Ok(Err(error)),
    };
    let described = match Described::read(object) {
        Ok(described) => described,
        Err(error) => return Ok(Err(error)),
    };
    let options = &context.app.options;
    let (caller, host, most) = (context.caller.clone(), options.hostname.clone(), options.max_message_bytes);
    let unique = crate::unique::text()?;
    let written = context.read(move |s| described.write(s, &caller, (account, most), &host, &unique)).await?;
    let (raw, shown) = match written {
        Ok(written) => written,
        Err(error) => return Ok(Err(error)),
    };
    blobs::record(&context.app, &context.caller, account, shown).await?;
    let message = ready(context, raw).await?;
    Ok(Ok(New { filing, message }))
}

/// Hashes, compresses and stages a message.
pub(crate) async fn ready(context: &Context, raw: Vec<u8>) -> Outcome<PreparedMessage> {
    let prepared = tokio::task::spawn_blocking(move || congvu_mail::prepare(&raw)).await;
    let message = prepared.map_err(|e| congvu_types::Error::fault("preparing a message", e))??;
    context.app.options.db.stage_blob(&message.blob).await?;
    Ok(message)
}

fn apply(
    tx: &mut Tx,
    caller: &Caller,
    account: AccountId,
    changes: &Changes,
    news: &News,
    mut made: HashMap<String, String>,
) -> Outcome<Done> {
    let acting = caller.acting::<right::Draft>(tx, account)?;
    let old_state = set::begin(tx, &acting, changes.if_in_state.as_ref())?;
    let mut done = Done { old_state, ..Done::default() };
    for (name, new) in news {
        let filed = match new {
            Ok(new) => file(tx, &acting, new, &made, caller.language)?,
            Err(error) => Err(error.clone()),
        };
        match filed {
            Ok(told) => {
                made.extend(told.get("id").and_then(Value::as_str).map(|id| (name.clone(), id.to_owned())));
                done.created.insert(name.clone(), told);
            }
            Err(error) => done.refuse_creation(name, &error),
        }
    }
    updating::update_all(tx, &acting, (&changes.update, &made), &mut done, caller.language)?;
    destroy_all(tx, &acting, (&changes.destroy, &made), &mut done, caller.language)?;
    done.new_state = state::emails(congvu_mail::state(tx, account)?);
    Ok(done)
}

/// Files a new email; returns what the client cannot know of it.
pub(crate) fn file(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    new: &New,
    made: &HashMap<String, String>,
    language: Language,
) -> Outcome<Result<Value, SetError>> {
    let no_mailbox = || SetError::properties(["mailboxIds"], "there is no such mailbox");
    let Some(mailbox) = set::known::<MailboxId>(&new.filing.mailbox, made) else {
        return Ok(Err(no_mailbox()));
    };
    let marks = &new.filing.marks;
    // Asked first: a message that was stored already cannot be refused any more.
    if !has_room_for(tx, acting.account(), &marks.keywords)? {
        return Ok(Err(SetError::new("tooManyKeywords")));
    }
    let options = DeliverOptions {
        flags: marks.flags,
        keywords: marks.keywords.clone(),
        received_at: new.filing.received_at,
        delivery_key: None,
    };
    let appended = congvu_mail::append(tx, acting, mailbox, &new.message, &options);
    let delivered = match set::refused(appended, &ORDINARY, language)? {
        Ok(delivered) => delivered,
        Err(error) if error.is("notFound") => return Ok(Err(no_mailbox())),
        Err(error) => return Ok(Err(error)),
    };
    told(tx, acting, &delivered, &new.message).map(Ok)
}

fn told(
    tx: &Tx,
    acting: &Acting<right::Draft>,
    delivered: &Delivered,
    message: &PreparedMessage,
) -> Outcome<Value> {
    let row = congvu_mail::message(tx, acting.account(), delivered.mailbox, delivered.uid)?;
    let row = row.ok_or(RefusalKind::NotFound)?;
    Ok(json!({
        "id": delivered.email.text(),
        "blobId": BlobId::whole(message.blob.hash()).text(),
        "threadId": row.thread.text(),
        "size": message.size(),
    }))
}

/// Whether the account may have these keywords too.
pub(crate) fn has_room_for(tx: &Tx, account: AccountId, keywords: &[congvu_types::Keyword]) -> Outcome<bool> {
    let known = congvu_mail::keywords(tx, account)?;
    let new = keywords.iter().filter(|keyword| !known.iter().any(|name| keyword.is(name))).count();
    Ok(known.len() + new <= MAX_KEYWORDS)
}

/// Destroys emails, those of one mailbox at once.
fn destroy_all(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    (destroy, made): (&[String], &HashMap<String, String>),
    done: &mut Done,
    language: Language,
) -> Outcome<()> {
    let named: Vec<(&String, Option<EmailId>)> =
        destroy.iter().map(|id| (id, set::known::<EmailId>(id, made))).collect();
    let ids: Vec<EmailId> = named.iter().filter_map(|(_, id)| *id).collect();
    let places = congvu_mail::email_places(tx, acting.account(), &ids)?;
    let places: HashMap<EmailId, _> = places.into_iter().map(|place| (place.id, place)).collect();
    let mut by_mailbox: BTreeMap<MailboxId, BTreeMap<u32, (&String, EmailId)>> = BTreeMap::new();
    for (text, id) in named {
        match id.and_then(|id| places.get(&id)) {
            Some(place) => {
                by_mailbox.entry(place.mailbox).or_default().insert(place.uid.0, (text, place.id));
            }
            None => done.refuse_destruction(text, &SetError::new("notFound")),
        }
    }
    for (mailbox, emails) in by_mailbox {
        let uids: Vec<congvu_types::Uid> = emails.keys().map(|uid| congvu_types::Uid(*uid)).collect();
        let gone = congvu_mail::destroy(tx, acting, mailbox, &uids);
        match set::refused(gone, &ORDINARY, language)? {
            Ok(_) => done.destroyed.extend(emails.values().map(|(_, id)| Value::from(id.text()))),
            Err(error) => emails.values().for_each(|(text, _)| done.refuse_destruction(text, &error)),
        }
    }
    Ok(())
}
