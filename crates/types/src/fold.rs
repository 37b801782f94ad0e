//! Text made comparable: without Vietnamese accents, without case.
//!
//! Latin letters with their accents come from a table, since whole mailboxes are folded in a search; whatever else there is
//! goes through the decomposition of Unicode.

use std::sync::LazyLock;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Latin-1 to Latin Extended-B, and the additional letters, which Vietnamese is written with.
const BLOCKS: [(u32, u32); 2] = [(0x00C0, 0x0250), (0x1E00, 0x1F00)];

struct Plain {
    /// The letter without its accents, for each code point of both blocks.
    kept: [Vec<char>; 2],
    /// The same in lower case.
    lower: [Vec<char>; 2],
}

static PLAIN: LazyLock<Plain> = LazyLock::new(|| {
    let block = |(from, until)| (from..until).filter_map(char::from_u32).map(decomposed).collect::<Vec<_>>();
    let kept = BLOCKS.map(block);
    // A letter whose lower case is more than one character is none of ours and keeps its case.
    let small = |c: &char| {
        let mut lower = c.to_lowercase();
        lower.next().filter(|_| lower.next().is_none()).unwrap_or(*c)
    };
    let lower = [0, 1].map(|n| kept.get(n).into_iter().flatten().map(small).collect());
    Plain { kept, lower }
});

/// The letter that accents stand on.
fn decomposed(c: char) -> char {
    match c {
        'đ' => 'd',
        'Đ' => 'D',
        other => std::iter::once(other).nfd().next().unwrap_or(other),
    }
}

/// Returns a text spelled without Vietnamese accents: "Điều 9" becomes "Dieu 9". For protocols that are ASCII alone.
#[must_use]
pub fn without_accents(text: &str) -> String {
    each(text, &PLAIN.kept, |ascii| ascii, |out, c| out.push(c))
}

/// Returns a text for comparison, without accents and in lower case: "ĐIỀU" and "điêu" become "dieu".
#[must_use]
pub fn fold(text: &str) -> String {
    each(text, &PLAIN.lower, |ascii| ascii.to_ascii_lowercase(), |out, c| out.extend(c.to_lowercase()))
}

/// Returns a text in NFC. One in which nothing combines, as almost every text is, comes back as it is.
#[must_use]
pub fn composed(text: String) -> String {
    // Latin letters, signs, and what Vietnamese is written with: none of them is ever composed any further.
    let is_whole = |c: char| matches!(u32::from(c), 0..0x0300 | 0x1E00..0x1F00 | 0x2010..0x2028);
    if text.chars().all(is_whole) { text } else { text.nfc().collect() }
}

fn each(
    text: &str,
    table: &[Vec<char>; 2],
    ascii: impl Fn(u8) -> u8,
    other: impl Fn(&mut String, char),
) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if let Ok(byte) = u8::try_from(c)
            && byte.is_ascii()
        {
            out.push(char::from(ascii(byte)));
            continue;
        }
        let code = u32::from(c);
        let known = BLOCKS
            .iter()
            .zip(table)
            .find_map(|((from, _), letters)| letters.get(usize::try_from(code.checked_sub(*from)?).ok()?));
        match known {
            Some(plain) => out.push(*plain),
            None => {
                std::iter::once(c).nfd().filter(|c| !is_combining_mark(*c)).for_each(|c| other(&mut out, c))
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accents_are_taken_off_whatever_the_form() {
        assert_eq!(without_accents("Điều 9, khoản ĐẶNG"), "Dieu 9, khoan DANG");
        assert_eq!(without_accents("Cho\u{31b}\u{300}"), "Cho");
        assert_eq!(fold("Khánh HOÀ = Khánh Hòa, Ưu tiên"), "khanh hoa = khanh hoa, uu tien");
        assert_eq!(fold("ΆΛΦΑ Ёж"), "αλφα еж");
    }

    #[test]
    fn no_letter_that_is_passed_over_could_be_composed() {
        for c in (0..0x2100).filter_map(char::from_u32) {
            let text = String::from(c);
            assert_eq!(composed(text.clone()), text.nfc().collect::<String>(), "{c:?}");
        }
        assert_eq!(composed("Ho\u{300}a".to_owned()), "Hòa");
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_decomposition_says(text in "[A-Za-z\u{80}-\u{24f}\u{300}-\u{36f}\u{1e00}-\u{1fff}đĐ]{0,40}") {
            let slowly: String = text
                .nfd()
                .filter(|c| !is_combining_mark(*c))
                .map(|c| match c { 'đ' => 'd', 'Đ' => 'D', other => other })
                .collect();
            prop_assert_eq!(without_accents(&text), slowly);
            prop_assert_eq!(composed(text.clone()), text.nfc().collect::<String>());
        }
    }
}
