//! Header fields as they stand on the wire (RFC 5322 §2.2), and edits that never touch the body.

use crate::words;
use congvu_types::composed;
use std::ops::Range;

/// A header field: its name and its raw value, folding included, without the last line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as written.
    pub name: &'a [u8],
    /// Everything after the colon.
    pub value: &'a [u8],
    /// Where the field begins in the bytes given.
    pub start: usize,
    /// Where the next field begins.
    pub end: usize,
}

impl Field<'_> {
    /// Returns whether this is the field `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Iterates over the fields of a header, up to the empty line.
pub fn fields(raw: &[u8]) -> Fields<'_> {
    Fields { raw, at: 0 }
}

/// The iterator of [`fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let start = self.at;
            let rest = self.raw.get(start..)?;
            if rest.is_empty() || rest.starts_with(b"\r\n") || rest.starts_with(b"\n") {
                return None;
            }
            self.at = start + field_len(rest);
            let whole = &self.raw[start..self.at];
            // A line without a colon is no field; it is passed over, as every reader does.
            let Some(colon) = memchr::memchr(b':', whole) else { continue };
            let name = whole[..colon].trim_ascii_end();
            if name.is_empty() || name.iter().any(|b| *b <= b' ' || *b > 126) {
                continue;
            }
            let value = strip_line_end(&whole[colon + 1..]);
            return Some(Field { name, value, start, end: self.at });
        }
    }
}

/// The length of one field with its folded lines and line end.
fn field_len(rest: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match memchr::memchr(b'\n', &rest[at..]) {
            None => return rest.len(),
            Some(newline) => at += newline + 1,
        }
        if !matches!(rest.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
}

fn strip_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// Returns where the header ends and where the body begins.
#[must_use]
pub fn split(raw: &[u8]) -> (Range<usize>, usize) {
    let mut at = 0;
    loop {
        let rest = &raw[at..];
        if rest.starts_with(b"\r\n") {
            return (0..at, at + 2);
        }
        if rest.starts_with(b"\n") {
            return (0..at, at + 1);
        }
        match memchr::memchr(b'\n', rest) {
            Some(newline) => at += newline + 1,
            None => return (0..raw.len(), raw.len()),
        }
    }
}

/// Returns the first field of this name.
#[must_use]
pub fn get<'a>(raw: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(raw).find(|field| field.is(name))
}

/// The fields that say who sends.
const SENDERS: [&str; 5] = ["From", "Sender", "Reply-To", "Resent-From", "Resent-Sender"];

/// Returns whether the header is made of fields alone (RFC 5322 §2.2): each line has a name without blanks and a colon, or
/// goes on a field before it. Of other lines some programs make a field, some the end of the header. Blanks before the colon
/// are of old (§4.5) and harmless, but where they would hide who sends.
#[must_use]
pub fn is_well_formed(raw: &[u8]) -> bool {
    let (header, _) = split(raw);
    let mut rest = &raw[header];
    while !rest.is_empty() {
        let (field, after) = rest.split_at(field_len(rest));
        let name = field.split(|b| *b == b':').next().unwrap_or_default();
        let bare = name.trim_ascii_end();
        let names_sender = || SENDERS.iter().any(|sender| bare.eq_ignore_ascii_case(sender.as_bytes()));
        let is_name = !bare.is_empty() && name.len() < field.len() && bare.iter().all(u8::is_ascii_graphic);
        if !is_name || (bare.len() < name.len() && names_sender()) {
            return false;
        }
        rest = after;
    }
    true
}

/// Counts the fields of this name, such as `Received`.
#[must_use]
pub fn count(raw: &[u8], name: &str) -> usize {
    fields(raw).filter(|field| field.is(name)).count()
}

/// Returns whether this is an Authentication-Results field of `host`: its authserv-id (RFC 8601 §2.2: a token or a quoted
/// string, comments before it) read with all that quoting allows, so that none of ours can be forged by spelling.
#[must_use]
pub fn is_result_of(field: &Field<'_>, host: &str) -> bool {
    if !field.is("Authentication-Results") {
        return false;
    }
    let text = unfold(field.value);
    let mut bytes = text.iter().copied().peekable();
    let (mut depth, mut quoted, mut id) = (0_u32, false, Vec::new());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if depth > 0 => drop(bytes.next()),
            b'\\' => id.extend(bytes.next()),
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b';' if !quoted => break,
            // A version may follow the name.
            b' ' | b'\t' if !quoted && !id.is_empty() => break,
            b' ' | b'\t' => {}
            other => id.push(other),
        }
    }
    let id = id.strip_suffix(b".").unwrap_or(&id);
    id.eq_ignore_ascii_case(host.as_bytes())
}

