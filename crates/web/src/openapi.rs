//! The interface described (OpenAPI 3.1), from the handlers themselves.

use crate::{app_passwords, events, health, me, outbox, problem, review_view, reviews, session};
use axum::{http::header, response::IntoResponse};
use utoipa::{
    OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Congvu", description = "Official email for public agencies."),
    paths(
        session::sign_in,
        session::current,
        session::sign_out,
        session::change_password,
        me::me,
        app_passwords::list,
        app_passwords::create,
        app_passwords::revoke,
        reviews::list,
        reviews::open,
        reviews::html,
        reviews::message,
        reviews::attachment,
        reviews::decide,
        reviews::withdraw,
        outbox::list,
        outbox::message,
        events::events,
        health::alive,
        health::ready,
        health::metrics,
        served
    ),
    security(("session" = [])),
    modifiers(&Cookie),
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

/// Requests are made in a session, which a cookie names.
struct Cookie;

impl utoipa::Modify for Cookie {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("congvu_session")));
        if let Some(components) = &mut description.components {
            components.add_security_scheme("session", cookie);
        }
    }
}

/// Returns the description as JSON.
#[must_use]
pub fn openapi() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}

/// Serves the description.
#[utoipa::path(get, path = "/api/v1/openapi.json", security(()), responses((status = 200, content_type = "application/json")))]
pub(crate) async fn served() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi())
}
