//! The message that a script looks at, and what is known around it.

use congvu_message::{Part, all_text, attached, decode_part, headers, parse_structure, part_text};
use congvu_types::{Timestamp, composed};
use std::cell::OnceCell;

/// No more of a body is compared; RFC 5173 §5 leaves that to us.
const MOST_BODY: usize = 1024 * 1024;
/// Nor more of one header field.
const MOST_VALUE: usize = 64 * 1024;
/// Nor more fields.
const MOST_FIELDS: usize = 2_000;

/// A message and its envelope.
pub struct Mail<'a> {
    raw: &'a [u8],
    /// When it is delivered: "now" for `currentdate`.
    pub now: Timestamp,
    /// The zone in which a script that names none means dates, in minutes east of UTC.
    pub zone_minutes: i32,
    /// `MAIL FROM`, empty for a report; `None` when it is not known.
    pub envelope_from: Option<&'a str>,
    /// `RCPT TO` of this delivery.
    pub envelope_to: Option<&'a str>,
    /// Whether the account has a mailbox that mail may be filed into.
    pub mailbox_exists: &'a dyn Fn(&str) -> bool,
    /// Whether a mailbox, or any, has this use (RFC 6154), such as `\Trash`.
    pub special_use_exists: &'a dyn Fn(Option<&str>, &str) -> bool,
    header: OnceCell<usize>,
    structure: OnceCell<Part>,
    text: OnceCell<String>,
}

impl<'a> Mail<'a> {
    /// Takes a message as it is stored; nothing is known of its envelope, no mailbox exists, the zone is Vietnam's.
    #[must_use]
    pub fn new(raw: &'a [u8], now: Timestamp) -> Self {
        Self {
            raw,
            now,
            zone_minutes: 7 * 60,
            envelope_from: None,
            envelope_to: None,
            mailbox_exists: &|_| false,
            special_use_exists: &|_, _| false,
            header: OnceCell::new(),
            structure: OnceCell::new(),
            text: OnceCell::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.raw.len()).unwrap_or(u64::MAX)
    }

    pub(crate) const fn raw_bytes(&self) -> usize {
        self.raw.len()
    }

    /// The length of the header, which is looked through for each name.
    pub(crate) fn header_bytes(&self) -> usize {
        *self.header.get_or_init(|| headers::split(self.raw).0.len())
    }

    /// The raw values of the fields of this name, in their order.
    pub(crate) fn fields(&self, name: &str) -> Vec<&'a [u8]> {
        headers::fields(self.raw)
            .take(MOST_FIELDS)
            .filter(|field| field.is(name))
            .map(|field| field.value.get(..field.value.len().min(MOST_VALUE)).unwrap_or_default())
            .collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        headers::fields(self.raw).take(MOST_FIELDS).any(|field| field.is(name))
    }

    /// The body as it is on the wire.
    pub(crate) fn raw_body(&self) -> String {
        let (_, start) = headers::split(self.raw);
        let body = self.raw.get(start..).unwrap_or_default();
        String::from_utf8_lossy(body.get(..body.len().min(MOST_BODY)).unwrap_or_default()).into_owned()
    }

    fn structure(&self) -> &Part {
        self.structure.get_or_init(|| parse_structure(self.raw))
    }

    pub(crate) fn has_attachment(&self) -> bool {
        !attached(self.structure()).is_empty()
    }

    /// All that can be read in the message.
    pub(crate) fn text(&self) -> &str {
        self.text.get_or_init(|| cut(all_text(self.raw, self.structure())))
    }

    /// The parts of these content types (RFC 5173 §5.2), decoded, each by itself.
    pub(crate) fn contents(&self, types: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        let mut room = MOST_BODY;
        self.structure().walk(&mut |part| {
            let full = format!("{}/{}", part.media_type, part.subtype);
            let is_wanted = types.iter().any(|wanted| {
                let wanted = wanted.to_ascii_lowercase();
                wanted.is_empty() || wanted == part.media_type || wanted == full
            });
            if !is_wanted || part.is_multipart() || part.is_message() || room == 0 {
                return;
            }
            // Decoded, but markup as it is.
            let text = if part.media_type == "text" {
                part_text(self.raw, part).text
            } else {
                String::from_utf8_lossy(&decode_part(self.raw, part)).into_owned()
            };
            let text = cut(text);
            room = room.saturating_sub(text.len());
            found.push(text);
        });
        found
    }
}

fn cut(mut text: String) -> String {
    let mut end = text.len().min(MOST_BODY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    composed(text)
}
