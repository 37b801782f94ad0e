//! The order of changes of what an account sends: submissions, identities, the automatic answer.
//!
//! One number an account grows with every change of any of them; each kind remembers the number of its own last change,
//! which is its state (RFC 8620 §5.1). The account's row is locked last in a transaction, so that its order is the order of
//! commits and nobody waits for another crosswise.
//! INVARIANT: no two changes of an account have the same number, so that a list of changes can be cut anywhere (test:
//! `changes_can_be_cut_anywhere`).

use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, ModSeq, Result, Timestamp};

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Submission,
    Identity,
    Vacation,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Identity => "identity",
            Self::Vacation => "vacation",
        }
    }
}

/// Returns the place of an account's outgoing side in the change feed: no account has such an id, since ids are positive.
#[must_use]
pub const fn topic(account: AccountId) -> AccountId {
    AccountId::new(-account.get())
}

/// Takes the account's row and the next number for a change of `kind`; the feed tells of it after the commit.
pub(crate) fn next(tx: &mut Tx, account: AccountId, kind: Kind) -> Result<ModSeq> {
    let sql = match kind {
        Kind::Submission => {
            "INSERT INTO outgoing_state (account_id, seq, submission_modseq, identity_modseq, vacation_modseq, forgotten)
             VALUES (?1, 1, 1, 0, 0, 0) ON CONFLICT (account_id) DO UPDATE SET seq = outgoing_state.seq + 1,
                submission_modseq = outgoing_state.seq + 1 RETURNING seq"
        }
        Kind::Identity => {
            "INSERT INTO outgoing_state (account_id, seq, submission_modseq, identity_modseq, vacation_modseq, forgotten)
             VALUES (?1, 1, 0, 1, 0, 0) ON CONFLICT (account_id) DO UPDATE SET seq = outgoing_state.seq + 1,
                identity_modseq = outgoing_state.seq + 1 RETURNING seq"
        }
        Kind::Vacation => {
            "INSERT INTO outgoing_state (account_id, seq, submission_modseq, identity_modseq, vacation_modseq, forgotten)
             VALUES (?1, 1, 0, 0, 1, 0) ON CONFLICT (account_id) DO UPDATE SET seq = outgoing_state.seq + 1,
                vacation_modseq = outgoing_state.seq + 1 RETURNING seq"
        }
    };
    let seq = tx.query_one(sql, &params![account.get()], |r| Ok(ModSeq(r.u64(0)?)))?;
    tx.changed(topic(account), seq);
    Ok(seq)
}

/// The states of an account's outgoing side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutgoingStates {
    /// Of its submissions.
    pub submission: ModSeq,
    /// Of its identities.
    pub identity: ModSeq,
    /// Of its automatic answer.
    pub vacation: ModSeq,
}

