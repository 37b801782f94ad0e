//! Strings of a script with the variables in them (RFC 5229 §3) and characters written by number (RFC 5228 §2.4.2.4).

use crate::fault::Fault;

/// A string, in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Plain(String),
    /// A variable by its name, in lower case.
    Variable(String),
    /// What a wildcard of the last match stood for; 0 is the whole.
    Match(usize),
}

/// What strings may hold in a script.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meaning {
    pub(crate) has_variables: bool,
    pub(crate) has_encoded: bool,
}

impl Text {
    pub(crate) fn plain(text: &str) -> Self {
        Self(vec![Piece::Plain(text.to_owned())])
    }

    /// The text, when no variable is in it.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Plain(text)] => Some(text),
            _ => None,
        }
    }

    pub(crate) fn read(text: &str, meaning: Meaning) -> Result<Self, Fault> {
        let decoded;
        let text = if meaning.has_encoded && text.contains("${") {
            decoded = encoded_characters(text)?;
            decoded.as_str()
        } else {
            text
        };
        if !meaning.has_variables || !text.contains("${") {
            return Ok(Self::plain(text));
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            let inner = from.get(2..).unwrap_or_default();
            let name = inner.split_once('}').map(|(name, _)| name);
            match name.map(|name| (name, reference(name))) {
                Some((name, Some(piece))) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    }
                    pieces.push(piece?);
                    rest = inner.get(name.len() + 1..).unwrap_or_default();
                }
                // What is no reference stands as it is (RFC 5229 §3).
                _ => {
                    plain.push_str("${");
                    rest = inner;
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Self(pieces))
    }
}

/// Whether this is `identifier`.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `variable-ref = "${" [namespace] variable-name "}"`; of namespaces we have none, so one is a fault.
fn reference(name: &str) -> Option<Result<Piece, Fault>> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
        return Some(
            name.parse::<usize>().map(Piece::Match).map_err(|_| Fault::BadVariable(name.to_owned())),
        );
    }
    if is_variable_name(name) {
        return Some(Ok(Piece::Variable(name.to_ascii_lowercase())));
    }
    let is_spaced = name.split('.').count() > 1
        && name.split('.').take(9).all(|part| {
            is_variable_name(part) || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        });
    is_spaced.then(|| Err(Fault::BadVariable(name.to_owned())))
}

/// `${hex: 40 41}` and `${unicode: 40}`
fn encoded_characters(text: &str) -> Result<String, Fault> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let inner = from.get(2..).unwrap_or_default();
        let written = inner.split_once('}').and_then(|(inside, after)| {
            let (kind, codes) = inside.split_once(':')?;
            let codes: Option<Vec<u32>> =
                codes.split_whitespace().map(|code| u32::from_str_radix(code, 16).ok()).collect();
            let codes = codes.filter(|codes| !codes.is_empty())?;
            Some((kind.to_ascii_lowercase(), codes, after))
        });
        match written {
            Some((kind, codes, after)) if kind == "hex" && codes.iter().all(|c| *c < 256) => {
                out.extend(codes.into_iter().filter_map(|code| u8::try_from(code).ok()));
                rest = after;
            }
            Some((kind, codes, after)) if kind == "unicode" => {
                for code in codes {
                    let c = char::from_u32(code).ok_or_else(|| Fault::BadValue(format!("{code:x}")))?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                rest = after;
            }
            _ => {
                out.extend_from_slice(b"${");
                rest = inner;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).map_err(|_| Fault::BadValue(text.to_owned()))
}
