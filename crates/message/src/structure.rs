//! The MIME structure of a message (RFC 2045, RFC 2046) with the place of every part in the bytes.

use crate::{Envelope, headers};
use std::ops::Range;

/// No message is split into more parts than this. What is left then of each multipart that is open is one opaque part at
/// its end, so at most [`MAX_DEPTH`] come on top: no byte behind a delimiter lies in no part.
pub const MAX_PARTS: usize = 1_000;
/// No deeper than this.
pub const MAX_DEPTH: usize = 64;
/// Names, parameters and envelopes of all parts take no more than this; further parts are shown with their types alone. The
/// structure is stored beside the message and read by the page.
const MAX_TEXT: usize = 256 * 1024;

/// A parameter list: lower-case names, values unquoted but otherwise as on the wire.
pub type Params = Vec<(String, String)>;

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// `text`, `multipart` …, lower case.
    pub media_type: String,
    /// `plain`, `mixed` …, lower case.
    pub subtype: String,
    /// Parameters of Content-Type.
    pub params: Params,
    /// `Content-ID`.
    pub id: Option<String>,
    /// `Content-Description`.
    pub description: Option<String>,
    /// `Content-Transfer-Encoding`, lower case; `7bit` when absent.
    pub encoding: String,
    /// `Content-Disposition` and its parameters.
    pub disposition: Option<(String, Params)>,
    /// `Content-Language`.
    pub language: Option<String>,
    /// `Content-Location`.
    pub location: Option<String>,
    /// The part's header in the message, without the empty line.
    pub header: Range<u32>,
    /// The part's body in the message.
    pub body: Range<u32>,
    /// Lines of the body.
    pub lines: u32,
    /// Parts of a multipart; for `message/rfc822` the one root part of the message within.
    pub children: Vec<Self>,
    /// For `message/rfc822`: the envelope of the message within.
    pub envelope: Option<Box<Envelope>>,
}

impl Part {
    /// Returns whether this is a multipart.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.media_type == "multipart"
    }

    /// Returns whether this holds a message.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.media_type == "message" && matches!(self.subtype.as_str(), "rfc822" | "global")
    }

    /// Returns a parameter of Content-Type.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Visits this part and all below it, those of messages within too, in order.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}

/// Reads the structure of a whole message.
#[must_use]
pub fn parse_structure(raw: &[u8]) -> Part {
    parse(raw).0
}

/// Returns whether a message is within the limits, so that its structure tells everything apart and names it.
#[must_use]
pub fn is_within_limits(raw: &[u8]) -> bool {
    parse(raw).1
}

fn parse(raw: &[u8]) -> (Part, bool) {
    let mut parser = Parser { raw, parts: 0, text: MAX_TEXT, is_whole: true };
    let root = parser.part(0..raw.len().min(u32::MAX as usize), 0, false);
    (root, parser.is_whole)
}

struct Parser<'a> {
    raw: &'a [u8],
    parts: usize,
    /// How much text parts may still have.
    text: usize,
    /// Whether no limit was reached.
    is_whole: bool,
}

