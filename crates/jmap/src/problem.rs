//! Errors of a whole request (RFC 8620 §3.6.1) as problem documents (RFC 7807).

use crate::codec::RequestError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_types::{Error, Language, RefusalKind};
use serde_json::{Map, Value, json};

/// A problem document.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Map<String, Value>,
}

impl Problem {
    /// Makes a problem that has no type but its status.
    pub(crate) fn plain(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::of("about:blank", status, detail.into())
    }

    /// A limit was reached, by its name in the capability.
    pub(crate) fn limit(name: &'static str) -> Self {
        RequestError::Limit(name).into()
    }

    /// Words an error of the core.
    pub(crate) fn from_error(error: &Error, language: Language) -> Self {
        match error {
            Error::Refused(refusal) => {
                let status = match refusal.kind {
                    RefusalKind::NotFound => StatusCode::NOT_FOUND,
                    RefusalKind::SignedOut => StatusCode::UNAUTHORIZED,
                    RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    RefusalKind::TooMany | RefusalKind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
                    RefusalKind::OverQuota => StatusCode::INSUFFICIENT_STORAGE,
                    RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::FORBIDDEN,
                };
                Self::plain(status, refusal.sentence(language))
            }
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "a JMAP request failed");
                let detail = congvu_types::sentence(language, "web.fault", &[]);
                Self::plain(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        }
    }

    fn of(kind: &str, status: StatusCode, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let body = json!({ "type": kind, "title": title, "status": status.as_u16(), "detail": detail });
        Self { status, body: if let Value::Object(body) = body { body } else { Map::new() } }
    }

    /// Returns the document, as a web socket sends it (RFC 8887 §4.3.3).
    pub(crate) fn into_body(self) -> Map<String, Value> {
        self.body
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let uri = |name: &str| format!("urn:ietf:params:jmap:error:{name}");
        let bad = StatusCode::BAD_REQUEST;
        match error {
            RequestError::NotJson(why) => Self::of(&uri("notJSON"), bad, why),
            RequestError::NotRequest(why) => Self::of(&uri("notRequest"), bad, why.to_owned()),
            RequestError::UnknownCapability(name) => {
                let name: String = name.chars().take(200).collect();
                Self::of(&uri("unknownCapability"), bad, format!("there is no capability {name:?} here"))
            }
            RequestError::Limit(name) => {
                let status = match name {
                    "maxSizeRequest" | "maxSizeUpload" => StatusCode::PAYLOAD_TOO_LARGE,
                    "maxConcurrentRequests" | "maxConcurrentUpload" => StatusCode::TOO_MANY_REQUESTS,
                    _ => bad,
                };
                let mut problem = Self::of(&uri("limit"), status, format!("beyond the limit {name}"));
                problem.body.insert("limit".to_owned(), name.into());
                problem
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
