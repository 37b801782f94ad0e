//! A browser without a socket: cookie, CSRF token, language.

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, header},
};
use congvu_web::Peer;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The status and the kind of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{}", self.text());
        (self.status, self.json()["kind"].as_str().unwrap().to_owned())
    }
}

/// A browser.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) peer: Peer,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
    /// A proxy says that it was asked by this address, over TLS.
    pub(crate) forwarded: Option<&'static str>,
    /// What is asked for figures with.
    pub(crate) bearer: Option<&'static str>,
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        let peer = Peer { address: "127.0.0.1:40000".parse().unwrap(), tls: false, is_direct: true };
        Self { router, peer, cookie: None, csrf: None, forwarded: None, bearer: None }
    }

    /// Signs in; keeps cookie and token when it succeeds.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let body = json!({ "login": format!("{name}@bqlctgt"), "password": password });
        let answer = self.post("/api/v1/session", &body).await;
        if answer.status == 200 {
            let cookie = answer.header(header::SET_COOKIE).split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
            self.csrf = Some(answer.json()["csrf"].as_str().unwrap().to_owned());
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Body::from(body.to_string())).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Body) -> Answer {
        let response = self.open(method, path, body).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Sends a request; the answer's body is not read.
    pub(crate) async fn open(&self, method: Method, path: &str, body: Body) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT_LANGUAGE, "en");
        request = request.header(header::CONTENT_TYPE, "application/json");
        request = request.header(header::HOST, "mail.khanhhoa.example");
        if let Some(address) = self.forwarded {
            request = request.header("x-forwarded-for", address).header("x-forwarded-proto", "https");
        }
        if let Some(bearer) = self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        let router = self.router.clone().layer(Extension(self.peer));
        router.oneshot(request.body(body).unwrap()).await.unwrap()
    }
}
