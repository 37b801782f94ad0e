//! Attachments: their name, what they say they are, what they are.

use crate::{Part, body::Text, charset, decode_part, headers, structure::Params};
use congvu_types::composed;
use std::fmt::Write as _;

/// A part that a person would call an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name, decoded; made from the type when there is none.
    pub name: String,
    /// The type that the message says.
    pub declared_type: String,
    /// The type that the first bytes say, when they say one.
    pub detected_type: Option<&'static str>,
    /// The bytes, decoded.
    pub content: Vec<u8>,
    /// Whether opening it may run something.
    pub is_dangerous: bool,
    /// `Content-ID` without its brackets, for images shown in the text.
    pub content_id: Option<String>,
}

/// File name endings that run something, or hold macros, when they are opened.
const DANGEROUS: &[&str] = &[
    "ade", "apk", "app", "bat", "cab", "chm", "cmd", "com", "cpl", "dll", "docm", "dotm", "exe", "hta",
    "img", "iso", "jar", "js", "jse", "lnk", "mde", "msc", "msi", "msix", "msp", "mst", "pif", "potm",
    "ppam", "ppsm", "pptm", "ps1", "reg", "scr", "sct", "sh", "shb", "sldm", "svg", "sys", "url", "vb",
    "vbe", "vbs", "vhd", "wsc", "wsf", "wsh", "xlam", "xlsm", "xltm", "xll",
];

/// Returns the attachments of a message in order: every leaf that is not read as its text. A message within is one leaf.
#[must_use]
pub fn attachments(raw: &[u8], root: &Part) -> Vec<Attachment> {
    attached(root).into_iter().map(|part| attachment(raw, part)).collect()
}

/// Returns the parts of the attachments, in the same order, without decoding anything.
#[must_use]
pub fn attached(root: &Part) -> Vec<&Part> {
    let text = Text::of(root);
    let mut found = Vec::new();
    visit(root, &mut |leaf| found.extend((!text.holds(leaf)).then_some(leaf)));
    found
}

/// Returns whether the message has an attachment.
pub(crate) fn has_attachment(root: &Part) -> bool {
    let text = Text::of(root);
    let mut found = false;
    visit(root, &mut |leaf| found |= !text.holds(leaf));
    found
}

fn visit<'p>(part: &'p Part, leaf: &mut impl FnMut(&'p Part)) {
    if part.is_multipart() {
        part.children.iter().for_each(|child| visit(child, leaf));
    } else {
        leaf(part);
    }
}

/// Decodes the part of an attachment.
pub(crate) fn attachment(raw: &[u8], part: &Part) -> Attachment {
    let content = decode_part(raw, part).into_owned();
    let declared_type = format!("{}/{}", part.media_type, part.subtype);
    let name = attachment_name(part);
    let detected = infer::get(&content);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.trim().to_ascii_lowercase());
    let runs = detected.is_some_and(|kind| kind.matcher_type() == infer::MatcherType::App);
    let is_dangerous = runs || ending.is_some_and(|e| DANGEROUS.contains(&e.as_str()));
    let content_id = part.id.as_deref().map(|id| id.trim_matches(['<', '>']).to_owned());
    Attachment {
        name,
        declared_type,
        detected_type: detected.map(|k| k.mime_type()),
        content,
        is_dangerous,
        content_id,
    }
}

/// Returns the name of an attachment; made from the type when it has none.
#[must_use]
pub fn attachment_name(part: &Part) -> String {
    file_name(part).unwrap_or_else(|| match (part.media_type.as_str(), part.subtype.as_str()) {
        ("message", "rfc822") => "message.eml".to_owned(),
        ("text", "plain") => "text.txt".to_owned(),
        (media_type, subtype) => format!("{media_type}.{subtype}"),
    })
}

