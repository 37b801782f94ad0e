//! SQLite: the disk is full, the file is damaged, a commit fails.

use crate::{TEST, THINGS};
use congvu_storage::{Db, MigrationSet, Node, OpenOptions, params};
use congvu_types::{RefusalKind, Result, SystemClock};
use std::{path::Path, process::Command, sync::Arc};
use testkit::store::sqlite;

const LARGE: usize = 10_000;

async fn insert(db: &Db, id: i64) -> Result<u64> {
    db.write(TEST, move |tx| {
        let values = params![id, "x", vec![7_u8; LARGE]];
        tx.execute("INSERT INTO thing (id, name, body) VALUES (?1, ?2, ?3)", &values)
    })
    .await
}

/// Writes until there is no room; returns how many were acknowledged.
async fn fill(db: &Db) -> i64 {
    for id in 1..5_000 {
        match insert(db, id).await {
            Ok(_) => {}
            Err(error) => {
                assert!(error.refusal().is_none() && error.to_string().contains("full"), "{error}");
                return id - 1;
            }
        }
    }
    panic!("the disk is never full");
}

async fn ids(db: &Db) -> Vec<i64> {
    db.read(|s| s.query("SELECT id FROM thing ORDER BY id", &[], |r| r.i64(0))).await.unwrap()
}

fn open(directory: &Path) -> Db {
    let options = OpenOptions {
        database: congvu_storage::DatabaseUrl::Sqlite(directory.join("main.db")),
        blobs: directory.join("blobs"),
        node: Node::Server(1),
        clock: Arc::new(SystemClock),
    };
    Db::open(options).unwrap()
}

#[tokio::test]
async fn a_full_database_refuses_keeps_what_was_acknowledged_and_goes_on_when_there_is_room() {
    let store = sqlite(Arc::new(SystemClock));
    store.db.migrate(&[&THINGS]).await.unwrap();
    let limit = "PRAGMA max_page_count = 400";
    store.db.write(TEST, move |tx| tx.query_one(limit, &[], |r| r.i64(0))).await.unwrap();
    let acknowledged = fill(&store.db).await;
    assert!(acknowledged > 50);
    assert_eq!(ids(&store.db).await, (1..=acknowledged).collect::<Vec<_>>());
    // The limit was the connection's, and that was opened anew.
    insert(&store.db, acknowledged + 1).await.unwrap();
    assert_eq!(ids(&store.db).await, (1..=acknowledged + 1).collect::<Vec<_>>());
}

/// A file system of its own, taken away in the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` when this user may not mount.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(directory.path())
            .output();
        mounted.is_ok_and(|m| m.status.success()).then_some(Self(directory))
    }

    fn grow(&self) {
        let grown = Command::new("mount").args(["-o", "remount,size=16m"]).arg(self.0.path()).status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_keeps_what_was_acknowledged_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::new() else {
        eprintln!("not tried: a file system can be mounted by root alone");
        return;
    };
    let db = open(disk.0.path());
    db.migrate(&[&THINGS]).await.unwrap();
    let acknowledged = fill(&db).await;
    assert!(acknowledged > 50, "{acknowledged}");
    for _ in 0..3 {
        assert!(insert(&db, 9_000).await.is_err());
    }
    assert_eq!(ids(&db).await, (1..=acknowledged).collect::<Vec<_>>());
    disk.grow();
    insert(&db, acknowledged + 1).await.unwrap();
    // Another process sees the same.
    assert_eq!(ids(&open(disk.0.path())).await, (1..=acknowledged + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_damaged_database_takes_nothing_more() {
    let store = sqlite(Arc::new(SystemClock));
    store.db.migrate(&[&THINGS]).await.unwrap();
    for id in 1..=100 {
        insert(&store.db, id).await.unwrap();
    }
    let file = store.dir.join("main.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
        .unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let db = open(&store.dir);
    let read = db.read(|s| s.query("SELECT id, body FROM thing", &[], |r| r.bytes(1)));
    assert!(read.await.unwrap_err().to_string().contains("malformed"));
    for _ in 0..2 {
        let error = insert(&db, 1_000).await.unwrap_err().to_string();
        assert!(error.contains("checking the database") || error.contains("is checked again"), "{error}");
    }
}

const CHILDREN: MigrationSet = MigrationSet {
    owner: "children",
    steps: &["CREATE TABLE child (id BIGINT NOT NULL PRIMARY KEY,
        parent BIGINT NOT NULL REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED)"],
};

type Step = Box<dyn FnMut(&mut congvu_storage::Tx) -> Result<()> + Send>;

/// A refusal computed from what a sibling wrote is no answer when the sibling's rows are not there.
#[tokio::test]
async fn when_a_commit_fails_nobody_of_its_batch_is_answered_from_it() {
    let store = sqlite(Arc::new(SystemClock));
    store.db.migrate(&[&THINGS, &CHILDREN]).await.unwrap();
    let (go, wait_go) = std::sync::mpsc::channel::<()>();
    let (begun, wait_begun) = std::sync::mpsc::channel();
    let db = &store.db;
    let spawn = |mut f: Step| {
        let db = db.clone();
        tokio::spawn(async move { db.write(TEST, move |tx| f(tx)).await })
    };
    let holding = spawn(Box::new(move |_| {
        begun.send(()).unwrap();
        wait_go.recv().unwrap();
        Ok(())
    }));
    tokio::task::spawn_blocking(move || wait_begun.recv().unwrap()).await.unwrap();
    let orphan =
        spawn(Box::new(|tx| tx.execute("INSERT INTO child (id, parent) VALUES (1, 404)", &[]).map(drop)));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let refused =
        spawn(Box::new(|tx| match tx.query_opt("SELECT 1 FROM child WHERE id = 1", &[], |_| Ok(()))? {
            Some(()) => Err(RefusalKind::AlreadyExists.into()),
            None => Ok(()),
        }));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    go.send(()).unwrap();
    holding.await.unwrap().unwrap();
    assert!(orphan.await.unwrap().is_err());
    let answer = refused.await.unwrap().unwrap_err();
    assert!(answer.refusal().is_none(), "{answer}");
    insert(db, 1).await.unwrap();
}
