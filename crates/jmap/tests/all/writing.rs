//! Mailboxes and emails as they are changed (RFC 8621 §2.5, §4.6 to §4.8).

use crate::world::{AGENCY, MAI, each_world};

fn letter(number: u32) -> Vec<u8> {
    format!("From: a@b.example\r\nSubject: letter {number}\r\nMessage-ID: <{number}@b.example>\r\n\r\ntext {number}\r\n")
        .into_bytes()
}

const MAILBOXES: &str = r##"
    > [["Mailbox/query", {"accountId": "$own", "filter": {"role": "inbox"}}, "c0"],
       ["Mailbox/query", {"accountId": "$own", "filter": {"role": "drafts"}}, "c1"],
       ["Mailbox/query", {"accountId": "$own", "filter": {"role": "trash"}}, "c2"]]
    < [["Mailbox/query", {"ids": ["$inbox"], "…": "…"}, "c0"], ["Mailbox/query", {"ids": ["$drafts"], "…": "…"}, "c1"],
       ["Mailbox/query", {"ids": ["$trash"], "…": "…"}, "c2"]]
"##;

#[tokio::test]
async fn mailboxes_are_made_moved_and_destroyed() {
    each_world(|world| async move {
        world.deliver(MAI, &letter(1)).await;
        let mut mai = world.client("mai").await;
        mai.play(MAILBOXES).await;
        mai.play(
            r##"
            # one lies in the other, whatever the order
            > [["Mailbox/set", {"accountId": "$own", "create": {"a": {"name": "2026", "parentId": "#b"}, "b": {"name": "Dự án"},
                    "c": {"name": "a/b"}, "d": {"parentId": "#none", "name": "x"}, "e": {"name": "INBOX"},
                    "f": {"name": "x", "role": "archive"}, "g": {"name": "Đã duyệt"}, "h": {"parentId": "#h", "name": "h"}}}, "c0"],
               ["Mailbox/get", {"accountId": "$own", "ids": ["#a"], "properties": ["name"]}, "c1"],
               ["Mailbox/query", {"accountId": "$own", "filter": {"parentId": null, "hasAnyRole": false}}, "c2"]]
            < [["Mailbox/set", {"accountId": "$own", "created": {"b": {"id": "$b", "isSubscribed": false, "…": "…"},
                    "a": {"id": "$a", "…": "…"}},
                    "notCreated": {"c": {"type": "invalidProperties", "properties": ["name"], "…": "…"},
                        "d": {"type": "invalidProperties", "properties": ["parentId"], "…": "…"},
                        "e": {"type": "alreadyExists", "…": "…"}, "f": {"type": "invalidProperties", "…": "…"},
                        "g": {"type": "invalidProperties", "…": "…"}, "h": {"type": "invalidProperties", "…": "…"}},
                    "oldState": "$old", "newState": "$new", "updated": null, "destroyed": null, "notUpdated": null,
                    "notDestroyed": null}, "c0"],
               ["Mailbox/get", {"list": [], "notFound": ["#a"], "…": "…"}, "c1"],
               ["Mailbox/query", {"ids": ["$b"], "…": "…"}, "c2"]]

            > [["Mailbox/set", {"accountId": "$own", "update": {"$a": {"name": "2027", "parentId": null, "isSubscribed": true},
                    "$inbox": {"name": "Thư đến"}, "$trash": {"isSubscribed": false}, "m1": {"name": "x"}, "$b": {"name": "Drafts"}}}, "c0"],
               ["Mailbox/get", {"accountId": "$own", "ids": ["$a", "$trash"], "properties": ["name", "parentId", "isSubscribed"]}, "c1"]]
            < [["Mailbox/set", {"updated": {"$a": null, "$trash": null},
                    "notUpdated": {"$inbox": {"type": "forbidden", "…": "…"}, "m1": {"type": "notFound", "…": "…"},
                        "$b": {"type": "alreadyExists", "…": "…"}}, "…": "…"}, "c0"],
               ["Mailbox/get", {"list": [{"id": "$a", "name": "2027", "parentId": null, "isSubscribed": true},
                    {"id": "$trash", "name": "Trash", "parentId": null, "isSubscribed": false}], "…": "…"}, "c1"]]

            > [["Mailbox/set", {"accountId": "$own", "update": {"$a": {"parentId": "$b"}}, "destroy": ["$b", "$inbox"]}, "c0"],
               ["Email/query", {"accountId": "$own"}, "c1"]]
            < [["Mailbox/set", {"updated": {"$a": null}, "destroyed": null, "notDestroyed": {"$b": {"type": "mailboxHasChild"},
                    "$inbox": {"type": "forbidden", "…": "…"}}, "…": "…"}, "c0"],
               ["Email/query", {"ids": ["$e"], "…": "…"}, "c1"]]

            > [["Email/set", {"accountId": "$own", "update": {"$e": {"mailboxIds": {"$a": true}}}}, "c0"],
               ["Mailbox/set", {"accountId": "$own", "destroy": ["$a"]}, "c1"],
               ["Mailbox/set", {"accountId": "$own", "destroy": ["$b", "$a"], "onDestroyRemoveEmails": true}, "c2"],
               ["Email/get", {"accountId": "$own", "ids": ["$e"], "properties": []}, "c3"],
               ["Mailbox/set", {"accountId": "$own", "ifInState": "$old", "create": {"z": {"name": "z"}}}, "c4"]]
            < [["Email/set", {"updated": {"$e": null}, "…": "…"}, "c0"],
               ["Mailbox/set", {"notDestroyed": {"$a": {"type": "mailboxHasEmail"}}, "…": "…"}, "c1"],
               ["Mailbox/set", {"destroyed": ["$a", "$b"], "notDestroyed": null, "…": "…"}, "c2"],
               ["Email/get", {"list": [], "notFound": ["$e"], "…": "…"}, "c3"],
               ["error", {"type": "stateMismatch"}, "c4"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn emails_are_marked_moved_and_destroyed() {
    each_world(|world| async move {
        for number in 1..=3 {
            world.deliver(MAI, &letter(number)).await;
        }
        let mut mai = world.client("mai").await;
        mai.play(MAILBOXES).await;
        mai.play(
            r##"
            > [["Email/query", {"accountId": "$own", "sort": [{"property": "subject"}]}, "c0"]]
            < [["Email/query", {"ids": ["$e1", "$e2", "$e3"], "queryState": "$state", "…": "…"}, "c0"]]

            > [["Email/set", {"accountId": "$own", "ifInState": "$state", "update": {
                    "$e1": {"keywords/$seen": true, "keywords/việc": true}, "$e2": {"keywords/$seen": true, "keywords/Viec": true},
                    "$e3": {"keywords": {"$flagged": true}, "mailboxIds/$inbox": null, "mailboxIds/$trash": true},
                    "e1": {"keywords/$seen": true}}}, "c0"],
               ["Email/get", {"accountId": "$own", "ids": ["$e1", "$e2", "$e3"], "properties": ["keywords", "mailboxIds"]}, "c1"],
               ["Email/query", {"accountId": "$own", "filter": {"operator": "AND", "conditions": [{"hasKeyword": "VIEC"}, {"inMailbox": "$inbox"}]}}, "c2"],
               ["Email/set", {"accountId": "$own", "ifInState": "$state", "destroy": ["$e1"]}, "c3"],
               ["Email/changes", {"accountId": "$own", "sinceState": "$state"}, "c4"]]
            < [["Email/set", {"oldState": "$state", "newState": "$newer", "updated": {"$e2": null, "$e3": null},
                    "notUpdated": {"$e1": {"type": "invalidProperties", "…": "…"}, "e1": {"type": "notFound"}}, "…": "…"}, "c0"],
               ["Email/get", {"list": [{"id": "$e1", "keywords": {}, "mailboxIds": {"$inbox": true}},
                    {"id": "$e2", "keywords": {"$seen": true, "viec": true}, "mailboxIds": {"$inbox": true}},
                    {"id": "$e3", "keywords": {"$flagged": true}, "mailboxIds": {"$trash": true}}], "…": "…"}, "c1"],
               ["Email/query", {"ids": ["$e2"], "…": "…"}, "c2"],
               ["error", {"type": "stateMismatch"}, "c3"],
               ["Email/changes", {"created": [], "updated": ["…", "…"], "destroyed": [], "…": "…"}, "c4"]]

            > [["Email/set", {"accountId": "$own", "update": {"$e2": {"keywords": {"$answered": true}},
                    "$e1": {"mailboxIds": {"$inbox": true, "$trash": true}}, "$e3": {"mailboxIds/m1": true, "mailboxIds/$trash": null}},
                    "destroy": ["$e3", "e1"]}, "c0"],
               ["Email/get", {"accountId": "$own", "ids": ["$e2", "$e3"], "properties": ["keywords"]}, "c1"],
               ["Email/set", {"accountId": "$own", "update": {"$e2": 7}}, "c2"]]
            < [["Email/set", {"updated": {"$e2": null}, "notUpdated": {"$e1": {"type": "tooManyMailboxes"},
                    "$e3": {"type": "invalidProperties", "…": "…"}},
                    "destroyed": ["$e3"], "notDestroyed": {"e1": {"type": "notFound"}}, "…": "…"}, "c0"],
               ["Email/get", {"list": [{"id": "$e2", "keywords": {"$answered": true}}], "notFound": ["$e3"], "…": "…"}, "c1"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c2"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn drafts_are_composed_and_edited_without_loss() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.play(MAILBOXES).await;
        let own = mai.names.get("own").to_owned();
        let pdf = mai.upload(&own, "application/pdf", b"%PDF-1.4 x").await;
        let png = mai.upload(&own, "image/png", b"\x89PNG\r\n\x1a\n").await;
        mai.names.set("pdf", pdf);
        mai.names.set("png", png);
        mai.play(
            r##"
            > [["Email/set", {"accountId": "$own", "create": {"d": {"mailboxIds": {"$drafts": true}, "keywords": {"$draft": true, "$seen": true},
                    "from": [{"name": "Lê Thị Mai", "email": "mai@khanhhoa.example"}], "to": [{"email": "a@b.example"}], "cc": null,
                    "subject": "Báo cáo\r\nBcc: x@y.example", "inReplyTo": ["1@b.example"], "references": ["0@b.example", "1@b.example"],
                    "sentAt": "2026-11-23T08:00:00+07:00", "header:X-Note:asText": "ghi chú",
                    "textBody": [{"partId": "t", "type": "text/plain"}], "htmlBody": [{"partId": "h", "type": "text/html"}],
                    "attachments": [{"blobId": "$pdf", "type": "application/pdf", "name": "báo cáo.pdf"},
                        {"blobId": "$png", "type": "image/png", "cid": "logo@x", "disposition": "inline"}],
                    "bodyValues": {"t": {"value": "Kính gửi\nanh"}, "h": {"value": "<p>Kính gửi <img src=\"cid:logo@x\"></p>"}}}}}, "c0"],
               ["Email/get", {"accountId": "$own", "ids": ["$none"], "properties": ["subject"]}, "c1"]]
            < [["Email/set", {"created": {"d": {"id": "$e", "blobId": "$blob", "threadId": "…", "size": "…"}}, "notCreated": null, "…": "…"}, "c0"],
               "…"]

            > [["Email/get", {"accountId": "$own", "ids": ["$e"], "properties": ["blobId", "keywords", "mailboxIds", "from", "to", "cc", "bcc",
                    "subject", "sentAt", "inReplyTo", "references", "header:X-Note:asText", "bodyStructure", "textBody", "htmlBody",
                    "attachments", "bodyValues", "hasAttachment"],
                    "bodyProperties": ["type", "name", "cid", "disposition"], "fetchAllBodyValues": true}, "c0"]]
            < [["Email/get", {"list": [{"id": "$e", "blobId": "$blob", "keywords": {"$draft": true, "$seen": true},
                    "mailboxIds": {"$drafts": true}, "from": [{"name": "Lê Thị Mai", "email": "mai@khanhhoa.example"}],
                    "to": [{"name": null, "email": "a@b.example"}], "cc": null, "bcc": null, "subject": "Báo cáo  Bcc: x@y.example",
                    "sentAt": "2026-11-23T08:00:00+07:00", "inReplyTo": ["1@b.example"], "references": ["0@b.example", "1@b.example"],
                    "header:X-Note:asText": "ghi chú", "hasAttachment": true,
                    "bodyStructure": {"type": "multipart/mixed", "subParts": [{"type": "multipart/alternative", "subParts": [
                        {"type": "text/plain", "…": "…"}, {"type": "multipart/related", "subParts": [{"type": "text/html", "…": "…"},
                            {"type": "image/png", "…": "…"}], "…": "…"}], "…": "…"}, {"type": "application/pdf", "…": "…"}], "…": "…"},
                    "textBody": [{"type": "text/plain", "name": null, "cid": null, "disposition": null}],
                    "htmlBody": [{"type": "text/html", "name": null, "cid": null, "disposition": null}],
                    "attachments": [{"type": "image/png", "name": null, "cid": "logo@x", "disposition": "inline"},
                        {"type": "application/pdf", "name": "báo cáo.pdf", "cid": null, "disposition": "attachment"}],
                    "bodyValues": {"1": {"value": "Kính gửi\nanh", "…": "…"}, "2": {"value": "<p>Kính gửi <img src=\"cid:logo@x\"></p>", "…": "…"}}}],
                    "state": "$state", "…": "…"}, "c0"]]

            # an edit is a new draft in the place of the old; the second editor learns of the first
            > [["Email/set", {"accountId": "$own", "ifInState": "$state", "destroy": ["$e"], "create": {"d": {"mailboxIds": {"$drafts": true},
                    "subject": "bản 2", "bodyStructure": {"type": "text/plain", "partId": "1"}, "bodyValues": {"1": {"value": "x"}}}}}, "c0"],
               ["Email/set", {"accountId": "$own", "ifInState": "$state", "destroy": ["$e"], "create": {"d": {"mailboxIds": {"$drafts": true},
                    "subject": "bản 3"}}}, "c1"],
               ["Email/query", {"accountId": "$own", "filter": {"inMailbox": "$drafts"}}, "c2"]]
            < [["Email/set", {"created": {"d": {"id": "$e2", "…": "…"}}, "destroyed": ["$e"], "…": "…"}, "c0"],
               ["error", {"type": "stateMismatch"}, "c1"], ["Email/query", {"ids": ["$e2"], "…": "…"}, "c2"]]

            # bytes that are in no email any more
            > [["Email/set", {"accountId": "$own", "create": {"f": {"mailboxIds": {"$drafts": true},
                    "attachments": [{"blobId": "$blob", "type": "message/rfc822", "name": "thu.eml"}]}}}, "c0"]]
            < [["Email/set", {"created": null, "notCreated": {"f": {"type": "blobNotFound", "notFound": ["$blob"]}}, "…": "…"}, "c0"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_composed_is_named() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.play(MAILBOXES).await;
        mai.play(
            r##"
            > [["Email/set", {"accountId": "$own", "create": {
                    "nowhere": {"subject": "x"}, "none": {"mailboxIds": {}}, "missing": {"mailboxIds": {"m1": true}},
                    "two": {"mailboxIds": {"$inbox": true, "$trash": true}},
                    "headers": {"mailboxIds": {"$drafts": true}, "headers": []},
                    "twice": {"mailboxIds": {"$drafts": true}, "subject": "x", "header:Subject:asText": "y"},
                    "content": {"mailboxIds": {"$drafts": true}, "header:Content-Type": "text/html"},
                    "raw": {"mailboxIds": {"$drafts": true}, "header:X": "a\r\nBcc: b@c.example"},
                    "address": {"mailboxIds": {"$drafts": true}, "to": [{"email": "a@b.example>\r\nBcc: <b@c.example"}]},
                    "both": {"mailboxIds": {"$drafts": true}, "bodyStructure": {"partId": "1"}, "textBody": []},
                    "manytexts": {"mailboxIds": {"$drafts": true}, "textBody": []},
                    "novalue": {"mailboxIds": {"$drafts": true}, "textBody": [{"partId": "1"}]},
                    "cut": {"mailboxIds": {"$drafts": true}, "textBody": [{"partId": "1"}], "bodyValues": {"1": {"value": "x", "isTruncated": true}}},
                    "charset": {"mailboxIds": {"$drafts": true}, "textBody": [{"partId": "1", "charset": "x"}], "bodyValues": {"1": {"value": "x"}}},
                    "encoding": {"mailboxIds": {"$drafts": true}, "textBody": [{"partId": "1", "header:Content-Transfer-Encoding": "7bit"}], "bodyValues": {"1": {"value": "x"}}},
                    "keyword": {"mailboxIds": {"$drafts": true}, "keywords": {"a b": true}},
                    "date": {"mailboxIds": {"$drafts": true}, "receivedAt": "yesterday"},
                    "blob": {"mailboxIds": {"$drafts": true}, "attachments": [{"blobId": "b1"}, {"blobId": "b2"}]},
                    "preview": {"mailboxIds": {"$drafts": true}, "preview": "x"}}}, "c0"]]
            < [["Email/set", {"created": null, "notCreated": {
                    "nowhere": {"type": "invalidProperties", "properties": ["mailboxIds"], "…": "…"},
                    "none": {"type": "invalidProperties", "properties": ["mailboxIds"], "…": "…"},
                    "missing": {"type": "invalidProperties", "properties": ["mailboxIds"], "…": "…"},
                    "two": {"type": "tooManyMailboxes"},
                    "headers": {"type": "invalidProperties", "properties": ["headers"], "…": "…"},
                    "twice": {"type": "invalidProperties", "…": "…"},
                    "content": {"type": "invalidProperties", "properties": ["header:Content-Type"], "…": "…"},
                    "raw": {"type": "invalidProperties", "properties": ["header:X"], "…": "…"},
                    "address": {"type": "invalidProperties", "properties": ["to"], "…": "…"},
                    "both": {"type": "invalidProperties", "properties": ["bodyStructure"], "…": "…"},
                    "manytexts": {"type": "invalidProperties", "properties": ["textBody"], "…": "…"},
                    "novalue": {"type": "invalidProperties", "properties": ["textBody"], "…": "…"},
                    "cut": {"type": "invalidProperties", "properties": ["bodyValues"], "…": "…"},
                    "charset": {"type": "invalidProperties", "properties": ["textBody"], "…": "…"},
                    "encoding": {"type": "invalidProperties", "properties": ["textBody"], "…": "…"},
                    "keyword": {"type": "invalidProperties", "properties": ["keywords"], "…": "…"},
                    "date": {"type": "invalidProperties", "properties": ["receivedAt"], "…": "…"},
                    "blob": {"type": "blobNotFound", "notFound": ["b1", "b2"]},
                    "preview": {"type": "invalidProperties", "properties": ["preview"], "…": "…"}}, "…": "…"}, "c0"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn messages_are_imported_and_copied() {
    each_world(|world| async move {
        let delivered = world.deliver(AGENCY, &letter(7)).await;
        let mut mai = world.client("mai").await;
        mai.play(MAILBOXES).await;
        let own = mai.names.get("own").to_owned();
        let blob = mai.upload(&own, "message/rfc822", &letter(8)).await;
        let none = mai.upload(&own, "text/plain", b"no message\r\n").await;
        mai.names.set("blob", blob);
        mai.names.set("text", none);
        mai.names.set("shared_email", format!("e{}", delivered.email));
        mai.play(
            r##"
            > [["Email/import", {"accountId": "$own", "emails": {
                    "i": {"blobId": "$blob", "mailboxIds": {"$inbox": true}, "keywords": {"$seen": true}, "receivedAt": "2020-01-02T03:04:05Z"},
                    "j": {"blobId": "b0", "mailboxIds": {"$inbox": true}}, "k": {"blobId": "$text", "mailboxIds": {"$inbox": true}},
                    "l": {"blobId": "$blob", "mailboxIds": {"m1": true}}}}, "c0"],
               ["Email/import", {"accountId": "$own"}, "c1"]]
            < [["Email/import", {"accountId": "$own", "created": {"i": {"id": "$i", "blobId": "$blob", "threadId": "…", "size": "…"}},
                    "notCreated": {"j": {"type": "blobNotFound", "…": "…"}, "k": {"type": "invalidEmail", "…": "…"},
                        "l": {"type": "invalidProperties", "…": "…"}}, "oldState": "…", "newState": "…"}, "c0"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c1"]]

            > [["Email/get", {"accountId": "$own", "ids": ["$i"], "properties": ["receivedAt", "keywords", "subject"]}, "c0"],
               ["Email/copy", {"fromAccountId": "$shared", "accountId": "$own", "onSuccessDestroyOriginal": true, "create": {
                    "c": {"id": "$shared_email", "mailboxIds": {"$inbox": true}, "keywords": {"$flagged": true}},
                    "d": {"id": "e1", "mailboxIds": {"$inbox": true}}, "e": {"id": "$shared_email", "mailboxIds": {"m1": true}}}}, "c1"],
               ["Email/copy", {"fromAccountId": "$own", "accountId": "$own", "create": {}}, "c2"],
               ["Email/get", {"accountId": "$shared", "ids": ["$shared_email"], "properties": []}, "c3"]]
            < [["Email/get", {"list": [{"id": "$i", "receivedAt": "2020-01-02T03:04:05Z", "keywords": {"$seen": true}, "subject": "letter 8"}], "…": "…"}, "c0"],
               ["Email/copy", {"fromAccountId": "$shared", "accountId": "$own", "created": {"c": {"id": "$c", "…": "…"}},
                    "notCreated": {"d": {"type": "notFound"}, "e": {"type": "invalidProperties", "…": "…"}}, "…": "…"}, "c1"],
               ["Email/set", {"accountId": "$shared", "destroyed": ["$shared_email"], "…": "…"}, "c1"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c2"],
               ["Email/get", {"notFound": ["$shared_email"], "…": "…"}, "c3"]]
            "##,
        )
        .await;
        mai.play(
            r##"
            > [["Email/get", {"accountId": "$own", "ids": ["$c"], "properties": ["keywords", "subject"]}, "c0"]]
            < [["Email/get", {"list": [{"id": "$c", "keywords": {"$flagged": true}, "subject": "letter 7"}], "…": "…"}, "c0"]]
            "##,
        )
        .await;
    })
    .await;
}

/// Whoever may only read changes nothing.
#[tokio::test]
async fn a_read_only_account_is_not_changed() {
    each_world(|world| async move {
        let delivered = world.deliver(AGENCY, &letter(1)).await;
        let mut lan = world.client("lan").await;
        lan.names.set("e", format!("e{}", delivered.email));
        lan.play(
            r##"
            > [["Email/set", {"accountId": "$shared", "update": {"$e": {"keywords/$seen": true}}}, "c0"],
               ["Mailbox/set", {"accountId": "$shared", "create": {"a": {"name": "x"}}}, "c1"],
               ["Email/import", {"accountId": "$shared", "emails": {"a": {}}}, "c2"],
               ["Email/copy", {"fromAccountId": "$own", "accountId": "$shared", "create": {}}, "c3"]]
            < [["error", {"type": "accountReadOnly"}, "c0"], ["error", {"type": "accountReadOnly"}, "c1"],
               ["error", {"type": "accountReadOnly"}, "c2"], ["error", {"type": "accountReadOnly"}, "c3"]]
            "##,
        )
        .await;
    })
    .await;
}
