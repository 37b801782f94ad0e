//! Which messages are answered by themselves (RFC 3834 §2, RFC 5230 §4.5, §4.6). Pure.

use congvu_message::{headers, parse_addresses};
use congvu_types::EmailAddress;

/// A local part that is a program's, or a list's (RFC 3834 §2: `owner-list`, `list-request`, `MAILER-DAEMON`).
fn is_program(local: &str) -> bool {
    let local = local.to_ascii_lowercase();
    let plain: String = local.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect();
    ["mailerdaemon", "postmaster", "listserv", "majordomo", "daemon"].contains(&plain.as_str())
        || plain.starts_with("noreply")
        || plain.starts_with("donotreply")
        || local.starts_with("owner-")
        || ["-owner", "-request", "-bounce", "-bounces", "-relay"].iter().any(|end| local.ends_with(end))
}

/// Returns whether a message from `sender`, its reverse-path, to an account of the address `own` is to be answered: it was
/// written by a person, to this address by name, and by nobody of the same address.
pub(super) fn may_answer(raw: &[u8], sender: &EmailAddress, own: &EmailAddress) -> bool {
    let is_own = |address: &EmailAddress| address == own || address.without_detail().as_ref() == Some(own);
    !is_own(sender) && !is_program(sender.local()) && !is_automatic(raw) && names(raw, is_own)
}

fn is_automatic(raw: &[u8]) -> bool {
    headers::fields(raw).any(|field| {
        let value = || String::from_utf8_lossy(&headers::unfold(field.value)).to_ascii_lowercase();
        let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
        match name.as_str() {
            // RFC 3834 §2, §5: anything but `no`.
            "auto-submitted" => value().split([';', ' ', '(']).next() != Some("no"),
            "precedence" => ["bulk", "junk", "list"].contains(&value().trim()),
            // RFC 5230 §4.5: the fields of RFC 2369 and RFC 2919.
            "list-id" | "list-help" | "list-subscribe" | "list-unsubscribe" | "list-post" | "list-owner"
            | "list-archive" => true,
            // What Exchange asks of others.
            "x-auto-response-suppress" => {
                value().split(',').any(|word| ["oof", "autoreply", "all"].contains(&word.trim()))
            }
            "x-autoreply" | "x-autorespond" | "x-loop" => true,
            _ => false,
        }
    })
}

/// RFC 5230 §4.5: whoever is not named got it by a list, or blindly.
fn names(raw: &[u8], is_own: impl Fn(&EmailAddress) -> bool) -> bool {
    const NAMED: [&str; 6] = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];
    headers::fields(raw).filter(|f| NAMED.iter().any(|name| f.is(name))).any(|field| {
        parse_addresses(field.value).iter().filter_map(|item| item.address()).any(|address| is_own(&address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(sender: &str, header: &str) -> bool {
        let raw = format!("From: x@gov.example\r\n{header}\r\n\r\nx\r\n");
        may_answer(raw.as_bytes(), &sender.parse().unwrap(), &"hung@a.example".parse().unwrap())
    }

    #[test]
    fn what_a_person_wrote_to_us_is_answered() {
        for header in [
            "To: Hung <HUNG@a.example>",
            "To: b@a.example\r\nCc: hung+x@a.example",
            "Auto-Submitted: no\r\nTo: hung@a.example",
            "Precedence: special-delivery\r\nResent-To: hung@a.example",
        ] {
            assert!(answered("x@gov.example", header), "{header}");
        }
    }

    #[test]
    fn lists_programs_and_strangers_letters_are_not() {
        for header in [
            "Auto-Submitted: auto-generated",
            "Auto-Submitted: auto-replied (vacation)",
            "Precedence: Bulk",
            "Precedence: list",
            "List-Id: <l.gov.example>",
            "List-Unsubscribe: <mailto:x@gov.example>",
            "X-Auto-Response-Suppress: DR, OOF",
        ] {
            assert!(!answered("x@gov.example", &format!("{header}\r\nTo: hung@a.example")), "{header}");
        }
        assert!(!answered("x@gov.example", "To: all@gov.example"));
        for sender in [
            "MAILER-DAEMON@gov.example",
            "no-reply@gov.example",
            "noreply-1@gov.example",
            "owner-l@gov.example",
            "l-request@gov.example",
            "hung@a.example",
            "hung+x@a.example",
        ] {
            assert!(!answered(sender, "To: hung@a.example"), "{sender}");
        }
    }
}
