//! Whether the server lives, whether it can serve, and its figures.

use crate::{
    problem::Problem,
    serve::Peer,
    state::{App, language},
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_casework::review::waiting_count;
use congvu_storage::Db;
use congvu_transport::queue;
use congvu_types::RefusalKind;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;

/// Alive.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, content_type = "text/plain")))]
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// What was found a moment ago: who asks often costs no more than who asks seldom.
#[derive(Debug, Default)]
pub(crate) struct Readiness(tokio::sync::Mutex<Option<(Instant, bool)>>);

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(2);

impl Readiness {
    async fn is_ready(&self, db: &Db) -> bool {
        // Those who ask meanwhile wait for the one look that is under way.
        let mut known = self.0.lock().await;
        if let Some((at, is_ready)) = *known
            && at.elapsed() < FRESH
        {
            return is_ready;
        }
        let checked = db.check().await;
        if let Err(error) = &checked {
            tracing::error!(%error, "not ready");
        }
        *known = Some((Instant::now(), checked.is_ok()));
        checked.is_ok()
    }
}

/// Can serve: database and blob store answer.
#[utoipa::path(get, path = "/readyz", security(()), responses((status = 200, content_type = "text/plain"),
    (status = 503, description = "Not ready", content_type = "text/plain")))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.readiness.is_ready(&app.options.db).await {
        true => "ready".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response(),
    }
}

/// Figures for Prometheus: to this machine, or to who brings the configured token.
#[utoipa::path(get, path = "/metrics", security(()), responses((status = 200, content_type = "text/plain"),
    (status = 403, body = crate::problem::ProblemBody)))]
pub(crate) async fn metrics(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let is_here = peer.is_direct && peer.address.ip().to_canonical().is_loopback();
    if !is_here && !has_token(&headers, app.options.metrics_token.as_deref()) {
        let spoken = language(&headers).unwrap_or_default();
        return Problem::from_error(&RefusalKind::NoRight.into(), spoken).into_response();
    }
    let db = &app.options.db;
    let counted = db.read(|s| Ok((waiting_count(s)?, queue::waiting_count(s)?))).await;
    let (waiting, queued) = match counted {
        Ok(counted) => counted,
        Err(error) => {
            tracing::error!(%error, "counting for the metrics");
            let spoken = language(&headers).unwrap_or_default();
            return Problem::from_error(&RefusalKind::Busy.into(), spoken).into_response();
        }
    };
    let watched = db.feed().watched_accounts();
    let text = format!(
        "# TYPE congvu_up gauge\ncongvu_up 1\n# TYPE congvu_watched_accounts gauge\ncongvu_watched_accounts {watched}\n\
         # TYPE congvu_pending_reviews gauge\ncongvu_pending_reviews {waiting}\n\
         # TYPE congvu_queued_recipients gauge\ncongvu_queued_recipients {queued}\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn has_token(headers: &HeaderMap, token: Option<&str>) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.as_bytes().strip_prefix(b"Bearer "));
    match (given, token.filter(|t| !t.is_empty())) {
        (Some(given), Some(token)) => bool::from(given.ct_eq(token.as_bytes())),
        _ => false,
    }
}
