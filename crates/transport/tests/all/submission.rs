//! What somebody sends waits, is held, leaves or does not: RFC 8621 §7, S9.1 (Điều 9).

use crate::{
    place::{Place, each_place},
    sending::letter,
};
use congvu_directory::{act_for, right};
use congvu_mail::{DeliverOptions, Role, Target, deliver, prepare};
use congvu_storage::{Actor, params};
use congvu_transport::{
    DecisionKind, Envelope,
    queue::AttemptOutcome,
    submission::{self, Hold, Reached, Submission, SubmissionState},
    topic,
};
use congvu_types::{ModSeq, RefusalKind, Timestamp};
use std::time::Duration;
use testkit::agency::{AGENCY, DIRECTOR};

const MORE: &str = r#"
[[account]]
address = "khth@khanhhoa.example"
kind = "unit"
agency = "bqlctgt"

[[grant]]
person = "an"
account = "khth@khanhhoa.example"
rights = ["read", "draft", "submit"]

[[grant]]
person = "mai"
account = "khth@khanhhoa.example"
rights = ["read", "draft", "submit", "manage"]
"#;
const UNIT: &str = "khth@khanhhoa.example";
const UNDO: Hold = Hold::For(10);

fn state(found: &Submission) -> (SubmissionState, Option<&'static str>) {
    (found.state, found.review.as_ref().map(|review| review.state.as_str()))
}

async fn in_an_hour(place: &Place) -> Hold {
    Hold::Until(place.agency.db.clock().now().after(Duration::from_secs(3600)))
}

#[tokio::test]
async fn what_waits_for_second_thoughts_leaves_when_they_are_over() {
    each_place(MORE, |place| async move {
        let made = place.create("an", UNIT, &letter(UNIT, "a@gov.example", "one"), UNDO).await;
        assert_eq!(state(&made), (SubmissionState::Scheduled, None));
        place.clock.wait(Duration::from_secs(9));
        assert_eq!(place.release().await, 0);
        assert!(place.leaving().await.is_empty());
        place.clock.wait(Duration::from_secs(1));
        assert_eq!(place.release().await, 1);
        let left = place.leaving().await;
        assert_eq!(left.len(), 1);
        // RFC 5322 §3.6.3: who gets a blind copy is nobody else's business; RFC 6409 §8: what is missing is added.
        assert!(!left[0].contains("Bcc") && left[0].contains("Date: ") && left[0].contains("Message-ID: "));
        let found = place.look("an", &made).await;
        assert_eq!(found.state, SubmissionState::Sent);
        let to: Vec<_> = found.statuses.iter().map(|s| (s.address.as_str(), s.reached)).collect();
        assert_eq!(to, [("a@gov.example", Reached::Queued), ("blind@gov.example", Reached::Queued)]);
    })
    .await;
}

#[tokio::test]
async fn what_was_cancelled_does_not_leave() {
    each_place(MORE, |place| async move {
        let raw = letter(UNIT, "a@gov.example", "one");
        let made = place.create("an", UNIT, &raw, UNDO).await;
        let taken = place.cancel_submission("an", &made).await.unwrap();
        assert_eq!(taken.state, SubmissionState::Canceled);
        // Once more says the same; who manages the account may, too, and nobody else.
        assert!(place.cancel_submission("an", &made).await.is_ok());
        let other = place.create("mai", UNIT, &raw, UNDO).await;
        let refused = place.cancel_submission("an", &other).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::NoRight);
        let third = place.create("an", UNIT, &raw, UNDO).await;
        place.cancel_submission("mai", &third).await.unwrap();
        place.clock.wait(Duration::from_secs(60));
        assert_eq!(place.release().await, 1);
        assert_eq!(place.leaving().await.len(), 1);
        // RFC 8621 §7.5: what left cannot be unsent.
        let late = place.cancel_submission("mai", &other).await.unwrap_err();
        assert_eq!(late.refusal().unwrap().kind, RefusalKind::AlreadyDecided);
    })
    .await;
}

