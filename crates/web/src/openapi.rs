//! The interface described (OpenAPI 3.1), from the handlers themselves.

use crate::{app_passwords, events, health, me, outbox, problem, review_view, reviews, session, work};
use axum::{http::header, response::IntoResponse};
use utoipa::{
    OpenApi,
    openapi::{
        Content, ObjectBuilder, OpenApi as OpenApiDocument, Ref, RefOr, Required, Response, ResponseBuilder,
        Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
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
        work::list,
        work::assignees,
        work::look_up,
        work::open,
        work::give,
        work::progress,
        work::note,
        work::attend,
        outbox::list,
        outbox::message,
        events::events,
        health::alive,
        health::ready,
        health::metrics,
        served
    ),
    security(("session" = [])),
    modifiers(&Common),
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

/// What every operation has in common: requests are made in a session, which a cookie names; unsafe ones carry its token;
/// every answer that is not a success is a problem.
struct Common;

/// The shared response, and the shared parameter.
const PROBLEM: &str = "Problem";
const TOKEN: &str = "CsrfToken";

impl utoipa::Modify for Common {
    fn modify(&self, description: &mut OpenApiDocument) {
        let components = description.components.get_or_insert_default();
        let name = ApiKeyValue::with_description(
            session::HOST_COOKIE,
            "The session; over a connection without TLS, where that is allowed, the cookie is called congvu_session.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(name)));
        let body = Content::new(Some(Ref::from_schema_name("ProblemBody")));
        let problem = ResponseBuilder::new().description("What stands against it (RFC 9457).");
        let problem = problem.content("application/problem+json", body).build();
        components.responses.insert(PROBLEM.to_owned(), problem.into());
        components.parameters.insert(TOKEN.to_owned(), token().into());
        for (path, item) in &mut description.paths.paths {
            let methods = [(&mut item.get, true), (&mut item.post, false), (&mut item.delete, false)];
            for (operation, is_safe) in methods {
                if let Some(operation) = operation {
                    complete(path, operation, is_safe);
                }
            }
        }
    }
}

fn token() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    ParameterBuilder::new()
        .name("X-CSRF-Token")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("The session's own token, as signing in told it."))
        .schema(Some(text))
        .build()
}

fn complete(path: &str, operation: &mut Operation, is_safe: bool) {
    let responses = &mut operation.responses.responses;
    let needs_session = operation.security.is_none();
    let mut expected = Vec::new();
    if needs_session {
        expected.extend(["401", "403"]);
    }
    if path.starts_with("/api") {
        expected.extend(["400", "429", "500", "503"]);
    }
    for status in expected {
        responses.entry(status.to_owned()).or_insert_with(problem_reference);
    }
    for (status, response) in responses {
        let RefOr::T(known) = response else { continue };
        let is_success = status.starts_with('2');
        if !is_success && known.content.contains_key("application/json") {
            *response = problem_reference();
        } else if known.description.is_empty() {
            known.description = if is_success { "Done." } else { "Not done." }.to_owned();
        }
    }
    if needs_session && !is_safe {
        let reference = Ref::new(format!("#/components/parameters/{TOKEN}"));
        operation.parameters.get_or_insert_default().push(RefOr::Ref(reference));
    }
}

fn problem_reference() -> RefOr<Response> {
    RefOr::Ref(Ref::from_response_name(PROBLEM))
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
