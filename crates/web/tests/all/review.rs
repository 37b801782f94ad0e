//! S9.1 (Điều 9): review of outgoing mail in a browser.

use crate::world::{each, each_world, letter};
use axum::http::header;
use serde_json::{Value, json};

/// S9.1 (Điều 9): what is held is listed, shown with its attachments, decided on, and leaves.
#[tokio::test]
async fn a_reviewer_reads_approves_and_the_message_leaves() {
    each_world(|world| async move {
        let id = world.hold(&letter("bao-cao")).await;
        let reviewer = world.signed_in("mai").await;
        assert_eq!(reviewer.get("/api/v1/me").await.json()["pendingReviews"], 1);
        let list = reviewer.get("/api/v1/reviews?state=awaiting").await.json();
        let item = &list["reviews"][0];
        assert_eq!((&item["id"], &list["next"]), (&json!(id), &Value::Null));
        assert_eq!(item["subject"], "bao-cao");
        assert_eq!(item["author"]["name"], "Nguyễn Văn An");
        assert_eq!(item["account"]["address"], "bqlctgt@khanhhoa.example");
        assert_eq!(item["recipients"], json!(["sonoivu@gov.example", "dan@gmail.com"]));
        assert_eq!(
            (&item["citation"]["rule"], &item["citation"]["text"]),
            (&json!("S9.1"), &json!("Điều 9"))
        );
        for (key, value) in [("canDecide", true), ("isMine", false), ("hasAttachments", true)] {
            assert_eq!(item[key], value, "{key}");
        }
        assert!(item["dueAt"].as_str().unwrap().ends_with('Z'));

        let detail = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json();
        assert_eq!(detail["text"].as_str().unwrap().trim(), "Kính gửi quý Sở");
        assert_eq!(detail["to"], json!([{ "name": "Sở Nội vụ", "address": "sonoivu@gov.example" }]));
        assert_eq!(detail["sentAt"], "2026-11-23T01:00:00Z");
        let official: Vec<_> =
            detail["envelopeRecipients"].as_array().unwrap().iter().map(|r| r["official"].clone()).collect();
        assert_eq!(official, [true, false]);
        assert_eq!(detail["hits"][0]["address"], "dan@gmail.com");
        let attachment = &detail["attachments"][0];
        assert_eq!(attachment["name"], "bao-cao.pdf.exe");
        assert_eq!(
            (&attachment["dangerous"], &attachment["detectedType"]),
            (&json!(true), &json!("application/pdf"))
        );

        // S9.1: the HTML form and the attachment, not opened, stand against the approval.
        assert_eq!((&detail["textOpened"], &attachment["opened"]), (&json!(false), &json!(false)));
        let decision = json!({ "decision": "approve", "digest": detail["digest"] });
        let early = reviewer.post(&format!("/api/v1/reviews/{id}/decision"), &decision).await;
        assert_eq!(early.problem(), (422, "notOpened".to_owned()));
        assert_eq!(early.json()["unopened"], json!(["\"bao-cao\" (HTML)", "bao-cao.pdf.exe"]));
        reviewer.get(&format!("/api/v1/reviews/{id}/html")).await;
        reviewer.get(&format!("/api/v1/reviews/{id}/attachments/0")).await;
        let decided = reviewer.post(&format!("/api/v1/reviews/{id}/decision"), &decision).await;
        assert_eq!(decided.status, 200, "{}", decided.text());
        assert_eq!(decided.json()["state"], "approved");
        assert_eq!(decided.json()["decidedBy"], "Lê Thị Mai");
        let again = reviewer.post(&format!("/api/v1/reviews/{id}/decision"), &decision).await;
        assert_eq!(again.problem(), (409, "alreadyDecided".to_owned()));
        let list = reviewer.get("/api/v1/reviews?state=decided").await.json();
        assert_eq!(list["reviews"][0]["canDecide"], false);
        let steps = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json()["history"].clone();
        let steps: Vec<_> = steps.as_array().unwrap().iter().map(|s| s["step"].clone()).collect();
        assert_eq!(steps, ["submitted", "viewed", "approved"]);

        let outbox = reviewer.get("/api/v1/outbox").await.json();
        assert_eq!(outbox["messages"][0]["subject"], "bao-cao", "{outbox}");
        let kept = outbox["messages"][0]["id"].as_str().unwrap();
        let raw = reviewer.get(&format!("/api/v1/outbox/{kept}")).await;
        assert_eq!(raw.header(header::CONTENT_TYPE), "message/rfc822");
        assert!(raw.text().contains("Subject: bao-cao"));
    })
    .await;
}

