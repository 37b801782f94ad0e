//! The ground: transactions, blobs, the change feed and the audit chain, the four that commit together.
//!
//! One SQL text runs on SQLite (embedded) and PostgreSQL (many nodes). A write is a synchronous closure
//! over [`Tx`]; a read is a closure over [`Snapshot`]. On SQLite one writer thread runs many queued closures
//! in one transaction, each in its savepoint, and commits once: group commit.
//!
//! INVARIANT: the future of [`Db::write`] resolves to `Ok` only after the commit is on disk
//! (test: `crates/congvu/tests`, the trace and crash tests).
//! INVARIANT: a change is published to the [`Feed`] only after its commit.
//! INVARIANT: a blob that a commit names is not collected (test: `the_collector_spares_what_a_commit_is_about_to_name`).
//! INVARIANT: bytes read from a blob are verified against their hash (test: `a_damaged_blob_is_never_content`).

mod audit;
mod audit_check;
mod blob;
mod collector;
mod db;
mod dialect;
mod feed;
mod health;
mod ids;
mod lease;
mod local_blobs;
mod migrate;
mod postgres;
mod relay;
mod search;
mod snapshot;
mod sqlite;
mod value;

pub use audit::{AuditRow, Chain, Event, audit_rows};
pub use audit_check::{Anchor, AuditVerdict, anchor_audit, verify_audit};
pub use blob::{BlobHash, BlobStore, MAX_INLINE_BYTES, PreparedBlob};
pub use collector::{BlobReference, Collected};
pub use db::{Actor, DatabaseUrl, Db, OpenOptions};
pub use feed::{AllNews, Changed, Feed, News};
pub use ids::Node;
pub use local_blobs::LocalBlobs;
pub use migrate::MigrationSet;
pub use search::{Answer, Ask, Batch, Document, Fields, Hit, Place, Query, SearchIndex};
pub use snapshot::{Snapshot, Tx};
pub use value::{Row, Value};
