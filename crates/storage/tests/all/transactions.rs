//! Writes commit whole or not at all; reads see one view; schema steps run once.

use crate::{TEST, THINGS};
use congvu_storage::{Db, Node, OpenOptions, params};
use congvu_types::{AccountId, Clock, ModSeq, RefusalKind, Result, SystemClock, Timestamp};
use std::{sync::Arc, time::Duration};
use testkit::store::{TestStore, each_engine};

/// Another process on the same database, as near as a test comes to it.
fn open_again(store: &TestStore) -> Db {
    open_as(store, Node::Server(1), Arc::new(SystemClock))
}

fn open_as(store: &TestStore, node: Node, clock: Arc<dyn Clock>) -> Db {
    let options = OpenOptions { database: store.url.clone(), blobs: store.dir.join("blobs"), node, clock };
    Db::open(options).unwrap()
}

async fn count(db: &Db) -> i64 {
    db.read(|s| s.query_one("SELECT COUNT(*) FROM thing", &[], |r| r.i64(0))).await.unwrap()
}

#[tokio::test]
async fn a_closure_that_fails_rolls_back_alone() {
    each_engine(&[&THINGS], |store| async move {
        let db = &store.db;
        let writes = (0..60_i64).map(|n| {
            db.write(TEST, move |tx| {
                tx.execute("INSERT INTO thing (id, name) VALUES (?1, ?2)", &params![n, "x"])?;
                tx.changed(AccountId::new(1), ModSeq(1));
                if n % 3 == 0 { Err(RefusalKind::TooMany.into()) } else { Ok(n) }
            })
        });
        let mut refused = 0;
        for write in writes.map(Box::pin) {
            refused += i32::from(write.await.is_err());
        }
        assert_eq!(refused, 20);
        assert_eq!(count(db).await, 40);
    })
    .await;
}

#[tokio::test]
async fn a_closure_that_panics_fails_alone() {
    each_engine(&[&THINGS], |store| async move {
        let outcome = store
            .db
            .write(TEST, |tx| -> Result<()> {
                tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[])?;
                panic!("a defect")
            })
            .await;
        assert!(outcome.unwrap_err().refusal().is_none());
        assert_eq!(count(&store.db).await, 0);
        store
            .db
            .write(TEST, |tx| tx.execute("INSERT INTO thing (id, name) VALUES (2, 'y')", &[]))
            .await
            .unwrap();
        assert_eq!(count(&store.db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    each_engine(&[&THINGS], |store| async move {
        let text = "Khánh Hòa \u{1F4E7}";
        store
            .db
            .write(TEST, move |tx| {
                tx.execute(
                    "INSERT INTO thing (id, name, body) VALUES (?1, ?2, ?3)",
                    &params![i64::MAX, text, None::<Vec<u8>>],
                )?;
                tx.execute("UPDATE thing SET body = ?2 WHERE id = ?1", &params![i64::MAX, vec![0_u8, 255]])
            })
            .await
            .unwrap();
        let back = store
            .db
            .read_quick(|s| {
                s.query_one("SELECT id, name, body FROM thing", &[], |r| {
                    Ok((r.i64(0)?, r.text(1)?, r.bytes(2)?))
                })
            })
            .await
            .unwrap();
        assert_eq!(back, (i64::MAX, text.to_owned(), vec![0, 255]));
    })
    .await;
}

#[tokio::test]
async fn concurrent_increments_lose_nothing_and_the_feed_follows_commits() {
    each_engine(&[&THINGS], |store| async move {
        let db = store.db.clone();
        let mut feed = db.feed().watch(AccountId::new(9));
        let tasks: Vec<_> = (0..80)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(TEST, |tx| {
                        let value = tx.query_one(
                            "INSERT INTO counter (name, value) VALUES ('n', 1)
                             ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
                            &[],
                            |r| r.u64(0),
                        )?;
                        tx.changed(AccountId::new(9), ModSeq(value));
                        Ok(value)
                    })
                    .await
                    .unwrap()
                })
            })
            .collect();
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=80).collect::<Vec<_>>());
        assert_eq!(feed.borrow_and_update().modseq.0, 80);
    })
    .await;
}

