//! What a submission server looks at and mends (RFC 6409 §6, §8).

use crate::{headers, mailbox_list};
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
    /// Every address of `Resent-From` and `Resent-Sender`, of all the times that it was resent.
    pub resent: Vec<EmailAddress>,
}

impl SenderFields {
    /// Returns every address that the header names as an author or a sender, authors first.
    pub fn all(&self) -> impl Iterator<Item = &EmailAddress> {
        self.from.iter().chain(&self.sender).chain(&self.resent)
    }
}

/// Reads who sends strictly, so that no program shows another author than the one whose right was asked (S8.3c, Điều 8):
/// a header of fields alone, exactly one `From`, at most one `Sender`, which several authors demand, at most one `Reply-To`
/// (RFC 5322 §3.6.2), any `Resent-` fields (§3.6.6), all of them by [`mailbox_list`].
pub fn sender_fields(raw: &[u8]) -> Result<SenderFields, Refusal> {
    let invalid = || Refusal::new(RefusalKind::InvalidMessage);
    let from = only(raw, "From")?.ok_or_else(invalid)?;
    let mut sender = only(raw, "Sender")?.unwrap_or_default();
    let reply_to = reply_to(raw)?;
    let mut resent = Vec::new();
    for field in headers::fields(raw).filter(|f| f.is("Resent-From") || f.is("Resent-Sender")) {
        let list = mailbox_list(field.value).ok_or_else(invalid)?;
        if field.is("Resent-Sender") && list.len() != 1 {
            return Err(invalid());
        }
        resent.extend(list);
    }
    let is_sent_by_one = sender.len() == 1 || (sender.is_empty() && from.len() == 1);
    if !is_sent_by_one || !headers::is_well_formed(raw) {
        return Err(invalid());
    }
    Ok(SenderFields { from, sender: sender.pop(), reply_to, resent })
}

/// The addresses of a field that may stand at most once.
fn only(raw: &[u8], name: &str) -> Result<Option<Vec<EmailAddress>>, Refusal> {
    let mut found = headers::fields(raw).filter(|f| f.is(name));
    let Some(field) = found.next() else { return Ok(None) };
    match (mailbox_list(field.value), found.next()) {
        (Some(list), None) => Ok(Some(list)),
        _ => Err(Refusal::new(RefusalKind::InvalidMessage)),
    }
}

/// Where the answers go: mailboxes, or a group of them (RFC 5322 §3.6.2). An empty field, as forms send it, says nothing.
fn reply_to(raw: &[u8]) -> Result<Vec<EmailAddress>, Refusal> {
    let mut found = headers::fields(raw).filter(|f| f.is("Reply-To"));
    let Some(field) = found.next() else { return Ok(Vec::new()) };
    let value = field.value.trim_ascii();
    let group = value.strip_suffix(b";").and_then(|value| {
        let colon = value.iter().position(|b| *b == b':')?;
        Some((value.get(..colon)?, value.get(colon + 1..)?))
    });
    let list = match group {
        Some((name, inside)) if !name.iter().any(|b| b"\"(<@".contains(b)) => inside.trim_ascii(),
        _ => value,
    };
    let list = if list.is_empty() { Some(Vec::new()) } else { mailbox_list(list) };
    match (list, found.next()) {
        (Some(list), None) => Ok(list),
        _ => Err(Refusal::new(RefusalKind::InvalidMessage)),
    }
}

/// Completes a submitted message: `Date` and `Message-ID` when they are missing (RFC 6409 §8.2, §8.3), and no `Bcc`,
/// `Resent-Bcc` or `Return-Path` (RFC 5322 §3.6.3, §3.6.6, RFC 5321 §4.4), nor results of checks that only we may state (RFC
/// 8601 §5). `unique` makes the Message-ID unique within `host`, which is our name.
#[must_use]
pub fn complete(raw: &[u8], now: Timestamp, unique: &str, host: &str) -> Vec<u8> {
    let mut added = String::new();
    if headers::get(raw, "Date").is_none() {
        added.push_str(&format!("Date: {}\r\n", now.rfc5322()));
    }
    if headers::get(raw, "Message-ID").is_none() {
        added.push_str(&format!("Message-ID: <{unique}@{host}>\r\n"));
    }
    let kept = headers::remove(raw, |f| {
        f.is("Bcc") || f.is("Resent-Bcc") || f.is("Return-Path") || headers::is_result_of(f, host)
    });
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
            b"From: a@x.example\r\nReply-To: <b@x.example> <c@x.example>\r\n\r\n",
            b"From: a@x.example\r\nReply-To: <b@x.example>: c@x.example;\r\n\r\n",
            b"From : a@x.example\r\n\r\n",
            b"From: <bqlctgt@x.example> <mai@x.example>\r\n\r\n",
            b"From: a@x.example\r\nResent-From: nobody\r\n\r\n",
            b"From: a@x.example\r\nno colon\r\n\r\n",
            b"From: a@x.example\r\nFr om: b@x.example\r\n\r\n",
        ] {
            assert!(sender_fields(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn answers_may_go_to_a_group_or_nowhere() {
        let reply_to = |value: &str| {
            let raw = format!("From: a@x.example\r\nReply-To:{value}\r\nSubject : old style\r\n\r\n");
            sender_fields(raw.as_bytes())
                .map(|f| f.reply_to.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            reply_to(" Phong: b@x.example, C <c@x.example>;").unwrap(),
            ["b@x.example", "c@x.example"]
        );
        for none in ["", " ", " Khong ai:;"] {
            assert!(reply_to(none).unwrap().is_empty(), "{none:?}");
        }
    }

    #[test]
    fn who_resends_is_a_sender_too() {
        let raw =
            b"Resent-From: c@x.example, d@x.example\r\nResent-Sender: e@x.example\r\nFrom: a@x.example\r\n\
                    Sender: b@x.example\r\nResent-From: f@x.example\r\n\r\n";
        let fields = sender_fields(raw).unwrap();
        let all: String = fields.all().map(EmailAddress::local).collect();
        assert_eq!(all, "abcdef");
    }

    #[test]
    fn a_submission_is_completed_and_blind_copies_stay_blind() {
        let raw = b"From: a@x.example\r\nBcc: s@x.example\r\nResent-Bcc: t@x.example\r\n\
                    Authentication-Results: h.example; dkim=pass\r\n\r\nx\r\n";
        let out = complete(raw, Timestamp(0), "1", "h.example");
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Date: Thu, 01 Jan 1970") && text.contains("Message-ID: <1@h.example>"));
        assert!(!text.contains("Bcc") && !text.contains("dkim=pass"));
    }
}
