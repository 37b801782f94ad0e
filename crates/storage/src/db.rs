//! The database handle: open, migrate, read, write.

use crate::{
    blob::{BlobHash, BlobStore, PreparedBlob},
    collector,
    feed::Feed,
    health::Health,
    ids::{IdMaker, Node},
    lease,
    local_blobs::LocalBlobs,
    migrate::{self, GROUND, MigrationSet},
    postgres::{Postgres, on_thread},
    search::{Engine as SearchEngine, Fts, SearchIndex},
    snapshot::{Shared, Snapshot, Tx},
    sqlite::{ClosureJob, Job, Sqlite},
};
use congvu_types::{Clock, Error, Fault, PersonId, Result};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Who acts: every write has one, and the audit shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A part of the server on its own, such as `smtp` or `queue`.
    System(&'static str),
    /// A person who signed in.
    Person(PersonId),
    /// An operator at the command line, by their system name.
    Operator(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(part) => write!(f, "system/{part}"),
            Self::Person(id) => write!(f, "person/{id}"),
            Self::Operator(name) => write!(f, "operator/{name}"),
        }
    }
}

/// Which engine, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite file, made when it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite:/path/main.db` or `postgres://…`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|p| !p.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err("a database is written sqlite:/path/main.db or postgres://user@host/name".to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Leaves a password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                write!(f, "postgres://…@{}", url.rsplit_once('@').map_or("", |(_, host)| host))
            }
        }
    }
}

/// What is needed to open a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Engine and place.
    pub database: DatabaseUrl,
    /// The directory of large blobs.
    pub blobs: PathBuf,
    /// Who this process is. Two servers on one database should differ.
    pub node: Node,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug)]
enum Engine {
    Sqlite(Arc<Sqlite>, Arc<Fts>),
    Postgres(Postgres),
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    feed: Arc<Feed>,
    shared: Arc<Shared>,
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db(Arc<Inner>);

impl Db {
    /// Opens the database and the blob directory.
    pub fn open(options: OpenOptions) -> Result<Self> {
        let blobs = Arc::new(LocalBlobs::open(&options.blobs)?);
        let (ids, health) = (IdMaker::new(options.node), Health::default());
        let shared = Arc::new(Shared { clock: options.clock, ids, blobs, health });
        let feed = Arc::new(Feed::default());
        let engine = match &options.database {
            DatabaseUrl::Sqlite(path) => {
                make_parent(path)?;
                let sqlite = Sqlite::open(path, shared.clone(), feed.clone())?;
                Engine::Sqlite(Arc::new(sqlite), Arc::new(Fts::beside(path)))
            }
            DatabaseUrl::Postgres(url) => {
                Engine::Postgres(Postgres::open(url, shared.clone(), feed.clone())?)
            }
        };
        Ok(Self(Arc::new(Inner { engine, feed, shared })))
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self, sets: &[&MigrationSet]) -> Result<u64> {
        let mut all = vec![GROUND];
        all.extend(sets.iter().map(|set| **set));
        self.write(Actor::System("storage"), move |tx| migrate::apply(tx, &all)).await
    }

    /// Gives this node's number back, for a process that is about to end: nothing is written after it.
    pub async fn give_number_back(&self) -> Result<()> {
        self.write(Actor::System("storage"), lease::give_back).await?;
        self.0.shared.ids.forget();
        Ok(())
    }

    /// Runs `f` in a transaction. Resolves to `Ok` only after the commit is on disk; an `Err` of `f` undoes
    /// what it did. `f` may run more than once (PostgreSQL): it must have no effect but through its `Tx`.
    pub async fn write<R: Send + 'static>(
        &self,
        actor: Actor,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.submit(actor, f, false).await
    }

