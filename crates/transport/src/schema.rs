//! The tables of transport.

use congvu_storage::{BlobReference, MigrationSet};

/// The tables of transport: queue_message, queue_group, queue_recipient, fanout_job, fanout_recipient, captured, dkim_key.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    owner: "transport",
    steps: &["
        CREATE TABLE queue_message (id BIGINT NOT NULL PRIMARY KEY, account_id BIGINT, review_id BIGINT,
            mail_from TEXT NOT NULL, ret TEXT NOT NULL, envid TEXT, blob_hash BYTEA NOT NULL, size BIGINT NOT NULL,
            subject TEXT NOT NULL, queued_at BIGINT NOT NULL);
        CREATE INDEX queue_message_blob ON queue_message (blob_hash);
        CREATE TABLE queue_group (id BIGINT NOT NULL PRIMARY KEY, message_id BIGINT NOT NULL, domain TEXT NOT NULL,
            next_at BIGINT NOT NULL, attempts BIGINT NOT NULL, delay_told BIGINT NOT NULL, lease_owner BIGINT NOT NULL,
            lease_until BIGINT NOT NULL, fence BIGINT NOT NULL);
        CREATE INDEX queue_group_due ON queue_group (next_at);
        CREATE INDEX queue_group_message ON queue_group (message_id);
        CREATE TABLE queue_recipient (group_id BIGINT NOT NULL, id BIGINT NOT NULL, address TEXT NOT NULL,
            notify BIGINT NOT NULL, orcpt TEXT, status TEXT NOT NULL, answer TEXT NOT NULL, remote TEXT NOT NULL,
            PRIMARY KEY (group_id, id)) WITHOUT ROWID;
        CREATE TABLE fanout_job (id BIGINT NOT NULL PRIMARY KEY, key TEXT NOT NULL, folder TEXT NOT NULL,
            mail_from TEXT NOT NULL, ret TEXT NOT NULL, envid TEXT, blob_hash BYTEA NOT NULL, version BIGINT NOT NULL,
            created_at BIGINT NOT NULL, attempts BIGINT NOT NULL, next_at BIGINT NOT NULL,
            answer TEXT NOT NULL);
        CREATE INDEX fanout_job_due ON fanout_job (next_at);
        CREATE INDEX fanout_job_blob ON fanout_job (blob_hash);
        CREATE TABLE fanout_recipient (job_id BIGINT NOT NULL, account_id BIGINT NOT NULL, address TEXT NOT NULL,
            notify BIGINT NOT NULL, orcpt TEXT, is_apart BIGINT NOT NULL, PRIMARY KEY (job_id, account_id)) WITHOUT ROWID;
        CREATE TABLE captured (id BIGINT NOT NULL PRIMARY KEY, mail_from TEXT NOT NULL, recipients TEXT NOT NULL,
            subject TEXT NOT NULL, blob_hash BYTEA NOT NULL, size BIGINT NOT NULL, at BIGINT NOT NULL);
        CREATE INDEX captured_blob ON captured (blob_hash);
        CREATE TABLE dkim_key (domain TEXT NOT NULL, selector TEXT NOT NULL, algorithm TEXT NOT NULL,
            private_key BYTEA NOT NULL, public_key BYTEA NOT NULL, created_at BIGINT NOT NULL, active BIGINT NOT NULL,
            PRIMARY KEY (domain, selector)) WITHOUT ROWID;
    "],
};

/// Which rows of this crate name blobs.
pub const BLOB_REFERENCES: &[BlobReference] = &[
    BlobReference("SELECT 1 FROM queue_message WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM fanout_job WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM captured WHERE blob_hash = ?1 LIMIT 1"),
];
