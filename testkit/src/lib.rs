//! What tests share: databases of their own, an in-process DNS, a clock to move, a transcript runner, sinks.
//!
//! Nothing here is compiled into the product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code fails loudly"
)]

pub mod store;
