//! Email/query by words, and SearchSnippet/get (RFC 8621 §4.4.1, §5), before the index has come to the messages and after.

use crate::world::{MAI, each_world};
use congvu_mail::search::{Indexer, Step};

fn letter(from: &str, subject: &str, text: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: Lê Mai <mai@khanhhoa.example>\r\nSubject: {subject}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn words_are_found_whatever_their_accents() {
    each_world(|world| async move {
        let one = letter("Hùng <hung@gov.example>", "Kế hoạch <2026>", "tỉnh Khánh Hòa & kinh phí dự án");
        let two = letter("Lan <lan@xa.example>", "Re: ke hoach", "khanh hoa");
        let three = letter("An <an@xa.example>", "khác", "không có gì");
        let mut mai = world.client("mai").await;
        for (name, raw) in [("e1", one), ("e2", two), ("e3", three)] {
            let delivered = world.deliver(MAI, &raw).await;
            mai.names.set(name, format!("e{}", delivered.email));
        }
        for is_indexed in [false, true] {
            if is_indexed {
                let mut indexer = Indexer::new(world.db.clone());
                while indexer.step().await.unwrap() != Step::Done {}
            }
            mai.play(
                r##"
                > [["Email/query", {"accountId": "$own", "filter": {"text": "\"Khánh Hoà\""}, "calculateTotal": true}, "c0"],
                   ["Email/query", {"accountId": "$own", "filter": {"text": "khanh hoa"},
                        "sort": [{"property": "receivedAt", "isAscending": false}], "limit": 1, "calculateTotal": true}, "c1"],
                   ["Email/query", {"accountId": "$own", "filter": {"from": "gov.example", "body": "kinh"}}, "c2"],
                   ["Email/query", {"accountId": "$own", "filter": {"operator": "NOT", "conditions": [{"subject": "ke hoach"}]}}, "c3"],
                   ["Email/query", {"accountId": "$own", "filter": {"operator": "OR", "conditions": [
                        {"to": "mai", "subject": "hoach"}, {"hasAttachment": true}]}, "anchor": "$e1"}, "c4"],
                   ["Email/query", {"accountId": "$own", "filter": {"text": "ke hoach", "notKeyword": "$seen"}, "position": -1}, "c5"],
                   ["Email/query", {"accountId": "$own", "filter": {"text": 7}}, "c6"],
                   ["Email/query", {"accountId": "$own", "filter": {"cc": "mai"}}, "c7"]]
                < [["Email/query", {"ids": ["$e1", "$e2"], "total": 2, "canCalculateChanges": false, "position": 0, "…": "…"}, "c0"],
                   ["Email/query", {"ids": ["$e2"], "total": 2, "…": "…"}, "c1"],
                   ["Email/query", {"ids": ["$e1"], "…": "…"}, "c2"],
                   ["Email/query", {"ids": ["$e3"], "…": "…"}, "c3"],
                   ["Email/query", {"ids": ["$e1"], "position": 1, "…": "…"}, "c4"],
                   ["Email/query", {"ids": ["$e1"], "position": 1, "…": "…"}, "c5"],
                   ["error", {"type": "invalidArguments", "…": "…"}, "c6"],
                   ["Email/query", {"ids": [], "…": "…"}, "c7"]]

                > [["Email/query", {"accountId": "$own", "filter": {"text": "hoach"}}, "c0"],
                   ["SearchSnippet/get", {"accountId": "$own", "filter": {"operator": "AND", "conditions": [
                        {"text": "\"ke hoach\" khanh"}, {"operator": "NOT", "conditions": [{"text": "kinh"}]}]},
                        "#emailIds": {"resultOf": "c0", "name": "Email/query", "path": "/ids"}}, "c1"],
                   ["SearchSnippet/get", {"accountId": "$own", "filter": {"hasAttachment": false}, "emailIds": ["$e3", "e1"]}, "c2"],
                   ["Email/queryChanges", {"accountId": "$own", "filter": {"text": "x"}, "sinceQueryState": "1"}, "c3"]]
                < [["Email/query", {"ids": ["$e2", "$e1"], "…": "…"}, "c0"],
                   ["SearchSnippet/get", {"accountId": "$own", "notFound": null, "list": [
                        {"emailId": "$e2", "subject": "Re: <mark>ke hoach</mark>", "preview": "<mark>khanh</mark> hoa"},
                        {"emailId": "$e1", "subject": "<mark>Kế hoạch</mark> &lt;2026&gt;",
                         "preview": "tỉnh <mark>Khánh</mark> Hòa &amp; kinh phí dự án"}]}, "c1"],
                   ["SearchSnippet/get", {"list": [{"emailId": "$e3", "subject": null, "preview": null}], "notFound": ["e1"], "…": "…"}, "c2"],
                   ["error", {"type": "cannotCalculateChanges"}, "c3"]]
                "##,
            )
            .await;
        }
    })
    .await;
}
