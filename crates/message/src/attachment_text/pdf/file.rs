//! Where the objects of a PDF lie (ISO 32000-1 §7.5), and their streams unpacked (§7.4).

use super::{
    super::{LARGEST_STREAM, Work},
    object::{Dict, Lexer, Object},
};
use flate2::read::ZlibDecoder;
use memchr::memmem;
use std::{borrow::Cow, collections::HashMap};

/// No more objects are known.
const MOST_OBJECTS: usize = 300_000;

#[derive(Debug, Clone, Copy)]
enum Place {
    /// Behind `obj` in the file.
    At(usize),
    /// In an unpacked object stream.
    Within(usize, usize),
}

/// A file and the places of its objects.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    places: HashMap<u32, Place>,
    /// Object streams (§7.5.7), unpacked.
    packed: Vec<Vec<u8>>,
}

impl<'a> File<'a> {
    /// Finds the objects; `None` when the file is encrypted.
    pub(super) fn open(bytes: &'a [u8], work: &mut Work) -> Option<Self> {
        work.step(bytes.len() / 16)?;
        let is_encrypted = memmem::find_iter(bytes, b"/Encrypt").any(|at| {
            let mut value = Lexer::new(bytes, at + b"/Encrypt".len());
            matches!(value.next(), Some(Object::Reference(_) | Object::Dict(_)))
        });
        if is_encrypted {
            return None;
        }
        let mut file = Self { bytes, places: HashMap::new(), packed: Vec::new() };
        let mut streams = Vec::new();
        for at in memmem::find_iter(bytes, b"obj") {
            let Some(number) = number_before(bytes, at) else { continue };
            if file.places.len() >= MOST_OBJECTS {
                break;
            }
            // The last one written counts: files are changed by appending.
            file.places.insert(number, Place::At(at + 3));
            let head = bytes.get(at..bytes.len().min(at + 300)).unwrap_or_default();
            if memmem::find(head, b"/ObjStm").is_some() {
                streams.push(number);
            }
        }
        for number in streams {
            file.unpack_objects(number, work)?;
        }
        Some(file)
    }

    fn unpack_objects(&mut self, number: u32, work: &mut Work) -> Option<()> {
        let Some((dict, bytes)) = self.stream(number, work) else { return work.step(1) };
        let whole = |key: &[u8]| dict.get(key).and_then(Object::whole).and_then(|n| usize::try_from(n).ok());
        if dict.get(b"Type".as_slice()).and_then(Object::name) != Some(b"ObjStm") {
            return Some(());
        }
        let (Some(count), Some(first)) = (whole(b"N"), whole(b"First")) else { return Some(()) };
        let mut pairs = Lexer::new(&bytes, 0);
        for _ in 0..count {
            work.step(4)?;
            let (Some(number), Some(offset)) = (pairs.next(), pairs.next()) else { break };
            let (Some(number), Some(offset)) = (number.whole(), offset.whole()) else { break };
            if self.places.len() >= MOST_OBJECTS {
                break;
            }
            let offset = first.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
            self.places.entry(number).or_insert(Place::Within(self.packed.len(), offset));
        }
        self.packed.push(bytes);
        Some(())
    }

    /// The number of the catalog: the last `/Root` that a trailer names.
    pub(super) fn root(&self) -> Option<u32> {
        let at = memmem::rfind(self.bytes, b"/Root")?;
        match Lexer::new(self.bytes, at + b"/Root".len()).next()? {
            Object::Reference(number) => Some(number),
            _ => None,
        }
    }

    /// Reads an object; what it takes is counted.
    pub(super) fn get(&self, number: u32, work: &mut Work) -> Option<Object> {
        self.read(number, work).map(|(object, _)| object)
    }

    fn read(&self, number: u32, work: &mut Work) -> Option<(Object, Lexer<'_>)> {
        let (bytes, at) = match *self.places.get(&number)? {
            Place::At(at) => (self.bytes, at),
            Place::Within(stream, at) => (self.packed.get(stream)?.as_slice(), at),
        };
        let mut lexer = Lexer::new(bytes, at);
        let object = lexer.next();
        work.step(10 + lexer.at.saturating_sub(at) / 4)?;
        Some((object?, lexer))
    }

