//! Mass delivery: what cannot be dealt with steps aside.

use crate::place::{Place, each_place};
use congvu_storage::params;
use congvu_transport::{Arrival, Envelope, fanout, receive};
use std::{sync::LazyLock, time::Duration};
use testkit::agency::DIRECTOR;

const COUNT: usize = 70;

/// Accounts beyond those that one transaction delivers to.
static MANY: LazyLock<String> = LazyLock::new(|| {
    let account = |n| {
        format!(
            "\n[[account]]\naddress = \"phong{n}@khanhhoa.example\"\nkind = \"unit\"\nagency = \"bqlctgt\"\n"
        )
    };
    (0..COUNT).map(account).collect()
});

fn address(n: usize) -> String {
    format!("phong{n}@khanhhoa.example")
}

/// A message for all of them comes in.
async fn arrive(place: &Place, subject: &str) {
    let raw = format!("From: so@gov.example\r\nSubject: {subject}\r\n\r\n{subject}\r\n");
    let to = (0..COUNT).map(|n| address(n).parse().unwrap());
    let arrival = Arrival {
        id: subject.to_owned(),
        envelope: Envelope::new(Some(DIRECTOR.parse().unwrap()), to),
        message: congvu_mail::prepare(raw.as_bytes()).unwrap(),
        is_junk: false,
        one_answer: true,
    };
    let site = place.site.clone();
    place.write(move |tx| receive(tx, &site, &arrival)).await;
}

/// Works until nothing is due.
async fn work(place: &Place) {
    for _ in 0..20 {
        if !fanout::step(&place.agency.db, &place.site).await.unwrap() {
            return;
        }
    }
    panic!("it never ends");
}

async fn jobs(place: &Place) -> Vec<fanout::JobRow> {
    place.agency.db.read(|s| fanout::list(s, 10)).await.unwrap()
}

/// Takes the first account its INBOX, after a first delivery has made it.
async fn break_first(place: &Place) -> i64 {
    arrive(place, "zero").await;
    work(place).await;
    let broken = place.account(&address(0)).await.get();
    place
        .spoil("UPDATE mailbox SET role = 'odd' WHERE account_id = ?1 AND role = 'inbox'", params![broken])
        .await;
    broken
}

#[tokio::test]
async fn a_job_that_cannot_be_worked_off_lets_the_next_one_pass() {
    each_place(&MANY, |place| async move {
        arrive(&place, "one").await;
        let spoil = "UPDATE fanout_job SET blob_hash = ?1";
        place.spoil(spoil, params![&[7_u8; 32]]).await;
        arrive(&place, "two").await;
        work(&place).await;
        for n in [0, COUNT - 1] {
            assert!(place.inbox(&address(n)).await[0].contains("Subject: two"));
        }
        let left = jobs(&place).await;
        assert_eq!((left.len(), left[0].attempts, left[0].left), (1, 1, COUNT as u64));
        assert!(left[0].answer.contains("there is no blob"), "{}", left[0].answer);
        // It comes back in its time.
        let wait = left[0].next_at.since(left[0].created_at);
        place.clock.wait(wait);
        work(&place).await;
        assert_eq!(jobs(&place).await[0].attempts, 2);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_cannot_be_delivered_to_keeps_no_other_waiting() {
    each_place(&MANY, |place| async move {
        let broken = break_first(&place).await;
        arrive(&place, "one").await;
        arrive(&place, "two").await;
        work(&place).await;
        for n in 1..COUNT {
            assert_eq!(place.inbox(&address(n)).await.len(), 3, "{n}");
        }
        assert_eq!(jobs(&place).await.iter().map(|j| j.left).collect::<Vec<_>>(), [1, 1]);
        // Mended, it gets what is due.
        place
            .spoil(
                "UPDATE mailbox SET role = 'inbox' WHERE account_id = ?1 AND name = 'INBOX'",
                params![broken],
            )
            .await;
        place.clock.wait(Duration::from_secs(600));
        work(&place).await;
        assert!(jobs(&place).await.is_empty());
        assert_eq!(place.inbox(&address(0)).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn after_five_days_the_sender_hears_of_who_got_nothing() {
    each_place(&MANY, |place| async move {
        break_first(&place).await;
        arrive(&place, "one").await;
        work(&place).await;
        place.spoil("UPDATE fanout_recipient SET address = 'no address'", params![]).await;
        place.clock.wait(Duration::from_secs(5 * 24 * 3600));
        work(&place).await;
        assert!(jobs(&place).await.is_empty());
        let told = place.inbox(DIRECTOR).await;
        assert!(told[0].contains("rfc822; no address") && told[0].contains("4.4.7"), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_message_is_lost_ends_after_five_days_with_a_report() {
    each_place(&MANY, |place| async move {
        arrive(&place, "one").await;
        place.spoil("UPDATE fanout_job SET blob_hash = ?1", params![&[7_u8; 32]]).await;
        work(&place).await;
        assert_eq!(jobs(&place).await.len(), 1);
        place.clock.wait(Duration::from_secs(5 * 24 * 3600));
        work(&place).await;
        assert!(jobs(&place).await.is_empty());
        let told = place.inbox(DIRECTOR).await;
        assert!(told[0].contains(&address(COUNT - 1)) && told[0].contains("4.4.7"), "{told:?}");
    })
    .await;
}

/// RFC 3461 §4.1: the sender asked to be told of success, and cannot be.
#[tokio::test]
async fn a_report_of_success_that_cannot_be_sent_holds_no_message_back_for_long() {
    each_place(&MANY, |place| async move {
        place.send(&[DIRECTOR], "first").await;
        let director = place.account(DIRECTOR).await.get();
        let spoil = "UPDATE mailbox SET role = 'odd' WHERE account_id = ?1 AND role = 'inbox'";
        place.spoil(spoil, params![director]).await;
        arrive(&place, "one").await;
        // Success and failure.
        place.spoil("UPDATE fanout_recipient SET notify = ?1", params![3_i64]).await;
        work(&place).await;
        assert_eq!(jobs(&place).await[0].left, COUNT as u64);
        for _ in 0..3 {
            place.clock.wait(Duration::from_secs(3600));
            work(&place).await;
        }
        assert!(jobs(&place).await.is_empty());
        assert_eq!(place.inbox(&address(COUNT - 1)).await.len(), 1);
    })
    .await;
}
