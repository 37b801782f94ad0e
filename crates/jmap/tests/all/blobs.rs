//! Upload, download, Blob/copy (RFC 8620 §6).

use crate::world::{AGENCY, MAI, body, each_world};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use congvu_storage::BlobHash;

const LETTER: &[u8] = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nhello\r\n";

fn id_of(bytes: &[u8]) -> String {
    format!("b{}", BlobHash::of(bytes).to_hex())
}

#[tokio::test]
async fn what_is_uploaded_can_be_downloaded_by_who_uploaded_it() {
    each_world(|world| async move {
        let (mai, an) = (world.client("mai").await, world.client("an").await);
        let shared = mai.names.get("shared").to_owned();
        let blob = mai.upload(&shared, "text/html", b"<script>alert(1)</script>").await;
        let path = format!("/jmap/download/{shared}/{blob}/b%C3%A1o%20c%C3%A1o.html?accept=text/html");
        let response = mai.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(
            headers[header::CONTENT_DISPOSITION],
            "attachment; filename*=UTF-8''b%C3%A1o%20c%C3%A1o.html"
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
        assert_eq!(body(response).await, b"<script>alert(1)</script>");
        // An upload is nobody else's, in no other account.
        assert_eq!(an.get(&path).await.status(), StatusCode::NOT_FOUND);
        let own = mai.names.get("own");
        assert_eq!(mai.get(&path.replace(&shared, own)).await.status(), StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn an_upload_is_refused_where_one_may_not_write_and_beyond_its_limit() {
    each_world(|world| async move {
        let (mai, lan) = (world.client("mai").await, world.client("lan").await);
        let shared = mai.names.get("shared").to_owned();
        let own = mai.names.get("own").to_owned();
        let send = |account: &str, size: usize| {
            Request::post(format!("/jmap/upload/{account}/")).body(Body::from(vec![0; size])).unwrap()
        };
        assert_eq!(lan.send(send(&shared, 1)).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(lan.send(send(&own, 1)).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(mai.send(send("a1", 1)).await.status(), StatusCode::NOT_FOUND);
        let response = mai.send(send(&own, 1_000_001)).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let problem = String::from_utf8(body(response).await).unwrap();
        assert!(problem.contains("\"limit\":\"maxSizeUpload\""), "{problem}");
    })
    .await;
}

#[tokio::test]
async fn a_message_is_downloaded_by_who_reads_the_account() {
    each_world(|world| async move {
        world.deliver(AGENCY, LETTER).await;
        let (mai, lan) = (world.client("mai").await, world.client("lan").await);
        let (shared, own) = (mai.names.get("shared").to_owned(), mai.names.get("own").to_owned());
        let path =
            |account: &str| format!("/jmap/download/{account}/{}/x.eml?accept=message/rfc822", id_of(LETTER));
        let response = lan.get(&path(&shared)).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "message/rfc822");
        assert_eq!(body(response).await, LETTER);
        // S3.1b (Điều 3): under whose name it was read stands in the record.
        let account = world.account(AGENCY).await;
        let readers = world.db.read(move |s| {
            s.query(
                "SELECT person_id FROM email_read WHERE account_id = ?1",
                &congvu_storage::params![account.get()],
                |r| r.i64(0),
            )
        });
        assert_eq!(readers.await.unwrap(), [lan.who.person().get()]);
        assert_eq!(lan.get(&path(&own)).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(mai.get(&path(&own)).await.status(), StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn blobs_are_copied_between_accounts() {
    each_world(|world| async move {
        world.deliver(AGENCY, LETTER).await;
        let mut mai = world.client("mai").await;
        mai.names.set("blob", id_of(LETTER));
        mai.play(
            r##"
            > [["Blob/copy", {"fromAccountId": "$shared", "accountId": "$own", "blobIds": ["$blob", "bx"]}, "c0"],
               ["Blob/copy", {"fromAccountId": "a1", "accountId": "$own", "blobIds": ["$blob"]}, "c1"],
               ["Blob/copy", {"fromAccountId": "$shared", "accountId": "x", "blobIds": ["$blob"]}, "c2"],
               ["Blob/copy", {"fromAccountId": "$shared", "accountId": "$own", "blobIds": 7}, "c3"]]
            < [["Blob/copy", {"fromAccountId": "$shared", "accountId": "$own", "copied": {"$blob": "$blob"},
                    "notCopied": {"bx": {"type": "blobNotFound"}}}, "c0"],
               ["error", {"type": "fromAccountNotFound"}, "c1"],
               ["error", {"type": "accountNotFound"}, "c2"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c3"]]
            "##,
        )
        .await;
        let (own, blob) = (mai.names.get("own"), mai.names.get("blob"));
        let response = mai.get(&format!("/jmap/download/{own}/{blob}/x")).await;
        assert_eq!(body(response).await, LETTER);
        let _ = MAI;
    })
    .await;
}
