//! Objects of PDF as they are written (ISO 32000-1 §7.3), and the words of content streams and CMaps, which are written alike.

use std::collections::BTreeMap;

/// A dictionary.
pub(super) type Dict = BTreeMap<Vec<u8>, Object>;

/// Arrays and dictionaries within each other.
const DEEPEST: usize = 24;
/// Objects within one.
const MOST_WITHIN: usize = 500_000;

/// A value or a word between values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Number(f64),
    Text(Vec<u8>),
    Name(Vec<u8>),
    Array(Vec<Self>),
    Dict(Dict),
    /// An indirect object by its number; generations are not told apart.
    Reference(u32),
    /// An operator or keyword, `null` and booleans too.
    Word(Vec<u8>),
}

impl Object {
    pub(super) fn into_dict(self) -> Option<Dict> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }

    pub(super) const fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// A number that counts or names something.
    pub(super) fn whole(&self) -> Option<u32> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the range that is checked"
        )]
        self.number().filter(|n| (0.0..=f64::from(u32::MAX)).contains(n)).map(|n| n as u32)
    }

    pub(super) fn name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn is_word(&self, word: &[u8]) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// Reads objects one after the other.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// Objects made for the one that is being read.
    made: usize,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, made: 0 }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => {
                    let rest = self.rest();
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                space if is_space(space) => self.at += 1,
                _ => return,
            }
        }
    }

    /// The next object or word; `None` at the end, and where one is too deep or too large.
    pub(super) fn next(&mut self) -> Option<Object> {
        self.made = 0;
        self.object(0)
    }

    fn object(&mut self, depth: usize) -> Option<Object> {
        self.made += 1;
        if depth > DEEPEST || self.made > MOST_WITHIN {
            self.at = self.bytes.len();
            return None;
        }
        self.skip_space();
        let first = self.peek()?;
        self.at += 1;
        let next = self.peek();
        Some(match first {
            b'(' => Object::Text(self.literal()),
            b'<' if next == Some(b'<') => {
                self.at += 1;
                Object::Dict(self.dict(depth))
            }
            b'<' => Object::Text(self.hexadecimal()),
            b'[' => Object::Array(self.array(depth)),
            b'/' => Object::Name(self.name()),
            b'>' if next == Some(b'>') => {
                self.at += 1;
                Object::Word(b">>".to_vec())
            }
            other if is_delimiter(other) => Object::Word(vec![other]),
            _ => {
                self.at -= 1;
                self.word()
            }
        })
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|b| is_space(*b) || is_delimiter(*b)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// A number, a reference or a word.
    fn word(&mut self) -> Object {
        let word = self.regular();
        let number = std::str::from_utf8(word).ok().filter(|w| {
            w.len() <= 40 && w.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'))
        });
        let Some(number) = number.and_then(|n| n.parse::<f64>().ok()) else {
            return Object::Word(word.to_vec());
        };
        if word.iter().all(u8::is_ascii_digit)
            && let Some(reference) = self.reference(word)
        {
            return reference;
        }
        Object::Number(number)
    }

    /// `number generation R`, of which the number was read.
    fn reference(&mut self, number: &[u8]) -> Option<Object> {
        let mut ahead = self.clone();
        ahead.skip_space();
        let generation = ahead.regular();
        if generation.is_empty() || generation.len() > 5 || !generation.iter().all(u8::is_ascii_digit) {
            return None;
        }
        ahead.skip_space();
        if ahead.regular() != b"R" {
            return None;
        }
        self.at = ahead.at;
        std::str::from_utf8(number).ok()?.parse().ok().map(Object::Reference)
    }

    fn name(&mut self) -> Vec<u8> {
        let word = self.regular();
        let mut out = Vec::with_capacity(word.len());
        let mut rest = word;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match (first, after) {
                (b'#', [high, low, tail @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                    out.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                    rest = tail;
                }
                _ => out.push(*first),
            }
        }
        out
    }

    fn array(&mut self, depth: usize) -> Vec<Object> {
        let mut items = Vec::new();
        while let Some(item) = self.object(depth + 1) {
            if item.is_word(b"]") {
                break;
            }
            // An array that was never closed ends with its object.
            if item.is_word(b"endobj") || item.is_word(b"endstream") {
                break;
            }
            items.push(item);
        }
        items
    }

    fn dict(&mut self, depth: usize) -> Dict {
        let mut dict = Dict::new();
        while let Some(key) = self.object(depth + 1) {
            let key = match key {
                Object::Name(key) => key,
                end if end.is_word(b">>") || end.is_word(b"endobj") || end.is_word(b"stream") => break,
                _ => continue,
            };
            match self.object(depth + 1) {
                Some(end) if end.is_word(b">>") => break,
                Some(value) => drop(dict.insert(key, value)),
                None => break,
            }
        }
        dict
    }

    /// A string in parentheses, which may nest (§7.3.4.2).
    fn literal(&mut self) -> Vec<u8> {
        let (mut out, mut open) = (Vec::new(), 1_usize);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    out.extend(self.escaped());
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    fn escaped(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\r' => {
                self.at += usize::from(self.peek() == Some(b'\n'));
                return None;
            }
            b'\n' => return None,
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    self.at += 1;
                    code = code * 8 + u32::from(digit - b'0');
                }
                u8::try_from(code & 0xff).ok()?
            }
            other => other,
        })
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        let rest = self.rest();
        let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        self.at = (self.at + end + 1).min(self.bytes.len());
        let digits: Vec<u8> = rest.iter().take(end).filter_map(|b| hex(*b)).collect();
        digits.chunks(2).map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0)).collect()
    }
}
