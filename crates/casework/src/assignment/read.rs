//! Reading assignments: of the conversations that a list shows, of one, and of a person.

use super::{Assignee, Note, Progress};
use congvu_directory::{Acting, SignedIn, accounts_of, person, right};
use congvu_mail::thread_emails;
use congvu_storage::{Row, Snapshot, Value, params};
use congvu_types::{AccountId, EmailId, Error, NoteId, PersonId, RefusalKind, Result, ThreadId, Timestamp};
use std::collections::HashSet;

/// Lists are read in pages of at most this many.
const MOST: usize = 500;
/// Readers of a message that are told.
const MOST_READERS: usize = 100;

/// What somebody is to do about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The account.
    pub account: AccountId,
    /// The conversation.
    pub thread: ThreadId,
    /// What it was about when it was given.
    pub subject: String,
    /// Who handles it.
    pub assignee: Assignee,
    /// Their name then.
    pub assignee_name: String,
    /// What is to be done.
    pub instruction: String,
    /// By when.
    pub due_at: Option<Timestamp>,
    /// How far it has come.
    pub progress: Progress,
    /// Who gave it.
    pub given_by: PersonId,
    /// Their name then.
    pub given_by_name: String,
    /// When.
    pub given_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Grows with every change.
    pub version: u64,
}

impl Assignment {
    /// Returns whether it is late at an instant.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.progress != Progress::Done && self.due_at.is_some_and(|due| due < now)
    }
}

/// One step of the handling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentStep {
    /// When.
    pub at: Timestamp,
    /// Who, by their name then.
    pub person_name: String,
    /// What: the word of a [`Progress`].
    pub step: String,
    /// To whom it was given; empty else.
    pub to_name: String,
    /// What they said.
    pub comment: String,
}

/// How a conversation of a list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub thread: ThreadId,
    /// Who handles it.
    pub assignment: Option<Assignment>,
    /// How many notes it has.
    pub notes: u64,
    /// Who has read any message of it, and when first.
    pub readers: Vec<(PersonId, String, Timestamp)>,
}

/// Which assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkFilter {
    /// Given to the person or their unit, and not done.
    Mine,
    /// Late, on every account that the person reads.
    Overdue,
    /// Not done.
    Open,
    /// Done.
    Done,
}

fn row(r: &Row<'_>) -> Result<Assignment> {
    let progress = r.text(8)?;
    let (person, unit) = (r.opt_i64(3)?.map(PersonId::new), r.opt_text(4)?);
    let assignee = person.map(Assignee::Person).or(unit.map(Assignee::Unit));
    Ok(Assignment {
        account: AccountId::new(r.i64(0)?),
        thread: ThreadId::new(r.i64(1)?),
        subject: r.text(2)?,
        assignee: assignee.ok_or_else(|| Error::fault("reading an assignment", "nobody has it"))?,
        assignee_name: r.text(5)?,
        instruction: r.text(6)?,
        due_at: r.opt_i64(7)?.map(Timestamp),
        progress: Progress::by_name(&progress)
            .ok_or_else(|| Error::fault("reading an assignment", progress))?,
        given_by: PersonId::new(r.i64(9)?),
        given_by_name: r.text(10)?,
        given_at: Timestamp(r.i64(11)?),
        changed_at: Timestamp(r.i64(12)?),
        version: r.u64(13)?,
    })
}

pub(super) fn get(snapshot: &Snapshot, account: AccountId, thread: ThreadId) -> Result<Option<Assignment>> {
    snapshot.query_opt(
        "SELECT account_id, thread_id, subject, assignee_id, assignee_unit, assignee_name, instruction, due_at, progress,
            given_by_id, given_by_name, given_at, changed_at, version
         FROM assignment WHERE account_id = ?1 AND thread_id = ?2",
        &params![account.get(), thread.get()],
        row,
    )
}

/// The subject of a conversation's newest message; no conversation, nothing to handle.
pub(super) fn subject(snapshot: &Snapshot, acting: &Acting<right::Read>, thread: ThreadId) -> Result<String> {
    let emails = thread_emails(snapshot, acting, thread)?;
    let newest = emails.last().copied().ok_or(RefusalKind::NotFound)?;
    let row = congvu_mail::emails(snapshot, acting, &[newest])?.pop();
    Ok(row.ok_or(RefusalKind::NotFound)?.subject)
}

/// Returns how the conversations of a list stand. The caller bounds how many it asks for.
pub fn standings(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    threads: &[ThreadId],
) -> Result<Vec<Standing>> {
    let account = acting.account();
    let mut found = Vec::with_capacity(threads.len());
    for thread in threads {
        let key = params![account.get(), thread.get(), MOST_READERS];
        let notes = snapshot.query_one(
            "SELECT COUNT(*) FROM note WHERE account_id = ?1 AND thread_id = ?2",
            &params![account.get(), thread.get()],
            |r| r.u64(0),
        )?;
        let readers = snapshot.query(
            "SELECT r.person_id, p.name, MIN(r.read_at) AS first FROM email e
             JOIN email_read r ON r.account_id = e.account_id AND r.email_id = e.id
             JOIN person p ON p.id = r.person_id
             WHERE e.account_id = ?1 AND e.thread_id = ?2 GROUP BY r.person_id, p.name ORDER BY first LIMIT ?3",
            &key,
            |r| Ok((PersonId::new(r.i64(0)?), r.text(1)?, Timestamp(r.i64(2)?))),
        )?;
        let assignment = get(snapshot, account, *thread)?;
        found.push(Standing { thread: *thread, assignment, notes, readers });
    }
    Ok(found)
}

