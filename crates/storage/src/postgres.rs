//! The PostgreSQL engine: a pooled connection a closure, on a blocking thread; serialization failures retried.

use crate::{
    Value,
    db::Actor,
    feed::Feed,
    lease,
    relay::Relay,
    snapshot::{Connection, Effects, Shared, Snapshot, Tx},
};
use congvu_types::{AccountId, Error, Fault, ModSeq, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::OnceCell};
use tokio_postgres::{Config, NoTls, Statement, types::ToSql};

const MAX_TRIES: u32 = 12;
/// A transaction whose COMMIT was cut off is asked after for this long.
const ASK_FOR: Duration = Duration::from_secs(30);

/// What a connection is told at its beginning. A lost client or a lost node holds nothing up for ever; nobody weakens what
/// "committed" means.
const TIMEOUTS: &str =
    "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s";
const DURABLE: &str = "-c synchronous_commit=on";

/// Reads a database URL and adds what every connection needs.
fn configuration(url: &str) -> Result<Config> {
    let mut config: Config = url.parse().map_err(|e| Error::fault("reading the database URL", e))?;
    let given = config.get_options().unwrap_or_default().to_owned();
    config
        .options(format!("{TIMEOUTS} {given} {DURABLE}"))
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(30));
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    Ok(config)
}

/// One connection while a closure uses it.
#[derive(Debug)]
pub(crate) struct PgSession {
    client: Object,
    runtime: Handle,
    /// Whether it is a transaction that writes.
    is_writing: bool,
    /// The transaction's number, known since its first statement that writes.
    number: Mutex<Option<String>>,
    /// How the first statement that failed did.
    failed: Mutex<Option<Failed>>,
}

/// How a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failed {
    /// The server said so; its SQLSTATE.
    Refused(String),
    /// The connection is gone.
    Lost,
}

impl Failed {
    fn of(error: &tokio_postgres::Error) -> Self {
        match error.code().map(|c| c.code().to_owned()) {
            // The server shuts down, or did.
            Some(code) if matches!(&*code, "57P01" | "57P02" | "57P03") => Self::Lost,
            Some(code) => Self::Refused(code),
            None => Self::Lost,
        }
    }

    /// Serialization failure, deadlock, lock not available; a unique violation is two writers at once; a connection that was
    /// lost took its transaction along.
    fn may_retry(&self) -> bool {
        match self {
            Self::Lost => true,
            Self::Refused(code) => matches!(&**code, "40001" | "40P01" | "55P03" | "23505"),
        }
    }

    /// Whether it is certain that a COMMIT that failed so did not commit: its transaction was rolled back (class 40) or broke
    /// a constraint (class 23).
    fn is_rolled_back(&self) -> bool {
        matches!(self, Self::Refused(code) if code.starts_with("40") || code.starts_with("23"))
    }
}

