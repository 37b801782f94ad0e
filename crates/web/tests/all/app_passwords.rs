//! App passwords, and mail clients that set themselves up.

use crate::world::each_world;
use axum::{body::Body, http::Method};
use congvu_directory::Door;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_device_gets_a_secret_of_its_own_and_loses_it() {
    each_world(|world| async move {
        let mai = world.signed_in("mai").await;
        let none = mai.get("/api/v1/app-passwords").await.json();
        assert_eq!(none["appPasswords"], json!([]));
        assert_eq!(
            none["settings"],
            json!({ "host": "mail.khanhhoa.example", "imapPort": 993, "submissionPort": 465 })
        );
        let refused = mai.post("/api/v1/app-passwords", &json!({ "name": "  " })).await;
        assert_eq!(refused.problem(), (422, "invalidName".to_owned()));
        let made = mai.post("/api/v1/app-passwords", &json!({ "name": "Điện thoại" })).await;
        assert_eq!(made.status, 201);
        let made = made.json();
        let (id, secret) =
            (made["appPassword"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap().to_owned());
        let listed = mai.get("/api/v1/app-passwords").await;
        assert_eq!(listed.json()["appPasswords"][0]["name"], "Điện thoại");
        assert!(!listed.text().contains(&secret), "the secret is shown once");
        let signed_in = world.auth().sign_in("mai@bqlctgt", &secret, Door::Imap, PEER).await;
        assert_eq!(signed_in.unwrap().login(), "mai@bqlctgt");
        let path = format!("/api/v1/app-passwords/{id}");
        let other = world.signed_in("an").await.call(Method::DELETE, &path, Body::empty()).await;
        assert_eq!(other.problem(), (404, "notFound".to_owned()));
        assert_eq!(mai.call(Method::DELETE, &path, Body::empty()).await.status, 204);
        assert!(world.auth().sign_in("mai@bqlctgt", &secret, Door::Imap, PEER).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn mail_clients_learn_where_the_doors_are() {
    each_world(|world| async move {
        let client = world.browser();
        let path = "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=";
        let found = client.get(&format!("{path}mai@khanhhoa.example")).await.text();
        for part in [
            "<incomingServer type=\"imap\"><hostname>mail.khanhhoa.example</hostname><port>993</port>",
            "<outgoingServer type=\"smtp\"><hostname>mail.khanhhoa.example</hostname><port>465</port>",
        ] {
            assert!(found.contains(part), "{found}");
        }
        assert_eq!(client.get(&format!("{path}mai@other.example")).await.status, 404);
        assert_eq!(client.get(&format!("{path}mai")).await.status, 400);
        let ask =
            |address: &str| Body::from(format!("<Request><EMailAddress>{address}</EMailAddress></Request>"));
        let path = "/autodiscover/autodiscover.xml";
        let found = client.call(Method::POST, path, ask("a&amp;b@khanhhoa.example")).await;
        assert_ne!(found.status, 500, "{}", found.text());
        let found = client.call(Method::POST, path, ask("mai@khanhhoa.example")).await.text();
        assert!(found.contains("<Type>IMAP</Type><Server>mail.khanhhoa.example</Server><Port>993</Port>"));
        assert!(found.contains("<LoginName>mai@khanhhoa.example</LoginName>"), "{found}");
        assert_eq!(client.call(Method::POST, path, Body::from("rubbish")).await.status, 400);
    })
    .await;
}
