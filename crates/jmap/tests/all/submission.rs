//! Sending over JMAP: RFC 8621 §6, §7, §8, and our extension for the review (S9.1, Điều 9).

use crate::world::{AGENCY, Client, MAI, World, body, each_world};
use congvu_casework::review::{Parts, ReadAhead, open, record_opened};
use congvu_storage::Actor;
use congvu_transport::{Decision, DecisionKind, Seen, captured, decide, submission};
use congvu_types::ReviewId;
use serde_json::Value;
use std::time::Duration;

impl World {
    /// Stores a message of somebody's; `$email` names it in transcripts.
    async fn draft(&self, client: &mut Client, from: &str, to: &str) {
        let raw = format!("From: {from}\r\nTo: {to}\r\nBcc: kin@gov.example\r\nSubject: moi\r\n\r\nx\r\n");
        let stored = self.deliver(from, raw.as_bytes()).await;
        client.names.set("email", format!("e{}", stored.email));
    }

    async fn release(&self) {
        while submission::step(&self.db, &self.site).await.unwrap() {}
    }

    /// Returns to whom what left went.
    async fn left(&self) -> Vec<String> {
        let all = self.db.read(|s| captured(s, 100)).await.unwrap();
        all.into_iter().flat_map(|c| c.recipients).collect()
    }

    async fn decide(&self, by: &Client, review: &str, kind: DecisionKind, comment: &str) {
        let (id, who): (ReviewId, _) = (review.parse().unwrap(), by.who.clone());
        let reader = who.clone();
        let review = self.db.read(move |s| open(s, &reader, id)).await.unwrap();
        let ahead = self.db.read(move |s| ReadAhead::of(s, id)).await.unwrap();
        let seen = Seen::Digest(review.digest.whole);
        let (decision, site) = (Decision { kind, comment: Some(comment.into()), seen }, self.site.clone());
        self.db
            .write(Actor::Person(who.person()), move |tx| {
                record_opened(tx, &who, id, &Parts::text())?;
                decide(tx, &site, &who, id, &decision, &ahead).map(drop)
            })
            .await
            .unwrap();
    }
}

