//! Server-sent events: which of a person's accounts changed, as it is committed.

use crate::{
    problem::Problem,
    serve::Stop,
    session::Member,
    state::{App, problem},
};
use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use congvu_directory::{RightKind, accounts_of, session};
use congvu_storage::{Db, News};
use congvu_types::{AccountId, PersonId, RefusalKind};
use futures_util::{Stream, StreamExt, stream};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Streams at once for one person: some windows, some devices.
const MOST_STREAMS: usize = 6;
/// A comment keeps the connection alive.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// Accounts of one person that are watched.
const MOST_ACCOUNTS: usize = 100;

/// How many streams each person has. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<PersonId, usize>>>);

/// One stream; counted until it is dropped.
struct Held {
    streams: Streams,
    person: PersonId,
}

impl Streams {
    fn open(&self, person: PersonId) -> Option<Held> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(person).or_default();
        if *count >= MOST_STREAMS {
            return None;
        }
        *count += 1;
        Some(Held { streams: self.clone(), person })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.person);
            }
        }
    }
}

/// Tells of changes until the client goes or the server stops.
#[utoipa::path(get, path = "/api/v1/events", responses((status = 200, content_type = "text/event-stream")))]
pub(crate) async fn events(
    State(app): State<App>,
    stop: Option<Extension<Stop>>,
    Member(visitor): Member,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let language = visitor.language;
    let held = app.streams.open(visitor.who.person());
    let held = held.ok_or_else(|| Problem::from_error(&RefusalKind::TooMany.into(), language))?;
    let who = visitor.who;
    let accounts =
        app.options.db.read_quick(move |s| accounts_of(s, &who)).await.map_err(problem(language))?;
    let feed = app.options.db.feed();
    let watched = accounts
        .into_iter()
        .filter(|a| a.rights.has(RightKind::Read) || a.rights.has(RightKind::Review))
        .take(MOST_ACCOUNTS)
        .map(|a| changes(a.account.id, feed.watch(a.account.id)).boxed());
    let (db, token) = (app.options.db.clone(), visitor.token);
    let all = stream::select_all(watched).then(move |account| {
        let (db, token) = (db.clone(), token.clone());
        async move { still_there(&db, token).await.then_some(account) }
    });
    let all = all.take_while(|account| std::future::ready(account.is_some())).filter_map(std::future::ready);
    let all = all.map(move |account| {
        let _counted = &held;
        Ok(Event::default().event("changed").data(format!("{{\"account\":\"{account}\"}}")))
    });
    // The browser learns at once that it is connected.
    let hello = stream::iter([Ok(Event::default().comment("connected"))]);
    let until = Box::pin(async move {
        match stop {
            Some(Extension(Stop(stop))) => stop.cancelled().await,
            None => std::future::pending().await,
        }
    });
    Ok(Sse::new(hello.chain(all).take_until(until)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Whether the session goes on: whoever signed out, or was closed out, hears no more.
async fn still_there(db: &Db, token: String) -> bool {
    match db.read_quick(move |s| session(s, &token)).await {
        Ok(found) => found.is_some(),
        Err(error) => {
            tracing::error!(%error, "looking at a session");
            false
        }
    }
}

/// The account's id, once for each change.
fn changes(account: AccountId, watch: watch::Receiver<News>) -> impl Stream<Item = AccountId> {
    stream::unfold(watch, move |mut watch| async move {
        watch.changed().await.ok()?;
        Some((account, watch))
    })
}
