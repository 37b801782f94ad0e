//! What of a message is shown with a hit: the words around what was found, and where in them it stands (RFC 8621 §5).

use super::{
    document::LIMITS,
    expression::{Expression, Phrase},
    words::{Span, spans},
};
use congvu_message::{AttachmentText, Envelope, attachment_texts, headers, parse_structure, text_body};
use congvu_storage::Fields;
use std::ops::Range;

/// Characters of a snippet: with marks and in UTF-8 about the 255 bytes of RFC 8621 §5.
const LONGEST: usize = 150;
/// Characters before the first hit.
const BEFORE: usize = 40;
/// Words of a text that are looked at.
const MOST_WORDS: usize = 40_000;
/// Places that are marked.
const MOST_MARKS: usize = 32;

/// A text with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The text, on one line.
    pub text: String,
    /// Bytes of it to be marked, in order, none over another.
    pub marks: Vec<Range<usize>>,
}

/// What is shown of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    /// The subject, when something was found in it.
    pub subject: Option<Marked>,
    /// Some of the text, or of an attachment, when something was found there.
    pub preview: Option<Marked>,
}

/// Makes the snippet of a message.
#[must_use]
pub fn snippet(raw: &[u8], expression: &Expression) -> Snippet {
    let phrases = expression.phrases();
    let of = |fields: Fields| -> Vec<&Phrase> {
        phrases
            .iter()
            .copied()
            .filter(|p| fields.places().any(|f| p.fields().places().any(|g| f == g)))
            .collect()
    };
    let root = parse_structure(raw);
    let envelope = Envelope::read(raw);
    let subject = headers::decode(envelope.subject.as_deref().unwrap_or_default().as_bytes());
    let subject = marked(&subject, &of(Fields::SUBJECT), usize::MAX);
    let wanted = of(Fields::BODY);
    let preview = if wanted.is_empty() { None } else { marked(&text_body(raw, &root), &wanted, LONGEST) };
    let wanted = of(Fields::ATTACHMENT);
    let preview = preview.or_else(|| {
        let files = if wanted.is_empty() { Vec::new() } else { attachment_texts(raw, &root, &LIMITS) };
        files.into_iter().find_map(|AttachmentText { name, text }| {
            marked(format!("{name}: {text}").trim_end_matches([':', ' ']), &wanted, LONGEST)
        })
    });
    Snippet { subject, preview }
}

/// Marks phrases in a text and cuts it around the place where most of them stand; `None` when there is nothing to mark.
pub(super) fn marked(text: &str, phrases: &[&Phrase], longest: usize) -> Option<Marked> {
    let spans = spans(text, MOST_WORDS);
    let found = places(&spans, phrases);
    let window = window(text, &found, longest)?;
    let mut out = String::new();
    let mut marks: Vec<Range<usize>> = Vec::new();
    let mut last_was_space = true;
    let mut mark_from = None;
    let mut inside = found.iter().filter(|r| r.start >= window.start && r.end <= window.end).peekable();
    for (at, c) in text.get(window.clone())?.char_indices().map(|(at, c)| (at + window.start, c)) {
        while let Some(range) = inside.peek() {
            match mark_from {
                Some(from) if at >= range.end => {
                    marks.push(from..out.len());
                    mark_from = None;
                    inside.next();
                }
                None if at >= range.start => {
                    mark_from = Some(out.len());
                    break;
                }
                _ => break,
            }
        }
        let is_space = c.is_whitespace() || c.is_control();
        if !is_space {
            out.push(c);
        } else if !last_was_space {
            out.push(' ');
        }
        last_was_space = is_space;
    }
    if let Some(from) = mark_from {
        marks.push(from..out.len());
    }
    let end = out.trim_end().len();
    out.truncate(end);
    marks.iter_mut().for_each(|m| m.end = m.end.min(end));
    Some(Marked { text: out, marks })
}

