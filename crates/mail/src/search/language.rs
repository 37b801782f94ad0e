//! What is typed into the search box: words, "phrases", `-words`, and operators in Vietnamese and English, with accents or
//! without: `từ:hùng chủ đề:"báo cáo" sau:1/11/2026 -nháp`.
//!
//! Never an error: what is no operator is a word. Pure.

use super::expression::{Expression, Phrase};
use crate::Role;
use congvu_storage::Fields;
use congvu_types::{Timestamp, fold};

/// No more of the text is read.
const LONGEST: usize = 4_096;
/// No more words and conditions than this; further ones are left out.
const MOST_PARTS: usize = super::MOST_PARTS / 2;
/// Hours that the Vietnamese clock is ahead.
const ZONE_MS: i64 = 7 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// One condition, and whether it must not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The condition.
    pub condition: Condition,
    /// Whether it stands behind a `-`.
    pub is_negated: bool,
}

/// What a message is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Words that follow each other in one of these fields.
    Words(Phrase),
    /// An attachment.
    HasAttachment,
    /// Received before this instant.
    Before(Timestamp),
    /// Received at this instant or later.
    Since(Timestamp),
    /// In the mailbox of this role.
    InRole(Role),
    /// In the mailbox of this name.
    InMailbox(String),
    /// Read, or not.
    IsRead(bool),
    /// Starred (RFC 9051 `\Flagged`).
    IsStarred,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Words(Fields),
    Has,
    Before,
    After,
    In,
    Is,
}

/// The names of operators, folded. A space in a name may be typed as a hyphen.
const OPERATORS: &[(&str, Operator)] = &[
    ("tu", Operator::Words(Fields::FROM)),
    ("nguoi gui", Operator::Words(Fields::FROM)),
    ("from", Operator::Words(Fields::FROM)),
    ("den", Operator::Words(EVERYBODY_ELSE)),
    ("nguoi nhan", Operator::Words(EVERYBODY_ELSE)),
    ("to", Operator::Words(EVERYBODY_ELSE)),
    ("cc", Operator::Words(Fields::CC)),
    ("bcc", Operator::Words(Fields::BCC)),
    ("chu de", Operator::Words(Fields::SUBJECT)),
    ("tieu de", Operator::Words(Fields::SUBJECT)),
    ("subject", Operator::Words(Fields::SUBJECT)),
    ("noi dung", Operator::Words(Fields::BODY)),
    ("body", Operator::Words(Fields::BODY)),
    ("tep", Operator::Words(Fields::ATTACHMENT)),
    ("filename", Operator::Words(Fields::ATTACHMENT)),
    ("co", Operator::Has),
    ("has", Operator::Has),
    ("truoc", Operator::Before),
    ("before", Operator::Before),
    ("sau", Operator::After),
    ("after", Operator::After),
    ("trong", Operator::In),
    ("in", Operator::In),
    ("la", Operator::Is),
    ("is", Operator::Is),
];
const EVERYBODY_ELSE: Fields = Fields::TO.with(Fields::CC).with(Fields::BCC);

const ATTACHMENT: &[&str] =
    &["tep dinh kem", "dinh kem", "tep", "attachments", "attachment", "files", "file"];
const STATES: &[(&str, Condition)] = &[
    ("chua doc", Condition::IsRead(false)),
    ("unread", Condition::IsRead(false)),
    ("unseen", Condition::IsRead(false)),
    ("da doc", Condition::IsRead(true)),
    ("read", Condition::IsRead(true)),
    ("seen", Condition::IsRead(true)),
    ("gan sao", Condition::IsStarred),
    ("danh dau", Condition::IsStarred),
    ("starred", Condition::IsStarred),
    ("flagged", Condition::IsStarred),
];
const ROLES: &[(&str, Role)] = &[
    ("hop thu den", Role::Inbox),
    ("thu den", Role::Inbox),
    ("inbox", Role::Inbox),
    ("thu da gui", Role::Sent),
    ("da gui", Role::Sent),
    ("sent", Role::Sent),
    ("thu nhap", Role::Drafts),
    ("nhap", Role::Drafts),
    ("drafts", Role::Drafts),
    ("thu rac", Role::Junk),
    ("junk", Role::Junk),
    ("spam", Role::Junk),
    ("thung rac", Role::Trash),
    ("da xoa", Role::Trash),
    ("trash", Role::Trash),
    ("luu tru", Role::Archive),
    ("archive", Role::Archive),
    ("cho duyet", Role::Awaiting),
    ("da duyet", Role::Approved),
    ("tra lai", Role::Returned),
    ("tu choi", Role::Rejected),
];

/// Reads what was typed.
#[must_use]
pub fn parse(text: &str) -> Vec<Term> {
    let mut rest = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    let mut terms = Vec::new();
    let mut left = MOST_PARTS;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return terms;
        }
        let (inner, is_negated) = match rest.strip_prefix('-') {
            Some(inner) if inner.starts_with(|c: char| !c.is_whitespace() && c != '-') => (inner, true),
            _ => (rest, false),
        };
        let (condition, after) = operator(inner).unwrap_or_else(|| word(inner));
        rest = after;
        let Some(condition) = condition else { continue };
        let parts = if let Condition::Words(phrase) = &condition { phrase.words().len() } else { 1 };
        let Some(enough) = left.checked_sub(parts) else { return terms };
        left = enough;
        terms.push(Term { condition, is_negated });
    }
}

