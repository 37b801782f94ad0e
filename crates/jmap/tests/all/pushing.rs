//! Changes as they come: the event source (RFC 8620 §7.3) and the web socket (RFC 8887).

use crate::world::{Client, MAI, World, each_world};
use axum::{
    Extension,
    http::{HeaderValue, StatusCode},
};
use congvu_types::Language;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const PATIENCE: Duration = Duration::from_secs(20);
const LETTER: &[u8] = b"Subject: x\r\n\r\nx\r\n";

#[tokio::test]
async fn an_event_source_tells_of_changes_once_and_closes() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let response = mai.get("/jmap/eventsource/?types=Email,Mailbox&closeafter=state&ping=0").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        world.deliver(MAI, LETTER).await;
        let body = timeout(PATIENCE, crate::world::body(response)).await.unwrap();
        let text = String::from_utf8(body).unwrap();
        assert!(text.starts_with("event: state\n"), "{text}");
        let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let told: Value = serde_json::from_str(data).unwrap();
        let own = mai.names.get("own");
        let state = &told["changed"][own]["Email"];
        assert!(state.is_string(), "{told}");
        assert_eq!(
            told,
            json!({ "@type": "StateChange", "changed": { own: { "Email": state, "Mailbox": state } } })
        );
        for bad in ["types=*&closeafter=x&ping=0", "types=*&closeafter=no&ping=x", "types=*"] {
            assert_eq!(mai.get(&format!("/jmap/eventsource/?{bad}")).await.status(), StatusCode::BAD_REQUEST);
        }
    })
    .await;
}

/// What an account sends has states of its own, and is told of without the mail.
#[tokio::test]
async fn what_is_sent_is_told_of_too() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let own = mai.names.get("own").to_owned();
        let response = mai.get("/jmap/eventsource/?types=*&closeafter=state&ping=0").await;
        let set = json!({ "accountId": own, "update": { "singleton": { "subject": "vang" } } });
        mai.call(json!([["VacationResponse/set", set, "c"]])).await;
        let body = timeout(PATIENCE, crate::world::body(response)).await.unwrap();
        let text = String::from_utf8(body).unwrap();
        let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let told: Value = serde_json::from_str(data).unwrap();
        assert_eq!(told["changed"], json!({ own: { "VacationResponse": "1" } }));
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_that_has_ended_hears_no_more() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let response = mai.get("/jmap/eventsource/?types=*&closeafter=no&ping=0").await;
        let who = mai.who.clone();
        world
            .auth
            .change_password(&who, "mot mat khau dai 1", "mot mat khau khac 2", [127, 0, 0, 1].into())
            .await
            .unwrap();
        world.deliver(MAI, LETTER).await;
        let body = timeout(PATIENCE, crate::world::body(response)).await.unwrap();
        assert!(!String::from_utf8(body).unwrap().contains("event: state"));
    })
    .await;
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Serves the door to one person; returns its port.
async fn serve(world: &World, client: &Client) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = world.router.clone();
    let router = router.layer(Extension(client.who.clone())).layer(Extension(Language::English));
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        match timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(_) => return Value::Null,
            _ => {}
        }
    }
}

#[tokio::test]
async fn requests_and_changes_go_over_a_web_socket() {
    each_world(|world| async move {
        let mai = world.client("mai").await;
        let port = serve(&world, &mai).await;
        let request = |origin: &str, protocol: &'static str| {
            let mut request = format!("ws://127.0.0.1:{port}/jmap/ws").into_client_request().unwrap();
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
            request.headers_mut().insert("origin", origin.parse().unwrap());
            request
        };
        let own = format!("http://127.0.0.1:{port}");
        assert!(connect_async(request("https://evil.example", "jmap")).await.is_err());
        assert!(connect_async(request(&own, "chat")).await.is_err());
        let (mut socket, _) = connect_async(request(&own, "jmap")).await.unwrap();
        let using = ["urn:ietf:params:jmap:core"];
        let echo = json!({ "@type": "Request", "id": "r1", "using": using, "methodCalls": [["Core/echo", { "a": 1 }, "c0"]] });
        say(&mut socket, &echo).await;
        let answer = hear(&mut socket).await;
        assert_eq!((&answer["@type"], &answer["requestId"]), (&"Response".into(), &"r1".into()));
        assert_eq!(answer["methodResponses"], json!([["Core/echo", { "a": 1 }, "c0"]]));
        say(&mut socket, &json!({ "@type": "Request", "id": "r2", "using": ["urn:x"], "methodCalls": [] })).await;
        let error = hear(&mut socket).await;
        assert_eq!((&error["@type"], &error["requestId"]), (&"RequestError".into(), &"r2".into()));
        assert_eq!(error["type"], "urn:ietf:params:jmap:error:unknownCapability");
        socket.send(Message::text("{")).await.unwrap();
        assert_eq!(hear(&mut socket).await["type"], "urn:ietf:params:jmap:error:notJSON");
        say(&mut socket, &json!({ "@type": "WebSocketPushEnable", "dataTypes": ["Mailbox"] })).await;
        // Answered after it: the change comes to a socket that listens.
        say(&mut socket, &echo).await;
        hear(&mut socket).await;
        world.deliver(MAI, LETTER).await;
        let change = hear(&mut socket).await;
        assert_eq!(change["@type"], "StateChange");
        assert!(change["pushState"].is_string());
        assert!(change["changed"][mai.names.get("own")]["Mailbox"].is_string());
        // Who is signed out is told nothing more, and asks nothing.
        let who = mai.who.clone();
        let changed = world.auth.change_password(&who, "mot mat khau dai 1", "mot mat khau khac 2", [127, 0, 0, 1].into());
        changed.await.unwrap();
        say(&mut socket, &echo).await;
        assert_eq!(hear(&mut socket).await, Value::Null);
    })
    .await;
}