/// S9.1 (Điều 9): a review begins when second thoughts are over, and is about the bytes of the moment of sending.
#[tokio::test]
async fn a_review_begins_when_second_thoughts_are_over() {
    each_place(MORE, |place| async move {
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), UNDO).await;
        assert_eq!(state(&made), (SubmissionState::Scheduled, None));
        place.clock.wait(Duration::from_secs(10));
        assert_eq!(place.release().await, 1);
        let held = place.look("an", &made).await;
        assert_eq!(state(&held), (SubmissionState::Held, Some("awaiting")));
        assert!(place.leaving().await.is_empty());
        let review = held.review.unwrap();
        assert_eq!(review.citation.to_string(), "Điều 9");
        assert!(review.due_at.is_some());
        place.decide("mai", review.id, DecisionKind::Approve, Some("duoc")).await.unwrap();
        let sent = place.look("an", &made).await;
        assert_eq!(state(&sent), (SubmissionState::Sent, Some("approved")));
        let review = sent.review.unwrap();
        assert_eq!(
            (review.decided_by.as_deref(), review.comment.as_deref()),
            (Some("Lê Thị Mai"), Some("duoc"))
        );
        assert_eq!(place.leaving().await.len(), 1);
        assert_eq!(sent.statuses.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn without_a_hold_it_is_held_or_leaves_at_once() {
    each_place(MORE, |place| async move {
        let held = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), Hold::None).await;
        assert_eq!(state(&held), (SubmissionState::Held, Some("awaiting")));
        let sent = place.create("an", UNIT, &letter(UNIT, "a@gov.example", "two"), Hold::None).await;
        assert_eq!(sent.state, SubmissionState::Sent);
        let past = Hold::Until(Timestamp(0));
        let sent = place.create("an", UNIT, &letter(UNIT, "a@gov.example", "three"), past).await;
        assert_eq!(sent.state, SubmissionState::Sent);
        assert_eq!(place.leaving().await.len(), 2);
    })
    .await;
}

/// S9.1 (Điều 9): what is to leave later is decided on before; the approval is used at its time, once.
#[tokio::test]
async fn what_leaves_later_is_reviewed_before_and_leaves_at_its_time() {
    each_place(MORE, |place| async move {
        let later = in_an_hour(&place).await;
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), later).await;
        assert_eq!(state(&made), (SubmissionState::Held, Some("awaiting")));
        let review = made.review.as_ref().unwrap().id;
        place.decide("mai", review, DecisionKind::Approve, None).await.unwrap();
        let approved = place.look("an", &made).await;
        assert_eq!(state(&approved), (SubmissionState::Scheduled, Some("approved")));
        assert_eq!(place.release().await, 0);
        assert!(place.leaving().await.is_empty(), "it leaves at its time");
        // It was decided: nobody decides again.
        let again = place.decide("mai", review, DecisionKind::Approve, None).await.unwrap_err();
        assert_eq!(again.refusal().unwrap().kind, RefusalKind::AlreadyDecided);
        place.clock.wait(Duration::from_secs(3600));
        assert_eq!(place.release().await, 1);
        assert_eq!(place.look("an", &made).await.state, SubmissionState::Sent);
        place.clock.wait(Duration::from_secs(3600));
        assert_eq!(place.release().await, 0);
        assert_eq!(place.leaving().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_decision_that_comes_late_sends_at_once() {
    each_place(MORE, |place| async move {
        let later = in_an_hour(&place).await;
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), later).await;
        place.clock.wait(Duration::from_secs(7200));
        // Time alone sends nothing.
        assert_eq!(place.release().await, 0);
        assert!(place.leaving().await.is_empty());
        place.decide("mai", made.review.as_ref().unwrap().id, DecisionKind::Approve, None).await.unwrap();
        assert_eq!(place.leaving().await.len(), 1);
        assert_eq!(place.look("an", &made).await.state, SubmissionState::Sent);
    })
    .await;
}