/// S9.1 (Điều 9): what the agency sends is pending, whatever the client asked for, and the client sees why and until when.
#[tokio::test]
async fn what_the_agency_sends_is_pending_until_it_is_decided() {
    each_world(|world| async move {
        let (mut an, mai) = (world.client("an").await, world.client("mai").await);
        let session: Value = serde_json::from_slice(&body(an.get("/jmap/session").await).await).unwrap();
        let shared = an.names.get("shared").to_owned();
        let told = &session["accounts"][&shared]["accountCapabilities"];
        let review = &told["https://congvu.example/jmap/review"];
        assert_eq!((&review["willBeReviewed"], &review["citation"]["text"]), (&true.into(), &"Điều 9".into()));
        assert_eq!(told["urn:ietf:params:jmap:submission"]["maxDelayedSend"], 2_592_000);
        world.draft(&mut an, AGENCY, "so@gov.example").await;
        an.play(
            r##"
            > [["Identity/get", {"accountId": "$shared"}, "c0"], ["EmailSubmission/get", {"accountId": "$shared"}, "c1"]]
            < [["Identity/get", {"accountId": "$shared", "state": "0", "list": [{"id": "$identity", "name": "Ban Quản lý dự án",
                 "email": "bqlctgt@khanhhoa.example", "replyTo": null, "bcc": null, "textSignature": "", "htmlSignature": "",
                 "mayDelete": false}], "notFound": []}, "c0"],
               ["EmailSubmission/get", {"accountId": "$shared", "state": "$before", "list": [], "notFound": []}, "c1"]]

            # RFC 8621 §7: without an envelope it is made from the header, blind copies too
            > [["EmailSubmission/set", {"accountId": "$shared", "create": {"k": {"emailId": "$email", "identityId": "$identity"}}}, "c0"]]
            < [["EmailSubmission/set", {"accountId": "$shared", "oldState": "$before", "newState": "$held", "created": {"k": {
                 "id": "$id", "threadId": "…", "sendAt": "…", "undoStatus": "pending", "deliveryStatus": null, "dsnBlobIds": [],
                 "mdnBlobIds": [], "refusedBecause": null,
                 "envelope": {"mailFrom": {"email": "bqlctgt@khanhhoa.example", "parameters": null},
                    "rcptTo": [{"email": "so@gov.example", "parameters": null}, {"email": "kin@gov.example", "parameters": null}]},
                 "review": {"id": "$review", "state": "awaiting", "decidedBy": null, "decidedAt": null, "comment": null,
                    "deadline": "…", "citation": {"rule": "S9.1", "text": "Điều 9", "…": "…"}}}},
                 "notCreated": null, "updated": null, "notUpdated": null, "destroyed": null, "notDestroyed": null}, "c0"]]
            "##,
        )
        .await;
        world.release().await;
        assert!(world.left().await.is_empty());
        let review = an.names.get("review").to_owned();
        world.decide(&mai, &review, DecisionKind::Approve, "duoc").await;
        assert_eq!(world.left().await.len(), 2);
        an.play(
            r##"
            # a decision is a change of the submission
            > [["EmailSubmission/changes", {"accountId": "$shared", "sinceState": "$held"}, "c0"],
               ["EmailSubmission/get", {"accountId": "$shared", "ids": ["$id", "s7"],
                 "properties": ["undoStatus", "review", "deliveryStatus"]}, "c1"],
               ["EmailSubmission/set", {"accountId": "$shared", "update": {"$id": {"undoStatus": "canceled"}}}, "c2"]]
            < [["EmailSubmission/changes", {"accountId": "$shared", "oldState": "$held", "newState": "$after",
                 "hasMoreChanges": false, "created": [], "updated": ["$id"], "destroyed": []}, "c0"],
               ["EmailSubmission/get", {"accountId": "$shared", "state": "$after", "notFound": ["s7"], "list": [{"id": "$id",
                 "undoStatus": "final",
                 "review": {"id": "$review", "state": "approved", "decidedBy": "Lê Thị Mai", "comment": "duoc", "…": "…"},
                 "deliveryStatus": {"so@gov.example": {"delivered": "unknown", "displayed": "unknown", "smtpReply": "…"},
                    "kin@gov.example": "…"}}]}, "c1"],
               ["EmailSubmission/set", {"accountId": "$shared", "notUpdated": {"$id": {"type": "cannotUnsend", "…": "…"}},
                 "updated": null, "…": "…"}, "c2"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn ten_seconds_are_for_second_thoughts() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        world.draft(&mut mai, MAI, "so@gov.example").await;
        mai.play(
            r##"
            > [["Identity/get", {"accountId": "$own"}, "c0"],
               ["EmailSubmission/set", {"accountId": "$own", "create": {
                 "a": {"emailId": "$email", "#x": 1},
                 "b": {"emailId": "$email", "identityId": "$own"}}}, "c1"]]
            < [["Identity/get", {"list": [{"id": "$identity", "name": "Lê Thị Mai", "…": "…"}], "…": "…"}, "c0"],
               ["EmailSubmission/set", {"notCreated": {"a": {"type": "invalidProperties", "properties": ["#x"], "…": "…"},
                 "b": {"type": "invalidProperties", "properties": ["identityId"], "…": "…"}}, "…": "…"}, "c1"]]

            > [["EmailSubmission/set", {"accountId": "$own", "create": {
                 "a": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example", "parameters": {"HOLDFOR": "10"}},
                    "rcptTo": [{"email": "a@gov.example", "parameters": {"NOTIFY": "NEVER"}}]}},
                 "b": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example", "parameters": {"HOLDFOR": "10"}},
                    "rcptTo": [{"email": "b@gov.example"}]}}}}, "c0"],
               ["EmailSubmission/set", {"accountId": "$own", "update": {"#b": {"undoStatus": "canceled"}}}, "c1"],
               ["EmailSubmission/query", {"accountId": "$own", "filter": {"undoStatus": "pending"}, "calculateTotal": true}, "c2"],
               ["EmailSubmission/query", {"accountId": "$own", "sort": [{"property": "sentAt", "isAscending": false}]}, "c3"]]
            < [["EmailSubmission/set", {"created": {"a": {"id": "$a", "undoStatus": "pending", "review": null,
                   "envelope": {"mailFrom": {"email": "mai@khanhhoa.example", "parameters": {"HOLDFOR": "10"}},
                      "rcptTo": [{"email": "a@gov.example", "parameters": {"NOTIFY": "NEVER"}}]}, "…": "…"},
                 "b": {"id": "$b", "…": "…"}}, "…": "…"}, "c0"],
               ["EmailSubmission/set", {"updated": {"#b": null}, "notUpdated": null, "…": "…"}, "c1"],
               ["EmailSubmission/query", {"ids": ["$a"], "total": 1, "position": 0, "queryState": "$query", "canCalculateChanges": false,
                 "…": "…"}, "c2"],
               ["EmailSubmission/query", {"ids": ["$b", "$a"], "…": "…"}, "c3"]]

            > [["EmailSubmission/queryChanges", {"accountId": "$own", "sinceQueryState": "$query"}, "c0"],
               ["EmailSubmission/query", {"accountId": "$own", "filter": {"operator": "NOT", "conditions": [
                 {"emailIds": ["$email"]}]}}, "c1"],
               ["EmailSubmission/query", {"accountId": "$own", "filter": {"subject": "x"}}, "c2"],
               ["EmailSubmission/set", {"accountId": "$own", "ifInState": "0", "destroy": ["$a"]}, "c3"]]
            < [["EmailSubmission/queryChanges", {"removed": [], "added": [], "…": "…"}, "c0"],
               ["EmailSubmission/query", {"ids": [], "…": "…"}, "c1"],
               ["error", {"type": "unsupportedFilter"}, "c2"],
               ["error", {"type": "stateMismatch"}, "c3"]]
            "##,
        )
        .await;
        world.clock.wait(Duration::from_secs(10));
        world.release().await;
        assert_eq!(world.left().await, ["a@gov.example"]);
        mai.play(
            r##"
            > [["EmailSubmission/set", {"accountId": "$own", "update": {"$a": {"undoStatus": "canceled"}, "$b": {"sendAt": null}, "s9": {}},
                 "destroy": ["$b", "x"]}, "c0"],
               ["EmailSubmission/get", {"accountId": "$own", "ids": ["$a", "$b"], "properties": ["undoStatus"]}, "c1"]]
            < [["EmailSubmission/set", {"notUpdated": {"$a": {"type": "cannotUnsend", "…": "…"},
                   "$b": {"type": "invalidProperties", "…": "…"}, "s9": {"type": "invalidProperties", "…": "…"}},
                 "destroyed": ["$b"], "notDestroyed": {"x": {"type": "notFound"}}, "…": "…"}, "c0"],
               ["EmailSubmission/get", {"list": [{"id": "$a", "undoStatus": "final"}], "notFound": ["$b"], "…": "…"}, "c1"]]
            "##,
        )
        .await;
    })
    .await;
}

