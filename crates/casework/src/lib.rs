//! What people decide: matters followed over days, each with its steps, its deadline and its record.
//!
//! The review of outgoing mail ([`review`], S9.1, Điều 9), and who handles what came in ([`assignment`], S7.2b, Điều 7).

pub mod assignment;
pub mod review;

use congvu_storage::{BlobReference, MigrationSet};

/// The tables of casework: review, review_step, review_opened, assignment, assignment_step, note, presence.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    owner: "casework",
    steps: &["
        CREATE TABLE review (account_id BIGINT NOT NULL, id BIGINT NOT NULL, agency_id BIGINT NOT NULL,
            author_id BIGINT NOT NULL, author_name TEXT NOT NULL, state TEXT NOT NULL, mailbox_id BIGINT NOT NULL,
            uidvalidity BIGINT NOT NULL, uid BIGINT NOT NULL, email_id BIGINT NOT NULL, blob_hash BYTEA NOT NULL,
            size BIGINT NOT NULL, subject TEXT NOT NULL, message_id TEXT, digest TEXT NOT NULL, envelope TEXT NOT NULL,
            citation TEXT NOT NULL, hits TEXT NOT NULL, submitted_at BIGINT NOT NULL, due_at BIGINT, level BIGINT NOT NULL,
            decided_at BIGINT, decider_id BIGINT, decider_name TEXT, comment TEXT, version BIGINT NOT NULL,
            submission_id BIGINT, not_before BIGINT, is_waiting BIGINT NOT NULL,
            PRIMARY KEY (account_id, id)) WITHOUT ROWID;
        CREATE UNIQUE INDEX review_id ON review (id);
        CREATE UNIQUE INDEX review_email ON review (account_id, email_id);
        CREATE INDEX review_state ON review (account_id, state, id);
        CREATE INDEX review_author ON review (author_id, id);
        CREATE INDEX review_due ON review (due_at);
        CREATE INDEX review_passed_on ON review (agency_id, id) WHERE level > 0;
        CREATE INDEX review_blob ON review (blob_hash);
        CREATE TABLE review_step (account_id BIGINT NOT NULL, review_id BIGINT NOT NULL, seq BIGINT NOT NULL,
            at BIGINT NOT NULL, person_id BIGINT, actor TEXT NOT NULL, step TEXT NOT NULL, comment TEXT,
            PRIMARY KEY (account_id, review_id, seq)) WITHOUT ROWID;
        CREATE TABLE review_opened (account_id BIGINT NOT NULL, review_id BIGINT NOT NULL, person_id BIGINT NOT NULL,
            part BIGINT NOT NULL, opened_at BIGINT NOT NULL,
            PRIMARY KEY (account_id, review_id, person_id, part)) WITHOUT ROWID;
        CREATE TABLE assignment (account_id BIGINT NOT NULL, thread_id BIGINT NOT NULL, agency_id BIGINT NOT NULL,
            subject TEXT NOT NULL, assignee_id BIGINT, assignee_unit TEXT, assignee_name TEXT NOT NULL,
            instruction TEXT NOT NULL, due_at BIGINT, progress TEXT NOT NULL, given_by_id BIGINT NOT NULL,
            given_by_name TEXT NOT NULL, given_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, version BIGINT NOT NULL,
            PRIMARY KEY (account_id, thread_id)) WITHOUT ROWID;
        CREATE INDEX assignment_person ON assignment (assignee_id, progress);
        CREATE INDEX assignment_unit ON assignment (agency_id, assignee_unit, progress);
        CREATE INDEX assignment_progress ON assignment (account_id, progress, due_at);
        CREATE TABLE assignment_step (account_id BIGINT NOT NULL, thread_id BIGINT NOT NULL, id BIGINT NOT NULL,
            at BIGINT NOT NULL, person_id BIGINT NOT NULL, person_name TEXT NOT NULL, step TEXT NOT NULL,
            to_name TEXT NOT NULL, comment TEXT NOT NULL, PRIMARY KEY (account_id, thread_id, id)) WITHOUT ROWID;
        CREATE TABLE note (account_id BIGINT NOT NULL, thread_id BIGINT NOT NULL, id BIGINT NOT NULL, at BIGINT NOT NULL,
            author_id BIGINT NOT NULL, author_name TEXT NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (account_id, thread_id, id)) WITHOUT ROWID;
        CREATE TABLE presence (account_id BIGINT NOT NULL, thread_id BIGINT NOT NULL, person_id BIGINT NOT NULL,
            name TEXT NOT NULL, replying BIGINT NOT NULL, until BIGINT NOT NULL,
            PRIMARY KEY (account_id, thread_id, person_id)) WITHOUT ROWID;
        CREATE INDEX presence_until ON presence (until);
    "],
};

/// Which rows of this crate name blobs: what was reviewed is kept as it was.
pub const BLOB_REFERENCES: &[BlobReference] =
    &[BlobReference("SELECT 1 FROM review WHERE blob_hash = ?1 LIMIT 1")];
