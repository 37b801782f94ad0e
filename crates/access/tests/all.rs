//! IMAP as transcripts over a real socket, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/changes.rs"]
mod changes;
#[path = "all/door.rs"]
mod door;
#[path = "all/input.rs"]
mod input;
#[path = "all/mailboxes.rs"]
mod mailboxes;
#[path = "all/messages.rs"]
mod messages;
#[path = "all/review.rs"]
mod review;
#[path = "all/searching.rs"]
mod searching;
