//! Runs the calls of a request one after another (RFC 8620 §3).

use crate::{
    app::App,
    arguments::Arguments,
    capabilities,
    codec::{Request, RequestError},
    error::MethodError,
    methods::{self, Run},
    reference::{self, Done, ReferenceError},
    session,
};
use congvu_directory::{Acting, Right, RightKind, SignedIn, act_for};
use congvu_storage::{Actor, Snapshot, Tx};
use congvu_types::{AccountId, Error, Language, RefusalKind};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Bytes of messages that all answers of one request may be made from.
const MOST_BYTES: usize = 128 * 1024 * 1024;
/// Ids of created objects that a request remembers.
const MOST_CREATED: usize = 20_000;

/// Why a method did nothing: its own words, or an error of the core that is still to be worded.
#[derive(Debug)]
pub(crate) enum Failure {
    Method(MethodError),
    Core(Error),
}

impl From<MethodError> for Failure {
    fn from(error: MethodError) -> Self {
        Self::Method(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<RefusalKind> for Failure {
    fn from(kind: RefusalKind) -> Self {
        Self::Core(kind.into())
    }
}

impl From<&'static str> for Failure {
    /// A method error by its type alone.
    fn from(kind: &'static str) -> Self {
        Self::Method(MethodError::new(kind))
    }
}

/// What a method came to: the arguments of its response.
pub(crate) type Outcome<T = Value> = Result<T, Failure>;

/// What a method that acts comes to: its response, and those of calls that it made besides (RFC 8621 §7.5).
pub(crate) struct Answer {
    pub(crate) own: Value,
    /// Further responses, by method name.
    pub(crate) further: Vec<(&'static str, Value)>,
}

impl From<Value> for Answer {
    fn from(own: Value) -> Self {
        Self { own, further: Vec::new() }
    }
}

/// A method under way.
pub(crate) type Acts<'a> = Pin<Box<dyn Future<Output = Outcome<Answer>> + Send + 'a>>;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) who: SignedIn,
    pub(crate) language: Language,
    /// Bytes of messages that may still be read for this request.
    room: Arc<AtomicUsize>,
}

impl Caller {
    pub(crate) fn new(who: SignedIn, language: Language) -> Self {
        Self { who, language, room: Arc::new(AtomicUsize::new(MOST_BYTES)) }
    }

    /// Returns the proof of a right on the account that a call names (RFC 8620 §3.6.2).
    pub(crate) fn acting<R: Right>(&self, snapshot: &Snapshot, account: AccountId) -> Outcome<Acting<R>> {
        act_for::<R>(snapshot, &self.who, account).map_err(|error| match &error {
            Error::Refused(refusal) if refusal.kind == RefusalKind::NotFound => "accountNotFound".into(),
            Error::Refused(refusal) if refusal.kind == RefusalKind::NoRight => match R::KIND {
                RightKind::Draft => "accountReadOnly".into(),
                RightKind::Read => "accountNotSupportedByMethod".into(),
                RightKind::Submit | RightKind::Review | RightKind::Manage => "forbidden".into(),
            },
            _ => Failure::Core(error),
        })
    }

    /// Takes room for bytes that are read for the answer.
    pub(crate) fn take_room(&self, bytes: usize) -> Outcome<()> {
        let taken =
            self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes));
        taken.map(drop).map_err(|_| "requestTooLarge".into())
    }

    /// Takes the account of a call and returns the proof of a right on it.
    pub(crate) fn account<R: Right>(
        &self,
        snapshot: &Snapshot,
        arguments: &mut Arguments,
    ) -> Outcome<Acting<R>> {
        self.acting(snapshot, arguments.account_id("accountId")?)
    }
}

/// A request under way.
pub(crate) struct Context {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    /// Ids of what was created, by the client's own ids.
    pub(crate) created: HashMap<String, String>,
}

