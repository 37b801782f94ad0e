//! Whether a message fits a search key (RFC 9051 §6.4.4). Text is compared without regard to case and to Vietnamese accents:
//! "Khánh Hòa" is found by "khanh hoa".

use super::{
    codec::{
        date::{day_of, days_of},
        search::Key,
        set,
    },
    indexed::{BODY, Known, TEXT},
};
use congvu_mail::{
    Entry, FlagSet, MessageRow,
    search::{Expression, Phrase, document},
};
use congvu_message::{AddressItem, Envelope, all_text, decode_summary, headers, parse_structure, sent_day};
use congvu_storage::Document;
use congvu_types::fold;
use std::{cell::OnceCell, sync::Arc};

/// How much of a message a key looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Numbers and flags.
    View,
    /// Dates, sizes, the envelope.
    Row,
    /// Everything.
    Bytes,
}

/// A key made ready: sets resolved, keywords as bits, text folded.
#[derive(Debug, Clone)]
pub(super) enum Ready {
    All,
    Nothing,
    And(Vec<Ready>),
    Or(Box<Ready>, Box<Ready>),
    Not(Box<Ready>),
    Sequence(Vec<(u32, u32)>),
    Uid(Vec<(u32, u32)>),
    Flags(FlagSet),
    ModSeq(u64),
    Larger(u64),
    Smaller(u64),
    Received(i64, i64),
    Sent(i64, i64),
    Address(Field, String),
    Subject(String),
    MessageId(String),
    Header(String, String),
    /// Signs without a letter, somewhere.
    Body(String),
    Text(String),
    /// Words that follow each other; the last may be the beginning of a longer one (docs/adr/0022).
    Words(Phrase),
    /// A key with what the index says of it.
    Known(Box<Ready>, Arc<Known>),
}

/// An address field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    From,
    To,
    Cc,
    Bcc,
}

/// What a key is made ready with.
pub(super) struct Context<'a> {
    pub(super) keywords: &'a [String],
    pub(super) total: u32,
    pub(super) last_uid: u32,
    pub(super) saved: &'a [(u32, u32)],
}

pub(super) fn ready(key: &Key, context: &Context<'_>) -> Ready {
    let each = |keys: &[Key]| keys.iter().map(|k| ready(k, context)).collect();
    let boxed = |key: &Key| Box::new(ready(key, context));
    let ranges = |set: &set::Set, largest| match set {
        set::Set::Saved => None,
        set::Set::Ranges(ranges) => Some(set::resolve(ranges, largest)),
    };
    match key {
        Key::All => Ready::All,
        Key::Nothing => Ready::Nothing,
        Key::And(keys) => Ready::And(each(keys)),
        Key::Or(a, b) => Ready::Or(boxed(a), boxed(b)),
        Key::Not(inner) => Ready::Not(boxed(inner)),
        Key::Sequence(set) => {
            ranges(set, context.total).map_or_else(|| Ready::Uid(context.saved.to_vec()), Ready::Sequence)
        }
        Key::Uid(set) => Ready::Uid(ranges(set, context.last_uid).unwrap_or_else(|| context.saved.to_vec())),
        Key::Flag(flags) => Ready::Flags(FlagSet(u64::from(flags.bits()))),
        Key::Keyword(keyword) => match context.keywords.iter().position(|k| keyword.is(k)) {
            Some(place) => Ready::Flags(FlagSet::keyword(place)),
            None => Ready::Nothing,
        },
        Key::ModSeq(from) => Ready::ModSeq(*from),
        Key::Larger(size) => Ready::Larger(*size),
        Key::Smaller(size) => Ready::Smaller(*size),
        Key::Before(day) => Ready::Received(i64::MIN, day - 1),
        Key::On(day) => Ready::Received(*day, *day),
        Key::Since(day) => Ready::Received(*day, i64::MAX),
        Key::SentBefore(day) => Ready::Sent(i64::MIN, day - 1),
        Key::SentOn(day) => Ready::Sent(*day, *day),
        Key::SentSince(day) => Ready::Sent(*day, i64::MAX),
        Key::From(text) => Ready::Address(Field::From, fold(text)),
        Key::To(text) => Ready::Address(Field::To, fold(text)),
        Key::Cc(text) => Ready::Address(Field::Cc, fold(text)),
        Key::Bcc(text) => Ready::Address(Field::Bcc, fold(text)),
        Key::Subject(text) => Ready::Subject(fold(text)),
        Key::Header(name, text) if name.eq_ignore_ascii_case("Message-ID") => Ready::MessageId(fold(text)),
        Key::Header(name, text) => Ready::Header(name.clone(), fold(text)),
        Key::Body(text) => Phrase::begun(BODY, text).map_or_else(|| Ready::Body(fold(text)), Ready::Words),
        Key::Text(text) => Phrase::begun(TEXT, text).map_or_else(|| Ready::Text(fold(text)), Ready::Words),
    }
}

