//! What a closure works with: [`Snapshot`] to read one consistent view, [`Tx`] to change it.

use crate::{
    Chain, Event, audit,
    blob::{BlobHash, BlobStore, Bytes, PreparedBlob, unpack},
    db::Actor,
    dialect::{Dialect, statement},
    health::Health,
    ids::IdMaker,
    params,
    postgres::PgSession,
    value::{Row, Source, Value},
};
use congvu_types::{AccountId, Clock, Error, Fault, ModSeq, Result, Timestamp};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// What every connection of one database shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: IdMaker,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) health: Health,
}

/// A connection of either engine.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<PgSession>),
}

/// One consistent view of the database, to read from.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) connection: Connection,
    pub(crate) shared: Arc<Shared>,
}

impl Snapshot {
    /// Returns the present instant by the injected clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Runs a query and maps each row. Bound what it returns with `LIMIT`.
    pub fn query<T>(
        &self,
        sql: &'static str,
        values: &[Value],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(map(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Runs a query and hands each row to `visit` until it answers `false`.
    pub fn each(
        &self,
        sql: &'static str,
        values: &[Value],
        mut visit: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        match &self.connection {
            Connection::Sqlite(connection) => {
                let mut prepared = connection.prepare_cached(sql).map_err(|e| self.sql_fault(sql, e))?;
                let mut rows =
                    prepared.query(rusqlite::params_from_iter(values)).map_err(|e| self.sql_fault(sql, e))?;
                while let Some(row) = rows.next().map_err(|e| self.sql_fault(sql, e))? {
                    if !visit(&Row(Source::Sqlite(row)))? {
                        break;
                    }
                }
                Ok(())
            }
            Connection::Postgres(session) => {
                for row in session.query(&statement(Dialect::Postgres, sql), values)? {
                    if !visit(&Row(Source::Postgres(&row)))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    pub(crate) fn sql_fault(&self, sql: &str, error: rusqlite::Error) -> Error {
        self.shared.health.note(&error);
        Error::fault(format!("running {sql:?}"), error)
    }

    /// Runs a statement without values, such as the bounds of a transaction.
    pub(crate) fn word(&self, sql: &'static str) -> Result<()> {
        let Connection::Sqlite(connection) = &self.connection else { return Ok(()) };
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(|e| self.sql_fault(sql, e))
    }

    /// Runs a query that gives at most one row.
    pub fn query_opt<T>(
        &self,
        sql: &'static str,
        values: &[Value],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut map = Some(map);
        let mut found = None;
        self.each(sql, values, |row| {
            if let Some(map) = map.take() {
                found = Some(map(row)?);
            }
            // Read on: a statement with RETURNING is done only when all of it was read.
            Ok(true)
        })?;
        Ok(found)
    }

    /// Runs a query that gives exactly one row; none is a fault.
    pub fn query_one<T>(
        &self,
        sql: &'static str,
        values: &[Value],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.query_opt(sql, values, map)?.ok_or_else(|| Error::fault(format!("running {sql:?}"), "no row"))
    }

    /// Returns a blob's plain bytes, verified against its hash.
    pub fn blob(&self, hash: &BlobHash) -> Result<Vec<u8>> {
        let found = self.query_opt(
            "SELECT size, packed FROM blob WHERE hash = ?1",
            &params![hash.as_bytes()],
            |row| {
                let size = usize::try_from(row.i64(0)?).unwrap_or(0);
                row.with_bytes(1, |packed| match packed {
                    [] => Ok((size, None)),
                    packed => unpack(*hash, size, packed).map(|plain| (size, Some(plain))),
                })
            },
        )?;
        match found {
            None => Err(Error::fault("reading a blob", format!("there is no blob {hash:?}"))),
            Some((_, Some(plain))) => Ok(plain),
            Some((size, None)) => unpack(*hash, size, &self.shared.blobs.get(*hash)?),
        }
    }
}

/// What a closure did besides its rows, acted upon after the commit.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) changes: Vec<(AccountId, ModSeq)>,
    pub(crate) blob_bytes: usize,
    /// Put or kept already: many recipients of one message are one write.
    pub(crate) blobs: Vec<BlobHash>,
}

/// A transaction that writes: everything done through it commits together or not at all.
#[derive(Debug)]
pub struct Tx {
    pub(crate) snapshot: Snapshot,
    pub(crate) actor: Actor,
    pub(crate) effects: Effects,
}

impl Deref for Tx {
    type Target = Snapshot;
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }
}

impl Tx {
    /// Runs a statement and returns how many rows it changed.
    ///
    /// A statement that fails leaves the transaction unusable on PostgreSQL: never go on after an error.
    pub fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64> {
        match &self.snapshot.connection {
            Connection::Sqlite(connection) => {
                if connection.is_autocommit() {
                    // SQLite has rolled it back itself, as on a full disk: what followed would stand alone.
                    return Err(Fault::new("the transaction is no more").into());
                }
                let mut prepared = connection.prepare_cached(sql).map_err(|e| self.sql_fault(sql, e))?;
                let changed = prepared
                    .execute(rusqlite::params_from_iter(values))
                    .map_err(|e| self.sql_fault(sql, e))?;
                Ok(changed as u64)
            }
            Connection::Postgres(session) => session.execute(&statement(Dialect::Postgres, sql), values),
        }
    }

    pub(crate) fn has_table(&self, name: &str) -> Result<bool> {
        let sql = match &self.snapshot.connection {
            Connection::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
            Connection::Postgres(_) => {
                "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?1"
            }
        };
        Ok(self.query_opt(sql, &params![name], |_| Ok(()))?.is_some())
    }

    /// Returns who acts.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Makes a new id, greater than every id made before on this node.
    pub fn new_id(&self) -> i64 {
        self.snapshot.shared.ids.next(self.now())
    }

    /// Writes an event to an audit chain, in this commit.
    pub fn record(&mut self, chain: Chain, event: &Event<'_>) -> Result<()> {
        audit::record(self, chain, event)
    }

    /// Notes that `account` changed up to `modseq`; published to the feed after the commit.
    pub fn changed(&mut self, account: AccountId, modseq: ModSeq) {
        self.effects.changes.push((account, modseq));
    }

    /// Stores a blob's row, and the bytes too when they are small or were not staged ([`crate::Db::stage_blob`]): what is
    /// large should be, before the transaction. One instance however often it is put.
    pub fn put_blob(&mut self, blob: &PreparedBlob) -> Result<()> {
        if matches!(blob.bytes, Bytes::Stored) {
            // Never a row without bytes: it would be acknowledged, and unreadable for ever.
            return self.keep_blob(&blob.hash);
        }
        if self.effects.blobs.contains(&blob.hash) {
            return Ok(());
        }
        let now = self.now();
        let packed = blob.inline();
        self.effects.blob_bytes += packed.map_or(0, <[u8]>::len);
        self.execute(
            "INSERT INTO blob (hash, size, packed, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (hash) DO UPDATE SET created_at = excluded.created_at",
            &params![blob.hash.as_bytes(), blob.plain_len, packed, now],
        )?;
        self.effects.blobs.push(blob.hash);
        Ok(())
    }

    /// Keeps a blob from the collector for a row that will name it without putting it, such as a copy of another row. One
    /// that was collected is a fault.
    pub fn keep_blob(&mut self, hash: &BlobHash) -> Result<()> {
        if self.effects.blobs.contains(hash) {
            return Ok(());
        }
        let now = self.now();
        match self
            .execute("UPDATE blob SET created_at = ?2 WHERE hash = ?1", &params![hash.as_bytes(), now])?
        {
            0 => Err(Error::fault("keeping a blob", format!("there is no blob {hash:?}"))),
            _ => {
                self.effects.blobs.push(*hash);
                Ok(())
            }
        }
    }
}
