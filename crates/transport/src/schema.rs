//! The tables of transport.

use congvu_storage::{BlobReference, MigrationSet};

/// The tables of transport: queue_message, queue_group, queue_recipient, fanout_job, fanout_recipient, captured, dkim_key,
/// outgoing_state, outgoing_gone, submission, submission_recipient, identity, vacation, vacation_job, vacation_sent, correspondent.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    owner: "transport",
    steps: &["
        CREATE TABLE queue_message (id BIGINT NOT NULL PRIMARY KEY, account_id BIGINT, review_id BIGINT,
            mail_from TEXT NOT NULL, ret TEXT NOT NULL, envid TEXT, blob_hash BYTEA NOT NULL, size BIGINT NOT NULL,
            subject TEXT NOT NULL, queued_at BIGINT NOT NULL, submission_id BIGINT);
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
            answer TEXT NOT NULL, sender_id BIGINT, submission_id BIGINT);
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
        CREATE TABLE outgoing_state (account_id BIGINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL,
            submission_modseq BIGINT NOT NULL, identity_modseq BIGINT NOT NULL, vacation_modseq BIGINT NOT NULL,
            forgotten BIGINT NOT NULL);
        CREATE TABLE outgoing_gone (account_id BIGINT NOT NULL, kind TEXT NOT NULL, modseq BIGINT NOT NULL,
            id BIGINT NOT NULL, created_modseq BIGINT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (account_id, kind, modseq)) WITHOUT ROWID;
        CREATE INDEX outgoing_gone_at ON outgoing_gone (at);
        CREATE TABLE submission (account_id BIGINT NOT NULL, id BIGINT NOT NULL, person_id BIGINT NOT NULL,
            scope_id BIGINT, device_id BIGINT, email_id BIGINT NOT NULL, thread_id BIGINT NOT NULL,
            identity_id BIGINT NOT NULL, envelope TEXT NOT NULL, hold TEXT NOT NULL, blob_hash BYTEA NOT NULL,
            subject TEXT NOT NULL, send_at BIGINT NOT NULL, state TEXT NOT NULL, review_id BIGINT, due_at BIGINT,
            attempts BIGINT NOT NULL, version BIGINT NOT NULL, hidden BIGINT NOT NULL, reason TEXT,
            created_at BIGINT NOT NULL, closed_at BIGINT, created_modseq BIGINT NOT NULL, modseq BIGINT NOT NULL,
            PRIMARY KEY (account_id, id)) WITHOUT ROWID;
        CREATE UNIQUE INDEX submission_modseq ON submission (account_id, modseq);
        CREATE UNIQUE INDEX submission_created ON submission (account_id, created_modseq);
        CREATE INDEX submission_time ON submission (account_id, send_at, id);
        CREATE INDEX submission_due ON submission (due_at);
        CREATE INDEX submission_closed ON submission (closed_at);
        CREATE INDEX submission_blob ON submission (blob_hash);
        CREATE TABLE submission_recipient (account_id BIGINT NOT NULL, submission_id BIGINT NOT NULL,
            address_key TEXT NOT NULL, address TEXT NOT NULL, delivered TEXT NOT NULL, reply TEXT NOT NULL,
            PRIMARY KEY (account_id, submission_id, address_key)) WITHOUT ROWID;
        CREATE TABLE identity (account_id BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL,
            reply_to TEXT NOT NULL, bcc TEXT NOT NULL, text_signature TEXT NOT NULL, html_signature TEXT NOT NULL,
            created_modseq BIGINT NOT NULL, modseq BIGINT NOT NULL, PRIMARY KEY (account_id, id)) WITHOUT ROWID;
        CREATE TABLE vacation (account_id BIGINT NOT NULL PRIMARY KEY, enabled BIGINT NOT NULL, from_at BIGINT,
            to_at BIGINT, subject TEXT, text_body TEXT, html_body TEXT, person_id BIGINT NOT NULL);
        CREATE TABLE vacation_job (id BIGINT NOT NULL PRIMARY KEY, account_id BIGINT NOT NULL, sender TEXT NOT NULL,
            blob_hash BYTEA NOT NULL, arrived_at BIGINT NOT NULL);
        CREATE INDEX vacation_job_blob ON vacation_job (blob_hash);
        CREATE TABLE vacation_sent (account_id BIGINT NOT NULL, address_key TEXT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (account_id, address_key)) WITHOUT ROWID;
        CREATE INDEX vacation_sent_at ON vacation_sent (at);
        CREATE TABLE correspondent (account_id BIGINT NOT NULL, address_key TEXT NOT NULL, address TEXT NOT NULL,
            name TEXT NOT NULL, times BIGINT NOT NULL, last_at BIGINT NOT NULL,
            PRIMARY KEY (account_id, address_key)) WITHOUT ROWID;
        CREATE INDEX correspondent_last ON correspondent (account_id, last_at);
    "],
};

/// Which rows of this crate name blobs.
pub const BLOB_REFERENCES: &[BlobReference] = &[
    BlobReference("SELECT 1 FROM queue_message WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM fanout_job WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM submission WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM vacation_job WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM captured WHERE blob_hash = ?1 LIMIT 1"),
];
