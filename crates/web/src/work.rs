//! Who handles what came to a shared account (S7.2b, Điều 7): assignments, notes within the account, who has it open.

use crate::{
    problem::{At, Problem},
    session::{Member, Visitor, body},
    state::{App, problem},
    work_view::{self, AssigneeList, AssignmentView, ConversationView, NoteView, PresentView, StandingView},
};
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use congvu_casework::assignment::{
    Activity, Assignee, Order, Progress, WorkFilter, add_note, assign, candidates, opened, present,
    set_progress, standings, work,
};
use congvu_directory::{Acting, act_for, right};
use congvu_storage::{Actor, Snapshot, Tx};
use congvu_types::{AccountId, Language, Result, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// Conversations asked for at once.
const MOST_CONVERSATIONS: usize = 200;
const MOST_WORK: usize = 200;

/// Which work.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkQuery {
    /// `mine` (the default), `overdue`, `open` or `done`.
    filter: Option<String>,
    /// At most this many, up to 200.
    limit: Option<usize>,
}

/// A list of work.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkList {
    work: Vec<AssignmentView>,
}

/// Which conversations.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ConversationsRequest {
    /// Their ids, at most 200.
    threads: Vec<String>,
}

/// How conversations stand.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationList {
    conversations: Vec<StandingView>,
}

/// Gives a conversation to a person or to a unit.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssignmentRequest {
    /// A person's id; or `unit`.
    person: Option<String>,
    /// A unit's code; or `person`.
    unit: Option<String>,
    /// What is to be done, up to 4000 characters.
    #[serde(default)]
    instruction: String,
    /// By when (RFC 3339).
    due_at: Option<String>,
    /// The version that was shown; 0 where nobody had it.
    version: u64,
}

/// Says how far it has come.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ProgressRequest {
    /// `assigned`, `inProgress` or `done`.
    progress: String,
    /// A word to it.
    #[serde(default)]
    comment: String,
    /// The version that was shown.
    version: u64,
}

/// A note.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NoteRequest {
    /// Up to 4000 characters.
    text: String,
}

/// What the person does with the conversation.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PresenceRequest {
    /// `reading`, `replying` or `gone`.
    activity: String,
}

/// Who else has it open.
#[derive(Serialize, ToSchema)]
pub(crate) struct PresentList {
    present: Vec<PresentView>,
}

/// An id, with or without the letter that JMAP puts before it.
fn id<T: FromStr<Err = congvu_types::IdError>>(text: &str, letter: char) -> Result<T, Problem> {
    text.strip_prefix(letter)
        .unwrap_or(text)
        .parse()
        .map_err(|e| Problem::malformed(format!("{text:?}: {e}")))
}

fn place((account, thread): &(String, String)) -> Result<(AccountId, ThreadId), Problem> {
    Ok((id(account, 'a')?, id(thread, 't')?))
}

fn word<T>(name: &str, text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
    read(text).ok_or_else(|| Problem::malformed(format!("{name} cannot be {text:?}")))
}

/// Reads for a person who may read the account.
async fn reading<T: Send + 'static>(
    app: &App,
    visitor: &Visitor,
    account: AccountId,
    read: impl Fn(&Snapshot, &Acting<right::Read>) -> Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let who = visitor.who.clone();
    let found = app.options.db.read(move |s| read(s, &act_for::<right::Read>(s, &who, account)?)).await;
    found.map_err(problem(visitor.language))
}

/// Writes for a person who may change what the account keeps.
async fn writing<T: Send + 'static>(
    app: &App,
    visitor: &Visitor,
    account: AccountId,
    write: impl Fn(&mut Tx, &Acting<right::Draft>) -> Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let who = visitor.who.clone();
    let written = app.options.db.write(Actor::Person(who.person()), move |tx| {
        let acting = act_for::<right::Draft>(tx, &who, account)?;
        write(tx, &acting)
    });
    written.await.map_err(problem(visitor.language))
}

