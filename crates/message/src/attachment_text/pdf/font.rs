//! What the codes of a font mean (ISO 32000-1 §9.6, §9.7, §9.10) and how far they move the pen.

use super::{
    super::Work,
    file::File,
    object::{Dict, Lexer, Object},
};
use crate::charset::{Hint, abc, vni};
use encoding_rs::{MACINTOSH, WINDOWS_1252};
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;

/// No more codes of a font are known.
const MOST_CODES: usize = 70_000;

/// A font, as far as its text can be read.
pub(super) struct Font {
    /// Bytes of a code: one or two.
    code_bytes: usize,
    meanings: HashMap<u32, String>,
    /// Whether a two-byte code is UTF-16.
    is_utf16: bool,
    widths: HashMap<u32, f64>,
    default_width: Option<f64>,
    pub(super) hint: Option<Hint>,
    has_map: bool,
}

/// A code's meaning and width, in thousandths of the size.
pub(super) struct Glyph<'f> {
    pub(super) text: &'f str,
    pub(super) width: f64,
    pub(super) is_space: bool,
}

impl Font {
    pub(super) fn read(dict: &Dict, file: &File<'_>, work: &mut Work) -> Option<Self> {
        let get =
            |dict: &Dict, key: &[u8], work: &mut Work| dict.get(key).and_then(|o| file.resolve(o, work));
        let is_composite = dict.get(b"Subtype".as_slice()).and_then(Object::name) == Some(b"Type0");
        let name = get(dict, b"BaseFont", work);
        let mut font = Self {
            code_bytes: if is_composite { 2 } else { 1 },
            meanings: HashMap::new(),
            is_utf16: false,
            widths: HashMap::new(),
            default_width: None,
            hint: name.as_ref().and_then(Object::name).and_then(Hint::of_font),
            has_map: false,
        };
        work.step(2_000)?;
        let encoding = get(dict, b"Encoding", work);
        if is_composite {
            if let Some(name) = encoding.as_ref().and_then(Object::name) {
                font.is_utf16 = name.starts_with(b"Uni");
            }
            let descendants = get(dict, b"DescendantFonts", work);
            if let Some(Object::Array(fonts)) = descendants
                && let Some(inner) =
                    fonts.first().and_then(|f| file.resolve(f, work)).and_then(Object::into_dict)
            {
                font.cid_widths(&inner, file, work)?;
            }
        } else {
            font.simple(encoding.as_ref());
            font.simple_widths(dict, file, work)?;
        }
        if let Some(Object::Reference(number)) = dict.get(b"ToUnicode".as_slice())
            && let Some((_, map)) = file.stream(*number, work)
        {
            font.read_map(&map, work)?;
        }
        Some(font)
    }

    /// A one-byte encoding: its base, and what differs from it (§9.6.6).
    fn simple(&mut self, encoding: Option<&Object>) {
        let (base, differences) = match encoding {
            Some(Object::Dict(dict)) => (
                dict.get(b"BaseEncoding".as_slice()).and_then(Object::name),
                dict.get(b"Differences".as_slice()),
            ),
            Some(Object::Name(name)) => (Some(name.as_slice()), None),
            _ => (None, None),
        };
        let all: Vec<u8> = (32..=255).collect();
        let text = match (self.hint, base) {
            // Letters of a font that is older than Unicode, each by itself.
            (Some(Hint::Tcvn), _) => abc(&all),
            (Some(Hint::Vni), _) | (None, None | Some(b"WinAnsiEncoding" | b"StandardEncoding")) => {
                WINDOWS_1252.decode_without_bom_handling(&all).0.into_owned()
            }
            (None, Some(b"MacRomanEncoding")) => MACINTOSH.decode_without_bom_handling(&all).0.into_owned(),
            (None, Some(_)) => WINDOWS_1252.decode_without_bom_handling(&all).0.into_owned(),
        };
        self.meanings = (32..).zip(text.chars().map(String::from)).collect();
        let Some(Object::Array(differences)) = differences else { return };
        let mut code = 0_u32;
        for item in differences.iter().take(1_000) {
            match item {
                Object::Name(name) => {
                    if let Some(text) = glyph_name(name) {
                        self.meanings.insert(code & 0xff, text);
                    }
                    code = code.wrapping_add(1);
                }
                other => code = other.whole().unwrap_or(code),
            }
        }
    }

