//! Data on its way out: strings, lists, envelopes.

use congvu_mail::FlagSet;
use congvu_message::{AddressItem, Envelope};

/// Writes a string: quoted where the grammar allows, else as a literal (RFC 9051 §9).
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    let quotable = text.len() <= 1000 && text.iter().all(|b| (b' '..=b'~').contains(b));
    if !quotable {
        return literal(out, text);
    }
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Writes a literal. NUL, which no literal may hold (RFC 9051 §4.3), becomes 0x80.
pub(crate) fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
    let from = out.len();
    out.extend_from_slice(bytes);
    if memchr::memchr(0, &out[from..]).is_some() {
        for byte in out[from..].iter_mut().filter(|b| **b == 0) {
            *byte = 0x80;
        }
    }
}

/// Writes a string, or NIL.
pub(crate) fn nstring(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text.as_bytes()),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Writes flags and keywords between parentheses.
pub(crate) fn flags(out: &mut Vec<u8>, set: FlagSet, keywords: &[String]) {
    out.push(b'(');
    let from = out.len();
    let mut put = |name: &str| {
        if out.len() > from {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    };
    set.system().names().for_each(&mut put);
    set.keywords(keywords).for_each(&mut put);
    out.push(b')');
}

/// Writes an envelope (RFC 9051 §7.5.2).
pub(crate) fn envelope(out: &mut Vec<u8>, envelope: &Envelope) {
    out.push(b'(');
    nstring(out, envelope.date.as_deref());
    out.push(b' ');
    nstring(out, envelope.subject.as_deref());
    let lists =
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc];
    for list in lists {
        out.push(b' ');
        addresses(out, list);
    }
    out.push(b' ');
    nstring(out, envelope.in_reply_to.as_deref());
    out.push(b' ');
    nstring(out, envelope.message_id.as_deref());
    out.push(b')');
}

fn addresses(out: &mut Vec<u8>, list: &[AddressItem]) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for item in list {
        let (name, local, domain) = match item {
            AddressItem::Mailbox { name, local, domain } => {
                (name.as_deref(), Some(local.as_str()), Some(domain.as_str()))
            }
            AddressItem::GroupStart(name) => (None, Some(name.as_str()), None),
            AddressItem::GroupEnd => (None, None, None),
        };
        out.push(b'(');
        nstring(out, name);
        out.extend_from_slice(b" NIL ");
        nstring(out, local);
        out.push(b' ');
        nstring(out, domain);
        out.push(b')');
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::codec::scan::Scanner;
    use proptest::prelude::*;

    #[test]
    fn an_envelope_is_a_list_of_ten() {
        let raw = b"From: Mai <mai@x.example>\r\nTo: team: a@x.example;\r\nSubject: \"hi\"\r\n\r\n";
        let mut out = Vec::new();
        envelope(&mut out, &Envelope::read(raw));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "(NIL \"\\\"hi\\\"\" ((\"Mai\" NIL \"mai\" \"x.example\")) ((\"Mai\" NIL \"mai\" \"x.example\")) \
             ((\"Mai\" NIL \"mai\" \"x.example\")) ((NIL NIL \"team\" NIL)(NIL NIL \"a\" \"x.example\")(NIL NIL NIL NIL)) \
             NIL NIL NIL NIL)"
        );
    }

    proptest! {
        #[test]
        fn strings_survive_the_wire(text in proptest::collection::vec(1_u8.., 0..60)) {
            let mut out = Vec::new();
            string(&mut out, &text);
            let mut scanner = Scanner::new(&out);
            prop_assert_eq!(scanner.string().unwrap().into_owned(), text);
            prop_assert!(scanner.end().is_ok());
        }
    }
}
