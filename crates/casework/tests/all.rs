//! Tests of casework on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/assignment.rs"]
mod assignment;
#[path = "all/review.rs"]
mod review;
#[path = "all/world.rs"]
mod world;
