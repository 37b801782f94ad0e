//! The account's row: locked first by every write, it orders all changes of the account.

use crate::mailboxes::{self, Role};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, Error, ModSeq, RefusalKind, Result};

/// What an account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes of all messages.
    pub bytes: u64,
    /// Number of messages.
    pub messages: u64,
}

/// Returns what an account holds; nothing when it was never used.
pub fn usage(snapshot: &Snapshot, account: AccountId) -> Result<Usage> {
    let found = snapshot.query_opt(
        "SELECT quota_used, messages FROM account_state WHERE account_id = ?1",
        &params![account.get()],
        |r| Ok(Usage { bytes: r.u64(0)?, messages: r.u64(1)? }),
    )?;
    Ok(found.unwrap_or_default())
}

/// Returns the account's newest modseq, the JMAP state of its emails, threads and mailboxes (RFC 8621 §1.5); 0 when it was
/// never used.
pub fn state(snapshot: &Snapshot, account: AccountId) -> Result<ModSeq> {
    let sql = "SELECT modseq FROM account_state WHERE account_id = ?1";
    Ok(ModSeq(snapshot.query_opt(sql, &params![account.get()], |r| r.u64(0))?.unwrap_or(0)))
}

/// Makes whoever watches the account look, for something that hangs on its mail; whatever changes that waits in turn from
/// here to the end of the transaction.
pub fn touch(tx: &mut Tx, account: AccountId) -> Result<()> {
    lock(tx, account).map(drop)
}

/// Takes the account's row without changing anything; returns its state, which stays true until the transaction ends or
/// changes it.
pub fn hold(tx: &mut Tx, account: AccountId) -> Result<ModSeq> {
    ensure_account(tx, account)?;
    tx.execute("UPDATE account_state SET modseq = modseq WHERE account_id = ?1", &params![account.get()])?;
    state(tx, account)
}

/// Takes the account's row and the next modseq. What is read after this is true until the transaction ends.
pub(crate) fn lock(tx: &mut Tx, account: AccountId) -> Result<ModSeq> {
    lock_with_room(tx, account, 0, 0)
}

/// Like [`lock`], with room for more messages. S8.1 (Điều 8): a full account refuses, it never loses; nothing is written
/// then.
pub(crate) fn lock_with_room(tx: &mut Tx, account: AccountId, bytes: u64, messages: u64) -> Result<ModSeq> {
    let quota = if bytes == 0 { None } else { congvu_directory::account_quota(tx, account)? };
    let most = quota.and_then(|q| i64::try_from(q).ok()).unwrap_or(i64::MAX);
    loop {
        let locked = tx.execute(
            "UPDATE account_state SET modseq = modseq + 1, quota_used = quota_used + ?2, messages = messages + ?3
             WHERE account_id = ?1 AND (quota_used + ?2 <= ?4 OR ?2 = 0)",
            &params![account.get(), bytes, messages, most],
        )?;
        let state = tx.query_opt(
            "SELECT modseq, quota_used FROM account_state WHERE account_id = ?1",
            &params![account.get()],
            |r| Ok((ModSeq(r.u64(0)?), r.u64(1)?)),
        )?;
        match (locked, state) {
            (1.., Some((modseq, _))) => {
                tx.changed(account, modseq);
                return Ok(modseq);
            }
            (_, Some((_, used))) if used.saturating_add(bytes) > most.unsigned_abs() => {
                return Err(RefusalKind::OverQuota.into());
            }
            // PostgreSQL: another transaction made the account, or room, between the two statements.
            (_, Some(_)) => {}
            (_, None) => ensure_account(tx, account)?,
        }
    }
}

/// Gives back the room of messages that go. The account's row is locked.
pub(crate) fn give_back(tx: &mut Tx, account: AccountId, bytes: u64, messages: u64) -> Result<()> {
    tx.execute(
        "UPDATE account_state SET quota_used = quota_used - ?2, messages = messages - ?3 WHERE account_id = ?1",
        &params![account.get(), bytes, messages],
    )
    .map(drop)
}

/// Makes an account ready: its state and its standard mailboxes. A second call does nothing.
pub fn ensure_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    let now = tx.now().seconds();
    let made = tx.execute(
        "INSERT INTO account_state (account_id, modseq, quota_used, messages, next_uidvalidity, min_modseq)
         VALUES (?1, 1, 0, 0, ?2, 0) ON CONFLICT (account_id) DO NOTHING",
        &params![account.get(), now],
    )?;
    if made == 0 {
        return Ok(());
    }
    for role in Role::STANDARD {
        mailboxes::insert(tx, account, role.default_name(), role, ModSeq(1))?;
    }
    Ok(())
}

/// Returns the next UIDVALIDITY: a counter that begins at the second of creation, so it never repeats for a name.
pub(crate) fn next_uidvalidity(tx: &mut Tx, account: AccountId) -> Result<u32> {
    tx.query_opt(
        "UPDATE account_state SET next_uidvalidity = next_uidvalidity + 1 WHERE account_id = ?1
         RETURNING next_uidvalidity",
        &params![account.get()],
        |r| r.u32(0),
    )?
    .ok_or_else(|| Error::fault("making a UIDVALIDITY", "the account has no state"))
}
