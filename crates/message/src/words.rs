//! Encoded words in the values of header fields (RFC 2047). Words of one charset side by side are decoded as one: programs cut
//! characters in two, and a guess at a charset needs all the words it can have.

use crate::charset;
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// What writers leave out or get wrong at the end of base64 is no matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// RFC 2047 §2 has 75 characters; programs write more, but who looks further for an end that may be missing looks long.
const LONGEST_WORD: usize = 4 * 1024;

/// One encoded word: its charset, its bytes, and how much of the text it takes.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    length: usize,
}

/// Bytes of one charset that were not decoded yet.
#[derive(Default)]
struct Pending {
    /// `None` for what stands outside of encoded words.
    charset: Option<String>,
    bytes: Vec<u8>,
}

impl Pending {
    fn flush(&mut self, out: &mut String) {
        let label = self.charset.take().unwrap_or_default();
        out.push_str(&charset::decode(&label, &std::mem::take(&mut self.bytes), None));
    }
}

/// Returns the text of an unfolded value; blanks between two encoded words are not shown (RFC 2047 §6.2).
pub(crate) fn decode(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    let mut pending = Pending::default();
    let mut rest = value;
    while !rest.is_empty() {
        let at = memchr::memmem::find(rest, b"=?").unwrap_or(rest.len());
        let (before, from) = rest.split_at(at);
        let word = encoded_word(from);
        let is_between =
            pending.charset.is_some() && word.is_some() && before.iter().all(u8::is_ascii_whitespace);
        if !before.is_empty() && !is_between {
            plain(before, &mut pending, &mut out);
        }
        let Some(word) = word else {
            let taken = from.len().min(2);
            let (mark, after) = from.split_at(taken);
            if !mark.is_empty() {
                plain(mark, &mut pending, &mut out);
            }
            rest = after;
            continue;
        };
        if pending.charset.as_deref().is_none_or(|charset| !charset.eq_ignore_ascii_case(word.charset)) {
            pending.flush(&mut out);
            pending.charset = Some(word.charset.to_owned());
        }
        pending.bytes.extend(word.bytes);
        rest = from.get(word.length..).unwrap_or_default();
    }
    pending.flush(&mut out);
    out
}

fn plain(bytes: &[u8], pending: &mut Pending, out: &mut String) {
    if pending.charset.is_some() {
        pending.flush(out);
    }
    pending.bytes.extend_from_slice(bytes);
}

/// Reads `"=?" charset "?" encoding "?" encoded-text "?="` (RFC 2047 §2). Blanks within are none by the grammar, but programs
/// write them.
fn encoded_word(text: &[u8]) -> Option<Word<'_>> {
    let inner = text.strip_prefix(b"=?")?;
    let mut pieces = inner.splitn(3, |b| *b == b'?');
    let (charset, encoding, encoded) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let charset =
        std::str::from_utf8(charset).ok().filter(|c| c.len() >= 2 && !c.contains(char::is_whitespace))?;
    let near = encoded.get(..encoded.len().min(LONGEST_WORD)).unwrap_or_default();
    let end = memchr::memmem::find(near, b"?=")?;
    let encoded = encoded.get(..end)?;
    let bytes = match encoding {
        b"q" | b"Q" => quoted(encoded),
        b"b" | b"B" => base64(encoded)?,
        _ => return None,
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + end + 2;
    Some(Word { charset, bytes, length })
}

/// The "Q" encoding (RFC 2047 §4.2).
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(b'='),
            },
            (other, _) => out.push(*other),
        }
    }
    out
}

/// The "B" encoding (RFC 2047 §4.1); several pieces with padding of their own may stand in a row.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for piece in text.split(|b| *b == b'=') {
        let piece: Vec<u8> = piece.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        // A last digit alone holds less than a byte.
        let whole = if piece.len() % 4 == 1 { piece.len() - 1 } else { piece.len() };
        out.extend(BASE64.decode(piece.get(..whole)?).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_as_others_decode_them() {
        for (value, expected) in [
            ("=?iso-8859-1?q?this=20is=20some=20text?=", "this is some text"),
            ("=?ISO-8859-1*?Q?a?=", "a"),
            ("=?utf-8*vi?Q?=E1=BB=87?=", "ệ"),
            // RFC 2047 §8
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("=?ISO-8859-1?Q?a?= b", "a b"),
            ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a_b?=", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
            ("=?shift_jis?B?g26DjYFbgUWDj4Fbg4uDaA==?=", "ハロー・ワールド"),
            // a character cut in two
            ("=?utf-8?Q?=E1=BB?= =?utf-8?Q?=87?=", "ệ"),
            ("=?utf-8?B?4bs=?= =?utf-8?B?hw==?=", "ệ"),
            ("=?utf-8?B?4buH?", "=?utf-8?B?4buH?"),
            ("=?utf-8?X?a?= =?", "=?utf-8?X?a?= =?"),
            ("a =? b ?= c", "a =? b ?= c"),
            ("=?utf-8?Q?a=?=", "a="),
            ("=?utf-8?Q??= x", " x"),
        ] {
            assert_eq!(decode(value.as_bytes()), expected, "{value}");
        }
        // Beginnings without an end, or that are none, cost no more than their length.
        let open = "=?aa?b?*".repeat(200_000);
        assert_eq!(decode(open.as_bytes()), open);
    }
}
