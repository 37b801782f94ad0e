//! Versioned schema: each crate owns its tables and the steps that make them.

use crate::{Tx, dialect, params, snapshot::Connection};
use congvu_types::{Error, Result};

/// The schema steps of one owner, applied in order, each once.
#[derive(Debug, Clone, Copy)]
pub struct MigrationSet {
    /// The crate that owns the tables, such as `mail`.
    pub owner: &'static str,
    /// Statements separated by `;`. A step that has been released is never edited, only followed by another.
    pub steps: &'static [&'static str],
}

/// The ground's own tables: blob, audit, audit_head, node. A blob's bytes stand last: what stands before them is read without
/// them.
pub(crate) const GROUND: MigrationSet = MigrationSet {
    owner: "storage",
    steps: &["
        CREATE TABLE blob (hash BYTEA NOT NULL PRIMARY KEY, size BIGINT NOT NULL, created_at BIGINT NOT NULL, packed BYTEA);
        CREATE TABLE audit_head (chain TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, hash BYTEA NOT NULL,
            anchored BIGINT NOT NULL) WITHOUT ROWID;
        CREATE INDEX audit_unanchored ON audit_head (chain) WHERE anchored < seq;
        CREATE TABLE audit (chain TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL,
            event TEXT NOT NULL, subject TEXT NOT NULL, citation TEXT NOT NULL, details TEXT NOT NULL,
            hash BYTEA NOT NULL, PRIMARY KEY (chain, seq)) WITHOUT ROWID;
        CREATE TABLE node (number BIGINT NOT NULL PRIMARY KEY, owner BIGINT NOT NULL, lease BIGINT NOT NULL);
    "],
};

/// Applies what is missing of `sets`. Returns how many steps were applied.
pub(crate) fn apply(tx: &mut Tx, sets: &[MigrationSet]) -> Result<u64> {
    if let Connection::Postgres(session) = &tx.snapshot.connection {
        // Of two nodes that are upgraded at once the second waits and finds nothing to do; a step may take its time.
        session.batch(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
             SELECT pg_advisory_xact_lock(hashtextextended('congvu.schema.' || current_schema(), 0))",
        )?;
    }
    run_schema(
        tx,
        "CREATE TABLE IF NOT EXISTS schema_version (owner TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL) WITHOUT ROWID",
    )?;
    let mut applied = 0;
    for set in sets {
        let have = tx
            .query_opt("SELECT version FROM schema_version WHERE owner = ?1", &params![set.owner], |r| {
                r.i64(0)
            })?
            .unwrap_or(0);
        let have = usize::try_from(have).unwrap_or(0);
        if have > set.steps.len() {
            return Err(Error::fault(
                "opening the database",
                format!("it was written by a newer Congvu ({}: {have} steps); use that version", set.owner),
            ));
        }
        for (index, step) in set.steps.iter().enumerate().skip(have) {
            run_schema(tx, step)?;
            tx.execute(
                "INSERT INTO schema_version (owner, version) VALUES (?1, ?2)
                 ON CONFLICT (owner) DO UPDATE SET version = excluded.version",
                &params![set.owner, index + 1],
            )?;
            applied += 1;
        }
    }
    Ok(applied)
}

fn run_schema(tx: &mut Tx, step: &str) -> Result<()> {
    match &tx.snapshot.connection {
        Connection::Sqlite(connection) => {
            for statement in dialect::schema(dialect::Dialect::Sqlite, step) {
                connection
                    .execute_batch(&statement)
                    .map_err(|e| Error::fault(format!("running {statement:?}"), e))?;
            }
            Ok(())
        }
        Connection::Postgres(session) => {
            for statement in dialect::schema(dialect::Dialect::Postgres, step) {
                session.batch(&statement)?;
            }
            Ok(())
        }
    }
}
