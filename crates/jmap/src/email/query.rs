//! `Email/query` and `Email/queryChanges` (RFC 8621 §4.4, §4.5).

use super::{
    condition,
    searching::{self, MOST_LISTED, Piece, Searched},
};
use crate::{
    arguments::Arguments,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::MethodError,
    filter::{self, Filter},
    ids::Id,
    state,
    window::Window,
};
use congvu_directory::{Acting, right};
use congvu_mail::{EmailFilter, EmailHit, EmailQuery, EmailResults, Window as Part};
use congvu_storage::Snapshot;
use congvu_types::{AccountId, EmailId, Error, RefusalKind, ThreadId};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Places of a list that `Email/queryChanges` looks through.
const LOOKED_AT: usize = 5_000;
/// Changes that `Email/queryChanges` puts into a list.
const MOST_CHANGES: usize = 500;

/// Which list is meant.
struct List {
    filter: EmailFilter,
    sort: Vec<congvu_mail::EmailSort>,
    collapse_threads: bool,
}

fn list(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    filter: Filter<Piece>,
    arguments: &mut Arguments,
) -> Outcome<List> {
    let names = congvu_mail::keywords(snapshot, acting.account())?;
    let filter = searching::core(filter, &names)?;
    let sort = filter::sort(arguments.take("sort"))?;
    let sort = sort.iter().map(|one| condition::sort(one, &names)).collect::<Outcome<Vec<_>>>()?;
    let collapse_threads = arguments.flag("collapseThreads")?;
    Ok(List { filter, sort, collapse_threads })
}

/// A list of which it can be told what changed: what holds some words is not read off the rows that changed.
fn list_without_text(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    arguments: &mut Arguments,
) -> Outcome<List> {
    let filter = searching::read(arguments.object("filter")?)?;
    match searching::asks_for_text(&filter) {
        true => Err("cannotCalculateChanges".into()),
        false => list(snapshot, acting, filter, arguments),
    }
}

/// Asks the store. A list that is too long to be sorted is refused by its order (RFC 8620 §5.5).
fn ask(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    query: &EmailQuery,
) -> Outcome<Option<EmailResults>> {
    congvu_mail::query_emails(snapshot, acting, query).map_err(|error| match error {
        Error::Refused(refusal) if refusal.kind == RefusalKind::TooMany => "unsupportedSort".into(),
        other => other.into(),
    })
}

/// `Email/query`
pub(crate) fn query(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let caller = context.caller.clone();
    let acting = context.read(move |s| caller.acting::<right::Read>(s, account)).await?;
    let filter = searching::read(arguments.object("filter")?)?;
    let searched = searching::look_up(context, &acting, filter, MOST_LISTED).await?;
    let caller = context.caller.clone();
    context
        .read(move |snapshot| told(snapshot, &caller, account, searched, arguments))
        .await
        .map(Answer::from)
}

fn told(
    snapshot: &Snapshot,
    caller: &Caller,
    account: AccountId,
    searched: Searched,
    mut arguments: Arguments,
) -> Outcome {
    let acting = caller.acting::<right::Read>(snapshot, account)?;
    let window = Window::take(&mut arguments)?;
    let list = list(snapshot, &acting, searched.filter, &mut arguments)?;
    let part = match &window.anchor {
        None => Part::Position(window.position),
        Some(anchor) => {
            let anchor = EmailId::read(anchor).ok_or("anchorNotFound")?;
            Part::Anchor(anchor, window.anchor_offset)
        }
    };
    let is_searched = searched.order.is_some();
    let query = EmailQuery {
        filter: list.filter,
        sort: list.sort,
        collapse_threads: list.collapse_threads,
        window: part,
        limit: window.limit,
        wants_total: window.wants_total,
    };
    let found = match searched.order {
        // Without an order of the client's, what is written just as it was asked for comes first (RFC 8620 §5.5).
        Some(order) if query.sort.is_empty() => ranked(snapshot, &acting, query, &order)?,
        _ => ask(snapshot, &acting, &query)?,
    };
    let found = found.ok_or("anchorNotFound")?;
    let ids: Vec<String> = found.hits.iter().map(|hit| hit.email.text()).collect();
    let is_full = ids.len() == window.limit;
    let mut told = json!({
        "accountId": acting.account().text(),
        "queryState": state::emails(congvu_mail::state(snapshot, acting.account())?),
        "canCalculateChanges": !is_searched,
        "position": found.position,
        "ids": ids,
    });
    if let Value::Object(told) = &mut told {
        if let Some(total) = found.total.filter(|_| window.wants_total) {
            told.insert("total".to_owned(), total.into());
        }
        if window.is_limit_ours && is_full {
            told.insert("limit".to_owned(), window.limit.into());
        }
    }
    Ok(told)
}

