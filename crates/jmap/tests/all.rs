//! The door as clients meet it, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code fails loudly"
)]

#[path = "all/blobs.rs"]
mod blobs;
#[path = "all/core.rs"]
mod core;
#[path = "all/extensions.rs"]
mod extensions;
#[path = "all/pushing.rs"]
mod pushing;
#[path = "all/reading.rs"]
mod reading;
#[path = "all/recipients.rs"]
mod recipients;
#[path = "all/searching.rs"]
mod searching;
#[path = "all/submission.rs"]
mod submission;
#[path = "all/world.rs"]
mod world;
#[path = "all/writing.rs"]
mod writing;
