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

/// Takes the account's row and the next modseq. `bytes` and `messages` are added to what it holds.
pub(crate) fn lock(tx: &mut Tx, account: AccountId, bytes: i64, messages: i64) -> Result<ModSeq> {
    loop {
        let locked = tx.query_opt(
            "UPDATE account_state SET modseq = modseq + 1, quota_used = quota_used + ?2, messages = messages + ?3
             WHERE account_id = ?1 RETURNING modseq, quota_used",
            &params![account.get(), bytes, messages],
            |r| Ok((r.u64(0)?, r.i64(1)?)),
        )?;
        match locked {
            None => ensure_account(tx, account)?,
            Some((modseq, used)) => {
                if bytes > 0 {
                    check_quota(tx, account, used)?;
                }
                tx.changed(account, ModSeq(modseq));
                return Ok(ModSeq(modseq));
            }
        }
    }
}

/// S8.1 (Điều 8): a full account refuses, it never loses.
fn check_quota(tx: &Tx, account: AccountId, used: i64) -> Result<()> {
    match congvu_directory::account_quota(tx, account)? {
        Some(quota) if u64::try_from(used).is_ok_and(|used| used > quota) => {
            Err(RefusalKind::OverQuota.into())
        }
        _ => Ok(()),
    }
}

/// Makes an account ready: its state and its standard mailboxes. A second call does nothing.
pub fn ensure_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    let now = tx.now().seconds();
    let made = tx.execute(
        "INSERT INTO account_state (account_id, modseq, quota_used, messages, next_uidvalidity)
         VALUES (?1, 1, 0, 0, ?2) ON CONFLICT (account_id) DO NOTHING",
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
