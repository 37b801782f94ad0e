//! Sets of sequence numbers or UIDs (RFC 9051 §9: sequence-set).

use super::scan::{Bad, Scanned, Scanner};
use std::fmt::Write as _;

/// A set cannot have more ranges than this.
const MOST_RANGES: usize = 50_000;

/// A set as written; `*` is `u32::MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Set {
    /// Ranges, each with its smaller number first unless one is `*`.
    Ranges(Vec<(u32, u32)>),
    /// `$`: what the last search saved (RFC 9051 §6.4.4.1).
    Saved,
}

/// `*`, the largest there is.
pub(crate) const STAR: u32 = u32::MAX;

pub(crate) fn set(scanner: &mut Scanner<'_>) -> Scanned<Set> {
    if scanner.eat(b'$') {
        return Ok(Set::Saved);
    }
    let mut ranges = Vec::new();
    loop {
        let first = one(scanner)?;
        let last = if scanner.eat(b':') { one(scanner)? } else { first };
        ranges.push((first, last));
        if !scanner.eat(b',') {
            return Ok(Set::Ranges(ranges));
        }
        if ranges.len() >= MOST_RANGES {
            return Err(Bad("a shorter set"));
        }
    }
}

fn one(scanner: &mut Scanner<'_>) -> Scanned<u32> {
    if scanner.eat(b'*') {
        return Ok(STAR);
    }
    match scanner.number32()? {
        0 => Err(Bad("a number from 1")),
        number => Ok(number),
    }
}

/// Makes ranges ascending and disjoint; `*` becomes `largest`.
pub(crate) fn resolve(ranges: &[(u32, u32)], largest: u32) -> Vec<(u32, u32)> {
    let number = |n: u32| if n == STAR { largest } else { n };
    let mut all: Vec<(u32, u32)> = ranges
        .iter()
        .map(|(a, b)| (number(*a), number(*b)))
        .map(|(a, b)| (a.min(b), a.max(b)))
        .filter(|(_, b)| *b > 0)
        .collect();
    all.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(all.len());
    for (first, last) in all {
        match merged.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// Writes numbers as a set, `1:3,7`, in the order given; only ascending runs are shortened, so that COPYUID's two sets
/// still correspond (RFC 4315 §3).
pub(crate) fn show(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut text = String::new();
    let mut run: Option<(u32, u32)> = None;
    let put = |text: &mut String, (first, last): (u32, u32)| {
        if !text.is_empty() {
            text.push(',');
        }
        let _ = if first == last { write!(text, "{first}") } else { write!(text, "{first}:{last}") };
    };
    for number in numbers {
        run = match run {
            Some((first, last)) if last.checked_add(1) == Some(number) => Some((first, number)),
            Some(done) => {
                put(&mut text, done);
                Some((number, number))
            }
            None => Some((number, number)),
        };
    }
    if let Some(done) = run {
        put(&mut text, done);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Scanned<Set> {
        set(&mut Scanner::new(text.as_bytes()))
    }

    #[test]
    fn sets_are_read_and_merged() {
        let Ok(Set::Ranges(ranges)) = read("5:3,1,*:9,4:6") else { panic!() };
        assert_eq!(resolve(&ranges, 10), [(1, 1), (3, 6), (9, 10)]);
        assert_eq!(resolve(&[(STAR, STAR)], 0), []);
        assert_eq!(resolve(&[(7, STAR)], 5), [(5, 7)]);
        assert_eq!(read("$"), Ok(Set::Saved));
        for bad in ["", "0", "a", "1:", "4294967296"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_shown_shortly() {
        assert_eq!(show([1, 2, 3, 7, 6]), "1:3,7,6");
        assert_eq!(show([]), "");
    }
}
