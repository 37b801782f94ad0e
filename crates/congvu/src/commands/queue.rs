//! `congvu queue`: what waits to leave.

use super::{Place, operator};
use crate::{cli::QueueVerb, output::Failure, site};
use congvu_transport::{fanout, queue};
use congvu_types::QueueId;
use serde::Serialize;

#[derive(Serialize)]
struct Waiting {
    id: String,
    from: String,
    to: String,
    subject: String,
    bytes: u64,
    attempts: u32,
    queued_at: String,
    next_at: String,
    under_way: bool,
    set_aside: bool,
    status: String,
    answer: String,
}

#[derive(Serialize)]
struct Done<'a> {
    id: String,
    done: &'a str,
}

fn id(text: &str) -> Result<QueueId, Failure> {
    text.parse().map_err(|e| Failure(format!("{text:?}: {e}; `congvu queue list` shows the ids")))
}

pub(super) async fn run(at: &Place, verb: QueueVerb) -> Result<(), Failure> {
    let (config, db) = at.open().await?;
    match verb {
        QueueVerb::List { limit } => {
            let limit = limit.min(100_000);
            let rows = db.read(move |s| queue::list(s, None, limit)).await?;
            let jobs = db.read(move |s| fanout::list(s, limit)).await?;
            let waiting: Vec<Waiting> =
                rows.into_iter().map(shown).chain(jobs.into_iter().map(job)).collect();
            at.printer.print(&waiting, |all| match all.is_empty() {
                true => "nothing waits to leave".to_owned(),
                false => all.iter().map(line).collect::<Vec<_>>().join("\n"),
            })
        }
        QueueVerb::Retry { id: text } => {
            let group = id(&text)?;
            db.write(operator(), move |tx| queue::retry_now(tx, group)).await?;
            at.printer.print(&Done { id: text, done: "retry" }, |d| format!("{} is due now", d.id))
        }
        QueueVerb::Cancel { id: text } => {
            let (group, site) = (id(&text)?, site::site(&config));
            db.write(operator(), move |tx| queue::cancel(tx, &site, group)).await?;
            at.printer.print(&Done { id: text, done: "cancel" }, |d| {
                format!("{} was taken out; its sender is told", d.id)
            })
        }
    }
}

fn shown(row: queue::QueueRow) -> Waiting {
    Waiting {
        id: row.group.to_string(),
        from: row.mail_from,
        to: row.address,
        subject: row.subject,
        bytes: row.size_bytes,
        attempts: row.attempts,
        queued_at: row.queued_at.rfc3339(),
        next_at: row.next_at.rfc3339(),
        under_way: row.is_leased,
        set_aside: row.is_set_aside,
        status: row.status,
        answer: row.answer,
    }
}

/// One message for many accounts here.
fn job(row: fanout::JobRow) -> Waiting {
    Waiting {
        id: row.id.to_string(),
        from: row.mail_from,
        to: format!("{} accounts here", row.left),
        subject: String::new(),
        bytes: 0,
        attempts: row.attempts,
        queued_at: row.created_at.rfc3339(),
        next_at: row.next_at.rfc3339(),
        under_way: false,
        set_aside: false,
        status: String::new(),
        answer: row.answer,
    }
}

fn line(w: &Waiting) -> String {
    format!(
        "{}  <{}> to <{}>  {:?}  tried {} times, next {}  {}",
        w.id, w.from, w.to, w.subject, w.attempts, w.next_at, w.answer
    )
}
