//! Messages that the system itself writes: notices and delivery reports.

use congvu_types::{EmailAddress, Timestamp};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, raw::Raw, text::Text},
    mime::MimePart,
};

/// A plain notice to one person.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// Whom it is from: the system's own address.
    pub from: &'a EmailAddress,
    /// The name shown beside it.
    pub from_name: &'a str,
    /// Whom it is for.
    pub to: &'a EmailAddress,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// The Message-ID of what it speaks of, without brackets.
    pub about: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
    /// Makes the Message-ID unique.
    pub unique: &'a str,
}

/// Writes a notice (RFC 5322), marked as written by a program (RFC 3834 §5).
#[must_use]
pub fn notice(notice: &Notice<'_>) -> Vec<u8> {
    let mut builder = MessageBuilder::new()
        .from(Address::new_address(Some(notice.from_name), notice.from.to_string()))
        .to(Address::new_address(None::<&str>, notice.to.to_string()))
        .subject(notice.subject)
        .date(notice.at.seconds())
        .message_id(format!("{}@{}", notice.unique, notice.from.domain()))
        .header("Auto-Submitted", Text::new("auto-generated"))
        .text_body(notice.text);
    if let Some(about) = notice.about {
        builder = builder.in_reply_to(about.to_owned()).references(about.to_owned());
    }
    builder.write_to_vec().unwrap_or_default()
}

/// What an account answers by itself while nobody is there.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The account's address.
    pub from: &'a EmailAddress,
    /// The name shown beside it.
    pub from_name: &'a str,
    /// Whom it answers: the reverse-path.
    pub to: &'a EmailAddress,
    /// The subject.
    pub subject: &'a str,
    /// The plain text.
    pub text: Option<&'a str>,
    /// The HTML.
    pub html: Option<&'a str>,
    /// The message that it answers.
    pub original: &'a [u8],
    /// Now.
    pub at: Timestamp,
    /// Makes the Message-ID unique.
    pub unique: &'a str,
}

/// References longer than this are left out but for the message that is answered.
const LONGEST_REFERENCES: usize = 2000;

/// Writes an automatic answer (RFC 3834 §3.1, RFC 5230 §4.6): to the reverse-path, marked as one, so that no other answers it.
#[must_use]
pub fn answer(answer: &Answer<'_>) -> Vec<u8> {
    let mut builder = MessageBuilder::new()
        .from(Address::new_address(Some(answer.from_name), answer.from.to_string()))
        .to(Address::new_address(None::<&str>, answer.to.to_string()))
        .subject(answer.subject)
        .date(answer.at.seconds())
        .message_id(format!("{}@{}", answer.unique, answer.from.domain()))
        .header("Auto-Submitted", Raw::new("auto-replied"));
    let field = |name| {
        let value = crate::headers::get(answer.original, name).map(|f| crate::headers::unfold(f.value))?;
        String::from_utf8(value).ok().filter(|v| v.is_ascii() && v.len() <= LONGEST_REFERENCES)
    };
    if let Some(id) = field("Message-ID").filter(|id| id.starts_with('<') && id.ends_with('>')) {
        let before = field("References").unwrap_or_default();
        builder = builder
            .header("In-Reply-To", Raw::new(id.clone()))
            .header("References", Raw::new(format!("{before} {id}").trim().to_owned()));
    }
    if let Some(text) = answer.text {
        builder = builder.text_body(text);
    }
    if let Some(html) = answer.html {
        builder = builder.html_body(html);
    }
    builder.write_to_vec().unwrap_or_default()
}

/// What became of one recipient (RFC 3464 §2.3).
#[derive(Debug, Clone)]
pub struct DsnRecipient<'a> {
    /// The address as it was given in RCPT.
    pub recipient: &'a str,
    /// ORCPT as given, such as `rfc822;a@x.example`.
    pub original: Option<&'a str>,
    /// `failed`, `delayed`, `delivered` or `relayed`.
    pub action: &'static str,
    /// The enhanced status code, such as `5.1.1` (RFC 3463).
    pub status: &'a str,
    /// The remote server's name.
    pub remote: Option<&'a str>,
    /// What the remote server said.
    pub diagnostic: Option<&'a str>,
}

