//! SMTP as transcripts over a real socket, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/door.rs"]
mod door;
#[path = "all/names.rs"]
mod names;
#[path = "all/outbound.rs"]
mod outbound;
#[path = "all/outbound_routes.rs"]
mod outbound_routes;
#[path = "all/receiving.rs"]
mod receiving;
#[path = "all/remote.rs"]
mod remote;
#[path = "all/submitting.rs"]
mod submitting;
