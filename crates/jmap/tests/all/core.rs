//! RFC 8620: requests, references, errors, the session.

use crate::world::{body, each_world};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_session_shows_accounts_by_rights() {
    each_world(|world| async move {
        let mut lan = world.client("lan").await;
        let mai = world.client("mai").await;
        for path in ["/.well-known/jmap", "/jmap/session"] {
            let response = mai.get(path).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache, no-store, must-revalidate");
        }
        let session: Value = serde_json::from_slice(&body(mai.get("/jmap/session").await).await).unwrap();
        assert_eq!(session["apiUrl"], "http://mail.example/jmap/api");
        assert_eq!(session["username"], "mai@bqlctgt");
        let (own, shared) = (mai.names.get("own"), mai.names.get("shared"));
        assert_eq!(session["primaryAccounts"]["urn:ietf:params:jmap:core"], own);
        assert_eq!(session["accounts"][own]["isPersonal"], true);
        assert_eq!(session["accounts"][shared]["isPersonal"], false);
        assert_eq!(session["accounts"][shared]["isReadOnly"], false);
        assert_eq!(session["capabilities"]["urn:ietf:params:jmap:core"]["maxCallsInRequest"], 32);
        // Whoever may only read has a read-only account, and nobody else's.
        let session: Value = serde_json::from_slice(&body(lan.get("/jmap/session").await).await).unwrap();
        assert_eq!(session["accounts"].as_object().unwrap().len(), 1);
        assert_eq!(session["accounts"][shared]["isReadOnly"], true);
        let request = json!({ "using": [], "methodCalls": [] }).to_string();
        assert_eq!(lan.post(request).await.1["sessionState"], session["state"]);
        lan.play(
            r##"> [["Core/echo", {"hello": true}, "c0"]]  < [["Core/echo", {"hello": true}, "c0"]]"##
                .replace("  <", "\n<")
                .as_str(),
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn references_and_errors_are_those_of_the_rfc() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.play(
            r##"
            # RFC 8620 §3.7: paths, with * over lists
            > [["Core/echo", {"list": [{"id": "x"}, {"id": "y"}]}, "c0"],
               ["Core/echo", {"#ids": {"resultOf": "c0", "name": "Core/echo", "path": "/list/*/id"}}, "c1"]]
            < ["…", ["Core/echo", {"ids": ["x", "y"]}, "c1"]]

            # what refers to nothing, to itself, or to an error
            > [["Core/echo", {"#a": {"resultOf": "c0", "name": "Core/echo", "path": "/a"}}, "c0"],
               ["Core/echo", {"#a": {"resultOf": "c0", "name": "Core/echo", "path": "/a"}}, "c1"],
               ["Core/echo", {"#a": 7}, "c2"],
               ["Core/echo", {"a": 1, "#a": {"resultOf": "c9", "name": "Core/echo", "path": "/a"}}, "c3"]]
            < [["error", {"type": "invalidResultReference"}, "c0"],
               ["error", {"type": "invalidResultReference"}, "c1"],
               ["error", {"type": "invalidResultReference"}, "c2"],
               ["error", {"type": "invalidResultReference"}, "c3"]]

            > [["Email/fly", {}, "c0"], ["Core/echo", {"a": 1}, "c0"]]
            < [["error", {"type": "unknownMethod"}, "c0"], ["Core/echo", {"a": 1}, "c0"]]
            "##,
        )
        .await;
    })
    .await;
}

/// RFC 8620 §3.6.1
#[tokio::test]
async fn a_request_that_cannot_be_heard_is_a_problem_document() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let many = vec![json!(["Core/echo", {}, "c"]); 1000];
        let many = json!({ "using": [], "methodCalls": many }).to_string();
        for (text, kind, limit) in [
            ("{", "notJSON", Value::Null),
            (r#"{"using":[],"using":[],"methodCalls":[]}"#, "notJSON", Value::Null),
            (deep.as_str(), "notJSON", Value::Null),
            ("[]", "notRequest", Value::Null),
            (r#"{"using":[],"methodCalls":[[1]]}"#, "notRequest", Value::Null),
            (r#"{"using":["urn:x"],"methodCalls":[]}"#, "unknownCapability", Value::Null),
            (many.as_str(), "limit", "maxCallsInRequest".into()),
        ] {
            let (status, document) = mai.post(text.to_owned()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text:.60}");
            assert_eq!(document["type"], format!("urn:ietf:params:jmap:error:{kind}"));
            assert_eq!(document["status"], 400);
            assert_eq!(document["limit"], limit);
        }
        let (status, document) = mai.post(vec![b' '; 10_000_001]).await;
        assert_eq!((status, &document["limit"]), (StatusCode::PAYLOAD_TOO_LARGE, &"maxSizeRequest".into()));
        let plain = Request::post("/jmap/api").header(header::CONTENT_TYPE, "text/plain");
        let response = mai.send(plain.body(Body::from("{}")).unwrap()).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let document: Value = serde_json::from_slice(&body(response).await).unwrap();
        assert_eq!(document["type"], "urn:ietf:params:jmap:error:notJSON");
    })
    .await;
}

#[tokio::test]
async fn a_method_is_there_for_who_uses_its_capability() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let request =
            json!({ "using": [], "methodCalls": [["Core/echo", {}, "c"]], "createdIds": { "k": "e1" } });
        let (_, document) = mai.post(request.to_string()).await;
        assert_eq!(document["methodResponses"], json!([["error", { "type": "unknownMethod" }, "c"]]));
        assert_eq!(document["createdIds"], json!({ "k": "e1" }));
    })
    .await;
}