/// A delivery status notification.
#[derive(Debug, Clone)]
pub struct Dsn<'a> {
    /// Our host name.
    pub host: &'a str,
    /// The address it is from: the postmaster.
    pub from: &'a EmailAddress,
    /// The envelope sender of the message it speaks of.
    pub to: &'a EmailAddress,
    /// The subject.
    pub subject: &'a str,
    /// The text for a person.
    pub text: &'a str,
    /// ENVID as given (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// When the message came.
    pub arrived_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// Makes the Message-ID unique.
    pub unique: &'a str,
    /// Each recipient.
    pub recipients: &'a [DsnRecipient<'a>],
    /// The message it speaks of.
    pub original: &'a [u8],
    /// Returns the whole message instead of its header (RET=FULL, RFC 3461 §4.3).
    pub full: bool,
}

/// Writes a delivery status notification (RFC 3464) as multipart/report (RFC 6522).
#[must_use]
pub fn dsn(dsn: &Dsn<'_>) -> Vec<u8> {
    let (kind, original) = if dsn.full {
        ("message/rfc822", dsn.original)
    } else {
        ("text/rfc822-headers", &dsn.original[..crate::headers::split(dsn.original).0.end])
    };
    let report = mail_builder::headers::content_type::ContentType::new("multipart/report")
        .attribute("report-type", "delivery-status");
    let body = MimePart::new(
        report,
        vec![
            MimePart::new("text/plain", dsn.text),
            MimePart::new(
                "message/delivery-status",
                mail_builder::mime::BodyPart::Binary(status(dsn).into_bytes().into()),
            )
            .transfer_encoding("7bit"),
            // RFC 2046 §5.2.1: no encoding but 7bit, 8bit or binary; as it came.
            MimePart::new(kind, mail_builder::mime::BodyPart::Binary(original.into()))
                .transfer_encoding(if original.is_ascii() { "7bit" } else { "8bit" }),
        ],
    );
    MessageBuilder::new()
        .from(Address::new_address(Some("Mail Delivery System"), dsn.from.to_string()))
        .to(Address::new_address(None::<&str>, dsn.to.to_string()))
        .subject(dsn.subject)
        .date(dsn.at.seconds())
        .message_id(format!("{}@{}", dsn.unique, dsn.host))
        // RFC 3834 §5: no automatic answer may follow.
        .header("Auto-Submitted", Raw::new("auto-replied"))
        .body(body)
        .write_to_vec()
        .unwrap_or_default()
}

/// The machine-readable part (RFC 3464 §2.1).
fn status(dsn: &Dsn<'_>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let clean: String =
            value.chars().map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect();
        text.push_str(&format!("{name}: {clean}\r\n"));
    };
    if let Some(id) = dsn.envelope_id {
        line("Original-Envelope-Id", id);
    }
    line("Reporting-MTA", &format!("dns; {}", dsn.host));
    line("Arrival-Date", &dsn.arrived_at.rfc5322());
    for recipient in dsn.recipients {
        text.push_str("\r\n");
        let mut line = |name: &str, value: &str| {
            let clean: String =
                value.chars().map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect();
            text.push_str(&format!("{name}: {clean}\r\n"));
        };
        if let Some(original) = recipient.original {
            line("Original-Recipient", original);
        }
        let kind = if recipient.recipient.is_ascii() { "rfc822" } else { "utf-8" };
        line("Final-Recipient", &format!("{kind}; {}", recipient.recipient));
        line("Action", recipient.action);
        line("Status", recipient.status);
        if let Some(remote) = recipient.remote {
            line("Remote-MTA", &format!("dns; {remote}"));
        }
        if let Some(diagnostic) = recipient.diagnostic {
            line("Diagnostic-Code", &format!("smtp; {diagnostic}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_returned_stands_in_a_report_as_it_came() {
        let address: EmailAddress = "a@x.example".parse().unwrap();
        for (original, full, encoding) in [
            (&b"Subject: x\r\n\r\n.text\r\n"[..], true, "7bit"),
            ("Subject: Kính gửi\r\n\r\nchữ\r\n".as_bytes(), true, "8bit"),
            ("Subject: Kính gửi\r\n\r\nchữ\r\n".as_bytes(), false, "8bit"),
        ] {
            let written = dsn(&Dsn {
                host: "h.example",
                from: &address,
                to: &address,
                subject: "s",
                text: "t",
                envelope_id: None,
                arrived_at: Timestamp(0),
                at: Timestamp(0),
                unique: "1",
                recipients: &[],
                original,
                full,
            });
            let written = String::from_utf8(written).unwrap();
            let shown = if full { original } else { &original[..crate::headers::split(original).0.end] };
            assert!(written.contains(std::str::from_utf8(shown).unwrap()), "{written}");
            assert!(written.contains(&format!("Content-Transfer-Encoding: {encoding}\r\n")), "{written}");
            assert!(!written.contains("base64"), "{written}");
        }
    }
}
