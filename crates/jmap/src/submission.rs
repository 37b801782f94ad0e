//! What somebody sends (RFC 8621 §7), a method a file; with our extension that shows the review of what is held (docs/jmap.md).

mod changes;
mod envelope;
mod get;
mod query;
mod set;

pub(crate) use changes::changes;
pub(crate) use get::get;
pub(crate) use query::{query, query_changes};
pub(crate) use set::set;

use crate::ids::Id;
use congvu_transport::submission::{ReviewFacts, Submission, SubmissionState};
use congvu_types::{Citation, Timestamp};
use serde_json::{Map, Value, json};

/// Properties of a submission. The last two are ours.
pub(crate) const PROPERTIES: [&str; 12] = [
    "id",
    "identityId",
    "emailId",
    "threadId",
    "envelope",
    "sendAt",
    "undoStatus",
    "deliveryStatus",
    "dsnBlobIds",
    "mdnBlobIds",
    "review",
    "refusedBecause",
];

/// RFC 8621 §7: whether it can still be taken back.
const fn undo_status(state: SubmissionState) -> &'static str {
    match state {
        SubmissionState::Scheduled | SubmissionState::Held => "pending",
        SubmissionState::Sent => "final",
        SubmissionState::Canceled | SubmissionState::Refused => "canceled",
    }
}

/// A citation as every answer of this door shows it.
pub(crate) fn citation(citation: &Citation) -> Value {
    json!({ "rule": citation.rule, "instrument": citation.instrument, "text": citation.to_string() })
}

/// The review of a submission (S9.1, Điều 9); its id is that of the REST interface.
fn review(review: &ReviewFacts) -> Value {
    json!({
        "id": review.id.to_string(),
        "state": review.state.as_str(),
        "decidedBy": review.decided_by,
        "decidedAt": review.decided_at.map(Timestamp::rfc3339),
        "comment": review.comment,
        "citation": citation(&review.citation),
        "deadline": review.due_at.map(Timestamp::rfc3339),
    })
}

/// Shows a submission.
pub(crate) fn show(found: &Submission) -> Map<String, Value> {
    let statuses = found.statuses.iter().map(|status| {
        let shown = json!({
            "smtpReply": status.reply,
            "delivered": status.reached.as_str(),
            "displayed": "unknown",
        });
        (status.address.clone(), shown)
    });
    let statuses: Map<String, Value> = statuses.collect();
    let shown = json!({
        "id": found.id.text(),
        "identityId": found.identity.text(),
        "emailId": found.email.text(),
        "threadId": found.thread.text(),
        "envelope": envelope::show(found),
        "sendAt": found.send_at.rfc3339(),
        "undoStatus": undo_status(found.state),
        "deliveryStatus": if statuses.is_empty() { Value::Null } else { Value::Object(statuses) },
        "dsnBlobIds": [],
        "mdnBlobIds": [],
        "review": found.review.as_ref().map(review),
        "refusedBecause": found.reason,
    });
    if let Value::Object(shown) = shown { shown } else { Map::new() }
}
