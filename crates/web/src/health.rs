//! Whether the server lives, whether it can serve, and its figures.

use crate::{serve::Peer, state::App};
use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_casework::review::operator_list;
use congvu_transport::queue;

/// Figures are counted up to this.
const MOST: usize = 10_000;

/// Alive.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// Can serve: database and blob store answer.
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
pub(crate) async fn metrics(State(app): State<App>, Extension(peer): Extension<Peer>) -> Response {
    if !peer.address.ip().to_canonical().is_loopback() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let db = &app.options.db;
    let counted = db
        .read(|s| Ok((operator_list(s, None, false, MOST)?.len(), queue::list(s, None, MOST)?.len())))
        .await;
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
         # TYPE congvu_reviews_waiting gauge\ncongvu_reviews_waiting {waiting}\n\
         # TYPE congvu_queue_recipients gauge\ncongvu_queue_recipients {queued}\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
