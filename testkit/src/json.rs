//! JSON transcripts: what is asked and what must come, as anyone can read it.
//!
//! `>` begins what is sent, `<` what must come; both may go on over lines. In what must come, `"…"` stands for anything, as an
//! item of a list for any further items, and as a name of an object for any further names. `"$name"` captures a text the
//! first time and is compared afterwards; in what is sent it is replaced, within longer texts too.

use serde_json::{Map, Value};
use std::collections::HashMap;

/// A piece of a transcript.
#[derive(Debug)]
pub enum Piece {
    /// To be sent.
    Send(Value),
    /// To come.
    Expect(Value),
}

/// Reads a transcript.
#[must_use]
pub fn pieces(script: &str) -> Vec<Piece> {
    let mut found: Vec<(char, String)> = Vec::new();
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match (line.chars().next(), found.last_mut()) {
            (Some(mark @ ('>' | '<')), _) => found.push((mark, line[1..].to_owned())),
            (_, Some((_, text))) => text.push_str(line),
            (_, None) => panic!("a transcript begins with > or <: {line:?}"),
        }
    }
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"));
    found
        .into_iter()
        .map(|(mark, text)| if mark == '>' { Piece::Send(read(&text)) } else { Piece::Expect(read(&text)) })
        .collect()
}

/// What was captured so far.
#[derive(Debug, Default, Clone)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Gives a name a value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Returns what a name stands for; panics when it was not captured.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("${name} was not captured"))
    }

    /// Puts values for names.
    #[must_use]
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (self.fill_text(name), self.fill(value)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    fn fill_text(&self, text: &str) -> String {
        let mut names: Vec<&String> = self.0.keys().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_owned(), |text, name| text.replace(&format!("${name}"), &self.0[name]))
    }

    /// Says where what came does not fit, if anywhere.
    pub fn mismatch(&mut self, pattern: &Value, came: &Value) -> Option<String> {
        match (pattern, came) {
            (Value::String(p), _) if p == "…" => None,
            (Value::String(p), Value::String(text)) => self.text_mismatch(p, text),
            (Value::Array(patterns), Value::Array(items)) => self.list_mismatch(patterns, items),
            (Value::Object(patterns), Value::Object(map)) => self.object_mismatch(patterns, map),
            (p, c) if p == c => None,
            (p, c) => Some(format!("expected {p}, got {c}")),
        }
    }

    fn text_mismatch(&mut self, pattern: &str, text: &str) -> Option<String> {
        match pattern.strip_prefix('$').filter(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_')) {
            Some(name) if !self.0.contains_key(name) => {
                self.set(name, text);
                None
            }
            _ => {
                let filled = self.fill_text(pattern);
                let fits = match filled.split_once('…') {
                    Some((before, after)) => {
                        text.len() >= before.len() + after.len()
                            && text.starts_with(before)
                            && text.ends_with(after)
                    }
                    None => filled == text,
                };
                (!fits).then(|| format!("expected {filled:?}, got {text:?}"))
            }
        }
    }

    fn list_mismatch(&mut self, patterns: &[Value], items: &[Value]) -> Option<String> {
        let goes_on = patterns.last().is_some_and(|p| p == "…") && patterns.len() != items.len();
        let fixed = if goes_on { patterns.len() - 1 } else { patterns.len() };
        if items.len() < fixed || (!goes_on && items.len() != fixed) {
            return Some(format!("expected {fixed} items, got {}: {}", items.len(), Value::from(items)));
        }
        patterns
            .iter()
            .take(fixed)
            .zip(items)
            .enumerate()
            .find_map(|(at, (pattern, item))| self.mismatch(pattern, item).map(|why| format!("[{at}] {why}")))
    }

    fn object_mismatch(&mut self, patterns: &Map<String, Value>, map: &Map<String, Value>) -> Option<String> {
        let goes_on = patterns.contains_key("…");
        let filled: HashMap<String, &Value> =
            patterns.iter().filter(|(n, _)| *n != "…").map(|(n, v)| (self.fill_text(n), v)).collect();
        for (name, pattern) in &filled {
            let Some(value) = map.get(name) else {
                return Some(format!("{name:?} is missing in {}", Value::Object(map.clone())));
            };
            if let Some(why) = self.mismatch(pattern, value) {
                return Some(format!("/{name} {why}"));
            }
        }
        let more = map.keys().find(|name| !goes_on && !filled.contains_key(*name));
        more.map(|name| format!("{name:?} was not expected: {}", map[name]))
    }
}
