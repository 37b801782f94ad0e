//! The readable text of a message: transfer encoding and charset undone.

use crate::{Part, charset, headers};
use congvu_types::composed;
use mail_parser::decoders::{
    base64::base64_decode, html::html_to_text, quoted_printable::quoted_printable_decode,
};
use std::borrow::Cow;

/// Returns a part's bytes with the transfer encoding undone (RFC 2045 §6). What cannot be decoded is shown as it is.
#[must_use]
pub fn decode_part<'a>(raw: &'a [u8], part: &Part) -> Cow<'a, [u8]> {
    let body = raw.get(part.body.start as usize..part.body.end as usize).unwrap_or_default();
    let decoded = match part.encoding.as_str() {
        "base64" => base64_decode(body),
        "quoted-printable" => quoted_printable_decode(body),
        _ => None,
    };
    decoded.map_or(Cow::Borrowed(body), Cow::Owned)
}

/// Returns a text part as text, as its characters were composed.
fn decode_charset(raw: &[u8], part: &Part) -> String {
    let bytes = decode_part(raw, part);
    match part.subtype.as_str() {
        "html" => charset::decode_html(part.param("charset"), &bytes),
        _ => charset::decode(part.param("charset").unwrap_or_default(), &bytes, None),
    }
}

/// A text part as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartText {
    /// The text, as its characters were composed.
    pub text: String,
    /// Whether something of it could not be decoded (RFC 8621 §4.1.4 `isEncodingProblem`).
    pub is_problem: bool,
}

/// Returns a text part as text, transfer encoding and charset undone.
#[must_use]
pub fn part_text(raw: &[u8], part: &Part) -> PartText {
    let text = decode_charset(raw, part);
    let is_known =
        matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary" | "base64" | "quoted-printable");
    PartText { is_problem: !is_known || text.contains('\u{fffd}'), text }
}

/// Returns a text part as text in NFC.
pub(crate) fn decode_text(raw: &[u8], part: &Part) -> String {
    composed(decode_charset(raw, part))
}

/// The parts that are read as the text of a message. Every other leaf is an attachment: there is no third place where
/// words could hide from who reviews them (S9.1, Điều 9).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text<'p> {
    plain: Option<&'p Part>,
    html: Option<&'p Part>,
}

impl<'p> Text<'p> {
    /// The first text of the message, outside messages within; where it is one of several forms (RFC 2046 §5.1.4), its
    /// other form too.
    pub(crate) fn of(root: &'p Part) -> Self {
        match choice(root) {
            Some(part) if part.is_multipart() => {
                Self { plain: first_of(part, "plain"), html: first_of(part, "html") }
            }
            Some(part) if part.subtype == "html" => Self { plain: None, html: Some(part) },
            found => Self { plain: found, html: None },
        }
    }

    /// Whether this part is read as the text.
    pub(crate) fn holds(&self, part: &Part) -> bool {
        [self.plain, self.html].into_iter().flatten().any(|chosen| std::ptr::eq(chosen, part))
    }
}

/// Returns the parts that are read as the text of a message: one, two forms of it, or none.
#[must_use]
pub fn text_parts(root: &Part) -> Vec<&Part> {
    let Text { plain, html } = Text::of(root);
    plain.into_iter().chain(html).collect()
}

/// Returns the plain text of a message; made from its HTML when there is none.
#[must_use]
pub fn text_body(raw: &[u8], root: &Part) -> String {
    let text = Text::of(root);
    match text.plain {
        Some(part) => decode_text(raw, part),
        None => text.html.map_or_else(String::new, |part| html_to_text(&decode_text(raw, part))),
    }
}

/// Returns the HTML of a message's text.
#[must_use]
pub fn html_body(raw: &[u8], root: &Part) -> Option<String> {
    Text::of(root).html.map(|part| decode_text(raw, part))
}

/// Returns the HTML form of a message's text when it may say something that the plain form does not: other words, however
/// they are spaced, or a picture.
#[must_use]
pub fn html_of_its_own<'p>(raw: &[u8], root: &'p Part) -> Option<&'p Part> {
    let text = Text::of(root);
    let (plain, html) = (text.plain?, text.html?);
    let markup = decode_text(raw, html);
    let lower = markup.to_ascii_lowercase();
    let has_picture = ["<img", "<svg", "data:"].iter().any(|mark| lower.contains(mark));
    let (shown, words) = (decode_text(raw, plain), html_to_text(&markup));
    (has_picture || !shown.split_whitespace().eq(words.split_whitespace())).then_some(html)
}

