//! Parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), DSN (RFC 3461), AUTH (RFC 4954).

use crate::codec::SyntaxError;
use congvu_transport::{Notify, Ret};

/// Parameters of MAIL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MailParams {
    /// SIZE.
    pub(crate) size: Option<u64>,
    /// SMTPUTF8.
    pub(crate) smtputf8: bool,
    /// RET.
    pub(crate) ret: Ret,
    /// ENVID, decoded.
    pub(crate) envid: Option<String>,
}

/// Parameters of RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RcptParams {
    /// NOTIFY.
    pub(crate) notify: Notify,
    /// ORCPT, decoded: `type;address`.
    pub(crate) orcpt: Option<String>,
}

fn each(text: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    text.split_ascii_whitespace().map(|word| match word.split_once('=') {
        Some((key, value)) => (key.to_ascii_uppercase(), Some(value)),
        None => (word.to_ascii_uppercase(), None),
    })
}

pub(crate) fn mail(text: &str) -> Result<MailParams, SyntaxError> {
    let mut params = MailParams::default();
    for (key, value) in each(text) {
        let wrong = SyntaxError::Parameter(key.clone());
        match (key.as_str(), value) {
            ("SIZE", Some(value)) => params.size = Some(value.parse().map_err(|_| wrong)?),
            ("BODY", Some(value)) => match value.to_ascii_uppercase().as_str() {
                "7BIT" | "8BITMIME" => {}
                _ => return Err(wrong),
            },
            ("SMTPUTF8", None) => params.smtputf8 = true,
            ("RET", Some(value)) => {
                params.ret = match value.to_ascii_uppercase().as_str() {
                    "FULL" => Ret::Full,
                    "HDRS" => Ret::Hdrs,
                    _ => return Err(wrong),
                };
            }
            // RFC 3461 §4.4: at most 100 characters.
            ("ENVID", Some(value)) => {
                params.envid = Some(xtext(value).filter(|v| v.len() <= 100).ok_or(wrong)?);
            }
            // RFC 4954 §5: whom another server vouches for; we vouch for nobody but ourselves.
            ("AUTH", Some(_)) => {}
            _ => return Err(wrong),
        }
    }
    Ok(params)
}

pub(crate) fn rcpt(text: &str) -> Result<RcptParams, SyntaxError> {
    let mut params = RcptParams::default();
    for (key, value) in each(text) {
        let wrong = SyntaxError::Parameter(key.clone());
        match (key.as_str(), value) {
            ("NOTIFY", Some(value)) => params.notify = notify(value).ok_or(wrong)?,
            // RFC 3461 §4.2: at most 500 characters.
            ("ORCPT", Some(value)) => {
                let decoded = xtext(value).filter(|v| v.len() <= 500 && v.contains(';'));
                params.orcpt = Some(decoded.ok_or(wrong)?);
            }
            _ => return Err(wrong),
        }
    }
    Ok(params)
}

/// RFC 3461 §4.1: `NEVER`, or a list of the others.
fn notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::NEVER);
    }
    let mut notify = Notify::NEVER;
    for word in value.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

/// Decodes xtext (RFC 3461 §4); nothing that could break a line comes out.
fn xtext(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => {
                let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
                bytes.push(high << 4 | low);
            }
            b'=' => return None,
            other => bytes.push(other),
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// Encodes xtext.
pub(crate) fn to_xtext(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_graphic() && byte != b'+' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("+{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_survives_the_way_there_and_back() {
        for text in ["rfc822;a@x.example", "a+b=c d", "Khánh Hòa"] {
            assert_eq!(xtext(&to_xtext(text)).as_deref(), Some(text));
        }
        for bad in ["", "+", "+4", "+0A", "+zz", "a=b"] {
            assert_eq!(xtext(bad), None, "{bad}");
        }
    }
}
