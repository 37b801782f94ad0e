//! Conversations: messages that name each other by Message-ID (RFC 8621 §3, RFC 5256 §2.1 by reference).
//!
//! Two conversations that a later message names both stay two: it joins that of its newest reference.

use congvu_message::Summary;
use congvu_storage::{Tx, params};
use congvu_types::{AccountId, Result, ThreadId};

/// How many of the newest references are looked at.
const LOOKED_AT: usize = 8;

const FIND: &str = "SELECT thread_id FROM thread_key WHERE account_id = ?1 AND key = ?2";

fn key(message_id: &str) -> i64 {
    let hash = blake3::hash(message_id.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_le_bytes(bytes)
}

/// Returns the conversation of a message and notes the message as one of it.
pub(crate) fn thread_of(tx: &mut Tx, account: AccountId, summary: &Summary, own: i64) -> Result<ThreadId> {
    let mut thread = None;
    for id in summary.references.iter().rev().take(LOOKED_AT) {
        thread = tx.query_opt(FIND, &params![account.get(), key(id)], |r| r.i64(0))?;
        if thread.is_some() {
            break;
        }
    }
    let Some(message_id) = &summary.message_id else { return Ok(ThreadId::new(thread.unwrap_or(own))) };
    // The same message stored twice (sent and received) is one conversation.
    let offered = thread.unwrap_or(own);
    let is_new = note(tx, account, message_id, offered)?;
    let known = if is_new {
        offered
    } else {
        // Gone when its time was over this very moment.
        tx.query_opt(FIND, &params![account.get(), key(message_id)], |r| r.i64(0))?.unwrap_or(offered)
    };
    // A message that was named before it came: those that named it wait under its first reference.
    if let Some(first) = summary.references.first() {
        note(tx, account, first, known)?;
    }
    Ok(ThreadId::new(known))
}

/// Notes which conversation an id belongs to, unless that is known; returns whether it was not.
fn note(tx: &mut Tx, account: AccountId, message_id: &str, thread: i64) -> Result<bool> {
    let noted = tx.execute(
        "INSERT INTO thread_key (account_id, key, thread_id, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account_id, key) DO NOTHING",
        &params![account.get(), key(message_id), thread, tx.now()],
    )?;
    Ok(noted == 1)
}
