//! The audit log: hash-chained events, one chain an agency or account, written in the commit they tell of.
//!
//! Each entry's hash covers the hash before it, so a change, a removal or a reordering within a chain shows. What a chain
//! cannot show by itself, that its end was cut or all of it taken away, shows against the anchors ([`crate::anchor_audit`]).

use crate::{Snapshot, Tx, params};
use congvu_types::{AccountId, AgencyId, Citation, Result, Timestamp};

/// The chain an event is written to. A chain is serialised by a lock that the writer already needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// What concerns an agency: people, grants, the regulation.
    Agency(AgencyId),
    /// What concerns one account: its mail and its reviews.
    Account(AccountId),
    /// What concerns the whole installation.
    System,
}

impl Chain {
    pub(crate) fn key(self) -> String {
        match self {
            Self::Agency(id) => format!("agency/{id}"),
            Self::Account(id) => format!("account/{id}"),
            Self::System => "system".to_owned(),
        }
    }
}

/// Something that happened, for the record.
#[derive(Debug, Clone)]
pub struct Event<'e> {
    /// What happened, as `noun.verb`, such as `review.approved`.
    pub name: &'static str,
    /// What it happened to: an id, an address.
    pub subject: String,
    /// The article, when a rule is the reason.
    pub citation: Option<&'e Citation>,
    /// Facts worth keeping; never a secret, never message text.
    pub details: serde_json::Value,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The chain's key, such as `account/42`.
    pub chain: String,
    /// Position in the chain, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as `person/42`, `system/queue` or `operator/root`.
    pub actor: String,
    /// What, as `noun.verb`.
    pub event: String,
    /// To what.
    pub subject: String,
    /// The article's rule id and text, empty when no rule was the reason.
    pub citation: String,
    /// Facts, as JSON.
    pub details: String,
    /// The hash over this entry and the one before it.
    pub hash: Vec<u8>,
}

impl AuditRow {
    /// Computes the hash: every field with its length before it, so no two entries share an encoding.
    pub(crate) fn compute(&self, previous: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        field(previous);
        field(self.chain.as_bytes());
        field(&self.seq.to_le_bytes());
        field(&self.at.millis().to_le_bytes());
        for text in [&self.actor, &self.event, &self.subject, &self.citation, &self.details] {
            field(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

pub(crate) const GENESIS: [u8; 32] = [0; 32];

/// Appends an event to a chain inside the transaction.
pub(crate) fn record(tx: &mut Tx, chain: Chain, event: &Event<'_>) -> Result<()> {
    let key = chain.key();
    let mut row = AuditRow {
        seq: 0,
        at: tx.now(),
        actor: tx.actor().to_string(),
        event: event.name.to_owned(),
        subject: event.subject.clone(),
        citation: event.citation.map_or_else(String::new, |c| format!("{} {c}", c.rule)),
        details: event.details.to_string(),
        hash: Vec::new(),
        chain: key,
    };
    let head = tx.query_opt(
        "UPDATE audit_head SET seq = seq + 1 WHERE chain = ?1 RETURNING seq, hash",
        &params![&row.chain],
        |r| Ok((r.i64(0)?, r.bytes(1)?)),
    )?;
    let previous = match head {
        Some((seq, hash)) => {
            row.seq = seq;
            hash
        }
        None => {
            row.seq = 1;
            GENESIS.to_vec()
        }
    };
    row.hash = row.compute(&previous).to_vec();
    // On a chain's first entry two writers may meet here; the primary key of `audit` then fails one of them,
    // which PostgreSQL's retry runs again.
    tx.execute(
        "INSERT INTO audit_head (chain, seq, hash, anchored) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (chain) DO UPDATE SET hash = excluded.hash",
        &params![&row.chain, row.seq, &row.hash],
    )?;
    tx.execute(
        "INSERT INTO audit (chain, seq, at, actor, event, subject, citation, details, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &params![
            &row.chain,
            row.seq,
            row.at,
            &row.actor,
            &row.event,
            &row.subject,
            &row.citation,
            &row.details,
            &row.hash
        ],
    )?;
    Ok(())
}

/// Returns up to `limit` entries of a chain after position `after`, in order.
pub fn audit_rows(snapshot: &Snapshot, chain: &str, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
    snapshot.query(
        "SELECT seq, at, actor, event, subject, citation, details, hash FROM audit
         WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        &params![chain, after, limit],
        |r| {
            Ok(AuditRow {
                chain: chain.to_owned(),
                seq: r.i64(0)?,
                at: Timestamp(r.i64(1)?),
                actor: r.text(2)?,
                event: r.text(3)?,
                subject: r.text(4)?,
                citation: r.text(5)?,
                details: r.text(6)?,
                hash: r.bytes(7)?,
            })
        },
    )
}
