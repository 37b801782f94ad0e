//! Which servers are tried, in which order, and what their refusals mean (RFC 5321 §5.1).

use crate::remote::{House, Manner, Remote};
use congvu_net::resolver;
use congvu_smtp::Route;
use std::net::SocketAddr;
use testkit::dns;

const ZONE: &str = "
    gov.example MX 10 first.gov.example
    gov.example MX 20 second.gov.example
    first.gov.example A 127.0.0.1
    second.gov.example A 127.0.0.2
    plain.example A 127.0.0.2
    null.example MX 0 .
    broken.example SERVFAIL -
    circle.example MX 10 Mail.Khanhhoa.example
    circle.example MX 20 second.gov.example
    mail.khanhhoa.example A 192.0.2.1
";

/// Two servers of one domain, the preferred one first, and a house that finds them by DNS.
async fn pair(first: Manner, second: Manner) -> (Remote, Remote, House) {
    let first = Remote::start(first).await;
    let second =
        Remote::start_at(SocketAddr::new("127.0.0.2".parse().unwrap(), first.address.port()), second).await;
    let resolver = Box::new(resolver(Some(dns::serve(ZONE).await)).unwrap());
    let house = House::new(Route::Mx { resolver, port: first.address.port() }).await;
    (first, second, house)
}

#[tokio::test]
async fn the_preferred_server_is_tried_first() {
    let (first, second, house) = pair(Manner::default(), Manner::default()).await;
    house.send(&["a@gov.example"], "x").await;
    house.until_empty().await;
    assert!(first.heard().contains("RCPT TO:<a@gov.example>"));
    assert_eq!(second.heard(), "");
    house.stop().await;
}

/// RFC 5321 §3.1: 554 in the greeting is said of the host, not of the recipients.
#[tokio::test]
async fn a_host_without_service_leaves_the_mail_to_the_next_one() {
    for greeting in ["554 no service here", "421 too busy"] {
        let (_, second, house) = pair(Manner { greeting, ..Manner::default() }, Manner::default()).await;
        house.send(&["a@gov.example"], "x").await;
        house.until_empty().await;
        assert!(second.heard().contains("RCPT TO:<a@gov.example>"));
        house.stop().await;
    }
}

#[tokio::test]
async fn a_domain_without_service_is_tried_again_later() {
    let closed = Manner { greeting: "554 no service here", ..Manner::default() };
    let (_, _, house) = pair(closed.clone(), closed).await;
    house.send(&["a@gov.example"], "x").await;
    let left = house.until_tried().await;
    assert!(left[0].answer.contains("554 no service here"), "{left:?}");
    house.stop().await;
}

#[tokio::test]
async fn who_is_told_to_wait_by_one_host_asks_the_next() {
    let rcpt = &[("a@", "450 4.2.1 greylisted")];
    let (_, second, house) = pair(Manner { rcpt, ..Manner::default() }, Manner::default()).await;
    house.send(&["a@gov.example"], "x").await;
    house.until_empty().await;
    assert!(second.heard().contains("RCPT TO:<a@gov.example>"));
    house.stop().await;
}

/// RFC 6531 §3.5, RFC 6152 §3: another host of the domain may take what the first cannot; when none can, it comes back.
#[tokio::test]
async fn what_a_server_cannot_take_goes_to_one_that_can_or_back() {
    let poor = || Manner { offers: &["PIPELINING"], ..Manner::default() };
    let rich = Manner { offers: &["SMTPUTF8", "8BITMIME"], ..Manner::default() };
    for (to, text, status) in [("hùng@gov.example", "x", "5.6.7"), ("a@gov.example", "chào", "5.6.3")] {
        let (first, second, house) = pair(poor(), rich.clone()).await;
        house.send(&[to], text).await;
        house.until_empty().await;
        assert!(!first.heard().contains("MAIL") && second.heard().contains(to), "{to}");
        house.stop().await;
        let (_, _, house) = pair(poor(), poor()).await;
        house.send(&[to], text).await;
        house.until_empty().await;
        let report = house.report().await;
        assert!(report.contains(&format!("Status: {status}")), "{report}");
        house.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_is_not_the_last_word_while_another_is_away() {
    let poor = Manner { offers: &[], ..Manner::default() };
    let away = Manner { greeting: "421 back soon", ..Manner::default() };
    let (_, _, house) = pair(poor, away).await;
    house.send(&["a@gov.example"], "chào").await;
    house.until_tried().await;
    house.stop().await;
}

/// RFC 5321 §5.1, RFC 7505.
#[tokio::test]
async fn dns_says_where_mail_goes_that_it_cannot_go_or_nothing_yet() {
    let (first, second, house) = pair(Manner::default(), Manner::default()).await;
    house.send(&["a@plain.example"], "x").await;
    house.until_empty().await;
    assert!(first.heard().is_empty() && second.heard().contains("a@plain.example"), "the domain itself");
    let kept = [("null.example", "5.1.10"), ("nowhere.example", "5.1.2"), ("circle.example", "5.4.6")];
    for (domain, status) in kept {
        house.send(&[&format!("a@{domain}")], "x").await;
        house.until_empty().await;
        let report = house.report().await;
        assert!(report.contains(&format!("Status: {status}")), "{report}");
    }
    house.send(&["a@broken.example"], "x").await;
    let left = house.until_tried().await;
    assert_eq!(left[0].status, "4.4.3");
    house.stop().await;
}