#[expect(clippy::cast_possible_truncation, reason = "parse_structure looks at no more than 4 GiB")]
const fn place(range: &Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

impl Parser<'_> {
    fn part(&mut self, range: Range<usize>, depth: usize, in_digest: bool) -> Part {
        self.parts += 1;
        let bytes = &self.raw[range.clone()];
        let (header, body_start) = headers::split(bytes);
        let body = range.start + body_start..range.end;
        let mut part = read_header(&bytes[header.clone()], in_digest);
        if !self.take_text(text_of(&part)) {
            make_plain(&mut part);
            self.is_whole = false;
        }
        part.header = place(&(range.start..range.start + header.end));
        part.body = place(&body);
        part.lines = self.lines(&body);
        if depth >= MAX_DEPTH || self.parts >= MAX_PARTS {
            self.is_whole &= !part.is_multipart() && !part.is_message();
            return opaque(part);
        }
        if part.is_message() {
            let identity = matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary");
            if !identity {
                return opaque(part);
            }
            let envelope = Envelope::read(&self.raw[body.clone()]);
            let fits = self.take_text(envelope.text_bytes());
            part.envelope = Some(Box::new(if fits { envelope } else { Envelope::default() }));
            let child = self.part(body, depth + 1, false);
            part.children.push(child);
        } else if part.is_multipart() {
            self.split(&mut part, body, depth);
            if part.children.is_empty() {
                return opaque(part);
            }
        }
        part
    }

    fn lines(&self, body: &Range<usize>) -> u32 {
        u32::try_from(memchr::memchr_iter(b'\n', &self.raw[body.clone()]).count()).unwrap_or(u32::MAX)
    }

    /// What is no more split, as it stands.
    fn rest(&mut self, body: Range<usize>) -> Part {
        self.is_whole = false;
        Part {
            media_type: "application".to_owned(),
            subtype: "octet-stream".to_owned(),
            encoding: "7bit".to_owned(),
            header: place(&(body.start..body.start)),
            body: place(&body),
            lines: self.lines(&body),
            ..Part::default()
        }
    }

    /// Counts text against what all parts may have; returns whether there was room.
    fn take_text(&mut self, bytes: usize) -> bool {
        let left = self.text.checked_sub(bytes);
        self.text = left.unwrap_or(self.text);
        left.is_some()
    }

    fn split(&mut self, part: &mut Part, body: Range<usize>, depth: usize) {
        let Some(boundary) = part.param("boundary").filter(|b| !b.is_empty()) else { return };
        let marker = format!("--{boundary}");
        let in_digest = part.subtype == "digest";
        let mut open: Option<usize> = None;
        let mut at = body.start;
        let finder = memchr::memmem::Finder::new(marker.as_bytes());
        let raw = self.raw;
        while let Some(found) = finder.find(&raw[at..body.end]) {
            let start = at + found;
            let after = start + marker.len();
            at = after;
            let line_end = memchr::memchr(b'\n', &raw[after..body.end]).map_or(body.end, |n| after + n + 1);
            let rest = raw[after..line_end].trim_ascii_end();
            let at_line_start = start == body.start || raw[start - 1] == b'\n';
            if !at_line_start || !(rest.is_empty() || rest == b"--") {
                continue;
            }
            if let Some(from) = open.take() {
                let child = self.part(from..before_line_end(raw, from, start), depth + 1, in_digest);
                part.children.push(child);
            }
            if rest == b"--" {
                return;
            }
            if self.parts >= MAX_PARTS {
                let left = self.rest(line_end..body.end);
                part.children.push(left);
                return;
            }
            open = Some(line_end);
            at = line_end;
        }
        // RFC 2046 §5.1.2: a missing close delimiter; what is there is the last part.
        if let Some(from) = open {
            let child = self.part(from..body.end, depth + 1, in_digest);
            part.children.push(child);
        }
    }
}

/// How much text a part's description takes.
fn text_of(part: &Part) -> usize {
    let params =
        |params: &Params| params.iter().map(|(name, value)| name.len() + value.len() + 16).sum::<usize>();
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let disposition = part.disposition.as_ref().map_or(0, |(kind, of)| kind.len() + params(of));
    let words = part.media_type.len() + part.subtype.len() + part.encoding.len();
    let described = text(&part.id) + text(&part.description) + text(&part.language) + text(&part.location);
    words + described + disposition + params(&part.params)
}

