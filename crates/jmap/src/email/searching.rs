//! What a filter says of the text of messages (RFC 8621 §4.4.1 `text`, `from`, `to`, `cc`, `bcc`, `subject`, `body`): found by the
//! search of the store, before the list is read.
//!
//! A list with such a condition is made of the newest [`MOST_LISTED`] messages that hold the words.

use super::condition;
use crate::{
    dispatch::{Context, Outcome},
    error::MethodError,
    filter::{self, Filter},
    ids::Id,
};
use congvu_directory::{Acting, right};
use congvu_mail::{
    EmailFilter,
    search::{Expression, Scope, Search, search},
};
use congvu_storage::Fields;
use congvu_types::{EmailId, MailboxId};
use serde_json::{Map, Value};
use std::{collections::HashSet, sync::Arc};

/// No list of what was found is longer.
pub(crate) const MOST_LISTED: usize = 5_000;
/// Searches that one filter may need, where text is asked for beside other things in an OR or a NOT.
const MOST_SEARCHES: usize = 8;

/// The names of conditions on text, and where they look.
const FIELDS: [(&str, Fields); 7] = [
    ("text", Fields::ALL),
    ("from", Fields::FROM),
    ("to", Fields::TO),
    ("cc", Fields::CC),
    ("bcc", Fields::BCC),
    ("subject", Fields::SUBJECT),
    ("body", Fields::BODY.with(Fields::ATTACHMENT)),
];

/// A condition of a filter, before the list is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// On the text.
    Text(Expression),
    /// It is one of those that were found.
    Found(Arc<HashSet<EmailId>>),
    /// On everything else.
    Rest(Map<String, Value>),
}