impl Ready {
    pub(super) fn depth(&self) -> Depth {
        match self {
            Self::And(keys) => keys.iter().map(Self::depth).max().unwrap_or(Depth::View),
            Self::Or(a, b) => a.depth().max(b.depth()),
            Self::Not(inner) => inner.depth(),
            Self::All
            | Self::Nothing
            | Self::Sequence(_)
            | Self::Uid(_)
            | Self::Flags(_)
            | Self::ModSeq(_) => Depth::View,
            Self::Larger(_)
            | Self::Smaller(_)
            | Self::Received(..)
            | Self::Sent(..)
            | Self::Address(..)
            | Self::Subject(_)
            | Self::MessageId(_) => Depth::Row,
            Self::Header(..) | Self::Body(_) | Self::Text(_) | Self::Words(_) => Depth::Bytes,
            Self::Known(key, _) => key.depth(),
        }
    }

    /// How much of this message must be looked at, when the view does not decide.
    pub(super) fn depth_for(&self, seq: u32, entry: &Entry) -> Depth {
        if self.by_view(seq, entry).is_some() {
            return Depth::View;
        }
        match self {
            Self::And(keys) => keys.iter().map(|k| k.depth_for(seq, entry)).max().unwrap_or(Depth::View),
            Self::Or(a, b) => a.depth_for(seq, entry).max(b.depth_for(seq, entry)),
            Self::Not(inner) => inner.depth_for(seq, entry),
            other => other.depth(),
        }
    }

    /// Whether something is compared that stands in the stored envelope.
    pub(super) fn needs_envelope(&self) -> bool {
        match self {
            Self::And(keys) => keys.iter().any(Self::needs_envelope),
            Self::Or(a, b) => a.needs_envelope() || b.needs_envelope(),
            Self::Not(inner) => inner.needs_envelope(),
            Self::Known(key, _) => key.needs_envelope(),
            Self::Address(..) | Self::Sent(..) => true,
            _ => false,
        }
    }

    /// What the view alone says: fits, does not, or must be looked at.
    pub(super) fn by_view(&self, seq: u32, entry: &Entry) -> Option<bool> {
        match self {
            Self::And(keys) => {
                let mut all = Some(true);
                for key in keys {
                    match key.by_view(seq, entry) {
                        Some(false) => return Some(false),
                        None => all = None,
                        Some(true) => {}
                    }
                }
                all
            }
            Self::Or(a, b) => match (a.by_view(seq, entry), b.by_view(seq, entry)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(inner) => inner.by_view(seq, entry).map(|fits| !fits),
            Self::All => Some(true),
            Self::Nothing => Some(false),
            Self::Sequence(ranges) => Some(holds(ranges, seq)),
            Self::Uid(ranges) => Some(holds(ranges, entry.uid.0)),
            Self::Flags(flags) => Some(entry.flags.0 & flags.0 == flags.0),
            Self::ModSeq(from) => Some(entry.modseq >= *from),
            Self::Known(_, known) => known.says(entry),
            _ => None,
        }
    }

    /// Whether the message fits.
    pub(super) fn fits(&self, seq: u32, entry: &Entry, message: &Message<'_>) -> bool {
        match self {
            Self::And(keys) => keys.iter().all(|k| k.fits(seq, entry, message)),
            Self::Or(a, b) => a.fits(seq, entry, message) || b.fits(seq, entry, message),
            Self::Not(inner) => !inner.fits(seq, entry, message),
            Self::Larger(size) => message.row.size > *size,
            Self::Smaller(size) => message.row.size < *size,
            Self::Received(from, until) => (*from..=*until).contains(&day_of(message.row.received_at)),
            Self::Sent(from, until) => (*from..=*until).contains(&message.sent_day()),
            Self::Address(field, text) => message.addresses(*field).contains(text.as_str()),
            Self::Subject(text) => fold(&message.row.subject).contains(text.as_str()),
            Self::MessageId(text) => {
                let id = message.row.message_id.as_deref();
                id.is_some_and(|id| fold(&format!("<{id}>")).contains(text.as_str()))
            }
            Self::Header(name, text) => message.has_header(name, text),
            Self::Known(key, known) => known.says(entry).unwrap_or_else(|| key.fits(seq, entry, message)),
            Self::Words(phrase) => Expression::Phrase(phrase.clone()).fits(message.document()),
            Self::Body(text) => message.body().contains(text.as_str()),
            Self::Text(text) => {
                message.header().contains(text.as_str()) || message.body().contains(text.as_str())
            }
            _ => self.by_view(seq, entry).unwrap_or(false),
        }
    }
}

fn holds(ranges: &[(u32, u32)], number: u32) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= number);
    after.checked_sub(1).is_some_and(|at| ranges[at].1 >= number)
}

