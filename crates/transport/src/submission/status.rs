//! What is known of each recipient of a submission.

use super::{DeliveryStatus, Reached, touch};
use congvu_casework::review::Envelope;
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, EmailAddress, Error, Result, SubmissionId};

/// News of one recipient.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// The address, as text: a stored one may not be readable any more.
    pub(crate) address: String,
    pub(crate) reached: Reached,
    /// On one line.
    pub(crate) reply: String,
}

impl Note {
    pub(crate) fn new(address: impl ToString, reached: Reached, reply: impl Into<String>) -> Self {
        Self { address: address.to_string(), reached, reply: reply.into() }
    }
}

/// An answer is kept to so many characters.
const LONGEST_REPLY: usize = 500;

fn key(address: &str) -> String {
    address.parse::<EmailAddress>().map_or_else(|_| address.to_owned(), |a| a.key())
}

/// Makes a row for each recipient.
pub(super) fn prepare(
    tx: &mut Tx,
    (account, id): (AccountId, SubmissionId),
    envelope: &Envelope,
) -> Result<()> {
    for recipient in &envelope.recipients {
        tx.execute(
            "INSERT INTO submission_recipient (account_id, submission_id, address_key, address, delivered, reply)
             VALUES (?1, ?2, ?3, ?4, ?5, '') ON CONFLICT DO NOTHING",
            &params![
                account.get(),
                id.get(),
                recipient.address.key(),
                recipient.address.to_string(),
                Reached::Queued.as_str()
            ],
        )?;
    }
    Ok(())
}

/// Writes what became of recipients down, and that the submission changed. The last of a transaction, since it takes the
/// account's row of `outgoing_state`.
pub(crate) fn note(tx: &mut Tx, (account, id): (AccountId, SubmissionId), notes: &[Note]) -> Result<()> {
    let mut changed = 0;
    for note in notes {
        let reply: String =
            note.reply.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REPLY).collect();
        changed += tx.execute(
            "UPDATE submission_recipient SET delivered = ?4, reply = ?5
             WHERE account_id = ?1 AND submission_id = ?2 AND address_key = ?3",
            &params![account.get(), id.get(), key(&note.address), note.reached.as_str(), reply],
        )?;
    }
    if changed == 0 { Ok(()) } else { touch(tx, account, id) }
}

/// Returns what is known of each recipient of a submission.
pub(super) fn of(
    snapshot: &Snapshot,
    (account, id): (AccountId, SubmissionId),
) -> Result<Vec<DeliveryStatus>> {
    snapshot.query(
        "SELECT address, delivered, reply FROM submission_recipient WHERE account_id = ?1 AND submission_id = ?2
         ORDER BY address_key LIMIT 1000",
        &params![account.get(), id.get()],
        |r| {
            let word = r.text(1)?;
            let reached = Reached::ALL.into_iter().find(|reached| reached.as_str() == word);
            let reached = reached.ok_or_else(|| Error::fault("reading a submission", word))?;
            Ok(DeliveryStatus { address: r.text(0)?, reached, reply: r.text(2)? })
        },
    )
}
