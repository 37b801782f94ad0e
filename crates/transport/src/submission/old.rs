//! What is needed for a time only: submissions that are done, and what tells that they were.

use super::SubmissionState;
use crate::outgoing::{Kind, bury, forget_gone};
use congvu_storage::{Tx, params};
use congvu_types::{AccountId, ModSeq, Result};
use std::time::Duration;

/// A submission that is done is kept this long (RFC 8621 §7: a server may remove it then).
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// That it was is remembered this long after, for clients that were away.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes up to `limit` submissions that have been done for long, and what has been gone for long. Returns how many rows
/// were looked at; call it again while it is not zero.
pub fn forget_old(tx: &mut Tx, limit: usize) -> Result<usize> {
    let now = tx.now();
    let old = tx.query(
        "SELECT account_id, id, created_modseq, hidden FROM submission WHERE closed_at < ?1 ORDER BY closed_at LIMIT ?2",
        &params![now.before(KEPT), limit],
        |r| Ok((AccountId::new(r.i64(0)?), r.i64(1)?, ModSeq(r.u64(2)?), r.i64(3)? != 0)),
    )?;
    for (account, id, created, is_hidden) in &old {
        tx.execute(
            "DELETE FROM submission_recipient WHERE account_id = ?1 AND submission_id = ?2",
            &params![account.get(), *id],
        )?;
        let removed = tx.execute(
            "DELETE FROM submission WHERE account_id = ?1 AND id = ?2 AND state NOT IN (?3, ?4)",
            &params![account.get(), *id, SubmissionState::Scheduled.as_str(), SubmissionState::Held.as_str()],
        )?;
        if removed == 1 && !is_hidden {
            bury(tx, *account, Kind::Submission, (*id, *created))?;
        }
    }
    Ok(old.len() + forget_gone(tx, now.before(REMEMBERED), limit)?)
}
