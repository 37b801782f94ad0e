//! Comparators and kinds of match (RFC 5228 §2.7, RFC 4790, RFC 5051, RFC 5231).

use crate::{
    ast::{Comparator, MatchKind, Matcher},
    run::{Budget, RunFault},
};
use std::{borrow::Cow, cmp::Ordering};
use unicode_normalization::UnicodeNormalization;

/// What the wildcards of a match stood for; the whole comes first.
pub(crate) type Captures = Vec<String>;

/// Compares every value with every key; the first that matches counts.
pub(crate) fn any_matches(
    matcher: Matcher,
    values: &[String],
    keys: &[String],
    budget: &mut Budget,
    captures: &mut Option<Captures>,
) -> Result<bool, RunFault> {
    if let MatchKind::Count(relation) = matcher.kind {
        let count = u128::try_from(values.len()).unwrap_or(u128::MAX);
        budget.step(keys.len())?;
        return Ok(keys.iter().any(|key| number(key).is_some_and(|key| relation.holds(count.cmp(&key)))));
    }
    for value in values {
        let folded = fold(matcher.comparator, value);
        budget.step(1 + value.len() / 32)?;
        for key in keys {
            budget.step(1 + (value.len() + key.len()) / 64)?;
            let matches = match matcher.kind {
                MatchKind::Is => order(matcher.comparator, &folded, key).is_eq(),
                MatchKind::Value(relation) => relation.holds(order(matcher.comparator, &folded, key)),
                MatchKind::Contains => {
                    let key = fold(matcher.comparator, key);
                    memchr::memmem::find(folded.as_bytes(), key.as_bytes()).is_some()
                }
                MatchKind::Matches => match glob(matcher.comparator, value, key, budget)? {
                    Some(found) => {
                        *captures = Some(found);
                        true
                    }
                    None => false,
                },
                MatchKind::Count(_) => false,
            };
            if matches {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn fold(comparator: Comparator, text: &str) -> Cow<'_, str> {
    match comparator {
        Comparator::Octet | Comparator::AsciiNumeric => Cow::Borrowed(text),
        Comparator::AsciiCasemap => Cow::Owned(text.to_ascii_uppercase()),
        Comparator::UnicodeCasemap => Cow::Owned(text.nfkd().flat_map(char::to_uppercase).nfkd().collect()),
    }
}

/// The digits that a text begins with (RFC 4790 §9.1.1).
fn number(text: &str) -> Option<u128> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).filter(|digits| !digits.is_empty())?;
    Some(digits.parse().unwrap_or(u128::MAX))
}

/// How a folded value and a key lie to each other.
fn order(comparator: Comparator, folded: &str, key: &str) -> Ordering {
    if comparator != Comparator::AsciiNumeric {
        return folded.as_bytes().cmp(fold(comparator, key).as_bytes());
    }
    match (number(folded), number(key)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // What is no number is larger than every number.
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wild {
    One,
    Many,
    Letter(char),
}

fn pattern(key: &str) -> Vec<Wild> {
    let mut out = Vec::new();
    let mut chars = key.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Wild::Many,
            '?' => Wild::One,
            '\\' => Wild::Letter(chars.next().unwrap_or('\\')),
            other => Wild::Letter(other),
        });
    }
    out
}

fn same(comparator: Comparator, a: char, b: char) -> bool {
    match comparator {
        Comparator::Octet | Comparator::AsciiNumeric => a == b,
        Comparator::AsciiCasemap => a.eq_ignore_ascii_case(&b),
        Comparator::UnicodeCasemap => a == b || a.to_uppercase().eq(b.to_uppercase()),
    }
}

/// `*` and `?` (RFC 5228 §2.7.1); each stands for as little as it can (RFC 5229 §3.2).
fn glob(
    comparator: Comparator,
    value: &str,
    key: &str,
    budget: &mut Budget,
) -> Result<Option<Captures>, RunFault> {
    let is_folded = comparator == Comparator::UnicodeCasemap;
    let pattern = if is_folded { pattern(&key.nfc().collect::<String>()) } else { pattern(key) };
    let text: Vec<char> = if is_folded { value.nfc().collect() } else { value.chars().collect() };
    // What each wildcard took, and the last `*` to come back to: its place, and its number among the wildcards.
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut place) = (0, 0);
    loop {
        budget.step(1)?;
        match (pattern.get(place), text.get(at)) {
            (None, None) => break,
            (Some(Wild::Many), _) => {
                taken.push((at, at));
                star = Some((place + 1, taken.len() - 1));
                place += 1;
                continue;
            }
            (Some(Wild::One), Some(_)) => {
                taken.push((at, at + 1));
                (at, place) = (at + 1, place + 1);
                continue;
            }
            (Some(Wild::Letter(letter)), Some(c)) if same(comparator, *letter, *c) => {
                (at, place) = (at + 1, place + 1);
                continue;
            }
            _ => {}
        }
        // The last `*` takes one more.
        let Some((after, number)) = star else { return Ok(None) };
        taken.truncate(number + 1);
        let Some((_, end)) = taken.last_mut() else { return Ok(None) };
        *end += 1;
        if *end > text.len() {
            return Ok(None);
        }
        (at, place) = (*end, after);
    }
    let part = |(from, to): (usize, usize)| text.get(from..to).unwrap_or_default().iter().collect();
    Ok(Some([(0, text.len())].into_iter().chain(taken).map(part).collect()))
}
