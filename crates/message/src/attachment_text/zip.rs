//! As much of ZIP as Office files need: the central directory and two methods. Own, because a reader of all of ZIP makes
//! room for as many entries as a hostile file claims before anybody can say no.

use super::Work;
use flate2::read::DeflateDecoder;

/// No more entries are looked at.
const MOST_ENTRIES: usize = 4_096;
const LONGEST_NAME: usize = 200;

struct Entry {
    name: String,
    method: u16,
    packed: usize,
    header: usize,
}

/// The entries of an archive in memory.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

impl<'a> Archive<'a> {
    /// Reads the directory: the end record says where it begins.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        const LONGEST_COMMENT: usize = 0x1_0000;
        let tail = bytes.len().saturating_sub(LONGEST_COMMENT + 22);
        let end = tail + memchr::memmem::rfind(bytes.get(tail..)?, b"PK\x05\x06")?;
        let mut at = u32_at(bytes, end + 16)?;
        let mut entries = Vec::new();
        while entries.len() < MOST_ENTRIES && bytes.get(at..)?.starts_with(b"PK\x01\x02") {
            let name_length = usize::from(u16_at(bytes, at + 28)?);
            let others = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
            let name = bytes.get(at + 46..at + 46 + name_length)?;
            if name.len() <= LONGEST_NAME {
                entries.push(Entry {
                    name: String::from_utf8_lossy(name).into_owned(),
                    method: u16_at(bytes, at + 10)?,
                    packed: u32_at(bytes, at + 20)?,
                    header: u32_at(bytes, at + 42)?,
                });
            }
            at = at + 46 + name_length + others;
        }
        Some(Self { bytes, entries })
    }

    /// The names, in the order of the directory.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Unpacks one entry as text, as far as there is room.
    pub(super) fn read(&self, name: &str, work: &mut Work) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.name == name)?;
        let local = self.bytes.get(entry.header..)?;
        if !local.starts_with(b"PK\x03\x04") {
            return None;
        }
        let start = 30 + usize::from(u16_at(local, 26)?) + usize::from(u16_at(local, 28)?);
        let packed = local.get(start..)?;
        let packed = packed.get(..entry.packed.min(packed.len()))?;
        let bytes = match entry.method {
            0 => work.unpack(packed),
            8 => work.unpack(DeflateDecoder::new(packed)),
            _ => return None,
        };
        Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }
}
