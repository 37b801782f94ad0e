//! What a word is: letters and digits side by side, compared without accents and in lower case. Vietnamese is written in
//! syllables, so a term of several is a phrase. A sign of the Chinese script is a word of its own.

use congvu_types::fold;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// A longer word is cut: nobody types it, and encoded data are full of them.
const LONGEST: usize = 64;

/// Signs that are written inside words and say nothing: soft hyphen, zero-width spaces and joiners.
const fn is_silent(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Whether a word may go on beyond this: a letter, a digit, or what belongs to the letter before it.
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_silent(c) || is_combining_mark(c)
}

/// Writing without spaces, sign by sign.
const fn stands_alone(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{31fff}')
}

/// Returns the words of a text, folded, in order.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    each(text, |word| found.push(word.to_owned()));
    found
}

/// Writes the words of a text behind those that are there already, a space between two, until there are `most` bytes. Returns
/// whether there were more.
pub(super) fn append(out: &mut String, text: &str, most: usize) -> bool {
    // No more of the text is folded than can be kept: four bytes of it become one at the least.
    let mut end = text.len().min(most.saturating_mul(4));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut is_cut = end < text.len();
    each(text.get(..end).unwrap_or_default(), |word| {
        is_cut |= out.len() + word.len() >= most;
        if !is_cut {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    });
    is_cut
}

fn each(text: &str, mut visit: impl FnMut(&str)) {
    let folded = fold(text);
    let mut word = String::new();
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            visit(cut(word));
            word.clear();
        }
    };
    for c in folded.chars() {
        if stands_alone(c) && c.is_alphanumeric() {
            flush(&mut word);
            word.push(c);
            flush(&mut word);
        } else if c.is_alphanumeric() {
            word.push(c);
        } else if !is_silent(c) {
            flush(&mut word);
        }
    }
    flush(&mut word);
}

fn cut(word: &str) -> &str {
    if word.len() <= LONGEST {
        return word;
    }
    let mut end = LONGEST;
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word.get(..end).unwrap_or_default()
}

/// A word where it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Its bytes in the text.
    pub(super) place: Range<usize>,
    /// As it is compared.
    pub(super) word: String,
}

/// Returns the words of a text with their places, at most `most` of them.
pub(super) fn spans(text: &str, most: usize) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut start: Option<usize> = None;
    let mut close = |start: &mut Option<usize>, end: usize| {
        let Some(from) = start.take() else { return };
        let piece = text.get(from..end).unwrap_or_default();
        let folded: String = fold(piece).chars().filter(|c| !is_silent(*c)).collect();
        if !folded.is_empty() && found.len() < most {
            found.push(Span { place: from..end, word: cut(&folded).to_owned() });
        }
    };
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() && stands_alone(c) {
            close(&mut start, at);
            start = Some(at);
            close(&mut start, at + c.len_utf8());
        } else if c.is_alphanumeric() {
            start.get_or_insert(at);
        } else if !is_letter(c) {
            close(&mut start, at);
        }
    }
    close(&mut start, text.len());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_compared_whatever_their_accents() {
        let expected = ["khanh", "hoa"];
        for text in
            ["Khánh Hòa", "khanh hoa", "KHÁNH HOÀ", "Kha\u{301}nh Ho\u{300}a", "Khánh\u{ad} H\u{200b}òa"]
        {
            assert_eq!(words(text), expected, "{text:?}");
        }
        assert_eq!(words("Số 123/CV-BQL, ngày 5.2"), ["so", "123", "cv", "bql", "ngay", "5", "2"]);
        assert_eq!(words("đường_Đi"), ["duong", "di"]);
        assert_eq!(words("北京 ok"), ["北", "京", "ok"]);
        assert_eq!(words(" --- "), [""; 0]);
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(64)]);
    }

    #[test]
    fn what_is_kept_of_a_text_is_bounded() {
        let mut kept = "a".to_owned();
        assert!(!append(&mut kept, "bê", 10));
        assert!(append(&mut kept, "tông cốt thép", 10));
        assert_eq!(kept, "a be tong");
    }

    proptest! {
        #[test]
        fn words_in_their_places_are_the_same_words(text in "\\PC{0,60}|[a-zA-Zđăâêôơư \u{300}\u{301}\u{323}北,.-]{0,40}") {
            let placed = spans(&text, 1000);
            for span in &placed {
                prop_assert!(text.get(span.place.clone()).is_some());
            }
            let placed: Vec<String> = placed.into_iter().map(|s| s.word).collect();
            prop_assert_eq!(placed, words(&text));
        }
    }
}
