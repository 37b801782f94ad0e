//! `Email/copy` (RFC 8621 §4.7): emails of another account, over the same bytes. Who takes a message out of a shared account
//! has read it (S3.1b, Điều 3).

use super::{
    filing::{Filing, Marks},
    set as setting,
};
use crate::{
    arguments::Arguments,
    blob_id::BlobId,
    capabilities::MAX_SET,
    core::of_source,
    dispatch::{Acts, Answer, Caller, Context, Failure, Outcome},
    error::{MethodError, SetError},
    ids::Id,
    set::{Done, Objects, begin, known, objects, refused},
    state,
};
use congvu_directory::{Acting, right};
use congvu_mail::{EmailRow, FlagChange, FlagOperation};
use congvu_storage::Tx;
use congvu_types::{AccountId, EmailId, Language, MailboxId, RefusalKind};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Refusals of a copy that leave nothing half done.
const ORDINARY: [RefusalKind; 3] = [RefusalKind::NotFound, RefusalKind::NoRight, RefusalKind::OverQuota];

/// What a client asks.
#[derive(Debug, Clone)]
struct Asked {
    from: AccountId,
    into: AccountId,
    if_from_in_state: Option<String>,
    if_in_state: Option<String>,
    create: Objects,
    destroys_originals: bool,
    destroy_from_if_in_state: Option<String>,
}

