//! What happens when nobody decides in time: the matter passes on, it never passes out.

use super::{decide, notice, read, read::Review, state::ReviewState};
use congvu_directory::{PersonRow, people_in_position, regulation_of};
use congvu_storage::{Chain, Event, Tx, params};
use congvu_types::{Result, ReviewId};

/// Passes up to `limit` overdue reviews on to the next deputy that the regulation names, and tells them. Where no
/// deputy is left the review waits on. Never sends. Returns how many it passed on; call it again while it is `limit`.
pub fn step(tx: &mut Tx, limit: usize) -> Result<usize> {
    step_telling(tx, limit, |_, _| Ok(()))
}

/// Like [`step`]; tells `tell` of each review that passed on, in the same transaction.
pub fn step_telling(
    tx: &mut Tx,
    limit: usize,
    mut tell: impl FnMut(&mut Tx, &Review) -> Result<()>,
) -> Result<usize> {
    let now = tx.now();
    let due = tx.query(
        "SELECT id FROM review WHERE due_at <= ?1 AND state = 'awaiting' ORDER BY due_at LIMIT ?2",
        &params![now, limit],
        |r| Ok(ReviewId::new(r.i64(0)?)),
    )?;
    let mut reviews = read::readable(tx, &due)?;
    for id in due.iter().filter(|id| reviews.iter().all(|r| r.id != **id)) {
        set_aside(tx, *id)?;
    }
    for review in &mut reviews {
        *review = decide::lock(tx, review.id)?;
        // Another node may have been quicker.
        if review.state == ReviewState::Awaiting && review.due_at.is_some_and(|at| at <= now) {
            pass_on(tx, review)?;
            tell(tx, review)?;
        }
    }
    Ok(due.len())
}

/// A review that cannot be read stays where it is, held and without a deadline, so that the others pass on in time. The
/// log has named it.
fn set_aside(tx: &mut Tx, id: ReviewId) -> Result<()> {
    tx.execute("UPDATE review SET due_at = NULL WHERE id = ?1", &params![id.get()])?;
    tx.record(
        Chain::System,
        &Event {
            name: "review.unreadable",
            subject: id.to_string(),
            citation: None,
            details: serde_json::json!({}),
        },
    )
}

fn pass_on(tx: &mut Tx, review: &Review) -> Result<()> {
    let regulation = regulation_of(tx, review.agency)?;
    let rule = regulation.outgoing_review.as_ref();
    let positions = rule.map(|r| r.deputies.as_slice()).unwrap_or_default();
    let (deputies, level) = next_deputies(tx, review, positions)?;
    let within = rule.and_then(|r| r.decide_within).filter(|_| level < positions.len());
    let due_at = within.map(|within| tx.now().after(within));
    tx.execute(
        "UPDATE review SET level = ?3, due_at = ?4 WHERE account_id = ?1 AND id = ?2",
        &params![review.account.get(), review.id.get(), level, due_at],
    )?;
    let names: Vec<&str> = deputies.iter().map(|d| d.name.as_str()).collect();
    let step = if deputies.is_empty() { "overdue" } else { "passed-on" };
    read::add_step(
        tx,
        (review.account, review.id),
        None,
        step,
        Some(&names.join(", ")).filter(|n| !n.is_empty()).map(String::as_str),
    )?;
    tx.record(
        Chain::Account(review.account),
        &Event {
            name: if deputies.is_empty() { "review.overdue" } else { "review.passed_on" },
            subject: review.id.to_string(),
            citation: Some(&review.citation),
            details: serde_json::json!({ "to": deputies.iter().map(|d| d.id).collect::<Vec<_>>() }),
        },
    )?;
    for deputy in &deputies {
        notice::tell_deputy(tx, review, deputy)?;
    }
    Ok(())
}

/// The first position from the review's level on that somebody other than the author holds, and the level after it.
fn next_deputies(tx: &Tx, review: &Review, positions: &[String]) -> Result<(Vec<PersonRow>, usize)> {
    let from = usize::try_from(review.level).unwrap_or(usize::MAX);
    for (level, position) in positions.iter().enumerate().skip(from) {
        let mut holders = people_in_position(tx, review.agency, position)?;
        holders.retain(|p| p.id != review.author);
        if !holders.is_empty() {
            return Ok((holders, level + 1));
        }
    }
    Ok((Vec::new(), positions.len()))
}
