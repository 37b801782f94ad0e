//! Whether the server lives, whether it can serve, and its figures.

use crate::{serve::Peer, state::App};
use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_casework::review::waiting_count;
use congvu_transport::queue;

/// Alive.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, content_type = "text/plain")))]
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// Can serve: database and blob store answer.
#[utoipa::path(get, path = "/readyz", security(()), responses((status = 200), (status = 503)))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.options.db.check().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
        }
    }
}

/// Figures for Prometheus, to this machine alone.
#[utoipa::path(get, path = "/metrics", security(()), responses((status = 200, content_type = "text/plain"), (status = 403)))]
pub(crate) async fn metrics(State(app): State<App>, Extension(peer): Extension<Peer>) -> Response {
    if !peer.address.ip().to_canonical().is_loopback() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let db = &app.options.db;
    let counted = db.read(|s| Ok((waiting_count(s)?, queue::waiting_count(s)?))).await;
    let (waiting, queued) = match counted {
        Ok(counted) => counted,
        Err(error) => {
            tracing::error!(%error, "counting for the metrics");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
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