/// S9.1 (Điều 9): an author never decides on their own message; who may not see it learns nothing.
#[tokio::test]
async fn an_author_cannot_decide() {
    each_world(|world| async move {
        let id = world.hold(&letter("tu-duyet")).await;
        let path = format!("/api/v1/reviews/{id}");
        let author = world.signed_in("an").await;
        let detail = author.get(&path).await.json();
        assert_eq!((&detail["canDecide"], &detail["isMine"]), (&json!(false), &json!(true)));
        let decision = json!({ "decision": "approve", "digest": detail["digest"] });
        let answer = author.post(&format!("{path}/decision"), &decision).await;
        assert_eq!(answer.problem(), (403, "ownMessage".to_owned()));
        assert_eq!(answer.json()["citation"]["rule"], "S9.1");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("Authors cannot"));
        let stranger = world.signed_in("lan").await;
        for path in
            [path.clone(), format!("{path}/html"), format!("{path}/message"), format!("{path}/attachments/0")]
        {
            assert_eq!(stranger.get(&path).await.problem(), (404, "notFound".to_owned()), "{path}");
        }
        let answer = stranger.post(&format!("{path}/decision"), &decision).await;
        assert_eq!(answer.problem(), (404, "notFound".to_owned()));
        let mine = author.get("/api/v1/reviews?state=mine").await.json();
        assert_eq!(mine["reviews"][0]["id"], json!(id));
        let taken_back = author.post(&format!("{path}/withdraw"), &json!({})).await;
        assert_eq!(taken_back.json()["state"], "withdrawn");
    })
    .await;
}

/// S9.1 (Điều 9): a decision is on exactly the bytes that were shown, and returning needs a reason.
#[tokio::test]
async fn a_decision_names_what_was_seen_and_why() {
    each_world(|world| async move {
        let id = world.hold(&letter("tra-lai")).await;
        let reviewer = world.signed_in("mai").await;
        let path = format!("/api/v1/reviews/{id}/decision");
        let digest = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json()["digest"].clone();
        let answer = reviewer.post(&path, &json!({ "decision": "approve", "digest": "0".repeat(64) })).await;
        assert_eq!(answer.problem(), (409, "changed".to_owned()));
        let answer = reviewer.post(&path, &json!({ "decision": "return", "digest": digest })).await;
        assert_eq!(answer.problem(), (422, "reasonNeeded".to_owned()));
        let answer = reviewer.post(&path, &json!({ "decision": "approve" })).await;
        assert_eq!(answer.problem(), (422, "malformed".to_owned()));
        let body = json!({ "decision": "return", "digest": digest, "comment": "Bổ sung phụ lục" });
        let answer = reviewer.post(&path, &body).await.json();
        assert_eq!((&answer["state"], &answer["comment"]), (&json!("returned"), &json!("Bổ sung phụ lục")));
    })
    .await;
}

