//! What the queue does with rows that make no sense, with answers, and with time.

use crate::place::each_place;
use congvu_storage::params;
use congvu_transport::queue::{self, AttemptOutcome, GIVE_UP_AFTER, Reported, TELL_DELAY_AFTER};
use congvu_types::Timestamp;
use std::time::Duration;
use testkit::agency::DIRECTOR;

const TAKEN: AttemptOutcome = AttemptOutcome::Delivered { reports: true };

fn later() -> AttemptOutcome {
    AttemptOutcome::Later { status: "4.4.1".into() }
}

fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed { status: "5.1.1".into() }
}

#[tokio::test]
async fn an_address_that_cannot_be_read_fails_alone_and_its_sender_is_told() {
    each_place("", |place| async move {
        place.send(&["a@gov.example", "b@gov.example"], "one").await;
        place.send(&["c@moc.example"], "two").await;
        let spoil = "UPDATE queue_recipient SET address = 'b gov' WHERE address = 'b@gov.example'";
        place.spoil(spoil, params![]).await;
        let leases = place.claim().await;
        assert_eq!(leases.len(), 2);
        assert_eq!((leases[0].recipients.len(), leases[0].unreadable.len()), (1, 1));
        assert_eq!(place.report(&leases[0], TAKEN, "250 ok").await, Reported::Done);
        let told = place.inbox(DIRECTOR).await;
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("rfc822; b gov") && told[0].contains("Status: 5.1.3"), "{}", told[0]);
        assert!(!told[0].contains("a@gov.example"), "{}", told[0]);
        let left = place.queued().await;
        assert_eq!(left.iter().map(|r| r.address.as_str()).collect::<Vec<_>>(), ["c@moc.example"]);
    })
    .await;
}

#[tokio::test]
async fn a_group_that_cannot_be_read_is_set_aside_alone_and_shown() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        place.send(&["b@gov.example"], "two").await;
        place.send(&["c@gov.example"], "three").await;
        place.spoil("UPDATE queue_message SET mail_from = 'x' WHERE subject = 'one'", params![]).await;
        place.spoil("DELETE FROM queue_message WHERE subject = 'two'", params![]).await;
        let leases = place.claim().await;
        assert_eq!(leases.len(), 1);
        assert_eq!(leases[0].recipients[0].address.to_string(), "c@gov.example");
        let rows = place.queued().await;
        let aside: Vec<_> = rows.iter().map(|r| (r.address.as_str(), r.is_set_aside)).collect();
        assert_eq!(aside, [("a@gov.example", true), ("b@gov.example", true), ("c@gov.example", false)]);
        assert!(rows[0].answer.contains("reading a reverse-path"), "{}", rows[0].answer);
        // They are not looked at again, until somebody says so or takes them out.
        assert!(place.claim().await.is_empty());
        let group = rows[0].group;
        place.write(move |tx| queue::retry_now(tx, group)).await;
        assert!(place.claim().await.is_empty());
        for row in &rows[..2] {
            place.cancel(row.group).await;
        }
        assert_eq!(place.queued().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_can_be_cancelled_and_is_reported_as_it_stands() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        place.spoil("UPDATE queue_recipient SET address = 'a gov'", params![]).await;
        let group = place.queued().await[0].group;
        place.cancel(group).await;
        assert!(place.queued().await.is_empty());
        assert!(place.inbox(DIRECTOR).await[0].contains("rfc822; a gov"));
    })
    .await;
}

#[tokio::test]
async fn a_report_goes_without_a_message_that_is_damaged() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        let lease = place.claim().await.remove(0);
        place.spoil("UPDATE blob SET packed = NULL WHERE hash = ?1", params![lease.blob.as_bytes()]).await;
        assert_eq!(place.report(&lease, failed(), "550 no").await, Reported::Done);
        let told = place.inbox(DIRECTOR).await;
        assert!(told[0].contains("rfc822; a@gov.example"), "{}", told[0]);
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_thousand_failures_stays_small_and_can_be_read() {
    each_place("", |place| async move {
        let many: Vec<String> = (0..1000).map(|n| format!("nguoi-nhan-{n}@gov.example")).collect();
        place.send(&many.iter().map(String::as_str).collect::<Vec<_>>(), "many").await;
        let lease = place.claim().await.remove(0);
        let answer = "550 5.7.1 ".to_owned() + &"nói mãi không thôi ".repeat(200);
        place.report(&lease, failed(), &answer).await;
        let told = place.inbox(DIRECTOR).await;
        assert!(told[0].len() < 500_000, "{}", told[0].len());
        assert!(told[0].contains("nguoi-nhan-999@gov.example"));
    })
    .await;
}

