//! Sign-in, sign-out, the change of a password.

use crate::world::{PASSWORD, each, each_world};
use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::json;

#[tokio::test]
async fn a_session_lives_in_a_cookie_that_no_script_reads() {
    each_world(|world| async move {
        let mut browser = world.browser();
        let answer = browser.sign_in("mai", PASSWORD).await;
        let cookie = answer.header(header::SET_COOKIE).to_owned();
        for attribute in ["congvu_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "a plain connection could not keep it: {cookie}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        let person = &answer.json()["person"];
        assert_eq!(person["login"], "mai@bqlctgt");
        assert_eq!(person["passwordMinLength"], 12);
        assert_eq!(person["accounts"][0]["address"], "bqlctgt@khanhhoa.example");
        assert_eq!(person["accounts"][0]["rights"], json!(["read", "draft", "submit", "review", "manage"]));
        assert_eq!(browser.get("/api/v1/me").await.json(), *person);
        assert_eq!(browser.get("/api/v1/session").await.json()["csrf"], answer.json()["csrf"]);
        let out = browser.call(Method::DELETE, "/api/v1/session", Body::empty()).await;
        assert_eq!(out.status, 204);
        assert!(out.header(header::SET_COOKIE).contains("Max-Age=0"));
        assert_eq!(browser.get("/api/v1/me").await.problem(), (401, "unauthenticated".to_owned()));
        browser.peer.tls = true;
        let answer = browser.sign_in("mai", PASSWORD).await;
        let cookie = answer.header(header::SET_COOKIE);
        assert!(cookie.starts_with("__Host-congvu_session=") && cookie.ends_with("; Secure"), "{cookie}");
        assert!(!answer.header(header::STRICT_TRANSPORT_SECURITY).is_empty());
    })
    .await;
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    each_world(|world| async move {
        let mut browser = world.signed_in("mai").await;
        let before = browser.clone();
        assert_eq!(browser.sign_in("an", PASSWORD).await.status, 200);
        assert_eq!(browser.get("/api/v1/me").await.json()["login"], "an@bqlctgt");
        assert_eq!(before.get("/api/v1/me").await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_slowed_down() {
    each_world(|world| async move {
        let mut browser = world.browser();
        let answer = browser.sign_in("mai", "khong phai").await;
        assert_eq!(answer.problem(), (401, "signInFailed".to_owned()));
        assert!(answer.header(header::SET_COOKIE).is_empty());
        let mut last = answer;
        for n in 0..60 {
            // The same wrong password again is one guess.
            last = browser.sign_in("mai", &format!("khong phai {n}")).await;
            if last.status == 429 {
                break;
            }
        }
        assert_eq!(last.problem(), (429, "tooManyAttempts".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn what_changes_something_needs_the_token() {
    each_world(|world| async move {
        let browser = world.signed_in("mai").await;
        for csrf in [None, Some(String::new()), Some("0".repeat(32))] {
            let mut forged = browser.clone();
            forged.csrf = csrf;
            for (method, path) in [
                (Method::POST, "/api/v1/reviews/1/decision"),
                (Method::POST, "/api/v1/reviews/1/withdraw"),
                (Method::POST, "/api/v1/password"),
                (Method::DELETE, "/api/v1/session"),
            ] {
                let answer = forged.call(method, path, Body::from("{}")).await;
                assert_eq!(answer.problem(), (403, "csrf".to_owned()), "{path}");
            }
            assert_eq!(forged.get("/api/v1/me").await.status, 200, "reading needs none");
        }
        assert_eq!(browser.get("/api/v1/me").await.status, 200, "the session is still there");
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_cannot_sign_in() {
    each_world(|world| async move {
        let request = axum::http::Request::post("/api/v1/session")
            .header(header::CONTENT_TYPE, "text/plain")
            .body(Body::from(r#"{"login":"mai@bqlctgt","password":"mot mat khau dai 1"}"#))
            .unwrap();
        let router = world.router.clone().layer(axum::Extension(world.browser().peer));
        let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
        assert_eq!(answer.status(), 415);
        assert!(answer.headers().get(header::SET_COOKIE).is_none());
    })
    .await;
}

/// S4.2d (Điều 4): the password given out opens nothing but its change.
#[tokio::test]
async fn an_initial_password_opens_only_its_change() {
    const GIVEN: &str = "mat khau duoc cap 1";
    const CHOSEN: &str = "Cau-Xom-Bong-2026";
    each_world(|world| async move {
        let mut browser = world.browser();
        let person = browser.sign_in("moi", GIVEN).await.json()["person"].clone();
        assert_eq!(person["mustChangePassword"], true);
        assert_eq!((&person["accounts"], &person["pendingReviews"]), (&json!([]), &json!(0)));
        for path in [
            "/api/v1/reviews",
            "/api/v1/reviews/1",
            "/api/v1/reviews/1/html",
            "/api/v1/reviews/1/message",
            "/api/v1/reviews/1/attachments/0",
            "/api/v1/outbox",
            "/api/v1/outbox/1",
            "/api/v1/events",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.problem(), (403, "passwordMustChange".to_owned()), "{path}");
            assert_eq!(answer.json()["citation"]["rule"], "S4.2d");
        }
        for path in ["/api/v1/reviews/1/decision", "/api/v1/reviews/1/withdraw"] {
            assert_eq!(browser.post(path, &json!({})).await.problem().1, "passwordMustChange", "{path}");
        }
        let change = |current: &str, next: &str| json!({ "current": current, "next": next });
        let weak = browser.post("/api/v1/password", &change(GIVEN, "ngan")).await;
        assert_eq!(weak.problem(), (422, "weakPassword".to_owned()));
        assert_eq!(weak.json()["citation"]["text"], "khoản 2 Điều 4");
        let wrong = browser.post("/api/v1/password", &change("khong phai", CHOSEN)).await;
        assert_eq!(wrong.problem(), (401, "signInFailed".to_owned()));
        let changed = browser.post("/api/v1/password", &change(GIVEN, CHOSEN)).await;
        assert_eq!(changed.status, 204, "{}", changed.text());
        assert_eq!(browser.get("/api/v1/me").await.status, 401, "every session ends");
        assert_eq!(browser.sign_in("moi", GIVEN).await.status, 401);
        let person = browser.sign_in("moi", CHOSEN).await.json()["person"].clone();
        assert_eq!(person["mustChangePassword"], false);
        assert_eq!(browser.get("/api/v1/reviews").await.status, 200);
    })
    .await;
}

/// Without leave in the configuration no password is taken in clear; pages are sent to where they are encrypted.
#[tokio::test]
async fn no_password_goes_in_clear() {
    each(false, |world| async move {
        let mut browser = world.browser();
        let answer = browser.sign_in("mai", PASSWORD).await;
        assert_eq!(answer.problem(), (403, "tlsRequired".to_owned()));
        let answer = browser.post("/api/v1/password", &json!({ "current": "a", "next": "b" })).await;
        assert_eq!(answer.problem(), (403, "tlsRequired".to_owned()));
        let answer = browser.get("/reviews/awaiting?x=1").await;
        assert_eq!(answer.status, 308);
        assert_eq!(
            answer.header(header::LOCATION),
            "https://mail.khanhhoa.example:8443/reviews/awaiting?x=1"
        );
        assert_eq!(browser.get("/healthz").await.status, 200, "monitors ask in clear");
        // Who says that there was TLS is believed when it is a proxy of ours.
        browser.forwarded = Some("203.0.113.9");
        assert_eq!(browser.sign_in("mai", PASSWORD).await.status, 403);
        browser.peer.address = "10.0.0.2:40000".parse().unwrap();
        let answer = browser.sign_in("mai", PASSWORD).await;
        assert!(answer.header(header::SET_COOKIE).starts_with("__Host-"));
        assert!(!answer.header(header::STRICT_TRANSPORT_SECURITY).is_empty());
        assert_eq!(browser.get("/api/v1/me").await.status, 200);
        browser.forwarded = None;
        (browser.peer.address, browser.peer.tls) = ("127.0.0.1:40000".parse().unwrap(), true);
        assert_eq!(browser.sign_in("mai", PASSWORD).await.status, 200);
    })
    .await;
}
