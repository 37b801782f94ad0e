//! Fixtures: agencies, units, people, accounts and grants from one TOML file. A second run changes nothing; a key that is not
//! there leaves what it speaks of as it is, and an empty one takes it away.

mod apply;
mod parse;
mod resolve;

pub use apply::{Applied, Prepared, apply, prepare};
pub use parse::{Fixture, Problem, bytes, parse};
pub use resolve::problems;