/// `Email/copy`
pub(crate) fn copy(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

fn asked(arguments: &mut Arguments) -> Outcome<Asked> {
    let asked = Asked {
        from: arguments.account_id("fromAccountId").map_err(|e| of_source(e.into()))?,
        into: arguments.account_id("accountId")?,
        if_from_in_state: arguments.state("ifFromInState")?,
        if_in_state: arguments.state("ifInState")?,
        create: objects(arguments, "create")?,
        destroys_originals: arguments.flag("onSuccessDestroyOriginal")?,
        destroy_from_if_in_state: arguments.state("destroyFromIfInState")?,
    };
    if asked.from == asked.into {
        return Err(MethodError::arguments("the accounts are two").into());
    }
    if asked.create.len() > MAX_SET {
        return Err("requestTooLarge".into());
    }
    Ok(asked)
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let asked = asked(&mut arguments)?;
    let (caller, made, wanted) = (context.caller.clone(), context.created.clone(), asked.clone());
    let (done, originals) = context.write(move |tx| apply(tx, &caller, &wanted, &made)).await?;
    for (name, id) in done.new_ids() {
        context.remember(name, id.to_owned());
    }
    let response = done.response(asked.into);
    let kept = ["accountId", "oldState", "newState", "created", "notCreated"];
    let mut told =
        Map::from_iter(kept.map(|name| (name.to_owned(), response.get(name).cloned().unwrap_or_default())));
    told.insert("fromAccountId".to_owned(), asked.from.text().into());
    let mut answer = Answer::from(Value::Object(told));
    if asked.destroys_originals && !originals.is_empty() {
        // RFC 8620 §5.4: an implicit call after it.
        let mut destroy = Map::new();
        destroy.insert("accountId".to_owned(), asked.from.text().into());
        destroy.insert("destroy".to_owned(), originals.into());
        if let Some(seen) = asked.destroy_from_if_in_state {
            destroy.insert("ifInState".to_owned(), seen.into());
        }
        let further = match setting::set(context, Arguments::new(destroy)).await {
            Ok(further) => ("Email/set", further.own),
            Err(Failure::Method(error)) => ("error", error.to_value()),
            Err(Failure::Core(error)) => {
                ("error", MethodError::of(&error, context.caller.language).to_value())
            }
        };
        answer.further.push(further);
    }
    Ok(answer)
}

fn apply(
    tx: &mut Tx,
    caller: &Caller,
    asked: &Asked,
    made: &HashMap<String, String>,
) -> Outcome<(Done, Vec<String>)> {
    let into = caller.acting::<right::Draft>(tx, asked.into)?;
    let from = caller.acting::<right::Read>(tx, asked.from).map_err(of_source)?;
    let old_state = begin(tx, &into, asked.if_in_state.as_ref())?;
    let source = state::emails(congvu_mail::state(tx, asked.from)?);
    if asked.if_from_in_state.as_ref().is_some_and(|seen| *seen != source) {
        return Err("stateMismatch".into());
    }
    let mut done = Done { old_state, ..Done::default() };
    let mut originals = Vec::new();
    for (name, object) in &asked.create {
        match one(tx, (&from, &into), object, made, caller.language)? {
            Ok((original, told)) => {
                originals.push(original.text());
                done.created.insert(name.clone(), told);
            }
            Err(error) => done.refuse_creation(name, &error),
        }
    }
    done.new_state = state::emails(congvu_mail::state(tx, asked.into)?);
    Ok((done, originals))
}

type Each<T> = Outcome<Result<T, SetError>>;

fn one(
    tx: &mut Tx,
    (from, into): (&Acting<right::Read>, &Acting<right::Draft>),
    object: &Map<String, Value>,
    made: &HashMap<String, String>,
    language: Language,
) -> Each<(EmailId, Value)> {
    let mut object = object.clone();
    let has_keywords = object.get("keywords").is_some_and(|k| !k.is_null());
    let id = match object.remove("id") {
        Some(Value::String(id)) => id,
        _ => return Ok(Err(SetError::properties(["id"], "the id of an email of the other account"))),
    };
    let filing = match Filing::take(&mut object) {
        Ok(filing) => filing,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(name) = object.keys().next() {
        return Ok(Err(SetError::properties([name.as_str()], "this cannot be set")));
    }
    let ids: Vec<EmailId> = EmailId::read(&id).into_iter().collect();
    let Some(row) = congvu_mail::emails(tx, from, &ids)?.pop() else {
        return Ok(Err(SetError::new("notFound")));
    };
    // A copy keeps the date on which the message came.
    if filing.received_at.is_some_and(|at| at.seconds() != row.received_at.seconds()) {
        return Ok(Err(SetError::properties(["receivedAt"], "a copy keeps its date")));
    }
    let marks = if has_keywords { filing.marks } else { marks_of(tx, from, &row)? };
    if !setting::has_room_for(tx, into.account(), &marks.keywords)? {
        return Ok(Err(SetError::new("tooManyKeywords")));
    }
    let no_mailbox = || SetError::properties(["mailboxIds"], "there is no such mailbox");
    let Some(mailbox) = known::<MailboxId>(&filing.mailbox, made) else { return Ok(Err(no_mailbox())) };
    // Asked before the store counts the copy in.
    match refused(congvu_mail::mailbox(tx, into.account(), mailbox), &ORDINARY, language)? {
        Ok(row) if row.role.is_review() => return Ok(Err(SetError::new("forbidden"))),
        Ok(_) => {}
        Err(_) => return Ok(Err(no_mailbox())),
    }
    let copied = congvu_mail::copy_messages(tx, (from, row.mailbox), (into, mailbox), &[row.uid]);
    let copied = match refused(copied, &[RefusalKind::OverQuota], language)? {
        Ok(copied) => copied,
        Err(error) => return Ok(Err(error)),
    };
    let (_, uid) = copied.uids.first().copied().ok_or(RefusalKind::NotFound)?;
    mark(tx, into, mailbox, uid, &row, &marks)?;
    let new = congvu_mail::message(tx, into.account(), mailbox, uid)?.ok_or(RefusalKind::NotFound)?;
    let told = json!({
        "id": new.email.text(),
        "blobId": BlobId::whole(new.blob).text(),
        "threadId": new.thread.text(),
        "size": new.size,
    });
    Ok(Ok((row.id, told)))
}

/// The keywords of the original.
fn marks_of(tx: &Tx, from: &Acting<right::Read>, row: &EmailRow) -> Outcome<Marks> {
    let names = congvu_mail::keywords(tx, from.account())?;
    Ok(Marks::of(row.flags, &names))
}

/// Gives a copy, which has the flags of its original, its own.
fn mark(
    tx: &mut Tx,
    into: &Acting<right::Draft>,
    mailbox: MailboxId,
    uid: congvu_types::Uid,
    row: &EmailRow,
    marks: &Marks,
) -> Outcome<()> {
    let add = FlagChange {
        operation: FlagOperation::Add,
        flags: marks.flags,
        keywords: marks.keywords.clone(),
        unchanged_since: None,
    };
    let remove = FlagChange {
        operation: FlagOperation::Remove,
        flags: row.flags.system().without(marks.flags),
        keywords: Vec::new(),
        unchanged_since: None,
    };
    for change in [add, remove] {
        congvu_mail::store_flags(tx, into, mailbox, &[uid], &change)?;
    }
    Ok(())
}
