//! Flags and keywords: one integer a message (docs/adr/0006).

use crate::{conversations::Tally, mailboxes, state};
use congvu_directory::{Acting, right};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, Flags, Keyword, MailboxId, RefusalKind, Result, ThreadId, Uid};

/// How many keywords an account may have.
pub const MAX_KEYWORDS: usize = 58;
/// System flags take the bits below.
const FIRST_KEYWORD_BIT: u32 = 5;

/// The flags and keywords of a message: bits 0 to 4 are system flags, the others the account's keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct FlagSet(pub u64);

impl FlagSet {
    /// Returns the system flags.
    #[must_use]
    pub const fn system(self) -> Flags {
        Flags::from_bits((self.0 & 31) as u8)
    }

    /// Returns the names of the keywords that are set.
    pub fn keywords(self, names: &[String]) -> impl Iterator<Item = &str> {
        names
            .iter()
            .enumerate()
            .filter(move |(i, _)| self.0 >> (FIRST_KEYWORD_BIT as usize + i) & 1 == 1)
            .map(|(_, n)| n.as_str())
    }

    /// Returns the set with one keyword, by its place in the account's list.
    #[must_use]
    pub const fn keyword(place: usize) -> Self {
        Self(1 << (FIRST_KEYWORD_BIT as usize + place))
    }

    pub(crate) const fn stored(self) -> i64 {
        self.0 as i64
    }
}

pub(crate) fn bits(flags: Flags) -> FlagSet {
    FlagSet(u64::from(flags.bits()))
}

/// Returns an account's keywords in the order of their bits.
pub fn keywords(snapshot: &Snapshot, account: AccountId) -> Result<Vec<String>> {
    snapshot.query(
        "SELECT name FROM keyword WHERE account_id = ?1 ORDER BY bit",
        &params![account.get()],
        |r| r.text(0),
    )
}

/// Returns the bits of keywords, making those that are new, spelled as here. The account's row is locked.
pub(crate) fn resolve_keywords(tx: &mut Tx, account: AccountId, wanted: &[Keyword]) -> Result<FlagSet> {
    if wanted.is_empty() {
        return Ok(FlagSet(0));
    }
    let mut known = keywords(tx, account)?;
    let mut set = 0;
    for keyword in wanted {
        let place = match known.iter().position(|name| keyword.is(name)) {
            Some(place) => place,
            None if known.len() >= MAX_KEYWORDS => return Err(RefusalKind::TooMany.into()),
            None => {
                tx.execute(
                    "INSERT INTO keyword (account_id, bit, name) VALUES (?1, ?2, ?3)",
                    &params![account.get(), known.len(), keyword.as_str()],
                )?;
                known.push(keyword.as_str().to_owned());
                known.len() - 1
            }
        };
        set |= FlagSet::keyword(place).0;
    }
    Ok(FlagSet(set))
}

/// Returns the bits of those keywords that the account has.
fn known_keywords(snapshot: &Snapshot, account: AccountId, wanted: &[Keyword]) -> Result<FlagSet> {
    if wanted.is_empty() {
        return Ok(FlagSet(0));
    }
    let known = keywords(snapshot, account)?;
    let places = wanted.iter().filter_map(|keyword| known.iter().position(|name| keyword.is(name)));
    Ok(FlagSet(places.fold(0, |set, place| set | FlagSet::keyword(place).0)))
}

/// What to do with the flags given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOperation {
    /// These and no others.
    Replace,
    /// These too.
    Add,
    /// Not these.
    Remove,
}

impl FlagOperation {
    /// Returns what `before` becomes by the flags given.
    #[must_use]
    pub const fn apply(self, before: FlagSet, given: FlagSet) -> FlagSet {
        FlagSet(match self {
            Self::Replace => given.0,
            Self::Add => before.0 | given.0,
            Self::Remove => before.0 & !given.0,
        })
    }
}

/// A change of flags.
#[derive(Debug, Clone)]
pub struct FlagChange {
    /// What to do.
    pub operation: FlagOperation,
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Vec<Keyword>,
    /// Messages changed after this modseq are left alone (RFC 7162 §3.1.3).
    pub unchanged_since: Option<u64>,
}

/// What a change of flags did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreOutcome {
    /// Messages left alone because they had changed.
    pub modified: Vec<Uid>,
    /// How many were changed.
    pub changed: u64,
}

/// Changes the flags of up to [`crate::MAX_BATCH`] messages. UIDs that are gone are passed over. In the mailboxes of
/// the review a message cannot be marked `\Deleted` or `\Draft` (S9.1, Điều 9).
pub fn store_flags(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    mailbox: MailboxId,
    uids: &[Uid],
    change: &FlagChange,
) -> Result<StoreOutcome> {
    let account = acting.account();
    let found = mailboxes::mailbox(tx, account, mailbox)?;
    let frozen = Flags::DELETED.with(Flags::DRAFT);
    if found.role.is_review()
        && change.flags.bits() & frozen.bits() != 0
        && change.operation != FlagOperation::Remove
    {
        return Err(RefusalKind::NoRight.into());
    }
    let modseq = state::lock(tx, account)?;
    // A keyword that no message has need not exist to be taken away.
    let keywords = match change.operation {
        FlagOperation::Remove => known_keywords(tx, account, &change.keywords)?,
        FlagOperation::Add | FlagOperation::Replace => resolve_keywords(tx, account, &change.keywords)?,
    };
    let given = FlagSet(bits(change.flags).0 | keywords.0);
    let mut outcome = StoreOutcome::default();
    let (mut unseen, mut tally) = (0, Tally::default());
    for uid in uids {
        let Some((before, at, email)) = tx.query_opt(
            "SELECT flags, modseq, email_id FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 AND uid = ?3",
            &params![account.get(), mailbox.get(), uid.0],
            |r| Ok((r.u64(0)?, r.u64(1)?, r.i64(2)?)),
        )?
        else {
            continue;
        };
        if change.unchanged_since.is_some_and(|limit| at > limit) {
            outcome.modified.push(*uid);
            continue;
        }
        let after = change.operation.apply(FlagSet(before), given).0;
        if after == before {
            continue;
        }
        let seen = u64::from(Flags::SEEN.bits());
        let fewer_seen = i64::from(before & seen != 0) - i64::from(after & seen != 0);
        if fewer_seen != 0 {
            unseen += fewer_seen;
            tally.count(thread_of(tx, account, email)?, 0, fewer_seen);
        }
        outcome.changed += 1;
        tx.execute(
            "UPDATE placement SET flags = ?4, modseq = ?5 WHERE account_id = ?1 AND mailbox_id = ?2 AND uid = ?3",
            &params![account.get(), mailbox.get(), uid.0, after, modseq.0],
        )?;
    }
    if outcome.changed > 0 {
        let threads = tally.apply(tx, account, mailbox)?;
        tx.execute(
            "UPDATE mailbox SET highest_modseq = ?3, unseen = unseen + ?4, unread_threads = unread_threads + ?5
             WHERE account_id = ?1 AND id = ?2",
            &params![account.get(), mailbox.get(), modseq.0, unseen, threads.unseen],
        )?;
    }
    Ok(outcome)
}

fn thread_of(tx: &Tx, account: AccountId, email: i64) -> Result<ThreadId> {
    tx.query_one(
        "SELECT thread_id FROM email WHERE account_id = ?1 AND id = ?2",
        &params![account.get(), email],
        |r| Ok(ThreadId::new(r.i64(0)?)),
    )
}
