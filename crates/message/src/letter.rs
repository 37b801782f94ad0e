//! Messages that people write: fields and parts in, bytes out (RFC 5322, RFC 2045).
//!
//! INVARIANT: no value begins a field or a line of its own, whatever it holds (test: `no_value_begins_a_field`).

use crate::headers;
use congvu_types::Timestamp;
use jiff::fmt::temporal::Pieces;
use mail_builder::{
    MessageBuilder,
    headers::{
        HeaderType, address::Address, content_type::ContentType, message_id::MessageId, raw::Raw, text::Text,
        url::URL,
    },
    mime::{BodyPart, MimePart},
};
use std::fmt::Write as _;

/// Bytes of one field.
const LONGEST_FIELD: usize = 256 * 1024;
/// RFC 5322 §2.1.1: bytes of a line.
const LONGEST_LINE: usize = 998;
/// Levels of parts.
const DEEPEST: usize = 32;

/// A name, if there is one, and an address.
pub type Mailbox = (Option<String>, String);

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// As it stands.
    Raw(String),
    /// Text for the eye.
    Text(String),
    /// Addresses.
    Addresses(Vec<Mailbox>),
    /// Groups of addresses; without a name, just the addresses.
    Groups(Vec<(Option<String>, Vec<Mailbox>)>),
    /// Ids of messages, without brackets.
    MessageIds(Vec<String>),
    /// A date and time of RFC 3339.
    Date(String),
    /// URLs.
    Urls(Vec<String>),
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartBody {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Further parts.
    Parts(Vec<LetterPart>),
}

/// A part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterPart {
    /// Its type, such as `text/plain`.
    pub media_type: String,
    /// The charset of bytes that are text; what is given as text is UTF-8.
    pub charset: Option<String>,
    /// The file name.
    pub name: Option<String>,
    /// `attachment`, `inline` or another.
    pub disposition: Option<String>,
    /// `Content-ID` without brackets.
    pub id: Option<String>,
    /// `Content-Language`.
    pub language: Vec<String>,
    /// `Content-Location`.
    pub location: Option<String>,
    /// Further fields.
    pub fields: Vec<(String, FieldValue)>,
    /// What it holds.
    pub body: PartBody,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its fields, in order.
    pub fields: Vec<(String, FieldValue)>,
    /// Its one part; none is an empty text.
    pub body: Option<LetterPart>,
}

/// A field or a part that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} cannot be written")]
pub struct LetterError(pub String);

/// Writes a message. `now`, and a Message-ID of `unique` at `host`, stand in where it has none.
pub fn write_letter(
    letter: Letter,
    now: Timestamp,
    unique: &str,
    host: &str,
) -> Result<Vec<u8>, LetterError> {
    let mut builder = MessageBuilder::new();
    let has = |name: &str| letter.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if !has("Date") {
        builder = builder.header("Date", Raw::new(now.rfc5322()));
    }
    if !has("Message-ID") {
        builder = builder.header("Message-ID", MessageId::new(format!("{unique}@{host}")));
    }
    for (name, value) in letter.fields {
        let value = field(&name, value)?;
        builder = builder.header(name, value);
    }
    let body = match letter.body {
        Some(body) => part(body, DEEPEST)?,
        None => MimePart::new("text/plain", ""),
    };
    builder.body(body).write_to_vec().map_err(|_| LetterError("the message".to_owned()))
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

/// Control characters become blanks: none begins a line.
fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn field(name: &str, value: FieldValue) -> Result<HeaderType<'static>, LetterError> {
    let bad = || LetterError(name.to_owned());
    if !is_field_name(name) || length(&value) > LONGEST_FIELD {
        return Err(bad());
    }
    Ok(match value {
        FieldValue::Raw(text) => Raw::new(raw(&text).ok_or_else(bad)?).into(),
        FieldValue::Text(text) => Text::new(flat(&text)).into(),
        FieldValue::Addresses(list) => Address::new_list(mailboxes(list).ok_or_else(bad)?).into(),
        FieldValue::Groups(groups) => {
            let mut all = Vec::new();
            for (name, members) in groups {
                let members = mailboxes(members).ok_or_else(bad)?;
                match name {
                    Some(name) => all.push(Address::new_group(Some(flat(&name)), members)),
                    None => all.extend(members),
                }
            }
            Address::new_list(all).into()
        }
        FieldValue::MessageIds(ids) => {
            let is_id = |id: &String| !id.is_empty() && id.len() <= 900 && !id.contains(is_no_word);
            if !ids.iter().all(is_id) {
                return Err(bad());
            }
            MessageId::new_list(ids.into_iter()).into()
        }
        FieldValue::Date(text) => Raw::new(date(&text).ok_or_else(bad)?).into(),
        FieldValue::Urls(urls) => {
            if urls.iter().any(|url| url.is_empty() || url.contains(is_no_word)) {
                return Err(bad());
            }
            URL::new_list(urls.into_iter()).into()
        }
    })
}

