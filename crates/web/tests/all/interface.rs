//! What every path has in common, health, and the change stream.

use crate::world::{each_world, letter};
use axum::{
    body::Body,
    http::{Method, header},
};
use futures_util::StreamExt as _;
use std::time::Duration;

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    each_world(|world| async move {
        let browser = world.browser();
        for path in ["/api", "/api/v1/nothing", "/api/v2/me", "/api/v1/reviews/1/2/3"] {
            assert_eq!(browser.get(path).await.problem(), (404, "notFound".to_owned()), "{path}");
        }
        let answer = browser.call(Method::PUT, "/api/v1/me", Body::empty()).await;
        assert_eq!(answer.problem(), (405, "malformed".to_owned()));
        let long = format!("{{\"login\":\"{}\"}}", "x".repeat(70_000));
        let answer = browser.call(Method::POST, "/api/v1/session", Body::from(long)).await;
        assert_eq!(answer.problem().0, 413);
        assert_eq!(browser.call(Method::POST, "/", Body::empty()).await.problem().0, 405);
        assert_eq!(browser.call(Method::POST, "/healthz", Body::empty()).await.problem().0, 405);
        assert_eq!(browser.get("/assets/nothing.js").await.problem().0, 404);
        // What cannot be read in a path, a query or a body is a problem too.
        let member = world.signed_in("mai").await;
        assert_eq!(member.get("/api/v1/reviews/%ff").await.problem().0, 400);
        assert_eq!(member.get("/api/v1/reviews?limit=x").await.problem().0, 400);
        assert_eq!(
            browser.get("/mail/config-v1.1.xml?emailaddress=%zz&emailaddress=b").await.problem().0,
            400
        );
        let question = Body::from("x".repeat(9_000));
        let answer = browser.call(Method::POST, "/autodiscover/autodiscover.xml", question).await;
        assert_eq!(answer.problem().0, 413);
    })
    .await;
}

/// Each path that the description names is there, and asks who calls unless it says that it does not.
#[tokio::test]
async fn the_description_tells_what_is_there() {
    each_world(|world| async move {
        let browser = world.browser();
        let described = browser.get("/api/v1/openapi.json").await.json();
        let paths = described["paths"].as_object().unwrap();
        assert!(paths.len() >= 17, "{}", paths.len());
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = path.replace("{id}", "1").replace("{index}", "0");
                let answer = browser.call(method.clone(), &path, Body::from("{}")).await;
                assert!(!matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
                let has_token = operation["parameters"].to_string().contains("CsrfToken");
                assert_eq!(has_token, operation.get("security").is_none() && method != Method::GET, "{path}");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let is_problem = response["$ref"] == "#/components/responses/Problem";
                    let is_plain = response.to_string().contains("text/plain");
                    assert_eq!(is_problem, !status.starts_with('2') && !is_plain, "{path} {status}");
                }
                if operation.get("security").is_none() {
                    assert!(
                        operation["responses"]["401"].is_object()
                            && operation["responses"]["503"].is_object()
                    );
                    assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{method} {path}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn every_answer_is_protected() {
    each_world(|world| async move {
        let browser = world.browser();
        for path in ["/", "/api/v1/me", "/healthz", "/review/1"] {
            let answer = browser.get(path).await;
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{path}");
            assert!(!policy.contains("unsafe"), "{path}");
            assert_eq!(answer.header(header::X_FRAME_OPTIONS), "DENY", "{path}");
            assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
            assert!(answer.header(header::STRICT_TRANSPORT_SECURITY).is_empty(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn health_is_told_and_numbers_only_to_this_machine() {
    each_world(|world| async move {
        let mut browser = world.browser();
        assert_eq!(browser.get("/healthz").await.text(), "ok");
        assert_eq!(browser.get("/readyz").await.status, 200);
        world.hold(&letter("so-lieu")).await;
        let numbers = browser.get("/metrics").await.text();
        for line in ["congvu_up 1", "congvu_pending_reviews 1", "congvu_queued_recipients 0"] {
            assert!(numbers.lines().any(|l| l == line), "{line}: {numbers}");
        }
        browser.peer.address = "192.0.2.7:40000".parse().unwrap();
        assert_eq!(browser.get("/metrics").await.problem(), (403, "noRight".to_owned()));
        browser.bearer = Some("so-lieu-7");
        assert_eq!(browser.get("/metrics").await.status, 200);
        browser.bearer = Some("so-lieu-8");
        assert_eq!(browser.get("/metrics").await.status, 403);
        // A proxy on this machine does not make everybody one of it.
        browser.peer.address = "127.0.0.1:40000".parse().unwrap();
        browser.forwarded = Some("127.0.0.1");
        assert_eq!(browser.get("/metrics").await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn changes_are_told_to_who_may_see_them() {
    each_world(|world| async move {
        let reviewer = world.signed_in("mai").await;
        let stranger = world.signed_in("lan").await;
        let account =
            reviewer.get("/api/v1/me").await.json()["accounts"][0]["id"].as_str().unwrap().to_owned();
        let open = |browser: crate::browser::Browser| async move {
            let answer = browser.open(Method::GET, "/api/v1/events", Body::empty()).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
            let mut stream = answer.into_body().into_data_stream();
            let beat = stream.next().await.unwrap().unwrap();
            assert!(beat.starts_with(b":"), "{beat:?}");
            stream
        };
        let mut heard = open(reviewer.clone()).await;
        let mut unheard = open(stranger).await;
        world.hold(&letter("thay-doi")).await;
        let event = tokio::time::timeout(Duration::from_secs(10), heard.next()).await.unwrap();
        let event = String::from_utf8(event.unwrap().unwrap().to_vec()).unwrap();
        assert!(event.contains("event: changed"), "{event}");
        assert!(event.contains(&format!("data: {{\"account\":\"{account}\"}}")), "{event}");
        let nothing = tokio::time::timeout(Duration::from_millis(200), unheard.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        // The session ends, and with it the stream.
        reviewer.call(Method::DELETE, "/api/v1/session", Body::empty()).await;
        world.hold(&letter("sau-khi-thoat")).await;
        let ended = tokio::time::timeout(Duration::from_secs(10), async move {
            while let Some(more) = heard.next().await {
                let more = more.unwrap();
                assert!(!more.starts_with(b"event: changed") || more.len() < 100, "{more:?}");
            }
        });
        assert!(ended.await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_person_holds_few_streams() {
    each_world(|world| async move {
        let browser = world.signed_in("mai").await;
        let mut open = Vec::new();
        for _ in 0..6 {
            let answer = browser.open(Method::GET, "/api/v1/events", Body::empty()).await;
            assert_eq!(answer.status(), 200);
            open.push(answer);
        }
        assert_eq!(browser.get("/api/v1/events").await.problem(), (429, "tooMany".to_owned()));
        open.pop();
        let answer = browser.open(Method::GET, "/api/v1/events", Body::empty()).await;
        assert_eq!(answer.status(), 200);
    })
    .await;
}

/// The front end's types are made from this file (`npm run api`). `CONGVU_BLESS=1` writes it anew.
#[test]
fn the_front_end_speaks_this_interface() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../webapp/openapi.json");
    let described = format!("{}\n", congvu_web::openapi());
    if std::env::var_os("CONGVU_BLESS").is_some() {
        std::fs::write(file, &described).unwrap();
    }
    assert!(
        std::fs::read_to_string(file).unwrap() == described,
        "the interface changed: run this test with CONGVU_BLESS=1, then `npm run api` in webapp"
    );
}
