//! Databases for tests: each store test runs on SQLite and on PostgreSQL.

use congvu_storage::{DatabaseUrl, Db, MigrationSet, Node, OpenOptions};
use congvu_types::{Clock, SystemClock};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// A database of its own for one test, removed when dropped.
#[derive(Debug)]
pub struct TestStore {
    /// The open, not yet migrated database.
    pub db: Db,
    /// Which engine: `sqlite` or `postgres`.
    pub engine: &'static str,
    /// The directory that holds its files.
    pub dir: PathBuf,
    /// The URL it was opened with, to open it a second time.
    pub url: DatabaseUrl,
    /// Removes the files when the last holder is gone.
    pub files: Arc<tempfile::TempDir>,
}

/// Runs `test` once on SQLite and once on PostgreSQL, each on a migrated database of its own.
///
/// PostgreSQL is found by `CONGVU_TEST_POSTGRES`, which `cargo xtask test` sets.
pub async fn each_engine<F, Fut>(sets: &[&MigrationSet], test: F)
where
    F: Fn(TestStore) -> Fut,
    Fut: Future<Output = ()>,
{
    for store in [sqlite(Arc::new(SystemClock)), postgres(Arc::new(SystemClock)).await] {
        store.db.migrate(sets).await.expect("the schema applies");
        eprintln!("engine: {}", store.engine);
        // A test may move single fields out of its store: the files stay until it is done.
        let files = store.files.clone();
        test(store).await;
        drop(files);
    }
}

/// Like [`each_engine`] with a clock of the test's own.
pub async fn each_engine_at<F, Fut>(clock: Arc<dyn Clock>, sets: &[&MigrationSet], test: F)
where
    F: Fn(TestStore) -> Fut,
    Fut: Future<Output = ()>,
{
    for store in [sqlite(clock.clone()), postgres(clock.clone()).await] {
        store.db.migrate(sets).await.expect("the schema applies");
        eprintln!("engine: {}", store.engine);
        // A test may move single fields out of its store: the files stay until it is done.
        let files = store.files.clone();
        test(store).await;
        drop(files);
    }
}

/// Opens an SQLite database in a directory of its own.
#[must_use]
pub fn sqlite(clock: Arc<dyn Clock>) -> TestStore {
    let dir = tempfile::tempdir().expect("a temporary directory");
    open("sqlite", DatabaseUrl::Sqlite(dir.path().join("main.db")), dir, clock)
}

/// Opens a schema of its own in the PostgreSQL of `CONGVU_TEST_POSTGRES`.
pub async fn postgres(clock: Arc<dyn Clock>) -> TestStore {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("CONGVU_TEST_POSTGRES").expect(
        "CONGVU_TEST_POSTGRES is not set: run `cargo xtask test`, or point it at a PostgreSQL database",
    );
    let schema = format!("t{}_{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
    let (client, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
    let driver = tokio::spawn(connection);
    client
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"))
        .await
        .expect("a schema can be made");
    drop(client);
    let _ = driver.await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}options=-csearch_path%3D{schema}%20-csynchronous_commit%3Don");
    open("postgres", DatabaseUrl::Postgres(url), dir, clock)
}

fn open(engine: &'static str, url: DatabaseUrl, dir: tempfile::TempDir, clock: Arc<dyn Clock>) -> TestStore {
    let node = Node::Server(1);
    let options = OpenOptions { database: url.clone(), blobs: dir.path().join("blobs"), node, clock };
    let db = Db::open(options).expect("the database opens");
    TestStore { db, engine, dir: dir.path().to_owned(), url, files: Arc::new(dir) }
}