    fn simple_widths(&mut self, dict: &Dict, file: &File<'_>, work: &mut Work) -> Option<()> {
        let first = dict.get(b"FirstChar".as_slice()).and_then(Object::whole).unwrap_or(0);
        let Some(widths) = dict.get(b"Widths".as_slice()).and_then(|w| file.resolve(w, work)) else {
            return Some(());
        };
        let Object::Array(widths) = widths else { return Some(()) };
        for (code, width) in (first..).zip(widths.iter().take(256)) {
            self.widths.extend(width.number().map(|w| (code, w)));
        }
        work.step(widths.len())
    }

    /// `c [w …]` and `first last w` (§9.7.4.3).
    fn cid_widths(&mut self, dict: &Dict, file: &File<'_>, work: &mut Work) -> Option<()> {
        self.default_width = Some(dict.get(b"DW".as_slice()).and_then(Object::number).unwrap_or(1000.0));
        let Some(widths) = dict.get(b"W".as_slice()).and_then(|w| file.resolve(w, work)) else {
            return Some(());
        };
        let Object::Array(items) = widths else { return Some(()) };
        work.step(items.len())?;
        let mut rest = items.as_slice();
        while let [first, second, after @ ..] = rest {
            let Some(first) = first.whole() else { break };
            match (second, after) {
                (Object::Array(widths), _) => {
                    work.step(widths.len().saturating_mul(10))?;
                    for (code, width) in (first..).zip(widths) {
                        self.widths.extend(width.number().map(|w| (code, w)));
                    }
                    rest = after;
                }
                (last, [width, tail @ ..]) => {
                    let (Some(last), Some(width)) = (last.whole(), width.number()) else { break };
                    for code in first..=last.min(first.saturating_add(0xffff)) {
                        work.step(10)?;
                        self.widths.insert(code, width);
                    }
                    rest = tail;
                }
                _ => break,
            }
            if self.widths.len() > MOST_CODES {
                break;
            }
        }
        Some(())
    }

    /// A ToUnicode map (§9.10.3).
    fn read_map(&mut self, map: &[u8], work: &mut Work) -> Option<()> {
        let mut lexer = Lexer::new(map, 0);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = lexer.next() {
            work.step(4)?;
            let Object::Word(word) = object else {
                operands.push(object);
                if operands.len() > MOST_CODES {
                    return Some(());
                }
                continue;
            };
            match word.as_slice() {
                b"endcodespacerange" => {
                    if let Some(Object::Text(from)) = operands.first() {
                        self.code_bytes = from.len().clamp(1, 2);
                    }
                }
                b"endbfchar" => {
                    for pair in operands.chunks_exact(2) {
                        if let [Object::Text(code), Object::Text(text)] = pair {
                            work.step(40)?;
                            self.means(number(code), utf16(text));
                        }
                    }
                }
                b"endbfrange" => self.ranges(&operands, work)?,
                _ => {}
            }
            operands.clear();
        }
        Some(())
    }

