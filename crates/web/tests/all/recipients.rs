//! What a writer is told of the recipients.

use crate::world::{AGENCY, each_world};
use serde_json::json;

// S2.2b, S8.3a
#[tokio::test]
async fn recipients_are_judged_by_the_regulation_of_the_sender() {
    each_world(|world| async move {
        let mai = world.signed_in("mai").await;
        let asked = ["so@khanhhoa.example", "a@elsewhere.example", "Dan@GMAIL.com", "no address"];
        let told = mai.post("/api/v1/recipients", &json!({ "from": AGENCY, "addresses": asked })).await;
        assert_eq!(told.status, 200);
        let told = told.json();
        let facts = told["recipients"].as_array().unwrap();
        let short: Vec<_> =
            facts.iter().map(|f| (&f["address"], &f["official"], &f["citation"]["text"])).collect();
        assert_eq!(
            short,
            [
                (&json!(asked[0]), &json!(true), &json!(null)),
                (&json!(asked[1]), &json!(false), &json!(null)),
                (&json!(asked[2]), &json!(false), &json!("Điều 8")),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn only_a_sender_of_the_address_asks_and_not_without_end() {
    each_world(|world| async move {
        let mai = world.signed_in("mai").await;
        let ask = |from: &str, count: usize| json!({ "from": from, "addresses": vec!["a@x.example"; count] });
        let refused = mai.post("/api/v1/recipients", &ask("stranger@elsewhere.example", 1)).await;
        assert_eq!(refused.problem().1, "senderNotAllowed");
        assert_eq!(
            mai.post("/api/v1/recipients", &ask("nothing", 1)).await.problem(),
            (422, "invalidValue".to_owned())
        );
        assert_eq!(mai.post("/api/v1/recipients", &ask(AGENCY, 201)).await.problem().1, "tooMany");
    })
    .await;
}
