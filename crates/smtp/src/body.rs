//! A message's text as it comes after DATA. Pure; fuzzed.

use memchr::memchr2;

/// Where in a line the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    Text,
    Cr,
    Dot,
    DotCr,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// A CR or LF alone (RFC 5321 §2.3.8).
    BareLineEnd,
    /// Larger than allowed.
    TooLarge,
    /// All messages under way together take too much memory.
    NoRoom,
}

/// Reads dot-stuffed text (RFC 5321 §4.5.2). Only CRLF `.` CRLF ends it. What is faulty is read to its end, not kept.
#[derive(Debug)]
pub(crate) struct DotReader {
    text: Vec<u8>,
    at: At,
    limit: usize,
    fault: Option<BodyFault>,
}

impl DotReader {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { text: Vec::new(), at: At::LineStart, limit, fault: None }
    }

    /// Takes input; returns how much of it was used, and whether the text has ended.
    pub(crate) fn push(&mut self, input: &[u8]) -> (usize, bool) {
        let mut used = 0;
        while let Some(byte) = input.get(used).copied() {
            match (self.at, byte) {
                (At::LineStart, b'.') => self.step(&mut used, At::Dot),
                (At::Dot, b'\r') => self.step(&mut used, At::DotCr),
                (At::DotCr, b'\n') => return (used + 1, true),
                (At::DotCr, _) => {
                    self.keep(b"\r");
                    self.blame(BodyFault::BareLineEnd);
                    self.at = At::Text;
                }
                (At::Cr, b'\n') => {
                    self.keep(b"\r\n");
                    self.step(&mut used, At::LineStart);
                }
                (At::Cr, _) => {
                    self.blame(BodyFault::BareLineEnd);
                    self.at = At::Text;
                }
                (At::LineStart | At::Dot | At::Text, _) => {
                    let rest = &input[used..];
                    let run = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    self.keep(&rest[..run]);
                    used += run;
                    self.at = At::Text;
                    match input.get(used) {
                        Some(b'\r') => self.step(&mut used, At::Cr),
                        Some(_) => {
                            self.blame(BodyFault::BareLineEnd);
                            used += 1;
                        }
                        None => {}
                    }
                }
            }
        }
        (used, false)
    }

    fn step(&mut self, used: &mut usize, at: At) {
        *used += 1;
        self.at = at;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        if self.text.len() + bytes.len() > self.limit {
            return self.blame(BodyFault::TooLarge);
        }
        self.text.extend_from_slice(bytes);
    }

    /// Notes the first thing that is wrong and gives the memory back.
    pub(crate) fn blame(&mut self, fault: BodyFault) {
        self.fault.get_or_insert(fault);
        self.text = Vec::new();
    }

    /// Returns how much memory it holds.
    pub(crate) fn held(&self) -> usize {
        self.text.capacity()
    }

    pub(crate) const fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, BodyFault> {
        self.fault.map_or(Ok(self.text), Err)
    }
}

/// Returns whether a text has no line end but CRLF and ends with one or is empty: what BDAT brings is not dot-stuffed, and
/// without BINARYMIME it is text all the same (RFC 3030 §2).
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        if rest[at] != b'\r' || rest.get(at + 1) != Some(&b'\n') {
            return false;
        }
        rest = &rest[at + 2..];
    }
    true
}

/// Writes text dot-stuffed, with the line that ends it.
pub(crate) fn stuff(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 50 + 8);
    let mut line_start = true;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line_start && line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        line_start = line.ends_with(b"\r\n");
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(input: &[u8]) -> (Result<Vec<u8>, BodyFault>, usize) {
        let mut reader = DotReader::new(1000);
        let (used, done) = reader.push(input);
        assert!(done, "{:?}", String::from_utf8_lossy(input));
        (reader.finish(), used)
    }

    #[test]
    fn dots_are_taken_away() {
        assert_eq!(read(b"a\r\n..b\r\n.c\r\n.\r\nQUIT\r\n"), (Ok(b"a\r\n.b\r\nc\r\n".to_vec()), 15));
        assert_eq!(read(b".\r\n"), (Ok(Vec::new()), 3));
    }

    #[test]
    fn a_smuggled_end_is_text_and_refused() {
        for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n"] {
            let input = format!("text{end}MAIL FROM:<x@y.example>\r\n.\r\n");
            let (read, used) = read(input.as_bytes());
            assert_eq!((read, used), (Err(BodyFault::BareLineEnd), input.len()), "{end:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_read_and_not_kept() {
        let mut reader = DotReader::new(10);
        assert_eq!(reader.push(&[b'x'; 100]), (100, false));
        assert_eq!(reader.held(), 0);
        assert_eq!(reader.push(b"\r\n.\r\n"), (5, true));
        assert_eq!(reader.finish(), Err(BodyFault::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_stuffed_is_read_back_however_it_is_cut(
            lines in proptest::collection::vec("[.a-z]{0,6}", 0..8), cut in 0_usize..80,
        ) {
            let text: Vec<u8> = lines.iter().flat_map(|l| [l.as_bytes(), b"\r\n"].concat()).collect();
            let wire = stuff(&text);
            let cut = cut.min(wire.len());
            let mut reader = DotReader::new(1000);
            let (first, done) = reader.push(&wire[..cut]);
            if !done {
                prop_assert_eq!(first, cut);
                prop_assert_eq!(reader.push(&wire[cut..]), (wire.len() - cut, true));
            }
            prop_assert_eq!(reader.finish(), Ok(text));
        }

        #[test]
        fn no_text_brings_it_down(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = DotReader::new(50);
            let _ = reader.push(&input);
            let _ = is_text(&input);
        }
    }
}