fn is_no_word(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '<' | '>')
}

fn length(value: &FieldValue) -> usize {
    let mailboxes = |list: &[Mailbox]| -> usize {
        list.iter().map(|(name, address)| name.as_ref().map_or(0, String::len) + address.len() + 8).sum()
    };
    match value {
        FieldValue::Raw(text) | FieldValue::Text(text) | FieldValue::Date(text) => text.len(),
        FieldValue::Addresses(list) => mailboxes(list),
        FieldValue::Groups(groups) => {
            groups.iter().map(|(name, list)| name.as_ref().map_or(0, String::len) + mailboxes(list) + 8).sum()
        }
        FieldValue::MessageIds(list) | FieldValue::Urls(list) => list.iter().map(|text| text.len() + 4).sum(),
    }
}

/// A raw value unfolded; `None` when a line of it would be no part of the field.
fn raw(text: &str) -> Option<String> {
    let mut lines = text.split("\r\n");
    let mut whole = lines.next()?.to_owned();
    for line in lines {
        if !line.starts_with([' ', '\t']) {
            return None;
        }
        whole.push_str(line);
    }
    let is_clean = !whole.chars().any(|c| c.is_control() && c != '\t');
    is_clean.then(|| whole.trim().to_owned())
}

fn mailboxes(list: Vec<Mailbox>) -> Option<Vec<Address<'static>>> {
    list.into_iter()
        .map(|(name, address)| {
            let is_address = !address.is_empty() && address.len() <= 320 && !address.contains(is_no_word);
            is_address.then(|| Address::new_address(name.map(|n| flat(&n)), address))
        })
        .collect()
}

/// RFC 5322 §3.3 of RFC 3339, in its own zone.
fn date(text: &str) -> Option<String> {
    let pieces = Pieces::parse(text).ok()?;
    let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    let mut written = pieces.date().to_datetime(time).strftime("%a, %d %b %Y %H:%M:%S ").to_string();
    let _ = write!(written, "{sign}{:02}{:02}", minutes / 60, minutes % 60);
    Some(written)
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 127
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

fn part(part: LetterPart, depth: usize) -> Result<MimePart<'static>, LetterError> {
    let bad = |what: &str| LetterError(what.to_owned());
    let media_type = part.media_type.to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    let is_multipart = matches!(part.body, PartBody::Parts(_));
    if !is_token(kind) || !is_token(subtype) || is_multipart != (kind == "multipart") {
        return Err(bad("type"));
    }
    let mut content_type = ContentType::new(media_type.clone());
    let disposition = part
        .disposition
        .as_deref()
        .map(|d| if is_token(d) { Ok(d.to_owned()) } else { Err(bad("disposition")) });
    let name = part.name.as_deref().map(flat).filter(|n| !n.is_empty());
    if let (Some(name), None) = (&name, &disposition) {
        content_type = content_type.attribute("name", name.clone());
    }
    if let (Some(charset), PartBody::Bytes(_)) = (&part.charset, &part.body) {
        if !is_token(charset) {
            return Err(bad("charset"));
        }
        content_type = content_type.attribute("charset", charset.clone());
    }
    let (body, encoding) = match part.body {
        PartBody::Text(text) => {
            content_type = content_type.attribute("charset", "utf-8");
            let text = String::from_utf8_lossy(&headers::to_crlf(text.as_bytes())).into_owned();
            (BodyPart::Text(text.into()), None)
        }
        // RFC 2046 §5.2.1: a message within is not encoded, as long as it can be carried as it is.
        PartBody::Bytes(bytes) if media_type == "message/rfc822" && is_clean(&bytes) => {
            let encoding = if bytes.is_ascii() { "7bit" } else { "8bit" };
            (BodyPart::Binary(bytes.into()), Some(encoding))
        }
        PartBody::Bytes(bytes) => (BodyPart::Binary(bytes.into()), Some("base64")),
        PartBody::Parts(parts) => {
            let depth = depth.checked_sub(1).ok_or_else(|| bad("subParts"))?;
            let parts: Result<Vec<_>, _> = parts.into_iter().map(|p| self::part(p, depth)).collect();
            (BodyPart::Multipart(parts?), None)
        }
    };
    let mut written = MimePart::new(content_type, body);
    if let Some(encoding) = encoding {
        written = encoded(written, encoding);
    }
    if let Some(disposition) = disposition {
        let disposition = ContentType::new(disposition?);
        let disposition = match name {
            Some(name) => disposition.attribute("filename", name),
            None => disposition,
        };
        written = written.header("Content-Disposition", disposition);
    }
    described(written, part.id, part.language, part.location, part.fields)
}

