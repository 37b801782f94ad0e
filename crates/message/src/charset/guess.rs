//! A careful guess at bytes whose label lies. Each reading is judged by how many of the words with bytes beyond ASCII become
//! Vietnamese syllables; another reading than the declared one is taken only when it is right about nearly all of them and the
//! declared one about clearly fewer.

use super::{syllable::is_syllable, tables};
use congvu_types::composed;
use encoding_rs::{Encoding, WINDOWS_1252, WINDOWS_1258};
use std::{borrow::Cow, collections::HashSet};

/// No more words than this are looked at, nor more bytes.
const MOST_WORDS: usize = 2_000;
const MOST_BYTES: usize = 1024 * 1024;
/// A word that is longer is none.
const LONGEST_WORD: usize = 40;

/// What the fonts of a text say of its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint {
    /// A font of the ABC family, such as `.VnTime`.
    Tcvn,
    /// A font of the VNI family, such as `VNI-Times`.
    Vni,
}

impl Hint {
    /// What the name of a font says, such as `ABCDEF+.VnTime`.
    pub(crate) fn of_font(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let own = name.split(|b| *b == b'+').next_back()?;
        match own {
            [b'.', b'v', b'n', ..] => Some(Self::Tcvn),
            [b'v', b'n', b'i', b'-', ..] => Some(Self::Vni),
            _ => None,
        }
    }

    /// Looks for the names of fonts where markup names fonts.
    pub(crate) fn of_markup(markup: &[u8]) -> Option<Self> {
        const ABC: [&[u8]; 10] = [
            b"time", b"arial", b"avant", b"courier", b"book", b"helv", b"century", b"bodoni", b"3d",
            b"univer",
        ];
        let markup = markup.get(..markup.len().min(MOST_BYTES))?.to_ascii_lowercase();
        let after = |needle: &'static [u8]| {
            memchr::memmem::find_iter(&markup, needle)
                .filter_map(|at| {
                    let before = at.checked_sub(1).and_then(|at| markup.get(at))?;
                    b"=:\"', ;".contains(before).then(|| markup.get(at + needle.len()..))?
                })
                .collect::<Vec<_>>()
        };
        if after(b".vn").iter().any(|rest| ABC.iter().any(|name| rest.starts_with(name))) {
            return Some(Self::Tcvn);
        }
        let is_font = |rest: &&[u8]| rest.first().is_some_and(u8::is_ascii_alphabetic);
        after(b"vni-").iter().any(is_font).then_some(Self::Vni)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Utf8,
    Abc,
    Vni,
    Windows1258,
    Viscii,
}

impl Reading {
    fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Abc => tables::abc(bytes),
            Self::Vni => tables::vni(bytes),
            Self::Windows1258 => WINDOWS_1258.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Viscii => tables::viscii(bytes),
        }
    }
}

/// Returns the text when another reading than the declared one is clearly better.
pub(super) fn decode(bytes: &[u8], declared: &'static Encoding, hint: Option<Hint>) -> Option<String> {
    let sample = bytes.get(..bytes.len().min(MOST_BYTES))?;
    let mut readings = vec![Reading::Abc, Reading::Vni, Reading::Viscii];
    if declared != WINDOWS_1258 {
        readings.push(Reading::Windows1258);
    }
    if std::str::from_utf8(bytes).is_ok() {
        readings.insert(0, Reading::Utf8);
    }
    choose(sample, declared, &readings, hint).map(|reading| reading.of(bytes))
}

/// Returns text in Unicode whose letters were meant for a font: all of them are signs of windows-1252, and read as the bytes
/// that these were they are Vietnamese. Where a font says so, single words are read so among others.
pub(crate) fn reread(text: &str, hint: Option<Hint>) -> Cow<'_, str> {
    let bytes: Option<Vec<u8>> = text.chars().map(windows_1252).collect();
    match (bytes, hint) {
        (Some(bytes), _) => {
            let sample = bytes.get(..bytes.len().min(MOST_BYTES)).unwrap_or_default();
            let found = choose(sample, WINDOWS_1252, &[Reading::Abc, Reading::Vni, Reading::Viscii], hint);
            found.map_or(Cow::Borrowed(text), |reading| Cow::Owned(reading.of(&bytes)))
        }
        (None, None) => Cow::Borrowed(text),
        (None, Some(hint)) => Cow::Owned(reread_words(text, hint)),
    }
}

