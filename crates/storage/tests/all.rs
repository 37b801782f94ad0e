//! The contract of the ground, run on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "all/audit.rs"]
mod audit;
#[path = "all/blobs.rs"]
mod blobs;
#[path = "all/disks.rs"]
mod disks;
#[path = "all/lost_commits.rs"]
mod lost_commits;
#[path = "all/search.rs"]
mod search;
#[path = "all/transactions.rs"]
mod transactions;

use congvu_storage::MigrationSet;

/// A table for the tests.
const THINGS: MigrationSet = MigrationSet {
    owner: "things",
    steps: &[
        "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, body BYTEA)",
        "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL) WITHOUT ROWID",
    ],
};

const TEST: congvu_storage::Actor = congvu_storage::Actor::System("test");
