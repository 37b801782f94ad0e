//! SEARCH by the full-text index (docs/adr/0022): keys of text are answered from it instead of reading every message.
//!
//! Of a message that changed after the index's watermark nothing is known here: it is read, as without an index.

use super::matching::{Field, Ready};
use congvu_directory::{Acting, right};
use congvu_mail::{
    Entry,
    search::{Expression, Indexed, Phrase, indexed, uids_in},
};
use congvu_storage::{Db, Fields};
use congvu_types::{MailboxId, Result};
use std::{collections::HashSet, sync::Arc};

/// With fewer messages to look at, reading them costs no more.
const WORTH_IT: usize = 100;
/// No more keys of one search are asked of the index.
const MOST_KEYS: usize = 16;

/// What the index says of a key.
#[derive(Debug)]
pub(super) struct Known {
    uids: HashSet<u32>,
    upto: u64,
    /// Whether those fit; if not, the others do not.
    is_certain: bool,
}

impl Known {
    pub(super) fn says(&self, entry: &Entry) -> Option<bool> {
        if entry.modseq > self.upto {
            return None;
        }
        match self.uids.contains(&entry.uid.0) {
            true => self.is_certain.then_some(true),
            false => Some(false),
        }
    }
}

/// Text of a message that a key of words looks at (RFC 9051 §6.4.4 BODY, TEXT).
pub(super) const BODY: Fields = Fields::BODY.with(Fields::ATTACHMENT);
pub(super) const TEXT: Fields = Fields::ALL;

const fn fields_of(field: Field) -> Fields {
    match field {
        Field::From => Fields::FROM,
        Field::To => Fields::TO,
        Field::Cc => Fields::CC,
        Field::Bcc => Fields::BCC,
    }
}

/// What the index is asked for a key, and whether its answer is certain.
fn question(key: &Ready) -> Option<(Expression, bool)> {
    // A part of a longer text: what holds its words may hold it.
    let narrowed = |fields, text: &str| {
        let phrase = Expression::Phrase(Phrase::within(fields, text)?);
        Some((Expression::Or(vec![phrase, Expression::IsCut]), false))
    };
    match key {
        Ready::Words(phrase) => Some((Expression::Phrase(phrase.clone()), true)),
        Ready::Address(field, text) => narrowed(fields_of(*field), text),
        Ready::Subject(text) => narrowed(Fields::SUBJECT, text),
        _ => None,
    }
}

/// Asks the index about the keys of a search, if so many messages are to be looked at that it is worth it.
pub(super) async fn ask(
    db: &Db,
    reading: &Acting<right::Read>,
    mailbox: MailboxId,
    key: Ready,
    open: usize,
) -> Result<Ready> {
    if open < WORTH_IT {
        return Ok(key);
    }
    let mut questions = Vec::new();
    collect(&key, &mut questions);
    let mut answers = Vec::new();
    for (expression, is_certain) in questions {
        let found = indexed(db, reading, &expression).await?;
        answers.push(match found {
            None => None,
            Some(Indexed { emails, upto }) => {
                let reading = reading.clone();
                let uids = db.read(move |s| uids_in(s, &reading, mailbox, &emails)).await?;
                Some(Arc::new(Known { uids, upto: upto.0, is_certain }))
            }
        });
    }
    Ok(with_answers(key, &mut answers.into_iter()))
}

fn collect(key: &Ready, into: &mut Vec<(Expression, bool)>) {
    match key {
        Ready::And(keys) => keys.iter().for_each(|k| collect(k, into)),
        Ready::Or(a, b) => [a, b].into_iter().for_each(|k| collect(k, into)),
        Ready::Not(inner) => collect(inner, into),
        other if into.len() < MOST_KEYS => into.extend(question(other)),
        _ => {}
    }
}

/// Puts the answers beside their keys, which are visited in the same order as when they were collected.
fn with_answers(key: Ready, answers: &mut impl Iterator<Item = Option<Arc<Known>>>) -> Ready {
    match key {
        Ready::And(keys) => Ready::And(keys.into_iter().map(|k| with_answers(k, answers)).collect()),
        Ready::Or(a, b) => {
            let a = with_answers(*a, answers);
            Ready::Or(Box::new(a), Box::new(with_answers(*b, answers)))
        }
        Ready::Not(inner) => Ready::Not(Box::new(with_answers(*inner, answers))),
        other if question(&other).is_some() => match answers.next().flatten() {
            Some(known) => Ready::Known(Box::new(other), known),
            None => other,
        },
        other => other,
    }
}