/// Joins folded lines into one and trims (RFC 5322 §2.2.3).
#[must_use]
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = value.iter().copied().filter(|b| *b != b'\r' && *b != b'\n').collect();
    while out.last().is_some_and(u8::is_ascii_whitespace) {
        out.pop();
    }
    let lead = out.iter().take_while(|b| b.is_ascii_whitespace()).count();
    out.drain(..lead);
    out
}

/// Returns a value for the eye: encoded words decoded (RFC 2047), in NFC, on one line, without control characters (which
/// databases and terminals do not take well: PostgreSQL stores no NUL).
#[must_use]
pub fn decode(value: &[u8]) -> String {
    let plain = unfold(value);
    if plain.is_ascii() && memchr::memmem::find(&plain, b"=?").is_none() {
        return plain.into_iter().map(char::from).filter_map(printable).collect();
    }
    let text = words::decode(&plain);
    // windows-1258 decodes to base letters and combining marks: compose them.
    composed(text).chars().filter_map(printable).collect()
}

/// A tab becomes a space; other control characters go.
fn printable(c: char) -> Option<char> {
    match c {
        '\t' => Some(' '),
        c => (!c.is_control()).then_some(c),
    }
}

/// Returns the message with `field` (complete, with its CRLF) put before everything else.
#[must_use]
pub fn prepend(field: &[u8], raw: &[u8]) -> Vec<u8> {
    [field, raw].concat()
}

/// Returns the message without the fields for which `drop` says so; the body is untouched.
#[must_use]
pub fn remove(raw: &[u8], mut drop: impl FnMut(&Field<'_>) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut kept = 0;
    for field in fields(raw) {
        if drop(&field) {
            out.extend_from_slice(&raw[kept..field.start]);
            kept = field.end;
        }
    }
    out.extend_from_slice(&raw[kept..]);
    out
}

/// Turns bare LF and bare CR into CRLF, for what arrives by ways that have no line endings of their own.
#[must_use]
pub fn to_crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                out.extend_from_slice(b"\r\n");
                if bytes.peek() == Some(&b'\n') {
                    bytes.next();
                }
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] =
        b"Subject: one\r\n two\r\nBad line\r\nReceived: a\r\nreceived: b\r\n\r\nSubject: body\r\n";

    #[test]
    fn fields_end_at_the_empty_line_and_keep_their_folds() {
        let names: Vec<_> = fields(RAW).map(|f| String::from_utf8_lossy(f.name).into_owned()).collect();
        assert_eq!(names, ["Subject", "Received", "received"]);
        assert_eq!(get(RAW, "subject").map(|f| unfold(f.value)), Some(b"one two".to_vec()));
        assert_eq!(count(RAW, "Received"), 2);
        assert_eq!(split(RAW).1, RAW.len() - 15);
    }

    #[test]
    fn removing_a_field_leaves_the_body_alone() {
        let left = remove(RAW, |f| f.is("received") || f.is("subject"));
        assert_eq!(left, b"Bad line\r\n\r\nSubject: body\r\n");
    }

    #[test]
    fn encoded_words_are_decoded_and_composed() {
        assert_eq!(decode(b" =?utf-8?B?S8OtbmggZ+G7rWk=?="), "Kính gửi");
        assert_eq!(decode("Kha\u{0301}nh".as_bytes()), "Khánh");
        assert_eq!(decode(b" plain\r\n text "), "plain text");
    }

    #[test]
    fn control_characters_are_not_for_the_eye() {
        assert_eq!(decode(b"a\0b\x1b[2J\x7f\tc"), "ab[2J c");
        assert_eq!(decode("à\0\tb".as_bytes()), "à b");
        assert_eq!(decode(b"=?utf-8?Q?a=00=1Bb?="), "ab");
    }

    #[test]
    fn our_own_results_are_known_however_they_are_spelled() {
        let is_ours = |value: &str| {
            let raw = format!("Authentication-Results: {value}\r\n\r\n").into_bytes();
            is_result_of(&fields(&raw).next().unwrap(), "mx.a.example")
        };
        for ours in [
            "mx.a.example; spf=pass",
            "MX.A.example 1; spf=pass",
            "(x (y) \\) z) mx.a.example(c); spf=pass",
            "\"mx.a.example\"; spf=pass",
            "\"m\\x.a\\.example\"; spf=pass",
            "\" mx.a.example \" 1; spf=pass",
            "m\\x.a.example; spf=pass",
            "\r\n\tmx.a.example.;\r\n\tspf=pass",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in ["other.example; spf=pass", "mx.a.example.org; x=y", "(mx.a.example) other.example; x=y"]
        {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn every_line_end_becomes_crlf() {
        assert_eq!(to_crlf(b"a\nb\r\nc\rd"), b"a\r\nb\r\nc\r\nd");
    }
}
