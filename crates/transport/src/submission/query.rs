//! Which submissions, in which order (RFC 8621 §7.3).

use super::SubmissionState;
use congvu_directory::{Acting, right};
use congvu_storage::{Snapshot, params};
use congvu_types::{EmailId, Error, IdentityId, Result, SubmissionId, ThreadId, Timestamp};
use std::cmp::Ordering;

/// In which order; ties are broken by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By when it leaves.
    #[default]
    SentAt,
    /// By message.
    Email,
    /// By conversation.
    Thread,
}

/// One that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The submission.
    pub id: SubmissionId,
    /// As whom.
    pub identity: IdentityId,
    /// Its conversation.
    pub thread: ThreadId,
    /// Its message.
    pub email: EmailId,
    /// When it leaves.
    pub send_at: Timestamp,
    /// Where it stands.
    pub state: SubmissionState,
}

/// So many of an account's submissions, the newest, are looked at: those of 90 days are kept.
const MOST: usize = 100_000;

/// Returns the submissions of which `fits` says so, by criteria of which each is ascending or not.
pub fn query(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    order: &[(Order, bool)],
    mut fits: impl FnMut(&Found) -> bool,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    snapshot.each(
        "SELECT id, thread_id, email_id, send_at, identity_id, state FROM submission
         WHERE account_id = ?1 AND hidden = 0 ORDER BY send_at DESC, id DESC LIMIT ?2",
        &params![acting.account().get(), MOST],
        |r| {
            let word = r.text(5)?;
            let state = SubmissionState::by_name(&word);
            let one = Found {
                id: SubmissionId::new(r.i64(0)?),
                thread: ThreadId::new(r.i64(1)?),
                email: EmailId::new(r.i64(2)?),
                send_at: Timestamp(r.i64(3)?),
                identity: IdentityId::new(r.i64(4)?),
                state: state.ok_or_else(|| Error::fault("reading a submission", word))?,
            };
            if fits(&one) {
                found.push(one);
            }
            Ok(true)
        },
    )?;
    found.sort_by(|a, b| compare(order, a, b));
    Ok(found)
}

fn compare(order: &[(Order, bool)], a: &Found, b: &Found) -> Ordering {
    for (by, is_ascending) in order {
        let ordering = match by {
            Order::SentAt => a.send_at.cmp(&b.send_at),
            Order::Email => a.email.cmp(&b.email),
            Order::Thread => a.thread.cmp(&b.thread),
        };
        let ordering = if *is_ascending { ordering } else { ordering.reverse() };
        if ordering.is_ne() {
            return ordering;
        }
    }
    match order.last() {
        Some((_, false)) => b.id.cmp(&a.id),
        _ => a.id.cmp(&b.id),
    }
}