#[tokio::test]
async fn schema_steps_run_once_and_a_newer_database_is_refused() {
    each_engine(&[&THINGS], |store| async move {
        assert_eq!(store.db.migrate(&[&THINGS]).await.unwrap(), 0);
        store
            .db
            .write(TEST, |tx| tx.execute("UPDATE schema_version SET version = 9 WHERE owner = 'things'", &[]))
            .await
            .unwrap();
        let error = store.db.migrate(&[&THINGS]).await.unwrap_err();
        assert!(error.to_string().contains("newer Congvu"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn ids_grow_across_a_restart_and_what_was_acknowledged_is_there() {
    each_engine(&[&THINGS], |store| async move {
        let insert = |tx: &mut congvu_storage::Tx| {
            let id = tx.new_id();
            tx.execute("INSERT INTO thing (id, name) VALUES (?1, 'x')", &params![id])?;
            Ok(id)
        };
        let first = store.db.write(TEST, insert).await.unwrap();
        let again = open_again(&store);
        again.migrate(&[&THINGS]).await.unwrap();
        let second = again.write(TEST, insert).await.unwrap();
        assert!(second > first);
        assert_eq!(count(&again).await, 2);
    })
    .await;
}

/// A clock an hour behind.
#[derive(Debug)]
struct Behind;

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().millis() - 3_600_000)
    }
}

async fn make_id(db: &Db) -> i64 {
    db.write(TEST, |tx| Ok(tx.new_id())).await.unwrap()
}

#[tokio::test]
async fn ids_grow_though_the_clock_went_back_across_a_restart() {
    each_engine(&[&THINGS], |store| async move {
        let first = make_id(&store.db).await;
        let again = open_as(&store, Node::Server(1), Arc::new(Behind));
        again.migrate(&[&THINGS]).await.unwrap();
        let second = make_id(&again).await;
        assert!(second > first, "{second} {first}");
        // Two processes with one number take turns; no id is made twice.
        let third = make_id(&store.db).await;
        assert!(third != second && third > first);
    })
    .await;
}

#[tokio::test]
async fn commands_at_once_have_numbers_of_their_own_and_give_them_back() {
    each_engine(&[&THINGS], |store| async move {
        let number = |id: i64| (id >> 12) & 1023;
        let (one, other) = (
            open_as(&store, Node::Command, Arc::new(SystemClock)),
            open_as(&store, Node::Command, Arc::new(SystemClock)),
        );
        let (first, second) = (number(make_id(&one).await), number(make_id(&other).await));
        assert!(first >= i64::from(Node::FIRST_OF_COMMANDS) && second != first, "{first} {second}");
        one.give_number_back().await.unwrap();
        let held = other.read(|s| {
            let soon = s.now().millis() - 1_577_836_800_000 + 10_000;
            s.query("SELECT number FROM node WHERE number >= 960 AND lease > ?1", &params![soon], |r| {
                r.i64(0)
            })
        });
        assert_eq!(held.await.unwrap(), [second]);
    })
    .await;
}

#[tokio::test]
async fn a_read_sees_one_view_while_others_write() {
    each_engine(&[&THINGS], |store| async move {
        let db = store.db.clone();
        let (begun, wait_begun) = std::sync::mpsc::channel();
        let (go, wait_go) = std::sync::mpsc::channel::<()>();
        let reader = tokio::spawn(async move {
            db.read(move |s| {
                let count = || s.query_one("SELECT COUNT(*) FROM thing", &[], |r| r.i64(0));
                let before = count()?;
                begun.send(()).unwrap();
                wait_go.recv().unwrap();
                Ok((before, count()?))
            })
            .await
        });
        tokio::task::spawn_blocking(move || wait_begun.recv().unwrap()).await.unwrap();
        store
            .db
            .write(TEST, |tx| tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[]))
            .await
            .unwrap();
        go.send(()).unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_commit_of_another_process_is_heard_of() {
    each_engine(&[&THINGS], |store| async move {
        let account = AccountId::new(7);
        let mut watch = store.db.feed().watch(account);
        let hearing = tokio::spawn({
            let db = store.db.clone();
            async move { db.hear_others().await }
        });
        let other = open_again(&store);
        // Whoever begins to listen looks at everything once: wait for that, and for SQLite's first look.
        if store.engine == "postgres" {
            watch.changed().await.unwrap();
        } else {
            tokio::time::sleep(Duration::from_millis(700)).await;
            watch.mark_unchanged();
        }
        other
            .write(TEST, move |tx| {
                tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[])?;
                tx.changed(account, ModSeq(5));
                Ok(())
            })
            .await
            .unwrap();
        other.tell_others().await;
        tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.expect("it is told").unwrap();
        assert_eq!(count(&store.db).await, 1);
        hearing.abort();
    })
    .await;
}
