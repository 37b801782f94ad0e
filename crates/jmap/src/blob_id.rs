//! Blob ids (RFC 8620 §6): the hash of a whole blob, and for a part of a message where it lies in it and how it is encoded
//! there, `b<hash>-<start>-<length>-<encoding>`; a part of a message within adds its own place. So no part of a message needs
//! a row, and an id names the same bytes for ever.

use congvu_message::{Part, decode_part};
use congvu_storage::BlobHash;
use std::{borrow::Cow, ops::Range};

/// Messages within messages that are followed.
const MOST_SLICES: usize = 4;

/// How a part is encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
}

/// Where a part lies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slice {
    place: Range<u32>,
    encoding: Encoding,
}

/// The name of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobId {
    hash: BlobHash,
    slices: Vec<Slice>,
}

impl BlobId {
    /// Names a whole blob.
    pub(crate) const fn whole(hash: BlobHash) -> Self {
        Self { hash, slices: Vec::new() }
    }

    /// Names the content of a part of the message that this names; `None` when it lies too deep.
    pub(crate) fn part(&self, part: &Part) -> Option<Self> {
        let encoding = match part.encoding.as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        };
        let mut id = self.clone();
        id.slices.push(Slice { place: part.body.clone(), encoding });
        (id.slices.len() <= MOST_SLICES).then_some(id)
    }

    /// The blob that the bytes are of.
    pub(crate) const fn hash(&self) -> &BlobHash {
        &self.hash
    }

    /// Whether this is a whole blob.
    pub(crate) const fn is_whole(&self) -> bool {
        self.slices.is_empty()
    }

    /// The place in the whole blob that is shown whole; `None` when it is a piece of a part.
    pub(crate) fn place(&self) -> Option<&Range<u32>> {
        match self.slices.as_slice() {
            [one] => Some(&one.place),
            _ => None,
        }
    }

    /// Takes the bytes out of those of the whole blob.
    pub(crate) fn cut<'a>(&self, raw: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let mut bytes = Cow::Borrowed(raw);
        for slice in &self.slices {
            bytes.get(slice.place.start as usize..slice.place.end as usize)?;
            let encoding = match slice.encoding {
                Encoding::Identity => "binary",
                Encoding::Base64 => "base64",
                Encoding::QuotedPrintable => "quoted-printable",
            };
            let part = Part { encoding: encoding.to_owned(), body: slice.place.clone(), ..Part::default() };
            bytes = match bytes {
                Cow::Borrowed(raw) => decode_part(raw, &part),
                Cow::Owned(raw) => Cow::Owned(decode_part(&raw, &part).into_owned()),
            };
        }
        Some(bytes)
    }

    /// Returns the id's text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("b{}", self.hash.to_hex());
        for Slice { place, encoding } in &self.slices {
            let letter = match encoding {
                Encoding::Identity => 'i',
                Encoding::Base64 => 'b',
                Encoding::QuotedPrintable => 'q',
            };
            text.push_str(&format!("-{}-{}-{letter}", place.start, place.end.saturating_sub(place.start)));
        }
        text
    }

    /// Reads an id; anything else names nothing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut pieces = text.strip_prefix('b')?.split('-');
        let hash = hash(pieces.next()?)?;
        let mut slices = Vec::new();
        while let Some(start) = pieces.next() {
            let (start, length) = (number(start)?, number(pieces.next()?)?);
            let encoding = match pieces.next()? {
                "i" => Encoding::Identity,
                "b" => Encoding::Base64,
                "q" => Encoding::QuotedPrintable,
                _ => return None,
            };
            slices.push(Slice { place: start..start.checked_add(length)?, encoding });
            if slices.len() > MOST_SLICES {
                return None;
            }
        }
        Some(Self { hash, slices })
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn hash(hex: &str) -> Option<BlobHash> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    BlobHash::from_slice(&bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_parts_of_parts_are_named() {
        let raw = b"head c3ViamVjdCBpbm5lcg== tail";
        let whole = BlobId::whole(BlobHash::of(raw));
        let part = Part { encoding: "base64".into(), body: 5..25, ..Part::default() };
        let named = whole.part(&part).unwrap();
        assert_eq!(named.cut(raw).unwrap().as_ref(), b"subject inner");
        let within = named.part(&Part { encoding: "7bit".into(), body: 8..13, ..Part::default() }).unwrap();
        assert_eq!(within.cut(raw).unwrap().as_ref(), b"inner");
        assert_eq!(BlobId::read(&within.text()), Some(within.clone()));
        assert!(within.text().len() <= 255);
        assert!(named.part(&Part { body: 8..99, ..Part::default() }).unwrap().cut(raw).is_none());
    }

    #[test]
    fn other_texts_name_nothing() {
        let good = BlobId::whole(BlobHash::of(b"x")).text();
        assert!(BlobId::read(&good).is_some());
        for bad in [
            "",
            "b",
            "bxyz",
            &good[1..],
            &format!("{good}-1"),
            &format!("{good}-1-2"),
            &format!("{good}-1-2-z"),
        ] {
            assert_eq!(BlobId::read(bad), None, "{bad}");
        }
        for bad in ["-4294967295-1-i", "-+1-1-i", "-1-1-i-1-1-i-1-1-i-1-1-i-1-1-i", "-"] {
            assert_eq!(BlobId::read(&format!("{good}{bad}")), None, "{bad}");
        }
    }
}
