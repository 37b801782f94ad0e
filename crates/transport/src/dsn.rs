//! Delivery status notifications (RFC 3464): what became of a message, told to who sent it, if they asked for it.

use crate::{
    Site, queue,
    submission::{Note, Reached},
};
use congvu_casework::review::{Cleared, Envelope, EnvelopeRecipient, Notify, Ret};
use congvu_message::{Dsn, DsnRecipient, headers};
use congvu_storage::{BlobHash, Tx};
use congvu_types::{EmailAddress, Language, Result, Timestamp, sentence};

/// The message that a report speaks of.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    pub(crate) mail_from: Option<EmailAddress>,
    pub(crate) ret: Ret,
    pub(crate) envid: Option<String>,
    pub(crate) blob: BlobHash,
    pub(crate) arrived_at: Timestamp,
}

impl Original {
    pub(crate) fn of(envelope: &Envelope, blob: BlobHash, arrived_at: Timestamp) -> Self {
        let Envelope { mail_from, ret, envid, .. } = envelope.clone();
        Self { mail_from, ret, envid, blob, arrived_at }
    }
}

/// What a report says of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It will not arrive.
    Failed,
    /// It has not arrived yet.
    Delayed,
    /// It is in their account.
    Delivered,
    /// It is with a server that sends no reports.
    Relayed,
}

impl Fate {
    const fn action(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
        }
    }
}

/// One recipient of a report.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// As text: a stored address that cannot be read any more is reported all the same.
    pub(crate) address: String,
    pub(crate) notify: Notify,
    pub(crate) orcpt: Option<String>,
    pub(crate) fate: Fate,
    pub(crate) status: String,
    pub(crate) remote: Option<String>,
    pub(crate) answer: Option<String>,
}

impl Outcome {
    pub(crate) fn new(recipient: &EnvelopeRecipient, fate: Fate, status: &str) -> Self {
        let EnvelopeRecipient { address, notify, orcpt } = recipient;
        Self::of_text(address.to_string(), (*notify, orcpt.clone()), fate, status)
    }

    /// For a recipient as it stands in a row.
    pub(crate) fn of_text(
        address: String,
        (notify, orcpt): (Notify, Option<String>),
        fate: Fate,
        status: &str,
    ) -> Self {
        Self { address, notify, orcpt, fate, status: status.to_owned(), remote: None, answer: None }
    }

    /// What a submission is told of it (RFC 8621 §7: `deliveryStatus`): what the other server said, or what we would.
    pub(crate) fn note(&self) -> Note {
        let reached = match self.fate {
            Fate::Failed => Reached::No,
            Fate::Delayed => Reached::Queued,
            Fate::Delivered => Reached::Yes,
            Fate::Relayed => Reached::Unknown,
        };
        let code = match (self.fate, self.status.as_str()) {
            (Fate::Delivered | Fate::Relayed, _) => 250,
            (Fate::Delayed, _) => 451,
            // RFC 3463 §3.3: mailbox full.
            (Fate::Failed, "5.2.2") => 552,
            (Fate::Failed, _) => 550,
        };
        let said = self.answer.clone().filter(|answer| answer.starts_with(|c: char| c.is_ascii_digit()));
        let ours =
            || format!("{code} {} {}", self.status, self.answer.as_deref().unwrap_or(self.fate.action()));
        Note::new(&self.address, reached, said.unwrap_or_else(ours))
    }

    /// RFC 3461 §4.1: only what was asked for is told.
    fn is_wanted(&self) -> bool {
        match self.fate {
            Fate::Failed => self.notify.failure,
            Fate::Delayed => self.notify.delay,
            Fate::Delivered | Fate::Relayed => self.notify.success,
        }
    }
}

/// A report returns no more of the original than this, so that it stays small.
const MOST_RETURNED: usize = 32 * 1024;
/// Of what the remote server said, so many characters are told …
const LONGEST_ANSWER: usize = 200;
/// … and so many recipients are named in the text for a person; the part for programs names all.
const MOST_NAMED: usize = 50;