/// Returns the file name by disposition, then by type; continuations and charsets undone (RFC 2231), encoded words too.
#[must_use]
pub fn file_name(part: &Part) -> Option<String> {
    let by_disposition = part.disposition.as_ref().and_then(|(_, params)| parameter(params, "filename"));
    let name = by_disposition.or_else(|| parameter(&part.params, "name"))?;
    // A path, a control character or a direction override could mislead who saves the file.
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base
        .chars()
        .filter(|c| {
            !c.is_control()
                && !('\u{202a}'..='\u{202e}').contains(c)
                && !('\u{2066}'..='\u{2069}').contains(c)
        })
        .take(200)
        .collect();
    Some(clean.trim().to_owned()).filter(|n| !n.is_empty())
}

fn parameter(params: &Params, name: &str) -> Option<String> {
    let plain = |wanted: &str| params.iter().find(|(n, _)| n == wanted).map(|(_, v)| v.as_str());
    if let Some(value) = plain(&format!("{name}*")) {
        return Some(extended(value));
    }
    if let Some(value) = plain(name) {
        return Some(headers::decode(value.as_bytes()));
    }
    let mut joined = String::new();
    let mut is_extended = false;
    for index in 0..64 {
        let mut key = format!("{name}*{index}");
        let value = plain(&key).or_else(|| {
            key.push('*');
            let value = plain(&key);
            is_extended |= value.is_some();
            value
        });
        match value {
            Some(value) => joined.push_str(value),
            None => break,
        }
    }
    match (joined.is_empty(), is_extended) {
        (true, _) => None,
        (false, true) => Some(extended(&joined)),
        (false, false) => Some(joined),
    }
}

/// `charset'language'percent-encoded` (RFC 2231 §4).
fn extended(value: &str) -> String {
    let mut pieces = value.splitn(3, '\'');
    let (charset, text) = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => (charset.to_ascii_lowercase(), text),
        _ => (String::new(), value),
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, after) {
            (b'%', [high, low, tail @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let charset = if charset.is_empty() { "utf-8" } else { &charset };
    composed(charset::decode(charset, &bytes, None))
}

impl Attachment {
    /// Returns the name for a Content-Disposition header of HTTP (RFC 6266 §4.3, RFC 8187).
    #[must_use]
    pub fn http_disposition(&self) -> String {
        let mut encoded = String::new();
        for byte in self.name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        format!("attachment; filename*=UTF-8''{encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_structure;

    #[test]
    fn names_types_and_dangers_are_told() {
        let raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''b%C3%A1o%20c%C3%A1o.pdf\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b\r\nContent-Type: text/plain; name=\"../x.pdf.exe\"\r\n\r\nMZ\r\n--b--\r\n";
        let found = attachments(raw, &parse_structure(raw));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "báo cáo.pdf");
        assert_eq!(found[0].detected_type, Some("application/pdf"));
        assert!(!found[0].is_dangerous);
        assert_eq!(found[1].name, "x.pdf.exe");
        assert!(found[1].is_dangerous);
    }

    /// S9.1 (Điều 9): what is not shown as the text is an attachment, with or without a name.
    #[test]
    fn every_part_is_text_or_attachment() {
        let text = |name: &str| format!("--b\r\nContent-Type: text/{name}\r\n\r\n{name}\r\n");
        let message = |kind: &str, parts: &[&str]| {
            let parts: String = parts.iter().map(|p| text(p)).collect();
            format!("Content-Type: multipart/{kind}; boundary=b\r\n\r\n{parts}--b--\r\n")
        };
        for (kind, parts, expected) in [
            ("mixed", &["plain", "plain"][..], &["text.txt"][..]),
            ("mixed", &["plain", "html"], &["text.html"]),
            ("mixed", &["html", "plain"], &["text.txt"]),
            ("alternative", &["plain", "html"], &[]),
            ("alternative", &["plain", "html", "plain", "calendar"], &["text.txt", "text.calendar"]),
        ] {
            let raw = message(kind, parts);
            let root = parse_structure(raw.as_bytes());
            let found = attachments(raw.as_bytes(), &root);
            let names: Vec<&str> = found.iter().map(|a| a.name.as_str()).collect();
            assert_eq!(names, expected, "{kind} {parts:?}");
            assert_eq!(has_attachment(&root), !expected.is_empty());
            assert_eq!(crate::text_body(raw.as_bytes(), &root), parts[0]);
        }
    }
}
