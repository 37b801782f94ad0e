//! Search in the words of messages: what is asked for, what of a message is looked at, what is shown of it, and the worker that
//! keeps the index.

mod document;
mod exact;
mod expression;
mod language;
mod snippet;
mod words;

pub use document::document;
pub use expression::{DEEPEST, Expression, MOST_PARTS, Phrase};
pub use language::{Condition, Term, expression, parse};
pub use snippet::{Marked, Snippet, snippet};
