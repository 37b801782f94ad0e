//! The tables of mail. Every primary key begins with the account, so the schema shards and ranges by account.

use congvu_storage::{BlobReference, MigrationSet};

/// The store's tables: account_state, mailbox, subscription, email, conversation, placement, expunged, keyword, thread_key, email_read.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    owner: "mail",
    steps: &["
        CREATE TABLE account_state (account_id BIGINT NOT NULL PRIMARY KEY, modseq BIGINT NOT NULL,
            quota_used BIGINT NOT NULL, messages BIGINT NOT NULL, next_uidvalidity BIGINT NOT NULL,
            min_modseq BIGINT NOT NULL);
        CREATE TABLE mailbox (account_id BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
            uidvalidity BIGINT NOT NULL, uidnext BIGINT NOT NULL, highest_modseq BIGINT NOT NULL, total BIGINT NOT NULL,
            unseen BIGINT NOT NULL, size BIGINT NOT NULL, subscribed BIGINT NOT NULL, min_modseq BIGINT NOT NULL,
            created_modseq BIGINT NOT NULL, named_modseq BIGINT NOT NULL, threads BIGINT NOT NULL,
            unread_threads BIGINT NOT NULL, PRIMARY KEY (account_id, id)) WITHOUT ROWID;
        CREATE UNIQUE INDEX mailbox_name ON mailbox (account_id, name);
        CREATE UNIQUE INDEX mailbox_role ON mailbox (account_id, role) WHERE role <> '';
        CREATE TABLE subscription (account_id BIGINT NOT NULL, person_id BIGINT NOT NULL, mailbox_id BIGINT NOT NULL,
            subscribed BIGINT NOT NULL, PRIMARY KEY (account_id, person_id, mailbox_id)) WITHOUT ROWID;
        CREATE TABLE doomed_mailbox (account_id BIGINT NOT NULL, mailbox_id BIGINT NOT NULL,
            PRIMARY KEY (account_id, mailbox_id)) WITHOUT ROWID;
        CREATE TABLE mailbox_gone (account_id BIGINT NOT NULL, modseq BIGINT NOT NULL, mailbox_id BIGINT NOT NULL,
            lost_modseq BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (account_id, modseq, mailbox_id)) WITHOUT ROWID;
        CREATE TABLE email (account_id BIGINT NOT NULL, id BIGINT NOT NULL, blob_hash BYTEA NOT NULL, size BIGINT NOT NULL,
            received_at BIGINT NOT NULL, sent_at BIGINT, subject TEXT NOT NULL, sender TEXT NOT NULL, message_id TEXT,
            thread_id BIGINT NOT NULL, has_attachment BIGINT NOT NULL, preview TEXT NOT NULL, summary BYTEA NOT NULL,
            created_modseq BIGINT NOT NULL, mailbox_id BIGINT NOT NULL, uid BIGINT NOT NULL,
            PRIMARY KEY (account_id, id)) WITHOUT ROWID;
        CREATE INDEX email_list ON email (account_id, mailbox_id, received_at, id, thread_id, uid, has_attachment);
        CREATE INDEX email_thread ON email (account_id, thread_id, id);
        CREATE TABLE conversation (account_id BIGINT NOT NULL, mailbox_id BIGINT NOT NULL, thread_id BIGINT NOT NULL,
            emails BIGINT NOT NULL, unseen BIGINT NOT NULL,
            PRIMARY KEY (account_id, mailbox_id, thread_id)) WITHOUT ROWID;
        CREATE INDEX email_blob ON email (blob_hash, account_id);
        CREATE TABLE placement (account_id BIGINT NOT NULL, mailbox_id BIGINT NOT NULL, uid BIGINT NOT NULL,
            email_id BIGINT NOT NULL, flags BIGINT NOT NULL, modseq BIGINT NOT NULL,
            PRIMARY KEY (account_id, mailbox_id, uid)) WITHOUT ROWID;
        CREATE INDEX placement_modseq ON placement (account_id, mailbox_id, modseq);
        CREATE TABLE expunged (account_id BIGINT NOT NULL, mailbox_id BIGINT NOT NULL, modseq BIGINT NOT NULL,
            uid BIGINT NOT NULL, email_id BIGINT NOT NULL, thread_id BIGINT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (account_id, mailbox_id, modseq, uid)) WITHOUT ROWID;
        CREATE TABLE keyword (account_id BIGINT NOT NULL, bit BIGINT NOT NULL, name TEXT NOT NULL,
            PRIMARY KEY (account_id, bit)) WITHOUT ROWID;
        CREATE TABLE thread_key (account_id BIGINT NOT NULL, key BIGINT NOT NULL, thread_id BIGINT NOT NULL,
            at BIGINT NOT NULL, PRIMARY KEY (account_id, key)) WITHOUT ROWID;
        CREATE TABLE delivery_key (account_id BIGINT NOT NULL, key TEXT NOT NULL, mailbox_id BIGINT NOT NULL,
            uidvalidity BIGINT NOT NULL, uid BIGINT NOT NULL, email_id BIGINT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (account_id, key)) WITHOUT ROWID;
        CREATE TABLE email_read (account_id BIGINT NOT NULL, email_id BIGINT NOT NULL, person_id BIGINT NOT NULL,
            read_at BIGINT NOT NULL, PRIMARY KEY (account_id, email_id, person_id)) WITHOUT ROWID;
        CREATE TABLE upload (person_id BIGINT NOT NULL, account_id BIGINT NOT NULL, blob_hash BYTEA NOT NULL,
            size BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (person_id, account_id, blob_hash)) WITHOUT ROWID;
        CREATE INDEX upload_blob ON upload (blob_hash);
        CREATE INDEX upload_at ON upload (at);
    "],
};

/// Which rows of this crate name blobs.
pub const BLOB_REFERENCES: &[BlobReference] = &[
    BlobReference("SELECT 1 FROM email WHERE blob_hash = ?1 LIMIT 1"),
    BlobReference("SELECT 1 FROM upload WHERE blob_hash = ?1 LIMIT 1"),
];
