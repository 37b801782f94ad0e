//! Anchors over the audit log, and its check.
//!
//! An anchor is an entry of the system chain that names the head of every chain that grew since the last one. So the system
//! chain holds all others, and its own head, kept outside the database, holds the system chain (Điều 10;
//! `congvu audit verify`). What was written after the last anchor can be cut unseen: that is at most a minute.

use crate::{
    Actor, Chain, Db, Event, Row, Snapshot, Tx,
    audit::{AuditRow, GENESIS, audit_rows},
    params,
};
use congvu_types::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Heads named by one entry.
const HEADS_AT_ONCE: usize = 200;
/// Entries, or chains, read in one snapshot.
const PAGE: usize = 1000;
/// Faults that are told; one more is told as a number.
const MOST_FAULTS: usize = 1000;
const ANCHORED: &str = "audit.anchored";

/// The head of the system chain: kept outside the database, it proves what stood in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Position in the system chain.
    pub seq: i64,
    /// The hash over the entry there.
    pub hash: Vec<u8>,
}

/// Writes the heads of all chains that grew into the system chain, and returns its head; none when nothing was ever written.
pub async fn anchor_audit(db: &Db) -> Result<Option<Anchor>> {
    while db.write_bulk(Actor::System("audit"), anchor_some).await? == HEADS_AT_ONCE {}
    db.read_quick(|snapshot| {
        snapshot.query_opt(
            "SELECT seq, hash FROM audit_head WHERE chain = ?1",
            &params![Chain::System.key()],
            |r| Ok(Anchor { seq: r.i64(0)?, hash: r.bytes(1)? }),
        )
    })
    .await
}

fn anchor_some(tx: &mut Tx) -> Result<usize> {
    // Several nodes take turns at the system chain, which the entry needs anyway.
    tx.execute("UPDATE audit_head SET anchored = anchored WHERE chain = ?1", &params![Chain::System.key()])?;
    let heads = tx.query(
        "SELECT chain, seq, hash FROM audit_head WHERE anchored < seq AND chain <> ?1 ORDER BY chain LIMIT ?2",
        &params![Chain::System.key(), HEADS_AT_ONCE],
        |r| Ok((r.text(0)?, r.i64(1)?, r.bytes(2)?)),
    )?;
    if heads.is_empty() {
        return Ok(0);
    }
    for (chain, seq, _) in &heads {
        tx.execute("UPDATE audit_head SET anchored = ?2 WHERE chain = ?1", &params![chain, *seq])?;
    }
    let named: Vec<_> =
        heads.iter().map(|(chain, seq, hash)| serde_json::json!([chain, seq, hex(hash)])).collect();
    let event = Event {
        name: ANCHORED,
        subject: format!("{} chains", heads.len()),
        citation: None,
        details: serde_json::json!({ "heads": named }),
    };
    tx.record(Chain::System, &event)?;
    Ok(heads.len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What a check of the audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditVerdict {
    /// How many chains were read.
    pub chains: u64,
    /// How many entries were read.
    pub entries: u64,
    /// How many chains are held by an anchor.
    pub anchored: u64,
    /// What is wrong, one sentence each; empty when all is well.
    pub faults: Vec<String>,
}

impl AuditVerdict {
    fn fault(&mut self, sentence: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(sentence);
        }
    }
}

#[derive(Debug)]
struct Head {
    chain: String,
    seq: i64,
    hash: Vec<u8>,
    /// The last entry that there is, in the same view.
    last: i64,
}

/// What anchors say of a chain: the newest position that one names, and the hash there.
type Anchored = BTreeMap<String, (i64, String)>;

/// Reads every chain from its beginning and compares each hash, then every chain with the anchors: finds any change, removal
/// or reordering, and what was cut or taken away since an anchor named it. `anchors` are hashes that were kept outside,
/// in hexadecimal digits; without them the system chain itself could have been rewritten whole. Reads a page at a time.
pub async fn verify_audit(db: &Db, anchors: &[String]) -> Result<AuditVerdict> {
    let mut verdict = AuditVerdict::default();
    let mut check = Check {
        db,
        outside: anchors.iter().map(|a| a.to_ascii_lowercase()).collect(),
        anchored: Anchored::new(),
    };
    if let Some(head) = db.read(|s| s.query_opt(SYSTEM_HEAD, &[], head)).await? {
        check.chain(&head, None, &mut verdict).await?;
    }
    for hash in std::mem::take(&mut check.outside) {
        verdict.fault(format!("system: the anchor {hash} is not there; the chain was cut or rewritten"));
    }
    let anchored = std::mem::take(&mut check.anchored);
    verdict.anchored = anchored.len() as u64;
    let mut after = String::new();
    let mut seen = BTreeSet::new();
    loop {
        let from = after.clone();
        let page = db.read(move |s| s.query(HEADS, &params![from, PAGE], head)).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.chain);
        for head in &page {
            check.chain(head, anchored.get(&head.chain), &mut verdict).await?;
            seen.insert(head.chain.clone());
        }
    }
    for chain in anchored.keys().filter(|chain| !seen.contains(*chain)) {
        verdict.fault(format!("{chain}: the whole chain was taken away"));
    }
    headless(db, &mut verdict).await?;
    Ok(verdict)
}

