//! The embedded engine: one writer thread with group commit, a pool of snapshot readers.
//!
//! The writer takes what is queued, runs each closure in its own savepoint inside one transaction, commits
//! once, publishes, and answers all. There is no sleep: under load batches form by themselves.

use crate::{
    db::Actor,
    feed::Feed,
    health::Failure,
    lease,
    snapshot::{Connection, Effects, Shared, Snapshot, Tx},
};
use congvu_types::{Error, Fault, Result};
use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, oneshot};

/// How soon a commit of another process, such as a command at the console, is seen when nothing is written here.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const MAX_BATCH: usize = 256;
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
const MAX_BATCH_TIME: Duration = Duration::from_millis(3);
/// A database that failed is checked this often, when somebody wants to write.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// How many closures may wait; beyond it writers wait for room.
const MAX_QUEUED: usize = 16_384;

/// A queued closure with the way to answer it.
pub(crate) trait Job: Send {
    /// Runs the closure; `true` keeps its savepoint.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// What the closure itself failed with.
    fn failure(&self) -> Option<String>;
    /// Answers: with the closure's own result, or with the commit's failure.
    fn finish(self: Box<Self>, commit: Option<&str>);
}

pub(crate) struct ClosureJob<F, R> {
    pub(crate) closure: F,
    pub(crate) actor: Option<Actor>,
    pub(crate) result: Option<Result<R>>,
    pub(crate) reply: oneshot::Sender<Result<R>>,
}

impl<F, R> Job for ClosureJob<F, R>
where
    F: FnMut(&mut Tx) -> Result<R> + Send,
    R: Send,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        if let Some(actor) = self.actor.take() {
            tx.actor = actor;
        }
        let result = catch_unwind(AssertUnwindSafe(|| (self.closure)(tx)))
            .unwrap_or_else(|_| Err(Fault::new("a transaction panicked").into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn failure(&self) -> Option<String> {
        self.result.as_ref().and_then(|result| result.as_ref().err()).map(ToString::to_string)
    }

    fn finish(self: Box<Self>, commit: Option<&str>) {
        let answer = match (commit, self.result) {
            (None, Some(answer)) => answer,
            // A refusal too may rest on what another closure of the batch wrote, and that is not there.
            (Some(reason), _) => Err(Error::fault("committing", reason.to_owned())),
            (None, None) => Err(Fault::new("the transaction was not run").into()),
        };
        // The caller may have gone away; what was committed stays committed.
        let _ = self.reply.send(answer);
    }
}

/// The embedded engine's handle.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(crate) interactive: Sender<Box<dyn Job>>,
    pub(crate) bulk: Sender<Box<dyn Job>>,
    readers: Mutex<Vec<Snapshot>>,
    permits: Arc<Semaphore>,
    path: PathBuf,
    shared: Arc<Shared>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, shared: Arc<Shared>, feed: Arc<Feed>) -> Result<Self> {
        let writer = connect(path, true)?;
        let readers = std::thread::available_parallelism().map_or(4, |n| n.get() * 2).max(4);
        let pool = (0..readers)
            .map(|_| {
                Ok(Snapshot { connection: Connection::Sqlite(connect(path, false)?), shared: shared.clone() })
            })
            .collect::<Result<Vec<_>>>()?;
        let (interactive, jobs) = crossbeam_channel::bounded(MAX_QUEUED);
        let (bulk, bulk_jobs) = crossbeam_channel::bounded(MAX_QUEUED);
        let tx = Tx {
            snapshot: Snapshot { connection: Connection::Sqlite(writer), shared: shared.clone() },
            actor: Actor::System("storage"),
            effects: Effects::default(),
        };
        let (path_of_writer, trust) = (path.to_owned(), Trust::Sound);
        let mut thread =
            Writer { tx, jobs, bulk_jobs, feed, path: path_of_writer, data_version: None, trust };
        std::thread::Builder::new()
            .name("congvu-writer".to_owned())
            .spawn(move || thread.run())
            .map_err(|e| Error::fault("starting the writer thread", e))?;
        Ok(Self {
            interactive,
            bulk,
            readers: Mutex::new(pool),
            permits: Arc::new(Semaphore::new(readers)),
            path: path.to_owned(),
            shared,
        })
    }

    /// Runs a read closure on this thread, in one deferred transaction.
    pub(crate) async fn read_here<R>(&self, f: impl FnOnce(&Snapshot) -> Result<R>) -> Result<R> {
        let permit = self.permits.acquire().await.map_err(|e| Error::fault("waiting for a reader", e))?;
        let answer = self.read_now(f);
        drop(permit);
        answer
    }

    /// Runs a read closure with a pooled connection; the caller holds a permit.
    pub(crate) fn read_now<R>(&self, f: impl FnOnce(&Snapshot) -> Result<R>) -> Result<R> {
        let pooled = self.readers.lock().pop();
        let snapshot = match pooled {
            Some(snapshot) => snapshot,
            None => Snapshot {
                connection: Connection::Sqlite(connect(&self.path, false)?),
                shared: self.shared.clone(),
            },
        };
        snapshot.word("BEGIN DEFERRED")?;
        let answer = catch_unwind(AssertUnwindSafe(|| f(&snapshot)))
            .unwrap_or_else(|_| Err(Fault::new("a read panicked").into()));
        if snapshot.word("COMMIT").is_ok() {
            self.readers.lock().push(snapshot);
        }
        answer
    }

    pub(crate) fn permits(&self) -> Arc<Semaphore> {
        self.permits.clone()
    }
}

