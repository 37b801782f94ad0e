//! The event source (RFC 8620 §7.3).

use crate::{
    app::App,
    http::Listener,
    problem::Problem,
    push::{TYPES, Types, Watcher},
};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;

/// Seconds between pings, at least and at most, whatever was asked.
const PINGS: (u64, u64) = (15, 300);
/// A comment keeps the connection alive where no pings are wanted.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// What is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    types: String,
    closeafter: String,
    ping: String,
}

/// Reads a list of types, or `*`; types that are never told are passed over.
pub(crate) fn types(text: &str) -> Types {
    let named = text.split(',').map(str::trim).filter(|name| TYPES.contains(name)).map(str::to_owned);
    if text.trim() == "*" { None } else { Some(named.collect()) }
}

/// Tells of changes until the client goes, the sign-in ends or the server stops.
pub(crate) async fn eventsource(
    State(app): State<App>,
    listener: Listener,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let Listener { who, language, token, stop } = listener;
    let bad = |what: &str| Problem::plain(StatusCode::BAD_REQUEST, what);
    let closes = match wanted.closeafter.as_str() {
        "state" => true,
        "no" => false,
        _ => return Err(bad("closeafter is state or no")),
    };
    let seconds: u64 = wanted.ping.parse().map_err(|_| bad("ping is a number of seconds"))?;
    let ping = (seconds > 0).then(|| seconds.clamp(PINGS.0, PINGS.1));
    let held = app.streams.enter(who.person());
    let held = held.ok_or_else(|| Problem::plain(StatusCode::TOO_MANY_REQUESTS, "too many streams"))?;
    let watcher = Watcher::open(&app, who, token, types(&wanted.types)).await;
    let watcher = watcher.map_err(|e| Problem::from_error(&e, language))?;
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let is_behind = last.is_some_and(|last| last != watcher.mark());
    let pings = ping.map(|seconds| {
        let every = Duration::from_secs(seconds);
        (seconds, tokio::time::interval_at(tokio::time::Instant::now() + every, every))
    });
    let source = Source { watcher, pings, closes, is_behind, is_over: false, stop, _held: held };
    let events = stream::unfold(source, |mut source| async move {
        let event = source.next().await?;
        Some((Ok::<_, Infallible>(event), source))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// An event source under way.
struct Source {
    watcher: Watcher,
    pings: Option<(u64, Interval)>,
    closes: bool,
    /// Whether the client heard the last of another time.
    is_behind: bool,
    is_over: bool,
    stop: CancellationToken,
    _held: crate::app::Held,
}

impl Source {
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        if std::mem::take(&mut self.is_behind) {
            self.is_over = self.closes;
            return Some(self.state(&self.watcher.all()));
        }
        let stop = self.stop.clone();
        let (change, interval) = tokio::select! {
            () = stop.cancelled() => return None,
            change = self.watcher.next() => (change?, 0),
            interval = ping(&mut self.pings) => (serde_json::Value::Null, interval),
        };
        if interval > 0 {
            return Some(Event::default().event("ping").data(json!({ "interval": interval }).to_string()));
        }
        self.is_over = self.closes;
        Some(self.state(&change))
    }

    fn state(&self, change: &serde_json::Value) -> Event {
        Event::default().event("state").id(self.watcher.mark()).data(change.to_string())
    }
}

/// Waits for the next ping; for ever where none are wanted.
async fn ping(pings: &mut Option<(u64, Interval)>) -> u64 {
    match pings {
        Some((seconds, interval)) => {
            interval.tick().await;
            *seconds
        }
        None => std::future::pending().await,
    }
}
