//! What is kept: mailboxes (thư mục), messages, flags, threads, quota, and the shared views of mailboxes in use.
//!
//! INVARIANT: UID, modseq, rows, counters and tombstones are written in one commit, under the account's row, which
//! every write locks first; so modseq order is commit order within an account and nobody sees UID 12 before UID 11
//! (test: `views_equal_fresh_loads`).
//! INVARIANT: a UID is never used twice (test: `uids_only_grow`).
//! INVARIANT: the cost of a delivery depends neither on the size of the mailbox nor on who watches it.

mod changes;
mod conversations;
mod deliver;
mod emails;
mod flags;
mod mailboxes;
mod prepare;
mod purge;
mod query;
mod read;
mod record;
mod retention;
mod schema;
pub mod search;
mod state;
mod threads;
mod transfer;
mod uploads;
mod view;
mod views;

pub use changes::{ChangedIds, MailboxChanges, Since, email_changes, mailbox_changes, thread_changes};
pub use deliver::{DeliverOptions, Delivered, Target, append, deliver, place};
pub use emails::{EmailPlace, EmailRow, email_places, emails, thread_emails};
pub use flags::{FlagChange, FlagOperation, FlagSet, MAX_KEYWORDS, StoreOutcome, keywords, store_flags};
pub use mailboxes::{
    MailboxRow, Role, count_deleted, create_mailbox, delete_mailbox, ensure_review_mailboxes, mailbox,
    mailbox_by_name, mailbox_by_role, mailboxes, rename_mailbox, shared_mailboxes, subscribe,
};
pub use prepare::{PreparedMessage, prepare, prepare_stored};
pub use purge::{is_purge_due, purge_step};
pub use query::{EmailFilter, EmailHit, EmailQuery, EmailResults, EmailSort, SortKey, Window, query_emails};
pub use read::{MessageRow, Want, message, messages, raw, record_read};
pub use retention::remove_outdated;
pub use schema::{BLOB_REFERENCES, MIGRATIONS};
pub use state::{Usage, ensure_account, hold, state, touch, usage};
pub use transfer::{
    Copied, check_room, copy_messages, destroy, expunge, move_as_system, move_messages, take_back,
};
pub use uploads::{Upload, holders, keep_upload, upload};
pub use view::{Changes, Entry, View};
pub use views::Views;

/// At most this many messages are changed in one transaction: a larger command is cut by its door.
pub const MAX_BATCH: usize = 500;
