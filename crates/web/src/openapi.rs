//! The interface described (OpenAPI 3.1), from the handlers themselves.

use crate::{events, me, outbox, problem, review_view, reviews, session};
use axum::{http::header, response::IntoResponse};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Congvu", description = "Official email for public agencies."),
    paths(
        session::sign_in,
        session::current,
        session::sign_out,
        session::change_password,
        me::me,
        reviews::list,
        reviews::open,
        reviews::html,
        reviews::message,
        reviews::attachment,
        reviews::decide,
        reviews::withdraw,
        outbox::list,
        outbox::message,
        events::events
    ),
    components(schemas(
        problem::ProblemBody,
        problem::CitationView,
        me::PersonView,
        session::SessionView,
        review_view::ReviewList,
        review_view::ReviewDetail
    ))
)]
struct Description;

/// Returns the description as JSON.
#[must_use]
pub fn openapi() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}

/// Serves the description.
pub(crate) async fn served() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi())
}
