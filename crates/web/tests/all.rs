//! Tests of the web door on both engines, by its router alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/app_passwords.rs"]
mod app_passwords;
#[path = "all/browser.rs"]
mod browser;
#[path = "all/clients.rs"]
mod clients;
#[path = "all/interface.rs"]
mod interface;
#[path = "all/review.rs"]
mod review;
#[path = "all/sign_in.rs"]
mod sign_in;
#[path = "all/work.rs"]
mod work;
#[path = "all/world.rs"]
mod world;
