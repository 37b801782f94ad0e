//! The outbound worker against a server that says what the test wants.

use crate::remote::{House, Manner, Remote};
use congvu_smtp::Route;
use std::{sync::Arc, time::Duration};
use testkit::agency::each_agency;

async fn smarthost(manner: Manner) -> (Remote, House) {
    let remote = Remote::start(manner).await;
    let house = House::new(Route::Smarthost(remote.address.to_string())).await;
    (remote, house)
}

#[tokio::test]
async fn queued_mail_leaves_and_failures_come_back() {
    each_agency(|agency| async move {
        let rcpt = &[("nobody", "550 5.1.1 no such user"), ("later", "450 4.2.1 greylisted")];
        let remote = Remote::start(Manner { rcpt, ..Manner::default() }).await;
        let house = House::of(agency, Route::Smarthost(remote.address.to_string()), None);
        house.send(&["a@gov.example", "nobody@gov.example", "later@gov.example"], ".cham").await;
        // One was taken, one bounced, one waits for its next turn.
        let left = house.until(|rows| rows.len() == 1 && rows[0].attempts == 1).await;
        assert_eq!((left[0].address.as_str(), left[0].status.as_str()), ("later@gov.example", "4.2.1"));
        let heard = remote.heard();
        assert!(heard.contains("MAIL FROM:<giamdoc@khanhhoa.example> SIZE="), "{heard}");
        assert!(heard.contains("RCPT TO:<a@gov.example> NOTIFY=FAILURE,DELAY"), "{heard}");
        assert!(heard.contains("\n..cham\n.\n"), "{heard}");
        // RFC 3464: the author hears of the one that will never arrive.
        let report = house.report().await;
        assert!(report.contains("Final-Recipient: rfc822; nobody@gov.example"), "{report}");
        assert!(report.contains("Status: 5.1.1") && !report.contains("later@gov.example"), "{report}");
        house.stop().await;
    })
    .await;
}

/// RFC 5321 §4.5.3.1.8, §4.5.3.1.10.
#[tokio::test]
async fn many_recipients_go_in_several_transactions_of_one_conversation() {
    for (most_recipients, transactions) in [(1000, 3), (60, 5)] {
        let (remote, house) = smarthost(Manner { most_recipients, ..Manner::default() }).await;
        let to: Vec<String> = (0..250).map(|n| format!("n{n}@gov.example")).collect();
        house.send(&to.iter().map(String::as_str).collect::<Vec<_>>(), "chao").await;
        house.until_empty().await;
        let heard = remote.heard();
        assert_eq!(heard.matches("EHLO").count(), 1, "{most_recipients}");
        assert_eq!(heard.matches("MAIL FROM").count(), transactions, "{most_recipients}");
        assert_eq!(heard.matches("\nchao\n").count(), transactions, "{most_recipients}");
        house.stop().await;
    }
}

/// RFC 5321 §4.5.3.1.10: 552 to RCPT is for later, whatever its class.
#[tokio::test]
async fn a_full_server_is_for_later() {
    let rcpt = &[("full", "552 5.2.2 over quota"), ("storage", "552 no storage"), ("one", "452 4.2.2 full")];
    let (_remote, house) = smarthost(Manner { rcpt, ..Manner::default() }).await;
    house.send(&["full@gov.example", "storage@gov.example", "one@gov.example", "a@gov.example"], "x").await;
    let left = house.until(|rows| rows.len() == 3 && rows[0].attempts == 1).await;
    let status: Vec<&str> = left.iter().map(|r| r.status.as_str()).collect();
    assert_eq!(status, ["4.2.2", "4.5.3", "4.2.2"]);
    house.stop().await;
}

#[tokio::test]
async fn two_hundred_and_fifty_in_answer_to_data_delivers_nothing() {
    let (remote, house) = smarthost(Manner { data: "250 ok", ..Manner::default() }).await;
    house.send(&["a@gov.example"], "x").await;
    let left = house.until_tried().await;
    assert!(left[0].answer.contains("in answer to DATA"), "{left:?}");
    assert!(!remote.heard().contains("Subject"));
    house.stop().await;
}

#[tokio::test]
async fn a_conversation_under_way_ends_before_the_worker_does() {
    let thinks = Duration::from_secs(2);
    let (remote, house) = smarthost(Manner { thinks, ..Manner::default() }).await;
    house.send(&["a@gov.example"], "x").await;
    while !remote.heard().ends_with("\n.") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let db = house.agency.db.clone();
    house.stop().await;
    let left = db.read(|s| congvu_transport::queue::list(s, None, 10)).await.unwrap();
    assert!(left.is_empty(), "it would be sent twice: {left:?}");
}

#[tokio::test]
async fn one_domain_gets_no_more_conversations_than_it_may() {
    let thinks = Duration::from_millis(300);
    let (remote, house) = smarthost(Manner { thinks, ..Manner::default() }).await;
    for _ in 0..6 {
        house.send(&["a@gov.example"], "x").await;
    }
    house.until_empty().await;
    assert_eq!(remote.most_at_once(), 2);
    assert_eq!(remote.heard().matches("MAIL FROM").count(), 6);
    house.stop().await;
}

#[tokio::test]
async fn what_offers_tls_gets_mail_over_tls_and_in_clear_when_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    let files = congvu_net::tls::own_authority(dir.path(), &["remote".to_owned()]).unwrap();
    let config = congvu_net::tls::server_config(&files.certificate, &files.key).unwrap();
    for (tls, said) in [(Some(config), "(tls) MAIL FROM"), (None, "\nMAIL FROM")] {
        let offers = &["STARTTLS", "8BITMIME"];
        let remote = Remote::start(Manner { offers, tls, ..Manner::default() }).await;
        let client: Arc<_> = congvu_net::tls::opportunistic_client().unwrap();
        let house = House::with(Route::Smarthost(remote.address.to_string()), Some(client)).await;
        house.send(&["a@gov.example"], "x").await;
        house.until_empty().await;
        assert!(remote.heard().contains(said), "{}", remote.heard());
        house.stop().await;
    }
}
