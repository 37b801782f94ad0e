//! App passwords: one's mail clients, and what to type into a new one.

use crate::{
    problem::{At, Problem},
    session::{Member, body},
    state::{App, problem},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use congvu_directory::{AppPassword, app_passwords, create_app_password, revoke_app_password};
use congvu_storage::Actor;
use congvu_types::{CredentialId, RefusalKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where mail clients connect, over TLS from the first byte (RFC 8314 §3).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettings {
    /// The server's name.
    pub host: String,
    /// IMAP over TLS.
    pub imap_port: u16,
    /// Submission over TLS.
    pub submission_port: u16,
}

/// An app password, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppPasswordView {
    id: String,
    /// What the person calls the device.
    name: String,
    created_at: String,
    /// To the hour; absent while it was never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

/// One's app passwords, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppPasswordList {
    app_passwords: Vec<AppPasswordView>,
    settings: ClientSettings,
}

/// Asks for an app password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct AppPasswordRequest {
    /// What the person calls the device, up to 80 characters.
    name: String,
}

/// A new app password. Its secret is shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewAppPassword {
    app_password: AppPasswordView,
    secret: String,
}

fn view(held: &AppPassword) -> AppPasswordView {
    AppPasswordView {
        id: held.id.to_string(),
        name: held.name.clone(),
        created_at: held.created_at.rfc3339(),
        last_used_at: held.last_used_at.map(|at| at.rfc3339()),
    }
}

/// Lists one's app passwords.
#[utoipa::path(get, operation_id = "listAppPasswords", path = "/api/v1/app-passwords",
    responses((status = 200, body = AppPasswordList), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Member(visitor): Member,
) -> Result<Json<AppPasswordList>, Problem> {
    let who = visitor.who;
    let held = app.options.db.read_quick(move |s| app_passwords(s, &who)).await;
    let held = held.map_err(problem(visitor.language))?;
    Ok(Json(AppPasswordList {
        app_passwords: held.iter().map(view).collect(),
        settings: app.options.client_settings.clone(),
    }))
}

/// Makes an app password.
#[utoipa::path(post, operation_id = "createAppPassword", path = "/api/v1/app-passwords", request_body = AppPasswordRequest,
    responses((status = 201, body = NewAppPassword), (status = 422, body = crate::problem::ProblemBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    Member(visitor): Member,
    request: Result<Json<AppPasswordRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<NewAppPassword>), Problem> {
    let request = body(request)?;
    let who = visitor.who;
    let made = app
        .options
        .db
        .write(Actor::Person(who.person()), move |tx| create_app_password(tx, &who, &request.name))
        .await;
    let (made, secret) = made.map_err(problem(visitor.language))?;
    Ok((StatusCode::CREATED, Json(NewAppPassword { app_password: view(&made), secret })))
}

/// Takes an app password away.
#[utoipa::path(delete, operation_id = "revokeAppPassword", path = "/api/v1/app-passwords/{id}", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Member(visitor): Member,
    At(id): At<String>,
) -> Result<StatusCode, Problem> {
    let missing = |_| Problem::from_error(&RefusalKind::NotFound.into(), visitor.language);
    let id: CredentialId = id.parse().map_err(missing)?;
    let who = visitor.who;
    let revoked =
        app.options.db.write(Actor::Person(who.person()), move |tx| revoke_app_password(tx, &who, id)).await;
    revoked.map_err(problem(visitor.language))?;
    Ok(StatusCode::NO_CONTENT)
}
