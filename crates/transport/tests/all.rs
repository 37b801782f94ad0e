//! The queue and the jobs, on both engines, with a clock in the test's hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/fanout.rs"]
mod fanout;
#[path = "all/place.rs"]
mod place;
#[path = "all/queue.rs"]
mod queue;
#[path = "all/sending.rs"]
mod sending;
#[path = "all/submission.rs"]
mod submission;
#[path = "all/submitting.rs"]
mod submitting;
#[path = "all/vacation.rs"]
mod vacation;
