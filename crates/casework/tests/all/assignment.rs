//! Who handles what came to a shared account.

use crate::world::{World, each_world};
use congvu_casework::assignment::{
    Activity, Assignee, Assignment, Order, Progress, WorkFilter, add_note, assign, candidates, forget_absent,
    open_count, opened, present, set_progress, standings, work,
};
use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{DeliverOptions, Role, Target, deliver, prepare, record_read};
use congvu_types::{AccountId, EmailId, RefusalKind, Result, ThreadId};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn letter(world: &World, account: AccountId, subject: &'static str) -> (EmailId, ThreadId) {
    let raw = format!(
        "Message-ID: <{subject}@gov.example>\r\nFrom: so@gov.example\r\nSubject: {subject}\r\n\r\ntext\r\n"
    );
    let message = prepare(raw.as_bytes()).unwrap();
    let an = world.person("an").await;
    let stored = world.write(move |tx| {
        let delivered =
            deliver(tx, account, Target::Role(Role::Inbox), &message, &DeliverOptions::default())?;
        let reading = act_for::<right::Read>(tx, &an, account)?;
        let row = congvu_mail::emails(tx, &reading, &[delivered.email])?.pop().unwrap();
        Ok((delivered.email, row.thread))
    });
    stored.await.unwrap()
}

fn order(assignee: Assignee, version: u64) -> Order {
    Order { assignee, instruction: " Trả lời trước thứ Sáu ".into(), due_at: None, version }
}

async fn give(world: &World, who: &SignedIn, to: (AccountId, ThreadId), order: Order) -> Result<Assignment> {
    let who = who.clone();
    world.write(move |tx| assign(tx, &act_for::<right::Draft>(tx, &who, to.0)?, to.1, &order)).await
}

async fn progress(
    world: &World,
    who: &SignedIn,
    to: (AccountId, ThreadId),
    (how_far, version): (Progress, u64),
) -> Result<Assignment> {
    let who = who.clone();
    let written = world.write(move |tx| {
        set_progress(tx, &act_for::<right::Draft>(tx, &who, to.0)?, to.1, how_far, "", version)
    });
    written.await
}