fn connect(path: &Path, writer: bool) -> Result<rusqlite::Connection> {
    let open = || -> rusqlite::Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.execute_batch(
            "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864;",
        )?;
        // A plan depends on the statement alone: without this SQLite prepares some of them anew for each bound value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // The writer keeps the hot upper pages of every index; readers lean on the system's page cache. More is not faster:
        // a commit after a rebalanced page walks the cache's whole hash table.
        let cache_kib = if writer { -32_768 } else { -8_192 };
        connection.pragma_update(None, "cache_size", cache_kib)?;
        if !writer {
            connection.pragma_update(None, "query_only", true)?;
        }
        connection.set_prepared_statement_cache_capacity(256);
        Ok(connection)
    };
    open().map_err(|e| Error::fault(format!("opening {}", path.display()), e))
}

struct Writer {
    tx: Tx,
    jobs: Receiver<Box<dyn Job>>,
    bulk_jobs: Receiver<Box<dyn Job>>,
    feed: Arc<Feed>,
    path: PathBuf,
    /// As `PRAGMA data_version` said last.
    data_version: Option<i64>,
    trust: Trust,
}

/// Whether anything may run on the writer's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Sound,
    /// A commit failed: the connection is opened anew.
    Closed,
    /// The disk or the file itself failed: nothing is accepted until a check, at most one each [`CHECK_EVERY`], passes.
    Failed {
        how: Failure,
        checked: Option<Instant>,
    },
}

impl Writer {
    fn run(&mut self) {
        while let Some(first) = self.wait() {
            self.batch(first);
        }
    }

    /// Waits for the next closure; interactive ones first. `None` when every handle is gone.
    fn wait(&mut self) -> Option<Box<dyn Job>> {
        loop {
            if let Ok(job) = self.jobs.try_recv() {
                return Some(job);
            }
            let mut select = crossbeam_channel::Select::new();
            let interactive = select.recv(&self.jobs);
            select.recv(&self.bulk_jobs);
            if let Ok(ready) = select.select_timeout(LOOK_EVERY) {
                let (lane, other) = if ready.index() == interactive {
                    (ready.recv(&self.jobs), &self.bulk_jobs)
                } else {
                    (ready.recv(&self.bulk_jobs), &self.jobs)
                };
                return lane.ok().or_else(|| other.recv().ok());
            }
            self.hear_others();
        }
    }

    /// Makes every watcher look again when another process has written. `data_version` changes with the commits of every
    /// connection but this one, and no other connection of this process writes.
    fn hear_others(&mut self) {
        if self.trust != Trust::Sound {
            return;
        }
        let seen = self.tx.query_one("PRAGMA data_version", &[], |r| r.i64(0));
        match seen {
            Ok(seen) => {
                if self.data_version.replace(seen).is_some_and(|known| known != seen) {
                    self.feed.wake_all();
                }
            }
            Err(error) => tracing::error!(%error, "looking for other processes' commits"),
        }
    }

    fn batch(&mut self, first: Box<dyn Job>) {
        if let Err(error) = self.ensure_sound() {
            first.finish(Some(&error.to_string()));
            return;
        }
        let mut done: Vec<Box<dyn Job>> = Vec::with_capacity(32);
        let mut changes = Vec::new();
        let outcome = self.run_batch(first, &mut done, &mut changes);
        let failure = outcome.err().map(|error| {
            let reason = error.to_string();
            tracing::error!(%reason, closures = done.len(), "a commit failed");
            self.distrust();
            reason
        });
        if failure.is_none() {
            self.feed.publish(&changes);
        }
        for job in done {
            job.finish(failure.as_deref());
        }
    }

