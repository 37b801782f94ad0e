//! The answers of FETCH as bytes: pure but for what they read from one snapshot.

use super::codec::{
    date,
    fetch::{BodyForm, BodyItem, Item},
    structure, write,
};
use congvu_directory::{Acting, right};
use congvu_mail::{Entry, MessageRow, Want, messages, raw};
use congvu_message::{Envelope, Part, decode_part, decode_summary, find_part, parse_structure, section};
use congvu_storage::Snapshot;
use congvu_types::{EmailId, Error, MailboxId, Result};
use std::sync::Arc;

/// A page ends when it has so many bytes.
const PAGE_BYTES: usize = 512 * 1024;

/// What is asked of every message.
pub(super) struct Asked {
    pub(super) reading: Acting<right::Read>,
    pub(super) mailbox: MailboxId,
    pub(super) want: Want,
    pub(super) reads_bytes: bool,
    pub(super) keywords: Arc<Vec<String>>,
    pub(super) items: Vec<Item>,
}

/// A part of the answer.
pub(super) struct Page {
    pub(super) out: Vec<u8>,
    /// How many of the messages asked for are done.
    pub(super) done: usize,
    pub(super) emails: Vec<EmailId>,
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

/// Answers for messages that stand side by side in the mailbox; those that are gone by now are passed over.
pub(super) fn page(snapshot: &Snapshot, asked: &Asked, run: &[(u32, Entry)]) -> Result<Page> {
    let mut page = Page { out: Vec::new(), done: run.len(), emails: Vec::new() };
    let (Some((_, first)), Some((_, last))) = (run.first(), run.last()) else { return Ok(page) };
    let rows =
        messages(snapshot, &asked.reading, asked.mailbox, (first.uid, last.uid), asked.want, run.len())?;
    let mut rows = rows.into_iter().peekable();
    for (place, (seq, entry)) in run.iter().enumerate() {
        while rows.peek().is_some_and(|row| row.uid < entry.uid) {
            rows.next();
        }
        let Some(row) = rows.next_if(|row| row.uid == entry.uid) else { continue };
        one(snapshot, asked, &mut page.out, (*seq, entry), &row)?;
        if asked.reads_bytes {
            page.emails.push(row.email);
        }
        if page.out.len() > PAGE_BYTES {
            page.done = place + 1;
            break;
        }
    }
    Ok(page)
}

fn one(
    snapshot: &Snapshot,
    asked: &Asked,
    out: &mut Vec<u8>,
    (seq, entry): (u32, &Entry),
    row: &MessageRow,
) -> Result<()> {
    let bytes = if asked.reads_bytes { Some(raw(snapshot, row)?) } else { None };
    let needs_summary = asked.items.iter().any(needs_summary);
    let summary = if needs_summary { Some(summary(row, bytes.as_deref())?) } else { None };
    begin(out, seq);
    for (at, item) in asked.items.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        match (item, &summary, &bytes) {
            (Item::InternalDate, ..) => {
                out.extend_from_slice(b"INTERNALDATE ");
                out.extend_from_slice(date::internal_date(row.received_at).as_bytes());
            }
            (Item::Size, ..) => {
                out.extend_from_slice(b"RFC822.SIZE ");
                number(out, row.size);
            }
            (Item::Envelope, Some((envelope, _)), _) => {
                out.extend_from_slice(b"ENVELOPE ");
                write::envelope(out, envelope);
            }
            (Item::Body, Some((_, root)), _) => {
                out.extend_from_slice(b"BODY ");
                structure::body(out, root, false);
            }
            (Item::BodyStructure, Some((_, root)), _) => {
                out.extend_from_slice(b"BODYSTRUCTURE ");
                structure::body(out, root, true);
            }
            (Item::Bytes(wanted), parts, Some(bytes)) => {
                body(out, wanted, bytes, parts.as_ref().map(|(_, root)| root));
            }
            _ => simple(out, entry, item, &asked.keywords),
        }
    }
    out.extend_from_slice(b")\r\n");
    Ok(())
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
fn summary(row: &MessageRow, bytes: Option<&[u8]>) -> Result<(Envelope, Part)> {
    match (decode_summary(&row.summary), bytes) {
        (Ok(summary), _) => Ok(summary),
        (Err(_), Some(bytes)) => Ok((Envelope::read(bytes), parse_structure(bytes))),
        (Err(error), None) => Err(Error::fault("reading a stored summary", error)),
    }
}

fn body(out: &mut Vec<u8>, wanted: &BodyItem, bytes: &[u8], root: Option<&Part>) {
    out.extend_from_slice(wanted.label().as_bytes());
    out.push(b' ');
    let whole = Part::default();
    let root = root.unwrap_or(&whole);
    if matches!(wanted.form, BodyForm::Binary | BodyForm::BinarySize) && !wanted.section.path.is_empty() {
        return binary(out, wanted, bytes, root);
    }
    if wanted.form == BodyForm::BinarySize {
        return number(out, bytes.len() as u64);
    }
    match section(bytes, root, &wanted.section) {
        Some(found) => write::literal(out, partial(&found, wanted.partial)),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// RFC 3516 §4.2: the part with its transfer encoding undone.
fn binary(out: &mut Vec<u8>, wanted: &BodyItem, bytes: &[u8], root: &Part) {
    let Some(part) = find_part(root, &wanted.section.path).filter(|p| !p.is_multipart()) else {
        return out.extend_from_slice(if wanted.form == BodyForm::BinarySize { b"0" } else { b"NIL" });
    };
    let decoded = decode_part(bytes, part);
    if wanted.form == BodyForm::BinarySize {
        return number(out, decoded.len() as u64);
    }
    let decoded = partial(&decoded, wanted.partial);
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
