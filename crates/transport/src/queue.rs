//! The durable outbound queue: what leaves for other servers, grouped by message and domain.
//!
//! The queue never waits and never dials: a worker asks [`claim_due`], does the waiting, and [`report()`]s what happened. A
//! lease with a fence keeps two workers from one group; a worker that dies leaves its lease to run out.

mod admin;
mod claim;
pub(crate) mod codec;
mod enqueue;
mod report;
mod schedule;

use congvu_types::AccountId;

/// The queue's own place in the change feed, which no account has: told of after the commit of every admission, of mail
/// and of jobs, so that workers start at once.
pub const TOPIC: AccountId = AccountId::new(0);

pub use admin::{QueueRow, cancel, list, retry_now, waiting_count};
pub use claim::{
    LEASE, Lease, LeasedRecipient, StoredRecipient, Wire, claim_due, extend, next_due, postpone,
    release_node, wire,
};
pub use enqueue::enqueue;
pub use report::{Attempt, AttemptOutcome, Reported, report, strike};
pub use schedule::{GIVE_UP_AFTER, TELL_DELAY_AFTER, retry_after};