impl PgSession {
    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<tokio_postgres::Row>> {
        let bound: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        let asks = self.asks_number(sql);
        self.run(sql, async {
            let statement = self.client.prepare_cached(sql).await?;
            let number = self.number_statement(asks).await?;
            let (asked, rows) =
                tokio::join!(self.ask_number(number.as_ref()), self.client.query(&statement, &bound));
            asked.and(rows)
        })
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64> {
        let bound: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        let asks = self.asks_number(sql);
        self.run(sql, async {
            let statement = self.client.prepare_cached(sql).await?;
            let number = self.number_statement(asks).await?;
            let (asked, changed) =
                tokio::join!(self.ask_number(number.as_ref()), self.client.execute(&statement, &bound));
            asked.and(changed)
        })
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.run(sql, self.client.batch_execute(sql))
    }

    fn run<T>(&self, sql: &str, what: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T> {
        self.runtime.block_on(what).map_err(|error| {
            self.failed.lock().get_or_insert_with(|| Failed::of(&error));
            Error::fault(format!("running {sql:?}"), error)
        })
    }

    fn asks_number(&self, sql: &str) -> bool {
        self.is_writing && !sql.trim_start().starts_with("SELECT") && self.number.lock().is_none()
    }

    /// Prepares asking for the transaction's number, before the statement that writes is on its way: else that one fails first,
    /// and preparing in a transaction that failed (25P02) hides why, and so whether trying again helps.
    async fn number_statement(&self, asks: bool) -> Result<Option<Statement>, tokio_postgres::Error> {
        match asks {
            true => self.client.prepare_cached("SELECT pg_current_xact_id()::text").await.map(Some),
            false => Ok(None),
        }
    }

    /// Asks for the transaction's number, in the same round trip as its first statement that writes and before it.
    async fn ask_number(&self, statement: Option<&Statement>) -> Result<(), tokio_postgres::Error> {
        if let Some(statement) = statement {
            let row = self.client.query_one(statement, &[]).await?;
            *self.number.lock() = Some(row.try_get(0)?);
        }
        Ok(())
    }

    fn failed(&self) -> Option<Failed> {
        self.failed.lock().clone()
    }
}

/// A connection that is told to begin a transaction. Given up half-way, as when the caller is cancelled, it does not go back
/// to the pool: the next to use it would find itself in a transaction of somebody else's.
struct Beginning(Option<Object>);

impl Beginning {
    async fn begin(mut self, words: &str) -> Result<Option<Object>, tokio_postgres::Error> {
        if let Some(client) = &self.0 {
            client.batch_execute(words).await?;
        }
        Ok(self.0.take())
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// The PostgreSQL engine's handle.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    shared: Arc<Shared>,
    told: Told,
    renewing: tokio::sync::Mutex<()>,
    /// Whether the tables of the search index are there.
    pub(crate) search_made: OnceCell<()>,
}

/// Who is told of a commit.
#[derive(Debug, Clone)]
struct Told {
    feed: Arc<Feed>,
    relay: Arc<Relay>,
}

impl Told {
    /// Publishes changes here and, soon, to the other processes.
    fn publish(&self, changes: &[(AccountId, ModSeq)]) {
        self.feed.publish(changes);
        if !changes.is_empty() {
            self.relay.keep(changes);
            let relay = self.relay.clone();
            Handle::current().spawn(async move { relay.send().await });
        }
    }
}

impl Postgres {
    pub(crate) fn open(url: &str, shared: Arc<Shared>, feed: Arc<Feed>) -> Result<Self> {
        let config = configuration(url)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let patience = Some(Duration::from_secs(10));
        let pool = Pool::builder(Manager::from_config(config.clone(), NoTls, recycling))
            .max_size(16)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: patience, create: patience, recycle: patience })
            .build()
            .map_err(|e| Error::fault("making the connection pool", e))?;
        let told = Told { feed, relay: Arc::new(Relay::new(pool.clone(), config)) };
        Ok(Self { pool, shared, told, renewing: tokio::sync::Mutex::default(), search_made: OnceCell::new() })
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(|e| Error::fault("connecting to PostgreSQL", e))
    }

    /// Begins a transaction; a connection that was lost while nobody used it is passed over.
    async fn begin(&self, words: &'static str, is_writing: bool) -> Result<PgSession> {
        for attempt in 0.. {
            let beginning = Beginning(Some(self.connection().await?));
            match beginning.begin(words).await {
                Ok(None) => break,
                Ok(Some(client)) => {
                    let (number, failed) = (Mutex::new(None), Mutex::new(None));
                    return Ok(PgSession { client, runtime: Handle::current(), is_writing, number, failed });
                }
                Err(error) => {
                    let again = Failed::of(&error) == Failed::Lost && attempt < MAX_TRIES;
                    if !again {
                        return Err(Error::fault("beginning a transaction", error));
                    }
                    // Those that lay in the pool are all lost at once: the next may be a new one.
                    if attempt > 0 {
                        tokio::time::sleep(pause(attempt)).await;
                    }
                }
            }
        }
        Err(Fault::new("a transaction was not begun").into())
    }

    pub(crate) async fn read<R: Send + 'static>(
        &self,
        f: impl FnOnce(&Snapshot) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let session = self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", false).await?;
        let shared = self.shared.clone();
        on_thread(move || {
            let snapshot = Snapshot { connection: Connection::Postgres(Box::new(session)), shared };
            let answer = catch_unwind(AssertUnwindSafe(|| f(&snapshot)))
                .unwrap_or_else(|_| Err(Fault::new("a read panicked").into()));
            end(snapshot, "ROLLBACK").and(answer)
        })
        .await
    }