/// The places of phrases in a text, in order, none over another.
fn places(spans: &[Span], phrases: &[&Phrase]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for phrase in phrases {
        let words = phrase.words();
        let last = words.len().saturating_sub(1);
        let is = |(n, (wanted, span)): (usize, (&String, &Span))| match n == last && phrase.is_prefix() {
            true => span.word.starts_with(wanted.as_str()),
            false => span.word == *wanted,
        };
        let hits = spans.windows(words.len().max(1)).filter(|run| words.iter().zip(*run).enumerate().all(is));
        found.extend(
            hits.filter_map(|run| Some(run.first()?.place.start..run.last()?.place.end)).take(MOST_MARKS * 8),
        );
    }
    found.sort_by_key(|r| (r.start, r.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The part of a text to show: from a little before a hit, where most of them are.
fn window(text: &str, found: &[Range<usize>], longest: usize) -> Option<Range<usize>> {
    found.first()?;
    if longest == usize::MAX {
        return Some(0..text.len());
    }
    // A character is at most four bytes; the number of hits within reach is counted in bytes, which is near enough.
    let reach = longest.saturating_sub(BEFORE);
    let (mut best, mut most, mut last) = (0, 0, 0);
    for (at, hit) in found.iter().enumerate() {
        while found.get(last).is_some_and(|r| r.end <= hit.start + reach) {
            last += 1;
        }
        if last.saturating_sub(at) > most {
            (best, most) = (at, last - at);
        }
    }
    let hit = found.get(best)?;
    let before = text.get(..hit.start)?;
    let mut start = before.char_indices().rev().take(BEFORE).last().map_or(hit.start, |(at, _)| at);
    if start > 0 {
        // Not from the middle of a word.
        start += text.get(start..hit.start)?.find(char::is_whitespace).unwrap_or(hit.start - start);
    }
    let rest = text.get(start..)?;
    let end = rest.char_indices().nth(longest).map_or(text.len(), |(at, _)| start + at);
    let end = end.max(hit.end);
    let whole = text.get(hit.end..end)?.rfind(char::is_whitespace).map_or(end, |at| hit.end + at);
    Some(start..if end == text.len() { end } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, asked: &str) -> Option<(String, Vec<String>)> {
        let expression = Expression::text(Fields::ALL, asked);
        let marked = marked(text, &expression.phrases(), LONGEST)?;
        let marks = marked.marks.iter().map(|r| marked.text[r.clone()].to_owned()).collect();
        Some((marked.text, marks))
    }

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        let (text, marks) =
            shown("Kính gửi:\r\n  UBND tỉnh Khánh Hoà,\r\nKhánh hòa!", "\"khanh hoa\" ubnd").unwrap();
        assert_eq!(text, "Kính gửi: UBND tỉnh Khánh Hoà, Khánh hòa!");
        assert_eq!(marks, ["UBND", "Khánh Hoà", "Khánh hòa"]);
        assert_eq!(shown("Kính gửi", "khong"), None);
    }

    #[test]
    fn a_long_text_is_cut_around_it() {
        let long = format!("{} kinh phí dự án {}", "một hai ba ".repeat(500), "bốn năm ".repeat(500));
        let (text, marks) = shown(&long, "kinh phi").unwrap();
        assert!(text.chars().count() <= LONGEST && text.chars().count() > LONGEST / 2);
        assert_eq!(marks, ["kinh", "phí"]);
        assert!(text.contains("ba kinh phí dự án bốn"), "{text}");
    }

    #[test]
    fn a_snippet_says_where_it_was_found() {
        let raw = "Subject: Bao cao tuan\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nnothing here\r\n--m\r\n\
            Content-Type: text/plain; name=\"du toan.txt\"\r\n\r\nkinh phi nam nay\r\n--m--\r\n";
        let snippet = snippet(raw.as_bytes(), &Expression::text(Fields::ALL, "tuần \"kinh phí\""));
        assert_eq!(snippet.subject.unwrap().text, "Bao cao tuan");
        assert_eq!(snippet.preview.unwrap().text, "du toan.txt: kinh phi nam nay");
        let only = super::snippet(raw.as_bytes(), &Expression::text(Fields::SUBJECT, "kinh"));
        assert_eq!(only, Snippet::default());
    }

    proptest! {
        #[test]
        fn marks_lie_in_their_text(text in "[ab đà\u{300}北\n ]{0,600}", asked in "[ab đ\"北]{0,8}") {
            let expression = Expression::text(Fields::ALL, &asked);
            if let Some(marked) = marked(&text, &expression.phrases(), LONGEST) {
                let mut last = 0;
                for mark in &marked.marks {
                    prop_assert!(mark.start >= last && marked.text.get(mark.clone()).is_some());
                    last = mark.end;
                }
                prop_assert!(!marked.marks.is_empty());
            }
        }
    }
}
