//! Scripts and what comes of them: the table of cases (`tests/cases`), and scripts that mean harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/cases.rs"]
mod cases;
#[path = "all/hostile.rs"]
mod hostile;