    /// Like [`Db::write`], in the lane that gives way to interactive work. At most some 500 rows a call.
    pub async fn write_bulk<R: Send + 'static>(
        &self,
        actor: Actor,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.submit(actor, f, true).await
    }

    async fn submit<R: Send + 'static>(
        &self,
        actor: Actor,
        f: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
        bulk: bool,
    ) -> Result<R> {
        let sqlite = match &self.0.engine {
            Engine::Postgres(postgres) => return postgres.write(actor, f).await,
            Engine::Sqlite(sqlite, _) => sqlite,
        };
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(ClosureJob { closure: f, actor: Some(actor), result: None, reply });
        let lane = if bulk { &sqlite.bulk } else { &sqlite.interactive };
        if let Err(full) = lane.try_send(job) {
            let (lane, job) = (lane.clone(), full.into_inner());
            let sent = on_thread(move || Ok(lane.send(job).is_ok())).await?;
            if !sent {
                return Err(Fault::new("the writer thread has ended").into());
            }
        }
        answer.await.map_err(|e| Error::fault("waiting for the commit", e))?
    }

    /// Runs `f` over one consistent view, on a blocking thread: for reads of any size.
    pub async fn read<R: Send + 'static>(
        &self,
        f: impl FnOnce(&Snapshot) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        match &self.0.engine {
            Engine::Postgres(postgres) => postgres.read(f).await,
            Engine::Sqlite(sqlite, _) => {
                let permit = sqlite
                    .permits()
                    .acquire_owned()
                    .await
                    .map_err(|e| Error::fault("waiting for a reader", e))?;
                let sqlite = sqlite.clone();
                on_thread(move || {
                    let answer = sqlite.read_now(f);
                    drop(permit);
                    answer
                })
                .await
            }
        }
    }

    /// Like [`Db::read`] for a lookup of a few rows: on SQLite it runs at once on the calling thread.
    pub async fn read_quick<R: Send + 'static>(
        &self,
        f: impl FnOnce(&Snapshot) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        match &self.0.engine {
            Engine::Postgres(postgres) => postgres.read(f).await,
            Engine::Sqlite(sqlite, _) => sqlite.read_here(f).await,
        }
    }

    /// Returns a blob's plain bytes, verified.
    pub async fn read_blob(&self, hash: &BlobHash) -> Result<Vec<u8>> {
        let hash = *hash;
        self.read_quick(move |snapshot| snapshot.blob(&hash)).await
    }

    /// Writes a large blob to the blob store and syncs it; does nothing for a small one. To be done before the transaction
    /// that puts the blob, which takes the bytes along otherwise.
    pub async fn stage_blob(&self, blob: &PreparedBlob) -> Result<()> {
        let Some((packed, staged)) = blob.to_stage() else { return Ok(()) };
        let (store, hash, packed) = (self.0.shared.blobs.clone(), blob.hash(), packed.clone());
        on_thread(move || store.put(hash, &packed)).await?;
        staged.done();
        Ok(())
    }

    /// Returns the change feed.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// Publishes in the feed what other processes on the same database commit, for as long as it is polled. On SQLite the
    /// writer thread sees that by itself, and this returns at once.
    pub async fn hear_others(&self) {
        if let Engine::Postgres(postgres) = &self.0.engine {
            postgres.hear_others().await;
        }
    }

    /// Waits until other processes were told of every commit; for a process that is about to end.
    pub async fn tell_others(&self) {
        if let Engine::Postgres(postgres) = &self.0.engine {
            postgres.tell_others().await;
        }
    }

    /// Returns the full-text index of this database.
    #[must_use]
    pub fn search_index(&self) -> SearchIndex {
        SearchIndex::of(self.clone())
    }

    pub(crate) fn search_engine(&self) -> SearchEngine<'_> {
        match &self.0.engine {
            Engine::Sqlite(_, fts) => SearchEngine::Fts(fts),
            Engine::Postgres(postgres) => SearchEngine::Postgres(postgres),
        }
    }

    /// Returns a number that tells this process from others.
    pub(crate) fn process(&self) -> i64 {
        self.0.shared.ids.owner
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.shared.clock
    }

    /// Returns whether database and blob store can be reached.
    pub async fn check(&self) -> Result<()> {
        self.read(|snapshot| snapshot.query_one("SELECT COUNT(*) FROM schema_version", &[], |r| r.i64(0)))
            .await?;
        let store = self.0.shared.blobs.clone();
        on_thread(move || store.check()).await
    }

    /// Removes blobs that no row names and that are older than `grace_seconds`, in small batches.
    pub async fn collect_blobs(
        &self,
        references: &'static [crate::BlobReference],
        grace_seconds: u64,
    ) -> Result<crate::Collected> {
        collector::collect(self, self.0.shared.blobs.clone(), references, grace_seconds).await
    }
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent)
            .map_err(|e| Error::fault(format!("making {}", parent.display()), e)),
        _ => Ok(()),
    }
}

/// The blob store as a shared object.
pub(crate) type SharedBlobs = Arc<dyn BlobStore>;
