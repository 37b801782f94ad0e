//! A refusal or a fault as `application/problem+json` (RFC 9457), with the citation whenever a rule decided.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use congvu_types::{Citation, Error, Language, Refusal, RefusalKind};
use serde::Serialize;
use utoipa::ToSchema;

/// The article that a refusal or a hold rests on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CitationView {
    /// The rule's id in the project's map, such as `S9.1`.
    pub rule: String,
    /// The instrument, as the agency names it.
    pub instrument: String,
    /// The article (Điều).
    pub article: u16,
    /// The clause (khoản).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<u16>,
    /// The point (điểm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// How it is shown: "Điều 9".
    pub text: String,
}

impl From<&Citation> for CitationView {
    fn from(citation: &Citation) -> Self {
        Self {
            rule: citation.rule.clone(),
            instrument: citation.instrument.clone(),
            article: citation.article,
            clause: citation.clause,
            point: citation.point.clone(),
            text: citation.to_string(),
        }
    }
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind_uri: String,
    /// The HTTP status in words.
    pub title: String,
    /// The sentence for a person: what, why, what to do.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
    /// The kind, for programs.
    pub kind: String,
    /// The article, when a rule decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation: Option<CitationView>,
}

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: String,
    detail: String,
    citation: Option<Box<CitationView>>,
}

impl Problem {
    /// Words an error of the core in the person's language.
    pub(crate) fn from_error(error: &Error, language: Language) -> Self {
        match error {
            Error::Refused(refusal) => Self::from_refusal(refusal, language),
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "a request failed");
                let detail = congvu_types::sentence(language, "web.fault", &[]);
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    kind: "fault".to_owned(),
                    detail,
                    citation: None,
                }
            }
        }
    }

    fn from_refusal(refusal: &Refusal, language: Language) -> Self {
        if refusal.kind == RefusalKind::SignedOut {
            return Self::unauthenticated(language);
        }
        let key = refusal.kind.key();
        Self {
            status: status_of(refusal.kind),
            kind: key.strip_prefix("refusal.").unwrap_or(&key).to_owned(),
            detail: refusal.sentence(language),
            citation: refusal.citation.as_deref().map(|c| Box::new(c.into())),
        }
    }

    /// The peer spoke badly: what was expected.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, detail)
    }

    /// A part of the request cannot be read.
    pub(crate) fn unreadable(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, kind: "malformed".to_owned(), detail: detail.into(), citation: None }
    }

    /// Nobody is signed in, or the session has ended.
    pub(crate) fn unauthenticated(language: Language) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            kind: "unauthenticated".to_owned(),
            detail: congvu_types::sentence(language, "web.unauthenticated", &[]),
            citation: None,
        }
    }

    /// There is nothing at this path.
    pub(crate) fn no_path(language: Language) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "notFound".to_owned(),
            detail: congvu_types::sentence(language, "web.notFound", &[]),
            citation: None,
        }
    }

    /// The request does not carry the session's CSRF token.
    pub(crate) fn forged(language: Language) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            kind: "csrf".to_owned(),
            detail: congvu_types::sentence(language, "web.csrf", &[]),
            citation: None,
        }
    }
}

/// Every kind has its status: a new kind does not compile until it has one.
const fn status_of(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::NotFound | RefusalKind::UnknownRecipient => StatusCode::NOT_FOUND,
        RefusalKind::SignInFailed | RefusalKind::SignedOut => StatusCode::UNAUTHORIZED,
        RefusalKind::NoRight
        | RefusalKind::PasswordMustChange
        | RefusalKind::SenderNotAllowed
        | RefusalKind::RelayDenied
        | RefusalKind::SenderPolicy
        | RefusalKind::UnofficialDomain
        | RefusalKind::NotEntitled
        | RefusalKind::OwnMessage => StatusCode::FORBIDDEN,
        RefusalKind::AlreadyExists
        | RefusalKind::InUse
        | RefusalKind::AlreadyDecided
        | RefusalKind::Changed => StatusCode::CONFLICT,
        RefusalKind::WeakPassword
        | RefusalKind::InvalidName
        | RefusalKind::InvalidValue
        | RefusalKind::InvalidMessage
        | RefusalKind::MailLoop
        | RefusalKind::ReasonNeeded => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TooMany | RefusalKind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::OverQuota => StatusCode::INSUFFICIENT_STORAGE,
        RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind_uri: format!("urn:congvu:problem:{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            detail: self.detail,
            status: self.status.as_u16(),
            kind: self.kind,
            citation: self.citation.map(|c| *c),
        };
        let mut response = (self.status, Json(body)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
