//! `EmailSubmission/set` (RFC 8621 §7.5): sending, taking back, and what is done with the message when that went well.

use super::{envelope, show};
use crate::{
    arguments::{Arguments, pick},
    capabilities::MAX_SET,
    dispatch::{Acts, Answer, Caller, Context, Failure, Outcome, created},
    error::{MethodError, SetError},
    ids::Id,
    methods::{self, Run},
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_transport::{
    Envelope, MAX_RECIPIENTS, outgoing_states,
    submission::{self, Hold, NewSubmission, Submission},
};
use congvu_types::{
    AccountId, EmailAddress, EmailId, Error, IdentityId, Language, Refusal, RefusalKind, SubmissionId,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// `EmailSubmission/set`
pub(crate) fn set(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

/// What a client asks.
struct Asked {
    account: AccountId,
    create: Map<String, Value>,
    update: Map<String, Value>,
    destroy: Vec<String>,
    /// Changes of the message, by submission or `#creation`.
    on_success_update: Map<String, Value>,
    on_success_destroy: Vec<String>,
}

fn take(arguments: &mut Arguments) -> Outcome<Asked> {
    let asked = Asked {
        account: arguments.account_id("accountId")?,
        create: arguments.object("create")?.unwrap_or_default(),
        update: arguments.object("update")?.unwrap_or_default(),
        destroy: arguments.texts("destroy")?.unwrap_or_default(),
        on_success_update: arguments.object("onSuccessUpdateEmail")?.unwrap_or_default(),
        on_success_destroy: arguments.texts("onSuccessDestroyEmail")?.unwrap_or_default(),
    };
    let count = asked.create.len() + asked.update.len() + asked.destroy.len();
    let on_success = asked.on_success_update.len() + asked.on_success_destroy.len();
    if count > MAX_SET || on_success > MAX_SET {
        return Err("requestTooLarge".into());
    }
    Ok(asked)
}

/// What came of it.
#[derive(Default)]
struct Came {
    created: Map<String, Value>,
    updated: Map<String, Value>,
    destroyed: Vec<String>,
    not_created: Map<String, Value>,
    not_updated: Map<String, Value>,
    not_destroyed: Map<String, Value>,
    /// The message of each submission that went well, by its id and by `#creation`.
    emails: HashMap<String, EmailId>,
}

async fn state(context: &Context, account: AccountId) -> Outcome<String> {
    let caller = context.caller.clone();
    let read = move |s: &Snapshot| {
        caller.acting::<right::Read>(s, account)?;
        Ok(outgoing_states(s, account)?.submission.to_string())
    };
    context.read(read).await
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let if_in_state = arguments.state("ifInState")?;
    let asked = take(&mut arguments)?;
    let old_state = state(context, asked.account).await?;
    if if_in_state.is_some_and(|wanted| wanted != old_state) {
        return Err("stateMismatch".into());
    }
    let mut came = Came::default();
    create_all(context, &asked, &mut came).await?;
    update_all(context, &asked, &mut came).await?;
    destroy_all(context, &asked, &mut came).await?;
    let own = json!({
        "accountId": asked.account.text(),
        "oldState": old_state,
        "newState": state(context, asked.account).await?,
        "created": or_null(came.created),
        "updated": or_null(came.updated),
        "destroyed": if came.destroyed.is_empty() { Value::Null } else { came.destroyed.into() },
        "notCreated": or_null(came.not_created),
        "notUpdated": or_null(came.not_updated),
        "notDestroyed": or_null(came.not_destroyed),
    });
    let further = on_success(context, &asked, &came.emails).await?;
    Ok(Answer { own, further })
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

/// A refusal of one object is that object's; a fault is everybody's.
fn of_one<T>(outcome: Outcome<T>, word: impl FnOnce(&Refusal) -> SetError) -> Outcome<Result<T, SetError>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Core(Error::Refused(refusal))) => Ok(Err(word(&refusal))),
        Err(other) => Err(other),
    }
}

async fn create_all(context: &mut Context, asked: &Asked, came: &mut Came) -> Outcome<()> {
    for (creation, object) in &asked.create {
        match create(context, asked.account, object).await? {
            Ok(made) => {
                came.emails.insert(made.id.text(), made.email);
                came.emails.insert(format!("#{creation}"), made.email);
                context.remember(creation, made.id.text());
                let set_by_us = [
                    "id",
                    "threadId",
                    "envelope",
                    "sendAt",
                    "undoStatus",
                    "deliveryStatus",
                    "dsnBlobIds",
                    "mdnBlobIds",
                    "review",
                    "refusedBecause",
                ];
                let told = pick(show(&made), Some(&set_by_us.map(str::to_owned)));
                came.created.insert(creation.clone(), told);
            }
            Err(error) => drop(came.not_created.insert(creation.clone(), error.to_value())),
        }
    }
    Ok(())
}

/// What an object of `create` says.
struct Object {
    identity: IdentityId,
    email: EmailId,
    envelope: Option<Envelope>,
    hold: Hold,
}

fn read_object(object: &Value, known: &HashMap<String, String>) -> Result<Object, SetError> {
    let Some(object) = object.as_object() else {
        return Err(SetError::because("invalidProperties", "a submission is an object"));
    };
    // RFC 8620 §5.3: what only the server sets, or nobody knows.
    let allowed = ["identityId", "emailId", "envelope"];
    let extra: Vec<&str> = object.keys().map(String::as_str).filter(|name| !allowed.contains(name)).collect();
    if !extra.is_empty() {
        return Err(SetError::properties(extra, "these properties cannot be set"));
    }
    let id = |name: &str| object.get(name).and_then(Value::as_str).and_then(|id| created(id, known));
    let identity = id("identityId").and_then(IdentityId::read);
    let email = id("emailId").and_then(EmailId::read);
    let identity =
        identity.ok_or_else(|| SetError::properties(["identityId"], "there is no such identity"))?;
    let email = email.ok_or_else(|| SetError::properties(["emailId"], "there is no such message"))?;
    let asked = match object.get("envelope") {
        None | Some(Value::Null) => return Ok(Object { identity, email, envelope: None, hold: Hold::None }),
        Some(given) => envelope::read(given).map_err(|wrong| match wrong {
            envelope::Wrong::Shape(why) => SetError::properties(["envelope"], why),
            envelope::Wrong::Recipients(all) => {
                SetError::new("invalidRecipients").with("invalidRecipients", all)
            }
        })?,
    };
    Ok(Object { identity, email, envelope: Some(asked.envelope), hold: asked.hold })
}

async fn create(
    context: &mut Context,
    account: AccountId,
    object: &Value,
) -> Outcome<Result<Submission, SetError>> {
    let object = match read_object(object, &context.created) {
        Ok(object) => object,
        Err(error) => return Ok(Err(error)),
    };
    let most = context.app.options.max_message_bytes;
    let language = context.caller.language;
    let unique = congvu_net::random_token().map_err(|e| Error::fault("making an id", e))?;
    let (caller, host) = (context.caller.clone(), context.app.options.hostname.clone());
    let prepared = context.read(move |s| prepare(s, &caller, account, object, (most, &unique, &host))).await;
    let new = match of_one(prepared, |refusal| worded(refusal, &[], most, language))? {
        Ok(Some(new)) => new,
        Ok(None) => return Ok(Err(SetError::properties(["emailId"], "there is no such message"))),
        Err(error) => return Ok(Err(error)),
    };
    context.app.options.db.stage_blob(&new.draft.message().blob).await?;
    let named: Vec<EmailAddress> = new.draft.fields().all().cloned().collect();
    let (site, who) = (context.app.options.site.clone(), context.caller.who.clone());
    let made = context.write(move |tx| Ok(submission::create(tx, &site, &who, &new)?)).await;
    of_one(made, |refusal| worded(refusal, &named, most, language))
}

/// Reads the bytes of this moment and makes what is to leave of them; `None` when there is no such message.
fn prepare(
    snapshot: &Snapshot,
    caller: &Caller,
    account: AccountId,
    object: Object,
    (most, unique, host): (usize, &str, &str),
) -> Outcome<Option<NewSubmission>> {
    let acting = caller.acting::<right::Read>(snapshot, account)?;
    let Some(row) = congvu_mail::emails(snapshot, &acting, &[object.email])?.pop() else { return Ok(None) };
    caller.take_room(usize::try_from(row.size).unwrap_or(usize::MAX))?;
    let raw = snapshot.blob(&row.blob)?;
    let envelope = match object.envelope {
        Some(envelope) => envelope,
        None => submission::default_envelope(&raw)?,
    };
    let draft = submission::prepare(&raw, envelope, most, (snapshot.now(), unique, host))?;
    let Object { email, identity, hold, .. } = object;
    Ok(Some(NewSubmission { account, email, thread: row.thread, identity, hold, draft }))
}

/// RFC 8621 §7.5: the errors that sending has of its own. `named` are the addresses that the header names as senders.
fn worded(refusal: &Refusal, named: &[EmailAddress], most: usize, language: Language) -> SetError {
    let of_kind = |kind| {
        let error = SetError::because(kind, refusal.sentence(language));
        match refusal.citation.as_deref() {
            Some(found) => error.with("citation", super::citation(found)),
            None => error,
        }
    };
    let params = |wanted: &str| {
        let all = refusal.params.iter().filter(|(name, _)| *name == wanted);
        all.map(|(_, value)| value.clone()).collect::<Vec<String>>()
    };
    match refusal.kind {
        RefusalKind::NoRight => of_kind("forbiddenToSend"),
        RefusalKind::SenderNotAllowed => {
            let refused: Option<EmailAddress> = params("address").first().and_then(|a| a.parse().ok());
            let is_in_header = refused.is_some_and(|refused| named.contains(&refused));
            of_kind(if is_in_header { "forbiddenFrom" } else { "forbiddenMailFrom" })
        }
        RefusalKind::SeveralSenders => of_kind("forbiddenFrom"),
        RefusalKind::UnknownRecipient | RefusalKind::UnofficialDomain => {
            of_kind("invalidRecipients").with("invalidRecipients", params("address"))
        }
        RefusalKind::NoRecipients => of_kind("noRecipients"),
        RefusalKind::TooMany => of_kind("tooManyRecipients").with("maxRecipients", MAX_RECIPIENTS),
        RefusalKind::TooLarge => of_kind("tooLarge").with("maxSize", most),
        RefusalKind::InvalidMessage | RefusalKind::TooManyParts => {
            of_kind("invalidEmail").with("properties", Vec::<String>::new())
        }
        RefusalKind::InvalidValue => of_kind("invalidProperties").with("properties", params("key")),
        _ => SetError::of(refusal, language),
    }
}

async fn update_all(context: &mut Context, asked: &Asked, came: &mut Came) -> Outcome<()> {
    for (text, patch) in &asked.update {
        let id = created(text, &context.created).and_then(SubmissionId::read);
        let outcome = match id {
            None => Err(SetError::new("notFound")),
            Some(id) => update(context, asked.account, id, patch).await?,
        };
        match outcome {
            Ok(changed) => {
                came.emails.insert(text.clone(), changed.email);
                came.emails.insert(changed.id.text(), changed.email);
                came.updated.insert(text.clone(), Value::Null);
            }
            Err(error) => drop(came.not_updated.insert(text.clone(), error.to_value())),
        }
    }
    Ok(())
}

/// RFC 8621 §7.5: nothing but `undoStatus` changes, and it only to `canceled`.
async fn update(
    context: &Context,
    account: AccountId,
    id: SubmissionId,
    patch: &Value,
) -> Outcome<Result<Submission, SetError>> {
    let patch = patch.as_object();
    let others: Vec<&str> = patch.into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let is_cancel = patch.is_some_and(|p| p.len() == 1 && p.get("undoStatus") == Some(&"canceled".into()));
    if !is_cancel {
        return Ok(Err(SetError::properties(others, "undoStatus may become canceled, and nothing else")));
    }
    let (who, language) = (context.caller.who.clone(), context.caller.language);
    let taken = context.write(move |tx| Ok(submission::cancel(tx, &who, account, id)?)).await;
    of_one(taken, |refusal| match refusal.kind {
        RefusalKind::AlreadyDecided => SetError::because("cannotUnsend", refusal.sentence(language)),
        _ => SetError::of(refusal, language),
    })
}

async fn destroy_all(context: &mut Context, asked: &Asked, came: &mut Came) -> Outcome<()> {
    for text in &asked.destroy {
        let Some(id) = created(text, &context.created).and_then(SubmissionId::read) else {
            came.not_destroyed.insert(text.clone(), SetError::new("notFound").to_value());
            continue;
        };
        let (who, account, language) = (context.caller.who.clone(), asked.account, context.caller.language);
        let gone = context.write(move |tx| Ok(submission::destroy(tx, &who, account, id)?)).await;
        match of_one(gone, |refusal| SetError::of(refusal, language))? {
            Ok(email) => {
                came.emails.insert(text.clone(), email);
                came.destroyed.push(id.text());
            }
            Err(error) => drop(came.not_destroyed.insert(text.clone(), error.to_value())),
        }
    }
    Ok(())
}

/// RFC 8621 §7.5: one `Email/set` for the messages of what went well, answered after this method's own response.
async fn on_success(
    context: &mut Context,
    asked: &Asked,
    emails: &HashMap<String, EmailId>,
) -> Outcome<Vec<(&'static str, Value)>> {
    let mut update = Map::new();
    for (submission, patch) in &asked.on_success_update {
        if let Some(email) = emails.get(submission) {
            update.insert(email.text(), patch.clone());
        }
    }
    let destroy = asked.on_success_destroy.iter().filter_map(|submission| emails.get(submission));
    let destroy: Vec<String> = destroy.map(|email| email.text()).collect();
    // What is destroyed is not changed before.
    update.retain(|email, _| !destroy.contains(email));
    let method = methods::ALL.iter().find(|method| method.name == "Email/set");
    let Some(Run::Acts(email_set)) = method.map(|method| method.run) else { return Ok(Vec::new()) };
    if update.is_empty() && destroy.is_empty() {
        return Ok(Vec::new());
    }
    let arguments = json!({ "accountId": asked.account.text(), "update": update, "destroy": destroy });
    let Value::Object(arguments) = arguments else { return Ok(Vec::new()) };
    let language = context.caller.language;
    // What was sent was sent: that the message cannot be changed is said in the second response alone.
    Ok(match email_set(context, Arguments::new(arguments)).await {
        Ok(answer) => vec![("Email/set", answer.own)],
        Err(Failure::Method(error)) => vec![("error", error.to_value())],
        Err(Failure::Core(error)) => vec![("error", MethodError::of(&error, language).to_value())],
    })
}
