//! A refusal or a fault as `application/problem+json` (RFC 9457), with the citation whenever a rule decided.

use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use congvu_types::{Citation, Error, Language, Refusal, RefusalKind};
use serde::{Serialize, de::DeserializeOwned};
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
    /// What must be opened before the message can be approved: names of attachments, the subject in quotes for its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<String>,
}

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: String,
    detail: String,
    citation: Option<Box<CitationView>>,
    unopened: Vec<String>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, detail: String) -> Self {
        Self { status, kind: kind.to_owned(), detail, citation: None, unopened: Vec::new() }
    }

    /// Words an error of the core in the person's language.
    pub(crate) fn from_error(error: &Error, language: Language) -> Self {
        match error {
            Error::Refused(refusal) => Self::from_refusal(refusal, language),
            Error::Fault(fault) => {
                tracing::error!(fault = %fault.chain(), "a request failed");
                let detail = congvu_types::sentence(language, "web.fault", &[]);
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", detail)
            }
        }
    }

    fn from_refusal(refusal: &Refusal, language: Language) -> Self {
        if refusal.kind == RefusalKind::SignedOut {
            return Self::unauthenticated(language);
        }
        let key = refusal.kind.key();
        let kind = key.strip_prefix("refusal.").unwrap_or(&key);
        let unopened = refusal.params.iter().filter(|(name, _)| *name == "unopened");
        Self {
            citation: refusal.citation.as_deref().map(|c| Box::new(c.into())),
            unopened: unopened.map(|(_, value)| value.clone()).collect(),
            ..Self::new(status_of(refusal.kind), kind, refusal.sentence(language))
        }
    }

    /// The peer spoke badly: what was expected.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, detail)
    }

    /// A part of the request cannot be read.
    pub(crate) fn unreadable(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "malformed", detail.into())
    }

    /// There is something at this path, but not for this method.
    pub(crate) fn no_method() -> Self {
        Self::unreadable(StatusCode::METHOD_NOT_ALLOWED, "This address does not take this method.")
    }

    /// Nobody is signed in, or the session has ended.
    pub(crate) fn unauthenticated(language: Language) -> Self {
        let detail = congvu_types::sentence(language, "web.unauthenticated", &[]);
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// There is nothing at this path.
    pub(crate) fn no_path(language: Language) -> Self {
        let detail = congvu_types::sentence(language, "web.notFound", &[]);
        Self::new(StatusCode::NOT_FOUND, "notFound", detail)
    }

    /// A password would go in clear.
    pub(crate) fn tls_required(language: Language) -> Self {
        let detail = congvu_types::sentence(language, "web.tlsRequired", &[]);
        Self::new(StatusCode::FORBIDDEN, "tlsRequired", detail)
    }

    /// The request does not carry the session's CSRF token.
    pub(crate) fn forged(language: Language) -> Self {
        Self::new(StatusCode::FORBIDDEN, "csrf", congvu_types::sentence(language, "web.csrf", &[]))
    }
}

/// What stands in the path; what cannot be read there is a problem like any other.
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(value)| Self(value)).map_err(|r| Problem::unreadable(r.status(), r.body_text()))
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
        | RefusalKind::SignInToSend
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
        | RefusalKind::TooManyParts
        | RefusalKind::SeveralSenders
        | RefusalKind::NeedsReview
        | RefusalKind::NoRecipients
        | RefusalKind::MailLoop
        | RefusalKind::ReasonNeeded
        | RefusalKind::NotOpened => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TooMany | RefusalKind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::OverQuota => StatusCode::INSUFFICIENT_STORAGE,
        RefusalKind::Busy | RefusalKind::SenderUnverified => StatusCode::SERVICE_UNAVAILABLE,
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
            unopened: self.unopened,
        };
        let mut response = (self.status, Json(body)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