/// Lists work on the accounts that the person reads; what is due first.
#[utoipa::path(get, operation_id = "listWork", path = "/api/v1/work", params(WorkQuery),
    responses((status = 200, body = WorkList), (status = 401, body = crate::problem::ProblemBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Member(visitor): Member,
    query: Result<Query<WorkQuery>, QueryRejection>,
) -> Result<Json<WorkList>, Problem> {
    let Query(query) = query.map_err(|r| Problem::unreadable(r.status(), r.body_text()))?;
    let filter = word("filter", query.filter.as_deref().unwrap_or("mine"), |name| match name {
        "mine" => Some(WorkFilter::Mine),
        "overdue" => Some(WorkFilter::Overdue),
        "open" => Some(WorkFilter::Open),
        "done" => Some(WorkFilter::Done),
        _ => None,
    })?;
    let limit = query.limit.unwrap_or(50).clamp(1, MOST_WORK);
    let (who, now) = (visitor.who, app.options.db.clock().now());
    let found = app.options.db.read(move |s| {
        let found = work(s, &who, filter, now, limit)?;
        let views = found.iter().map(|a| work_view::assignment(s, a, now)).collect::<Result<_>>()?;
        Ok(WorkList { work: views })
    });
    found.await.map(Json).map_err(problem(visitor.language))
}

/// Lists who conversations of an account may be given to.
#[utoipa::path(get, operation_id = "listAssignees", path = "/api/v1/accounts/{account}/assignees",
    params(("account" = String, Path)),
    responses((status = 200, body = AssigneeList), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn assignees(
    State(app): State<App>,
    Member(visitor): Member,
    At(account): At<String>,
) -> Result<Json<AssigneeList>, Problem> {
    let found = reading(&app, &visitor, id(&account, 'a')?, candidates).await?;
    Ok(Json(work_view::assignees(&found)))
}

/// Tells how conversations of a list stand.
#[utoipa::path(post, operation_id = "lookUpConversations", path = "/api/v1/accounts/{account}/conversations/look-up",
    params(("account" = String, Path)), request_body = ConversationsRequest,
    responses((status = 200, body = ConversationList), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn look_up(
    State(app): State<App>,
    Member(visitor): Member,
    At(account): At<String>,
    request: Result<Json<ConversationsRequest>, JsonRejection>,
) -> Result<Json<ConversationList>, Problem> {
    let request = body(request)?;
    if request.threads.len() > MOST_CONVERSATIONS {
        return Err(Problem::malformed(format!("at most {MOST_CONVERSATIONS} conversations at once")));
    }
    let threads = request.threads.iter().map(|t| id(t, 't')).collect::<Result<Vec<ThreadId>, Problem>>()?;
    let now = app.options.db.clock().now();
    let found = reading(&app, &visitor, id(&account, 'a')?, move |s, acting| {
        let found = standings(s, acting, &threads)?;
        found.iter().map(|standing| work_view::standing(s, standing, now)).collect()
    });
    Ok(Json(ConversationList { conversations: found.await? }))
}

/// Shows how one conversation stands: its steps, its notes, who has read what.
#[utoipa::path(get, operation_id = "openConversation", path = "/api/v1/accounts/{account}/conversations/{thread}",
    params(("account" = String, Path), ("thread" = String, Path)),
    responses((status = 200, body = ConversationView), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn open(
    State(app): State<App>,
    Member(visitor): Member,
    At(path): At<(String, String)>,
) -> Result<Json<ConversationView>, Problem> {
    let (account, thread) = place(&path)?;
    let now = app.options.db.clock().now();
    let found = reading(&app, &visitor, account, move |s, acting| {
        work_view::conversation(s, &opened(s, acting, thread)?, now)
    });
    found.await.map(Json)
}

/// Gives a conversation to somebody, or takes it.
#[utoipa::path(post, operation_id = "assignConversation",
    path = "/api/v1/accounts/{account}/conversations/{thread}/assignment",
    params(("account" = String, Path), ("thread" = String, Path)), request_body = AssignmentRequest,
    responses((status = 200, body = AssignmentView), (status = 409, body = crate::problem::ProblemBody)))]
pub(crate) async fn give(
    State(app): State<App>,
    Member(visitor): Member,
    At(path): At<(String, String)>,
    request: Result<Json<AssignmentRequest>, JsonRejection>,
) -> Result<Json<AssignmentView>, Problem> {
    let ((account, thread), request) = (place(&path)?, body(request)?);
    let order = order(request)?;
    let now = app.options.db.clock().now();
    let written = writing(&app, &visitor, account, move |tx, acting| {
        let given = assign(tx, acting, thread, &order)?;
        work_view::assignment(tx, &given, now)
    });
    written.await.map(Json)
}

fn order(request: AssignmentRequest) -> Result<Order, Problem> {
    let assignee = match (request.person, request.unit) {
        (Some(person), None) => Assignee::Person(id(&person, 'p')?),
        (None, Some(unit)) => Assignee::Unit(unit),
        _ => return Err(Problem::malformed("name a person or a unit".to_owned())),
    };
    let due_at = request.due_at.map(|text| {
        Timestamp::from_rfc3339(&text)
            .ok_or_else(|| Problem::malformed(format!("{text:?} is no instant (RFC 3339)")))
    });
    let (instruction, version) = (request.instruction, request.version);
    Ok(Order { assignee, instruction, due_at: due_at.transpose()?, version })
}

/// Says how far the handling has come.
#[utoipa::path(post, operation_id = "progressConversation",
    path = "/api/v1/accounts/{account}/conversations/{thread}/progress",
    params(("account" = String, Path), ("thread" = String, Path)), request_body = ProgressRequest,
    responses((status = 200, body = AssignmentView), (status = 409, body = crate::problem::ProblemBody)))]