/// Leaves of a description what is needed to take the part apart and to decode it.
fn make_plain(part: &mut Part) {
    const LONGEST: usize = 100;
    part.params
        .retain(|(name, value)| matches!(name.as_str(), "boundary" | "charset") && value.len() <= LONGEST);
    (part.id, part.description, part.language, part.location) = (None, None, None, None);
    part.disposition = None;
    if part.media_type.len().max(part.subtype.len()).max(part.encoding.len()) > LONGEST {
        part.media_type = "application".to_owned();
        part.subtype = "octet-stream".to_owned();
        part.encoding = "7bit".to_owned();
    }
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
fn before_line_end(raw: &[u8], from: usize, delimiter: usize) -> usize {
    let mut end = delimiter;
    if end > from && raw[end - 1] == b'\n' {
        end -= 1;
        if end > from && raw[end - 1] == b'\r' {
            end -= 1;
        }
    }
    end
}

/// What cannot be taken apart is shown as one opaque part, so that clients can still fetch it.
fn opaque(mut part: Part) -> Part {
    if part.is_multipart() || part.is_message() {
        part.media_type = "application".to_owned();
        part.subtype = "octet-stream".to_owned();
        part.children.clear();
        part.envelope = None;
    }
    part
}

fn read_header(header: &[u8], in_digest: bool) -> Part {
    let mut part = Part { encoding: "7bit".to_owned(), ..Part::default() };
    let text = |value: &[u8]| Some(String::from_utf8_lossy(&headers::unfold(value)).into_owned());
    for field in headers::fields(header) {
        if !field.name.get(..8).is_some_and(|p| p.eq_ignore_ascii_case(b"content-")) {
            continue;
        }
        match field.name[8..].to_ascii_lowercase().as_slice() {
            b"type" if part.media_type.is_empty() => {
                let (kind, params) = value_and_params(field.value);
                if let Some((media_type, subtype)) = kind.split_once('/') {
                    part.media_type = media_type.trim().to_owned();
                    part.subtype = subtype.trim().to_owned();
                    part.params = params;
                }
            }
            b"transfer-encoding" => {
                let encoding = value_and_params(field.value).0;
                if !encoding.is_empty() {
                    part.encoding = encoding;
                }
            }
            b"disposition" => {
                part.disposition = Some(value_and_params(field.value)).filter(|d| !d.0.is_empty())
            }
            b"id" => part.id = text(field.value),
            b"description" => part.description = text(field.value),
            b"language" => part.language = text(field.value),
            b"location" => part.location = text(field.value),
            _ => {}
        }
    }
    if part.media_type.is_empty() || part.subtype.is_empty() {
        // RFC 2045 §5.2, RFC 2046 §5.1.5: the defaults.
        let (media_type, subtype) = if in_digest { ("message", "rfc822") } else { ("text", "plain") };
        part.media_type = media_type.to_owned();
        part.subtype = subtype.to_owned();
        part.params =
            if in_digest { Vec::new() } else { vec![("charset".to_owned(), "us-ascii".to_owned())] };
    }
    part
}

/// Reads `value; name=value; name="quoted"` (RFC 2045 §5.1); the value in lower case.
pub(crate) fn value_and_params(raw: &[u8]) -> (String, Params) {
    let text = String::from_utf8_lossy(&headers::unfold(raw)).into_owned();
    let mut pieces = split_outside_quotes(&text);
    let value = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let params = pieces
        .filter_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            (!name.is_empty()).then(|| (name, unquote(value.trim())))
        })
        .take(64)
        .collect();
    (value, params)
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    let mut escaped = false;
    text.split(move |c| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' => escaped = in_quotes,
            '"' => in_quotes = !in_quotes,
            ';' => return !in_quotes,
            _ => {}
        }
        false
    })
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.split_whitespace().next().unwrap_or_default().to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_where_they_are() {
        let raw = b"Content-Type: multipart/mixed; boundary=\"b;1\"\r\n\r\npreamble\r\n--b;1\r\n\r\nfirst\r\n--b;1\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhello\r\n--b;1--\r\nepilogue\r\n";
        let root = parse_structure(raw);
        assert_eq!(root.children.len(), 2);
        let body = |p: &Part| &raw[p.body.start as usize..p.body.end as usize];
        assert_eq!(body(&root.children[0]), b"first");
        let inner = &root.children[1];
        assert_eq!(inner.envelope.as_ref().unwrap().subject.as_deref(), Some("inner"));
        assert_eq!(body(&inner.children[0]), b"hello");
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let mut deep = Vec::new();
        for level in 0..500 {
            deep.extend_from_slice(
                format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").as_bytes(),
            );
        }
        let mut count = 0;
        parse_structure(&deep).walk(&mut |_| count += 1);
        assert!(count <= MAX_DEPTH + 1, "{count}");
        let mut wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        wide.extend(b"--b\r\n\r\n\r\n".repeat(50_000));
        let mut count = 0;
        parse_structure(&wide).walk(&mut |_| count += 1);
        assert!(count <= MAX_PARTS + 1, "{count}");
        assert!(!is_within_limits(&deep) && !is_within_limits(&wide));
    }

    /// S9.1 (Điều 9): a message within that uses up the count hides nothing that follows it.
    #[test]
    fn what_follows_the_last_part_that_is_split_is_a_part_too() {
        let nested = |parts: usize| {
            let mut raw =
                b"Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n\r\nseen\r\n--out\r\n\
                Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n"
                    .to_vec();
            raw.extend(b"--in\r\n\r\n\r\n".repeat(parts));
            raw.extend(b"--in--\r\n--out\r\nContent-Type: application/x; name=secret.xlsx\r\n\r\nSECRET\r\n");
            raw.extend(b"--out\r\n\r\nlast\r\n--out--\r\n");
            raw
        };
        let few = nested(10);
        assert!(is_within_limits(&few));
        assert_eq!(parse_structure(&few).children.len(), 4);
        for parts in [MAX_PARTS - 5, MAX_PARTS - 4, MAX_PARTS, 2 * MAX_PARTS] {
            let raw = nested(parts);
            assert!(!is_within_limits(&raw), "{parts}");
            let root = parse_structure(&raw);
            let mut leaves = crate::text_parts(&root);
            leaves.extend(crate::attached(&root));
            let shown = |word: &[u8]| {
                let held = |part: &&Part| {
                    let body = &raw[part.body.start as usize..part.body.end as usize];
                    memchr::memmem::find(body, word).is_some()
                };
                leaves.iter().any(held)
            };
            assert!(shown(b"SECRET") && shown(b"last"), "{parts}");
        }
    }

    #[test]
    fn the_text_of_all_parts_is_bounded() {
        let long = format!("Content-Description: {}\r\n", "x".repeat(10_000));
        let inner = format!(
            "Content-Type: message/rfc822\r\n{long}\r\nSubject: {}\r\n\r\nhi\r\n",
            "y".repeat(10_000)
        );
        let mut wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        wide.extend(format!("--b\r\n{inner}").repeat(400).bytes());
        let root = parse_structure(&wide);
        assert_eq!(root.children.len(), 400);
        assert!(crate::encode_summary(&Envelope::default(), &root).len() < 2 * MAX_TEXT);
        assert_eq!(root.children[0].description.as_ref().map(String::len), Some(10_000));
        let last = root.children.last().unwrap();
        assert!(last.description.is_none() && last.is_message() && last.children.len() == 1);
    }
}
