//! Tokens (RFC 5228 §8.1).

use crate::fault::{Fault, ScriptError};

/// A place in the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) const fn error(self, fault: Fault) -> ScriptError {
        ScriptError { line: self.line, column: self.column, fault }
    }
}

/// A token; names are in lower case, for they are not told apart by it (§2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Identifier(String),
    Tag(String),
    Number(u64),
    Text(String),
    /// One of `( ) [ ] { } , ;`
    Mark(char),
    End,
}

/// Reads a script token by token.
pub(crate) struct Lexer<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Lexer<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text, place: Place { line: 1, column: 1 } }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\n' {
            self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        Some(c)
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, after) = self.rest.split_at(end);
        while self.rest.len() > after.len() {
            self.take();
        }
        taken
    }

    /// `white-space = 1*(SP / CRLF / HTAB) / comment`
    fn skip_blanks(&mut self) -> Result<(), ScriptError> {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r' | '\n') => drop(self.take()),
                Some('#') => drop(self.take_while(|c| c != '\n')),
                Some('/') if self.rest.starts_with("/*") => {
                    let open = self.place;
                    let end = self
                        .rest
                        .get(2..)
                        .and_then(|r| r.find("*/"))
                        .ok_or(open.error(Fault::OpenComment))?;
                    let after = self.rest.len() - end - 4;
                    while self.rest.len() > after {
                        self.take();
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Returns the next token and where it begins.
    pub(crate) fn next(&mut self) -> Result<(Place, Token), ScriptError> {
        self.skip_blanks()?;
        let place = self.place;
        let Some(first) = self.peek() else { return Ok((place, Token::End)) };
        let token = match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' => {
                self.take();
                Token::Mark(first)
            }
            '"' => Token::Text(self.quoted(place)?),
            ':' => {
                self.take();
                let name = self.identifier();
                if name.is_empty() {
                    return Err(place.error(Fault::Expected("a tag behind the colon")));
                }
                Token::Tag(name)
            }
            '0'..='9' => Token::Number(self.number(place)?),
            _ => {
                let name = self.identifier();
                match name.as_str() {
                    "" => return Err(place.error(Fault::Unexpected(first))),
                    "text" if self.peek() == Some(':') => Token::Text(self.multi_line(place)?),
                    _ => Token::Identifier(name),
                }
            }
        };
        Ok((place, token))
    }

    /// `identifier = (ALPHA / "_") *(ALPHA / DIGIT / "_")`
    fn identifier(&mut self) -> String {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return String::new();
        }
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_ascii_lowercase()
    }

    /// `number = 1*DIGIT [ QUANTIFIER ]`
    fn number(&mut self, place: Place) -> Result<u64, ScriptError> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        let unit = match self.peek().map(|c| c.to_ascii_uppercase()) {
            Some('K') => 1 << 10,
            Some('M') => 1 << 20,
            Some('G') => 1 << 30,
            _ => 1,
        };
        if unit > 1 {
            self.take();
        }
        if self.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
            return Err(self.place.error(Fault::Expected("a number, with K, M or G at most")));
        }
        let number = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
        number.filter(|n| *n <= 1 << 42).ok_or(place.error(Fault::LargeNumber))
    }

    /// `quoted-string = DQUOTE quoted-text DQUOTE`
    fn quoted(&mut self, place: Place) -> Result<String, ScriptError> {
        self.take();
        let mut text = String::new();
        while let Some(c) = self.take() {
            match c {
                '"' => return Ok(text),
                '\\' => text.extend(self.take()),
                other => text.push(other),
            }
        }
        Err(place.error(Fault::OpenString))
    }

    /// `multi-line = "text:" *(SP / HTAB) (hash-comment / CRLF) *(multiline-literal / multiline-dotstart) "." CRLF`
    fn multi_line(&mut self, place: Place) -> Result<String, ScriptError> {
        self.take();
        self.take_while(|c| c == ' ' || c == '\t');
        if self.peek() == Some('#') {
            self.take_while(|c| c != '\n');
        }
        if self.peek() == Some('\r') {
            self.take();
        }
        if self.take() != Some('\n') {
            return Err(place.error(Fault::Expected("a new line behind text:")));
        }
        let mut text = String::new();
        loop {
            if self.rest.is_empty() {
                return Err(place.error(Fault::OpenString));
            }
            let line = self.take_while(|c| c != '\n');
            let ended = self.take().is_some();
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line == "." {
                return Ok(text);
            }
            if !ended {
                return Err(place.error(Fault::OpenString));
            }
            text.push_str(line.strip_prefix('.').filter(|l| l.starts_with('.')).unwrap_or(line));
            text.push_str("\r\n");
        }
    }
}
