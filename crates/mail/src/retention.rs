//! What is needed for a time only: tombstones of messages and mailboxes, keys of deliveries and of conversations, uploads.
//! Looked for by readers in pages, removed in the bulk lane.

use crate::uploads;
use congvu_storage::{Actor, Db, Row, Snapshot, Tx, Value, params};
use congvu_types::{Result, Timestamp};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Tombstones, for clients that were away (RFC 7162 §3.2.5.2).
const TOMBSTONES_MS: i64 = 30 * DAY_MS;
/// Keys of deliveries: nobody repeats one after so long.
const DELIVERIES_MS: i64 = 7 * DAY_MS;
/// Keys of conversations: an answer to something older begins a new one. Whoever goes on with a conversation notes keys anew.
const CONVERSATIONS_MS: i64 = 400 * DAY_MS;
/// Rows looked at in one read, mailboxes among them.
const PAGE: usize = 500;
/// Rows removed in one transaction.
const AT_ONCE: usize = 250;

/// A table of keys: how a page of it is read (account, key, instant) and how a row is removed.
struct Keys {
    page: &'static str,
    remove: &'static str,
    /// Below every key.
    first: Value,
    key: fn(&Row<'_>) -> Result<Value>,
    kept_ms: i64,
}

fn keys() -> [Keys; 2] {
    [
        Keys {
            page: "SELECT account_id, key, at FROM delivery_key WHERE (account_id, key) > (?1, ?2)
                ORDER BY account_id, key LIMIT ?3",
            remove: "DELETE FROM delivery_key WHERE account_id = ?1 AND key = ?2 AND at < ?3",
            first: Value::Text(String::new()),
            key: |r| r.text(1).map(Value::Text),
            kept_ms: DELIVERIES_MS,
        },
        Keys {
            page: "SELECT account_id, key, at FROM thread_key WHERE (account_id, key) > (?1, ?2)
                ORDER BY account_id, key LIMIT ?3",
            remove: "DELETE FROM thread_key WHERE account_id = ?1 AND key = ?2 AND at < ?3",
            first: Value::Int(i64::MIN),
            key: |r| r.i64(1).map(Value::Int),
            kept_ms: CONVERSATIONS_MS,
        },
    ]
}

/// Removes what has had its time. Returns how many rows.
pub async fn remove_outdated(db: &Db) -> Result<u64> {
    let now = db.clock().now();
    let mut removed = 0;
    for keys in keys() {
        removed += outdated_keys(db, keys, now).await?;
    }
    removed += uploads(db, now.before(uploads::KEPT)).await?;
    let before = Timestamp(now.millis() - TOMBSTONES_MS);
    Ok(removed + tombstones(db, before).await? + mailboxes_gone(db, before).await?)
}

/// Forgets mailboxes that were deleted long ago, and notes for their accounts up to where.
async fn mailboxes_gone(db: &Db, before: Timestamp) -> Result<u64> {
    let mut removed = 0;
    let mut after = Some((i64::MIN, i64::MIN));
    while let Some(from) = after.take() {
        let page = db
            .read(move |s| {
                s.query(
                    "SELECT account_id, modseq, at FROM mailbox_gone WHERE (account_id, modseq) > (?1, ?2)
                     ORDER BY account_id, modseq LIMIT ?3",
                    &params![from.0, from.1, PAGE],
                    |r| Ok((r.i64(0)?, r.i64(1)?, Timestamp(r.i64(2)?))),
                )
            })
            .await?;
        if page.len() == PAGE {
            after = page.last().map(|(account, modseq, _)| (*account, *modseq));
        }
        let old: Vec<_> = page.into_iter().filter(|(_, _, at)| *at < before).collect();
        for some in old.chunks(AT_ONCE).map(<[_]>::to_vec) {
            let step = move |tx: &mut Tx| {
                some.iter().try_fold(0, |sum, (account, modseq, _)| Ok(sum + forget(tx, *account, *modseq)?))
            };
            removed += db.write_bulk(Actor::System("retention"), step).await?;
        }
    }
    Ok(removed)
}

fn forget(tx: &mut Tx, account: i64, modseq: i64) -> Result<u64> {
    let key = params![account, modseq];
    tx.execute("UPDATE account_state SET min_modseq = ?2 WHERE account_id = ?1 AND min_modseq < ?2", &key)?;
    tx.execute("DELETE FROM mailbox_gone WHERE account_id = ?1 AND modseq = ?2", &key)
}

async fn uploads(db: &Db, before: Timestamp) -> Result<u64> {
    let mut removed = 0;
    loop {
        let step = move |tx: &mut Tx| uploads::remove_outdated_uploads(tx, before, AT_ONCE);
        match db.write_bulk(Actor::System("retention"), step).await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}

async fn outdated_keys(db: &Db, keys: Keys, now: Timestamp) -> Result<u64> {
    let before = Timestamp(now.millis() - keys.kept_ms);
    let Keys { page, remove, key, .. } = keys;
    let mut after = Some((i64::MIN, keys.first));
    let mut removed = 0;
    while let Some(from) = after.take() {
        let read = move |s: &Snapshot| {
            s.query(page, &[Value::Int(from.0), from.1.clone(), Value::from(PAGE)], |r| {
                Ok((r.i64(0)?, key(r)?, Timestamp(r.i64(2)?)))
            })
        };
        let rows = db.read(read).await?;
        if rows.len() == PAGE {
            after = rows.last().map(|(account, key, _)| (*account, key.clone()));
        }
        let old: Vec<_> = rows.into_iter().filter(|(_, _, at)| *at < before).collect();
        for some in old.chunks(AT_ONCE).map(<[_]>::to_vec) {
            let step = move |tx: &mut Tx| {
                some.iter().try_fold(0, |sum, (account, key, _)| {
                    Ok(sum + tx.execute(remove, &[Value::Int(*account), key.clone(), Value::from(before)])?)
                })
            };
            removed += db.write_bulk(Actor::System("retention"), step).await?;
        }
    }
    Ok(removed)
}

/// Cuts tombstones of every mailbox, and notes up to where.
async fn tombstones(db: &Db, before: Timestamp) -> Result<u64> {
    let mut removed = 0;
    let mut after = Some((i64::MIN, i64::MIN));
    while let Some(from) = after.take() {
        let page = db.read(move |s| oldest_tombstones(s, from)).await?;
        if page.len() == PAGE {
            after = page.last().map(|(mailbox, _)| *mailbox);
        }
        for (mailbox, _) in page.into_iter().filter(|(_, oldest)| *oldest < before) {
            loop {
                let cut = move |tx: &mut Tx| cut(tx, mailbox, before);
                let some = db.write_bulk(Actor::System("retention"), cut).await?;
                removed += some;
                if some == 0 {
                    break;
                }
            }
        }
    }
    Ok(removed)
}

type Mailbox = (i64, i64);

/// Mailboxes with tombstones, and how old the oldest is: one look-up each.
fn oldest_tombstones(snapshot: &Snapshot, mut after: Mailbox) -> Result<Vec<(Mailbox, Timestamp)>> {
    let mut found = Vec::new();
    while found.len() < PAGE {
        let next = snapshot.query_opt(
            "SELECT account_id, mailbox_id, at FROM expunged WHERE (account_id, mailbox_id) > (?1, ?2)
             ORDER BY account_id, mailbox_id, modseq, uid LIMIT 1",
            &params![after.0, after.1],
            |r| Ok(((r.i64(0)?, r.i64(1)?), Timestamp(r.i64(2)?))),
        )?;
        let Some(next) = next else { break };
        after = next.0;
        found.push(next);
    }
    Ok(found)
}

/// Cuts the oldest tombstones of a mailbox. Within a mailbox they are in the order of their modseq.
fn cut(tx: &mut Tx, (account, mailbox): Mailbox, before: Timestamp) -> Result<u64> {
    let upto = tx.query_one(
        "SELECT COALESCE(MAX(modseq), 0) FROM (SELECT modseq, at FROM expunged
            WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY modseq, uid LIMIT ?3) oldest WHERE at < ?4",
        &params![account, mailbox, AT_ONCE, before],
        |r| r.i64(0),
    )?;
    let key = params![account, mailbox, upto];
    let removed =
        tx.execute("DELETE FROM expunged WHERE account_id = ?1 AND mailbox_id = ?2 AND modseq <= ?3", &key)?;
    tx.execute(
        "UPDATE mailbox SET min_modseq = ?3 WHERE account_id = ?1 AND id = ?2 AND min_modseq < ?3",
        &key,
    )?;
    Ok(removed)
}