async fn mine(world: &World, who: &SignedIn, filter: WorkFilter) -> Vec<String> {
    let (who, now) = (who.clone(), world.db.clock().now());
    let found = world.db.read(move |s| work(s, &who, filter, now, 50)).await.unwrap();
    found.into_iter().map(|a| a.subject).collect()
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> RefusalKind {
    result.unwrap_err().refusal().unwrap().kind
}

#[tokio::test]
async fn a_conversation_is_given_taken_and_done() {
    each_world(&[], |world| async move {
        let account = world.account("bqlctgt").await;
        let (mai, an, duc) = (world.person("mai").await, world.person("an").await, world.person("duc").await);
        let (_, thread) = letter(&world, account, "cong-van-12").await;
        let place = (account, thread);
        let to_an = || Assignee::Person(an.person());
        // To others it is given by who manages the account (S7.2b, Điều 7); everybody may take it.
        assert_eq!(kind(give(&world, &duc, place, order(to_an(), 0)).await), RefusalKind::NoRight);
        let given = give(&world, &mai, place, order(to_an(), 0)).await.unwrap();
        assert_eq!(
            (given.instruction.as_str(), given.assignee_name.as_str()),
            ("Trả lời trước thứ Sáu", "Nguyễn Văn An")
        );
        assert_eq!(
            (given.progress, given.version, given.given_by_name.as_str()),
            (Progress::Assigned, 1, "Lê Thị Mai")
        );
        // Two who give it at once do not undo each other's.
        assert_eq!(kind(give(&world, &mai, place, order(to_an(), 0)).await), RefusalKind::Changed);
        assert_eq!(mine(&world, &an, WorkFilter::Mine).await, ["cong-van-12"]);
        assert!(mine(&world, &duc, WorkFilter::Mine).await.is_empty());
        assert_eq!(kind(progress(&world, &duc, place, (Progress::Done, 1)).await), RefusalKind::NoRight);
        progress(&world, &an, place, (Progress::InProgress, 1)).await.unwrap();
        assert_eq!(kind(progress(&world, &an, place, (Progress::Done, 1)).await), RefusalKind::Changed);
        let done = progress(&world, &an, place, (Progress::Done, 2)).await.unwrap();
        assert_eq!((done.progress, done.version), (Progress::Done, 3));
        assert!(mine(&world, &an, WorkFilter::Mine).await.is_empty());
        assert_eq!(mine(&world, &mai, WorkFilter::Done).await, ["cong-van-12"]);
        let taken = give(&world, &duc, place, order(Assignee::Person(duc.person()), 3)).await.unwrap();
        assert_eq!(taken.version, 4);
        let reader = duc.clone();
        let seen = world.db.read(move |s| opened(s, &act_for::<right::Read>(s, &reader, account)?, thread));
        let (_, steps, ..) = seen.await.unwrap();
        let told: Vec<_> = steps.iter().map(|s| (s.person_name.as_str(), s.step.as_str())).collect();
        let (m, a, d) = ("Lê Thị Mai", "Nguyễn Văn An", "Phạm Văn Đức");
        assert_eq!(told, [(m, "assigned"), (a, "inProgress"), (a, "done"), (d, "assigned")]);
        let audit = world.audit(account).await;
        assert_eq!(audit.iter().filter(|e| e.starts_with("assignment.")).count(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_late_is_told_and_what_is_not_there_is_refused() {
    each_world(&[], |world| async move {
        let account = world.account("bqlctgt").await;
        let (mai, an, lan) = (world.person("mai").await, world.person("an").await, world.person("lan").await);
        let (_, first) = letter(&world, account, "mot").await;
        let (_, second) = letter(&world, account, "hai").await;
        let now = world.db.clock().now();
        let due = |after| Order { due_at: Some(now.after(after)), ..order(Assignee::Person(an.person()), 0) };
        give(&world, &mai, (account, first), due(2 * DAY)).await.unwrap();
        give(&world, &mai, (account, second), due(DAY)).await.unwrap();
        assert_eq!(mine(&world, &an, WorkFilter::Mine).await, ["hai", "mot"]);
        assert!(mine(&world, &mai, WorkFilter::Overdue).await.is_empty());
        world.clock.wait(DAY + Duration::from_secs(1));
        // A sign-in may have ended meanwhile.
        let (mai, an) = (world.person("mai").await, world.person("an").await);
        assert_eq!(mine(&world, &mai, WorkFilter::Overdue).await, ["hai"]);
        assert_eq!(mine(&world, &mai, WorkFilter::Open).await, ["hai", "mot"]);
        // Lan uses no account of these, so nothing is given to her, and she sees nothing of it.
        let to_lan = order(Assignee::Person(lan.person()), 1);
        assert_eq!(kind(give(&world, &mai, (account, first), to_lan).await), RefusalKind::InvalidValue);
        let to_nowhere = order(Assignee::Unit("khong-co".into()), 1);
        assert_eq!(kind(give(&world, &mai, (account, first), to_nowhere).await), RefusalKind::InvalidValue);
        let nothing = (account, ThreadId::new(7));
        let to_an = order(Assignee::Person(an.person()), 0);
        assert_eq!(kind(give(&world, &mai, nothing, to_an).await), RefusalKind::NotFound);
        assert!(mine(&world, &world.person("lan").await, WorkFilter::Open).await.is_empty());
        let (who, now) = (an.clone(), world.db.clock().now());
        assert_eq!(world.db.read(move |s| open_count(s, &who, now)).await.unwrap(), 2);
        let (people, units) = {
            let who = an.clone();
            let read = world.db.read(move |s| candidates(s, &act_for::<right::Read>(s, &who, account)?));
            read.await.unwrap()
        };
        let names: Vec<_> = people.iter().map(|p| p.username.as_str()).collect();
        assert_eq!((names, units.len()), (vec!["mai", "an", "duc"], 0));
    })
    .await;
}

#[tokio::test]
async fn notes_stay_within_and_readers_are_named() {
    each_world(&[], |world| async move {
        let account = world.account("bqlctgt").await;
        let (an, duc) = (world.person("an").await, world.person("duc").await);
        let (email, thread) = letter(&world, account, "mot").await;
        let (writer, reader) = (an.clone(), duc.clone());
        let noted = world.write(move |tx| {
            record_read(tx, &act_for::<right::Read>(tx, &reader, account)?, &[email])?;
            let acting = act_for::<right::Draft>(tx, &writer, account)?;
            assert_eq!(kind(add_note(tx, &acting, thread, "  ")), RefusalKind::ReasonNeeded);
            assert_eq!(kind(add_note(tx, &acting, thread, &"x".repeat(4_001))), RefusalKind::TooLarge);
            add_note(tx, &acting, thread, "Đã gọi điện hỏi Sở")
        });
        let note = noted.await.unwrap();
        assert_eq!((note.author_name.as_str(), note.text.as_str()), ("Nguyễn Văn An", "Đã gọi điện hỏi Sở"));
        let who = duc.clone();
        let (told, all) = world
            .db
            .read(move |s| {
                let acting = act_for::<right::Read>(s, &who, account)?;
                Ok((standings(s, &acting, &[thread, ThreadId::new(7)])?, opened(s, &acting, thread)?))
            })
            .await
            .unwrap();
        assert_eq!((told[0].notes, told[0].readers.len(), told[1].notes), (1, 1, 0));
        assert_eq!(told[0].readers[0].1, "Phạm Văn Đức");
        let (_, _, notes, readings) = all;
        assert_eq!((notes, readings.len()), (vec![note], 1));
        assert_eq!((readings[0].0, readings[0].1), (email, duc.person()));
    })
    .await;
}

#[tokio::test]
async fn who_writes_an_answer_is_seen_by_who_opens_the_same() {
    each_world(&[], |world| async move {
        let account = world.account("bqlctgt").await;
        let (an, duc) = (world.person("an").await, world.person("duc").await);
        let (_, thread) = letter(&world, account, "mot").await;
        let says = async |who: &SignedIn, activity| {
            let who = who.clone();
            let told = world
                .write(move |tx| present(tx, &act_for::<right::Read>(tx, &who, account)?, thread, activity));
            told.await.unwrap().into_iter().map(|p| (p.name, p.is_replying)).collect::<Vec<_>>()
        };
        assert!(says(&an, Activity::Reading).await.is_empty());
        assert_eq!(says(&duc, Activity::Reading).await, [("Nguyễn Văn An".to_owned(), false)]);
        assert_eq!(says(&an, Activity::Replying).await, [("Phạm Văn Đức".to_owned(), false)]);
        assert_eq!(says(&duc, Activity::Reading).await, [("Nguyễn Văn An".to_owned(), true)]);
        says(&an, Activity::Gone).await;
        assert!(says(&duc, Activity::Reading).await.is_empty());
        // Whoever lost the connection is forgotten.
        world.clock.wait(Duration::from_secs(60));
        assert!(says(&an, Activity::Reading).await.is_empty());
        assert_eq!(world.write(|tx| forget_absent(tx, 10)).await.unwrap(), 1);
    })
    .await;
}
