//! Bytes to text by the charset that a message declares, and by what the bytes themselves say where the label is known to lie:
//! Vietnamese mail of the years before Unicode was written with fonts (TCVN3, VNI) that no label ever named.
//!
//! INVARIANT: ASCII stays what it is, and text that is honest about being Latin-1 or UTF-8 is not touched
//! (`honest_text_is_left_alone`).

mod guess;
mod syllable;
mod tables;

use encoding_rs::{WINDOWS_1252, WINDOWS_1258};
use mail_parser::decoders::{charsets::map::charset_decoder, html::add_html_token};
use std::borrow::Cow;

pub(crate) use guess::{Hint, reread};
pub(crate) use tables::{abc, vni};

/// What is done with a label.
enum Declared {
    /// No label, or one that is written without looking: the bytes have a say.
    Ascii,
    Utf8,
    Windows1252,
    Windows1258,
    Tcvn,
    Viscii,
    Vni,
    /// A charset that is believed.
    Other(fn(&[u8]) -> String),
}

impl Declared {
    fn of(label: &str) -> Self {
        // RFC 2231 §5: a language may follow the charset.
        let label = label.split('*').next().unwrap_or_default().trim();
        let mut name: String = label
            .chars()
            .take(45)
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if name.is_empty() {
            name.push_str("ascii");
        }
        match name.as_str() {
            "ascii" | "usascii" | "ansix341968" | "csascii" | "unknown" | "xunknown" | "unknown8bit"
            | "8bit" | "default" | "xuserdefined" | "userdefined" => Self::Ascii,
            "utf8" | "unicode11utf8" => Self::Utf8,
            "iso88591" | "iso885911987" | "latin1" | "l1" | "isoir100" | "cp819" | "ibm819"
            | "csisolatin1" | "windows1252" | "cp1252" | "xcp1252" | "cswindows1252" | "ansi" => {
                Self::Windows1252
            }
            "windows1258" | "cp1258" | "xcp1258" | "cswindows1258" => Self::Windows1258,
            "tcvn" | "tcvn3" | "tcvn5712" | "tcvn57121" | "tcvn571211993" | "xviettcvn" | "xviettcvn5712"
            | "xtcvn" | "xtcvn5712" | "xabc" => Self::Tcvn,
            "viscii" | "viscii11" | "viscii111" | "csviscii" | "xviscii" | "xvietviscii" => Self::Viscii,
            "vni" | "xvni" | "xvietvni" | "vniwindows" | "vnitimes" => Self::Vni,
            _ => charset_decoder(label.as_bytes()).map_or(Self::Ascii, Self::Other),
        }
    }
}

/// Returns the text of bytes that are labelled so. It is not composed: windows-1258 has combining marks.
pub(crate) fn decode(label: &str, bytes: &[u8], hint: Option<Hint>) -> String {
    let declared = Declared::of(label);
    match declared {
        Declared::Other(decode) => return decode(bytes),
        Declared::Viscii if !bytes.is_ascii() => return tables::viscii(bytes),
        Declared::Tcvn => return tables::tcvn(bytes),
        Declared::Vni => return tables::vni(bytes),
        _ => {}
    }
    let utf8 = std::str::from_utf8(bytes);
    match (declared, utf8) {
        (_, Ok(text)) if bytes.is_ascii() => text.to_owned(),
        (Declared::Ascii | Declared::Utf8, Ok(text)) => guess::reread(text, hint).into_owned(),
        (Declared::Windows1258, _) => guess::decode(bytes, WINDOWS_1258, hint)
            .unwrap_or_else(|| WINDOWS_1258.decode_without_bom_handling(bytes).0.into_owned()),
        (Declared::Utf8, Err(_)) => guess::decode(bytes, WINDOWS_1252, hint)
            .unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned()),
        _ => guess::decode(bytes, WINDOWS_1252, hint)
            .unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()),
    }
}

/// Returns the markup of bytes that are labelled so. The fonts that it asks for say how its letters were meant.
pub(crate) fn decode_html(label: Option<&str>, bytes: &[u8]) -> String {
    let label = label.map(Cow::Borrowed).or_else(|| meta_charset(bytes).map(Cow::Owned));
    let hint = Hint::of_markup(bytes);
    let text = decode(label.as_deref().unwrap_or_default(), bytes, hint);
    if hint.is_none() || !text.contains('&') {
        return text;
    }
    // Editors of the time wrote the letters of such fonts as entities: `C&eacute;ng ho&micro;`.
    match spell_out(&text) {
        Cow::Owned(spelled) => guess::reread(&spelled, hint).into_owned(),
        Cow::Borrowed(_) => text,
    }
}

/// The charset that the first 2 KiB of a page name.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(2048))?.to_ascii_lowercase();
    let mut rest = head.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b"charset") {
        rest = rest.get(at + 7..)?;
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let name: String = value
            .iter()
            .map(|b| char::from(*b))
            .take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c))
            .take(45)
            .collect();
        // A page that could be read this far is not in UTF-16, whatever it says.
        if !name.is_empty() && !name.starts_with("utf-16") {
            return Some(name);
        }
    }
    None
}

/// Turns the entities of letters and signs from U+00A1 to U+00FF into these.
fn spell_out(markup: &str) -> Cow<'_, str> {
    const LONGEST: usize = 10;
    let mut out = String::new();
    let mut rest = markup;
    let mut has_any = false;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let end = entity.bytes().take(LONGEST).position(|b| b == b';');
        let token = end.and_then(|end| entity.get(..=end));
        let mut meant = String::new();
        if let Some(token) = token.filter(|t| t.is_ascii()) {
            add_html_token(&mut meant, token.as_bytes(), false);
        }
        let is_letter =
            meant.chars().count() == 1 && meant.chars().all(|c| ('\u{a1}'..='\u{ff}').contains(&c));
        let taken = match token {
            Some(token) if is_letter => {
                has_any = true;
                out.push_str(&meant);
                token.len()
            }
            _ => {
                out.push('&');
                1
            }
        };
        rest = entity.get(taken..).unwrap_or_default();
    }
    if !has_any {
        return Cow::Borrowed(markup);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
