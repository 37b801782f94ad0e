//! What tests share: databases of their own, the sample agency, a name server, transcripts.
//!
//! Nothing here is compiled into the product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code fails loudly"
)]

pub mod agency;
pub mod clock;
pub mod dns;
pub mod json;
pub mod store;
pub mod transcript;
