//! The readable text of a message: transfer encoding and charset undone.

use crate::Part;
use mail_parser::decoders::{
    base64::base64_decode, charsets::map::charset_decoder, html::html_to_text,
    quoted_printable::quoted_printable_decode,
};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

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
    let charset = part.param("charset").unwrap_or("us-ascii").to_ascii_lowercase();
    let other = match charset.as_str() {
        "us-ascii" | "utf-8" | "utf8" => None,
        other => charset_decoder(other.as_bytes()),
    };
    match (other, std::str::from_utf8(&bytes)) {
        (Some(decode), _) => decode(&bytes),
        (None, Ok(text)) => text.to_owned(),
        (None, Err(_)) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Returns a text part as text in NFC.
pub(crate) fn decode_text(raw: &[u8], part: &Part) -> String {
    let text = decode_charset(raw, part);
    if text.is_ascii() { text } else { text.nfc().collect() }
}

/// Returns the text of the first text/plain part that is no attachment; made from HTML when there is none.
#[must_use]
pub fn text_body(raw: &[u8], root: &Part) -> String {
    match first_of(root, "plain") {
        Some(part) => decode_text(raw, part),
        None => first_of(root, "html").map_or_else(String::new, |part| html_to_text(&decode_text(raw, part))),
    }
}

/// Returns the text of the first text/html part that is no attachment.
#[must_use]
pub fn html_body(raw: &[u8], root: &Part) -> Option<String> {
    first_of(root, "html").map(|part| decode_text(raw, part))
}

/// The first readable part of `text/subtype`, outside messages within.
fn first_of<'p>(part: &'p Part, subtype: &str) -> Option<&'p Part> {
    if part.is_multipart() {
        return part.children.iter().find_map(|child| first_of(child, subtype));
    }
    let is_attachment = part.disposition.as_ref().is_some_and(|(kind, _)| kind == "attachment");
    (part.media_type == "text" && part.subtype == subtype && !is_attachment).then_some(part)
}

/// The first words for a list: at most 256 characters of readable text on one line.
pub(crate) fn preview(raw: &[u8], root: &Part) -> String {
    const LONGEST: usize = 256;
    let Some(found) = first_of(root, "plain").or_else(|| first_of(root, "html")) else {
        return String::new();
    };
    // Only the beginning is looked at: a preview never needs more. In HTML, styles come before words.
    let is_html = found.subtype == "html";
    let enough = if is_html { 32 * 1024 } else { 4 * 1024 };
    let mut part = found.clone();
    part.body.end = part.body.end.min(part.body.start.saturating_add(enough));
    let text = decode_charset(raw, &part);
    let text = if is_html { html_to_text(&text) } else { text };
    let mut out = String::with_capacity(LONGEST);
    let mut length = 0;
    for word in text.split_whitespace().filter(|w| !w.starts_with('>')) {
        let before = out.len();
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !c.is_control()).nfc());
        length += out[before..].chars().count();
        if length > LONGEST {
            out.truncate(before);
            break;
        }
    }
    out
}
