//! JMAP over a web socket (RFC 8887): requests one after another, and changes as they come.

use crate::{
    app::{App, Held},
    capabilities, codec,
    codec::RequestError,
    dispatch::{self, Caller},
    http::Listener,
    problem::Problem,
    push::{TYPES, Watcher, stands},
};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};
use congvu_directory::{SessionToken, SignedIn};
use congvu_types::Language;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// RFC 8887 §3.1
const PROTOCOL: &str = "jmap";
/// A socket on which nothing comes for so long is asked whether it is there, …
const QUIET: Duration = Duration::from_secs(60);
/// … and is gone when it does not answer so often.
const MOST_UNANSWERED: u32 = 3;
/// Writing one message takes no longer.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// Whether a page of ours asks: browsers let any page open a socket, cookies and all.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|o| o.parse::<Uri>().ok());
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    origin.and_then(|o| o.authority().map(|a| a.as_str().to_owned())).as_deref() == host
}

/// Takes the handshake.
pub(crate) async fn websocket(
    State(app): State<App>,
    Listener { who, language, token, stop }: Listener,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if !is_own_page(&headers) {
        return Err(Problem::plain(StatusCode::FORBIDDEN, "another site's page"));
    }
    let held = app.streams.enter(who.person());
    let held = held.ok_or_else(|| Problem::plain(StatusCode::TOO_MANY_REQUESTS, "too many streams"))?;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(capabilities::MAX_REQUEST)
        .max_frame_size(capabilities::MAX_REQUEST);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::plain(StatusCode::BAD_REQUEST, "the protocol is jmap"));
    }
    let socket = Socket { app, who, language, token, watcher: None, _held: held };
    Ok(upgrade.on_upgrade(move |connection| async move {
        tokio::select! {
            () = socket.serve(connection) => {}
            () = stop.cancelled() => {}
        }
    }))
}

/// A socket under way.
struct Socket {
    app: App,
    who: SignedIn,
    language: Language,
    token: Option<SessionToken>,
    /// Present while changes are wanted.
    watcher: Option<Watcher>,
    _held: Held,
}

impl Socket {
    async fn serve(mut self, mut connection: WebSocket) {
        let mut unanswered = 0;
        loop {
            let change = async {
                match &mut self.watcher {
                    Some(watcher) => watcher.next().await,
                    None => std::future::pending().await,
                }
            };
            let answer = tokio::select! {
                came = tokio::time::timeout(QUIET, connection.recv()) => match came {
                    Err(_) if unanswered >= MOST_UNANSWERED => return,
                    Err(_) => {
                        unanswered += 1;
                        Some(Message::Ping(Vec::new().into()))
                    }
                    Ok(Some(Ok(message))) => {
                        unanswered = 0;
                        match self.message(message).await {
                            Ok(answer) => answer,
                            Err(closing) => Some(closing),
                        }
                    }
                    Ok(_) => return,
                },
                change = change => match change {
                    Some(change) => Some(self.state_change(change)),
                    None => Some(closed(close_code::POLICY, "the sign-in has ended")),
                },
            };
            let Some(answer) = answer else { continue };
            let is_last = matches!(answer, Message::Close(_));
            let sent = tokio::time::timeout(WRITE_DEADLINE, connection.send(answer)).await;
            if is_last || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }

    fn state_change(&self, mut change: Value) -> Message {
        if let (Value::Object(change), Some(watcher)) = (&mut change, &self.watcher) {
            change.insert("pushState".to_owned(), watcher.mark().into());
        }
        Message::Text(change.to_string().into())
    }

    /// What a message is answered with; a close is an `Err`.
    async fn message(&mut self, message: Message) -> Result<Option<Message>, Message> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(closed(close_code::UNSUPPORTED, "messages are text")),
            Message::Close(_) => return Err(closed(close_code::NORMAL, "")),
            Message::Ping(_) | Message::Pong(_) => return Ok(None),
        };
        // The handshake was long ago: who asks is asked anew.
        let (who, token) = (self.who.clone(), self.token.clone());
        let standing = self.app.options.db.read_quick(move |s| stands(s, &who, token.as_ref())).await;
        match standing {
            Ok(true) => {}
            Ok(false) => return Err(closed(close_code::POLICY, "the sign-in has ended")),
            Err(error) => {
                tracing::error!(%error, "looking at a sign-in");
                return Err(closed(close_code::ERROR, ""));
            }
        }
        let mut share = self.app.memory.begin();
        if !share.cover(text.len().saturating_mul(2)) {
            return Err(closed(close_code::AGAIN, "too much is under way"));
        }
        let body = match codec::read_json(text.as_bytes()) {
            Ok(Value::Object(body)) => body,
            Ok(_) => {
                return Ok(Some(failed(RequestError::NotRequest("a message is an object").into(), None)));
            }
            Err(error) => return Ok(Some(failed(error.into(), None))),
        };
        match body.get("@type").and_then(Value::as_str) {
            Some("Request") => Ok(Some(self.request(body).await)),
            Some("WebSocketPushEnable") => self.enable(&body).await,
            Some("WebSocketPushDisable") => {
                self.watcher = None;
                Ok(None)
            }
            _ => Ok(Some(failed(RequestError::NotRequest("@type is one of RFC 8887").into(), None))),
        }
    }

    /// RFC 8887 §4.3.1, §4.3.2
    async fn request(&mut self, mut body: Map<String, Value>) -> Message {
        let id = body.remove("id").filter(Value::is_string);
        let Some(_held) = self.app.requests.enter(self.who.person()) else {
            return failed(Problem::limit("maxConcurrentRequests"), id);
        };
        let request = match codec::request(body, capabilities::MAX_CALLS) {
            Ok(request) => request,
            Err(error) => return failed(error.into(), id),
        };
        let caller = Caller::new(self.who.clone(), self.language);
        match dispatch::run(&self.app, caller, request).await {
            Ok(Value::Object(mut response)) => {
                response.insert("@type".to_owned(), "Response".into());
                response.extend(id.map(|id| ("requestId".to_owned(), id)));
                Message::Text(Value::Object(response).to_string().into())
            }
            Ok(_) => failed(RequestError::NotRequest("there is no response").into(), id),
            Err(problem) => failed(problem, id),
        }
    }

    /// RFC 8887 §4.3.5.2: tells at once where a client of another time is behind.
    async fn enable(&mut self, body: &Map<String, Value>) -> Result<Option<Message>, Message> {
        let types = body.get("dataTypes").and_then(Value::as_array).map(|names| {
            let names = names.iter().filter_map(Value::as_str).filter(|name| TYPES.contains(name));
            names.map(str::to_owned).collect()
        });
        let opened = Watcher::open(&self.app, self.who.clone(), self.token.clone(), types).await;
        let watcher = opened.map_err(|error| {
            tracing::error!(%error, "beginning to push");
            closed(close_code::ERROR, "")
        })?;
        let seen = body.get("pushState").and_then(Value::as_str);
        let all = seen.is_some_and(|seen| seen != watcher.mark()).then(|| watcher.all());
        self.watcher = Some(watcher);
        Ok(all.map(|all| self.state_change(all)))
    }
}

/// RFC 8887 §4.3.3
fn failed(problem: Problem, id: Option<Value>) -> Message {
    let mut error = problem.into_body();
    error.insert("@type".to_owned(), "RequestError".into());
    error.insert("requestId".to_owned(), id.unwrap_or(json!(null)));
    Message::Text(Value::Object(error).to_string().into())
}

fn closed(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}
