//! What the regulation says of the recipients of a letter that is being written, so that its writer is told before it leaves.

use crate::{
    problem::{CitationView, Problem},
    session::{Member, body},
    state::{App, problem},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use congvu_directory::{SignedIn, regulation_of, sender};
use congvu_regulation::{Decision, Regulation};
use congvu_storage::Snapshot;
use congvu_types::{EmailAddress, Refusal, RefusalKind, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More addresses than this are asked in turns.
const MAX_ADDRESSES: usize = 200;

/// Asks about recipients.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RecipientsRequest {
    /// The address that the letter is sent from; its agency's regulation speaks.
    from: String,
    /// Up to 200 addresses.
    addresses: Vec<String>,
}

/// What the regulation says of each address that can be read, in the order of the question.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecipientsView {
    recipients: Vec<RecipientFact>,
}

/// What the regulation says of an address.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecipientFact {
    /// As it was asked.
    address: String,
    /// Whether the domain is official; `null` when the regulation names none (S2.2b).
    official: Option<bool>,
    /// The article on private email, when the address is with such a provider (S8.3a).
    #[serde(skip_serializing_if = "Option::is_none")]
    citation: Option<CitationView>,
}

/// Says what the regulation says of recipients.
#[utoipa::path(post, operation_id = "judgeRecipients", path = "/api/v1/recipients", request_body = RecipientsRequest,
    responses((status = 200, body = RecipientsView), (status = 403, body = crate::problem::ProblemBody)))]
pub(crate) async fn judge(
    State(app): State<App>,
    Member(visitor): Member,
    request: Result<Json<RecipientsRequest>, JsonRejection>,
) -> Result<Json<RecipientsView>, Problem> {
    let request = body(request)?;
    let who = visitor.who;
    let facts = app.options.db.read_quick(move |s| facts(s, &who, &request)).await;
    Ok(Json(RecipientsView { recipients: facts.map_err(problem(visitor.language))? }))
}

fn facts(snapshot: &Snapshot, who: &SignedIn, request: &RecipientsRequest) -> Result<Vec<RecipientFact>> {
    if request.addresses.len() > MAX_ADDRESSES {
        return Err(Refusal::new(RefusalKind::TooMany).with("most", MAX_ADDRESSES).into());
    }
    let invalid =
        |_| Refusal::new(RefusalKind::InvalidValue).with("key", "from").with("value", &request.from);
    let acting = sender(snapshot, who, &request.from.parse().map_err(invalid)?)?;
    let regulation = regulation_of(snapshot, acting.agency())?;
    Ok(request.addresses.iter().filter_map(|address| fact(&regulation, address)).collect())
}

fn fact(regulation: &Regulation, written: &str) -> Option<RecipientFact> {
    let address: EmailAddress = written.parse().ok()?;
    let citation = match regulation.recipient(address.domain()) {
        Decision::Allowed => None,
        Decision::Warned(citation) | Decision::Refused(citation) => Some(citation.into()),
    };
    Some(RecipientFact {
        address: written.to_owned(),
        official: regulation.is_official(address.domain()),
        citation,
    })
}