/// Returns what the words among the conditions ask of the text.
#[must_use]
pub fn expression(terms: &[Term]) -> Expression {
    let parts = terms.iter().filter_map(|term| {
        let part = match &term.condition {
            Condition::Words(phrase) => Expression::Phrase(phrase.clone()),
            Condition::HasAttachment => Expression::HasAttachment,
            _ => return None,
        };
        Some(if term.is_negated { Expression::Not(Box::new(part)) } else { part })
    });
    Expression::all(parts.collect())
}

/// An operator with its value, and what stands behind. `None`: there is none here.
fn operator(text: &str) -> Option<(Option<Condition>, &str)> {
    for (name, operator) in OPERATORS {
        let Some(behind) = name_of(text, name) else { continue };
        let Some(value) = behind.strip_prefix([':', '：']) else { continue };
        let value = value.trim_start();
        let found = match operator {
            Operator::Words(fields) => {
                let (quoted, after) = value_of(value);
                Phrase::new(*fields, quoted, false).map(|phrase| (Condition::Words(phrase), after))
            }
            Operator::Has => named(value, ATTACHMENT.iter().map(|n| (*n, Condition::HasAttachment)))
                .or_else(|| named(value, STATES.iter().filter(|(_, c)| *c == Condition::IsStarred).cloned()))
                .or_else(|| named(value, [("sao", Condition::IsStarred)])),
            Operator::Is => named(value, STATES.iter().cloned()),
            Operator::Before => date(value).map(|(at, after)| (Condition::Before(at), after)),
            Operator::After => date(value).map(|(at, after)| (Condition::Since(at), after)),
            Operator::In => {
                named(value, ROLES.iter().map(|(n, r)| (*n, Condition::InRole(*r)))).or_else(|| {
                    let (name, after) = value_of(value);
                    (!fold(name).trim().is_empty()).then(|| (Condition::InMailbox(name.to_owned()), after))
                })
            }
        };
        if let Some((condition, after)) = found {
            return Some((Some(condition), after));
        }
    }
    None
}

/// A word or a phrase anywhere in a message; none when it is only signs.
fn word(text: &str) -> (Option<Condition>, &str) {
    let (value, after) = value_of(text);
    (Phrase::new(Fields::ALL, value, false).map(Condition::Words), after)
}

const QUOTES: [char; 3] = ['"', '“', '”'];

/// A value, between quotes or up to a space, and what stands behind it. Never nothing of something.
fn value_of(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix(QUOTES) {
        let end = quoted.find(QUOTES).unwrap_or(quoted.len());
        let (value, after) = quoted.split_at(end);
        return (value, after.strip_prefix(QUOTES).unwrap_or(after));
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let rest = text.get(first..).unwrap_or_default();
    let end =
        rest.find(|c: char| c.is_whitespace() || QUOTES.contains(&c)).map_or(text.len(), |at| at + first);
    text.split_at(end)
}

/// One of these names, between quotes or not, as long as nothing goes on with it.
fn named(
    text: &str,
    names: impl IntoIterator<Item = (&'static str, Condition)>,
) -> Option<(Condition, &str)> {
    let bare = text.strip_prefix(QUOTES);
    for (name, condition) in names {
        let Some(behind) = name_of(bare.unwrap_or(text), name) else { continue };
        let after = if bare.is_some() { behind.strip_prefix(QUOTES) } else { Some(behind) };
        if let Some(after) = after.filter(|a| !a.starts_with(|c: char| c.is_alphanumeric())) {
            return Some((condition, after));
        }
    }
    None
}

/// What stands behind a name at the beginning of a text, however it is accented and spaced.
fn name_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = text;
    for letter in name.chars() {
        if letter == ' ' {
            let trimmed = rest.trim_start_matches([' ', '-', '_', '\t', '\u{a0}']);
            rest = (trimmed.len() < rest.len()).then_some(trimmed)?;
            continue;
        }
        let first = rest.chars().next()?;
        let mut folded = [0; 4];
        if fold(first.encode_utf8(&mut folded)) != *letter.encode_utf8(&mut [0; 4]) {
            return None;
        }
        rest = rest.get(first.len_utf8()..)?;
        // Accents that stand by themselves (NFD) belong to the letter.
        rest = rest.trim_start_matches(unicode_normalization::char::is_combining_mark);
    }
    Some(rest)
}

/// A day as 2026-11-24 or 24/11/2026, a month as 11/2026 or 2026-11, or a year; its first instant by the Vietnamese clock.
fn date(text: &str) -> Option<(Timestamp, &str)> {
    let (value, after) = value_of(text);
    let numbers: Vec<i64> = value
        .trim()
        .split(['-', '/', '.'])
        .map(|n| if n.len() <= 4 && n.bytes().all(|b| b.is_ascii_digit()) { n.parse().ok() } else { None })
        .collect::<Option<_>>()?;
    let (year, month, day) = match numbers.as_slice() {
        [year @ 1000..=9999, month, day] => (*year, *month, *day),
        [day, month, year @ 1000..=9999] => (*year, *month, *day),
        [year @ 1000..=9999, month] => (*year, *month, 1),
        [month, year @ 1000..=9999] => (*year, *month, 1),
        [year @ 1000..=9999] => (*year, 1, 1),
        _ => return None,
    };
    Some((Timestamp(days(year, month, day)? * DAY_MS - ZONE_MS), after))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; `None` when there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is their last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
#[path = "language/tests.rs"]
mod tests;
