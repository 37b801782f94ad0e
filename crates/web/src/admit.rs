//! What comes before every request: who is at the other end when a proxy stands between, that no password goes in clear,
//! and that no request takes for ever.

use crate::{
    problem::Problem,
    serve::Peer,
    state::{App, language},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use congvu_transport::facts::Network;
use congvu_types::RefusalKind;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// A request, its body and its answer's beginning have this long.
const REQUEST_DEADLINE: Duration = Duration::from_secs(60);
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// Hops that are looked at.
const MOST_HOPS: usize = 32;

/// Paths that monitors on the same network ask in clear.
const HEALTH: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Admits a request.
pub(crate) async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let spoken = language(request.headers()).unwrap_or_default();
    if let Some(peer) = request.extensions().get::<Peer>().copied() {
        let peer = behind_proxies(peer, request.headers(), &app.options.trusted_proxies);
        request.extensions_mut().insert(peer);
        if !peer.tls && !app.options.allow_plain_sign_in && !HEALTH.contains(&request.uri().path()) {
            if let Some(elsewhere) = over_tls(&request, app.options.https_port) {
                return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, elsewhere)]).into_response();
            }
            let is_door = |path: &str| path.starts_with("/api") || path.starts_with("/jmap");
            if !is_safe(request.method()) && is_door(request.uri().path()) {
                return Problem::tls_required(spoken).into_response();
            }
        }
    }
    match tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from_error(&RefusalKind::Busy.into(), spoken).into_response(),
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The same address over TLS, for what may be asked again: the name that was asked for, and our port.
fn over_tls(request: &Request, port: Option<u16>) -> Option<HeaderValue> {
    let port = port.filter(|_| is_safe(request.method()))?;
    let asked =
        request.headers().get(header::HOST)?.to_str().ok()?.parse::<axum::http::uri::Authority>().ok()?;
    let host = asked.host();
    let authority = if port == 443 { host.to_owned() } else { format!("{host}:{port}") };
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let uri = Uri::builder().scheme("https").authority(authority).path_and_query(path).build().ok()?;
    HeaderValue::from_str(&uri.to_string()).ok()
}

/// Who asked the outermost proxy that is trusted. A header that anybody else wrote says nothing.
fn behind_proxies(peer: Peer, headers: &HeaderMap, trusted: &[Network]) -> Peer {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let forwarded = headers.contains_key(FORWARDED_FOR);
    if !is_trusted(peer.address.ip()) {
        return Peer { is_direct: !forwarded, ..peer };
    }
    let told = |name| headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let hops: Vec<&str> = told(FORWARDED_FOR).map(str::trim).collect();
    let mut address = peer.address.ip();
    for hop in hops.iter().rev().take(MOST_HOPS) {
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        address = before.to_canonical();
        if !is_trusted(address) {
            break;
        }
    }
    let tls = told(FORWARDED_PROTO)
        .next_back()
        .map_or(peer.tls, |proto| proto.trim().eq_ignore_ascii_case("https"));
    Peer { address: SocketAddr::new(address, peer.address.port()), tls, is_direct: !forwarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let peer = Peer { address: SocketAddr::new(peer.parse().unwrap(), 1), tls: false, is_direct: true };
        let seen = behind_proxies(peer, &map, &trusted);
        (seen.address.ip().to_string(), seen.tls, seen.is_direct)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let tls = ("x-forwarded-proto", "https");
        let told = |address: &str, tls, direct| (address.to_owned(), tls, direct);
        let lie = ("x-forwarded-for", "127.0.0.1");
        assert_eq!(seen("192.0.2.1", &[lie, tls]), told("192.0.2.1", false, false));
        assert_eq!(seen("127.0.0.1", &[tls]), told("127.0.0.1", true, true));
        // What the asker wrote before the proxies added theirs is not looked at.
        let chain = ("x-forwarded-for", "127.0.0.1, 203.0.113.9, 10.1.1.1");
        assert_eq!(seen("10.0.0.2", &[chain, tls]), told("203.0.113.9", true, false));
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "::ffff:10.1.1.1")];
        assert_eq!(seen("10.0.0.2", &lines), told("203.0.113.9", false, false));
        assert_eq!(seen("10.0.0.2", &[("x-forwarded-for", "unknown")]), told("10.0.0.2", false, false));
    }
}