/// A message under the glass; what is costly is computed when asked for.
pub(super) struct Message<'a> {
    pub(super) row: &'a MessageRow,
    /// Empty when no key asks for it.
    bytes: &'a [u8],
    envelope: OnceCell<Envelope>,
    body: OnceCell<String>,
    header: OnceCell<String>,
    document: OnceCell<Document>,
}

impl<'a> Message<'a> {
    pub(super) fn new(row: &'a MessageRow, bytes: &'a [u8]) -> Self {
        let (envelope, document) = (OnceCell::new(), OnceCell::new());
        Self { row, bytes, envelope, body: OnceCell::new(), header: OnceCell::new(), document }
    }

    fn envelope(&self) -> &Envelope {
        self.envelope.get_or_init(|| match decode_summary(&self.row.summary) {
            Ok((envelope, _)) => envelope,
            Err(_) => Envelope::read(self.bytes),
        })
    }

    fn addresses(&self, field: Field) -> String {
        let envelope = self.envelope();
        let list = match field {
            Field::From => &envelope.from,
            Field::To => &envelope.to,
            Field::Cc => &envelope.cc,
            Field::Bcc => &envelope.bcc,
        };
        let words = list.iter().map(|item| {
            let plain = match item {
                AddressItem::Mailbox { local, domain, .. } => format!("<{local}@{domain}>"),
                AddressItem::GroupStart(name) => name.clone(),
                AddressItem::GroupEnd => String::new(),
            };
            format!("{} {plain}", item.display_name().unwrap_or_default())
        });
        fold(&words.collect::<Vec<_>>().join(", "))
    }

    /// RFC 9051 §6.4.4: the day of the Date field, disregarding time and zone; of arrival when there is none.
    fn sent_day(&self) -> i64 {
        let named = self.envelope().date.as_deref().and_then(sent_day);
        named.map_or_else(|| day_of(self.row.received_at), days_of)
    }

    /// RFC 9051 §6.4.4: the empty string asks whether there is such a field.
    fn has_header(&self, name: &str, text: &str) -> bool {
        headers::fields(self.bytes)
            .filter(|field| field.is(name))
            .any(|field| text.is_empty() || fold(&headers::decode(field.value)).contains(text))
    }

    fn header(&self) -> &str {
        self.header.get_or_init(|| {
            let fields = headers::fields(self.bytes).map(|field| {
                format!("{}: {}", String::from_utf8_lossy(field.name), headers::decode(field.value))
            });
            fold(&fields.collect::<Vec<_>>().join("\n"))
        })
    }

    /// As the index sees it.
    fn document(&self) -> &Document {
        self.document.get_or_init(|| document(self.bytes))
    }

    fn body(&self) -> &str {
        self.body.get_or_init(|| fold(&all_text(self.bytes, &parse_structure(self.bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use congvu_types::{Flags, Uid};

    const SEEN: FlagSet = FlagSet(Flags::SEEN.bits() as u64);

    #[test]
    fn the_view_decides_what_it_can() {
        let entry = Entry { uid: Uid(7), flags: SEEN, modseq: 3 };
        let seen = || Ready::Flags(SEEN);
        let subject = || Ready::Subject("x".into());
        assert_eq!(Ready::And(vec![Ready::Not(Box::new(seen())), subject()]).by_view(1, &entry), Some(false));
        assert_eq!(Ready::And(vec![seen(), subject()]).by_view(1, &entry), None);
        assert_eq!(Ready::Or(Box::new(seen()), Box::new(subject())).by_view(1, &entry), Some(true));
        assert_eq!(Ready::Uid(vec![(1, 3), (7, 9)]).by_view(1, &entry), Some(true));
        assert_eq!(Ready::Sequence(vec![(2, 3)]).by_view(1, &entry), Some(false));
        assert_eq!(fold("Khánh HÒA Đẹp"), "khanh hoa dep");
    }
}
