//! What is computed before the transaction: the envelope that a message implies, and the bytes that leave.

use congvu_casework::review::{Draft, Envelope, EnvelopeRecipient, Via};
use congvu_message::{headers, parse_addresses};
use congvu_types::{EmailAddress, Refusal, RefusalKind, Result, Timestamp};
use std::collections::HashSet;

/// Prepares what leaves, as SMTP submission does: completed, without blind copies' names, read strictly. CPU only, for megabytes
/// not on a thread that others wait for. `unique` makes a missing Message-ID unique within `host`.
pub fn prepare(
    raw: &[u8],
    envelope: Envelope,
    most_bytes: usize,
    (now, unique, host): (Timestamp, &str, &str),
) -> Result<Draft> {
    if raw.len() > most_bytes {
        return Err(Refusal::new(RefusalKind::TooLarge).with("bytes", most_bytes).into());
    }
    let whole = congvu_message::complete(raw, now, unique, host);
    Draft::prepare(&whole, envelope, Via::Jmap)
}

/// Returns the envelope of a message that comes without one (RFC 8621 §7.5): from the last `Sender`, else the last `From`;
/// to everybody in `To`, `Cc` and `Bcc`, once.
///
/// # Errors
/// No readable sender ([`RefusalKind::InvalidMessage`]); addresses that are none ([`RefusalKind::UnknownRecipient`], each as
/// a parameter).
pub fn default_envelope(raw: &[u8]) -> Result<Envelope> {
    let sender = last_address(raw, "Sender").or_else(|| last_address(raw, "From"));
    let sender = sender.ok_or(RefusalKind::InvalidMessage)?;
    let (mut recipients, mut known, mut invalid) = (Vec::new(), HashSet::new(), Vec::new());
    for field in headers::fields(raw).filter(|f| f.is("To") || f.is("Cc") || f.is("Bcc")) {
        for item in parse_addresses(field.value) {
            let congvu_message::AddressItem::Mailbox { local, domain, .. } = &item else { continue };
            match item.address() {
                Some(address) if known.insert(address.key()) => {
                    recipients.push(EnvelopeRecipient::new(address))
                }
                Some(_) => {}
                None => invalid.push(format!("{local}@{domain}")),
            }
        }
    }
    if invalid.is_empty() {
        return Ok(Envelope { recipients, ..Envelope::new(Some(sender), []) });
    }
    let refusal = Refusal::new(RefusalKind::UnknownRecipient);
    Err(invalid.into_iter().fold(refusal, |refusal, address| refusal.with("address", address)).into())
}

fn last_address(raw: &[u8], name: &str) -> Option<EmailAddress> {
    let field = headers::fields(raw).filter(|f| f.is(name)).last()?;
    parse_addresses(field.value).iter().find_map(congvu_message::AddressItem::address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_from_whom_to_whom() {
        let raw = b"From: a@x.example\r\nSender: b@x.example\r\nTo: c@y.example, C <C@y.example>\r\n\
                    Cc: Phong: d@y.example;\r\nBcc: e@y.example\r\n\r\nTo: f@y.example\r\n";
        let envelope = default_envelope(raw).unwrap();
        assert_eq!(envelope.mail_from.unwrap().to_string(), "b@x.example");
        let to: Vec<_> = envelope.recipients.iter().map(|r| r.address.to_string()).collect();
        assert_eq!(to, ["c@y.example", "d@y.example", "e@y.example"]);
    }

    #[test]
    fn what_is_no_address_is_named() {
        let error = default_envelope(b"From: a@x.example\r\nTo: b, c@y.example, d d@\r\n\r\n").unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.kind, RefusalKind::UnknownRecipient);
        assert_eq!(refusal.params.len(), 2, "{refusal:?}");
        assert!(default_envelope(b"To: a@x.example\r\n\r\n").is_err());
    }
}
