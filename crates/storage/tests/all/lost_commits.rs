//! PostgreSQL: the connection is cut at COMMIT, transactions meet, statements fail unnoticed.

use crate::{TEST, THINGS};
use congvu_storage::{DatabaseUrl, Db, Node, OpenOptions, params};
use congvu_types::{AccountId, ModSeq, Result, SystemClock};
use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    time::Duration,
};
use testkit::store::{TestStore, each_engine, postgres};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PASS: u8 = 0;
/// The next COMMIT does not arrive.
const CUT_BEFORE: u8 = 1;
/// The answer to the next COMMIT does not arrive.
const CUT_AFTER: u8 = 2;

/// Hands bytes to and fro, and cuts a connection as `mode` says.
async fn proxy(target: String, mode: Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(hand_on(client, server, mode.clone()));
        }
    });
    port
}

async fn hand_on(client: TcpStream, server: TcpStream, mode: Arc<AtomicU8>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut is_last = false;
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(some @ 1..) = read else { return };
                let is_commit = asked[..some].windows(7).any(|w| w == b"COMMIT\0");
                if is_commit && mode.compare_exchange(CUT_BEFORE, PASS, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    return;
                }
                is_last = is_commit
                    && mode.compare_exchange(CUT_AFTER, PASS, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                to_server.write_all(&asked[..some]).await.unwrap();
            }
            read = from_server.read(&mut answered) => {
                let Ok(some @ 1..) = read else { return };
                if is_last {
                    return;
                }
                to_client.write_all(&answered[..some]).await.unwrap();
            }
        }
    }
}

/// Opens the store once more, through a proxy.
async fn behind_proxy(store: &TestStore) -> (Db, Arc<AtomicU8>) {
    let DatabaseUrl::Postgres(url) = &store.url else { panic!("it is PostgreSQL") };
    let (_, rest) = url.split_once('@').unwrap();
    let target = rest.split(['/', '?']).next().unwrap();
    let with_port = if target.contains(':') { target.to_owned() } else { format!("{target}:5432") };
    let mode = Arc::new(AtomicU8::new(PASS));
    let port = proxy(with_port, mode.clone()).await;
    let url = url.replacen(&format!("@{target}"), &format!("@127.0.0.1:{port}"), 1);
    let options = OpenOptions {
        database: DatabaseUrl::Postgres(url),
        blobs: store.dir.join("blobs"),
        node: Node::Server(2),
        clock: Arc::new(SystemClock),
    };
    (Db::open(options).unwrap(), mode)
}

fn open_once_more(store: &TestStore) -> Db {
    let (database, blobs) = (store.url.clone(), store.dir.join("blobs"));
    Db::open(OpenOptions { database, blobs, node: Node::Server(2), clock: Arc::new(SystemClock) }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_answered_as_it_ended() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    let (db, mode) = behind_proxy(&store).await;
    db.write(TEST, |tx| Ok(tx.new_id())).await.unwrap();
    for (id, cut, runs) in [(1, CUT_AFTER, 1), (2, CUT_BEFORE, 2)] {
        let (account, run) = (AccountId::new(id), Arc::new(AtomicU32::new(0)));
        let watch = db.feed().watch(account);
        mode.store(cut, Ordering::SeqCst);
        let counted = run.clone();
        let written = db.write(TEST, move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.changed(account, ModSeq(1));
            tx.execute("INSERT INTO thing (id, name) VALUES (?1, 'x')", &params![id])
        });
        assert_eq!(written.await.unwrap(), 1);
        assert_eq!((run.load(Ordering::SeqCst), mode.load(Ordering::SeqCst)), (runs, PASS));
        assert!(watch.has_changed().unwrap());
    }
    assert_eq!(count(&store.db).await, 2);
}

async fn count(db: &Db) -> i64 {
    db.read(|s| s.query_one("SELECT COUNT(*) FROM thing", &[], |r| r.i64(0))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_lost_while_nobody_used_them_are_passed_over() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    store
        .db
        .write(TEST, |tx| {
            // Its own connection ends here, as on a restart of the server.
            tx.query_opt("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_| Ok(())).map(drop)
        })
        .await
        .unwrap_err();
    store.db.write(TEST, |tx| tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[])).await.unwrap();
    assert_eq!(count(&store.db).await, 1);
}

/// Readers give up while their transaction begins; writers that come after are not caught in it, which only reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_gave_up_leaves_no_transaction_to_the_next() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    for id in 0..20_i64 {
        let read = count(&store.db);
        tokio::select! {
            biased;
            _ = read => {}
            () = yields(id / 2) => {}
        }
        let insert = "INSERT INTO thing (id, name) VALUES (?1, 'x')";
        store.db.write(TEST, move |tx| tx.execute(insert, &params![id])).await.unwrap();
    }
    assert_eq!(count(&store.db).await, 20);
}

