//! Emails (RFC 8621 §4), a method a file.

mod body;
mod changes;
mod condition;
mod get;
mod header;
mod parse;
mod query;
mod render;
mod searching;
mod snippet;
mod wanted;

pub(crate) use changes::changes;
pub(crate) use get::get;
pub(crate) use parse::parse;
pub(crate) use query::{query, query_changes};
pub(crate) use snippet::get as snippets;
