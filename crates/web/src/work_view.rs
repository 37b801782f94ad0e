//! Assignments, notes and readers as the interface shows them.

use congvu_casework::assignment::{Assignee, Assignment, AssignmentStep, Note, Present, Standing};
use congvu_directory::{PersonRow, UnitRow, account};
use congvu_storage::Snapshot;
use congvu_types::{EmailId, PersonId, Result, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Somebody who handles a conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssigneeView {
    /// The person's id, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    /// The unit's code, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    name: String,
    /// A person's position.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

/// Who conversations may be given to.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssigneeList {
    people: Vec<AssigneeView>,
    units: Vec<AssigneeView>,
}

/// What somebody is to do about a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssignmentView {
    account_id: String,
    /// The account's address.
    account: String,
    /// The conversation, as JMAP names it.
    thread: String,
    subject: String,
    assignee: AssigneeView,
    instruction: String,
    due_at: Option<String>,
    is_overdue: bool,
    /// `assigned`, `inProgress` or `done`.
    progress: String,
    given_by: String,
    given_at: String,
    changed_at: String,
    version: u64,
}

/// Who has read, and when first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReaderView {
    name: String,
    at: String,
}

/// How a conversation of a list stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct StandingView {
    thread: String,
    assignment: Option<AssignmentView>,
    /// How many notes it has.
    notes: u64,
    readers: Vec<ReaderView>,
}

/// A step of the handling.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkStepView {
    at: String,
    by: String,
    /// `assigned`, `inProgress` or `done`.
    step: String,
    /// To whom it was given.
    to: String,
    comment: String,
}

/// A note that stays within the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct NoteView {
    id: String,
    at: String,
    author: String,
    text: String,
}

/// A reading of one message.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadingView {
    /// The message, as JMAP names it.
    email: String,
    name: String,
    at: String,
}

/// A conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationView {
    #[serde(flatten)]
    standing: StandingView,
    /// The oldest first.
    steps: Vec<WorkStepView>,
    /// The oldest first.
    note_list: Vec<NoteView>,
    readings: Vec<ReadingView>,
}

/// Somebody who has it open.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PresentView {
    name: String,
    is_replying: bool,
}

pub(crate) fn assignees((people, units): &(Vec<PersonRow>, Vec<UnitRow>)) -> AssigneeList {
    let person = |p: &PersonRow| AssigneeView {
        person: Some(p.id.to_string()),
        unit: None,
        name: p.name.clone(),
        position: p.position.clone(),
    };
    let unit = |u: &UnitRow| AssigneeView {
        person: None,
        unit: Some(u.code.clone()),
        name: u.name.clone(),
        position: None,
    };
    AssigneeList { people: people.iter().map(person).collect(), units: units.iter().map(unit).collect() }
}

pub(crate) fn assignment(snapshot: &Snapshot, given: &Assignment, now: Timestamp) -> Result<AssignmentView> {
    let (person, unit) = match &given.assignee {
        Assignee::Person(id) => (Some(id.to_string()), None),
        Assignee::Unit(code) => (None, Some(code.clone())),
    };
    Ok(AssignmentView {
        account_id: given.account.to_string(),
        account: account(snapshot, given.account)?.address.to_string(),
        thread: format!("t{}", given.thread),
        subject: given.subject.clone(),
        assignee: AssigneeView { person, unit, name: given.assignee_name.clone(), position: None },
        instruction: given.instruction.clone(),
        due_at: given.due_at.map(|at| at.rfc3339()),
        is_overdue: given.is_overdue(now),
        progress: given.progress.as_str().to_owned(),
        given_by: given.given_by_name.clone(),
        given_at: given.given_at.rfc3339(),
        changed_at: given.changed_at.rfc3339(),
        version: given.version,
    })
}

pub(crate) fn standing(snapshot: &Snapshot, standing: &Standing, now: Timestamp) -> Result<StandingView> {
    Ok(StandingView {
        thread: format!("t{}", standing.thread),
        assignment: standing.assignment.as_ref().map(|a| assignment(snapshot, a, now)).transpose()?,
        notes: standing.notes,
        readers: standing
            .readers
            .iter()
            .map(|(_, name, at)| ReaderView { name: name.clone(), at: at.rfc3339() })
            .collect(),
    })
}

pub(crate) fn note(note: &Note) -> NoteView {
    NoteView {
        id: note.id.to_string(),
        at: note.at.rfc3339(),
        author: note.author_name.clone(),
        text: note.text.clone(),
    }
}

fn step(step: &AssignmentStep) -> WorkStepView {
    WorkStepView {
        at: step.at.rfc3339(),
        by: step.person_name.clone(),
        step: step.step.clone(),
        to: step.to_name.clone(),
        comment: step.comment.clone(),
    }
}

/// What a page of one conversation shows.
type Opened = (Standing, Vec<AssignmentStep>, Vec<Note>, Vec<(EmailId, PersonId, Timestamp)>);

pub(crate) fn conversation(snapshot: &Snapshot, opened: &Opened, now: Timestamp) -> Result<ConversationView> {
    let (found, steps, notes, readings) = opened;
    let name = |person: &PersonId| {
        found
            .readers
            .iter()
            .find(|(id, ..)| id == person)
            .map(|(_, name, _)| name.clone())
            .unwrap_or_default()
    };
    Ok(ConversationView {
        standing: standing(snapshot, found, now)?,
        steps: steps.iter().map(step).collect(),
        note_list: notes.iter().map(note).collect(),
        readings: readings
            .iter()
            .map(|(email, person, at)| ReadingView {
                email: format!("e{email}"),
                name: name(person),
                at: at.rfc3339(),
            })
            .collect(),
    })
}

pub(crate) fn present(present: Present) -> PresentView {
    PresentView { name: present.name, is_replying: present.is_replying }
}