/// A part of a list in the order that a search gave.
fn ranked(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    query: EmailQuery,
    order: &[EmailId],
) -> Outcome<Option<EmailResults>> {
    let (part, limit, collapse) = (query.window, query.limit, query.collapse_threads);
    let all = EmailQuery {
        window: Part::Position(0),
        limit: order.len(),
        collapse_threads: false,
        wants_total: false,
        ..query
    };
    let Some(EmailResults { mut hits, .. }) = ask(snapshot, acting, &all)? else { return Ok(None) };
    let ranks: HashMap<EmailId, usize> = order.iter().enumerate().map(|(at, email)| (*email, at)).collect();
    hits.sort_by_key(|hit| ranks.get(&hit.email).copied());
    if collapse {
        let mut seen = BTreeSet::new();
        hits.retain(|hit| seen.insert(hit.thread));
    }
    let place = |at: i64| usize::try_from(at.max(0)).unwrap_or(usize::MAX);
    let length = i64::try_from(hits.len()).unwrap_or(i64::MAX);
    let position = match part {
        Part::Position(at) if at < 0 => place(length.saturating_add(at)),
        Part::Position(at) => place(at),
        Part::Anchor(anchor, offset) => {
            let Some(at) = hits.iter().position(|hit| hit.email == anchor) else { return Ok(None) };
            place(i64::try_from(at).unwrap_or(i64::MAX).saturating_add(offset))
        }
    };
    let total = Some(hits.len() as u64);
    let hits: Vec<EmailHit> = hits.into_iter().skip(position).take(limit).collect();
    Ok(Some(EmailResults { position, hits, total }))
}

/// `Email/queryChanges`: everything that changed is taken out, and what is in the list put in again, as long as that lies
/// within the first thousands of the list.
pub(crate) fn query_changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let text = arguments.needed_text("sinceQueryState")?;
    let most = most_changes(&mut arguments)?;
    let up_to = arguments.text("upToId")?.and_then(|id| EmailId::read(&id));
    let wants_total = arguments.flag("calculateTotal")?;
    let list = list_without_text(snapshot, &acting, &mut arguments)?;
    let since = state::read(&text).ok_or("cannotCalculateChanges")?;
    let changes = congvu_mail::email_changes(snapshot, &acting, since, MOST_CHANGES)?;
    let changes = changes.filter(|c| !c.has_more).ok_or("cannotCalculateChanges")?;
    let mut removed: BTreeSet<EmailId> = changes.updated.iter().chain(&changes.destroyed).copied().collect();
    let mut touched: BTreeSet<EmailId> = changes.created.iter().chain(&changes.updated).copied().collect();
    let is_changed = !touched.is_empty() || !removed.is_empty();
    let (mut added, mut total) = (Vec::new(), None);
    if is_changed || wants_total {
        let collapse_threads = list.collapse_threads;
        let query = EmailQuery {
            filter: list.filter,
            sort: list.sort,
            collapse_threads,
            window: Part::Position(0),
            limit: LOOKED_AT,
            wants_total,
        };
        let now = ask(snapshot, &acting, &query)?.ok_or("cannotCalculateChanges")?;
        if collapse_threads {
            // Of a conversation another message may stand in the list now.
            with_threads(snapshot, &acting, since, &mut touched, &mut removed)?;
        }
        let is_whole = now.hits.len() < LOOKED_AT;
        let places: HashMap<EmailId, usize> =
            now.hits.iter().enumerate().map(|(at, h)| (h.email, at)).collect();
        let end = up_to.and_then(|id| places.get(&id)).copied();
        for email in &touched {
            match places.get(email) {
                Some(at) if end.is_none_or(|end| *at <= end) => added.push((*at, *email)),
                Some(_) => {}
                None if is_whole => {}
                // It may stand further down.
                None => return Err("cannotCalculateChanges".into()),
            }
        }
        added.sort_unstable();
        total = now.total.filter(|_| wants_total);
    }
    removed.extend(added.iter().map(|(_, email)| *email));
    if removed.len() + added.len() > most.max(1) {
        return Err("tooManyChanges".into());
    }
    let mut told = json!({
        "accountId": acting.account().text(),
        "oldQueryState": text,
        "newQueryState": state::emails(congvu_mail::state(snapshot, acting.account())?),
        "removed": removed.into_iter().map(Id::text).collect::<Vec<_>>(),
        "added": added.iter().map(|(at, id)| json!({ "id": id.text(), "index": at })).collect::<Vec<_>>(),
    });
    if let (Value::Object(told), Some(total)) = (&mut told, total) {
        told.insert("total".to_owned(), total.into());
    }
    Ok(told)
}

fn most_changes(arguments: &mut Arguments) -> Outcome<usize> {
    match arguments.unsigned("maxChanges")? {
        Some(0) => Err(MethodError::arguments("maxChanges is more than 0").into()),
        Some(most) => Ok(usize::try_from(most).unwrap_or(MOST_CHANGES)),
        None => Ok(MOST_CHANGES),
    }
}

/// Adds all messages of the conversations that changed.
fn with_threads(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    since: congvu_mail::Since,
    touched: &mut BTreeSet<EmailId>,
    removed: &mut BTreeSet<EmailId>,
) -> Outcome<()> {
    let ids: Vec<EmailId> = touched.iter().copied().collect();
    let mut threads: BTreeSet<ThreadId> =
        congvu_mail::emails(snapshot, acting, &ids)?.into_iter().map(|row| row.thread).collect();
    let gone = congvu_mail::thread_changes(snapshot, acting, since, MOST_CHANGES)?;
    threads.extend(gone.ok_or("cannotCalculateChanges")?.updated);
    for thread in threads {
        let emails = congvu_mail::thread_emails(snapshot, acting, thread)?;
        removed.extend(&emails);
        touched.extend(emails);
        if touched.len() > LOOKED_AT {
            return Err("cannotCalculateChanges".into());
        }
    }
    Ok(())
}
