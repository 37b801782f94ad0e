//! Fixtures: agencies, units, people, accounts and grants from one TOML file. A second run changes nothing.

mod apply;
mod parse;

pub use apply::{Applied, Prepared, apply, prepare};
pub use parse::{Fixture, Problem, bytes, parse};
