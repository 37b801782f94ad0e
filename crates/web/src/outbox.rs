//! "Outbox (demo)": what the sample would have sent to other domains.

use crate::{
    problem::{At, Problem},
    reviews::download,
    session::{Member, Visitor},
    state::{App, problem},
};
use axum::{Json, extract::State, response::Response};
use congvu_transport::{captured, captured_message};
use congvu_types::{QueueId, RefusalKind};
use serde::Serialize;
use utoipa::ToSchema;

const MOST: usize = 200;

/// A captured message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CapturedView {
    id: String,
    mail_from: String,
    recipients: Vec<String>,
    subject: String,
    at: String,
    size_bytes: u64,
}

/// Captured messages, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutboxView {
    messages: Vec<CapturedView>,
}

/// There is an outbox in the demo alone.
fn in_demo(app: &App, visitor: &Visitor) -> Result<(), Problem> {
    if app.options.demo { Ok(()) } else { Err(Problem::no_path(visitor.language)) }
}

/// Lists captured messages.
#[utoipa::path(get, operation_id = "listOutbox", path = "/api/v1/outbox",
    responses((status = 200, body = OutboxView), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Member(visitor): Member,
) -> Result<Json<OutboxView>, Problem> {
    in_demo(&app, &visitor)?;
    let found = app.options.db.read(|s| captured(s, MOST)).await.map_err(problem(visitor.language))?;
    let messages = found
        .into_iter()
        .map(|c| CapturedView {
            id: c.id.to_string(),
            mail_from: c.mail_from,
            recipients: c.recipients,
            subject: c.subject,
            at: c.at.rfc3339(),
            size_bytes: c.size_bytes,
        })
        .collect();
    Ok(Json(OutboxView { messages }))
}

/// A captured message as it would have gone over the wire.
#[utoipa::path(get, operation_id = "outboxMessage", path = "/api/v1/outbox/{id}", params(("id" = String, Path)),
    responses((status = 200, content_type = "message/rfc822"), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn message(
    State(app): State<App>,
    Member(visitor): Member,
    At(id): At<String>,
) -> Result<Response, Problem> {
    in_demo(&app, &visitor)?;
    let missing = |_| Problem::from_error(&RefusalKind::NotFound.into(), visitor.language);
    let id: QueueId = id.parse().map_err(missing)?;
    let raw =
        app.options.db.read(move |s| captured_message(s, id)).await.map_err(problem(visitor.language))?;
    Ok(download(raw, "message/rfc822", "attachment; filename=\"message.eml\""))
}
