//! The web application's files, embedded in the program, and the headers that keep it safe.

use crate::{problem::Problem, state::language};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../webapp/dist"]
struct Files;

/// No inline script or style, no plug-in, nothing from elsewhere; messages are shown in a sandboxed frame whose
/// document carries a policy of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; frame-src 'self' blob:; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// Answers with a file, or with the application's page for every path of its own.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::no_method().into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let known = Files::get(path).filter(|_| !path.is_empty());
    // A file that is asked for by name and is not there is an error, not the page.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match (known, is_file) {
        (Some(file), _) => answer(path, file),
        (None, true) => Problem::no_path(language(&headers).unwrap_or_default()).into_response(),
        (None, false) => Files::get("index.html").map_or_else(not_built, |file| answer("index.html", file)),
    }
}

fn not_built() -> Response {
    let words = "The web application was not built into this program: cargo xtask demo builds it.";
    (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
}

fn answer(path: &str, file: rust_embed::EmbeddedFile) -> Response {
    // Vite names files under assets/ by their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, cache)], file.data).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        _ => "application/octet-stream",
    }
}

/// Puts the protective headers on every answer that does not set its own.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let secure = request.extensions().get::<crate::serve::Peer>().is_some_and(|peer| peer.tls);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}
