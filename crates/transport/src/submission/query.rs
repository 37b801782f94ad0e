//! Which submissions, in which order (RFC 8621 §7.3).

use super::SubmissionState;
use congvu_directory::{Acting, right};
use congvu_storage::{Snapshot, params};
use congvu_types::{EmailId, Error, IdentityId, Result, SubmissionId, ThreadId, Timestamp};

/// What is looked for; every part that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// As one of these.
    pub identities: Option<Vec<IdentityId>>,
    /// Of one of these messages.
    pub emails: Option<Vec<EmailId>>,
    /// Of one of these conversations.
    pub threads: Option<Vec<ThreadId>>,
    /// In one of these states.
    pub states: Option<Vec<SubmissionState>>,
    /// Leaving before.
    pub before: Option<Timestamp>,
    /// Leaving then or later.
    pub after: Option<Timestamp>,
}

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

/// One that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The submission.
    pub id: SubmissionId,
    /// Its conversation.
    pub thread: ThreadId,
    /// Its message.
    pub email: EmailId,
    /// When it leaves.
    pub send_at: Timestamp,
}

/// So many of an account's submissions, the newest, are looked at: those of 90 days are kept.
const MOST: usize = 100_000;

/// Returns the submissions that fit, in ascending or descending order.
pub fn query(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    wanted: &Wanted,
    (order, is_ascending): (Order, bool),
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    snapshot.each(
        "SELECT id, thread_id, email_id, send_at, identity_id, state FROM submission
         WHERE account_id = ?1 AND hidden = 0 AND send_at >= ?2 AND send_at < ?3
         ORDER BY send_at DESC, id DESC LIMIT ?4",
        &params![
            acting.account().get(),
            wanted.after.unwrap_or(Timestamp(i64::MIN)),
            wanted.before.unwrap_or(Timestamp(i64::MAX)),
            MOST
        ],
        |r| {
            let word = r.text(5)?;
            let state = SubmissionState::by_name(&word);
            let state = state.ok_or_else(|| Error::fault("reading a submission", word))?;
            let one = Found {
                id: SubmissionId::new(r.i64(0)?),
                thread: ThreadId::new(r.i64(1)?),
                email: EmailId::new(r.i64(2)?),
                send_at: Timestamp(r.i64(3)?),
            };
            if fits(wanted, &one, IdentityId::new(r.i64(4)?), state) {
                found.push(one);
            }
            Ok(true)
        },
    )?;
    match order {
        Order::SentAt => found.sort_by_key(|f| (f.send_at, f.id)),
        Order::Email => found.sort_by_key(|f| (f.email, f.id)),
        Order::Thread => found.sort_by_key(|f| (f.thread, f.id)),
    }
    if !is_ascending {
        found.reverse();
    }
    Ok(found)
}

fn fits(wanted: &Wanted, one: &Found, identity: IdentityId, state: SubmissionState) -> bool {
    let is_among = |list: &Option<Vec<_>>, id| list.as_ref().is_none_or(|list| list.contains(&id));
    is_among(&wanted.emails, one.email)
        && wanted.identities.as_ref().is_none_or(|list| list.contains(&identity))
        && wanted.threads.as_ref().is_none_or(|list| list.contains(&one.thread))
        && wanted.states.as_ref().is_none_or(|list| list.contains(&state))
}
