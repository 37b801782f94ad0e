//! Attachments: their name, what they say they are, what they are.

use crate::{Part, decode_part, headers, structure::Params};
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

/// Returns the attachments of a message in order.
#[must_use]
pub fn attachments(raw: &[u8], root: &Part) -> Vec<Attachment> {
    let mut found = Vec::new();
    collect(raw, root, true, &mut found);
    found
}

fn collect(raw: &[u8], part: &Part, is_first: bool, found: &mut Vec<Attachment>) {
    if part.is_multipart() {
        for (index, child) in part.children.iter().enumerate() {
            // Of multipart/alternative every branch is the text itself.
            collect(raw, child, (is_first && index == 0) || part.subtype == "alternative", found);
        }
        return;
    }
    if is_attachment(part, is_first) {
        found.push(attachment(raw, part));
    }
}

/// Returns whether the message has an attachment, without decoding anything.
pub(crate) fn has_attachment(part: &Part, is_first: bool) -> bool {
    if part.is_multipart() {
        let alternative = part.subtype == "alternative";
        return part
            .children
            .iter()
            .enumerate()
            .any(|(i, c)| has_attachment(c, (is_first && i == 0) || alternative));
    }
    is_attachment(part, is_first)
}

fn is_attachment(part: &Part, is_first: bool) -> bool {
    match part.disposition.as_ref().map(|(kind, _)| kind.as_str()) {
        Some("attachment") => true,
        Some("inline") if part.media_type == "text" && file_name(part).is_none() => false,
        _ if part.media_type == "text" && matches!(part.subtype.as_str(), "plain" | "html") => {
            !is_first && file_name(part).is_some()
        }
        _ => true,
    }
}

fn attachment(raw: &[u8], part: &Part) -> Attachment {
    let content = decode_part(raw, part).into_owned();
    let declared_type = format!("{}/{}", part.media_type, part.subtype);
    let name = file_name(part).unwrap_or_else(|| match declared_type.as_str() {
        "message/rfc822" => "message.eml".to_owned(),
        _ => format!("{}.{}", part.media_type, part.subtype),
    });
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

/// The file name by disposition, then by type; continuations and charsets undone (RFC 2231), encoded words too.
fn file_name(part: &Part) -> Option<String> {
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
    let decoder = mail_parser::decoders::charsets::map::charset_decoder(charset.as_bytes());
    match decoder.filter(|_| charset != "utf-8" && charset != "us-ascii") {
        Some(decode) => decode(&bytes),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    }
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
}
