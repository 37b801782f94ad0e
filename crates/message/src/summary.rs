//! Everything that is computed once, at delivery, and stored beside the message.

use crate::{Envelope, attachment, body, encode_summary, headers, parse_structure};
use congvu_types::Timestamp;

/// The facts of a message that lists, threads and IMAP need without the message itself.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Envelope and structure, encoded (`decode_summary` reads it).
    pub encoded: Vec<u8>,
    /// The subject for the eye.
    pub subject: String,
    /// The first author for the eye: name, or address when there is none.
    pub from: String,
    /// `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// Ids of the messages before this one: `References`, then `In-Reply-To`; the last 64.
    pub references: Vec<String>,
    /// The `Date` field.
    pub sent_at: Option<Timestamp>,
    /// The first words.
    pub preview: String,
    /// Whether there is an attachment.
    pub has_attachment: bool,
}

/// Computes a message's summary.
#[must_use]
pub fn summarize(raw: &[u8]) -> Summary {
    let root = parse_structure(raw);
    let envelope = Envelope::read(raw);
    Summary {
        encoded: encode_summary(&envelope, &root),
        subject: short(
            &envelope.subject.as_deref().map(|s| headers::decode(s.as_bytes())).unwrap_or_default(),
            500,
        ),
        from: short(&author(&envelope), 200),
        message_id: envelope.message_id.as_deref().and_then(|id| ids(id).pop()),
        references: references(raw, &envelope),
        sent_at: envelope.date.as_deref().and_then(date),
        preview: body::preview(raw, &root),
        has_attachment: attachment::has_attachment(&root),
    }
}

fn author(envelope: &Envelope) -> String {
    let first = envelope.from.first();
    let name = first.and_then(crate::AddressItem::display_name).filter(|n| !n.is_empty());
    name.or_else(|| first.and_then(crate::AddressItem::address).map(|a| a.to_string())).unwrap_or_default()
}

fn short(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

fn references(raw: &[u8], envelope: &Envelope) -> Vec<String> {
    let mut all = headers::get(raw, "References")
        .map(|f| ids(&String::from_utf8_lossy(&headers::unfold(f.value))))
        .unwrap_or_default();
    for id in envelope.in_reply_to.as_deref().map(ids).unwrap_or_default() {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all.split_off(all.len().saturating_sub(64))
}

/// The ids between angle brackets; one with a control character is none (RFC 5322 §3.6.4).
fn ids(text: &str) -> Vec<String> {
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| id.trim().to_owned())
        .filter(|id| !id.is_empty() && id.len() <= 500 && !id.contains(char::is_control))
        .take(1000)
        .collect()
}

/// Returns the day that a `Date` field names, by its own clock (RFC 9051 §6.4.4 SENTON): year, month, day.
#[must_use]
pub fn sent_day(text: &str) -> Option<(u16, u8, u8)> {
    let date = mail_parser::DateTime::parse_rfc822(text)?;
    date.is_valid().then_some((date.year, date.month, date.day))
}

/// Returns a `Date` field by its own clock, as RFC 3339 writes it (RFC 8621 §4.1.2.6).
#[must_use]
pub fn local_date_time(text: &str) -> Option<String> {
    let date = mail_parser::DateTime::parse_rfc822(text)?;
    date.is_valid().then(|| date.to_rfc3339())
}

/// Returns the instant that a date-time (RFC 5322 §3.3) names, and its zone in minutes east of UTC.
#[must_use]
pub fn date_and_zone(text: &str) -> Option<(Timestamp, i32)> {
    let date = mail_parser::DateTime::parse_rfc822(text)?;
    let minutes = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
    let zone = if date.tz_before_gmt { -minutes } else { minutes };
    date.is_valid().then(|| (Timestamp::from_seconds(date.to_timestamp()), zone))
}

fn date(text: &str) -> Option<Timestamp> {
    let date = mail_parser::DateTime::parse_rfc822(text)?;
    date.is_valid().then(|| Timestamp::from_seconds(date.to_timestamp()))
}