async fn yields(times: i64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// The statement that fails is on its way together with the question for the transaction's number, over a connection that
/// has never asked for one; whatever is heard first, it is the failure that is worth another try.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_statement_that_met_another_writer_is_run_again() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    let insert = "INSERT INTO thing (id, name) VALUES (?1, 'x')";
    for id in 1..=12_i64 {
        let fresh = open_once_more(&store);
        fresh.write(TEST, |tx| Ok(tx.new_id())).await.unwrap();
        let (reads, reader) = (Arc::new(Barrier::new(2)), fresh.clone());
        let used = reads.clone();
        let holding = tokio::spawn(async move {
            reader
                .read(move |_| {
                    used.wait();
                    used.wait();
                    Ok(())
                })
                .await
        });
        tokio::task::block_in_place(|| reads.wait());
        let (holds, db) = (Arc::new(Barrier::new(2)), store.db.clone());
        let held = holds.clone();
        let first = tokio::spawn(async move {
            let write = db.write(TEST, move |tx| {
                tx.execute(insert, &params![id])?;
                held.wait();
                std::thread::sleep(Duration::from_millis(60));
                Ok(())
            });
            write.await
        });
        tokio::task::block_in_place(|| holds.wait());
        let mut next = id;
        let second = fresh.write(TEST, move |tx| {
            let tried = std::mem::replace(&mut next, id + 100);
            tx.execute(insert, &params![tried])
        });
        assert_eq!(second.await.unwrap(), 1);
        first.await.unwrap().unwrap();
        tokio::task::block_in_place(|| reads.wait());
        holding.await.unwrap().unwrap();
    }
}

/// PostgreSQL would answer the COMMIT with success and keep nothing.
#[tokio::test]
async fn a_statement_that_failed_unnoticed_is_no_success() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    let written = store.db.write(TEST, |tx| {
        tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[])?;
        let _ = tx.execute("INSERT INTO no_such_table (id) VALUES (1)", &[]);
        Ok(())
    });
    let error = written.await.unwrap_err();
    assert!(error.to_string().contains("went on as if"), "{error}");
    assert_eq!(count(&store.db).await, 0);
}

/// Two sessions lock two rows in opposite order: PostgreSQL ends one, which is run again.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ended_for_a_deadlock_is_run_again() {
    let store = postgres(Arc::new(SystemClock)).await;
    store.db.migrate(&[&THINGS]).await.unwrap();
    store
        .db
        .write(TEST, |tx| tx.execute("INSERT INTO counter (name, value) VALUES ('a', 0), ('b', 0)", &[]))
        .await
        .unwrap();
    let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let add = |first: &'static str, second: &'static str| {
        let (db, both, runs) = (store.db.clone(), both.clone(), runs.clone());
        tokio::spawn(async move {
            let mut is_first_run = true;
            db.write(TEST, move |tx| -> Result<()> {
                runs.fetch_add(1, Ordering::SeqCst);
                let sql = "UPDATE counter SET value = value + 1 WHERE name = ?1";
                tx.execute(sql, &params![first])?;
                if std::mem::take(&mut is_first_run) {
                    both.wait();
                }
                tx.execute(sql, &params![second]).map(drop)
            })
            .await
        })
    };
    let (one, other) = (add("a", "b"), add("b", "a"));
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    assert!(runs.load(Ordering::SeqCst) >= 3);
    let values = store.db.read(|s| s.query("SELECT value FROM counter ORDER BY name", &[], |r| r.i64(0)));
    assert_eq!(values.await.unwrap(), [2, 2]);
}

/// Two nodes that are upgraded at once, on an empty database.
#[tokio::test]
async fn two_nodes_upgrading_at_once_apply_each_step_once() {
    let empty = postgres(Arc::new(SystemClock)).await;
    let other = open_once_more(&empty);
    let (one, two) = tokio::join!(empty.db.migrate(&[&THINGS]), other.migrate(&[&THINGS]));
    assert_eq!(one.unwrap() + two.unwrap(), 3);
}

#[tokio::test]
async fn a_column_is_added_by_a_later_step() {
    const MORE: congvu_storage::MigrationSet = congvu_storage::MigrationSet {
        owner: "more",
        steps: &[
            "ALTER TABLE thing ADD COLUMN weight BIGINT NOT NULL DEFAULT 7; ALTER TABLE thing ADD COLUMN seal BYTEA",
        ],
    };
    each_engine(&[&THINGS, &MORE], |store| async move {
        store
            .db
            .write(TEST, |tx| tx.execute("INSERT INTO thing (id, name) VALUES (1, 'x')", &[]))
            .await
            .unwrap();
        let read = store.db.read(|s| {
            s.query_one("SELECT weight, seal FROM thing", &[], |r| Ok((r.i64(0)?, r.opt_bytes(1)?)))
        });
        assert_eq!(read.await.unwrap(), (7, None));
    })
    .await;
}
