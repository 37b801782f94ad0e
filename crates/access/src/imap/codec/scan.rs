//! The scanner: atoms, strings, literals and numbers over the bytes of one whole command.

use std::borrow::Cow;

/// Why bytes are no command: what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad(pub(crate) &'static str);

pub(crate) type Scanned<T> = Result<T, Bad>;

/// Reads a command from front to back. Literals stand within it as `{n}` CRLF and n bytes.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// RFC 9051 §9: ATOM-CHAR.
const fn is_atom(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes `byte` if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Scanned<()> {
        if self.eat(byte) { Ok(()) } else { Err(Bad(expected)) }
    }

    pub(crate) fn space(&mut self) -> Scanned<()> {
        self.expect(b' ', "a space")
    }

    pub(crate) fn end(&self) -> Scanned<()> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Bad("the end of the line")) }
    }

    /// Takes `word` if it comes next, in any case.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let found =
            self.rest().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|b| !accept(*b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(crate) fn atom(&mut self) -> Scanned<&'a str> {
        let found = self.take_while(is_atom);
        match std::str::from_utf8(found) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(Bad("a word")),
        }
    }

    /// The tag: an atom without `+` (RFC 9051 §9).
    pub(crate) fn tag(&mut self) -> Scanned<&'a str> {
        let found = self.take_while(|b| (is_atom(b) || b == b']') && b != b'+');
        match std::str::from_utf8(found) {
            Ok(text) if !text.is_empty() && text.len() <= 64 => Ok(text),
            _ => Err(Bad("a tag")),
        }
    }

    pub(crate) fn number(&mut self) -> Scanned<u64> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        let text = std::str::from_utf8(digits).unwrap_or_default();
        text.parse().map_err(|_| Bad("a number"))
    }

    pub(crate) fn number32(&mut self) -> Scanned<u32> {
        u32::try_from(self.number()?).map_err(|_| Bad("a number of 32 bits"))
    }

    /// RFC 9051 §9: quoted or literal.
    pub(crate) fn string(&mut self) -> Scanned<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{' | b'~') => self.literal().map(Cow::Borrowed),
            _ => Err(Bad("a string")),
        }
    }

    fn quoted(&mut self) -> Scanned<Cow<'a, [u8]>> {
        self.at += 1;
        let rest = self.rest();
        let end = memchr::memchr2(b'"', b'\\', rest).ok_or(Bad("a closing quote"))?;
        if rest[end] == b'"' {
            self.at += end + 1;
            return Ok(Cow::Borrowed(&rest[..end]));
        }
        let mut text = rest[..end].to_vec();
        let mut bytes = rest[end..].iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => {
                    self.at = self.bytes.len() - bytes.as_slice().len();
                    return Ok(Cow::Owned(text));
                }
                b'\\' => match bytes.next() {
                    Some(escaped @ (b'"' | b'\\')) => text.push(*escaped),
                    _ => return Err(Bad("a quote or backslash after the backslash")),
                },
                b'\r' | b'\n' => break,
                other => text.push(*other),
            }
        }
        Err(Bad("a closing quote"))
    }

    /// `{n}`, `{n+}` or `~{n}` (RFC 7888, RFC 3516), CRLF and the bytes.
    pub(crate) fn literal(&mut self) -> Scanned<&'a [u8]> {
        let _ = self.eat(b'~');
        self.expect(b'{', "a literal")?;
        let size = usize::try_from(self.number()?).map_err(|_| Bad("a literal's size"))?;
        let _ = self.eat(b'+') || self.eat(b'-');
        self.expect(b'}', "a literal")?;
        self.expect(b'\r', "a literal")?;
        self.expect(b'\n', "a literal")?;
        let bytes = self.rest().get(..size).ok_or(Bad("all bytes of the literal"))?;
        self.at += size;
        Ok(bytes)
    }

    /// An atom, with `]` too, or a string (RFC 9051 §9: astring).
    pub(crate) fn astring(&mut self) -> Scanned<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') => self.string(),
            _ => {
                let found = self.take_while(|b| is_atom(b) || b == b']' || b >= 0x80);
                if found.is_empty() { Err(Bad("a word or string")) } else { Ok(Cow::Borrowed(found)) }
            }
        }
    }

    /// Text in UTF-8 from an astring.
    pub(crate) fn text(&mut self) -> Scanned<String> {
        String::from_utf8(self.astring()?.into_owned()).map_err(|_| Bad("text in UTF-8"))
    }

    /// An astring whose atom may hold the wildcards of LIST.
    pub(crate) fn pattern(&mut self) -> Scanned<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') => self.string(),
            _ => {
                let found = self.take_while(|b| is_atom(b) || matches!(b, b']' | b'%' | b'*') || b >= 0x80);
                if found.is_empty() { Err(Bad("a pattern")) } else { Ok(Cow::Borrowed(found)) }
            }
        }
    }

    /// Reads `(item item …)`, each by `item`; at most `most` of them.
    pub(crate) fn parenthesized<T>(
        &mut self,
        most: usize,
        mut item: impl FnMut(&mut Self) -> Scanned<T>,
    ) -> Scanned<Vec<T>> {
        self.expect(b'(', "an opening parenthesis")?;
        let mut items = Vec::new();
        if self.eat(b')') {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(b')') {
                return Ok(items);
            }
            if items.len() >= most {
                return Err(Bad("a shorter list"));
            }
            self.space()?;
        }
    }

    /// Flags and keywords; unknown system flags are passed over (RFC 9051 §2.3.2).
    pub(crate) fn flag(&mut self) -> Scanned<&'a str> {
        let from = self.at;
        let _ = self.eat(b'\\');
        self.atom()?;
        std::str::from_utf8(&self.bytes[from..self.at]).map_err(|_| Bad("a flag"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_in_every_form() {
        for (input, text) in [
            (&b"\"a b\""[..], "a b"),
            (b"\"a \\\"b\\\\\"", "a \"b\\"),
            (b"{3}\r\na\"b", "a\"b"),
            (b"{3+}\r\na b", "a b"),
            (b"~{1}\r\nx", "x"),
        ] {
            let mut scanner = Scanner::new(input);
            assert_eq!(scanner.string().unwrap().as_ref(), text.as_bytes());
            assert_eq!(scanner.end(), Ok(()));
        }
        for bad in [&b"\"a"[..], b"\"a\\x\"", b"{5}\r\nab", b"{99999999999999999999}\r\n", b"abc"] {
            assert!(Scanner::new(bad).string().is_err(), "{bad:?}");
        }
    }
}
