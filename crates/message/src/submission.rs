//! What a submission server looks at and mends (RFC 6409 §6, §8).

use crate::{headers, parse_addresses};
use congvu_types::{EmailAddress, Refusal, RefusalKind, Timestamp};

/// Who a message says it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFields {
    /// Every address of `From`.
    pub from: Vec<EmailAddress>,
    /// The address of `Sender`, when there is one.
    pub sender: Option<EmailAddress>,
    /// Every address of `Reply-To`: where the answers go.
    pub reply_to: Vec<EmailAddress>,
}

/// Reads `From`, `Sender` and `Reply-To` strictly: exactly one `From` field with at least one valid address, at most one
/// `Sender`, which several authors demand, at most one `Reply-To` (RFC 5322 §3.6.2).
pub fn sender_fields(raw: &[u8]) -> Result<SenderFields, Refusal> {
    let invalid = || Refusal::new(RefusalKind::InvalidMessage);
    let from = only(raw, "From")?.ok_or_else(invalid)?;
    let sender = only(raw, "Sender")?;
    if from.is_empty()
        || sender.as_ref().is_some_and(|s| s.len() != 1)
        || (from.len() > 1 && sender.is_none())
    {
        return Err(invalid());
    }
    let reply_to = only(raw, "Reply-To")?.unwrap_or_default();
    Ok(SenderFields { from, sender: sender.and_then(|mut s| s.pop()), reply_to })
}

/// The addresses of a field that may stand at most once; a part that is no address makes the field invalid.
fn only(raw: &[u8], name: &str) -> Result<Option<Vec<EmailAddress>>, Refusal> {
    let mut found = headers::fields(raw).filter(|f| f.is(name));
    let Some(field) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Refusal::new(RefusalKind::InvalidMessage));
    }
    let items = parse_addresses(field.value);
    let addresses: Option<Vec<EmailAddress>> = items.iter().map(crate::AddressItem::address).collect();
    addresses.map(Some).ok_or_else(|| Refusal::new(RefusalKind::InvalidMessage))
}

/// Completes a submitted message: `Date` and `Message-ID` when they are missing (RFC 6409 §8.2, §8.3), and no `Bcc`,
/// `Resent-Bcc` or `Return-Path` (RFC 5322 §3.6.3, §3.6.6, RFC 5321 §4.4). `unique` makes the Message-ID unique within `host`.
#[must_use]
pub fn complete(raw: &[u8], now: Timestamp, unique: &str, host: &str) -> Vec<u8> {
    let mut added = String::new();
    if headers::get(raw, "Date").is_none() {
        added.push_str(&format!("Date: {}\r\n", now.rfc5322()));
    }
    if headers::get(raw, "Message-ID").is_none() {
        added.push_str(&format!("Message-ID: <{unique}@{host}>\r\n"));
    }
    let kept = headers::remove(raw, |f| f.is("Bcc") || f.is("Resent-Bcc") || f.is("Return-Path"));
    headers::prepend(added.as_bytes(), &kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_read_strictly() {
        let fields = sender_fields(b"From: Mai <mai@x.example>\r\n\r\n").unwrap();
        assert_eq!(fields.from, ["mai@x.example".parse().unwrap()]);
        for bad in [
            &b"Subject: x\r\n\r\n"[..],
            b"From: a@x.example\r\nFrom: b@x.example\r\n\r\n",
            b"From: a@x.example, b@x.example\r\n\r\n",
            b"From: nobody\r\n\r\n",
            b"From: a@x.example\r\nSender: b@x.example, c@x.example\r\n\r\n",
            b"From: a@x.example\r\nReply-To: b@x.example\r\nReply-To: c@x.example\r\n\r\n",
            b"From: a@x.example\r\nReply-To: nobody\r\n\r\n",
        ] {
            assert!(sender_fields(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_submission_is_completed_and_blind_copies_stay_blind() {
        let raw = b"From: a@x.example\r\nBcc: s@x.example\r\nResent-Bcc: t@x.example\r\n\r\nx\r\n";
        let out = complete(raw, Timestamp(0), "1", "h.example");
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Date: Thu, 01 Jan 1970") && text.contains("Message-ID: <1@h.example>"));
        assert!(!text.contains("Bcc"));
    }
}