const SYSTEM_HEAD: &str =
    "SELECT h.chain, h.seq, h.hash, (SELECT MAX(a.seq) FROM audit a WHERE a.chain = h.chain)
    FROM audit_head h WHERE h.chain = 'system'";
const HEADS: &str = "SELECT h.chain, h.seq, h.hash, (SELECT MAX(a.seq) FROM audit a WHERE a.chain = h.chain)
    FROM audit_head h WHERE h.chain > ?1 AND h.chain <> 'system' ORDER BY h.chain LIMIT ?2";

fn head(r: &Row<'_>) -> Result<Head> {
    Ok(Head { chain: r.text(0)?, seq: r.i64(1)?, hash: r.bytes(2)?, last: r.opt_i64(3)?.unwrap_or(0) })
}

struct Check<'d> {
    db: &'d Db,
    /// Anchors kept outside that were not met yet.
    outside: BTreeSet<String>,
    /// What the entries met so far say.
    anchored: Anchored,
}

impl Check<'_> {
    /// Reads a chain up to the head it had; what was written since is left for the next time.
    async fn chain(
        &mut self,
        head: &Head,
        anchor: Option<&(i64, String)>,
        verdict: &mut AuditVerdict,
    ) -> Result<()> {
        let chain = &head.chain;
        verdict.chains += 1;
        let (mut previous, mut last) = (GENESIS.to_vec(), 0);
        while last < head.seq {
            let (name, after) = (chain.clone(), last);
            let mut rows = self.db.read(move |s| audit_rows(s, &name, after, PAGE)).await?;
            rows.retain(|row| row.seq <= head.seq);
            if rows.is_empty() {
                break;
            }
            for row in rows {
                self.entry(&row, (last, &previous), anchor, verdict);
                (last, previous) = (row.seq, row.hash);
            }
        }
        if last != head.seq || previous != head.hash || head.last != head.seq {
            verdict.fault(format!("{chain}: the end was cut or changed (entry {last} of {})", head.seq));
        }
        if let Some((seq, _)) = anchor.filter(|(seq, _)| *seq > head.seq) {
            verdict
                .fault(format!("{chain}: the end was cut (an anchor names entry {seq}, the last is {last})"));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        row: &AuditRow,
        (last, previous): (i64, &[u8]),
        anchor: Option<&(i64, String)>,
        verdict: &mut AuditVerdict,
    ) {
        let chain = &row.chain;
        verdict.entries += 1;
        if row.seq != last + 1 {
            verdict.fault(format!("{chain}: entry {} is missing", last + 1));
        } else if row.compute(previous).as_slice() != row.hash {
            verdict.fault(format!("{chain}: entry {} was changed", row.seq));
        }
        let hash = hex(&row.hash);
        if anchor.is_some_and(|(seq, anchored)| *seq == row.seq && *anchored != hash) {
            verdict.fault(format!("{chain}: entry {} is not the one that was anchored", row.seq));
        }
        if chain == "system" {
            self.outside.remove(&hash);
            if row.event == ANCHORED {
                self.read_anchor(&row.details);
            }
        }
    }

    /// Notes the heads that an anchor names. What does not read was changed, and its own hash tells so.
    fn read_anchor(&mut self, details: &str) {
        let details: serde_json::Value = serde_json::from_str(details).unwrap_or_default();
        for named in details["heads"].as_array().into_iter().flatten() {
            if let (Some(chain), Some(seq), Some(hash)) =
                (named[0].as_str(), named[1].as_i64(), named[2].as_str())
            {
                self.anchored.insert(chain.to_owned(), (seq, hash.to_owned()));
            }
        }
    }
}

/// Looks for entries of chains without a head, from chain to chain.
async fn headless(db: &Db, verdict: &mut AuditVerdict) -> Result<()> {
    let mut after = Some(String::new());
    while let Some(from) = after.take() {
        let page = db.read(move |s| chains_with_entries(s, from)).await?;
        for (chain, has_head) in &page {
            if !has_head {
                verdict.fault(format!("{chain}: its entries have no head"));
            }
        }
        after = (page.len() == PAGE).then(|| page.last().map(|(chain, _)| chain.clone())).flatten();
    }
    Ok(())
}

fn chains_with_entries(snapshot: &Snapshot, mut after: String) -> Result<Vec<(String, bool)>> {
    let mut found = Vec::new();
    while found.len() < PAGE {
        let next = snapshot.query_opt(
            "SELECT a.chain, (SELECT COUNT(*) FROM audit_head h WHERE h.chain = a.chain) FROM audit a
             WHERE a.chain > ?1 ORDER BY a.chain, a.seq LIMIT 1",
            &params![&after],
            |r| Ok((r.text(0)?, r.i64(1)? > 0)),
        )?;
        let Some((chain, has_head)) = next else { break };
        after.clone_from(&chain);
        found.push((chain, has_head));
    }
    Ok(found)
}