/// Reads a filter, its conditions on text apart from the others.
pub(crate) fn read(given: Option<Map<String, Value>>) -> Outcome<Filter<Piece>> {
    filter::read(given, &mut |mut given| {
        let mut all = Vec::new();
        for (name, fields) in FIELDS {
            match given.remove(name) {
                None => {}
                Some(Value::String(text)) => {
                    all.push(Filter::One(Piece::Text(Expression::text(fields, &text))));
                }
                Some(_) => {
                    return Err(MethodError::arguments(format!("the filter's {name} is a string")).into());
                }
            }
        }
        if !given.is_empty() || all.is_empty() {
            all.push(Filter::One(Piece::Rest(given)));
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    })
}

/// What a filter asks of the text, when it asks nothing else.
fn text_alone(filter: &Filter<Piece>) -> Option<Expression> {
    let each = |some: &[Filter<Piece>]| some.iter().map(text_alone).collect::<Option<Vec<_>>>();
    Some(match filter {
        Filter::One(Piece::Text(expression)) => expression.clone(),
        Filter::One(_) => return None,
        Filter::And(all) if all.is_empty() => return None,
        Filter::And(all) => Expression::all(each(all)?),
        Filter::Or(any) => Expression::Or(each(any)?),
        Filter::Not(none) => Expression::Not(Box::new(Expression::Or(each(none)?))),
    })
}

/// Whether a filter asks anything of the text.
pub(crate) fn asks_for_text(filter: &Filter<Piece>) -> bool {
    match filter {
        Filter::One(piece) => matches!(piece, Piece::Text(_)),
        Filter::And(some) | Filter::Or(some) | Filter::Not(some) => some.iter().any(asks_for_text),
    }
}

/// What a filter wants of the text, for what is shown of a message: everything that is not ruled out.
pub(crate) fn wanted(filter: &Filter<Piece>) -> Expression {
    match filter {
        Filter::One(Piece::Text(expression)) => expression.clone(),
        Filter::One(_) | Filter::Not(_) => Expression::All,
        Filter::And(some) | Filter::Or(some) => Expression::all(some.iter().map(wanted).collect()),
    }
}

/// A filter whose conditions on text were looked up.
pub(crate) struct Searched {
    pub(crate) filter: Filter<Piece>,
    /// What was found, those first that are written just as asked for; `None` when no text is asked for.
    pub(crate) order: Option<Vec<EmailId>>,
}

/// Looks up what a filter asks of the text: at most `limit` messages.
pub(crate) async fn look_up(
    context: &Context,
    acting: &Acting<right::Read>,
    filter: Filter<Piece>,
    limit: usize,
) -> Outcome<Searched> {
    let mut conditions = Vec::new();
    flatten(filter, &mut conditions);
    let (mut texts, mut rest) = (Vec::new(), Vec::new());
    for one in conditions {
        match text_alone(&one) {
            Some(expression) => texts.push(expression),
            None => rest.push(one),
        }
    }
    let asks = !texts.is_empty();
    let mut left = MOST_SEARCHES;
    let mut filters = Vec::new();
    for one in rest {
        filters.push(Box::pin(mixed(context, acting, one, &mut left)).await?);
    }
    if !asks {
        return Ok(Searched { filter: Filter::And(filters), order: None });
    }
    let search = Search { scope: scope(&filters), ..newest(Expression::all(texts), limit) };
    let found = ask(context, acting, &search).await?;
    let ids = Arc::new(found.emails.iter().copied().collect::<HashSet<_>>());
    filters.push(Filter::One(Piece::Found(ids)));
    Ok(Searched { filter: Filter::And(filters), order: Some(found.emails) })
}

fn flatten(filter: Filter<Piece>, into: &mut Vec<Filter<Piece>>) {
    match filter {
        Filter::And(all) => all.into_iter().for_each(|one| flatten(one, into)),
        other => into.push(other),
    }
}

/// Looks up the text within what asks for other things too.
async fn mixed(
    context: &Context,
    acting: &Acting<right::Read>,
    filter: Filter<Piece>,
    left: &mut usize,
) -> Outcome<Filter<Piece>> {
    if let Some(expression) = text_alone(&filter) {
        *left =
            left.checked_sub(1).ok_or_else(|| MethodError::because("unsupportedFilter", "too many texts"))?;
        let found = ask(context, acting, &newest(expression, MOST_LISTED)).await?;
        return Ok(Filter::One(Piece::Found(Arc::new(found.emails.into_iter().collect()))));
    }
    let (kind, inner): (fn(Vec<_>) -> _, _) = match filter {
        Filter::And(all) => (Filter::And, all),
        Filter::Or(any) => (Filter::Or, any),
        Filter::Not(none) => (Filter::Not, none),
        one @ Filter::One(_) => return Ok(one),
    };
    let mut done = Vec::new();
    for one in inner {
        done.push(Box::pin(mixed(context, acting, one, left)).await?);
    }
    Ok(kind(done))
}

fn newest(expression: Expression, limit: usize) -> Search {
    // The list reads the rows of what was found.
    Search { expression, scope: Scope::default(), exact_first: true, limit, is_checked_later: true }
}

async fn ask(
    context: &Context,
    acting: &Acting<right::Read>,
    wanted: &Search,
) -> Outcome<congvu_mail::search::Found> {
    if !wanted.expression.is_within_limits() {
        return Err(MethodError::because("unsupportedFilter", "too many words").into());
    }
    Ok(search(&context.app.options.db, acting, wanted).await?)
}

/// What the search itself can leave out, of conditions that must all hold.
fn scope(filters: &[Filter<Piece>]) -> Scope {
    let mut scope = Scope::default();
    for filter in filters {
        let Filter::One(Piece::Rest(given)) = filter else { continue };
        let text = |name: &str| given.get(name).and_then(Value::as_str);
        if let Some(mailbox) = text("inMailbox").and_then(MailboxId::read) {
            scope.mailboxes = Some(vec![mailbox]);
        }
        let others = given.get("inMailboxOtherThan").and_then(Value::as_array);
        scope
            .not_mailboxes
            .extend(others.into_iter().flatten().filter_map(Value::as_str).filter_map(MailboxId::read));
        scope.before = scope.before.or(text("before").and_then(condition::date));
        scope.since = scope.since.or(text("after").and_then(condition::date));
    }
    scope
}

/// The filter as the store knows it.
pub(crate) fn core(filter: Filter<Piece>, names: &[String]) -> Outcome<EmailFilter> {
    Ok(condition::core(with_conditions(filter, names)?))
}

fn with_conditions(filter: Filter<Piece>, names: &[String]) -> Outcome<Filter<EmailFilter>> {
    let each = |some: Vec<Filter<Piece>>| {
        some.into_iter().map(|one| with_conditions(one, names)).collect::<Outcome<Vec<_>>>()
    };
    Ok(match filter {
        Filter::And(all) => Filter::And(each(all)?),
        Filter::Or(any) => Filter::Or(each(any)?),
        Filter::Not(none) => Filter::Not(each(none)?),
        Filter::One(Piece::Rest(given)) => condition::condition(given, names)?,
        Filter::One(Piece::Found(ids)) => Filter::One(EmailFilter::OneOf(ids)),
        // Looked up before.
        Filter::One(Piece::Text(_)) => return Err("unsupportedFilter".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filter(given: Value) -> Filter<Piece> {
        let Value::Object(given) = given else { unreachable!() };
        read(Some(given)).unwrap_or_else(|e| panic!("{e:?}"))
    }

    #[test]
    fn text_is_told_apart_from_the_rest() {
        let words = |text: &str| Expression::text(Fields::ALL, text);
        assert_eq!(text_alone(&filter(json!({ "text": "a b" }))), Some(words("a b")));
        let or = json!({ "operator": "OR", "conditions": [{ "text": "a" }, { "text": "b" }] });
        assert_eq!(text_alone(&filter(or)), Some(Expression::Or(vec![words("a"), words("b")])));
        assert_eq!(text_alone(&filter(json!({ "text": "a", "hasAttachment": true }))), None);
        assert_eq!(text_alone(&filter(json!({}))), None);
        let both = filter(json!({ "operator": "AND", "conditions": [
            { "from": "x", "after": "2026-11-24T00:00:00Z" }, { "operator": "NOT", "conditions": [{ "text": "y" }] }] }));
        assert_eq!(wanted(&both), Expression::text(Fields::FROM, "x"));
        assert!(read(Some(json!({ "text": 7 }).as_object().unwrap().clone())).is_err());
    }
}
