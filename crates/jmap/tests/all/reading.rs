//! Mailboxes, threads and emails as they are read (RFC 8621).

use crate::world::{AGENCY, MAI, each_world};

fn letter(number: u32, more: &str) -> Vec<u8> {
    format!(
        "From: =?utf-8?Q?L=C3=AA_Mai?= <mai@khanhhoa.example>\r\nTo: an@b.example\r\nSubject: th\u{1b0} {number}\r\n\
         Message-ID: <{number}@b.example>\r\nDate: Mon, 23 Nov 2026 08:00:0{number} +0700\r\n{more}\r\nch\u{e0}o {number}\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn mailboxes_are_shown_with_their_counters() {
    each_world(|world| async move {
        world.deliver(MAI, &letter(1, "")).await;
        world.deliver(MAI, &letter(2, "In-Reply-To: <1@b.example>\r\n")).await;
        let (mut mai, mut lan) = (world.client("mai").await, world.client("lan").await);
        mai.play(
            r##"
            > [["Mailbox/query", {"accountId": "$own", "filter": {"role": "inbox"}}, "c0"],
               ["Mailbox/get", {"accountId": "$own", "#ids": {"resultOf": "c0", "name": "Mailbox/query", "path": "/ids"}}, "c1"]]
            < [["Mailbox/query", {"accountId": "$own", "queryState": "$state", "canCalculateChanges": false, "position": 0,
                    "ids": ["$inbox"]}, "c0"],
               ["Mailbox/get", {"accountId": "$own", "state": "$state", "notFound": [], "list": [
                   {"id": "$inbox", "name": "INBOX", "parentId": null, "role": "inbox", "sortOrder": 1, "totalEmails": 2,
                    "unreadEmails": 2, "totalThreads": 1, "unreadThreads": 1, "isSubscribed": true, "reviewRole": null,
                    "myRights": {"mayReadItems": true, "mayAddItems": true, "mayRemoveItems": true, "maySetSeen": true,
                        "maySetKeywords": true, "mayCreateChild": true, "mayRename": false, "mayDelete": false,
                        "maySubmit": true}}]}, "c1"]]

            > [["Mailbox/get", {"accountId": "$own", "ids": ["m1", "x"], "properties": ["name"]}, "c0"],
               ["Mailbox/get", {"accountId": "$own", "ids": ["m1"], "properties": ["colour"]}, "c1"],
               ["Mailbox/get", {"accountId": "$own", "ids": "m1"}, "c2"],
               ["Mailbox/query", {"accountId": "$own", "filter": {"colour": 1}}, "c3"],
               ["Mailbox/query", {"accountId": "$own", "sort": [{"property": "colour"}]}, "c4"],
               ["Mailbox/query", {"accountId": "$own", "anchor": "m1"}, "c5"],
               ["Mailbox/changes", {"accountId": "$own", "sinceState": "0"}, "c6"],
               ["Mailbox/changes", {"accountId": "$own", "sinceState": "99"}, "c7"],
               ["Mailbox/changes", {"accountId": "$own", "sinceState": "1"}, "c8"]]
            < [["Mailbox/get", {"accountId": "$own", "state": "…", "list": [], "notFound": ["m1", "x"]}, "c0"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c1"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c2"],
               ["error", {"type": "unsupportedFilter"}, "c3"],
               ["error", {"type": "unsupportedSort"}, "c4"],
               ["error", {"type": "anchorNotFound"}, "c5"],
               ["Mailbox/changes", {"created": ["…", "…", "…", "…", "…", "…"], "updated": [], "…": "…"}, "c6"],
               ["error", {"type": "cannotCalculateChanges"}, "c7"],
               ["Mailbox/changes", {"accountId": "$own", "oldState": "1", "newState": "$state", "hasMoreChanges": false,
                    "created": [], "updated": ["$inbox"], "destroyed": [],
                    "updatedProperties": ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]}, "c8"]]
            "##,
        )
        .await;
        // A shared account is read by who may, and by nobody else.
        lan.play(
            r##"
            > [["Mailbox/query", {"accountId": "$shared", "calculateTotal": true, "limit": 1}, "c0"],
               ["Mailbox/get", {"accountId": "$own"}, "c1"], ["Mailbox/get", {"accountId": "nobody"}, "c2"],
               ["Mailbox/get", {}, "c3"]]
            < [["Mailbox/query", {"accountId": "$shared", "ids": ["…"], "total": 6, "…": "…"}, "c0"],
               ["error", {"type": "accountNotFound"}, "c1"],
               ["error", {"type": "accountNotFound"}, "c2"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c3"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn emails_are_listed_and_shown() {
    each_world(|world| async move {
        world.deliver(MAI, &letter(1, "")).await;
        world.deliver(MAI, &letter(2, "In-Reply-To: <1@b.example>\r\nReferences: <0@b.example>\r\n <1@b.example>\r\n")).await;
        world.deliver(MAI, &letter(3, "X-Note: a\r\nX-Note: b\r\n")).await;
        let mut mai = world.client("mai").await;
        mai.play(
            r##"
            > [["Email/query", {"accountId": "$own", "sort": [{"property": "sentAt", "isAscending": false}],
                    "calculateTotal": true}, "c0"],
               ["Email/query", {"accountId": "$own", "collapseThreads": true, "sort": [{"property": "sentAt", "isAscending": true}]}, "c1"],
               ["Email/query", {"accountId": "$own", "filter": {"operator": "NOT", "conditions": [{"minSize": 1}]}}, "c2"],
               ["Email/query", {"accountId": "$own", "filter": {"notKeyword": "$seen", "before": "2000-01-01T00:00:00Z"}}, "c3"]]
            < [["Email/query", {"accountId": "$own", "queryState": "$qs", "canCalculateChanges": true, "position": 0,
                    "ids": ["$e3", "$e2", "$e1"], "total": 3}, "c0"],
               ["Email/query", {"ids": ["$e1", "$e3"], "…": "…"}, "c1"],
               ["Email/query", {"ids": [], "…": "…"}, "c2"],
               ["Email/query", {"ids": [], "…": "…"}, "c3"]]

            # the row and the envelope, without the message's bytes
            > [["Email/get", {"accountId": "$own", "ids": ["$e2", "e1"], "properties": ["threadId", "mailboxIds", "keywords",
                    "size", "receivedAt", "messageId", "inReplyTo", "from", "to", "cc", "sender", "replyTo", "subject", "sentAt",
                    "hasAttachment", "preview"]}, "c0"],
               ["Thread/get", {"accountId": "$own", "#ids": {"resultOf": "c0", "name": "Email/get", "path": "/list/*/threadId"}}, "c1"]]
            < [["Email/get", {"accountId": "$own", "state": "…", "notFound": ["e1"], "list": [
                    {"id": "$e2", "threadId": "$thread", "mailboxIds": {"…": "…"}, "keywords": {}, "size": 237,
                     "receivedAt": "…", "messageId": ["2@b.example"], "inReplyTo": ["1@b.example"],
                     "from": [{"name": "Lê Mai", "email": "mai@khanhhoa.example"}],
                     "to": [{"name": null, "email": "an@b.example"}], "cc": null, "sender": null, "replyTo": null,
                     "subject": "thư 2", "sentAt": "2026-11-23T08:00:02+07:00", "hasAttachment": false, "preview": "chào 2"}]}, "c0"],
               ["Thread/get", {"list": [{"id": "$thread", "emailIds": ["$e1", "$e2"]}], "notFound": [], "…": "…"}, "c1"]]

            # what the bytes tell
            > [["Email/get", {"accountId": "$own", "ids": ["$e3"], "properties": ["references", "header:X-Note:asText:all",
                    "header:Subject", "textBody", "htmlBody", "attachments", "bodyValues", "bodyStructure"],
                    "fetchTextBodyValues": true, "maxBodyValueBytes": 4, "bodyProperties": ["partId", "type", "size"]}, "c0"]]
            < [["Email/get", {"list": [{"id": "$e3", "references": null, "header:X-Note:asText:all": ["a", "b"],
                    "header:Subject": " thư 3", "textBody": [{"partId": "1", "type": "text/plain", "size": 9}],
                    "htmlBody": [{"partId": "1", "type": "text/plain", "size": 9}], "attachments": [],
                    "bodyValues": {"1": {"value": "chà", "isEncodingProblem": false, "isTruncated": true}},
                    "bodyStructure": {"partId": "1", "type": "text/plain", "size": 9}}], "…": "…"}, "c0"]]

            > [["Email/get", {"accountId": "$own", "ids": null}, "c0"],
               ["Email/get", {"accountId": "$own", "ids": ["$e1"], "properties": ["header:From:asText"]}, "c1"],
               ["Email/query", {"accountId": "$own", "filter": {"hasKeyword": 7}}, "c2"],
               ["Email/query", {"accountId": "$own", "filter": {"colour": "red"}}, "c3"],
               ["Email/query", {"accountId": "$own", "sort": [{"property": "colour"}]}, "c4"],
               ["Email/query", {"accountId": "$own", "anchor": "e1"}, "c5"],
               ["Email/query", {"accountId": "$own", "limit": -1}, "c6"],
               ["Email/query", {"accountId": "$own", "anchor": "$e2", "anchorOffset": -1, "limit": 2}, "c7"]]
            < [["error", {"type": "requestTooLarge"}, "c0"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c1"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c2"],
               ["error", {"type": "unsupportedFilter"}, "c3"],
               ["error", {"type": "unsupportedSort"}, "c4"],
               ["error", {"type": "anchorNotFound"}, "c5"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c6"],
               ["Email/query", {"position": 0, "ids": ["$e3", "$e2"], "…": "…"}, "c7"]]

            > [["Email/queryChanges", {"accountId": "$own", "sinceQueryState": "$qs"}, "c0"],
               ["Email/changes", {"accountId": "$own", "sinceState": "1", "maxChanges": 2}, "c1"],
               ["Email/changes", {"accountId": "$own", "sinceState": "x"}, "c2"],
               ["Thread/changes", {"accountId": "$own", "sinceState": "1"}, "c3"]]
            < [["Email/queryChanges", {"accountId": "$own", "oldQueryState": "$qs", "newQueryState": "$qs", "removed": [],
                    "added": []}, "c0"],
               ["Email/changes", {"created": ["$e1", "$e2"], "updated": [], "destroyed": [], "hasMoreChanges": true,
                    "newState": "$next", "…": "…"}, "c1"],
               ["error", {"type": "cannotCalculateChanges"}, "c2"],
               ["Thread/changes", {"created": ["…", "…"], "hasMoreChanges": false, "…": "…"}, "c3"]]

            > [["Email/changes", {"accountId": "$own", "sinceState": "$next"}, "c0"]]
            < [["Email/changes", {"created": ["$e3"], "hasMoreChanges": false, "newState": "$qs", "…": "…"}, "c0"]]
            "##,
        )
        .await;
        world.deliver(MAI, &letter(4, "In-Reply-To: <1@b.example>\r\n")).await;
        mai.play(
            r##"
            > [["Email/queryChanges", {"accountId": "$own", "sinceQueryState": "$qs", "calculateTotal": true}, "c0"],
               ["Email/queryChanges", {"accountId": "$own", "sinceQueryState": "$qs", "collapseThreads": true}, "c1"]]
            < [["Email/queryChanges", {"removed": ["$e4"], "added": [{"id": "$e4", "index": 0}], "total": 4, "…": "…"}, "c0"],
               ["Email/queryChanges", {"removed": ["$e1", "$e2", "$e4"], "added": [{"id": "$e4", "index": 0}], "…": "…"}, "c1"]]
            "##,
        )
        .await;
    })
    .await;
}

/// S3.1b (Điều 3): named people on a shared account.
#[tokio::test]
async fn who_reads_a_shared_body_is_recorded() {
    each_world(|world| async move {
        let delivered = world.deliver(AGENCY, &letter(1, "")).await;
        let mut lan = world.client("lan").await;
        lan.names.set("e", format!("e{}", delivered.email));
        let account = world.account(AGENCY).await;
        let readers = || {
            let db = world.db.clone();
            async move {
                db.read(move |s| {
                    s.query(
                        "SELECT person_id FROM email_read WHERE account_id = ?1",
                        &congvu_storage::params![account.get()],
                        |r| r.i64(0),
                    )
                })
                .await
                .unwrap()
            }
        };
        lan.play(
            r##"
            > [["Email/get", {"accountId": "$shared", "ids": ["$e"], "properties": ["subject", "preview", "headers", "textBody"]}, "c0"]]
            < [["Email/get", {"list": [{"subject": "thư 1", "…": "…"}], "…": "…"}, "c0"]]
            "##,
        )
        .await;
        assert!(readers().await.is_empty());
        lan.play(
            r##"
            > [["Email/get", {"accountId": "$shared", "ids": ["$e"], "fetchTextBodyValues": true}, "c0"]]
            < [["Email/get", {"list": [{"bodyValues": {"1": {"value": "chào 1\n", "…": "…"}}, "…": "…"}], "…": "…"}, "c0"]]
            "##,
        )
        .await;
        assert_eq!(readers().await, [lan.who.person().get()]);
    })
    .await;
}

#[tokio::test]
async fn a_message_within_a_message_is_read() {
    each_world(|world| async move {
        let raw = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: a@b.example\r\n\
            Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/csv; name=x.csv\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nYSxi\r\n--c--\r\n--b--\r\n";
        let delivered = world.deliver(MAI, raw).await;
        let mut mai = world.client("mai").await;
        mai.names.set("e", format!("e{}", delivered.email));
        mai.play(
            r##"
            > [["Email/get", {"accountId": "$own", "ids": ["$e"], "properties": ["attachments", "hasAttachment"],
                    "bodyProperties": ["blobId", "type"]}, "c0"]]
            < [["Email/get", {"list": [{"id": "$e", "hasAttachment": true,
                    "attachments": [{"blobId": "$inner", "type": "message/rfc822"}]}], "…": "…"}, "c0"]]

            > [["Email/parse", {"accountId": "$own", "blobIds": ["$inner", "b0", "x"],
                    "properties": ["id", "subject", "from", "attachments", "hasAttachment"], "bodyProperties": ["name", "blobId", "size"]}, "c0"]]
            < [["Email/parse", {"accountId": "$own", "notParsable": null, "notFound": ["b0", "x"], "parsed": {"$inner":
                    {"id": null, "subject": "inner", "from": [{"name": null, "email": "a@b.example"}], "hasAttachment": true,
                     "attachments": [{"name": "x.csv", "blobId": "$csv", "size": 3}]}}}, "c0"]]
            "##,
        )
        .await;
        let (own, csv) = (mai.names.get("own"), mai.names.get("csv"));
        let response = mai.get(&format!("/jmap/download/{own}/{csv}/x.csv?accept=text/csv")).await;
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        assert_eq!(crate::world::body(response).await, b"a,b");
    })
    .await;
}
