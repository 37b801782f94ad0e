//! Who asks at a door that is mounted here, such as JMAP: the web application by its session, with the token of the session
//! for what is not GET, or a mail client by HTTP Basic (RFC 7617).

use crate::{
    problem::Problem,
    serve::{Peer, Stop},
    session::Member,
    state::{App, language, problem},
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Scheme},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use congvu_directory::{Door, SessionToken};
use congvu_types::Language;

/// Characters of a name and a password together, encoded.
const LONGEST: usize = 2048;
/// RFC 7617 §2.1
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Congvu\", charset=\"UTF-8\"");

/// Says who asks to what comes next: the person, the language and the scheme, as extensions of the request.
pub(crate) async fn identify(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_page = request.headers().contains_key("sec-fetch-mode");
    match identified(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => {
            let mut response = refused.into_response();
            // A browser would ask for a password in a window of its own.
            if response.status() == StatusCode::UNAUTHORIZED && !is_page {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            response
        }
    }
}

async fn identified(app: &App, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().copied();
    let spoken = language(&parts.headers);
    if let Some((login, secret)) = credentials(&parts.headers) {
        let stranger = spoken.unwrap_or_default();
        let peer = peer.ok_or_else(|| Problem::unauthenticated(stranger))?;
        if !peer.tls && !app.options.allow_plain_sign_in {
            return Err(Problem::tls_required(stranger));
        }
        let who = app.options.authenticator.sign_in(&login, &secret, Door::Jmap, peer.address.ip()).await;
        let who = who.map_err(problem(stranger))?;
        parts.extensions.insert::<Language>(spoken.unwrap_or_else(|| who.language()));
        parts.extensions.insert(who);
    } else {
        let Member(visitor) = Member::from_request_parts(&mut parts, app).await?;
        parts.extensions.insert::<Language>(visitor.language);
        parts.extensions.insert(SessionToken(visitor.token));
        parts.extensions.insert(visitor.who);
    }
    // What goes on ends with the server.
    if let Some(Stop(stop)) = parts.extensions.get::<Stop>().cloned() {
        parts.extensions.insert(stop);
    }
    let is_tls = peer.is_some_and(|peer| peer.tls);
    parts.extensions.insert(if is_tls { Scheme::HTTPS } else { Scheme::HTTP });
    Ok(Request::from_parts(parts, body))
}

/// The name and password of HTTP Basic. What cannot be read is a wrong password.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = given.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded =
        Some(encoded.trim()).filter(|e| e.len() <= LONGEST).and_then(|e| BASE64_STANDARD.decode(e).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let (login, secret) = text.split_once(':').unwrap_or_default();
    Some((login.to_owned(), secret.to_owned()))
}