impl Context {
    /// Reads, as one look at the database.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Snapshot) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        self.app.options.db.read(|snapshot| Ok(f(snapshot))).await?
    }

    /// Writes, in one transaction under the caller's name. An error of a method undoes nothing: it comes before the first
    /// change.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut Tx) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let actor = Actor::Person(self.caller.who.person());
        let written = self.app.options.db.write(actor, move |tx| match f(tx) {
            Ok(value) => Ok(Ok(value)),
            Err(Failure::Method(error)) => Ok(Err(error)),
            Err(Failure::Core(error)) => Err(error),
        });
        Ok(written.await??)
    }

    /// Remembers what was created, for later calls of the request.
    pub(crate) fn remember(&mut self, creation: &str, id: String) {
        if self.created.len() < MOST_CREATED {
            self.created.insert(creation.to_owned(), id);
        }
    }
}

/// Returns the id that `#creation` stands for, or the id itself (RFC 8620 §5.3).
pub(crate) fn created<'a>(id: &'a str, created: &'a HashMap<String, String>) -> Option<&'a str> {
    match id.strip_prefix('#') {
        Some(creation) => created.get(creation).map(String::as_str),
        None => Some(id),
    }
}

/// Runs a request; returns its response (RFC 8620 §3.4).
pub(crate) async fn run(
    app: &App,
    caller: Caller,
    request: Request,
) -> Result<Value, crate::problem::Problem> {
    let unknown = request.using.iter().find(|name| !capabilities::is_known(name, &app.options));
    if let Some(name) = unknown {
        return Err(RequestError::UnknownCapability(name.clone()).into());
    }
    let language = caller.language;
    let told = session::ready(app, &caller.who).await;
    let told = told.map_err(|e| crate::problem::Problem::from_error(&e, language))?;
    let state = session::state(&told, &app.options);
    let tells_created = request.created_ids.is_some();
    let created = request.created_ids.unwrap_or_default();
    let created = created.into_iter().filter_map(|(name, id)| Some((name, id.as_str()?.to_owned())));
    let mut context = Context { app: app.clone(), caller, created: created.take(MOST_CREATED).collect() };
    let mut done: Vec<Done> = Vec::new();
    let mut left = reference::MOST_VALUES;
    for call in request.calls {
        let arguments = reference::resolve(call.arguments, &done, &mut left);
        let outcome = one(&mut context, &request.using, &call.name, arguments).await;
        match outcome {
            Ok(answer) => {
                done.push(Done { name: call.name, arguments: answer.own, id: call.id.clone() });
                let further = answer.further.into_iter();
                done.extend(further.map(|(name, arguments)| Done {
                    name: name.to_owned(),
                    arguments,
                    id: call.id.clone(),
                }));
            }
            Err(error) => {
                done.push(Done { name: "error".to_owned(), arguments: error.to_value(), id: call.id })
            }
        }
    }
    let responses: Vec<Value> = done.into_iter().map(|d| json!([d.name, d.arguments, d.id])).collect();
    let mut response = Map::new();
    response.insert("methodResponses".to_owned(), responses.into());
    response.insert("sessionState".to_owned(), state.into());
    if tells_created {
        let created = context.created.into_iter().map(|(name, id)| (name, id.into()));
        response.insert("createdIds".to_owned(), Value::Object(created.collect()));
    }
    Ok(Value::Object(response))
}

async fn one(
    context: &mut Context,
    using: &[String],
    name: &str,
    arguments: Result<Map<String, Value>, ReferenceError>,
) -> Result<Answer, MethodError> {
    let method = methods::ALL.iter().find(|m| m.name == name);
    let method = method.filter(|m| using.iter().any(|used| used == m.capability));
    let method = method.ok_or_else(|| MethodError::new("unknownMethod"))?;
    let arguments = arguments.map_err(|error| match error {
        ReferenceError::Invalid => MethodError::new("invalidResultReference"),
        ReferenceError::Twice => MethodError::arguments("an argument and a reference have one name"),
        ReferenceError::TooLarge => MethodError::new("requestTooLarge"),
    })?;
    let arguments = Arguments::new(arguments);
    let outcome = match method.run {
        Run::Reads(f) => {
            let caller = context.caller.clone();
            context.read(move |snapshot| f(snapshot, &caller, arguments)).await.map(Answer::from)
        }
        Run::Acts(f) => f(context, arguments).await,
    };
    outcome.map_err(|failure| match failure {
        Failure::Method(error) => error,
        Failure::Core(error) => MethodError::of(&error, context.caller.language),
    })
}
