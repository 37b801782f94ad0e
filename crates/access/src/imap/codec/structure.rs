//! BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).

use super::write::{envelope, nstring, string};
use congvu_message::{Envelope, Params, Part};

/// Writes the structure of a part; with the extension data when `extended`.
pub(crate) fn body(out: &mut Vec<u8>, part: &Part, extended: bool) {
    out.push(b'(');
    if part.is_multipart() {
        multipart(out, part, extended);
    } else {
        single(out, part, extended);
    }
    out.push(b')');
}

fn multipart(out: &mut Vec<u8>, part: &Part, extended: bool) {
    if part.children.is_empty() {
        // The grammar demands a part at least.
        out.extend_from_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)");
    }
    for child in &part.children {
        body(out, child, extended);
    }
    out.push(b' ');
    string(out, part.subtype.as_bytes());
    if extended {
        out.push(b' ');
        params(out, &part.params);
        rest(out, part);
    }
}

fn single(out: &mut Vec<u8>, part: &Part, extended: bool) {
    string(out, part.media_type.as_bytes());
    out.push(b' ');
    string(out, part.subtype.as_bytes());
    out.push(b' ');
    params(out, &part.params);
    out.push(b' ');
    nstring(out, part.id.as_deref());
    out.push(b' ');
    nstring(out, part.description.as_deref());
    out.push(b' ');
    string(out, part.encoding.as_bytes());
    out.extend_from_slice(format!(" {}", part.body.len()).as_bytes());
    if part.is_message() {
        out.push(b' ');
        let none = Envelope::default();
        envelope(out, part.envelope.as_deref().unwrap_or(&none));
        out.push(b' ');
        match part.children.first() {
            Some(inner) => body(out, inner, extended),
            None => out.extend_from_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)"),
        }
    }
    if part.is_message() || part.media_type == "text" {
        out.extend_from_slice(format!(" {}", part.lines).as_bytes());
    }
    if extended {
        // body MD5
        out.extend_from_slice(b" NIL");
        rest(out, part);
    }
}

/// Disposition, language, location.
fn rest(out: &mut Vec<u8>, part: &Part) {
    match &part.disposition {
        Some((kind, values)) => {
            out.extend_from_slice(b" (");
            string(out, kind.as_bytes());
            out.push(b' ');
            params(out, values);
            out.push(b')');
        }
        None => out.extend_from_slice(b" NIL"),
    }
    out.push(b' ');
    nstring(out, part.language.as_deref());
    out.push(b' ');
    nstring(out, part.location.as_deref());
}

fn params(out: &mut Vec<u8>, list: &Params) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for (at, (name, value)) in list.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        string(out, name.as_bytes());
        out.push(b' ');
        string(out, value.as_bytes());
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use congvu_message::parse_structure;

    #[test]
    fn a_structure_is_written_as_the_grammar_says() {
        let raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhi\r\n\
            --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--b--\r\n";
        let mut out = Vec::new();
        body(&mut out, &parse_structure(raw), true);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 2 "),
            "{text}"
        );
        assert!(text.contains("(\"attachment\" (\"filename\" \"a.pdf\"))"), "{text}");
        assert!(text.ends_with("\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)"), "{text}");
    }
}