/// RFC 8621 §7.5: the errors that sending has of its own.
#[tokio::test]
async fn what_cannot_be_sent_is_refused_in_the_words_of_the_rfc() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        world.draft(&mut mai, MAI, "so@gov.example").await;
        let foreign = world.deliver(MAI, b"From: x@gov.example\r\nTo: a@gov.example\r\n\r\nx\r\n").await;
        mai.names.set("foreign", format!("e{}", foreign.email));
        let nobody = world.deliver(MAI, b"From: mai@khanhhoa.example\r\n\r\nx\r\n").await;
        mai.names.set("nobody", format!("e{}", nobody.email));
        mai.names.set("identity", mai.names.get("own").replace('a', "i"));
        mai.play(
            r##"
            > [["EmailSubmission/set", {"accountId": "$own", "create": {
                 "from": {"emailId": "$foreign", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example"}, "rcptTo": [{"email": "a@gov.example"}]}},
                 "mailFrom": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "x@gov.example"}, "rcptTo": [{"email": "a@gov.example"}]}},
                 "nobody": {"emailId": "$nobody", "identityId": "$identity"},
                 "none": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example"}, "rcptTo": []}},
                 "bad": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example"}, "rcptTo": [{"email": "a"}]}},
                 "unknown": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example"}, "rcptTo": [{"email": "khong@khanhhoa.example"}]}},
                 "far": {"emailId": "$email", "identityId": "$identity", "envelope": {
                    "mailFrom": {"email": "mai@khanhhoa.example", "parameters": {"HOLDUNTIL": "2099-01-01T00:00:00Z"}},
                    "rcptTo": [{"email": "a@gov.example"}]}},
                 "gone": {"emailId": "e1", "identityId": "$identity"}}}, "c0"]]
            < [["EmailSubmission/set", {"created": null, "notCreated": {
                 "from": {"type": "forbiddenFrom", "…": "…"},
                 "mailFrom": {"type": "forbiddenMailFrom", "…": "…"},
                 "nobody": {"type": "noRecipients", "…": "…"},
                 "none": {"type": "noRecipients", "…": "…"},
                 "bad": {"type": "invalidRecipients", "invalidRecipients": ["a"]},
                 "unknown": {"type": "invalidRecipients", "invalidRecipients": ["khong@khanhhoa.example"], "…": "…"},
                 "far": {"type": "invalidProperties", "properties": ["envelope"], "…": "…"},
                 "gone": {"type": "invalidProperties", "properties": ["emailId"], "…": "…"}}, "…": "…"}, "c0"]]
            "##,
        )
        .await;
        // Who may only read sends nothing; who has no account there learns nothing of it.
        let mut lan = world.client("lan").await;
        world.draft(&mut lan, AGENCY, "so@gov.example").await;
        lan.names.set("identity", lan.names.get("shared").replace('a', "i"));
        lan.play(
            r##"
            > [["EmailSubmission/set", {"accountId": "$shared", "create": {"k": {"emailId": "$email", "identityId": "$identity"}}}, "c0"],
               ["EmailSubmission/get", {"accountId": "$own"}, "c1"],
               ["Identity/set", {"accountId": "$shared", "update": {"$identity": {"textSignature": "x"}}}, "c2"]]
            < [["EmailSubmission/set", {"notCreated": {"k": {"type": "forbiddenToSend", "…": "…"}}, "…": "…"}, "c0"],
               ["error", {"type": "accountNotFound"}, "c1"],
               ["Identity/set", {"notUpdated": {"$identity": {"type": "forbidden", "…": "…"}}, "…": "…"}, "c2"]]
            "##,
        )
        .await;
        world.release().await;
        assert!(world.left().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn names_and_signatures_are_changed_by_who_manages_the_account() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.names.set("default", mai.names.get("shared").replace('a', "i"));
        mai.play(
            r##"
            > [["Identity/set", {"accountId": "$shared",
                 "create": {"k": {"email": "bqlctgt@khanhhoa.example", "name": "Văn thư", "bcc": [{"name": null, "email": "luu@gov.example"}]},
                    "x": {"email": "giamdoc@khanhhoa.example"}, "y": {"name": "x"}},
                 "update": {"$default": {"htmlSignature": "<p>Ban</p>"}, "i9": {"name": "x"}},
                 "destroy": ["$default"]}, "c0"],
               ["Identity/changes", {"accountId": "$shared", "sinceState": "0"}, "c1"],
               ["Identity/get", {"accountId": "$shared", "properties": ["name", "htmlSignature", "mayDelete"]}, "c2"]]
            < [["Identity/set", {"oldState": "0", "created": {"k": {"id": "$made", "mayDelete": true, "…": "…"}},
                 "notCreated": {"x": {"type": "forbiddenFrom", "…": "…"}, "y": {"type": "invalidProperties", "properties": ["email"], "…": "…"}},
                 "updated": {"$default": null}, "notUpdated": {"i9": {"type": "notFound", "…": "…"}},
                 "destroyed": null, "notDestroyed": {"$default": {"type": "forbidden", "…": "…"}}, "…": "…"}, "c0"],
               ["Identity/changes", {"created": ["$made"], "updated": ["$default"], "destroyed": [], "hasMoreChanges": false, "…": "…"}, "c1"],
               ["Identity/get", {"list": [{"id": "$default", "name": "Ban Quản lý dự án", "htmlSignature": "<p>Ban</p>", "mayDelete": false},
                 {"id": "$made", "name": "Văn thư", "htmlSignature": "", "mayDelete": true}], "…": "…"}, "c2"]]

            > [["Identity/set", {"accountId": "$shared", "destroy": ["$made"]}, "c0"],
               ["Identity/changes", {"accountId": "$shared", "sinceState": "zero"}, "c1"]]
            < [["Identity/set", {"destroyed": ["$made"], "…": "…"}, "c0"],
               ["error", {"type": "cannotCalculateChanges"}, "c1"]]
            "##,
        )
        .await;
    })
    .await;
}

