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

/// The documents that a letter's HTML is put into, and the policy of each: no script whatever it holds, no form, no way up.
/// They allow styles, which the application itself does not; pictures of other hosts only in the second.
const LETTERS: [(&str, &str); 2] = [
    (
        "letter.html",
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self'; \
         sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    ),
    (
        "letter-pictures.html",
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https: http:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self'; \
         sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    ),
];

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
        (Some(file), _) => answer(path, file, &headers),
        (None, true) => Problem::no_path(language(&headers).unwrap_or_default()).into_response(),
        (None, false) => {
            Files::get("index.html").map_or_else(not_built, |file| answer("index.html", file, &headers))
        }
    }
}

/// Forms of a file that the build made, the smallest first (RFC 9110 §8.4.1).
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Whether the client takes an encoding (RFC 9110 §12.5.3). What it weighs as nothing it does not take.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let told = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    told.flat_map(|v| v.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().trim_start_matches("q=").trim_end_matches(['0', '.']);
        name.trim().eq_ignore_ascii_case(encoding) && !(one.contains(';') && weight.is_empty())
    })
}

fn not_built() -> Response {
    let words = "The web application was not built into this program: cargo xtask demo builds it.";
    (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
}

fn answer(path: &str, file: rust_embed::EmbeddedFile, asked: &HeaderMap) -> Response {
    let packed = PACKED.into_iter().filter(|(encoding, _)| takes(asked, encoding));
    let packed = packed
        .filter_map(|(encoding, end)| Some((encoding, Files::get(&format!("{path}{end}"))?.data)))
        .next();

    // Vite names files under assets/ by their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, cache)];
    let (encoding, data) = packed.map_or((None, file.data), |(encoding, data)| (Some(encoding), data));
    let mut response = (headers, data).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Some((_, policy)) = LETTERS.iter().find(|(letter, _)| *letter == path) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn served(path: &str) -> Response {
        let metadata = rust_embed::Metadata::__rust_embed_new([0; 32], None, None);
        let file = rust_embed::EmbeddedFile { data: "x".as_bytes().into(), metadata };
        answer(path, file, &HeaderMap::new())
    }

    #[test]
    fn an_encoding_is_taken_when_it_is_named_and_not_weighed_as_nothing() {
        let takes_br = |told: &'static str| {
            takes(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(told))]), "br")
        };
        assert!(takes_br("gzip, deflate, br") && takes_br("BR;q=0.5, gzip") && takes_br("br;q=1.0"));
        assert!(
            !takes_br("gzip") && !takes_br("br;q=0") && !takes_br("br; q=0.0, gzip") && !takes_br("brotli")
        );
        assert!(!takes(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_letter_is_shown_where_no_script_can_run() {
        for (path, _) in LETTERS {
            let response = served(path);
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("sandbox "), "{policy}");
            assert!(!policy.contains("script") && !policy.contains("allow-forms"), "{policy}");
            assert_eq!(policy.contains("https:"), path == "letter-pictures.html");
            assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "SAMEORIGIN");
        }
        assert!(served("index.html").headers().get(header::CONTENT_SECURITY_POLICY).is_none());
    }
}
