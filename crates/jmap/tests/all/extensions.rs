//! What goes beyond RFC 8621's emails: views, quotas, blobs by method.

use crate::world::{AGENCY, MAI, each_world};
use congvu_directory::set_quota;
use congvu_storage::Actor;

const HOSTILE: &[u8] = b"From: a@b.example\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n\
    <p onclick=x()>Ch\xc3\xa0o<script>alert(1)</script><img src=\"cid:dau@x\"><img src=\"https://t.example/p.gif\"></p>\r\n\
    --r\r\nContent-Type: image/gif\r\nContent-ID: <dau@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    R0lGODlhAQABAAAAACw=\r\n--r--\r\n\
    --m\r\nContent-Type: application/pdf; name=\"bao-cao.pdf.exe\"\r\n\r\nMZ\r\n--m--\r\n";

#[tokio::test]
async fn hostile_html_is_made_ready_to_be_shown() {
    each_world(|world| async move {
        let delivered = world.deliver(AGENCY, HOSTILE).await;
        let mut lan = world.client("lan").await;
        lan.names.set("e", format!("e{}", delivered.email));
        lan.play(
            r##"
            > [["EmailView/get", {"accountId": "$shared", "ids": ["$e", "e1"]}, "c0"],
               ["EmailView/get", {"accountId": "$shared", "ids": ["$e"], "allowRemote": true}, "c1"],
               ["EmailView/get", {"accountId": "$own", "ids": ["$e"]}, "c2"]]
            < [["EmailView/get", {"accountId": "$shared", "state": "…", "notFound": ["e1"], "list": [{"id": "$e",
                    "html": "<p>Chào<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"><img></p>…", "hadRemote": true,
                    "text": "Chào…", "textIsFromHtml": true, "isTruncated": false, "attachments": [
                        {"partId": "2", "blobId": "…", "name": "image.gif", "type": "image/gif", "declaredType": "image/gif",
                         "detectedType": "image/gif", "size": 14, "cid": "dau@x", "isDangerous": false, "isShown": true},
                        {"partId": "3", "blobId": "…", "name": "bao-cao.pdf.exe", "type": "…", "declaredType": "application/pdf",
                         "detectedType": "…", "size": 2, "cid": null, "isDangerous": true, "isShown": false}]}]}, "c0"],
               ["EmailView/get", {"list": [{"html": "<p>Chào<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"><img src=\"https://t.example/p.gif\"></p>…", "…": "…"}], "…": "…"}, "c1"],
               ["error", {"type": "accountNotFound"}, "c2"]]
            "##,
        )
        .await;
        // S3.1b (Điều 3): who had it before them is recorded.
        let account = world.account(AGENCY).await;
        let readers = world.db.read(move |s| {
            s.query(
                "SELECT person_id FROM email_read WHERE account_id = ?1",
                &congvu_storage::params![account.get()],
                |r| r.i64(0),
            )
        });
        assert_eq!(readers.await.unwrap(), [lan.who.person().get()]);
    })
    .await;
}

/// S8.1 (Điều 8): the account's room is told before it is full.
#[tokio::test]
async fn a_quota_is_told() {
    each_world(|world| async move {
        world.deliver(MAI, b"Subject: x\r\n\r\nx\r\n").await;
        let address = MAI.parse().unwrap();
        world.db.write(Actor::System("test"), move |tx| set_quota(tx, &address, Some(1000))).await.unwrap();
        let mut mai = world.client("mai").await;
        mai.play(
            r##"
            > [["Quota/get", {"accountId": "$own", "ids": null}, "c0"], ["Quota/query", {"accountId": "$own", "filter": {"scope": "account"}}, "c1"],
               ["Quota/changes", {"accountId": "$own", "sinceState": "3-1000"}, "c2"], ["Quota/changes", {"accountId": "$own", "sinceState": "x"}, "c3"],
               ["Quota/get", {"accountId": "$shared", "ids": ["q1"]}, "c4"]]
            < [["Quota/get", {"list": [{"id": "q1", "resourceType": "octets", "used": 17, "hardLimit": 1000, "warnLimit": 900,
                    "softLimit": null, "scope": "account", "name": "mai@khanhhoa.example", "description": null, "types": ["Mail"]}],
                    "notFound": [], "…": "…"}, "c0"],
               ["Quota/query", {"ids": ["q1"], "…": "…"}, "c1"],
               ["Quota/changes", {"updated": ["q1"], "updatedProperties": ["used"], "newState": "17-1000", "…": "…"}, "c2"],
               ["error", {"type": "cannotCalculateChanges"}, "c3"],
               ["Quota/get", {"list": [], "notFound": ["q1"], "…": "…"}, "c4"]]

            > [["Email/set", {"accountId": "$own", "create": {"d": {"mailboxIds": {"m1": true}}}}, "c0"],
               ["Blob/upload", {"accountId": "$own", "create": {"a": {"data": [{"data:asText": "xin "}, {"data:asBase64": "Y2jDoG8="}], "type": "text/plain"},
                    "b": {"data": [{"data:asBase64": "?"}]}, "c": {"data": [{"blobId": "b0"}]}}}, "c1"],
               ["Blob/get", {"accountId": "$own", "ids": ["b0"]}, "c2"]]
            < ["…", ["Blob/upload", {"created": {"a": {"id": "$blob", "type": "text/plain", "size": 9}},
                    "notCreated": {"b": {"type": "invalidProperties", "…": "…"}, "c": {"type": "blobNotFound", "…": "…"}}, "…": "…"}, "c1"],
               ["Blob/get", {"list": [], "notFound": ["b0"], "…": "…"}, "c2"]]

            > [["Blob/get", {"accountId": "$own", "ids": ["$blob"], "properties": ["data:asText", "size", "digest:sha-256"], "offset": 4, "length": 2}, "c0"],
               ["Blob/upload", {"accountId": "$own", "create": {"p": {"data": [{"blobId": "$blob", "offset": 0, "length": 3}]}}}, "c1"],
               ["Blob/lookup", {"accountId": "$own", "ids": ["$blob", "b0"], "typeNames": ["Email"]}, "c2"],
               ["Blob/lookup", {"accountId": "$own", "ids": ["$blob"], "typeNames": ["Foo"]}, "c3"]]
            < [["Blob/get", {"list": [{"id": "$blob", "data:asText": "ch", "size": 9, "digest:sha-256": "…", "…": "…"}], "…": "…"}, "c0"],
               ["Blob/upload", {"created": {"p": {"size": 3, "…": "…"}}, "…": "…"}, "c1"],
               ["Blob/lookup", {"list": [{"id": "$blob", "matchedIds": {"Email": []}}], "notFound": ["b0"], "…": "…"}, "c2"],
               ["error", {"type": "unknownDataType"}, "c3"]]
            "##,
        )
        .await;
    })
    .await;
}
