//! The bytes of a section: `BODY[1.2.HEADER]` and its kin (RFC 9051 §6.4.5.1).

use crate::{Part, headers};
use std::borrow::Cow;

/// Which text of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionText {
    /// The header, empty line included.
    Header,
    /// The named header fields, empty line included.
    HeaderFields(Vec<String>),
    /// The header fields that are not named, empty line included.
    HeaderFieldsNot(Vec<String>),
    /// The body without the header.
    Text,
    /// The MIME header of the part.
    Mime,
}

/// A section: part numbers, then which text. Both empty: the whole message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SectionSpec {
    /// Part numbers from 1.
    pub path: Vec<u32>,
    /// Which text; `None` is the whole message or the part's body.
    pub text: Option<SectionText>,
}

/// Returns the bytes of a section, or `None` when there is no such part.
#[must_use]
pub fn section<'a>(raw: &'a [u8], root: &Part, spec: &SectionSpec) -> Option<Cow<'a, [u8]>> {
    let part = find_part(root, &spec.path)?;
    let slice = |range: &std::ops::Range<u32>| raw.get(range.start as usize..range.end as usize);
    // HEADER and TEXT of a numbered part are those of the message within it.
    let message = match (&spec.path[..], part.is_message()) {
        ([], _) => Some(part),
        (_, true) => part.children.first(),
        (_, false) => None,
    };
    match &spec.text {
        None if spec.path.is_empty() => Some(Cow::Borrowed(raw)),
        None => slice(&part.body).map(Cow::Borrowed),
        Some(SectionText::Mime) => {
            raw.get(part.header.start as usize..part.body.start as usize).map(Cow::Borrowed)
        }
        Some(SectionText::Header) => {
            let message = message?;
            raw.get(message.header.start as usize..message.body.start as usize).map(Cow::Borrowed)
        }
        Some(SectionText::Text) => slice(&message?.body).map(Cow::Borrowed),
        Some(SectionText::HeaderFields(names)) => {
            slice(&message?.header).map(|header| Cow::Owned(pick(header, |f| names.iter().any(|n| f.is(n)))))
        }
        Some(SectionText::HeaderFieldsNot(names)) => {
            slice(&message?.header).map(|header| Cow::Owned(pick(header, |f| !names.iter().any(|n| f.is(n)))))
        }
    }
}

/// Returns where the content lies that a section shows; `None` when it shows headers alone, or there is no such part.
#[must_use]
pub fn section_place(root: &Part, spec: &SectionSpec) -> Option<std::ops::Range<u32>> {
    let part = find_part(root, &spec.path)?;
    match (&spec.text, part.children.first()) {
        (None, _) if spec.path.is_empty() => Some(part.header.start..part.body.end),
        (None, _) => Some(part.body.clone()),
        (Some(SectionText::Text), _) if spec.path.is_empty() => Some(part.body.clone()),
        (Some(SectionText::Text), Some(within)) if part.is_message() => Some(within.body.clone()),
        _ => None,
    }
}

fn pick(header: &[u8], wanted: impl Fn(&headers::Field<'_>) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for field in headers::fields(header).filter(|f| wanted(f)) {
        out.extend_from_slice(&header[field.start..field.end]);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Follows part numbers: part 1 of what is no multipart is itself (RFC 9051 §6.4.5.1). `None` when there is no such part.
#[must_use]
pub fn find_part<'p>(root: &'p Part, path: &[u32]) -> Option<&'p Part> {
    let mut part = root;
    for (level, number) in path.iter().enumerate() {
        let container = if level > 0 && part.is_message() { part.children.first()? } else { part };
        part = if container.is_multipart() {
            container.children.get(usize::try_from(number.checked_sub(1)?).ok()?)?
        } else if *number == 1 && (level == 0 || part.is_message()) {
            container
        } else {
            return None;
        };
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_structure;

    const RAW: &[u8] = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n\
        --b\r\nContent-Type: message/rfc822\r\nX-Outer: 1\r\n\r\nSubject: inner\r\nX: y\r\n\r\nhello\r\n--b--\r\n";

    fn get(path: &[u32], text: Option<SectionText>) -> Option<String> {
        let spec = SectionSpec { path: path.to_vec(), text };
        section(RAW, &parse_structure(RAW), &spec).map(|b| String::from_utf8(b.into_owned()).unwrap())
    }

    #[test]
    fn sections_are_what_the_rfc_says() {
        use SectionText::{Header, HeaderFields, HeaderFieldsNot, Mime, Text};
        assert_eq!(get(&[], None).unwrap().len(), RAW.len());
        assert_eq!(get(&[1], None).as_deref(), Some("first"));
        assert_eq!(get(&[1], Some(Mime)).as_deref(), Some("Content-Type: text/plain\r\n\r\n"));
        assert_eq!(get(&[2], Some(Header)).as_deref(), Some("Subject: inner\r\nX: y\r\n\r\n"));
        assert_eq!(get(&[2], Some(Text)).as_deref(), Some("hello"));
        assert_eq!(get(&[2, 1], None).as_deref(), Some("hello"));
        assert_eq!(get(&[2], Some(HeaderFields(vec!["x".into()]))).as_deref(), Some("X: y\r\n\r\n"));
        assert_eq!(
            get(&[2], Some(HeaderFieldsNot(vec!["x".into()]))).as_deref(),
            Some("Subject: inner\r\n\r\n")
        );
        for missing in [&[0][..], &[3], &[1, 1], &[2, 2], &[1, 1, 1]] {
            assert_eq!(get(missing, None), None, "{missing:?}");
        }
    }
}