/// Bytes are always base64, whatever their type says: text of another charset is not ours to read.
fn encoded(mut part: MimePart<'static>, encoding: &'static str) -> MimePart<'static> {
    if encoding == "base64" {
        let bytes = match part.contents {
            BodyPart::Binary(bytes) => base64_lines(&bytes),
            other => {
                part.contents = other;
                return part;
            }
        };
        part.contents = BodyPart::Binary(bytes.into());
    }
    part.transfer_encoding(encoding)
}

fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let mut lines = Vec::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 28 + 4);
    // RFC 2045 §6.8: lines of 76 characters, from 57 bytes.
    for line in bytes.chunks(57) {
        lines.extend_from_slice(BASE64_STANDARD.encode(line).as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

fn described(
    mut part: MimePart<'static>,
    id: Option<String>,
    language: Vec<String>,
    location: Option<String>,
    fields: Vec<(String, FieldValue)>,
) -> Result<MimePart<'static>, LetterError> {
    let bad = |what: &str| LetterError(what.to_owned());
    if let Some(id) = id {
        if id.is_empty() || id.len() > 900 || id.contains(is_no_word) {
            return Err(bad("cid"));
        }
        part = part.cid(id);
    }
    if !language.is_empty() {
        let is_tag =
            |tag: &String| tag.len() <= 50 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if language.len() > 20 || !language.iter().all(is_tag) {
            return Err(bad("language"));
        }
        part = part.language(language.join(", "));
    }
    if let Some(location) = location {
        if location.is_empty()
            || location.len() > LONGEST_LINE
            || location.contains(is_no_word)
            || !location.is_ascii()
        {
            return Err(bad("location"));
        }
        part = part.location(location);
    }
    for (name, value) in fields {
        let value = field(&name, value)?;
        part = part.header(name, value);
    }
    Ok(part)
}

/// Whether bytes can be carried without an encoding (RFC 2045 §2.7, §2.8).
fn is_clean(bytes: &[u8]) -> bool {
    let ends = |line: &[u8]| {
        line.strip_suffix(b"\r").is_some_and(|l| l.len() <= LONGEST_LINE && !l.contains(&b'\r'))
    };
    let mut lines = bytes.split(|b| *b == b'\n').peekable();
    let mut is_clean = !bytes.contains(&0);
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        is_clean &= if is_last { line.len() <= LONGEST_LINE && !line.contains(&b'\r') } else { ends(line) };
    }
    is_clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attachments, html_body, parse_structure, text_body};

    fn text(media_type: &str, text: &str) -> LetterPart {
        LetterPart {
            media_type: media_type.into(),
            charset: None,
            name: None,
            disposition: None,
            id: None,
            language: Vec::new(),
            location: None,
            fields: Vec::new(),
            body: PartBody::Text(text.into()),
        }
    }

    fn write(fields: &[(&str, FieldValue)], body: Option<LetterPart>) -> Result<String, LetterError> {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        let written = write_letter(Letter { fields, body }, Timestamp(1_795_421_700_000), "1", "x.example")?;
        Ok(String::from_utf8(written).unwrap())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = |media_type: &str, name: &str, bytes: &[u8]| LetterPart {
            name: Some(name.into()),
            disposition: Some("attachment".into()),
            body: PartBody::Bytes(bytes.to_vec()),
            ..text(media_type, "")
        };
        let forms = LetterPart {
            body: PartBody::Parts(vec![
                text("text/plain", "Kính gửi\nquý Sở"),
                text("text/html", "<p>Kính gửi</p>"),
            ]),
            ..text("multipart/alternative", "")
        };
        let inner = b"Subject: inner\r\n\r\nhello\r\n";
        let body = LetterPart {
            body: PartBody::Parts(vec![
                forms,
                bytes("text/csv", "báo cáo.csv", b"a,\xe1"),
                bytes("message/rfc822", "x.eml", inner),
                bytes("message/rfc822", "y.eml", b"Subject: bare\n\nx"),
            ]),
            ..text("multipart/mixed", "")
        };
        let people = vec![(Some("Lê, Mai".to_owned()), "mai@x.example".to_owned())];
        let raw = write(
            &[
                ("From", FieldValue::Addresses(people)),
                ("Subject", FieldValue::Text("Báo cáo".into())),
                ("References", FieldValue::MessageIds(vec!["a@x".into(), "b@x".into()])),
                ("Date", FieldValue::Date("2026-11-23T15:15:00+07:00".into())),
            ],
            Some(body),
        )
        .unwrap();
        let raw = raw.as_bytes();
        let root = parse_structure(raw);
        assert_eq!(text_body(raw, &root).trim_end(), "Kính gửi\r\nquý Sở");
        assert_eq!(html_body(raw, &root).unwrap().trim_end(), "<p>Kính gửi</p>");
        let found = attachments(raw, &root);
        assert_eq!(
            found.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
            ["báo cáo.csv", "x.eml", "y.eml"]
        );
        assert_eq!(found[0].content, b"a,\xe1");
        assert_eq!(found[1].content, inner);
        let envelope = crate::Envelope::read(raw);
        assert_eq!(envelope.date.as_deref(), Some("Mon, 23 Nov 2026 15:15:00 +0700"));
        assert_eq!(envelope.from[0].display_name().as_deref(), Some("Lê, Mai"));
        assert_eq!(headers::decode(envelope.subject.unwrap().as_bytes()), "Báo cáo");
        assert_eq!(envelope.message_id.as_deref(), Some("<1@x.example>"));
        assert!(headers::get(raw, "MIME-Version").is_some());
        assert!(raw.split(|b| *b == b'\n').rev().skip(1).all(|line| line.ends_with(b"\r")));
    }

    #[test]
    fn no_value_begins_a_field() {
        let hostile = "x\r\nBcc: b@x.example\r\n\r\nbody";
        let people = |name: &str, address: &str| {
            FieldValue::Addresses(vec![(Some(name.to_owned()), address.to_owned())])
        };
        let written = write(
            &[
                ("Subject", FieldValue::Text(hostile.into())),
                ("To", people(hostile, "a@x.example")),
                ("Cc", FieldValue::Groups(vec![(Some(hostile.into()), vec![])])),
            ],
            Some(LetterPart { name: Some(hostile.into()), ..text("text/plain", "x") }),
        )
        .unwrap();
        let fields: Vec<_> =
            headers::fields(written.as_bytes()).map(|f| String::from_utf8_lossy(f.name)).collect();
        assert!(!fields.iter().any(|name| name.eq_ignore_ascii_case("bcc")), "{written}");
        let lone = |value: FieldValue| write(&[("X", value)], None);
        assert!(lone(people("a", hostile)).is_err());
        assert!(lone(FieldValue::Raw(hostile.into())).is_err());
        assert!(lone(FieldValue::Raw("a\nb".into())).is_err());
        assert!(lone(FieldValue::Raw("a\r\n b".into())).is_ok());
        assert!(lone(FieldValue::MessageIds(vec![hostile.into()])).is_err());
        assert!(lone(FieldValue::Urls(vec![hostile.into()])).is_err());
        assert!(lone(FieldValue::Date(hostile.into())).is_err());
        assert!(write(&[("X:\r\nBcc", FieldValue::Text("x".into()))], None).is_err());
        for part in [
            LetterPart { media_type: format!("text/{hostile}"), ..text("", "x") },
            LetterPart { disposition: Some(hostile.into()), ..text("text/plain", "x") },
            LetterPart { id: Some(hostile.into()), ..text("text/plain", "x") },
            LetterPart { language: vec![hostile.into()], ..text("text/plain", "x") },
            LetterPart { location: Some(hostile.into()), ..text("text/plain", "x") },
            text("multipart/mixed", "x"),
        ] {
            assert!(write(&[], Some(part.clone())).is_err(), "{part:?}");
        }
    }
}
