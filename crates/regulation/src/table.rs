//! Walks a TOML table and notes everything that is wrong with it, each with its line, instead of stopping at the
//! first: unknown keys, missing keys, wrong types. What a value means is for `parse.rs`.

use std::{cell::RefCell, fmt, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

/// Collects findings while a file is read.
#[derive(Debug)]
pub(crate) struct Notes<'t> {
    text: &'t str,
    findings: RefCell<Vec<Finding>>,
}

impl<'t> Notes<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, findings: RefCell::default() }
    }

    pub(crate) fn note(&self, span: Range<usize>, message: impl Into<String>) {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        self.findings.borrow_mut().push(Finding { line, message: message.into() });
    }

    /// Returns what was noted, in the order of the lines.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        findings.sort();
        findings.dedup();
        findings
    }
}

/// A table being read. Keys that nobody asked for are told when it is dropped from [`Section::finish`].
pub(crate) struct Section<'a, 't> {
    notes: &'a Notes<'t>,
    table: &'a DeTable<'a>,
    name: String,
    pub(crate) span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a, 't> Section<'a, 't> {
    pub(crate) fn root(notes: &'a Notes<'t>, table: &'a DeTable<'a>) -> Self {
        Self { notes, table, name: String::new(), span: 0..0, asked: RefCell::default() }
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(k, _)| k.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("{} is {wanted}, not {}", self.full(key), value.get_ref().type_str());
        self.notes.note(value.span(), message);
    }

    fn missing(&self, key: &str, wanted: &str) {
        self.notes.note(self.span.clone(), format!("{} is missing: {wanted}", self.full(key)));
    }

    /// Reads a table that may be absent.
    pub(crate) fn table(&self, key: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        let (notes, name, span) = (self.notes, self.full(key), value.span());
        Some(Section { notes, table, name, span, asked: RefCell::default() })
    }

    /// Reads a table that must be there.
    pub(crate) fn needed_table(&self, key: &'static str, wanted: &str) -> Option<Self> {
        if !self.table.iter().any(|(k, _)| k.get_ref().as_ref() == key) {
            self.missing(key, wanted);
        }
        self.table(key)
    }

    /// Reads a text that may be absent.
    pub(crate) fn text(&self, key: &'static str) -> Option<(&'a str, Range<usize>)> {
        let value = self.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => return Some((text, value.span())),
            Some(_) => self.notes.note(value.span(), format!("{} is empty", self.full(key))),
            None => self.wrong_type(key, value, "a text"),
        }
        None
    }

    /// Reads a text that must be there.
    pub(crate) fn needed_text(&self, key: &'static str, wanted: &str) -> Option<(&'a str, Range<usize>)> {
        if !self.table.iter().any(|(k, _)| k.get_ref().as_ref() == key) {
            self.missing(key, wanted);
        }
        self.text(key)
    }

    /// Reads a whole number within bounds that may be absent.
    pub(crate) fn number(
        &self,
        key: &'static str,
        least: usize,
        most: usize,
    ) -> Option<(usize, Range<usize>)> {
        let value = self.get(key)?;
        let Some(written) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "a whole number");
            return None;
        };
        let number = usize::from_str_radix(written.as_str(), written.radix()).ok();
        let found = number.filter(|n| (least..=most).contains(n));
        if found.is_none() {
            self.notes.note(value.span(), format!("{} is a number from {least} to {most}", self.full(key)));
        }
        found.map(|n| (n, value.span()))
    }

    /// Reads a number that must be there.
    pub(crate) fn needed_number(&self, key: &'static str, least: usize, most: usize) -> Option<usize> {
        if !self.table.iter().any(|(k, _)| k.get_ref().as_ref() == key) {
            self.missing(key, "a number");
        }
        self.number(key, least, most).map(|(n, _)| n)
    }

    /// Reads a list of texts, none of them twice; absent reads as empty.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<(&'a str, Range<usize>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts");
            return Vec::new();
        };
        let mut texts: Vec<(&str, Range<usize>)> = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                None => self.wrong_type(key, item, "a list of texts"),
                Some(text) if texts.iter().any(|(have, _)| *have == text) => {
                    self.notes.note(item.span(), format!("{text:?} stands twice in {}", self.full(key)));
                }
                Some(text) => texts.push((text, item.span())),
            }
        }
        texts
    }

    /// Reads a list that must be there and not be empty.
    pub(crate) fn needed_texts(&self, key: &'static str, wanted: &str) -> Vec<(&'a str, Range<usize>)> {
        match self.table.iter().find(|(k, _)| k.get_ref().as_ref() == key) {
            None => self.missing(key, wanted),
            Some((_, value)) if value.get_ref().as_array().is_some_and(|a| a.is_empty()) => {
                self.notes.note(value.span(), format!("{} is empty: {wanted}", self.full(key)));
            }
            Some(_) => {}
        }
        self.texts(key)
    }

    /// Notes the keys that nobody asked for, with the nearest one that exists.
    pub(crate) fn finish(self) {
        let known = self.asked.into_inner();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let place = if self.name.is_empty() { "the file".to_owned() } else { format!("[{}]", self.name) };
            let nearest = known.iter().map(|k| (distance(name, k), k)).min().filter(|(d, _)| *d <= 3);
            let hint = match nearest {
                Some((_, near)) => format!("did you mean {near}?"),
                None => format!("it knows {}", known.join(", ")),
            };
            self.notes.note(key.span(), format!("{place} knows no {name}; {hint}"));
        }
    }
}

/// The number of single-letter edits between two words (Levenshtein), for keys of a few letters.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let changed = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = changed.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_are_counted_in_edits() {
        assert_eq!(distance("postions", "positions"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
