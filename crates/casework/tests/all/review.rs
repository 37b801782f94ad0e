//! The review of outgoing mail: S9.1 (Điều 9), S7.2d (Điều 7).

use crate::world::{World, draft, each_world};
use congvu_casework::review::{
    self, Clearance, Decision, DecisionKind, Draft, Envelope, Filter, Parts, ReadAhead, ReviewState, Seen,
    Via, can_decide, history, list, open, pending_count, record_opened,
};
use congvu_directory::{SignedIn, sender};
use congvu_mail::Role;
use congvu_storage::{Tx, params};
use congvu_types::{RefusalKind, Result, ReviewId};
use std::time::Duration;

const AGENCY: &str = "bqlctgt@khanhhoa.example";

/// Submits as the agency; returns the review and the digest shown.
async fn held(world: &World, author: &SignedIn, subject: &str) -> (ReviewId, String) {
    held_draft(world, author, draft(AGENCY, &["so@gov.example"], subject)).await
}

async fn held_draft(world: &World, author: &SignedIn, draft: Draft) -> (ReviewId, String) {
    let who = author.clone();
    let id = world
        .write(move |tx| {
            let acting = sender(tx, &who, &AGENCY.parse().unwrap())?;
            match review::clear(tx, &acting, &draft)? {
                Clearance::Held(held) => Ok(held.id),
                Clearance::Cleared(_) => panic!("what the agency sends is held"),
            }
        })
        .await
        .unwrap();
    let who = author.clone();
    let review = world.db.read(move |snap| open(snap, &who, id)).await.unwrap();
    (id, review.digest.whole)
}

fn decision(kind: DecisionKind, comment: Option<&str>, digest: &str) -> Decision {
    Decision { kind, comment: comment.map(Into::into), seen: Seen::Digest(digest.into()) }
}

/// Decides as somebody who opened everything, as far as they may see it.
async fn decide(world: &World, who: &SignedIn, id: ReviewId, decision: Decision) -> Result<bool> {
    let _ = opens(world, who, id, Parts::text()).await;
    decide_unseen(world, who, id, decision).await
}

async fn opens(world: &World, who: &SignedIn, id: ReviewId, parts: Parts) -> Result<()> {
    let who = who.clone();
    world.write(move |tx| record_opened(tx, &who, id, &parts)).await
}