/// RFC 8621 §8; S9.1 (Điều 9): an account under review does not answer by itself.
#[tokio::test]
async fn an_absence_is_said_once_for_an_account() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.play(
            r##"
            > [["VacationResponse/get", {"accountId": "$own"}, "c0"],
               ["VacationResponse/set", {"accountId": "$own", "create": {"k": {}}, "destroy": ["singleton"],
                 "update": {"singleton": {"isEnabled": true, "toDate": "2026-12-01T00:00:00Z", "textBody": "vang"}, "x": {}}}, "c1"],
               ["VacationResponse/get", {"accountId": "$own", "ids": ["singleton", "y"]}, "c2"],
               ["VacationResponse/set", {"accountId": "$own", "update": {"singleton": {"fromDate": "2027-01-01T00:00:00Z"}}}, "c3"],
               ["VacationResponse/set", {"accountId": "$shared", "update": {"singleton": {"isEnabled": true}}}, "c4"]]
            < [["VacationResponse/get", {"state": "0", "list": [{"id": "singleton", "isEnabled": false, "fromDate": null, "toDate": null,
                 "subject": null, "textBody": null, "htmlBody": null}], "…": "…"}, "c0"],
               ["VacationResponse/set", {"oldState": "0", "notCreated": {"k": {"type": "singleton"}},
                 "notDestroyed": {"singleton": {"type": "singleton"}}, "updated": {"singleton": null},
                 "notUpdated": {"x": {"type": "notFound"}}, "…": "…"}, "c1"],
               ["VacationResponse/get", {"list": [{"id": "singleton", "isEnabled": true, "toDate": "2026-12-01T00:00:00Z",
                 "textBody": "vang", "…": "…"}], "notFound": ["y"], "…": "…"}, "c2"],
               ["VacationResponse/set", {"notUpdated": {"singleton": {"type": "invalidProperties", "properties": ["toDate"], "…": "…"}}, "…": "…"}, "c3"],
               ["VacationResponse/set", {"notUpdated": {"singleton": {"type": "forbidden", "citation": {"text": "Điều 9", "…": "…"}, "…": "…"}},
                 "…": "…"}, "c4"]]
            "##,
        )
        .await;
    })
    .await;
}

