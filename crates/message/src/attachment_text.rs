//! The readable text of attachments, for search: PDF, Office and OpenDocument files, pages, plain text, messages within.
//!
//! Everything here is read by code that counts what it does: bytes unpacked, steps taken, text written. A file that wants more
//! than its share (a bomb, a cycle) yields what was read until then. Nothing recurses deeper than a small constant.

mod office;
mod pdf;
mod zip;

use crate::{
    Attachment, Part, attached, attachment::attachment, charset, headers, parse_structure, text_body,
};
use congvu_types::composed;
use mail_parser::decoders::html::html_to_text;

/// How much is read and kept.
#[derive(Debug, Clone, Copy)]
pub struct TextLimits {
    /// Bytes of text of one attachment.
    pub attachment_bytes: usize,
    /// Bytes of text of all attachments of a message.
    pub message_bytes: usize,
    /// Bytes that the attachments of a message may be unpacked to.
    pub unpacked_bytes: usize,
    /// Steps that their readers may take, each worth some nanoseconds.
    pub steps: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { attachment_bytes: MIB, message_bytes: 4 * MIB, unpacked_bytes: 64 * MIB, steps: 20_000_000 }
    }
}

/// What an attachment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentText {
    /// Its file name.
    pub name: String,
    /// Its text in NFC; empty when there is none that we can read.
    pub text: String,
}

/// What may still be done for one message.
struct Work {
    unpacked: usize,
    steps: usize,
}

/// No stream of a file is unpacked to more than this.
const LARGEST_STREAM: usize = 16 * 1024 * 1024;

impl Work {
    /// Counts steps; `None` when there are none left.
    fn step(&mut self, steps: usize) -> Option<()> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.map(drop)
    }

    /// Reads what a decoder gives, as far as there is room; an error ends it like the end does.
    fn unpack(&mut self, from: impl std::io::Read) -> Vec<u8> {
        use std::io::Read as _;
        let mut out = Vec::new();
        let room = self.unpacked.min(LARGEST_STREAM);
        let _ = from.take(u64::try_from(room).unwrap_or(0)).read_to_end(&mut out);
        self.unpacked = self.unpacked.saturating_sub(out.len());
        out
    }
}

/// Text under way, cut where it would become too long.
struct Sink {
    text: String,
    room: usize,
}

impl Sink {
    const fn new(room: usize) -> Self {
        Self { text: String::new(), room }
    }

    const fn is_full(&self) -> bool {
        self.room == 0
    }

    fn push(&mut self, text: &str) {
        let mut end = text.len().min(self.room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let piece = text.get(..end).unwrap_or_default();
        self.text.push_str(piece);
        self.room = if piece.len() < text.len() { 0 } else { self.room - piece.len() };
    }

    /// Ends a line, a cell or a word, once.
    fn separate(&mut self, by: &str) {
        if by == "\n" {
            let kept = self.text.trim_end_matches([' ', '\t']).len();
            self.room += if self.is_full() { 0 } else { self.text.len() - kept };
            self.text.truncate(kept);
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') && !self.text.ends_with(by) {
            self.push(by);
        }
    }
}

/// Returns names and texts of the attachments of a message, in their order.
#[must_use]
pub fn attachment_texts(raw: &[u8], root: &Part, limits: &TextLimits) -> Vec<AttachmentText> {
    let mut work = Work { unpacked: limits.unpacked_bytes, steps: limits.steps };
    let mut room = limits.message_bytes;
    let mut found = Vec::new();
    for part in attached(root) {
        let mut sink = Sink::new(room.min(limits.attachment_bytes));
        let file = attachment(raw, part);
        read(&file, part, &mut work, &mut sink, 0);
        let text = composed(sink.text);
        room = room.saturating_sub(text.len());
        found.push(AttachmentText { name: file.name, text });
    }
    found
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pdf,
    Zip,
    Html,
    Text,
    Message,
    Other,
}

/// The kind by the bytes; where these may be anything, by the name and the declared type.
fn kind(file: &Attachment) -> Kind {
    const TEXTS: [&str; 12] =
        ["txt", "csv", "tsv", "md", "log", "ics", "vcf", "json", "xml", "yaml", "yml", "ini"];
    let content = file.content.as_slice();
    let head = content.get(..content.len().min(1024)).unwrap_or_default();
    let ending = file.name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    let declared = file.declared_type.as_str();
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Kind::Pdf;
    }
    if head.starts_with(b"PK\x03\x04") {
        return Kind::Zip;
    }
    let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let detected = file.detected_type.unwrap_or_default();
    if !is_utf16 && (head.contains(&0) || !(detected.is_empty() || detected.starts_with("text/"))) {
        return Kind::Other;
    }
    if declared == "message/rfc822" || declared == "message/global" || ending == "eml" {
        return Kind::Message;
    }
    if declared == "text/html"
        || detected == "text/html"
        || matches!(ending.as_str(), "html" | "htm" | "xhtml")
    {
        return Kind::Html;
    }
    let is_text = declared.starts_with("text/") || TEXTS.contains(&ending.as_str());
    if is_text { Kind::Text } else { Kind::Other }
}

/// Messages within messages are read no deeper.
const DEEPEST: usize = 4;

fn read(file: &Attachment, part: &Part, work: &mut Work, sink: &mut Sink, depth: usize) {
    if sink.is_full() || work.step(1_000).is_none() {
        return;
    }
    let content = file.content.as_slice();
    let charset = part.param("charset");
    // What is written out in full takes part of the budget too.
    let content = content.get(..content.len().min(work.unpacked)).unwrap_or_default();
    match kind(file) {
        Kind::Pdf => pdf::read(content, work, sink),
        Kind::Zip => office::read(content, work, sink),
        Kind::Html => {
            let page = content.get(..content.len().min(LARGEST_STREAM)).unwrap_or_default();
            work.unpacked -= page.len();
            sink.push(&html_to_text(&charset::decode_html(charset, page)));
        }
        Kind::Text => {
            // Of a text no more is decoded than can be kept, with some bytes for what has more in its charset.
            let enough = sink.room.saturating_mul(2).saturating_add(2);
            let text = content.get(..content.len().min(enough)).unwrap_or_default();
            work.unpacked -= text.len();
            sink.push(&plain(charset, text));
        }
        Kind::Message if depth < DEEPEST => message(content, work, sink, depth),
        Kind::Message | Kind::Other => {}
    }
}

/// A text file: a byte order mark says more than a label.
fn plain(label: Option<&str>, bytes: &[u8]) -> String {
    let text = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => {
            encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0.into_owned()
        }
        None => charset::decode(label.unwrap_or_default(), bytes, None),
    };
    text.replace('\0', "")
}

fn message(raw: &[u8], work: &mut Work, sink: &mut Sink, depth: usize) {
    let root = parse_structure(raw);
    work.unpacked = work.unpacked.saturating_sub(raw.len());
    for name in ["Subject", "From", "To", "Cc"] {
        if let Some(field) = headers::get(raw, name) {
            sink.push(&headers::decode(field.value));
            sink.separate("\n");
        }
    }
    sink.push(&text_body(raw, &root));
    for part in attached(&root) {
        if sink.is_full() || work.unpacked == 0 {
            return;
        }
        let inner = attachment(raw, part);
        sink.separate("\n");
        sink.push(&inner.name);
        sink.separate("\n");
        read(&inner, part, work, sink, depth + 1);
    }
}
