//! The paths of this door, and its requests (RFC 8620 §3.1).

use crate::{
    app::{App, JmapOptions},
    capabilities, codec,
    dispatch::{self, Caller},
    eventsource,
    problem::Problem,
    session, transfer, websocket,
};
use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use congvu_directory::{SessionToken, SignedIn};
use congvu_net::Share;
use congvu_types::Language;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

/// Who asks for something that goes on, and what ends it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) who: SignedIn,
    pub(crate) language: Language,
    /// The session that the request came with: it may end before the sign-in does.
    pub(crate) token: Option<SessionToken>,
    /// The server's stop.
    pub(crate) stop: CancellationToken,
}

impl<S: Send + Sync> FromRequestParts<S> for Listener {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let of = &parts.extensions;
        let who = of.get::<SignedIn>().cloned();
        let who = who.ok_or_else(|| Problem::plain(StatusCode::UNAUTHORIZED, "nobody is signed in"))?;
        Ok(Self {
            language: of.get().copied().unwrap_or_else(|| who.language()),
            who,
            token: of.get().cloned(),
            stop: of.get().cloned().unwrap_or_default(),
        })
    }
}

/// Makes the router of this door. Whoever mounts it puts [`SignedIn`] and [`Language`] into the extensions of each request.
pub fn router(options: JmapOptions) -> Router {
    Router::new()
        .route("/.well-known/jmap", get(session_object))
        .route("/jmap/session", get(session_object))
        .route("/jmap/api", post(api))
        .route("/jmap/upload/{account}", post(transfer::upload))
        .route("/jmap/upload/{account}/", post(transfer::upload))
        .route("/jmap/download/{account}/{blob}/{name}", get(transfer::download))
        .route("/jmap/eventsource", get(eventsource::eventsource))
        .route("/jmap/eventsource/", get(eventsource::eventsource))
        .route(capabilities::SOCKET_PATH, get(websocket::websocket))
        .with_state(App::new(options))
}

/// Scheme and authority that the client asked, for the URLs that it is told.
fn base(headers: &HeaderMap, is_tls: bool) -> String {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    let host = host.and_then(|h| h.parse::<axum::http::uri::Authority>().ok());
    let scheme = if is_tls { "https" } else { "http" };
    // Without a name the addresses are relative to this one.
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}

async fn session_object(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(language): Extension<Language>,
    scheme: Option<Extension<axum::http::uri::Scheme>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accounts = session::ready(&app, &who).await;
    let accounts = accounts.map_err(|e| Problem::from_error(&e, language))?;
    let is_tls = scheme.is_some_and(|Extension(s)| s == axum::http::uri::Scheme::HTTPS);
    let object = session::object(&accounts, &who, &app.options, &base(&headers, is_tls));
    Ok(([(header::CACHE_CONTROL, "no-cache, no-store, must-revalidate")], Json(object)).into_response())
}

async fn api(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(codec::RequestError::NotJson("the content type is application/json".to_owned()).into());
    }
    let _held = app.requests.enter(who.person()).ok_or_else(|| Problem::limit("maxConcurrentRequests"))?;
    let mut share = app.memory.begin();
    let bytes = collect(body, capabilities::MAX_REQUEST, &mut share, "maxSizeRequest").await?;
    let request = codec::parse(&bytes, capabilities::MAX_CALLS)?;
    drop(bytes);
    let response = dispatch::run(&app, Caller::new(who, language), request).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(response)).into_response())
}

/// Reads a body of at most `most` bytes, named by its limit, within the memory of all.
pub(crate) async fn collect(
    body: Body,
    most: usize,
    share: &mut Share,
    limit: &'static str,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| Problem::plain(StatusCode::BAD_REQUEST, e.to_string()))?;
        if bytes.len() + piece.len() > most {
            return Err(Problem::limit(limit));
        }
        // What is made of them takes as much again.
        if !share.cover((bytes.len() + piece.len()).saturating_mul(2)) {
            return Err(Problem::plain(StatusCode::SERVICE_UNAVAILABLE, "too much is under way"));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
