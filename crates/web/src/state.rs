//! What requests share, and which path leads where.

use crate::{
    admit,
    app_passwords::{self, ClientSettings},
    assets, autoconfig, clients, events, health, me, openapi, outbox,
    problem::Problem,
    reviews, session, work,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, post},
};
use congvu_directory::Authenticator;
use congvu_storage::Db;
use congvu_transport::{Site, facts::Network};
use congvu_types::{Error, Language};
use std::sync::Arc;

/// The largest body of a request.
const MAX_BODY: usize = 64 * 1024;

/// The largest body of a question about mail clients' settings.
const MAX_QUESTION: usize = 8 * 1024;

/// What the door needs.
#[derive(Debug, Clone)]
pub struct WebOptions {
    /// The database.
    pub db: Db,
    /// Who signs people in.
    pub authenticator: Authenticator,
    /// Our name, and where outside mail goes.
    pub site: Site,
    /// What people type into their mail clients.
    pub client_settings: ClientSettings,
    /// Takes passwords without TLS: for the demo, and tests on loopback.
    pub allow_plain_sign_in: bool,
    /// Where the same pages are served over TLS: what is asked in clear is sent there.
    pub https_port: Option<u16>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Network>,
    /// Opens the figures to who brings it as a bearer token; without one they are for this machine alone.
    pub metrics_token: Option<String>,
    /// Shows captured mail.
    pub demo: bool,
}

/// What requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: WebOptions,
    pub(crate) streams: events::Streams,
    pub(crate) readiness: health::Readiness,
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The language that the browser asks for, of those that we speak.
pub(crate) fn language(headers: &HeaderMap) -> Option<Language> {
    let asked = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    asked
        .split(',')
        .map(str::trim)
        .find(|tag| tag.starts_with("vi") || tag.starts_with("en"))
        .map(Language::from_tag)
}

/// Words an error of the core for whoever asked.
pub(crate) fn problem(language: Language) -> impl Fn(Error) -> Problem {
    move |error| Problem::from_error(&error, language)
}

/// Makes the router. `mounted` are paths of another door, for signed-in people alone: it finds who asks, their language and the
/// scheme among the extensions of each request.
pub fn router(options: WebOptions, mounted: Router) -> Router {
    let app = App(Arc::new(Shared {
        options,
        streams: events::Streams::default(),
        readiness: health::Readiness::default(),
    }));
    let api = Router::new()
        .route("/session", post(session::sign_in).get(session::current).delete(session::sign_out))
        .route("/password", post(session::change_password))
        .route("/me", get(me::me))
        .route("/app-passwords", get(app_passwords::list).post(app_passwords::create))
        .route("/app-passwords/{id}", delete(app_passwords::revoke))
        .route("/reviews", get(reviews::list))
        .route("/reviews/{id}", get(reviews::open))
        .route("/reviews/{id}/html", get(reviews::html))
        .route("/reviews/{id}/message", get(reviews::message))
        .route("/reviews/{id}/attachments/{index}", get(reviews::attachment))
        .route("/reviews/{id}/decision", post(reviews::decide))
        .route("/reviews/{id}/withdraw", post(reviews::withdraw))
        .route("/work", get(work::list))
        .route("/accounts/{account}/assignees", get(work::assignees))
        .route("/accounts/{account}/conversations/look-up", post(work::look_up))
        .route("/accounts/{account}/conversations/{thread}", get(work::open))
        .route("/accounts/{account}/conversations/{thread}/assignment", post(work::give))
        .route("/accounts/{account}/conversations/{thread}/progress", post(work::progress))
        .route("/accounts/{account}/conversations/{thread}/notes", post(work::note))
        .route("/accounts/{account}/conversations/{thread}/presence", post(work::attend))
        .route("/outbox", get(outbox::list))
        .route("/outbox/{id}", get(outbox::message))
        .route("/events", get(events::events))
        .route("/openapi.json", get(openapi::served))
        .fallback(no_path)
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn(not_stored));
    let mounted = mounted.layer(middleware::from_fn_with_state(app.clone(), clients::identify));
    let outlook = post(autoconfig::outlook).layer(DefaultBodyLimit::max(MAX_QUESTION));
    Router::new()
        .nest("/api/v1", api)
        .route("/api", axum::routing::any(no_path))
        .route("/api/{*rest}", axum::routing::any(no_path))
        .route("/.well-known/autoconfig/mail/config-v1.1.xml", get(autoconfig::mozilla))
        .route("/mail/config-v1.1.xml", get(autoconfig::mozilla))
        .route("/autodiscover/autodiscover.xml", outlook.clone())
        .route("/Autodiscover/Autodiscover.xml", outlook)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(mounted.with_state(()))
        .fallback(assets::serve)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(assets::protect))
        .layer(middleware::from_fn_with_state(app.clone(), admit::admit))
        .with_state(app)
}

async fn no_path(headers: HeaderMap) -> Problem {
    Problem::no_path(language(&headers).unwrap_or_default())
}

async fn no_method() -> Problem {
    Problem::no_method()
}

/// Answers of the interface are nobody's to keep.
async fn not_stored(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