/// S9.1 (Điều 9): an approval that waits is taken back by the author, and is worth nothing then.
#[tokio::test]
async fn an_approval_that_waits_is_used_once_or_taken_back() {
    each_place(MORE, |place| async move {
        let later = in_an_hour(&place).await;
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), later).await;
        place.decide("mai", made.review.as_ref().unwrap().id, DecisionKind::Approve, None).await.unwrap();
        let refused = place.cancel_submission("mai", &made).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().kind, RefusalKind::NoRight);
        let taken = place.cancel_submission("an", &made).await.unwrap();
        assert_eq!(state(&taken), (SubmissionState::Canceled, Some("withdrawn")));
        place.clock.wait(Duration::from_secs(7200));
        // Even if the row were due again.
        place.spoil("UPDATE submission SET state = 'scheduled', due_at = 1", params![]).await;
        for _ in 0..3 {
            submission::step(&place.agency.db, &place.site).await.unwrap();
            place.clock.wait(Duration::from_secs(24 * 3600));
        }
        assert!(place.leaving().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_sent_it_may_still_take_it_back_while_it_is_held() {
    each_place(MORE, |place| async move {
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), Hold::None).await;
        let taken = place.cancel_submission("an", &made).await.unwrap();
        assert_eq!(state(&taken), (SubmissionState::Canceled, Some("withdrawn")));
        let review = made.review.as_ref().unwrap().id;
        let late = place.decide("mai", review, DecisionKind::Approve, None).await.unwrap_err();
        assert_eq!(late.refusal().unwrap().kind, RefusalKind::AlreadyDecided);
        let returned = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "two"), Hold::None).await;
        let review = returned.review.as_ref().unwrap().id;
        place.decide("mai", review, DecisionKind::Return, Some("sua")).await.unwrap();
        let found = place.look("an", &returned).await;
        assert_eq!(state(&found), (SubmissionState::Refused, Some("returned")));
        assert_eq!(found.review.unwrap().comment.as_deref(), Some("sua"));
        assert!(place.leaving().await.is_empty());
    })
    .await;
}

/// The worker and the queue hold nothing but what was there when it was sent.
#[tokio::test]
async fn what_leaves_is_what_was_there_when_it_was_sent() {
    each_place(MORE, |place| async move {
        let later = in_an_hour(&place).await;
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), later).await;
        place.decide("mai", made.review.as_ref().unwrap().id, DecisionKind::Approve, None).await.unwrap();
        // Somebody puts other bytes, and another recipient, where the submission keeps them.
        let other = letter(AGENCY, "evil@gov.example", "other");
        let other = place.create("an", UNIT, &other.replace(AGENCY, UNIT), UNDO).await;
        place.cancel_submission("an", &other).await.unwrap();
        place
            .spoil(
                "UPDATE submission SET blob_hash = ?2, envelope = ?3 WHERE id = ?1",
                params![
                    made.id.get(),
                    other.blob.as_bytes(),
                    r#"{"mail_from":"bqlctgt@khanhhoa.example","recipients":[{"address":"evil@gov.example"}]}"#
                ],
            )
            .await;
        place.clock.wait(Duration::from_secs(3600));
        place.release().await;
        for left in place.leaving().await {
            assert!(left.contains("than cua one"), "{left}");
        }
        assert!(place.queued().await.iter().all(|row| row.address != "evil@gov.example"));
    })
    .await;
}

#[tokio::test]
async fn two_workers_release_once() {
    each_place(MORE, |place| async move {
        for subject in ["one", "two", "three"] {
            place.create("an", UNIT, &letter(UNIT, "a@gov.example", subject), UNDO).await;
        }
        let later = in_an_hour(&place).await;
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "four"), later).await;
        place.decide("mai", made.review.as_ref().unwrap().id, DecisionKind::Approve, None).await.unwrap();
        place.clock.wait(Duration::from_secs(3600));
        let worker = || async { while submission::step(&place.agency.db, &place.site).await.unwrap() {} };
        tokio::join!(worker(), worker(), worker());
        let mut left = place.leaving().await;
        left.sort();
        left.dedup();
        assert_eq!((place.leaving().await.len(), left.len()), (4, 4));
    })
    .await;
}