/// The first text part, or the outermost multipart/alternative around it.
fn choice(part: &Part) -> Option<&Part> {
    if !part.is_multipart() {
        return is_text(part, "plain").or_else(|| is_text(part, "html"));
    }
    let found = part.children.iter().find_map(choice)?;
    Some(if part.subtype == "alternative" { part } else { found })
}

fn is_text<'p>(part: &'p Part, subtype: &str) -> Option<&'p Part> {
    let is_attachment = part.disposition.as_ref().is_some_and(|(kind, _)| kind == "attachment");
    (part.media_type == "text" && part.subtype == subtype && !is_attachment).then_some(part)
}

/// Returns all that can be read in a message below its header, for searches: every text part, attached ones too, HTML as its
/// words, and of messages within their headers besides (RFC 9051 §6.4.4 BODY).
#[must_use]
pub fn all_text(raw: &[u8], root: &Part) -> String {
    let mut text = String::new();
    root.walk(&mut |part| {
        if part.is_message() {
            let header =
                part.children.first().map(|inner| inner.header.start as usize..inner.header.end as usize);
            for field in headers::fields(header.and_then(|range| raw.get(range)).unwrap_or_default()) {
                text.push_str(&headers::decode(field.value));
                text.push('\n');
            }
        } else if part.media_type == "text" {
            let words = decode_text(raw, part);
            text.push_str(&if part.subtype == "html" { html_to_text(&words) } else { words });
            text.push('\n');
        }
    });
    text
}

/// The first readable part of `text/subtype`, outside messages within.
fn first_of<'p>(part: &'p Part, subtype: &str) -> Option<&'p Part> {
    if part.is_multipart() {
        return part.children.iter().find_map(|child| first_of(child, subtype));
    }
    is_text(part, subtype)
}

/// The first words for a list: at most 256 characters of readable text on one line.
pub(crate) fn preview(raw: &[u8], root: &Part) -> String {
    const LONGEST: usize = 256;
    let text = Text::of(root);
    let Some(found) = text.plain.or(text.html) else { return String::new() };
    // Only the beginning is looked at: a preview never needs more. In HTML, styles come before words.
    let is_html = found.subtype == "html";
    let enough = if is_html { 32 * 1024 } else { 4 * 1024 };
    let mut part = found.clone();
    part.body.end = part.body.end.min(part.body.start.saturating_add(enough));
    let text = decode_charset(raw, &part);
    let text = composed(if is_html { html_to_text(&text) } else { text });
    let mut out = String::with_capacity(LONGEST);
    let mut length = 0;
    for word in text.split_whitespace().filter(|w| !w.starts_with('>')) {
        let before = out.len();
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !c.is_control()));
        length += out[before..].chars().count();
        if length > LONGEST {
            out.truncate(before);
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_structure;

    #[test]
    fn html_is_its_own_when_it_says_something_else() {
        let differs = |html: &str| {
            let raw = format!(
                "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nDear all,\r\nsee below\r\n--b\r\n\
                 Content-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
            );
            html_of_its_own(raw.as_bytes(), &parse_structure(raw.as_bytes())).is_some()
        };
        assert!(!differs("<p>Dear all,</p>\r\n<p>see  <b>below</b></p>"));
        assert!(differs("<p>Dear all,</p><p>see below</p><p>the budget</p>"));
        assert!(differs("<p>Dear all,</p><p>see below</p><IMG src=x>"));
        let alone = b"Content-Type: text/html\r\n\r\n<p>x</p>\r\n";
        assert!(html_of_its_own(alone, &parse_structure(alone)).is_none());
    }

    #[test]
    fn a_search_sees_every_text() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\n<p class=3Dhidden>K=C3=ADnh <b>g=E1=BB=ADi</b></p>\r\n--b\r\n\
            Content-Type: text/csv\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxi\r\n\
            --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?b=C3=A1o_c=C3=A1o?=\r\n\r\ninner\r\n--b--\r\n";
        let text = all_text(raw.as_bytes(), &parse_structure(raw.as_bytes()));
        for word in ["first", "Kính gửi", "a,b", "báo cáo", "inner"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains("class"));
    }
}