/// Sends a report for each fate that occurs: failures are not mixed with good news.
pub(crate) fn send_each(tx: &mut Tx, site: &Site, original: &Original, outcomes: &[Outcome]) -> Result<()> {
    for fate in [Fate::Failed, Fate::Delayed, Fate::Delivered, Fate::Relayed] {
        let group: Vec<Outcome> = outcomes.iter().filter(|o| o.fate == fate).cloned().collect();
        send(tx, site, original, &group)?;
    }
    Ok(())
}

/// Sends one report to the sender about those who are to be told of; none when there are none, and never for a null
/// reverse-path (RFC 5321 §4.5.5, RFC 3461 §5.2.10).
pub(crate) fn send(tx: &mut Tx, site: &Site, original: &Original, outcomes: &[Outcome]) -> Result<()> {
    let told: Vec<&Outcome> = outcomes.iter().filter(|o| o.is_wanted()).collect();
    let (Some(to), Some(first)) = (&original.mail_from, told.first()) else { return Ok(()) };
    let key = format!("dsn.{}", first.fate.action());
    let list = list(&told);
    let subject = sentence(Language::Vietnamese, &format!("{key}.subject"), &[]);
    let text = [Language::Vietnamese, Language::English]
        .map(|language| sentence(language, &format!("{key}.text"), &[("recipients", &list)]))
        .join("\n\n-- \n\n");
    // RFC 3464 §2: the original is returned if it can be. A fault here would come back with every further try.
    let raw = tx.blob(&original.blob).unwrap_or_else(|error| {
        tracing::error!(%error, "a report goes without the message that it speaks of");
        Vec::new()
    });
    let (shown, full) = returned(&raw, original.ret, first.fate);
    let recipients: Vec<DsnRecipient<'_>> = told
        .iter()
        .map(|outcome| DsnRecipient {
            recipient: &outcome.address,
            original: outcome.orcpt.as_deref(),
            action: outcome.fate.action(),
            status: &outcome.status,
            remote: outcome.remote.as_deref(),
            diagnostic: outcome.answer.as_deref().map(brief),
        })
        .collect();
    let (from, unique) = (site.reporter()?, tx.new_id().to_string());
    let cleared = Cleared::report(&Dsn {
        host: site.host(),
        from: &from,
        to,
        subject: &subject,
        text: &text,
        envelope_id: original.envid.as_deref(),
        arrived_at: original.arrived_at,
        at: tx.now(),
        unique: &unique,
        recipients: &recipients,
        original: shown,
        full,
    })?;
    queue::enqueue(tx, site, cleared)?;
    Ok(())
}

/// RFC 3461 §4.3: RET=FULL is asked of failures alone; a long message is returned by its header all the same.
fn returned(raw: &[u8], ret: Ret, fate: Fate) -> (&[u8], bool) {
    if ret == Ret::Full && fate == Fate::Failed && raw.len() <= MOST_RETURNED {
        return (raw, true);
    }
    let header = headers::split(raw).0;
    let mut end = header.end.min(MOST_RETURNED);
    if end < header.end {
        // Cut between lines.
        end = raw[..end].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    }
    (&raw[..end], false)
}

/// The beginning of an answer, which the other server may have made as long as it liked.
fn brief(answer: &str) -> &str {
    answer.char_indices().nth(LONGEST_ANSWER).map_or(answer, |(end, _)| &answer[..end])
}

fn list(told: &[&Outcome]) -> String {
    let mut list: String = told.iter().take(MOST_NAMED).map(|o| line(o)).collect();
    if let Some(more) = told.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        list.push_str(&format!("  … +{more}\n"));
    }
    list
}

fn line(outcome: &Outcome) -> String {
    let answer = brief(outcome.answer.as_deref().unwrap_or(&outcome.status));
    match &outcome.remote {
        Some(remote) => format!("  {}\n    {remote}: {answer}\n", outcome.address),
        None => format!("  {}\n    {answer}\n", outcome.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_returns_the_whole_message() {
        let raw = b"Subject: x\r\n\r\nbody\r\n";
        assert_eq!(returned(raw, Ret::Full, Fate::Failed), (&raw[..], true));
        for fate in [Fate::Delivered, Fate::Relayed, Fate::Delayed] {
            assert_eq!(returned(raw, Ret::Full, fate), (&b"Subject: x\r\n"[..], false));
        }
    }
}
