//! The PostgreSQL engine: a pooled connection a closure, on a blocking thread; serialization failures retried.

use crate::{
    Value,
    db::Actor,
    feed::Feed,
    params,
    relay::Relay,
    snapshot::{Connection, Effects, Shared, Snapshot, Tx},
};
use congvu_types::{Error, Fault, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::runtime::Handle;
use tokio_postgres::{NoTls, types::ToSql};

const MAX_TRIES: u32 = 12;

/// One connection while a closure uses it.
#[derive(Debug)]
pub(crate) struct PgSession {
    client: Object,
    runtime: Handle,
    /// The SQLSTATE of the statement that failed last, to know whether to try again.
    failed_with: Mutex<Option<String>>,
}

impl PgSession {
    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<tokio_postgres::Row>> {
        let bound: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        self.runtime
            .block_on(async {
                let statement = self.client.prepare_cached(sql).await?;
                self.client.query(&statement, &bound).await
            })
            .map_err(|e| self.fault(sql, e))
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        let bound: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        self.runtime
            .block_on(async {
                let statement = self.client.prepare_cached(sql).await?;
                self.client.execute(&statement, &bound).await
            })
            .map_err(|e| self.fault(sql, e))
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|e| self.fault(sql, e))
    }

    fn fault(&self, sql: &str, error: tokio_postgres::Error) -> Error {
        *self.failed_with.lock() = error.code().map(|c| c.code().to_owned());
        Error::fault(format!("running {sql:?}"), error)
    }

    /// Serialization failure, deadlock, lock not available; a unique violation is two writers at once.
    fn may_retry(&self) -> bool {
        matches!(self.failed_with.lock().as_deref(), Some("40001" | "40P01" | "55P03" | "23505"))
    }
}

/// The PostgreSQL engine's handle.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    relay: Arc<Relay>,
    url: String,
}

impl Postgres {
    pub(crate) fn open(url: &str, shared: Arc<Shared>, feed: Arc<Feed>) -> Result<Self> {
        let config: tokio_postgres::Config =
            url.parse().map_err(|e| Error::fault("reading the database URL", e))?;
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(16)
            .build()
            .map_err(|e| Error::fault("making the connection pool", e))?;
        let relay = Arc::new(Relay::new(pool.clone()));
        Ok(Self { pool, shared, feed, relay, url: url.to_owned() })
    }

    async fn session(&self) -> Result<PgSession> {
        let client = self.pool.get().await.map_err(|e| Error::fault("connecting to PostgreSQL", e))?;
        Ok(PgSession { client, runtime: Handle::current(), failed_with: Mutex::new(None) })
    }

    pub(crate) async fn read<R: Send + 'static>(
        &self,
        f: impl FnOnce(&Snapshot) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let session = self.session().await?;
        let shared = self.shared.clone();
        on_thread(move || {
            session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let snapshot = Snapshot { connection: Connection::Postgres(session), shared };
            let answer = catch_unwind(AssertUnwindSafe(|| f(&snapshot)))
                .unwrap_or_else(|_| Err(Fault::new("a read panicked").into()));
            end(snapshot, "ROLLBACK").and(answer)
        })
        .await
    }

    pub(crate) async fn write<R: Send + 'static>(
        &self,
        actor: Actor,
        mut f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.renew_lease().await?;
        for attempt in 0.. {
            let session = self.session().await?;
            let (shared, actor) = (self.shared.clone(), actor.clone());
            let (feed, relay) = (self.feed.clone(), self.relay.clone());
            let (outcome, back) =
                on_thread(move || Ok((attempt_write(session, shared, actor, (&feed, &relay), &mut f), f)))
                    .await?;
            f = back;
            match outcome {
                Outcome::Done(answer) => return answer,
                Outcome::Again(error) if attempt + 1 >= MAX_TRIES => return Err(error),
                Outcome::Again(_) => tokio::time::sleep(pause(attempt)).await,
            }
        }
        Err(Fault::new("a write was given up").into())
    }

    /// Tells other processes what they have not been told yet.
    pub(crate) async fn tell_others(&self) {
        self.relay.send().await;
    }

    /// Publishes what other processes commit, for as long as it is polled.
    pub(crate) async fn hear_others(&self) {
        self.relay.hear(&self.url, &self.feed).await;
    }

    async fn renew_lease(&self) -> Result<()> {
        let Some(lease) = self.shared.ids.lease_due(self.shared.clock.now()) else { return Ok(()) };
        let client = self.pool.get().await.map_err(|e| Error::fault("connecting to PostgreSQL", e))?;
        let stored = client
            .execute(
                "INSERT INTO meta (name, value) VALUES ('id_lease', $1)
                 ON CONFLICT (name) DO UPDATE SET value = GREATEST(meta.value, excluded.value)",
                &[&lease],
            )
            .await;
        // Before the first migration there is no such table, and no id is made either.
        if stored.is_ok() {
            self.shared.ids.leased(lease);
        }
        Ok(())
    }
}

