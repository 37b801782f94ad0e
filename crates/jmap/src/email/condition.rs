//! Conditions and orders of `Email/query` (RFC 8621 §4.4.1, §4.4.2).

use super::render::FLAG_KEYWORDS;
use crate::{
    dispatch::Outcome,
    error::MethodError,
    filter::{Filter, Sort},
    ids::Id,
};
use congvu_mail::{EmailFilter, EmailSort, FlagSet, SortKey};
use congvu_types::{Keyword, MailboxId, Timestamp};
use serde_json::{Map, Value};

/// Mailboxes of one condition.
const MOST_MAILBOXES: usize = 200;

/// The flag or keyword of a name; an empty set, which no message has, when the account has none of that name.
pub(crate) fn keyword(name: &str, names: &[String]) -> Option<FlagSet> {
    let system = FLAG_KEYWORDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
    if let Some((flag, _)) = system {
        return Some(FlagSet(u64::from(flag.bits())));
    }
    let keyword: Keyword = name.parse().ok()?;
    let place = names.iter().position(|known| keyword.is(known));
    Some(place.map_or(FlagSet(0), FlagSet::keyword))
}

/// Reads a `UTCDate` (RFC 8620 §1.4).
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let is_utc = text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    let read: jiff::Timestamp = text.parse().ok().filter(|_| is_utc)?;
    Some(Timestamp(read.as_millisecond()))
}

/// Reads a condition: all of what it names must hold.
pub(crate) fn condition(given: Map<String, Value>, names: &[String]) -> Outcome<Filter<EmailFilter>> {
    let mut all = Vec::new();
    for (name, value) in given {
        let wrong = || MethodError::arguments(format!("the filter's {name} is of another type"));
        let text = || value.as_str().ok_or_else(wrong);
        let when = || text().and_then(|t| date(t).ok_or_else(wrong));
        let size = || value.as_u64().ok_or_else(wrong);
        let marked = || text().and_then(|t| keyword(t, names).ok_or_else(wrong));
        let not = |filter| EmailFilter::Not(vec![filter]);
        all.push(Filter::One(match name.as_str() {
            "inMailbox" => {
                EmailFilter::InMailbox(MailboxId::read(text()?).unwrap_or_else(|| MailboxId::new(0)))
            }
            "inMailboxOtherThan" => EmailFilter::InMailboxOtherThan(mailboxes(&value).ok_or_else(wrong)?),
            "before" => EmailFilter::Before(when()?),
            "after" => EmailFilter::After(when()?),
            "minSize" => EmailFilter::MinSize(size()?),
            "maxSize" => EmailFilter::MaxSize(size()?),
            "hasKeyword" => EmailFilter::HasKeyword(marked()?),
            "notKeyword" => not(EmailFilter::HasKeyword(marked()?)),
            "allInThreadHaveKeyword" => EmailFilter::AllInThreadHave(marked()?),
            "someInThreadHaveKeyword" => EmailFilter::SomeInThreadHave(marked()?),
            "noneInThreadHaveKeyword" => not(EmailFilter::SomeInThreadHave(marked()?)),
            "hasAttachment" => EmailFilter::HasAttachment(value.as_bool().ok_or_else(wrong)?),
            _ => return Err("unsupportedFilter".into()),
        }));
    }
    Ok(Filter::And(all))
}

fn mailboxes(value: &Value) -> Option<Vec<MailboxId>> {
    let ids = value.as_array().filter(|ids| ids.len() <= MOST_MAILBOXES)?;
    let known = ids.iter().map(|id| id.as_str().map(MailboxId::read)).collect::<Option<Vec<_>>>()?;
    Some(known.into_iter().flatten().collect())
}

/// The filter as the store knows it.
pub(crate) fn core(filter: Filter<EmailFilter>) -> EmailFilter {
    let all = |filters: Vec<Filter<EmailFilter>>| filters.into_iter().map(core).collect();
    match filter {
        // One condition of one thing stands for itself: the store counts such a list without reading it.
        Filter::And(mut filters) if filters.len() == 1 => {
            filters.pop().map_or_else(|| EmailFilter::And(Vec::new()), core)
        }
        Filter::And(filters) => EmailFilter::And(all(filters)),
        Filter::Or(filters) => EmailFilter::Or(all(filters)),
        Filter::Not(filters) => EmailFilter::Not(all(filters)),
        Filter::One(filter) => filter,
    }
}

/// Reads a criterion of the order.
pub(crate) fn sort(one: &Sort, names: &[String]) -> Outcome<EmailSort> {
    let marked = || -> Outcome<FlagSet> {
        let name =
            one.keyword.as_deref().ok_or_else(|| MethodError::arguments("the order needs a keyword"))?;
        Ok(keyword(name, names).ok_or_else(|| MethodError::arguments("there is no such keyword"))?)
    };
    let key = match one.property.as_str() {
        "receivedAt" => SortKey::ReceivedAt,
        "sentAt" => SortKey::SentAt,
        "size" => SortKey::Size,
        "from" => SortKey::From,
        "subject" => SortKey::Subject,
        "hasKeyword" => SortKey::HasKeyword(marked()?),
        "allInThreadHaveKeyword" => SortKey::AllInThreadHave(marked()?),
        "someInThreadHaveKeyword" => SortKey::SomeInThreadHave(marked()?),
        _ => return Err("unsupportedSort".into()),
    };
    Ok(EmailSort { key, ascending: one.is_ascending })
}
