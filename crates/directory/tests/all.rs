//! Tests of the directory on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/fixtures.rs"]
mod fixtures;
#[path = "all/rights.rs"]
mod rights;
#[path = "all/sign_in.rs"]
mod sign_in;
#[path = "all/standing.rs"]
mod standing;
#[path = "all/world.rs"]
mod world;