    fn run_batch(
        &mut self,
        first: Box<dyn Job>,
        done: &mut Vec<Box<dyn Job>>,
        changes: &mut Vec<(congvu_types::AccountId, congvu_types::ModSeq)>,
    ) -> Result<()> {
        let started = Instant::now();
        let mut bytes = 0;
        let mut next = Some(first);
        if let Err(error) = self.begin() {
            done.extend(next);
            return Err(error);
        }
        while let Some(job) = next.take() {
            let ran = self.run_one(job, done);
            bytes += self.tx.effects.blob_bytes;
            changes.append(&mut self.tx.effects.changes);
            ran?;
            if done.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES && started.elapsed() < MAX_BATCH_TIME {
                next = self.jobs.try_recv().ok();
            }
        }
        self.tx.word("COMMIT")
    }

    fn begin(&mut self) -> Result<()> {
        self.tx.word("BEGIN IMMEDIATE")?;
        self.hear_others();
        let shared = self.tx.snapshot.shared.clone();
        if shared.ids.is_due(self.tx.now())
            && let Some(lease) = lease::renew(&mut self.tx)?
        {
            shared.ids.leased(lease);
        }
        Ok(())
    }

    /// Runs one closure in its savepoint. An error means that the connection itself is unwell.
    fn run_one(&mut self, mut job: Box<dyn Job>, done: &mut Vec<Box<dyn Job>>) -> Result<()> {
        self.tx.effects = Effects::default();
        let opened = self.tx.word("SAVEPOINT closure");
        let keep = opened.is_ok() && job.run(&mut self.tx);
        done.push(job);
        opened?;
        if !keep {
            self.tx.effects = Effects::default();
            // A full disk makes SQLite roll the whole transaction back, and there is no savepoint any more.
            self.tx.word("ROLLBACK TO closure").map_err(|error| {
                match done.last().and_then(|job| job.failure()) {
                    Some(first) => Error::fault(first, error),
                    None => error,
                }
            })?;
        }
        self.tx.word("RELEASE closure")
    }

    /// After a failed commit nothing of the connection is trusted.
    fn distrust(&mut self) {
        // The lease of ids was part of what failed.
        self.tx.snapshot.shared.ids.forget();
        self.tx.effects = Effects::default();
        let _ = self.tx.word("ROLLBACK");
        self.trust = Trust::Closed;
        // The next who writes is told what is wrong, if it still is.
        let _ = self.ensure_sound();
    }

    /// Opens the connection anew when the last one is not trusted, and checks the database first when it failed, whoever met
    /// that. A sync is never tried again on a connection that failed.
    fn ensure_sound(&mut self) -> Result<()> {
        if let Some(how) = self.tx.snapshot.shared.health.take() {
            let checked = match self.trust {
                Trust::Failed { checked, .. } => checked,
                _ => None,
            };
            self.trust = Trust::Failed { how, checked };
        }
        match self.trust {
            Trust::Sound => return Ok(()),
            Trust::Closed => {}
            Trust::Failed { checked: Some(at), .. } if at.elapsed() < CHECK_EVERY => {
                return Err(Fault::new("the database failed; it is checked again in some seconds").into());
            }
            Trust::Failed { how, .. } => {
                self.trust = Trust::Failed { how, checked: Some(Instant::now()) };
                check(&self.path, how).inspect_err(|error| {
                    tracing::error!(%error, "the database failed its check; nothing is written");
                })?;
            }
        }
        self.tx.snapshot.connection = Connection::Sqlite(connect(&self.path, true)?);
        self.data_version = None;
        self.trust = Trust::Sound;
        tracing::warn!("the database was opened anew");
        Ok(())
    }
}

/// Writes to the database on a connection of its own; one that was damaged is read whole before.
fn check(path: &Path, how: Failure) -> Result<()> {
    let connection = connect(path, true)?;
    let fault = |e| Error::fault("checking the database", e);
    if how == Failure::Damage {
        let said: String = connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(fault)?;
        if said != "ok" {
            return Err(Error::fault("checking the database", said));
        }
    }
    connection
        .execute_batch(
            "BEGIN IMMEDIATE; CREATE TABLE congvu_check (n INTEGER) STRICT; DROP TABLE congvu_check; COMMIT;
             PRAGMA wal_checkpoint(PASSIVE)",
        )
        .map_err(fault)
}