    fn ranges(&mut self, operands: &[Object], work: &mut Work) -> Option<()> {
        for range in operands.chunks_exact(3) {
            match range {
                [Object::Text(from), Object::Text(_), Object::Array(texts)] => {
                    work.step(texts.len())?;
                    for (code, text) in (number(from)..).zip(texts) {
                        if let Object::Text(text) = text {
                            work.step(40)?;
                            self.means(code, utf16(text));
                        }
                    }
                }
                [Object::Text(from), Object::Text(to), Object::Text(first)] => {
                    let (from, to) = (number(from), number(to));
                    let Some((last, before)) = utf16(first).chars().next_back().map(|last| {
                        let text = utf16(first);
                        (
                            u32::from(last),
                            text.get(..text.len() - last.len_utf8()).unwrap_or_default().to_owned(),
                        )
                    }) else {
                        continue;
                    };
                    for code in from..=to.min(from.saturating_add(0xffff)) {
                        work.step(40 + before.len() / 8)?;
                        let Some(c) = char::from_u32(last.saturating_add(code - from)) else { break };
                        self.means(code, format!("{before}{c}"));
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn means(&mut self, code: u32, mut text: String) {
        text.retain(|c| c != '\0');
        self.has_map = true;
        if self.meanings.len() < MOST_CODES && text.len() <= 64 {
            self.meanings.insert(code, text);
        }
    }

    /// The glyphs that bytes show.
    pub(super) fn glyphs<'f>(&'f self, bytes: &'f [u8]) -> impl Iterator<Item = Glyph<'f>> {
        bytes.chunks(self.code_bytes).map(|code| {
            let number = number(code);
            let text = self.meanings.get(&number).map_or("", String::as_str);
            let width = self.widths.get(&number).copied().or(self.default_width);
            Glyph { text, width: width.unwrap_or_else(|| usual_width(text)), is_space: code == b" " }
        })
    }

    /// The text of bytes as a whole.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        match self.hint {
            Some(Hint::Vni) if self.code_bytes == 1 && !self.has_map => vni(bytes),
            _ if self.is_utf16 && !self.has_map => utf16(bytes),
            _ => self.glyphs(bytes).map(|glyph| glyph.text).collect(),
        }
    }
}

/// About what letters take in Helvetica, for the fonts that every reader has.
fn usual_width(text: &str) -> f64 {
    match text.chars().next() {
        Some('i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '!' | '|') => 250.0,
        Some(' ' | 't' | 'f' | 'r' | '(' | ')' | '-' | '/') => 300.0,
        Some('m' | 'w' | 'M' | 'W') => 830.0,
        Some(c) if c.is_uppercase() => 690.0,
        Some(_) => 550.0,
        None => 500.0,
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Names of marks on letters.
const MARKS: [(&str, char); 12] = [
    ("circumflex", '\u{302}'),
    ("hookabove", '\u{309}'),
    ("dotbelow", '\u{323}'),
    ("dieresis", '\u{308}'),
    ("cedilla", '\u{327}'),
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("tilde", '\u{303}'),
    ("breve", '\u{306}'),
    ("caron", '\u{30c}'),
    ("horn", '\u{31b}'),
    ("ring", '\u{30a}'),
];

/// Names of common signs, each followed by it.
const SIGNS: &str = "hyphen - period . comma , colon : semicolon ; slash / parenleft ( parenright ) quotesingle ' quotedbl \" \
    percent % plus + equal = underscore _ at @ exclam ! question ? ampersand & numbersign # dollar $ asterisk * \
    bracketleft [ bracketright ] zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 endash – \
    emdash — quoteleft ‘ quoteright ’ quotedblleft “ quotedblright ” bullet • ellipsis … fi ﬁ fl ﬂ dcroat đ Dcroat \
    Đ dmacron đ Eth Đ eth ð germandbls ß dong ₫ oslash ø Oslash Ø ae æ AE Æ";

/// What a glyph's name says: `uni1EC7`, `u1EC7`, a letter and its marks, or one of the common signs.
fn glyph_name(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?.split('.').next()?;
    if name == "space" {
        return Some(" ".to_owned());
    }
    let mut signs = SIGNS.split(' ');
    while let (Some(known), Some(sign)) = (signs.next(), signs.next()) {
        if known == name {
            return Some(sign.to_owned());
        }
    }
    let code = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'));
    if let Some(c) = code.filter(|c| (4..=6).contains(&c.len())).and_then(|c| u32::from_str_radix(c, 16).ok())
    {
        return char::from_u32(c).map(String::from);
    }
    let mut letters = name.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    let (mut rest, mut text) = (letters.as_str(), String::from(letter));
    while !rest.is_empty() {
        let (after, mark) = MARKS.iter().find_map(|(word, mark)| Some((rest.strip_prefix(word)?, *mark)))?;
        text.push(mark);
        rest = after;
    }
    Some(text.nfc().collect())
}
