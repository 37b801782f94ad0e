//! Giving a conversation to somebody, and saying how far it has come.

use super::{
    Progress,
    read::{self, Assignment},
};
use congvu_directory::{Acting, PersonRow, UnitRow, person, right, unit, units, users_of};
use congvu_storage::{Chain, Event, Snapshot, Tx, params};
use congvu_types::{PersonId, Refusal, RefusalKind, Result, ThreadId, Timestamp};

/// No instruction or comment is longer, in characters.
const LONGEST_TEXT: usize = 4_000;

/// Who is to handle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// One person who may use the account.
    Person(PersonId),
    /// A unit of the agency, by its code.
    Unit(String),
}

/// What is asked of whoever handles it (phiếu chuyển).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub assignee: Assignee,
    /// What is to be done; may be empty.
    pub instruction: String,
    /// By when.
    pub due_at: Option<Timestamp>,
    /// The version that whoever gives the order saw; 0 when it was new.
    pub version: u64,
}

/// Gives a conversation to a person or a unit. One may take it oneself, or for one's unit, with the right to draft; giving it
/// to others needs the right to manage the account (S7.2b, Điều 7).
pub fn assign(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    thread: ThreadId,
    order: &Order,
) -> Result<Assignment> {
    congvu_mail::touch(tx, acting.account())?;
    let reading = acting.with::<right::Read>().ok_or(RefusalKind::NoRight)?;
    let subject = read::subject(tx, &reading, thread)?;
    let before = read::get(tx, acting.account(), thread)?;
    if before.as_ref().map_or(0, |b| b.version) != order.version {
        return Err(RefusalKind::Changed.into());
    }
    let named = named(tx, acting, &order.assignee)?;
    if !named.is_own && acting.with::<right::Manage>().is_none() {
        return Err(RefusalKind::NoRight.into());
    }
    let instruction = text(&order.instruction)?;
    tx.execute(
        "INSERT INTO assignment (account_id, thread_id, agency_id, subject, assignee_id, assignee_unit, assignee_name,
            instruction, due_at, progress, given_by_id, given_by_name, given_at, changed_at, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'assigned', ?10, ?11, ?12, ?12, 1)
         ON CONFLICT (account_id, thread_id) DO UPDATE SET subject = ?4, assignee_id = ?5, assignee_unit = ?6,
            assignee_name = ?7, instruction = ?8, due_at = ?9, progress = 'assigned', given_by_id = ?10,
            given_by_name = ?11, given_at = ?12, changed_at = ?12, version = assignment.version + 1",
        &params![
            acting.account().get(),
            thread.get(),
            acting.agency().get(),
            subject,
            named.person.map(PersonId::get),
            named.unit.clone(),
            named.name.as_str(),
            instruction,
            order.due_at,
            acting.person().get(),
            acting.person_name(),
            tx.now()
        ],
    )?;
    record(tx, acting, thread, "assignment.given", ("assigned", &named.name, instruction))?;
    read::get(tx, acting.account(), thread)?.ok_or_else(|| RefusalKind::NotFound.into())
}

/// Says how far the handling has come. By whom it is given to, one of the unit it is given to, or who manages the account.
pub fn set_progress(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    thread: ThreadId,
    progress: Progress,
    comment: &str,
    version: u64,
) -> Result<Assignment> {
    congvu_mail::touch(tx, acting.account())?;
    let found = read::get(tx, acting.account(), thread)?.ok_or(RefusalKind::NotFound)?;
    if found.version != version {
        return Err(RefusalKind::Changed.into());
    }
    let is_theirs = match &found.assignee {
        Assignee::Person(person) => *person == acting.person(),
        Assignee::Unit(unit) => own_unit(tx, acting)?.as_ref() == Some(unit),
    };
    if !is_theirs && acting.with::<right::Manage>().is_none() {
        return Err(RefusalKind::NoRight.into());
    }
    let comment = text(comment)?;
    tx.execute(
        "UPDATE assignment SET progress = ?3, changed_at = ?4, version = version + 1
         WHERE account_id = ?1 AND thread_id = ?2",
        &params![acting.account().get(), thread.get(), progress.as_str(), tx.now()],
    )?;
    record(tx, acting, thread, "assignment.progressed", (progress.as_str(), "", comment))?;
    read::get(tx, acting.account(), thread)?.ok_or_else(|| RefusalKind::NotFound.into())
}

/// Returns who a conversation of an account may be given to: the people who may use it, and the units of its agency.
pub fn candidates(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
) -> Result<(Vec<PersonRow>, Vec<UnitRow>)> {
    Ok((users_of(snapshot, acting.account())?, units(snapshot, acting.agency())?))
}

/// Somebody who handles, with the name as it is now.
struct Named {
    person: Option<PersonId>,
    unit: Option<String>,
    name: String,
    /// Whether it is whoever gives the order, or their unit.
    is_own: bool,
}

fn named(tx: &Tx, acting: &Acting<right::Draft>, assignee: &Assignee) -> Result<Named> {
    let invalid = || Refusal::new(RefusalKind::InvalidValue).with("key", "assignee");
    match assignee {
        Assignee::Person(id) => {
            let users = users_of(tx, acting.account())?;
            let found = users.into_iter().find(|p| p.id == *id);
            let found = found.ok_or_else(|| invalid().with("value", id))?;
            let is_own = *id == acting.person();
            Ok(Named { person: Some(*id), unit: None, name: found.name, is_own })
        }
        Assignee::Unit(code) => {
            let found = unit(tx, acting.agency(), code)?.ok_or_else(|| invalid().with("value", code))?;
            let is_own = own_unit(tx, acting)?.as_ref() == Some(code);
            Ok(Named { person: None, unit: Some(found.code), name: found.name, is_own })
        }
    }
}

/// The unit of whoever acts, in the account's agency.
fn own_unit(tx: &Tx, acting: &Acting<right::Draft>) -> Result<Option<String>> {
    let found = person(tx, acting.person())?;
    Ok(found.filter(|p| p.agency == acting.agency()).and_then(|p| p.unit))
}

pub(super) fn text(text: &str) -> Result<&str> {
    let text = text.trim();
    if text.chars().count() > LONGEST_TEXT { Err(RefusalKind::TooLarge.into()) } else { Ok(text) }
}

/// Notes a step in the history, and that it was taken in the account's chain.
fn record(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    thread: ThreadId,
    name: &'static str,
    (step, to, comment): (&str, &str, &str),
) -> Result<()> {
    let id = tx.new_id();
    tx.execute(
        "INSERT INTO assignment_step (account_id, thread_id, id, at, person_id, person_name, step, to_name, comment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &params![
            acting.account().get(),
            thread.get(),
            id,
            tx.now(),
            acting.person().get(),
            acting.person_name(),
            step,
            to,
            comment
        ],
    )?;
    let details = serde_json::json!({ "step": step, "to": to });
    let event = Event { name, subject: thread.to_string(), citation: None, details };
    tx.record(Chain::Account(acting.account()), &event)
}
