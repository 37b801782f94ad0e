//! Who could be meant, and what is to be known of them before a message leaves (S2.2b, Điều 2; S8.3a, Điều 8).

use crate::world::{MAI, each_world};

#[tokio::test]
async fn the_address_book_and_past_letters_are_offered_without_regard_to_accents() {
    each_world(|world| async move {
        let mut mai = world.client("mai").await;
        mai.names.set("identity", mai.names.get("own").replace('a', "i"));
        let raw = "From: mai@khanhhoa.example\r\nTo: =?utf-8?B?xJDDoG8gVGjhu4sgTWFp?= <dao@gov.example>\r\n\r\nx\r\n";
        let stored = world.deliver(MAI, raw.as_bytes()).await;
        mai.names.set("email", format!("e{}", stored.email));
        mai.play(
            r##"
            > [["Recipients/complete", {"accountId": "$own", "text": "dao"}, "c0"],
               ["Recipients/complete", {"accountId": "$own", "text": "le ma"}, "c1"],
               ["Recipients/complete", {"accountId": "$own", "text": "quản lý"}, "c2"],
               ["Recipients/complete", {"accountId": "$own", "text": "  "}, "c3"],
               ["Recipients/complete", {"accountId": "$own", "text": "giam", "limit": 0}, "c4"],
               ["Recipients/complete", {"accountId": "$own"}, "c5"]]
            < [["Recipients/complete", {"accountId": "$own", "list": []}, "c0"],
               ["Recipients/complete", {"list": [{"name": "Lê Thị Mai", "email": "mai@khanhhoa.example", "detail": "giam-doc",
                 "source": "directory"}], "…": "…"}, "c1"],
               ["Recipients/complete", {"list": [{"email": "bqlctgt@khanhhoa.example", "…": "…"}], "…": "…"}, "c2"],
               ["Recipients/complete", {"list": [], "…": "…"}, "c3"],
               ["Recipients/complete", {"list": [], "…": "…"}, "c4"],
               ["error", {"type": "invalidArguments", "…": "…"}, "c5"]]

            # whom the account wrote to is known from then on
            > [["EmailSubmission/set", {"accountId": "$own", "create": {"k": {"emailId": "$email", "identityId": "$identity"}}}, "c0"],
               ["Recipients/complete", {"accountId": "$own", "text": "ĐÀO"}, "c1"],
               ["Recipients/complete", {"accountId": "$own", "text": "dao thi"}, "c2"],
               ["Recipients/complete", {"accountId": "$own", "text": "mai"}, "c3"],
               ["Recipients/complete", {"accountId": "$shared", "text": "dao"}, "c4"]]
            < [["EmailSubmission/set", {"created": {"k": {"undoStatus": "final", "…": "…"}}, "…": "…"}, "c0"],
               ["Recipients/complete", {"list": [{"name": "Đào Thị Mai", "email": "dao@gov.example", "detail": null, "source": "past"}],
                 "…": "…"}, "c1"],
               ["Recipients/complete", {"list": [{"email": "dao@gov.example", "…": "…"}], "…": "…"}, "c2"],
               ["Recipients/complete", {"list": [{"source": "directory", "…": "…"}, {"source": "past", "…": "…"}], "…": "…"}, "c3"],
               ["Recipients/complete", {"list": [], "…": "…"}, "c4"]]
            "##,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_to_be_known_of_recipients_is_told_with_its_article() {
    each_world(|world| async move {
        let (mut mai, mut lan) = (world.client("mai").await, world.client("lan").await);
        mai.names.set("identity", mai.names.get("own").replace('a', "i"));
        let stored = world.deliver(MAI, b"From: mai@khanhhoa.example\r\nTo: so@gov.example\r\n\r\nx\r\n").await;
        mai.names.set("email", format!("e{}", stored.email));
        mai.play(
            r##"
            > [["EmailSubmission/set", {"accountId": "$own", "create": {"k": {"emailId": "$email", "identityId": "$identity"}}}, "c0"],
               ["Recipients/check", {"accountId": "$own", "addresses":
                 ["SO@gov.example", "dan@gmail.com", "khong@khanhhoa.example", "bqlctgt@khanhhoa.example", "ai do"]}, "c1"],
               ["Recipients/check", {"accountId": "$shared", "addresses": ["so@gov.example"]}, "c2"]]
            < ["…",
               ["Recipients/check", {"accountId": "$own", "willBeReviewed": false, "citation": null, "list": [
                 {"address": "SO@gov.example", "isValid": true, "place": "elsewhere", "isOfficial": true, "rule": null, "wroteBefore": true},
                 {"address": "dan@gmail.com", "isValid": true, "place": "elsewhere", "isOfficial": false, "wroteBefore": false,
                    "rule": {"effect": "warn", "citation": {"rule": "S8.3a", "text": "Điều 8", "…": "…"}}},
                 {"place": "unknown", "isOfficial": true, "…": "…"},
                 {"place": "here", "…": "…"},
                 {"address": "ai do", "isValid": false, "place": null, "isOfficial": null, "rule": null, "wroteBefore": false}]}, "c1"],
               ["Recipients/check", {"willBeReviewed": true, "citation": {"text": "Điều 9", "…": "…"},
                 "list": [{"wroteBefore": false, "…": "…"}], "…": "…"}, "c2"]]
            "##,
        )
        .await;
        // Nobody asks for accounts that are not theirs.
        lan.play(
            r##"
            > [["Recipients/check", {"accountId": "$own", "addresses": []}, "c0"],
               ["Recipients/complete", {"accountId": "$own", "text": "x"}, "c1"]]
            < [["error", {"type": "accountNotFound"}, "c0"], ["error", {"type": "accountNotFound"}, "c1"]]
            "##,
        )
        .await;
    })
    .await;
}