enum Outcome<R> {
    Done(Result<R>),
    Again(Error),
}

fn attempt_write<R>(
    session: PgSession,
    shared: Arc<Shared>,
    actor: Actor,
    (feed, relay): (&Feed, &Arc<Relay>),
    f: &mut impl FnMut(&mut Tx) -> Result<R>,
) -> Outcome<R> {
    if let Err(error) = session.batch("BEGIN ISOLATION LEVEL READ COMMITTED") {
        return Outcome::Done(Err(error));
    }
    let snapshot = Snapshot { connection: Connection::Postgres(session), shared };
    let mut tx = Tx { snapshot, actor, effects: Effects::default() };
    let answer = catch_unwind(AssertUnwindSafe(|| f(&mut tx)))
        .unwrap_or_else(|_| Err(Fault::new("a transaction panicked").into()));
    let effects = std::mem::take(&mut tx.effects);
    match answer {
        Ok(value) => match commit(tx.snapshot) {
            Ok(()) => {
                feed.publish(&effects.changes);
                if !effects.changes.is_empty() {
                    relay.keep(&effects.changes);
                    let relay = relay.clone();
                    Handle::current().spawn(async move { relay.send().await });
                }
                Outcome::Done(Ok(value))
            }
            Err((error, true)) => Outcome::Again(error),
            Err((error, false)) => Outcome::Done(Err(error)),
        },
        Err(Error::Fault(fault)) => {
            let again = matches!(&tx.snapshot.connection, Connection::Postgres(s) if s.may_retry());
            let _ = end(tx.snapshot, "ROLLBACK");
            if again { Outcome::Again(Error::Fault(fault)) } else { Outcome::Done(Err(Error::Fault(fault))) }
        }
        Err(refused) => Outcome::Done(end(tx.snapshot, "ROLLBACK").and(Err(refused))),
    }
}

fn commit(snapshot: Snapshot) -> Result<(), (Error, bool)> {
    let Connection::Postgres(session) = snapshot.connection else { return Ok(()) };
    session.batch("COMMIT").map_err(|error| {
        let again = session.may_retry();
        (error, again)
    })
}

/// Ends the transaction; a connection that cannot even do that is not given back.
fn end(snapshot: Snapshot, word: &str) -> Result<()> {
    let Connection::Postgres(session) = snapshot.connection else { return Ok(()) };
    let ended = session.batch(word);
    if ended.is_err() {
        drop(Object::take(session.client));
    }
    ended
}

fn pause(attempt: u32) -> Duration {
    let spread = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| u64::from(now.subsec_nanos() % 1000));
    Duration::from_micros((2_000 << attempt.min(6)) * (500 + spread) / 1000)
}

pub(crate) async fn on_thread<R: Send + 'static>(
    f: impl FnOnce() -> Result<R> + Send + 'static,
) -> Result<R> {
    tokio::task::spawn_blocking(f).await.map_err(|e| Error::fault("running on a blocking thread", e))?
}

/// Reads the id lease found in the database; none on a new one.
pub(crate) fn stored_lease(snapshot: &Snapshot) -> Result<Option<i64>> {
    snapshot.query_opt("SELECT value FROM meta WHERE name = 'id_lease'", &params![], |r| r.i64(0))
}
