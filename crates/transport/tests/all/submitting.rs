//! Whose message it is, when it says that it is from several.

use crate::place::{Place, each_place};
use congvu_storage::Actor;
use congvu_transport::{Draft, Envelope, Submitted, Via, submit};
use congvu_types::{Error, RefusalKind};
use testkit::agency::AGENCY;

/// A second account under review, one that nobody reviews, and an agency of its own.
const MORE: &str = r#"
[[agency]]
code = "sogtvt"
name = "Sở Giao thông"
domain = "sogt.example"
regulation = "regulations/bqlctgt.toml"

[[account]]
address = "vanphong@khanhhoa.example"
kind = "agency"
agency = "bqlctgt"

[[account]]
address = "khth@khanhhoa.example"
kind = "unit"
agency = "bqlctgt"

[[account]]
address = "phong@sogt.example"
kind = "unit"
agency = "sogtvt"

[[grant]]
person = "an"
account = "vanphong@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
person = "an"
account = "khth@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
agency = "bqlctgt"
person = "an"
account = "phong@sogt.example"
rights = ["read", "draft", "submit"]
"#;

async fn sent(place: &Place, header: &str, mail_from: &str) -> Result<Submitted, Error> {
    let who = place.agency.person("an").await;
    let raw = format!("{header}\r\nSubject: x\r\n\r\nx\r\n");
    let envelope = Envelope::new(Some(mail_from.parse().unwrap()), ["a@gov.example".parse().unwrap()]);
    let draft = Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap();
    let site = place.site.clone();
    place.agency.db.write(Actor::System("test"), move |tx| submit(tx, &site, &who, &draft)).await
}

/// S9.1 (Điều 9): the reviewers of one account do not decide for another, whichever field names it.
#[tokio::test]
async fn one_decision_stands_for_one_account() {
    each_place(MORE, |place| async move {
        let other = "vanphong@khanhhoa.example";
        for (header, mail_from) in [
            (format!("From: {AGENCY}\r\nSender: {other}"), AGENCY),
            (format!("From: {AGENCY}"), other),
            (format!("From: {AGENCY}, {other}\r\nSender: khth@khanhhoa.example"), AGENCY),
        ] {
            let error = sent(&place, &header, mail_from).await.unwrap_err();
            let refusal = error.refusal().unwrap();
            assert_eq!(refusal.kind, RefusalKind::SeveralSenders, "{header}");
            assert_eq!(refusal.citation.as_ref().unwrap().to_string(), "Điều 9");
        }
        // An account that nobody reviews adds no second decision: the message is held.
        for (from, sender) in [(AGENCY, "khth@khanhhoa.example"), ("khth@khanhhoa.example", AGENCY)] {
            let held = sent(&place, &format!("From: {from}\r\nSender: {sender}"), AGENCY).await.unwrap();
            assert!(matches!(held, Submitted::AwaitingReview(..)));
        }
        // Another agency has a regulation of its own.
        let error = sent(&place, "From: phong@sogt.example", "khth@khanhhoa.example").await.unwrap_err();
        assert_eq!(error.refusal().unwrap().kind, RefusalKind::SeveralSenders);
        assert!(place.queued().await.is_empty());
    })
    .await;
}