#[tokio::test]
async fn a_group_that_somebody_holds_is_not_due() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        let lease = place.claim().await.remove(0);
        let due = || async { place.agency.db.read(queue::next_due).await.unwrap() };
        assert_eq!(due().await, None);
        let Reported::Again(at) = place.report(&lease, later(), "").await else { panic!("it waits") };
        assert_eq!(due().await, Some(at));
    })
    .await;
}

#[tokio::test]
async fn who_sent_is_told_of_a_delay_once_and_of_the_end_after_five_days() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        let begun = place.queued().await[0].queued_at;
        let mut tries = 0_u32;
        loop {
            let lease = place.claim().await.remove(0);
            assert_eq!(lease.attempts, tries);
            tries += 1;
            match place.report(&lease, later(), "451 not now").await {
                Reported::Again(at) => {
                    // RFC 5321 §4.5.4.1: 5, 15, 30 minutes, 1, 2, then 4 hours, a tenth more or less.
                    let now = place.agency.db.clock().now();
                    let base = [5, 15, 30, 60, 120].get(tries as usize - 1).copied().unwrap_or(240);
                    let wait = at.since(now);
                    let is_last = at == begun.after(GIVE_UP_AFTER);
                    assert!(wait <= Duration::from_secs(base * 66), "{tries}: {wait:?}");
                    assert!(is_last || wait >= Duration::from_secs(base * 54), "{tries}: {wait:?}");
                    assert!(place.claim().await.is_empty(), "not before its time");
                    place.clock.wait(wait);
                }
                Reported::Done => break,
                Reported::LeaseLost => panic!("nobody else is there"),
            }
            assert!(tries < 100);
        }
        let end: Timestamp = place.agency.db.clock().now();
        assert_eq!(end.since(begun), GIVE_UP_AFTER);
        assert!(place.queued().await.is_empty());
        let told = place.inbox(DIRECTOR).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("Action: delayed"), "{}", told[0]);
        assert!(told[1].contains("Action: failed") && told[1].contains("Status: 4.4.7"), "{}", told[1]);
        assert!(TELL_DELAY_AFTER < GIVE_UP_AFTER);
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_is_struck_off_even_when_nobody_can_be_told_of_the_rest() {
    each_place("", |place| async move {
        place.send(&["a@gov.example", "b@gov.example"], "one").await;
        let lease = place.claim().await.remove(0);
        let attempts = [(0, TAKEN), (1, failed())].map(|(n, outcome)| queue::Attempt {
            recipient: lease.recipients[n].id,
            outcome,
            remote: String::new(),
            answer: "said".into(),
        });
        let reported = place.write(move |tx| queue::strike(tx, &lease, &attempts)).await;
        assert!(matches!(reported, Reported::Again(_)));
        let left = place.queued().await;
        assert_eq!((left.len(), left[0].address.as_str(), left[0].attempts), (1, "b@gov.example", 1));
        assert!(place.inbox(DIRECTOR).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_nobody_can_be_told_of_after_five_days_waits_for_its_turn() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        place.clock.wait(GIVE_UP_AFTER);
        let lease = place.claim().await.remove(0);
        let reported = place.write(move |tx| queue::strike(tx, &lease, &[])).await;
        let Reported::Again(at) = reported else { panic!("it waits") };
        assert!(at.since(place.agency.db.clock().now()) >= Duration::from_secs(4 * 60));
        assert!(place.claim().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_an_older_holder_reports_is_not_heard() {
    each_place("", |place| async move {
        place.send(&["a@gov.example"], "one").await;
        let old = place.claim().await.remove(0);
        place.clock.wait(queue::LEASE + Duration::from_secs(1));
        let new = place.claim().await.remove(0);
        assert_eq!(place.report(&old, failed(), "550 no").await, Reported::LeaseLost);
        assert_eq!(place.report(&new, TAKEN, "250 ok").await, Reported::Done);
        assert!(place.inbox(DIRECTOR).await.is_empty());
    })
    .await;
}
