//! The answers of FETCH as bytes: pure but for what they read from one snapshot.

use super::{
    codec::{
        date,
        fetch::{BodyForm, BodyItem, Item},
        structure, write,
    },
    memory::Portion,
};
use congvu_casework::review::Parts;
use congvu_directory::{Acting, right};
use congvu_mail::{Entry, MessageRow, Want, messages, raw};
use congvu_message::{
    Envelope, Part, decode_part, decode_summary, find_part, parse_structure, section, section_place,
};
use congvu_storage::Snapshot;
use congvu_types::{EmailId, Error, MailboxId, RefusalKind};
use std::{ops::Range, sync::Arc};

/// A page ends when it has so many bytes.
const PAGE_BYTES: usize = 512 * 1024;
/// A literal of this size is lent from the message's bytes, not copied.
const LENT: usize = 64 * 1024;
/// A page that holds no more is not counted.
const UNCOUNTED: usize = 256 * 1024;
/// A larger message is read aside, so that other sessions go on.
const QUICK: u64 = 128 * 1024;
/// Rows of so many messages that nobody asked for are read on the way, before another query is made.
const WIDEST_GAP: u32 = 4;

/// What is asked of every message.
pub(super) struct Asked {
    pub(super) reading: Acting<right::Read>,
    pub(super) mailbox: MailboxId,
    pub(super) reads_bytes: bool,
    /// Whether it counts which parts are opened: of messages that wait for a decision (S9.1, Điều 9).
    pub(super) is_held: bool,
    pub(super) keywords: Arc<Vec<String>>,
    pub(super) items: Vec<Item>,
    /// The largest message that is taken in, in bytes.
    pub(super) largest: usize,
}

/// Bytes of an answer.
pub(super) enum Piece {
    Own(Vec<u8>),
    /// A part of a message, lent from its bytes.
    Lent(Arc<Vec<u8>>, Range<usize>),
}

/// Why a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is full, or everything is told.
    Full,
    /// The next message is too large for a quick read.
    Large,
    /// There is no memory for the next message just now.
    Crowded,
}

/// A part of the answer.
pub(super) struct Page {
    pub(super) pieces: Vec<Piece>,
    /// How many of the messages asked for are done.
    pub(super) done: usize,
    pub(super) end: End,
    /// The messages of which more than the header goes out (S3.1b).
    pub(super) read: Vec<EmailId>,
    /// Which parts of each go out, when that counts.
    pub(super) opened: Vec<(EmailId, Parts)>,
    text: Vec<u8>,
    /// Bytes that the page holds, lent ones included.
    held: usize,
    portion: Portion,
}

/// Why a message is not told.
enum Halt {
    Crowded,
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Page {
    fn new(portion: Portion) -> Self {
        let (pieces, read, opened, text) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { pieces, done: 0, end: End::Full, read, opened, text, held: 0, portion }
    }

    /// Holds `bytes` more.
    fn hold(&mut self, bytes: usize) -> Result<(), Halt> {
        self.held = self.held.saturating_add(bytes);
        if self.held > UNCOUNTED && !self.portion.cover(self.held) {
            return Err(Halt::Crowded);
        }
        Ok(())
    }

    fn seal(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Own(std::mem::take(&mut self.text)));
        }
    }
}

/// Writes what the view alone tells.
pub(super) fn from_view(out: &mut Vec<u8>, seq: u32, entry: &Entry, items: &[Item], keywords: &[String]) {
    begin(out, seq);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        simple(out, entry, item, keywords);
    }
    out.extend_from_slice(b")\r\n");
}

fn begin(out: &mut Vec<u8>, seq: u32) {
    out.extend_from_slice(b"* ");
    number(out, u64::from(seq));
    out.extend_from_slice(b" FETCH (");
}

fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn simple(out: &mut Vec<u8>, entry: &Entry, item: &Item, keywords: &[String]) {
    match item {
        Item::Uid => {
            out.extend_from_slice(b"UID ");
            number(out, u64::from(entry.uid.0));
        }
        Item::Flags => {
            out.extend_from_slice(b"FLAGS ");
            write::flags(out, entry.flags, keywords);
        }
        Item::ModSeq => {
            out.extend_from_slice(b"MODSEQ (");
            number(out, entry.modseq);
            out.push(b')');
        }
        _ => {}
    }
}

/// Answers for up to a page of messages, ascending; those that are gone by now are passed over. `is_quick` leaves large
/// messages to a read that may take its time.
pub(super) fn page(
    snapshot: &Snapshot,
    asked: &Asked,
    wanted: &[(u32, Entry)],
    portion: Portion,
    is_quick: bool,
) -> Result<Page, Error> {
    let mut page = Page::new(portion);
    let (want, most) = asked.rows();
    while let Some((_, first)) = wanted.get(page.done) {
        let run = side_by_side(&wanted[page.done..], most);
        let Some((_, last)) = run.last() else { break };
        let rows = messages(snapshot, &asked.reading, asked.mailbox, (first.uid, last.uid), want, most)?;
        let mut rows = rows.into_iter().peekable();
        for (seq, entry) in run {
            while rows.peek().is_some_and(|row| row.uid < entry.uid) {
                rows.next();
            }
            let row = rows.next_if(|row| row.uid == entry.uid);
            if let Some(row) = row {
                if is_quick && asked.reads_bytes && row.size > QUICK {
                    page.end = End::Large;
                    break;
                }
                match page.tell(snapshot, asked, (*seq, entry), &row) {
                    Ok(()) => {}
                    Err(Halt::Crowded) => page.end = End::Crowded,
                    Err(Halt::Failed(error)) => return Err(error),
                }
            }
            if page.end != End::Full {
                break;
            }
            page.done += 1;
            if page.held > PAGE_BYTES {
                break;
            }
        }
        if page.end != End::Full || page.held > PAGE_BYTES {
            break;
        }
    }
    page.seal();
    Ok(page)
}

/// The first messages of `wanted` that lie close to one another, within `most` rows.
fn side_by_side(wanted: &[(u32, Entry)], most: usize) -> &[(u32, Entry)] {
    let Some((first, _)) = wanted.first() else { return wanted };
    let fits = |pair: &[(u32, Entry)]| match pair {
        [(before, _), (after, _)] => after - before <= WIDEST_GAP && ((after - first) as usize) < most,
        _ => false,
    };
    let steps = wanted.windows(2).take_while(|pair| fits(pair)).count();
    &wanted[..=steps]
}

impl Asked {
    fn needs_summary(&self) -> bool {
        self.is_held || self.items.iter().any(needs_summary)
    }

    /// How much of each row is wanted, and how many rows are read at a time: large ones are not read in vain when the page
    /// is full after a few.
    fn rows(&self) -> (Want, usize) {
        match (self.needs_summary(), self.reads_bytes) {
            (true, true) => (Want::Summary, 16),
            (true, false) => (Want::Summary, 100),
            (false, true) => (Want::Facts, 100),
            (false, false) => (Want::Facts, 500),
        }
    }
}

impl Page {
    /// Tells one message, or leaves the page as it was.
    fn tell(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        (seq, entry): (u32, &Entry),
        row: &MessageRow,
    ) -> Result<(), Halt> {
        let before = (self.pieces.len(), self.text.len(), self.held);
        let told = self.try_to_tell(snapshot, asked, (seq, entry), row);
        if told.is_err() && self.pieces.len() > before.0 {
            // The text of before is the first piece of those that were added.
            self.pieces.truncate(before.0 + 1);
            if let Some(Piece::Own(text)) = self.pieces.pop() {
                self.text = text;
            }
        }
        if told.is_err() {
            self.text.truncate(before.1);
            self.held = before.2;
        }
        told
    }

