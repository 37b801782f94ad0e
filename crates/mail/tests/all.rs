//! What is kept, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/lists.rs"]
mod lists;
#[path = "all/mailboxes.rs"]
mod mailboxes;
#[path = "all/model.rs"]
mod model;
#[path = "all/retention.rs"]
mod retention;
#[path = "all/search.rs"]
mod search;
#[path = "all/shared.rs"]
mod shared;
#[path = "all/views.rs"]
mod views;
