//! Address lists (RFC 5322 §3.4), tolerant as mail demands: raw parts for IMAP, decoded text for people.

use crate::headers;
use congvu_types::EmailAddress;

/// One entry of an address list: a mailbox, or the beginning or end of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressItem {
    /// A mailbox.
    Mailbox {
        /// The display name as on the wire (encoded words kept), unquoted.
        name: Option<String>,
        /// The part before the `@`.
        local: String,
        /// The domain; empty when the address has none.
        domain: String,
    },
    /// A group begins; RFC 9051 §7.5.2 shows it as an address without a host.
    GroupStart(String),
    /// A group ends.
    GroupEnd,
}

impl AddressItem {
    /// Returns the address, when it is a valid one.
    #[must_use]
    pub fn address(&self) -> Option<EmailAddress> {
        match self {
            Self::Mailbox { local, domain, .. } => {
                let plain = format!("{local}@{domain}").parse().ok();
                plain.or_else(|| {
                    let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
                    format!("\"{quoted}\"@{domain}").parse().ok()
                })
            }
            Self::GroupStart(_) | Self::GroupEnd => None,
        }
    }

    /// Returns the display name for the eye.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        match self {
            Self::Mailbox { name: Some(name), .. } => Some(headers::decode(name.as_bytes())),
            _ => None,
        }
    }
}

/// No list is read further than this.
const MAX_ITEMS: usize = 2000;

/// Reads an address list from a raw header value.
#[must_use]
pub fn parse_addresses(value: &[u8]) -> Vec<AddressItem> {
    let text = String::from_utf8_lossy(&headers::unfold(value)).into_owned();
    let mut list = Vec::new();
    let mut current = Pending::default();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if list.len() >= MAX_ITEMS {
            break;
        }
        match c {
            '"' => current.quoted(&mut chars),
            '(' => current.comment = Some(comment(&mut chars)),
            '<' => current.angle = Some(angle(&mut chars)),
            ',' => current.finish(&mut list),
            ';' => {
                current.finish(&mut list);
                list.push(AddressItem::GroupEnd);
            }
            ':' if current.angle.is_none() => {
                list.push(AddressItem::GroupStart(std::mem::take(&mut current).words()));
            }
            other => current.text.push(other),
        }
    }
    current.finish(&mut list);
    list
}

#[derive(Default)]
struct Pending {
    text: String,
    /// Whether `text` holds a quoted string, whose characters are not syntax.
    has_quotes: bool,
    angle: Option<String>,
    comment: Option<String>,
}

impl Pending {
    fn quoted(&mut self, chars: &mut std::str::Chars<'_>) {
        self.has_quotes = true;
        while let Some(c) = chars.next() {
            match c {
                '"' => return,
                '\\' => self.text.extend(chars.next()),
                other => self.text.push(other),
            }
        }
    }

    fn words(self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn finish(&mut self, list: &mut Vec<AddressItem>) {
        let pending = std::mem::take(self);
        let (angle, comment) = (pending.angle.clone(), pending.comment.clone());
        let words = pending.words();
        let (name, address) = match angle {
            Some(address) => (Some(words).filter(|n| !n.is_empty()).or(comment), address),
            None if words.is_empty() => return,
            None => (comment, words.replace(' ', "")),
        };
        let (local, domain) = match address.rsplit_once('@') {
            Some((local, domain)) => (unquote(local), domain.to_owned()),
            None => (address, String::new()),
        };
        list.push(AddressItem::Mailbox { name, local, domain });
    }
}

fn unquote(local: &str) -> String {
    match local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => local.to_owned(),
    }
}

fn comment(chars: &mut std::str::Chars<'_>) -> String {
    let (mut depth, mut text) = (1, String::new());
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                text.extend(chars.next());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        text.push(c);
    }
    text
}

/// What stands between `<` and `>`; a route (RFC 5322 §4.4) is dropped.
fn angle(chars: &mut std::str::Chars<'_>) -> String {
    let (mut text, mut in_quotes) = (String::new(), false);
    for c in chars.by_ref() {
        match c {
            '>' if !in_quotes => break,
            '"' => {
                in_quotes = !in_quotes;
                text.push(c);
            }
            other => text.push(other),
        }
    }
    let text = text.trim();
    match text.strip_prefix('@').and_then(|_| text.split_once(':')) {
        Some((_, address)) => address.trim().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: Option<&str>, local: &str, domain: &str) -> AddressItem {
        AddressItem::Mailbox { name: name.map(Into::into), local: local.into(), domain: domain.into() }
    }

    #[test]
    fn names_comments_groups_and_quotes_are_read() {
        let list = parse_addresses(
            b" \"Le, Mai\" <mai@x.example>, hung@x.example (Hung),\r\n Phong: a@x.example, <b@x.example>;, <@r:c@x.example>",
        );
        assert_eq!(
            list,
            [
                one(Some("Le, Mai"), "mai", "x.example"),
                one(Some("Hung"), "hung", "x.example"),
                AddressItem::GroupStart("Phong".into()),
                one(None, "a", "x.example"),
                one(None, "b", "x.example"),
                AddressItem::GroupEnd,
                one(None, "c", "x.example"),
            ]
        );
        assert_eq!(list[0].address(), "mai@x.example".parse().ok());
    }

    #[test]
    fn display_names_are_decoded() {
        let list = parse_addresses(b"=?utf-8?B?TMOqIE1haQ==?= <mai@x.example>");
        assert_eq!(list[0].display_name().as_deref(), Some("Lê Mai"));
    }
}