#[tokio::test]
async fn hostile_html_is_served_harmless() {
    each_world(|world| async move {
        let id = world.hold(&letter("html")).await;
        let reviewer = world.signed_in("mai").await;
        let detail = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json();
        assert_eq!((&detail["hasHtml"], &detail["hasRemoteContent"]), (&json!(true), &json!(true)));
        let html = reviewer.get(&format!("/api/v1/reviews/{id}/html")).await;
        assert_eq!(html.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
        let policy = html.header(header::CONTENT_SECURITY_POLICY);
        for needed in
            ["default-src 'none'", "img-src data:;", "frame-ancestors 'self'", "sandbox allow-popups"]
        {
            assert!(policy.contains(needed), "{policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("allow-scripts"), "{policy}");
        assert_eq!(html.header(header::X_FRAME_OPTIONS), "SAMEORIGIN");
        assert!(html.text().contains("Kính gửi"));
        let detail = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json();
        assert_eq!(detail["textOpened"], true);
        for hostile in ["<script", "onclick", "tracker.example"] {
            assert!(!html.text().contains(hostile), "{hostile}: {}", html.text());
        }
    })
    .await;
}

#[tokio::test]
async fn attachments_and_messages_are_files_to_be_saved() {
    each_world(|world| async move {
        let raw = letter("tep-tin");
        let id = world.hold(&raw).await;
        let reviewer = world.signed_in("mai").await;
        let file = reviewer.get(&format!("/api/v1/reviews/{id}/attachments/0")).await;
        assert_eq!(file.header(header::CONTENT_TYPE), "application/octet-stream");
        assert_eq!(file.header(header::CONTENT_DISPOSITION), "attachment; filename*=UTF-8''bao-cao.pdf.exe");
        assert_eq!(file.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(file.text(), "%PDF-1.4 report");
        let message = reviewer.get(&format!("/api/v1/reviews/{id}/message")).await;
        assert_eq!(message.header(header::CONTENT_TYPE), "message/rfc822");
        assert_eq!(message.body, raw);
        for index in ["1", "-1", "x"] {
            let answer = reviewer.get(&format!("/api/v1/reviews/{id}/attachments/{index}")).await;
            assert_eq!(answer.status, 404, "{index}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages() {
    each_world(|world| async move {
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(world.hold(&letter(&format!("thu-{n}"))).await);
        }
        ids.reverse();
        let reviewer = world.signed_in("mai").await;
        let (mut seen, mut before) = (Vec::new(), String::new());
        loop {
            let page = reviewer.get(&format!("/api/v1/reviews?state=awaiting&limit=2{before}")).await.json();
            let items = page["reviews"].as_array().unwrap();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|r| r["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(seen, ids);
        assert_eq!(reviewer.get("/api/v1/reviews?state=all").await.problem(), (400, "malformed".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn only_the_demo_shows_an_outbox() {
    each(false, |world| async move {
        let browser = world.signed_in("mai").await;
        for path in ["/api/v1/outbox", "/api/v1/outbox/1"] {
            assert_eq!(browser.get(path).await.problem(), (404, "notFound".to_owned()));
        }
    })
    .await;
}

/// S9.1 (Điều 9): no part of a message is out of the reviewer's sight, and it is said where answers go.
#[tokio::test]
async fn a_part_without_a_name_is_shown_as_an_attachment() {
    each_world(|world| async move {
        let raw = "From: bqlctgt@khanhhoa.example\r\nReply-To: An <an@gmail.com>\r\nSubject: x\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nshown\r\n--b\r\n\r\nhidden\r\n--b--\r\n";
        let id = world.hold(raw.as_bytes()).await;
        let reviewer = world.signed_in("mai").await;
        let detail = reviewer.get(&format!("/api/v1/reviews/{id}")).await.json();
        assert_eq!((&detail["text"], &detail["hasAttachments"]), (&json!("shown"), &json!(true)));
        assert_eq!(detail["attachments"][0]["name"], "text.txt");
        assert_eq!(detail["replyTo"], json!([{ "name": "An", "address": "an@gmail.com" }]));
        assert_eq!(detail["sender"], json!([]));
        assert_eq!(detail["hits"][1]["isReplyTo"], true);
        let part = reviewer.get(&format!("/api/v1/reviews/{id}/attachments/0")).await;
        assert_eq!(part.text(), "hidden");
    })
    .await;
}
