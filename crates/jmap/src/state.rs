//! State strings (RFC 8620 §5.1): the account's modseq. A state within the changes of one commit names besides where the
//! client began and up to which email it was told, `base-modseq-email`.

use congvu_mail::Since;
use congvu_types::{EmailId, ModSeq};

/// The state of emails, threads and mailboxes.
pub(crate) fn emails(modseq: ModSeq) -> String {
    modseq.0.to_string()
}

/// The state that a part of the changes leads to.
pub(crate) fn since(since: Since) -> String {
    match since.within {
        None if since.base == since.modseq => since.modseq.to_string(),
        None => format!("{}-{}", since.base, since.modseq),
        Some(email) => format!("{}-{}-{email}", since.base, since.modseq),
    }
}

/// Reads a state that we gave out; `None` when it is none of ours.
pub(crate) fn read(text: &str) -> Option<Since> {
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let mut pieces = text.split('-');
    let base = number(pieces.next()?)?;
    let modseq = pieces.next().map_or(Some(base), number)?;
    let within = match pieces.next() {
        None => None,
        Some(id) => Some(id.parse::<EmailId>().ok()?),
    };
    (pieces.next().is_none() && base <= modseq).then_some(Since { base, modseq, within })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_text() {
        for state in ["7", "3-7", "3-7-12"] {
            assert_eq!(since(read(state).unwrap()), state);
        }
        for bad in ["", "x", "7-3", "3-7-", "3-7-12-1", "+3", "-3"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