/// Returns one conversation's standing, its steps and its notes, the oldest first, and who has read which message.
#[expect(clippy::type_complexity, reason = "four lists that one page shows")]
pub fn opened(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    thread: ThreadId,
) -> Result<(Standing, Vec<AssignmentStep>, Vec<Note>, Vec<(EmailId, PersonId, Timestamp)>)> {
    let standing = standings(snapshot, acting, &[thread])?.pop().ok_or(RefusalKind::NotFound)?;
    let key = params![acting.account().get(), thread.get(), MOST];
    let steps = snapshot.query(
        "SELECT at, person_name, step, to_name, comment FROM assignment_step
         WHERE account_id = ?1 AND thread_id = ?2 ORDER BY id LIMIT ?3",
        &key,
        |r| {
            let (at, person_name) = (Timestamp(r.i64(0)?), r.text(1)?);
            Ok(AssignmentStep { at, person_name, step: r.text(2)?, to_name: r.text(3)?, comment: r.text(4)? })
        },
    )?;
    let notes = snapshot.query(
        "SELECT id, at, author_id, author_name, text FROM note
         WHERE account_id = ?1 AND thread_id = ?2 ORDER BY id LIMIT ?3",
        &key,
        |r| {
            let (id, at, author) = (NoteId::new(r.i64(0)?), Timestamp(r.i64(1)?), PersonId::new(r.i64(2)?));
            Ok(Note { id, at, author, author_name: r.text(3)?, text: r.text(4)? })
        },
    )?;
    let readings = snapshot.query(
        "SELECT r.email_id, r.person_id, r.read_at FROM email e
         JOIN email_read r ON r.account_id = e.account_id AND r.email_id = e.id
         WHERE e.account_id = ?1 AND e.thread_id = ?2 ORDER BY r.read_at LIMIT ?3",
        &key,
        |r| Ok((EmailId::new(r.i64(0)?), PersonId::new(r.i64(1)?), Timestamp(r.i64(2)?))),
    )?;
    Ok((standing, steps, notes, readings))
}

const MINE: &str = "SELECT account_id, thread_id, subject, assignee_id, assignee_unit, assignee_name, instruction, due_at,
        progress, given_by_id, given_by_name, given_at, changed_at, version
     FROM assignment WHERE (assignee_id = ?1 OR (agency_id = ?2 AND assignee_unit = ?3)) AND progress <> 'done'
     ORDER BY CASE WHEN due_at IS NULL THEN 1 ELSE 0 END, due_at, thread_id LIMIT ?4";
const OVERDUE: &str = "SELECT account_id, thread_id, subject, assignee_id, assignee_unit, assignee_name, instruction, due_at,
        progress, given_by_id, given_by_name, given_at, changed_at, version
     FROM assignment WHERE account_id = ?1 AND progress <> 'done' AND due_at < ?2 ORDER BY due_at, thread_id LIMIT ?3";
const OPEN: &str =
    "SELECT account_id, thread_id, subject, assignee_id, assignee_unit, assignee_name, instruction, due_at,
        progress, given_by_id, given_by_name, given_at, changed_at, version
     FROM assignment WHERE account_id = ?1 AND progress <> 'done'
     ORDER BY CASE WHEN due_at IS NULL THEN 1 ELSE 0 END, due_at, thread_id LIMIT ?2";
const DONE: &str = "SELECT account_id, thread_id, subject, assignee_id, assignee_unit, assignee_name, instruction, due_at,
        progress, given_by_id, given_by_name, given_at, changed_at, version
     FROM assignment WHERE account_id = ?1 AND progress = 'done' ORDER BY changed_at DESC, thread_id LIMIT ?2";

/// Returns the work on the accounts that a person reads: what is due first; of what is done, the newest first.
pub fn work(
    snapshot: &Snapshot,
    who: &SignedIn,
    filter: WorkFilter,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Assignment>> {
    let limit = limit.min(MOST);
    let readable: Vec<AccountId> = accounts_of(snapshot, who)?
        .into_iter()
        .filter(|a| a.rights.has(congvu_directory::RightKind::Read))
        .map(|a| a.account.id)
        .collect();
    let mut found = Vec::new();
    for account in &readable {
        let key = params![account.get(), limit];
        found.extend(match filter {
            WorkFilter::Mine => return mine(snapshot, who, &readable, limit),
            WorkFilter::Overdue => snapshot.query(OVERDUE, &params![account.get(), now, limit], row)?,
            WorkFilter::Open => snapshot.query(OPEN, &key, row)?,
            WorkFilter::Done => snapshot.query(DONE, &key, row)?,
        });
    }
    match filter {
        WorkFilter::Done => found.sort_by_key(|a| std::cmp::Reverse(a.changed_at)),
        _ => found.sort_by_key(|a| (a.due_at.is_none(), a.due_at, a.thread)),
    }
    found.truncate(limit);
    Ok(found)
}

fn mine(
    snapshot: &Snapshot,
    who: &SignedIn,
    readable: &[AccountId],
    limit: usize,
) -> Result<Vec<Assignment>> {
    let unit = person(snapshot, who.person())?.and_then(|p| p.unit);
    let key = [
        Value::from(who.person().get()),
        Value::from(who.agency().get()),
        Value::from(unit.unwrap_or_default()),
        Value::from(MOST),
    ];
    let readable: HashSet<&AccountId> = readable.iter().collect();
    let mut found = snapshot.query(MINE, &key, row)?;
    found.retain(|a| readable.contains(&a.account));
    found.truncate(limit);
    Ok(found)
}

/// Returns how many assignments a person or their unit has to do; counted to a few hundred.
pub fn open_count(snapshot: &Snapshot, who: &SignedIn, now: Timestamp) -> Result<usize> {
    Ok(work(snapshot, who, WorkFilter::Mine, now, MOST)?.len())
}
