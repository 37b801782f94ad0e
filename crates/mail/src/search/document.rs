//! A message as the index sees it: who, about what, which words. Pure.

use super::{
    exact::{accented, filter},
    words::{append, words},
};
use congvu_message::{
    AddressItem, AttachmentText, Envelope, Part, TextLimits, all_text, attached, attachment_texts, headers,
    parse_structure, text_parts,
};
use congvu_storage::{Document, Fields};
use std::collections::HashSet;

/// Bytes of words that are kept of a field: subject, people, text, attachments. In PostgreSQL all of a document is one tsvector,
/// of at most 1 MiB with its positions.
const MOST: [usize; Fields::COUNT] = [2 << 10, 16 << 10, 16 << 10, 16 << 10, 16 << 10, 192 << 10, 256 << 10];

/// What is read of attachments: as much text as words are kept of it, however it is accented.
pub(super) const LIMITS: TextLimits = TextLimits {
    attachment_bytes: 1 << 20,
    message_bytes: 1 << 20,
    unpacked_bytes: 64 << 20,
    steps: 20_000_000,
};

/// Returns a message as the index sees it.
#[must_use]
pub fn document(raw: &[u8]) -> Document {
    let root = parse_structure(raw);
    let envelope = Envelope::read(raw);
    let subject = headers::decode(envelope.subject.as_deref().unwrap_or_default().as_bytes());
    let mut authors = people(&envelope.from);
    for other in [&envelope.sender, &envelope.reply_to] {
        if *other != envelope.from {
            authors.push_str(&people(other));
        }
    }
    let body = body(raw, &root);
    let mut files = String::new();
    for AttachmentText { name, text } in attachment_texts(raw, &root, &LIMITS) {
        files.extend([name.as_str(), "\n", text.as_str(), "\n"]);
    }
    let (to, cc, bcc) = (people(&envelope.to), people(&envelope.cc), people(&envelope.bcc));
    of_texts(&[subject, authors, to, cc, bcc, body, files], !attached(&root).is_empty())
}

/// Returns the document of what a list knows of a message, when the message itself cannot be read.
#[must_use]
pub(super) fn poor_document(subject: &str, sender: &str, preview: &str, has_attachment: bool) -> Document {
    let none = String::new;
    let texts = [subject.to_owned(), sender.to_owned(), none(), none(), none(), preview.to_owned(), none()];
    Document { is_cut: true, ..of_texts(&texts, has_attachment) }
}

fn of_texts(texts: &[String; Fields::COUNT], has_attachment: bool) -> Document {
    let mut document = Document { has_attachment, ..Document::default() };
    let mut keys = Vec::new();
    for ((field, text), most) in document.fields.iter_mut().zip(texts).zip(MOST) {
        document.is_cut |= append(field, text, most);
        keys.extend(accented(text));
    }
    document.note = filter(keys);
    document
}

/// Names and addresses, a line each.
fn people(list: &[AddressItem]) -> String {
    let mut text = String::new();
    for item in list {
        let shown = match item {
            AddressItem::Mailbox { local, domain, .. } => {
                format!("{} {local}@{domain}\n", item.display_name().unwrap_or_default())
            }
            AddressItem::GroupStart(name) => format!("{}\n", headers::decode(name.as_bytes())),
            AddressItem::GroupEnd => continue,
        };
        text.push_str(&shown);
    }
    text
}

/// The text of a message. Its other form too when that says something else: most say the same twice.
fn body(raw: &[u8], root: &Part) -> String {
    let mut forms = text_parts(root).into_iter().map(|part| all_text(raw, part));
    let first = forms.next().unwrap_or_default();
    let Some(second) = forms.next() else { return first };
    let known: HashSet<String> = words(&first).into_iter().collect();
    match words(&second).iter().all(|word| known.contains(word)) {
        true => first,
        false => format!("{first}\n{second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_words_by_field() {
        let raw = "From: =?utf-8?Q?Tr=E1=BA=A7n_V=C4=83n_H=C3=B9ng?= <hung@khanhhoa.gov.example>\r\n\
            To: a@gov.example, B <b@gov.example>\r\nCc: c@gov.example\r\nSubject: =?utf-8?Q?B=C3=A1o_c=C3=A1o?=\r\n\
            Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nKính gửi Ban\r\n--b\r\n\
            Content-Type: text/html; charset=utf-8\r\n\r\n<p>Kính gửi <b>Ban</b></p>\r\n--b--\r\n--m\r\n\
            Content-Type: text/csv; name=\"du toan.csv\"\r\n\r\nton,kho\r\n--m--\r\n";
        let document = document(raw.as_bytes());
        assert_eq!(
            document.fields,
            [
                "bao cao",
                "tran van hung hung khanhhoa gov example",
                "a gov example b b gov example",
                "c gov example",
                "",
                "kinh gui ban",
                "du toan csv ton kho"
            ]
        );
        assert!(document.has_attachment);
        assert!(super::super::exact::holds(&document.note, &accented("kính gửi trần văn hùng")));
    }

    #[test]
    fn a_form_that_says_something_else_is_kept_too() {
        let raw =
            b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nsee the page\r\n--b\r\n\
            Content-Type: text/html\r\n\r\n<p>see the budget</p>\r\n--b--\r\n";
        assert_eq!(document(raw).fields[5], "see the page see the budget");
    }
}