pub(crate) async fn progress(
    State(app): State<App>,
    Member(visitor): Member,
    At(path): At<(String, String)>,
    request: Result<Json<ProgressRequest>, JsonRejection>,
) -> Result<Json<AssignmentView>, Problem> {
    let ((account, thread), request) = (place(&path)?, body(request)?);
    let how_far = word("progress", &request.progress, Progress::by_name)?;
    let now = app.options.db.clock().now();
    let written = writing(&app, &visitor, account, move |tx, acting| {
        let changed = set_progress(tx, acting, thread, how_far, &request.comment, request.version)?;
        work_view::assignment(tx, &changed, now)
    });
    written.await.map(Json)
}

/// Adds a note that stays within the account.
#[utoipa::path(post, operation_id = "noteConversation", path = "/api/v1/accounts/{account}/conversations/{thread}/notes",
    params(("account" = String, Path), ("thread" = String, Path)), request_body = NoteRequest,
    responses((status = 201, body = NoteView), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn note(
    State(app): State<App>,
    Member(visitor): Member,
    At(path): At<(String, String)>,
    request: Result<Json<NoteRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    let ((account, thread), request) = (place(&path)?, body(request)?);
    let written = writing(&app, &visitor, account, move |tx, acting| {
        add_note(tx, acting, thread, &request.text).map(|note| work_view::note(&note))
    });
    Ok((StatusCode::CREATED, Json(written.await?)))
}

/// Says what the person does with a conversation, every 20 seconds while they do; tells who else has it open.
#[utoipa::path(post, operation_id = "attendConversation",
    path = "/api/v1/accounts/{account}/conversations/{thread}/presence",
    params(("account" = String, Path), ("thread" = String, Path)), request_body = PresenceRequest,
    responses((status = 200, body = PresentList), (status = 404, body = crate::problem::ProblemBody)))]
pub(crate) async fn attend(
    State(app): State<App>,
    Member(visitor): Member,
    At(path): At<(String, String)>,
    request: Result<Json<PresenceRequest>, JsonRejection>,
) -> Result<Json<PresentList>, Problem> {
    let ((account, thread), request) = (place(&path)?, body(request)?);
    let activity = word("activity", &request.activity, Activity::by_name)?;
    let (who, language): (_, Language) = (visitor.who, visitor.language);
    let written = app.options.db.write(Actor::Person(who.person()), move |tx| {
        let acting = act_for::<right::Read>(tx, &who, account)?;
        present(tx, &acting, thread, activity)
    });
    let present = written.await.map_err(problem(language))?;
    Ok(Json(PresentList { present: present.into_iter().map(work_view::present).collect() }))
}
