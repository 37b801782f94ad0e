//! Emails (RFC 8621 §4), a method a file.

mod body;
mod changes;
mod condition;
mod copy;
mod filing;
mod get;
mod header;
mod import;
mod letter;
mod parse;
mod query;
mod render;
mod searching;
mod set;
mod snippet;
mod updating;
mod wanted;

pub(crate) use body::Structure;
pub(crate) use changes::changes;
pub(crate) use copy::copy;
pub(crate) use get::get;
pub(crate) use import::import;
pub(crate) use parse::parse;
pub(crate) use query::{query, query_changes};
pub(crate) use set::set;
pub(crate) use snippet::get as snippets;
