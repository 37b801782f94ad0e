//! The ENVELOPE of a message (RFC 9051 §7.5.2): header texts as on the wire.

use crate::{address::AddressItem, headers, parse_addresses};

/// What IMAP's ENVELOPE tells. Strings are raw: encoded words are kept (RFC 9051 §2.3.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// `Date`, unfolded.
    pub date: Option<String>,
    /// `Subject`, unfolded.
    pub subject: Option<String>,
    /// `From`.
    pub from: Vec<AddressItem>,
    /// `Sender`; the same as `from` when absent.
    pub sender: Vec<AddressItem>,
    /// `Reply-To`; the same as `from` when absent.
    pub reply_to: Vec<AddressItem>,
    /// `To`.
    pub to: Vec<AddressItem>,
    /// `Cc`.
    pub cc: Vec<AddressItem>,
    /// `Bcc`.
    pub bcc: Vec<AddressItem>,
    /// `In-Reply-To`.
    pub in_reply_to: Option<String>,
    /// `Message-ID`.
    pub message_id: Option<String>,
}

impl Envelope {
    /// Reads the envelope from a header. The first field of a name counts.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        let mut envelope = Self::default();
        for field in headers::fields(raw) {
            envelope.take(&field);
        }
        // RFC 9051 §7.5.2: an absent or empty Sender or Reply-To is shown as From.
        if envelope.sender.is_empty() {
            envelope.sender.clone_from(&envelope.from);
        }
        if envelope.reply_to.is_empty() {
            envelope.reply_to.clone_from(&envelope.from);
        }
        envelope
    }

    /// About how many bytes of text this is.
    pub(crate) fn text_bytes(&self) -> usize {
        let item = |item: &AddressItem| match item {
            AddressItem::Mailbox { name, local, domain } => {
                name.as_ref().map_or(0, String::len) + local.len() + domain.len() + 16
            }
            AddressItem::GroupStart(name) => name.len() + 16,
            AddressItem::GroupEnd => 16,
        };
        let lists = [&self.from, &self.sender, &self.reply_to, &self.to, &self.cc, &self.bcc];
        let texts = [&self.date, &self.subject, &self.in_reply_to, &self.message_id];
        let addresses: usize = lists.into_iter().flatten().map(item).sum();
        addresses + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }

    fn take(&mut self, field: &headers::Field<'_>) {
        let text = |slot: &mut Option<String>| {
            if slot.is_none() {
                *slot = Some(String::from_utf8_lossy(&headers::unfold(field.value)).into_owned());
            }
        };
        let list = |slot: &mut Vec<AddressItem>| {
            if slot.is_empty() {
                *slot = parse_addresses(field.value);
            }
        };
        match field.name.to_ascii_lowercase().as_slice() {
            b"date" => text(&mut self.date),
            b"subject" => text(&mut self.subject),
            b"in-reply-to" => text(&mut self.in_reply_to),
            b"message-id" => text(&mut self.message_id),
            b"from" => list(&mut self.from),
            b"sender" => list(&mut self.sender),
            b"reply-to" => list(&mut self.reply_to),
            b"to" => list(&mut self.to),
            b"cc" => list(&mut self.cc),
            b"bcc" => list(&mut self.bcc),
            _ => {}
        }
    }
}