    pub(crate) async fn write<R: Send + 'static>(
        &self,
        actor: Actor,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.renew_lease().await?;
        self.write_leased(actor, f).await
    }

    async fn write_leased<R: Send + 'static>(
        &self,
        actor: Actor,
        mut f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        for attempt in 0.. {
            let session = self.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", true).await?;
            let (shared, actor, told) = (self.shared.clone(), actor.clone(), self.told.clone());
            let (outcome, back) =
                on_thread(move || Ok((attempt_write(session, shared, actor, &told, &mut f), f))).await?;
            f = back;
            let again = match outcome {
                Outcome::Done(answer) => return answer,
                Outcome::Again(error) => error,
                Outcome::InDoubt(number, value, error) => match self.has_committed(&number).await? {
                    true => return Ok(value),
                    false => error,
                },
            };
            if attempt + 1 >= MAX_TRIES {
                return Err(again);
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(Fault::new("a write was given up").into())
    }

    /// Asks, over a new connection, whether a transaction committed whose COMMIT was cut off.
    async fn has_committed(&self, number: &str) -> Result<bool> {
        let until = Instant::now() + ASK_FOR;
        loop {
            match self.status(number).await {
                Ok(Some(status)) if status == "committed" => return Ok(true),
                Ok(Some(status)) if status == "aborted" => return Ok(false),
                Ok(None) => return Err(Fault::new("PostgreSQL forgot a transaction in doubt").into()),
                Ok(Some(_)) if Instant::now() > until => {
                    return Err(Fault::new("a transaction in doubt does not end").into());
                }
                Err(error) if Instant::now() > until => return Err(error),
                Ok(Some(_)) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn status(&self, number: &str) -> Result<Option<String>> {
        let fault = |e| Error::fault("asking after a transaction in doubt", e);
        let client = self.connection().await?;
        let row = client.query_one("SELECT pg_xact_status($1::text::xid8)", &[&number]).await;
        row.and_then(|row| row.try_get(0)).map_err(fault)
    }

    /// Tells other processes what they have not been told yet.
    pub(crate) async fn tell_others(&self) {
        self.told.relay.send().await;
    }

    /// Publishes what other processes commit, for as long as it is polled.
    pub(crate) async fn hear_others(&self) {
        self.told.relay.hear(&self.told.feed).await;
    }

    async fn renew_lease(&self) -> Result<()> {
        if !self.shared.ids.is_due(self.shared.clock.now()) {
            return Ok(());
        }
        let _turn = self.renewing.lock().await;
        if self.shared.ids.is_due(self.shared.clock.now())
            && let Some(lease) = self.write_leased(Actor::System("storage"), lease::renew).await?
        {
            self.shared.ids.leased(lease);
        }
        Ok(())
    }
}

enum Outcome<R> {
    Done(Result<R>),
    Again(Error),
    /// Nobody heard how the COMMIT of this transaction ended.
    InDoubt(String, R, Error),
}

fn attempt_write<R>(
    session: PgSession,
    shared: Arc<Shared>,
    actor: Actor,
    told: &Told,
    f: &mut impl FnMut(&mut Tx) -> Result<R>,
) -> Outcome<R> {
    let snapshot = Snapshot { connection: Connection::Postgres(Box::new(session)), shared };
    let mut tx = Tx { snapshot, actor, effects: Effects::default() };
    let answer = catch_unwind(AssertUnwindSafe(|| f(&mut tx)))
        .unwrap_or_else(|_| Err(Fault::new("a transaction panicked").into()));
    let effects = std::mem::take(&mut tx.effects);
    let Connection::Postgres(session) = &tx.snapshot.connection else {
        return Outcome::Done(answer);
    };
    let failed = session.failed();
    match answer {
        // PostgreSQL answers the COMMIT of a transaction in which a statement failed with success, and rolls it back.
        Ok(_) if failed.is_some() => {
            let _ = end(tx.snapshot, "ROLLBACK");
            let error = Fault::new("a statement failed, and the transaction went on as if it had not").into();
            retry_or_fail(failed.as_ref(), error)
        }
        Ok(value) => commit(tx.snapshot, value, told, &effects),
        Err(Error::Fault(fault)) => {
            let _ = end(tx.snapshot, "ROLLBACK");
            retry_or_fail(failed.as_ref(), Error::Fault(fault))
        }
        Err(refused) => Outcome::Done(end(tx.snapshot, "ROLLBACK").and(Err(refused))),
    }
}

fn retry_or_fail<R>(failed: Option<&Failed>, error: Error) -> Outcome<R> {
    if failed.is_some_and(Failed::may_retry) { Outcome::Again(error) } else { Outcome::Done(Err(error)) }
}

fn commit<R>(snapshot: Snapshot, value: R, told: &Told, effects: &Effects) -> Outcome<R> {
    let Connection::Postgres(session) = snapshot.connection else { return Outcome::Done(Ok(value)) };
    let Err(error) = session.batch("COMMIT") else {
        told.publish(&effects.changes);
        return Outcome::Done(Ok(value));
    };
    let (failed, number) = (session.failed(), session.number.lock().take());
    drop(Object::take(session.client));
    match (failed, number) {
        (Some(failed), _) if failed.is_rolled_back() => retry_or_fail(Some(&failed), error),
        // It wrote nothing, so nothing can have been committed.
        (_, None) => Outcome::Again(error),
        (_, Some(number)) => {
            tracing::warn!(%error, number, "the connection was lost during a commit; asking how it ended");
            // Watchers look once for nothing rather than miss it.
            told.publish(&effects.changes);
            Outcome::InDoubt(number, value, error)
        }
    }
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