fn reread_words(text: &str, hint: Hint) -> String {
    let reading = if hint == Hint::Tcvn { Reading::Abc } else { Reading::Vni };
    let is_word = |c: char| !c.is_ascii() || c.is_ascii_alphabetic();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = is_word(first);
        let end = rest.find(|c| is_word(c) != kind).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let bytes: Option<Vec<u8>> = Some(word)
            .filter(|w| kind && !w.is_ascii() && w.len() <= LONGEST_WORD)
            .and_then(|w| w.chars().map(windows_1252).collect());
        let read = bytes.map(|bytes| reading.of(&bytes)).filter(|read| is_good(read) && !is_good(word));
        out.push_str(read.as_deref().unwrap_or(word));
    }
    out
}

/// The byte that a character has in windows-1252.
fn windows_1252(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..0x80 | 0xa0..0x100) => u8::try_from(code).ok(),
        0x100.. => {
            let mut buffer = [0; 4];
            let (bytes, _, has_errors) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
            bytes.first().copied().filter(|_| !has_errors)
        }
        _ => None,
    }
}

/// The words that have bytes beyond ASCII, each once. A byte by itself says nothing: a dash, `à`, `é`.
fn words(bytes: &[u8]) -> Vec<&[u8]> {
    let is_word = |b: &u8| !b.is_ascii() || b.is_ascii_alphabetic();
    let mut seen = HashSet::new();
    bytes
        .split(|b| !is_word(b))
        .filter(|word| word.len() > 1 && !word.is_ascii() && seen.insert(*word))
        .take(MOST_WORDS)
        .collect()
}

/// Whether a word begins or ends with this byte.
fn bytes_at_edges(bytes: &[u8], byte: u8) -> bool {
    memchr::memchr_iter(byte, bytes).any(|at| {
        let is_edge = |at: Option<&u8>| at.is_none_or(|b| b.is_ascii() && !b.is_ascii_alphabetic());
        is_edge(at.checked_sub(1).and_then(|at| bytes.get(at))) || is_edge(bytes.get(at + 1))
    })
}

fn choose(
    bytes: &[u8],
    declared: &'static Encoding,
    readings: &[Reading],
    hint: Option<Hint>,
) -> Option<Reading> {
    let words = words(bytes);
    // `»` at a word's edge is a quotation mark: in ABC it is `ằ`, which stands within words, in VISCII the rare `Ừ`.
    let is_quoting = hint.is_none() && bytes_at_edges(bytes, 0xbb);
    let good = |read: &dyn Fn(&[u8]) -> String| {
        words.iter().filter(|word| word.len() <= LONGEST_WORD && is_good(&read(word))).count()
    };
    let as_declared = |word: &[u8]| declared.decode_without_bom_handling(word).0.into_owned();
    let base = good(&as_declared);
    let mut best: Option<(usize, Reading)> = None;
    for reading in readings {
        if is_quoting && matches!(reading, Reading::Abc | Reading::Viscii) {
            continue;
        }
        let score = good(&|word| reading.of(word));
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, *reading));
        }
    }
    let (score, reading) = best?;
    let is_hinted =
        matches!((hint, reading), (Some(Hint::Tcvn), Reading::Abc) | (Some(Hint::Vni), Reading::Vni));
    if is_hinted {
        return (score > base && score * 2 >= words.len()).then_some(reading);
    }
    let is_odd = words.iter().any(|word| is_odd(&as_declared(word)));
    let clearly = score * 5 >= words.len() * 4 && base * 3 <= score * 2;
    // Of two words both must fit; where the declared reading has nothing odd about it, three.
    let enough = match score {
        0 | 1 => false,
        2 => {
            score == words.len()
                && base == 0
                && (is_odd || reading != Reading::Abc && reading != Reading::Viscii)
        }
        3..6 => {
            (score + 1 >= words.len()) && (is_odd || reading != Reading::Abc && reading != Reading::Viscii)
        }
        _ => is_odd || reading != Reading::Abc,
    };
    (clearly && enough).then_some(reading)
}

/// Whether a word as it is read is Vietnamese with a letter beyond ASCII: dashes and quotes may stand at it.
fn is_good(word: &str) -> bool {
    let word = composed(word.to_owned());
    let mut has_letter = false;
    for piece in word.split(|c| matches!(c, '\u{a0}' | '\u{2010}'..='\u{2027}')).filter(|p| !p.is_ascii()) {
        if !is_syllable(piece) {
            return false;
        }
        has_letter = true;
    }
    has_letter
}

/// Whether a word looks like none in Latin letters: a sign after a letter, or a capital beyond ASCII after a small letter.
fn is_odd(word: &str) -> bool {
    let is_sign = |c: char| {
        matches!(c, '\u{80}'..='\u{bf}') && !matches!(c, '\u{a0}' | 'º' | '°' | '»' | '²' | '³' | '®')
    };
    word.chars().zip(word.chars().skip(1)).any(|(before, c)| {
        before.is_alphabetic() && is_sign(c) || before.is_lowercase() && !c.is_ascii() && c.is_uppercase()
    })
}
