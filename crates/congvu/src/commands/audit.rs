//! `congvu audit`: the hash-chained record of who did what.

use super::Place;
use crate::{anchors, cli::AuditVerb, config::Config, output::Failure};
use congvu_storage::{audit_rows, verify_audit};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Verdict {
    chains: u64,
    entries: u64,
    anchored: u64,
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
    let (config, db) = at.open().await?;
    match verb {
        AuditVerb::Verify { anchor, anchors } => {
            let outside = outside(&config, anchor, anchors)?;
            let found = verify_audit(&db, &outside).await?;
            let verdict = Verdict {
                chains: found.chains,
                entries: found.entries,
                anchored: found.anchored,
                faults: found.faults,
            };
            at.printer.print(&verdict, |v| {
                format!(
                    "{} entries in {} chains, {} of them anchored, {} anchors kept outside: {}",
                    v.entries,
                    v.chains,
                    v.anchored,
                    outside.len(),
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

/// The hashes that were kept outside the database: those given, and those of the file.
fn outside(config: &Config, mut given: Vec<String>, file: Option<PathBuf>) -> Result<Vec<String>, Failure> {
    if let Some(bad) = given.iter().find(|h| h.len() != 64 || !h.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(Failure(format!("--anchor: {bad:?} is not 64 hexadecimal digits")));
    }
    let file = match file {
        Some(file) => Some(file),
        None => Some(anchors::file(&config.blobs)).filter(|f| f.exists()),
    };
    if let Some(file) = file {
        let read = anchors::read(&file);
        given.extend(read.map_err(|e| Failure(format!("{} cannot be read: {e}", file.display())))?);
    }
    Ok(given)
}
