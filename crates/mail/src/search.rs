//! Search in the words of messages: what is asked for, what of a message is looked at, what is shown of it, and the worker that
//! keeps the index.
//!
//! INVARIANT: a message is found from the moment it is delivered: what the index does not hold yet is looked at by the search
//! itself (test: `what_is_not_indexed_yet_is_found`).
//! INVARIANT: what the index finds is checked against the rows, so nothing is shown that is gone or another account's
//! (test: `what_is_gone_is_not_found`).

mod document;
mod exact;
mod expression;
mod find;
mod indexer;
mod language;
mod pending;
mod snippet;
mod words;

pub use document::document;
pub use expression::{DEEPEST, Expression, MOST_PARTS, Phrase};
pub use find::{Found, Indexed, MOST_FOUND, Scope, Search, indexed, search, uids_in};
pub use indexer::{Indexer, Step};
pub use language::{Condition, Term, expression, parse};
pub use snippet::{Marked, Snippet, snippet};
