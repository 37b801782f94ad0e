//! The compact form in which envelope and structure are stored, computed once at delivery.
//!
//! A version byte, then numbers as LEB128 and strings with their length. Decoding garbage is an error.

use crate::{AddressItem, Envelope, MAX_DEPTH, Part};

const VERSION: u8 = 1;

/// The stored form is damaged or of a version we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a stored message summary cannot be read")
    }
}

impl std::error::Error for DecodeError {}

/// Encodes envelope and structure.
#[must_use]
pub fn encode_summary(envelope: &Envelope, root: &Part) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(512));
    out.0.push(VERSION);
    out.envelope(envelope);
    out.part(root);
    out.0
}

/// Decodes what [`encode_summary`] wrote.
pub fn decode_summary(bytes: &[u8]) -> Result<(Envelope, Part), DecodeError> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return Err(DecodeError);
    }
    let envelope = reader.envelope()?;
    let root = reader.part(0)?;
    if reader.0.is_empty() { Ok((envelope, root)) } else { Err(DecodeError) }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn opt(&mut self, text: Option<&String>) {
        match text {
            None => self.0.push(0),
            Some(text) => {
                self.number(text.len() as u64 + 1);
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn params(&mut self, params: &[(String, String)]) {
        self.number(params.len() as u64);
        for (name, value) in params {
            self.text(name);
            self.text(value);
        }
    }

    fn list(&mut self, list: &[AddressItem]) {
        self.number(list.len() as u64);
        for item in list {
            match item {
                AddressItem::Mailbox { name, local, domain } => {
                    self.0.push(0);
                    self.opt(name.as_ref());
                    self.text(local);
                    self.text(domain);
                }
                AddressItem::GroupStart(name) => {
                    self.0.push(1);
                    self.text(name);
                }
                AddressItem::GroupEnd => self.0.push(2),
            }
        }
    }

    fn envelope(&mut self, e: &Envelope) {
        for text in [&e.date, &e.subject, &e.in_reply_to, &e.message_id] {
            self.opt(text.as_ref());
        }
        // Sender and Reply-To mostly are From again: one byte says so.
        let same = u8::from(e.sender == e.from) | u8::from(e.reply_to == e.from) << 1;
        self.0.push(same);
        self.list(&e.from);
        if same & 1 == 0 {
            self.list(&e.sender);
        }
        if same & 2 == 0 {
            self.list(&e.reply_to);
        }
        for list in [&e.to, &e.cc, &e.bcc] {
            self.list(list);
        }
    }

    fn part(&mut self, part: &Part) {
        for text in [&part.media_type, &part.subtype, &part.encoding] {
            self.text(text);
        }
        self.params(&part.params);
        for text in [&part.id, &part.description, &part.language, &part.location] {
            self.opt(text.as_ref());
        }
        match &part.disposition {
            None => self.0.push(0),
            Some((kind, params)) => {
                self.0.push(1);
                self.text(kind);
                self.params(params);
            }
        }
        for number in [part.header.start, part.header.end, part.body.start, part.body.end, part.lines] {
            self.number(u64::from(number));
        }
        match &part.envelope {
            None => self.0.push(0),
            Some(envelope) => {
                self.0.push(1);
                self.envelope(envelope);
            }
        }
        self.number(part.children.len() as u64);
        for child in &part.children {
            self.part(child);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or(DecodeError)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError)
    }

    fn small(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.number()?).map_err(|_| DecodeError)
    }

    /// A count of things that each take at least one byte.
    fn count(&mut self) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.number()?).map_err(|_| DecodeError)?;
        if count > self.0.len() { Err(DecodeError) } else { Ok(count) }
    }

    fn take(&mut self, len: usize) -> Result<String, DecodeError> {
        let (text, rest) = self.0.split_at_checked(len).ok_or(DecodeError)?;
        self.0 = rest;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| DecodeError)
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let len = usize::try_from(self.number()?).map_err(|_| DecodeError)?;
        self.take(len)
    }

    fn opt(&mut self) -> Result<Option<String>, DecodeError> {
        match usize::try_from(self.number()?).map_err(|_| DecodeError)? {
            0 => Ok(None),
            len => self.take(len - 1).map(Some),
        }
    }

    fn params(&mut self) -> Result<Vec<(String, String)>, DecodeError> {
        (0..self.count()?).map(|_| Ok((self.text()?, self.text()?))).collect()
    }

    fn list(&mut self) -> Result<Vec<AddressItem>, DecodeError> {
        (0..self.count()?)
            .map(|_| match self.byte()? {
                0 => {
                    Ok(AddressItem::Mailbox { name: self.opt()?, local: self.text()?, domain: self.text()? })
                }
                1 => Ok(AddressItem::GroupStart(self.text()?)),
                2 => Ok(AddressItem::GroupEnd),
                _ => Err(DecodeError),
            })
            .collect()
    }

    fn envelope(&mut self) -> Result<Envelope, DecodeError> {
        let (date, subject, in_reply_to, message_id) = (self.opt()?, self.opt()?, self.opt()?, self.opt()?);
        let same = self.byte()?;
        let from = self.list()?;
        let sender = if same & 1 == 0 { self.list()? } else { from.clone() };
        let reply_to = if same & 2 == 0 { self.list()? } else { from.clone() };
        let (to, cc, bcc) = (self.list()?, self.list()?, self.list()?);
        Ok(Envelope { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id })
    }

    fn part(&mut self, depth: usize) -> Result<Part, DecodeError> {
        if depth > MAX_DEPTH + 1 {
            return Err(DecodeError);
        }
        let (media_type, subtype, encoding) = (self.text()?, self.text()?, self.text()?);
        let params = self.params()?;
        let (id, description, language, location) = (self.opt()?, self.opt()?, self.opt()?, self.opt()?);
        let disposition = match self.byte()? {
            0 => None,
            _ => Some((self.text()?, self.params()?)),
        };
        let header = self.small()?..self.small()?;
        let body = self.small()?..self.small()?;
        let lines = self.small()?;
        let envelope = match self.byte()? {
            0 => None,
            _ => Some(Box::new(self.envelope()?)),
        };
        let children = (0..self.count()?).map(|_| self.part(depth + 1)).collect::<Result<_, _>>()?;
        Ok(Part {
            media_type,
            subtype,
            params,
            id,
            description,
            encoding,
            disposition,
            language,
            location,
            header,
            body,
            lines,
            children,
            envelope,
        })
    }
}