/// S4.2 (Điều 4), S9.1 (Điều 9): rights are asked again when it is time, and who lost them hears of it.
#[tokio::test]
async fn who_lost_the_right_meanwhile_sends_nothing_and_is_told() {
    each_place(MORE, |place| async move {
        let raw = letter(UNIT, "a@gov.example", "one");
        let later = in_an_hour(&place).await;
        let plain = place.create("an", UNIT, &raw, later).await;
        let approved = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "two"), later).await;
        place.decide("mai", approved.review.as_ref().unwrap().id, DecisionKind::Approve, None).await.unwrap();
        place.agency.withdraw("an", UNIT).await;
        place.agency.withdraw("an", AGENCY).await;
        place.clock.wait(Duration::from_secs(3600));
        assert_eq!(place.release().await, 2);
        assert!(place.leaving().await.is_empty());
        for made in [&plain, &approved] {
            let found = place.look("mai", made).await;
            assert_eq!(found.state, SubmissionState::Refused);
            assert!(found.reason.is_some_and(|reason| !reason.is_empty()));
        }
        // An has no account of their own: it is told in the one that they sent from.
        let told = place.inbox(UNIT).await;
        assert!(told.iter().any(|text| text.contains("Auto-Submitted")), "{told:?}");
        // Given back, the right does not make the approval good again.
        place.agency.apply(MORE).await;
        place.clock.wait(Duration::from_secs(7200));
        assert_eq!(place.release().await, 0);
        assert!(place.leaving().await.is_empty());
    })
    .await;
}

/// Nothing that somebody wrote is lost: what a client removed from the drafts, or filed in Sent, when it sent it comes back.
#[tokio::test]
async fn what_does_not_leave_is_a_draft_again() {
    each_place(MORE, |place| async move {
        // The draft of the one is gone; the other lies in Sent.
        place.create("an", UNIT, &letter(UNIT, "a@gov.example", "one"), UNDO).await;
        let two = letter(UNIT, "a@gov.example", "two");
        let filed = place.create("an", UNIT, &two, UNDO).await;
        place
            .write(move |tx| {
                let message = prepare(two.as_bytes())?;
                let sent = deliver(
                    tx,
                    filed.account,
                    Target::Role(Role::Sent),
                    &message,
                    &DeliverOptions::default(),
                )?;
                let sql = "UPDATE submission SET email_id = ?2 WHERE id = ?1";
                tx.execute(sql, &params![filed.id.get(), sent.email.get()])
            })
            .await;
        place.agency.withdraw("an", UNIT).await;
        place.clock.wait(Duration::from_secs(10));
        assert_eq!(place.release().await, 2);
        assert!(place.texts(UNIT, Role::Sent).await.is_empty());
        let drafts = place.texts(UNIT, Role::Drafts).await;
        assert!(["one", "two"].iter().all(|text| drafts.iter().any(|d| d.contains(text))), "{drafts:?}");
    })
    .await;
}