    /// Follows references to a value; a chain of them is no value.
    pub(super) fn resolve(&self, object: &Object, work: &mut Work) -> Option<Object> {
        let mut found = Cow::Borrowed(object);
        for _ in 0..4 {
            match *found {
                Object::Reference(number) => found = Cow::Owned(self.get(number, work)?),
                _ => return Some(found.into_owned()),
            }
        }
        None
    }

    /// Returns a stream's dictionary and its bytes, unpacked.
    pub(super) fn stream(&self, number: u32, work: &mut Work) -> Option<(Dict, Vec<u8>)> {
        let (object, mut lexer) = self.read(number, work)?;
        let dict = object.into_dict()?;
        lexer.skip_space();
        let after = lexer.rest().strip_prefix(b"stream")?;
        let after = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n")).unwrap_or(after);
        let length =
            dict.get(b"Length".as_slice()).and_then(|l| self.resolve(l, work)).and_then(|l| l.whole());
        let length = length.and_then(|l| usize::try_from(l).ok()).filter(|length| {
            let end = after.get(*length..).map(<[u8]>::trim_ascii_start);
            end.is_some_and(|end| end.starts_with(b"endstream"))
        });
        let length = match length {
            Some(length) => length,
            None => {
                let length = memmem::find(after, b"endstream").unwrap_or(after.len());
                work.step(length / 16)?;
                length
            }
        };
        let bytes = self.unfiltered(&dict, after.get(..length)?, work)?;
        Some((dict, bytes))
    }

    /// Undoes the filters that text is packed with (§7.4); others are those of pictures.
    fn unfiltered(&self, dict: &Dict, packed: &[u8], work: &mut Work) -> Option<Vec<u8>> {
        let get = |long: &[u8], short: &[u8]| dict.get(long).or_else(|| dict.get(short));
        let filters = match get(b"Filter", b"F").and_then(|f| self.resolve(f, work)) {
            None => Vec::new(),
            Some(Object::Array(filters)) => filters,
            Some(one) => vec![one],
        };
        if filters.len() > 4 {
            return None;
        }
        // Rows of differences are for pictures and cross-reference streams.
        let params =
            get(b"DecodeParms", b"DP").and_then(|p| self.resolve(p, work)).and_then(Object::into_dict);
        if params
            .is_some_and(|p| p.get(b"Predictor".as_slice()).and_then(Object::whole).is_some_and(|n| n > 1))
        {
            return None;
        }
        if filters.is_empty() {
            return Some(work.unpack(packed));
        }
        let mut bytes = Cow::Borrowed(packed.get(..packed.len().min(LARGEST_STREAM)).unwrap_or_default());
        for filter in &filters {
            bytes = Cow::Owned(match filter.name()? {
                b"FlateDecode" | b"Fl" => work.unpack(ZlibDecoder::new(bytes.as_ref())),
                b"ASCIIHexDecode" | b"AHx" => hexadecimal(&bytes),
                b"ASCII85Decode" | b"A85" => ascii85(&bytes),
                _ => return None,
            });
        }
        work.step(bytes.len() / 16)?;
        Some(bytes.into_owned())
    }
}

/// The number in `number generation obj`, which ends here.
fn number_before(bytes: &[u8], at: usize) -> Option<u32> {
    let before = bytes.get(at.saturating_sub(24)..at)?;
    let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    // `endobj` and the like are no beginning.
    if before.last().is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let (generation, number) = (words.next()?, words.next()?);
    if !generation.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = number.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(number.get(number.len() - digits..)?).ok()?.parse().ok()
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes
        .iter()
        .take_while(|b| **b != b'>')
        .filter_map(|b| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    digits.chunks(2).map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0)).collect()
}

/// §7.4.3
fn ascii85(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 5 * 4);
    let mut group = Vec::with_capacity(5);
    let finish = |group: &mut Vec<u8>, out: &mut Vec<u8>| {
        let count = group.len();
        if count > 1 {
            group.resize(5, 84);
            let value =
                group.iter().fold(0_u32, |sum, digit| sum.wrapping_mul(85).wrapping_add(u32::from(*digit)));
            out.extend(value.to_be_bytes().into_iter().take(count - 1));
        }
        group.clear();
    };
    for byte in bytes {
        match byte {
            b'!'..=b'u' => {
                group.push(byte - b'!');
                if group.len() == 5 {
                    finish(&mut group, &mut out);
                }
            }
            _ if out.len() >= LARGEST_STREAM => break,
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'~' => break,
            _ => {}
        }
    }
    finish(&mut group, &mut out);
    out
}