async fn decide_unseen(world: &World, who: &SignedIn, id: ReviewId, decision: Decision) -> Result<bool> {
    let who = who.clone();
    let ahead = world.db.read(move |s| ReadAhead::of(s, id)).await?;
    world.write(move |tx| Ok(review::decide(tx, &who, id, &decision, &ahead)?.cleared.is_some())).await
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> (RefusalKind, String) {
    let error = result.unwrap_err();
    let refusal = error.refusal().unwrap_or_else(|| panic!("{error}"));
    (refusal.kind, refusal.citation.as_ref().map_or_else(String::new, ToString::to_string))
}

#[tokio::test]
async fn what_the_agency_sends_is_held_and_what_a_unit_sends_is_not() {
    each_world(&[], |world| async move {
        let author = world.person("an").await;
        let who = author.clone();
        let cleared = world
            .write(move |tx| {
                let draft = draft("khth@khanhhoa.example", &["so@gov.example"], "unit");
                let acting = sender(tx, &who, &"khth@khanhhoa.example".parse().unwrap())?;
                Ok(matches!(review::clear(tx, &acting, &draft)?, Clearance::Cleared(_)))
            })
            .await;
        assert!(cleared.unwrap());
        let (id, _) = held(&world, &author, "one").await;
        let account = world.account("bqlctgt").await;
        assert_eq!(world.texts(account, Role::Awaiting).await.len(), 1);
        let review = world.db.read(move |snap| open(snap, &author, id)).await.unwrap();
        assert_eq!(review.citation.to_string(), "Điều 9");
        assert_eq!(review.envelope.recipients.len(), 1);
        assert_eq!(review.due_at.unwrap().since(review.submitted_at), Duration::from_secs(4 * 3600));
    })
    .await;
}

#[tokio::test]
async fn an_author_cannot_decide() {
    each_world(&[], |world| async move {
        // Mai has the right to review, and is still not her own reviewer.
        for name in ["mai", "an"] {
            let author = world.person(name).await;
            let (id, digest) = held(&world, &author, name).await;
            let result = decide(&world, &author, id, decision(DecisionKind::Approve, None, &digest)).await;
            assert_eq!(refused(result), (RefusalKind::OwnMessage, "Điều 9".into()));
        }
        let account = world.account("bqlctgt").await;
        assert_eq!(world.texts(account, Role::Awaiting).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_has_no_right_to_review_cannot_decide() {
    each_world(&[], |world| async move {
        let (id, digest) = held(&world, &world.person("mai").await, "x").await;
        let approve = || decision(DecisionKind::Approve, None, &digest);
        let reader = decide(&world, &world.person("an").await, id, approve()).await;
        assert_eq!(refused(reader).0, RefusalKind::NoRight);
        // Who may not see the account does not learn that there is such a review.
        let stranger = decide(&world, &world.person("lan").await, id, approve()).await;
        assert_eq!(refused(stranger).0, RefusalKind::NotFound);
        let nothing = decide(&world, &world.person("duc").await, ReviewId::new(7), approve()).await;
        assert_eq!(refused(nothing).0, RefusalKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_on_the_bytes_seen_with_a_reason_and_once() {
    each_world(&[], |world| async move {
        let reviewer = world.person("duc").await;
        let (id, digest) = held(&world, &world.person("an").await, "x").await;
        let other = decision(DecisionKind::Approve, None, &"0".repeat(64));
        assert_eq!(refused(decide(&world, &reviewer, id, other).await).0, RefusalKind::Changed);
        for kind in [DecisionKind::Return, DecisionKind::Reject] {
            let silent = decision(kind, Some("  \n"), &digest);
            assert_eq!(refused(decide(&world, &reviewer, id, silent).await).0, RefusalKind::ReasonNeeded);
        }
        let approve = decision(DecisionKind::Approve, None, &digest);
        assert!(decide(&world, &reviewer, id, approve.clone()).await.unwrap());
        let again = decide(&world, &world.person("mai").await, id, approve).await;
        assert_eq!(refused(again).0, RefusalKind::AlreadyDecided);
    })
    .await;
}

#[tokio::test]
async fn each_decision_moves_the_message_and_tells_the_author() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let account = world.account("bqlctgt").await;
        let cases = [
            (DecisionKind::Approve, Role::Approved, ReviewState::Approved, "review.approved"),
            (DecisionKind::Return, Role::Returned, ReviewState::Returned, "review.returned"),
            (DecisionKind::Reject, Role::Rejected, ReviewState::Rejected, "review.rejected"),
        ];
        for (kind, role, state, event) in cases {
            let (id, digest) = held(&world, &author, event).await;
            let taken = decision(kind, Some("Sai số liệu bảng 2"), &digest);
            let leaves = decide(&world, &reviewer, id, taken).await.unwrap();
            assert_eq!(leaves, kind == DecisionKind::Approve);
            assert_eq!(world.texts(account, role).await.len(), 1);
            assert_eq!(world.texts(account, Role::Awaiting).await.len(), 0);
            let who = author.clone();
            let review = world.db.read(move |snap| open(snap, &who, id)).await.unwrap();
            assert_eq!(review.state, state);
            assert_eq!(review.decider.unwrap().1, "Phạm Văn Đức");
            assert!(world.audit(account).await.contains(&event.to_owned()));
        }
        // An has no account of their own: the notices lie in the shared INBOX and name them.
        let notices = world.texts(account, Role::Inbox).await;
        assert_eq!(notices.len(), 3);
        assert!(notices.iter().all(|n| n.contains("Auto-Submitted: auto-generated")));
        let text = congvu_message::text_body(
            notices[1].as_bytes(),
            &congvu_message::parse_structure(notices[1].as_bytes()),
        );
        for wanted in ["Nguyễn Văn An", "trả lại", "Sai số liệu bảng 2", "Điều 9", "Phạm Văn Đức"]
        {
            assert!(text.contains(wanted), "{wanted} is missing in {text}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_reviewers_at_once_one_decides() {
    each_world(&[], |world| async move {
        let (mai, duc) = (world.person("mai").await, world.person("duc").await);
        for round in 0..5 {
            let (id, digest) = held(&world, &world.person("an").await, &format!("r{round}")).await;
            let approve = decision(DecisionKind::Approve, None, &digest);
            let reject = decision(DecisionKind::Reject, Some("không"), &digest);
            let (one, two) =
                tokio::join!(decide(&world, &mai, id, approve), decide(&world, &duc, id, reject));
            let lost = match (one, two) {
                (Ok(true), lost) | (lost, Ok(false)) => lost,
                both => panic!("{both:?}"),
            };
            assert_eq!(refused(lost).0, RefusalKind::AlreadyDecided);
        }
    })
    .await;
}

#[tokio::test]
async fn a_deadline_passes_to_the_deputy_and_never_sends() {
    each_world(&[], |world| async move {
        let (id, digest) = held(&world, &world.person("an").await, "late").await;
        let deputy = world.person("hung").await;
        let approve = decision(DecisionKind::Approve, None, &digest);
        let early = decide(&world, &deputy, id, approve.clone()).await;
        assert_eq!(refused(early).0, RefusalKind::NotFound);
        assert_eq!(world.write(|tx| review::step(tx, 100)).await.unwrap(), 0);
        world.clock.wait(Duration::from_secs(4 * 3600));
        assert_eq!(world.write(|tx| review::step(tx, 100)).await.unwrap(), 1);
        // The regulation names one deputy: there is nobody to pass it to after them, and it waits on.
        world.clock.wait(Duration::from_secs(400 * 24 * 3600));
        assert_eq!(world.write(|tx| review::step(tx, 100)).await.unwrap(), 0);
        let account = world.account("bqlctgt").await;
        assert_eq!(world.texts(account, Role::Awaiting).await.len(), 1);
        let told = world.texts(world.account("giamdoc").await, Role::Inbox).await;
        assert_eq!(told.len(), 1);
        let who = deputy.clone();
        let (waiting, count, steps) = world
            .db
            .read(move |snap| {
                let waiting = list(snap, &who, Filter::Awaiting, None, 10)?;
                assert!(can_decide(snap, &who, &waiting[0])?);
                let steps = history(snap, &waiting[0])?;
                Ok((waiting.len(), pending_count(snap, &who)?, steps))
            })
            .await
            .unwrap();
        assert_eq!((waiting, count), (1, 1));
        assert_eq!(steps[1].step, "passed-on");
        assert_eq!(steps[1].comment.as_deref(), Some("Trần Quốc Hùng"));
        assert!(decide(&world, &deputy, id, approve).await.unwrap());
    })
    .await;
}

/// S9.1 (Điều 9): whoever held a deputy's position when the review was passed on, and holds it no more, decides nothing.
#[tokio::test]
async fn a_deputy_decides_only_while_they_hold_the_position() {
    each_world(&[], |world| async move {
        let (id, digest) = held(&world, &world.person("an").await, "late").await;
        world.clock.wait(Duration::from_secs(4 * 3600));
        world.write(|tx| review::step(tx, 100)).await.unwrap();
        let deputy = world.person("hung").await;
        for (position, refusal) in [("chuyen-vien", Some(RefusalKind::NotFound)), ("giam-doc", None)] {
            let set = move |tx: &mut Tx| {
                tx.execute("UPDATE person SET position = ?1 WHERE username = 'hung'", &params![position])
            };
            world.write(set).await.unwrap();
            let who = deputy.clone();
            let seen = world.db.read(move |snap| {
                let waiting = list(snap, &who, Filter::Awaiting, None, 10)?.len();
                Ok((waiting, pending_count(snap, &who)?, open(snap, &who, id).is_ok()))
            });
            let is_deputy = refusal.is_none();
            let expected = (usize::from(is_deputy), u64::from(is_deputy), is_deputy);
            assert_eq!(seen.await.unwrap(), expected, "{position}");
            let decided = decide(&world, &deputy, id, decision(DecisionKind::Approve, None, &digest)).await;
            assert_eq!(decided.err().and_then(|e| e.refusal().map(|r| r.kind)), refusal, "{position}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_author_takes_back_what_waits_and_nothing_else() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let (id, digest) = held(&world, &author, "x").await;
        let who = reviewer.clone();
        let by_other = world.write(move |tx| review::withdraw(tx, &who, id).map(|_| ())).await;
        assert_eq!(refused(by_other).0, RefusalKind::NoRight);
        let who = author.clone();
        world.write(move |tx| review::withdraw(tx, &who, id).map(|_| ())).await.unwrap();
        let account = world.account("bqlctgt").await;
        assert_eq!(world.texts(account, Role::Drafts).await.len(), 1);
        let late = decide(&world, &reviewer, id, decision(DecisionKind::Approve, None, &digest)).await;
        assert_eq!(refused(late).0, RefusalKind::AlreadyDecided);
        let again = world.write(move |tx| review::withdraw(tx, &author, id).map(|_| ())).await;
        assert_eq!(refused(again).0, RefusalKind::AlreadyDecided);
    })
    .await;
}

#[tokio::test]
async fn a_look_is_noted_once_a_person() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let (id, _) = held(&world, &author, "x").await;
        for who in [&reviewer, &reviewer, &author] {
            opens(&world, who, id, Parts::text()).await.unwrap();
        }
        let steps = world
            .db
            .read(move |snap| {
                let review = open(snap, &author, id)?;
                history(snap, &review)
            })
            .await
            .unwrap();
        let names: Vec<_> = steps.iter().map(|s| (s.step.as_str(), s.actor.as_str())).collect();
        assert_eq!(names, [("submitted", "Nguyễn Văn An"), ("viewed", "Phạm Văn Đức")]);
    })
    .await;
}

#[tokio::test]
async fn lists_show_each_person_their_own_part() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(held(&world, &author, &format!("n{n}")).await);
        }
        let (id, digest) = ids[0].clone();
        decide(&world, &reviewer, id, decision(DecisionKind::Approve, None, &digest)).await.unwrap();
        let stranger = world.person("lan").await;
        world
            .db
            .read(move |snap| {
                let ids_of = |who: &SignedIn, filter, before, limit| -> Vec<ReviewId> {
                    let found = list(snap, who, filter, before, limit).unwrap();
                    found.into_iter().map(|r| r.id).collect()
                };
                assert_eq!(ids_of(&reviewer, Filter::Awaiting, None, 2), [ids[4].0, ids[3].0]);
                assert_eq!(ids_of(&reviewer, Filter::Awaiting, Some(ids[3].0), 9), [ids[2].0, ids[1].0]);
                assert_eq!(ids_of(&reviewer, Filter::Decided, None, 9), [ids[0].0]);
                assert_eq!(ids_of(&author, Filter::Mine, None, 9).len(), 5);
                assert_eq!(ids_of(&author, Filter::Awaiting, None, 9), []);
                assert_eq!(ids_of(&stranger, Filter::Mine, None, 9), []);
                assert_eq!((pending_count(snap, &reviewer)?, pending_count(snap, &stranger)?), (4, 0));
                Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_private_address_is_told_of_and_does_not_stop_the_message() {
    each_world(&[], |world| async move {
        let author = world.person("an").await;
        let who = author.clone();
        let id = world
            .write(move |tx| {
                let draft = draft(AGENCY, &["dan@gmail.com", "so@gov.example"], "x");
                let acting = sender(tx, &who, &AGENCY.parse().unwrap())?;
                match review::clear(tx, &acting, &draft)? {
                    Clearance::Held(held) => Ok(held.id),
                    Clearance::Cleared(_) => panic!("held"),
                }
            })
            .await
            .unwrap();
        let review = world.db.read(move |snap| open(snap, &author, id)).await.unwrap();
        let hits: Vec<_> =
            review.hits.iter().map(|h| (h.address.as_str(), h.citation.rule.as_str())).collect();
        assert_eq!(hits, [("dan@gmail.com", "S8.3a")]);
    })
    .await;
}

/// What a row looks like whose address no version of the program reads.
async fn spoil(world: &World, id: ReviewId) {
    let spoilt = r#"{"mail_from":null,"recipients":[{"address":"not an address"}]}"#;
    world
        .write(move |tx| {
            let values = congvu_storage::params![id.get(), spoilt];
            tx.execute("UPDATE review SET envelope = ?2 WHERE id = ?1", &values)
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_review_that_cannot_be_read_hides_no_other() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(held(&world, &author, &format!("n{n}")).await.0);
        }
        spoil(&world, ids[2]).await;
        spoil(&world, ids[3]).await;
        let found = world.db.read(move |snap| {
            let shown = list(snap, &reviewer, Filter::Awaiting, None, 2)?;
            Ok((shown, review::operator_list(snap, None, true, 10)?.len()))
        });
        let (shown, for_operator) = found.await.unwrap();
        assert_eq!(shown.iter().map(|r| r.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert_eq!(for_operator, 2);
    })
    .await;
}

#[tokio::test]
async fn a_review_that_cannot_be_read_stays_held_and_lets_the_others_pass_on() {
    each_world(&[], |world| async move {
        let author = world.person("mai").await;
        spoil(&world, held(&world, &author, "a").await.0).await;
        held(&world, &author, "b").await;
        world.clock.wait(Duration::from_secs(4 * 3600));
        for passed in [1, 1, 0] {
            assert_eq!(world.write(|tx| review::step(tx, 1)).await.unwrap(), passed);
        }
        let told = world.texts(world.account("giamdoc").await, Role::Inbox).await;
        assert_eq!(told.len(), 1);
        let account = world.account("bqlctgt").await;
        assert_eq!(world.texts(account, Role::Awaiting).await.len(), 2);
    })
    .await;
}

/// S8.3a (Điều 8): answers that would go to a private account are told of like a recipient there.
#[tokio::test]
async fn a_private_reply_address_is_told_of() {
    each_world(&[], |world| async move {
        let author = world.person("an").await;
        let who = author.clone();
        let raw = format!("From: {AGENCY}\r\nReply-To: An <an@gmail.com>\r\nSubject: x\r\n\r\nx\r\n");
        let envelope = Envelope::new(Some(AGENCY.parse().unwrap()), ["so@gov.example".parse().unwrap()]);
        let draft = Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap();
        let id = world
            .write(move |tx| match review::clear(tx, &sender(tx, &who, &AGENCY.parse().unwrap())?, &draft)? {
                Clearance::Held(held) => Ok(held.id),
                Clearance::Cleared(_) => panic!("held"),
            })
            .await
            .unwrap();
        let review = world.db.read(move |snap| open(snap, &author, id)).await.unwrap();
        let hits: Vec<_> = review.hits.iter().map(|h| (h.address.as_str(), h.is_reply_to)).collect();
        assert_eq!(hits, [("an@gmail.com", true)]);
    })
    .await;
}

/// S9.1 (Điều 9): the review covers the text and every attachment, opened by the person who approves.
#[tokio::test]
async fn what_was_not_opened_cannot_be_approved() {
    each_world(&[], |world| async move {
        let (author, reviewer) = (world.person("an").await, world.person("duc").await);
        let raw = format!(
            "From: {AGENCY}\r\nSubject: Báo cáo\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
             Content-Type: application/pdf; name=phu-luc.pdf\r\n\r\n%PDF\r\n--b\r\n\r\nmore\r\n--b--\r\n"
        );
        let envelope = Envelope::new(Some(AGENCY.parse().unwrap()), ["so@gov.example".parse().unwrap()]);
        let (id, digest) = held_draft(&world, &author, Draft::prepare(raw.as_bytes(), envelope, Via::Smtp).unwrap()).await;
        let approve = || decision(DecisionKind::Approve, None, &digest);
        let mut expected = vec!["\"Báo cáo\"", "phu-luc.pdf", "text.txt"];
        for opened in [Parts::attachments([0]), Parts::text(), Parts::attachments([1])] {
            let error = decide_unseen(&world, &reviewer, id, approve()).await.unwrap_err();
            let refusal = error.refusal().unwrap();
            let named: Vec<_> = refusal.params.iter().filter(|(k, _)| *k == "unopened").map(|(_, v)| v.as_str()).collect();
            assert_eq!((refusal.kind, &named), (RefusalKind::NotOpened, &expected));
            // What somebody else opened is nothing to the reviewer.
            opens(&world, &world.person("mai").await, id, opened.clone()).await.unwrap();
            assert!(decide_unseen(&world, &reviewer, id, approve()).await.is_err());
            expected.remove(if opened.has_attachment(0) { 1 } else { 0 });
            opens(&world, &reviewer, id, opened).await.unwrap();
        }
        assert!(decide_unseen(&world, &reviewer, id, approve()).await.unwrap());
        // To return what one has not read to its end is no approval.
        let (id, digest) = held(&world, &author, "x").await;
        assert!(!decide_unseen(&world, &reviewer, id, decision(DecisionKind::Return, Some("sai"), &digest)).await.unwrap());
    })
    .await;
}

/// S9.1 (Điều 9): who takes over a deputy's position takes over what was passed to it.
#[tokio::test]
async fn who_takes_over_the_position_decides_what_was_passed_to_it() {
    each_world(&[], |world| async move {
        let (id, digest) = held(&world, &world.person("an").await, "late").await;
        let approve = || decision(DecisionKind::Approve, None, &digest);
        world.clock.wait(Duration::from_secs(4 * 3600));
        world.write(|tx| review::step(tx, 100)).await.unwrap();
        let (before, after) = (world.person("hung").await, world.person("lan").await);
        assert_eq!(refused(decide(&world, &after, id, approve()).await).0, RefusalKind::NotFound);
        world
            .write(|tx| {
                tx.execute("UPDATE person SET position = 'chuyen-vien' WHERE username = 'hung'", &[])?;
                // The author may hold it too, and decides nothing all the same.
                tx.execute("UPDATE person SET position = 'giam-doc' WHERE username IN ('lan', 'an')", &[])
            })
            .await
            .unwrap();
        assert_eq!(refused(decide(&world, &before, id, approve()).await).0, RefusalKind::NotFound);
        let author = world.person("an").await;
        assert_eq!(refused(decide(&world, &author, id, approve()).await).0, RefusalKind::OwnMessage);
        for (who, expected) in [(&before, (0, 0)), (&author, (0, 0)), (&after, (1, 1))] {
            let who = who.clone();
            let seen = world.db.read(move |snap| {
                Ok((list(snap, &who, Filter::Awaiting, None, 10)?.len(), pending_count(snap, &who)?))
            });
            assert_eq!(seen.await.unwrap(), expected);
        }
        assert!(decide(&world, &after, id, approve()).await.unwrap());
    })
    .await;
}

/// S9.1 (Điều 9): what cannot be taken apart to its end is not held for somebody who could not see all of it.
#[test]
fn a_message_of_too_many_parts_is_not_sent() {
    let envelope = || Envelope::new(Some(AGENCY.parse().unwrap()), ["so@gov.example".parse().unwrap()]);
    let head = |boundary: &str| format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n");
    let raw = |parts: usize| {
        let inner = format!("{}{}--in--\r\n", head("in"), "--in\r\n\r\n\r\n".repeat(parts));
        format!(
            "From: {AGENCY}\r\nSubject: x\r\n{}--b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\
             --b\r\nContent-Type: application/x; name=mat.xlsx\r\n\r\nx\r\n--b--\r\n",
            head("b")
        )
    };
    assert!(Draft::prepare(raw(100).as_bytes(), envelope(), Via::Smtp).is_ok());
    let error = Draft::prepare(raw(1000).as_bytes(), envelope(), Via::Smtp).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.kind, RefusalKind::TooManyParts);
    assert!(refusal.sentence(congvu_types::Language::English).contains("1000"));
}