/// RFC 8621 §7.5: what is done with the message when it was sent, in one response more.
#[tokio::test]
async fn what_is_to_be_done_with_the_message_is_done_when_it_was_sent() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        world.draft(&mut mai, MAI, "so@gov.example").await;
        mai.names.set("identity", mai.names.get("own").replace('a', "i"));
        mai.play(
            r##"
            > [["EmailSubmission/set", {"accountId": "$own", "create": {"k": {"emailId": "$email", "identityId": "$identity"},
                  "bad": {"emailId": "$email", "identityId": "i1"}},
                 "onSuccessUpdateEmail": {"#k": {"keywords/$seen": true}, "#bad": {"keywords/$flagged": true}}}, "c0"],
               ["Email/get", {"accountId": "$own", "ids": ["$email"], "properties": ["keywords"]}, "c1"],
               ["EmailSubmission/set", {"accountId": "$own", "destroy": ["#k"], "onSuccessDestroyEmail": ["#k"]}, "c2"]]
            < [["EmailSubmission/set", {"created": {"k": "…"}, "notCreated": {"bad": "…"}, "…": "…"}, "c0"],
               ["Email/set", {"updated": {"$email": null}, "…": "…"}, "c0"],
               ["Email/get", {"list": [{"id": "$email", "keywords": {"$seen": true}}], "…": "…"}, "c1"],
               ["EmailSubmission/set", {"destroyed": ["…"], "…": "…"}, "c2"],
               ["Email/set", {"destroyed": ["$email"], "…": "…"}, "c2"]]
            "##,
        )
        .await;
        assert_eq!(world.left().await.len(), 2);
    })
    .await;
}
