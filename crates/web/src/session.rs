//! Sign-in, sessions in a cookie, CSRF, and the change of one's password.

use crate::{
    me::{self, PersonView},
    problem::Problem,
    serve::Peer,
    state::{App, language, problem},
};
use axum::{
    Extension, Json,
    extract::{FromRequestParts, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use congvu_directory::{Door, SignedIn, end_session, open_session, regulation_of, session};
use congvu_storage::Actor;
use congvu_types::{Error, Language, Refusal, RefusalKind};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

/// The session's cookie in clear. Over TLS the name makes the browser hold it to this host and to TLS alone.
const COOKIE: &str = "congvu_session";
pub(crate) const HOST_COOKIE: &str = "__Host-congvu_session";
const CSRF: &str = "x-csrf-token";

/// Who asks, by a session; may still have to change their password.
pub(crate) struct Visitor {
    pub(crate) who: SignedIn,
    pub(crate) csrf: String,
    pub(crate) token: String,
    pub(crate) language: Language,
}

/// Who asks, free to do what their rights allow.
pub(crate) struct Member(pub(crate) Visitor);

const fn cookie_name(is_tls: bool) -> &'static str {
    if is_tls { HOST_COOKIE } else { COOKIE }
}

fn token(headers: &HeaderMap, is_tls: bool) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(cookie_name(is_tls))?.strip_prefix('='))
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let asked = language(&parts.headers);
        let stranger = || Problem::unauthenticated(asked.unwrap_or_default());
        let is_tls = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
        let token = token(&parts.headers, is_tls).filter(|t| t.len() <= 128).ok_or_else(stranger)?.to_owned();
        let looked = token.clone();
        let found = app.options.db.read_quick(move |s| session(s, &looked)).await;
        let found = found.map_err(problem(asked.unwrap_or_default()))?.ok_or_else(stranger)?;
        let language = asked.unwrap_or_else(|| found.who.language());
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let given = parts.headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
            if !bool::from(given.ct_eq(found.csrf.as_bytes())) {
                return Err(Problem::forged(language));
            }
        }
        Ok(Self { who: found.who, csrf: found.csrf, token, language })
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, app).await?;
        if !visitor.who.must_change_password() {
            return Ok(Self(visitor));
        }
        // S4.2d (Điều 4): the password given out opens nothing but its change.
        let agency = visitor.who.agency();
        let regulation = app.options.db.read_quick(move |s| regulation_of(s, agency)).await;
        let regulation = regulation.map_err(problem(visitor.language))?;
        let refusal = Refusal::new(RefusalKind::PasswordMustChange);
        let refusal = match &regulation.passwords {
            Some(rule) => refusal.citing(&rule.citation),
            None => refusal,
        };
        Err(Problem::from_error(&Error::Refused(refusal), visitor.language))
    }
}

/// A sign-in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignInRequest {
    /// `username@agency-code`, or the address of an account of one's own.
    login: String,
    /// The password.
    password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// What every unsafe request carries in `X-CSRF-Token`.
    csrf: String,
    /// Who signed in.
    person: PersonView,
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordRequest {
    /// The password until now.
    current: String,
    /// The new one.
    next: String,
}

/// A body that is not what was expected, in words.
pub(crate) fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    body.map(|Json(value)| value)
        .map_err(|rejection| Problem::unreadable(rejection.status(), rejection.body_text()))
}

fn cookie(value: &str, is_tls: bool, age: &str) -> Result<HeaderValue, Problem> {
    let secure = if is_tls { "; Secure" } else { "" };
    let name = cookie_name(is_tls);
    let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{age}");
    HeaderValue::from_str(&text).map_err(|e| Problem::malformed(e.to_string()))
}

/// Signs in. The request must be JSON, which no form of another site can send.
#[utoipa::path(post, path = "/api/v1/session", security(()), request_body = SignInRequest,
    responses((status = 200, body = SessionView), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    request: Result<Json<SignInRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let request = body(request)?;
    let spoken = language(&headers).unwrap_or_default();
    let who = app
        .options
        .authenticator
        .sign_in(&request.login, &request.password, Door::Web, peer.address.ip())
        .await
        .map_err(problem(spoken))?;
    let (opened, before) = (who.clone(), token(&headers, peer.tls).map(str::to_owned));
    let (token, csrf) = app
        .options
        .db
        .write(Actor::Person(who.person()), move |tx| {
            // This browser's session before this one is nobody's any more.
            if let Some(before) = &before {
                end_session(tx, before)?;
            }
            open_session(tx, &opened)
        })
        .await
        .map_err(problem(spoken))?;
    let person = me::view(&app, &who).await.map_err(problem(spoken))?;
    let cookie = cookie(&token, peer.tls, "")?;
    Ok(([(header::SET_COOKIE, cookie)], Json(SessionView { csrf, person })).into_response())
}

/// The session of the cookie.
#[utoipa::path(get, path = "/api/v1/session",
    responses((status = 200, body = SessionView), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn current(State(app): State<App>, visitor: Visitor) -> Result<Json<SessionView>, Problem> {
    let person = me::view(&app, &visitor.who).await.map_err(problem(visitor.language))?;
    Ok(Json(SessionView { csrf: visitor.csrf, person }))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204)))]
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let token = visitor.token;
    let actor = Actor::Person(visitor.who.person());
    app.options
        .db
        .write(actor, move |tx| end_session(tx, &token))
        .await
        .map_err(problem(visitor.language))?;
    gone(peer)
}

/// Changes one's password; every session ends with it.
#[utoipa::path(post, path = "/api/v1/password", request_body = PasswordRequest,
    responses((status = 204), (status = 422, body = crate::problem::ProblemBody)))]
pub(crate) async fn change_password(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    visitor: Visitor,
    request: Result<Json<PasswordRequest>, JsonRejection>,
) -> Result<Response, Problem> {
    let request = body(request)?;
    app.options
        .authenticator
        .change_password(&visitor.who, &request.current, &request.next, peer.address.ip())
        .await
        .map_err(problem(visitor.language))?;
    gone(peer)
}

fn gone(peer: Peer) -> Result<Response, Problem> {
    let cookie = cookie("", peer.tls, "; Max-Age=0")?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
