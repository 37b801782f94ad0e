//! `congvu audit`: the hash-chained record of who did what.

use super::Place;
use crate::{cli::AuditVerb, output::Failure};
use congvu_storage::{audit_rows, verify_audit};
use serde::Serialize;

#[derive(Serialize)]
struct Verdict {
    chains: u64,
    entries: u64,
    faults: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    seq: i64,
    at: String,
    actor: String,
    event: String,
    subject: String,
    citation: String,
    details: serde_json::Value,
}

pub(super) async fn run(at: &Place, verb: AuditVerb) -> Result<(), Failure> {
    let (_, db) = at.open().await?;
    match verb {
        AuditVerb::Verify => {
            let found = db.read(verify_audit).await?;
            let verdict = Verdict { chains: found.chains, entries: found.entries, faults: found.faults };
            at.printer.print(&verdict, |v| {
                format!(
                    "{} entries in {} chains: {}",
                    v.entries,
                    v.chains,
                    if v.faults.is_empty() { "whole" } else { "NOT WHOLE" }
                )
            })?;
            if verdict.faults.is_empty() { Ok(()) } else { Err(Failure(verdict.faults.join("\n"))) }
        }
        AuditVerb::Show { chain, after, limit } => {
            let rows = db.read(move |s| audit_rows(s, &chain, after, limit.min(10_000))).await?;
            let entries: Vec<Entry> = rows
                .into_iter()
                .map(|r| Entry {
                    seq: r.seq,
                    at: r.at.rfc3339(),
                    actor: r.actor,
                    event: r.event,
                    subject: r.subject,
                    citation: r.citation,
                    details: serde_json::from_str(&r.details).unwrap_or(serde_json::Value::String(r.details)),
                })
                .collect();
            at.printer.print(&entries, |all| {
                let line = |e: &Entry| {
                    format!("{:>6}  {}  {}  {}  {}  {}", e.seq, e.at, e.actor, e.event, e.subject, e.citation)
                };
                all.iter().map(line).collect::<Vec<_>>().join("\n")
            })
        }
    }
}