/// S4.2 (Điều 4): what a person ordered ends with them.
#[tokio::test]
async fn who_was_closed_out_sends_nothing_more() {
    each_place("", |place| async move {
        place.create("hung", DIRECTOR, &letter(DIRECTOR, "a@gov.example", "one"), UNDO).await;
        place.write(|tx| congvu_directory::disable_person(tx, "hung@bqlctgt", false)).await;
        place.clock.wait(Duration::from_secs(10));
        assert_eq!(place.release().await, 1);
        assert!(place.leaving().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_submission_that_cannot_be_worked_off_lets_the_others_pass() {
    each_place(MORE, |place| async move {
        let bad = place.create("an", UNIT, &letter(UNIT, "a@gov.example", "one"), UNDO).await;
        place.create("an", UNIT, &letter(UNIT, "a@gov.example", "two"), Hold::For(11)).await;
        place
            .spoil("UPDATE submission SET blob_hash = ?2 WHERE id = ?1", params![bad.id.get(), &[7_u8; 32]])
            .await;
        place.clock.wait(Duration::from_secs(20));
        assert_eq!(place.release().await, 2);
        assert_eq!(place.leaving().await.len(), 1);
        place.clock.wait(Duration::from_secs(5 * 24 * 3600));
        place.release().await;
        assert_eq!(place.look("an", &bad).await.state, SubmissionState::Refused);
    })
    .await;
}

#[tokio::test]
async fn what_stands_against_it_is_said_at_once() {
    each_place(MORE, |place| async move {
        let kind =
            |result: Result<Submission, congvu_types::Error>| result.unwrap_err().refusal().unwrap().kind;
        let good = letter(UNIT, "a@gov.example", "x");
        // Nobody but who may.
        assert_eq!(kind(place.try_create("hung", UNIT, &good, UNDO).await), RefusalKind::NotFound);
        // From nothing but addresses of the account.
        let other = letter(DIRECTOR, "a@gov.example", "x");
        assert_eq!(kind(place.try_create("an", UNIT, &other, UNDO).await), RefusalKind::SenderNotAllowed);
        let foreign = letter(AGENCY, "a@gov.example", "x");
        assert_eq!(kind(place.try_create("an", UNIT, &foreign, UNDO).await), RefusalKind::SenderNotAllowed);
        let mixed = format!("Sender: {UNIT}\r\n{foreign}");
        assert_eq!(kind(place.try_create("an", UNIT, &mixed, UNDO).await), RefusalKind::SenderNotAllowed);
        // To somebody.
        let nobody = "From: khth@khanhhoa.example\r\n\r\nx\r\n";
        assert_eq!(kind(place.try_create("an", UNIT, nobody, UNDO).await), RefusalKind::NoRecipients);
        let unknown = letter(UNIT, "khongco@khanhhoa.example, cungkhong@khanhhoa.example", "x");
        let error = place.try_create("an", UNIT, &unknown, UNDO).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().params.len(), 2);
        let many = (0..1001).map(|n| format!("a{n}@gov.example").parse().unwrap());
        let many = Envelope::new(Some(UNIT.parse().unwrap()), many);
        let refused = place.try_create_to("an", UNIT, &good, UNDO, Some(many)).await;
        assert_eq!(kind(refused), RefusalKind::TooMany);
        // Within what is stored and waited for.
        let large = format!("{good}{}", "x\r\n".repeat(400_000));
        assert_eq!(kind(place.try_create("an", UNIT, &large, UNDO).await), RefusalKind::TooLarge);
        let far = Hold::For(31 * 24 * 3600);
        assert_eq!(kind(place.try_create("an", UNIT, &good, far).await), RefusalKind::InvalidValue);
        assert!(place.leaving().await.is_empty());
        assert_eq!(place.changes("an", UNIT, 0, 100).await.created.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn each_recipient_is_followed_to_the_end() {
    each_place(MORE, |place| async move {
        let raw = letter(UNIT, &format!("a@gov.example, b@moc.example, {DIRECTOR}"), "one");
        let made = place.create("an", UNIT, &raw, Hold::None).await;
        let reached = |found: &Submission| {
            let all = found.statuses.iter();
            all.map(|s| (s.address.clone(), s.reached, s.reply.clone())).collect::<Vec<_>>()
        };
        assert!(reached(&made).contains(&(DIRECTOR.into(), Reached::Yes, "250 2.1.5 delivered".into())));
        let leases = place.claim().await;
        let before = place.changes("an", UNIT, 0, 100).await.state;
        for lease in &leases {
            let outcome = match lease.domain.as_str() {
                "gov.example" => AttemptOutcome::Delivered { reports: false },
                _ => AttemptOutcome::Failed { status: "5.1.1".into() },
            };
            let answer =
                if lease.domain.as_str() == "gov.example" { "250 2.0.0 ok 17" } else { "550 5.1.1 no" };
            place.report(lease, outcome, answer).await;
        }
        let found = place.look("an", &made).await;
        let of = |address: &str| reached(&found).into_iter().find(|s| s.0 == address).unwrap();
        assert_eq!(of("a@gov.example").1, Reached::Unknown);
        assert_eq!(of("a@gov.example").2, "250 2.0.0 ok 17");
        assert_eq!((of("b@moc.example").1, of("b@moc.example").2.as_str()), (Reached::No, "550 5.1.1 no"));
        let changed = place.changes("an", UNIT, before.0, 100).await;
        assert_eq!(changed.updated, [made.id]);
    })
    .await;
}

/// RFC 8620 §5.2: any cut of the changes leads to the same end.
#[tokio::test]
async fn changes_can_be_cut_anywhere() {
    each_place(MORE, |place| async move {
        let raw = letter(UNIT, "a@gov.example", "x");
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(place.create("an", UNIT, &raw, UNDO).await);
        }
        place.cancel_submission("an", &made[1]).await.unwrap();
        let (who, account, id) = (place.agency.person("an").await, made[0].account, made[0].id);
        // What still waits to leave is not made unseen (S4.2, Điều 4).
        let early = who.clone();
        let refused = place
            .agency
            .db
            .write(Actor::System("test"), move |tx| submission::destroy(tx, &early, account, id))
            .await;
        assert_eq!(refused.unwrap_err().refusal().unwrap().kind, RefusalKind::InUse);
        place.cancel_submission("an", &made[0]).await.unwrap();
        place.write(move |tx| submission::destroy(tx, &who, account, id)).await;
        let (mut since, mut known) = (0, Vec::new());
        loop {
            let some = place.changes("an", UNIT, since, 1).await;
            known.extend(some.created);
            known.retain(|id| !some.destroyed.contains(id));
            since = some.state.0;
            if !some.has_more {
                break;
            }
        }
        known.sort_unstable();
        let mut alive: Vec<_> = made[1..].iter().map(|m| m.id).collect();
        alive.sort_unstable();
        assert_eq!(known, alive);
        assert_eq!(place.changes("an", UNIT, since, 10).await.state.0, since);
        place.clock.wait(Duration::from_secs(10));
        place.release().await;
        assert_eq!(place.leaving().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_in_the_changes_and_in_the_feed() {
    each_place(MORE, |place| async move {
        let made = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "one"), Hold::None).await;
        let before = place.changes("an", AGENCY, 0, 10).await.state;
        let mut watcher = place.agency.db.feed().watch(topic(made.account));
        watcher.mark_unchanged();
        let review = made.review.as_ref().unwrap().id;
        // It passes on (Điều 9: the deadline); then it is returned.
        place.clock.wait(Duration::from_secs(4 * 3600));
        place.write(|tx| congvu_transport::pass_overdue_on(tx, 10)).await;
        assert_eq!(place.changes("an", AGENCY, before.0, 10).await.updated, [made.id]);
        place.decide("mai", review, DecisionKind::Return, Some("sua")).await.unwrap();
        assert!(watcher.has_changed().unwrap());
        assert!(watcher.borrow_and_update().modseq > before);
    })
    .await;
}

#[tokio::test]
async fn what_is_done_for_long_is_removed_and_told_of() {
    each_place(MORE, |place| async move {
        let made = place.create("an", UNIT, &letter(UNIT, "a@gov.example", "one"), Hold::None).await;
        let open = place.create("an", AGENCY, &letter(AGENCY, "a@gov.example", "two"), Hold::None).await;
        let before = place.changes("an", UNIT, 0, 10).await.state;
        place.clock.wait(Duration::from_secs(91 * 24 * 3600));
        place.write(|tx| submission::forget_old(tx, 10)).await;
        assert_eq!(place.changes("an", UNIT, before.0, 10).await.destroyed, [made.id]);
        assert_eq!(place.look("an", &open).await.state, SubmissionState::Held);
        place.clock.wait(Duration::from_secs(31 * 24 * 3600));
        place.write(|tx| submission::forget_old(tx, 10)).await;
        let (who, account) = (place.agency.person("an").await, made.account);
        let found = place.agency.db.read(move |s| {
            let acting = act_for::<right::Read>(s, &who, account)?;
            submission::changes(s, &acting, ModSeq(before.0), 10)
        });
        assert_eq!(found.await.unwrap(), None, "changes that old are not known any more");
    })
    .await;
}

#[tokio::test]
async fn submissions_are_found_by_what_they_are() {
    each_place(MORE, |place| async move {
        let raw = letter(UNIT, "a@gov.example", "x");
        let first = place.create("an", UNIT, &raw, Hold::None).await;
        place.clock.wait(Duration::from_secs(60));
        let second = place.create("an", UNIT, &raw, Hold::For(60)).await;
        let (who, account) = (place.agency.person("an").await, first.account);
        let ask = |is_ascending, fits: fn(&submission::Found) -> bool| {
            let (who, db) = (who.clone(), place.agency.db.clone());
            async move {
                let found = db.read(move |s| {
                    let acting = act_for::<right::Read>(s, &who, account)?;
                    submission::query(s, &acting, &[(submission::Order::SentAt, is_ascending)], fits)
                });
                found.await.unwrap().into_iter().map(|f| f.id).collect::<Vec<_>>()
            }
        };
        assert_eq!(ask(true, |_| true).await, [first.id, second.id]);
        assert_eq!(ask(false, |_| true).await, [second.id, first.id]);
        assert_eq!(ask(true, |f| f.state == SubmissionState::Scheduled).await, [second.id]);
    })
    .await;
}