/// Returns the states of an account's outgoing side, all zero when it was never used.
pub fn outgoing_states(snapshot: &Snapshot, account: AccountId) -> Result<OutgoingStates> {
    let found = snapshot.query_opt(
        "SELECT submission_modseq, identity_modseq, vacation_modseq FROM outgoing_state WHERE account_id = ?1",
        &params![account.get()],
        |r| {
            Ok(OutgoingStates {
                submission: ModSeq(r.u64(0)?),
                identity: ModSeq(r.u64(1)?),
                vacation: ModSeq(r.u64(2)?),
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Notes that something is gone, for who asks what changed.
pub(crate) fn bury(
    tx: &mut Tx,
    account: AccountId,
    kind: Kind,
    (id, created): (i64, ModSeq),
) -> Result<ModSeq> {
    let (modseq, now) = (next(tx, account, kind)?, tx.now());
    tx.execute(
        "INSERT INTO outgoing_gone (account_id, kind, modseq, id, created_modseq, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &params![account.get(), kind.as_str(), modseq.0, id, created.0, now],
    )?;
    Ok(modseq)
}

/// What changed since a state (RFC 8620 §5.2), as ids of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed<I> {
    /// What is new.
    pub created: Vec<I>,
    /// What is otherwise than it was.
    pub updated: Vec<I>,
    /// What is gone.
    pub destroyed: Vec<I>,
    /// The state after these changes.
    pub state: ModSeq,
    /// Whether there are more.
    pub has_more: bool,
}

/// What kind of change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Created,
    Updated,
    Destroyed,
}

/// One change: its number, of what.
struct Change {
    modseq: ModSeq,
    id: i64,
    what: What,
}

/// Returns up to `most` changes after `since`; `None` when they are not known any more (RFC 8620 §5.2:
/// `cannotCalculateChanges`).
pub(crate) fn changes<I>(
    snapshot: &Snapshot,
    account: AccountId,
    kind: Kind,
    (since, most): (ModSeq, usize),
    make: impl Fn(i64) -> I,
) -> Result<Option<Changed<I>>> {
    let states = outgoing_states(snapshot, account)?;
    let state = match kind {
        Kind::Submission => states.submission,
        Kind::Identity => states.identity,
        Kind::Vacation => states.vacation,
    };
    if since > state || since < forgotten(snapshot, account)? && since < state {
        return Ok(None);
    }
    // What is new counts from when it came: cut before its last change, it would else be told of as changed, and never as new.
    let mut all = alive(snapshot, (account, kind, What::Created), since, most + 1)?;
    all.extend(alive(snapshot, (account, kind, What::Updated), since, most + 1)?);
    all.extend(gone(snapshot, account, kind, since, most + 1)?);
    all.sort_by_key(|change| change.modseq);
    let has_more = all.len() > most;
    all.truncate(most);
    let last = all.last().map_or(since, |change| change.modseq);
    let mut changed = Changed {
        created: Vec::new(),
        updated: Vec::new(),
        destroyed: Vec::new(),
        state: if has_more { last } else { state },
        has_more,
    };
    for change in all {
        let list = match change.what {
            What::Created => &mut changed.created,
            What::Updated => &mut changed.updated,
            What::Destroyed => &mut changed.destroyed,
        };
        list.push(make(change.id));
    }
    Ok(Some(changed))
}

fn forgotten(snapshot: &Snapshot, account: AccountId) -> Result<ModSeq> {
    let sql = "SELECT forgotten FROM outgoing_state WHERE account_id = ?1";
    Ok(snapshot.query_opt(sql, &params![account.get()], |r| Ok(ModSeq(r.u64(0)?)))?.unwrap_or_default())
}

fn alive(
    snapshot: &Snapshot,
    (account, kind, what): (AccountId, Kind, What),
    since: ModSeq,
    most: usize,
) -> Result<Vec<Change>> {
    let sql = match (kind, what) {
        (Kind::Submission, What::Created) => {
            "SELECT created_modseq, id FROM submission WHERE account_id = ?1 AND created_modseq > ?2 AND hidden = 0
             ORDER BY created_modseq LIMIT ?3"
        }
        (Kind::Submission, _) => {
            "SELECT modseq, id FROM submission WHERE account_id = ?1 AND modseq > ?2 AND created_modseq <= ?2 AND hidden = 0
             ORDER BY modseq LIMIT ?3"
        }
        (Kind::Identity, What::Created) => {
            "SELECT created_modseq, id FROM identity WHERE account_id = ?1 AND created_modseq > ?2
             ORDER BY created_modseq LIMIT ?3"
        }
        (Kind::Identity, _) => {
            "SELECT modseq, id FROM identity WHERE account_id = ?1 AND modseq > ?2 AND created_modseq <= ?2
             ORDER BY modseq LIMIT ?3"
        }
        (Kind::Vacation, _) => return Ok(Vec::new()),
    };
    snapshot.query(sql, &params![account.get(), since.0, most], |r| {
        Ok(Change { modseq: ModSeq(r.u64(0)?), id: r.i64(1)?, what })
    })
}

/// RFC 8620 §5.2: what came and went since need not be told of.
fn gone(
    snapshot: &Snapshot,
    account: AccountId,
    kind: Kind,
    since: ModSeq,
    most: usize,
) -> Result<Vec<Change>> {
    snapshot.query(
        "SELECT modseq, id FROM outgoing_gone
         WHERE account_id = ?1 AND kind = ?2 AND modseq > ?3 AND created_modseq <= ?3 ORDER BY modseq LIMIT ?4",
        &params![account.get(), kind.as_str(), since.0, most],
        |r| Ok(Change { modseq: ModSeq(r.u64(0)?), id: r.i64(1)?, what: What::Destroyed }),
    )
}

/// Forgets up to `limit` things that went before `before`, and notes up to where. Returns how many.
pub(crate) fn forget_gone(tx: &mut Tx, before: Timestamp, limit: usize) -> Result<usize> {
    let old = tx.query(
        "SELECT account_id, kind, modseq FROM outgoing_gone WHERE at < ?1 ORDER BY at LIMIT ?2",
        &params![before, limit],
        |r| Ok((r.i64(0)?, r.text(1)?, r.i64(2)?)),
    )?;
    for (account, kind, modseq) in &old {
        tx.execute(
            "DELETE FROM outgoing_gone WHERE account_id = ?1 AND kind = ?2 AND modseq = ?3",
            &params![*account, kind, *modseq],
        )?;
        tx.execute(
            "UPDATE outgoing_state SET forgotten = ?2 WHERE account_id = ?1 AND forgotten < ?2",
            &params![*account, *modseq],
        )?;
    }
    Ok(old.len())
}