    fn try_to_tell(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        (seq, entry): (u32, &Entry),
        row: &MessageRow,
    ) -> Result<(), Halt> {
        let mut bytes = None;
        if asked.reads_bytes {
            self.hold(usize::try_from(row.size).unwrap_or(usize::MAX))?;
            bytes = Some(Arc::new(raw(snapshot, row)?));
        }
        let summary = if asked.needs_summary() {
            Some(summary(row, bytes.as_ref().map(|b| b.as_slice()))?)
        } else {
            None
        };
        let (held, from, pieces) = (self.held, self.text.len(), self.pieces.len());
        let mut left = asked.largest.max(bytes.as_ref().map_or(0, |b| b.len())).saturating_mul(2);
        let mut goes_out = false;
        begin(&mut self.text, seq);
        for (at, item) in asked.items.iter().enumerate() {
            if at > 0 {
                self.text.push(b' ');
            }
            match (item, &summary, &bytes) {
                (Item::Bytes(wanted), parts, Some(bytes)) => {
                    let found = self.body(wanted, bytes, parts.as_ref().map(|(_, root)| root), &mut left)?;
                    goes_out |= found && wanted.is_reading();
                }
                (item, Some((envelope, root)), _) => {
                    described(&mut self.text, item, envelope, root);
                    of_row(&mut self.text, item, row);
                    simple(&mut self.text, entry, item, &asked.keywords);
                }
                _ => {
                    of_row(&mut self.text, item, row);
                    simple(&mut self.text, entry, item, &asked.keywords);
                }
            }
        }
        self.text.extend_from_slice(b")\r\n");
        let parts = match (&summary, &bytes) {
            (Some((_, root)), Some(bytes)) if asked.is_held => opened(asked, root, bytes),
            _ => Parts::default(),
        };
        if self.pieces.len() == pieces {
            // Nothing was lent: the message itself is given back.
            self.held = held.saturating_sub(bytes.map_or(0, |b| b.len()));
            self.hold(self.text.len() - from)?;
        }
        if goes_out {
            self.read.push(row.email);
        }
        if !parts.is_empty() {
            self.opened.push((row.email, parts));
        }
        Ok(())
    }

    /// Tells bytes of a message; returns whether there are such. `left` is how much more of this message may be looked at
    /// for one answer: many ranges and parts of a large message do not add up without end.
    fn body(
        &mut self,
        wanted: &BodyItem,
        bytes: &Arc<Vec<u8>>,
        root: Option<&Part>,
        left: &mut usize,
    ) -> Result<bool, Halt> {
        let mut look = |size: usize| match left.checked_sub(size) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(Halt::Failed(RefusalKind::TooMany.into())),
        };
        self.text.extend_from_slice(wanted.label().as_bytes());
        self.text.push(b' ');
        let whole = Part::default();
        let root = root.unwrap_or(&whole);
        if matches!(wanted.form, BodyForm::Binary | BodyForm::BinarySize) && !wanted.section.path.is_empty() {
            let part = find_part(root, &wanted.section.path).filter(|p| !p.is_multipart());
            let Some(part) = part else {
                let nothing: &[u8] = if wanted.form == BodyForm::BinarySize { b"0" } else { b"NIL" };
                self.text.extend_from_slice(nothing);
                return Ok(false);
            };
            look(part.body.len())?;
            self.hold(part.body.len())?;
            binary(&mut self.text, wanted, &decode_part(bytes, part));
            return Ok(true);
        }
        if wanted.form == BodyForm::BinarySize {
            number(&mut self.text, bytes.len() as u64);
            return Ok(true);
        }
        let Some(found) = section(bytes, root, &wanted.section) else {
            self.text.extend_from_slice(b"NIL");
            return Ok(false);
        };
        let is_lent = matches!(found, std::borrow::Cow::Borrowed(_));
        let found = partial(&found, wanted.partial);
        look(found.len())?;
        if is_lent && found.len() > LENT && memchr::memchr(0, found).is_none() {
            self.lend(bytes, found);
        } else {
            self.hold(found.len())?;
            write::literal(&mut self.text, found);
        }
        Ok(true)
    }

    /// A literal that is sent straight from the message's bytes.
    fn lend(&mut self, bytes: &Arc<Vec<u8>>, found: &[u8]) {
        self.text.extend_from_slice(format!("{{{}}}\r\n", found.len()).as_bytes());
        self.seal();
        let from = found.as_ptr() as usize - bytes.as_ptr() as usize;
        self.pieces.push(Piece::Lent(bytes.clone(), from..from + found.len()));
    }
}

