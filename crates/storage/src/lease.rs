//! The lease of a node's number and of the instants below which it makes ids, in table `node`.

use crate::{
    Tx,
    ids::{LEASE_MS, Lease, Node},
    params,
};
use congvu_types::Result;

/// Writes a lease, in the transaction. None before the first migration: no id is made then either.
///
/// Who holds a number makes its lease longer. Who does not, or finds that another took it meanwhile, takes one and begins
/// where the lease of that number ended.
pub(crate) fn renew(tx: &mut Tx) -> Result<Option<Lease>> {
    let shared = tx.snapshot.shared.clone();
    let (ids, now) = (&shared.ids, shared.ids.here(tx.now()));
    let until = now + LEASE_MS;
    let held = ids.lease();
    if held.is_none() && !tx.has_table("node")? {
        return Ok(None);
    }
    if let Some(held) = held {
        let renewed = tx.execute(
            "UPDATE node SET lease = ?3 WHERE number = ?1 AND owner = ?2 AND lease <= ?3",
            &params![held.number, ids.owner, until],
        )?;
        if renewed == 1 {
            return Ok(Some(Lease { until, ..held }));
        }
        tracing::warn!(number = held.number, "another process took this node's number");
    }
    let number = match ids.node {
        Node::Server(number) => i64::from(number),
        Node::Command => free_number(tx, now, ids.owner)?,
    };
    let until = tx.query_one(
        "INSERT INTO node (number, owner, lease) VALUES (?1, ?2, ?3)
         ON CONFLICT (number) DO UPDATE SET owner = excluded.owner,
            lease = CASE WHEN node.lease + ?4 > excluded.lease THEN node.lease + ?4 ELSE excluded.lease END
         RETURNING lease",
        &params![number, ids.owner, until, LEASE_MS],
        |r| r.i64(0),
    )?;
    Ok(Some(Lease { number, from: until - LEASE_MS, until }))
}

/// A number of commands that nobody holds; the one given back soonest when all are held.
fn free_number(tx: &Tx, now: i64, owner: i64) -> Result<i64> {
    let first = i64::from(Node::FIRST_OF_COMMANDS);
    let known = tx.query(
        "SELECT number, lease FROM node WHERE number >= ?1 ORDER BY lease LIMIT 64",
        &params![first],
        |r| Ok((r.i64(0)?, r.i64(1)?)),
    )?;
    // From a place of its own, so that two commands at once seldom meet; when they do, the second begins after the first.
    let free = (0..64)
        .map(|n| first + (owner + n) % 64)
        .find(|number| known.iter().all(|(taken, lease)| taken != number || *lease <= now));
    Ok(free.or_else(|| known.first().map(|(number, _)| *number)).unwrap_or(first))
}

/// Gives the number back, in the transaction: the next to take it begins where this process came to.
pub(crate) fn give_back(tx: &mut Tx) -> Result<()> {
    let shared = tx.snapshot.shared.clone();
    let Some(held) = shared.ids.lease() else { return Ok(()) };
    let used = shared.ids.here(tx.now()) + 1;
    tx.execute(
        "UPDATE node SET lease = ?3 WHERE number = ?1 AND owner = ?2 AND lease > ?3",
        &params![held.number, shared.ids.owner, used],
    )
    .map(drop)
}