fn of_row(out: &mut Vec<u8>, item: &Item, row: &MessageRow) {
    match item {
        Item::InternalDate => {
            out.extend_from_slice(b"INTERNALDATE ");
            out.extend_from_slice(date::internal_date(row.received_at).as_bytes());
        }
        Item::Size => {
            out.extend_from_slice(b"RFC822.SIZE ");
            number(out, row.size);
        }
        _ => {}
    }
}

fn described(out: &mut Vec<u8>, item: &Item, envelope: &Envelope, root: &Part) {
    match item {
        Item::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            write::envelope(out, envelope);
        }
        Item::Body => {
            out.extend_from_slice(b"BODY ");
            structure::body(out, root, false);
        }
        Item::BodyStructure => {
            out.extend_from_slice(b"BODYSTRUCTURE ");
            structure::body(out, root, true);
        }
        _ => {}
    }
}

/// Which parts the answer shows. Of what a client fetches piece by piece, the piece with the end counts.
fn opened(asked: &Asked, root: &Part, bytes: &[u8]) -> Parts {
    let mut pieces = Vec::new();
    for item in &asked.items {
        let Item::Bytes(wanted) = item else { continue };
        let place = section_place(root, &wanted.section).filter(|_| wanted.form != BodyForm::BinarySize);
        let Some(place) = place else { continue };
        let length = match (wanted.form, wanted.partial) {
            (BodyForm::Binary, Some(_)) => {
                find_part(root, &wanted.section.path).map_or(0, |part| decode_part(bytes, part).len())
            }
            _ => place.len(),
        };
        // A piece behind the end shows nothing.
        let has_end = |(from, count): (u32, u32)| {
            (from as usize) < length.max(1) && from as usize + count as usize >= length
        };
        if wanted.partial.is_none_or(has_end) {
            pieces.push(place);
        }
    }
    if pieces.is_empty() { Parts::default() } else { Parts::within(bytes, root, &pieces) }
}

/// The whole message needs no structure.
fn needs_summary(item: &Item) -> bool {
    match item {
        Item::Envelope | Item::Body | Item::BodyStructure => true,
        Item::Bytes(b) => {
            !b.section.path.is_empty() || b.section.text.is_some() || b.form == BodyForm::Binary
        }
        _ => false,
    }
}

/// What was computed at delivery; a stored form that we do not know any more is computed anew.
fn summary(row: &MessageRow, bytes: Option<&[u8]>) -> Result<(Envelope, Part), Error> {
    match (decode_summary(&row.summary), bytes) {
        (Ok(summary), _) => Ok(summary),
        (Err(_), Some(bytes)) => Ok((Envelope::read(bytes), parse_structure(bytes))),
        (Err(error), None) => Err(Error::fault("reading a stored summary", error)),
    }
}

/// RFC 3516 §4.2: the part with its transfer encoding undone.
fn binary(out: &mut Vec<u8>, wanted: &BodyItem, decoded: &[u8]) {
    if wanted.form == BodyForm::BinarySize {
        return number(out, decoded.len() as u64);
    }
    let decoded = partial(decoded, wanted.partial);
    // A literal8 may hold NUL (RFC 3516 §4.1).
    let mark = if memchr::memchr(0, decoded).is_some() { "~" } else { "" };
    out.extend_from_slice(format!("{mark}{{{}}}\r\n", decoded.len()).as_bytes());
    out.extend_from_slice(decoded);
}

fn partial(bytes: &[u8], range: Option<(u32, u32)>) -> &[u8] {
    let Some((from, count)) = range else { return bytes };
    let from = (from as usize).min(bytes.len());
    let until = from.saturating_add(count as usize).min(bytes.len());
    &bytes[from..until]
}
