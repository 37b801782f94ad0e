//! The worker that keeps the index: off the path of delivery, woken by the change feed, in batches; what it was doing when it
//! ended is done again from the watermark.

use super::pending::{Faults, Pending, Read, pending, read};
use congvu_storage::{Ask, Batch, Changed, Db, Query, SearchIndex, Snapshot, params};
use congvu_types::{AccountId, EmailId, ModSeq, Result};
use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
    time::{Duration, Instant},
};

/// Messages read in one look at the database.
const AT_ONCE: usize = 64;
/// Messages, and bytes of words, that are one commit of the index.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 4 << 20;
/// Messages of an account that are indexed before the next account has its turn.
const A_TURN: usize = 256;
/// Accounts, and documents, compared in one look.
const PAGE: usize = 500;
/// For how long the right to write to the index is taken, and when it is taken anew.
const LEASE: Duration = Duration::from_secs(20);
const RENEW: Duration = Duration::from_secs(5);

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    More,
    /// Everything is indexed.
    Done,
    /// Another process does the work.
    Elsewhere,
}

/// Keeps the index of one database.
#[derive(Debug)]
pub struct Indexer {
    db: Db,
    index: SearchIndex,
    /// Accounts that may have changed.
    due: BTreeSet<AccountId>,
    /// The one that had its turn last: they take turns by their ids.
    last: AccountId,
    /// Accounts that changed again since their work was begun.
    again: BTreeSet<AccountId>,
    /// Work that was begun.
    begun: HashMap<AccountId, Work>,
    /// Whether every account is to be compared with its watermark.
    is_to_look: bool,
    leased: Option<Instant>,
    /// Accounts of which a message could not be read last time.
    faulty: BTreeSet<AccountId>,
}

#[derive(Debug)]
struct Work {
    pending: Pending,
    /// How many of the arrivals are done.
    done: usize,
}

impl Indexer {
    /// Makes a worker. Its first step compares every account with what is indexed of it.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let index = db.search_index();
        Self {
            db,
            index,
            due: BTreeSet::new(),
            last: AccountId::new(0),
            again: BTreeSet::new(),
            begun: HashMap::new(),
            is_to_look: true,
            leased: None,
            faulty: BTreeSet::new(),
        }
    }

    /// Notes which accounts changed.
    pub fn hear(&mut self, changed: Changed) {
        for account in changed.accounts {
            self.is_due(account);
        }
        self.is_to_look |= changed.any;
    }

    fn is_due(&mut self, account: AccountId) {
        self.due.insert(account);
        if self.begun.contains_key(&account) {
            self.again.insert(account);
        }
    }

    /// Makes the next step compare every account with what is indexed of it.
    pub fn look(&mut self) {
        self.is_to_look = true;
    }

    /// Lets another process do the work at once.
    pub async fn give_back(&mut self) -> Result<()> {
        if self.leased.take().is_some() {
            self.index.lease(Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Does a bounded piece of work. After an error the next step tries again.
    pub async fn step(&mut self) -> Result<Step> {
        if !self.may_write().await? {
            return Ok(Step::Elsewhere);
        }
        if self.is_to_look {
            self.find_due().await?;
            self.is_to_look = false;
        }
        let next = self.due.range((Bound::Excluded(self.last), Bound::Unbounded)).next();
        let Some(account) = next.or(self.due.first()).copied() else { return Ok(Step::Done) };
        self.last = account;
        match self.turn(account).await {
            Ok(is_done) => {
                self.faulty.remove(&account);
                if is_done && !self.again.remove(&account) {
                    self.due.remove(&account);
                }
            }
            Err(error) => {
                // What the index holds is read again, and a message that cannot be read is done without.
                self.begun.remove(&account);
                self.faulty.insert(account);
                return Err(error);
            }
        }
        Ok(if self.due.is_empty() { Step::Done } else { Step::More })
    }

    async fn may_write(&mut self) -> Result<bool> {
        if self.leased.is_some_and(|at| at.elapsed() < RENEW) {
            return Ok(true);
        }
        let has = self.index.lease(LEASE).await?;
        if !has {
            // Whoever has it moves the watermarks.
            self.begun.clear();
            self.is_to_look = true;
        }
        self.leased = has.then(Instant::now);
        Ok(has)
    }

    /// Compares every account with its watermark.
    async fn find_due(&mut self) -> Result<()> {
        let mut marks: HashMap<AccountId, ModSeq> = HashMap::new();
        let mut after = Some(AccountId::new(i64::MIN));
        while let Some(from) = after.take() {
            let page = self.index.watermarks(from, PAGE).await?;
            if page.len() == PAGE {
                after = page.last().map(|(account, _)| *account);
            }
            marks.extend(page);
        }
        after = Some(AccountId::new(i64::MIN));
        while let Some(from) = after.take() {
            let page = self.db.read(move |s| states(s, from)).await?;
            if page.len() == PAGE {
                after = page.last().map(|(account, _)| *account);
            }
            let is_due =
                |(account, modseq): &(AccountId, ModSeq)| marks.get(account).is_none_or(|mark| mark < modseq);
            self.due.extend(page.into_iter().filter(is_due).map(|(account, _)| account));
        }
        Ok(())
    }

    /// Works on an account for a while. Returns whether everything of it is indexed.
    async fn turn(&mut self, account: AccountId) -> Result<bool> {
        let mut work = match self.begun.remove(&account) {
            Some(work) => work,
            None => self.begin(account).await?,
        };
        let is_done = self.go_on(account, &mut work).await?;
        if !is_done {
            self.begun.insert(account, work);
        }
        Ok(is_done)
    }

    /// Finds out what is to be done, and takes out first what is gone.
    async fn begin(&self, account: AccountId) -> Result<Work> {
        let watermark = self.index.watermark(account).await?;
        let pending = self.db.read(move |s| pending(s, account, watermark)).await?;
        for some in pending.gone.chunks(BATCH) {
            let batch = Batch { account, add: Vec::new(), remove: some.to_vec(), upto: None };
            self.index.write(batch).await?;
        }
        if pending.needs_sweep {
            self.sweep(account).await?;
        }
        Ok(Work { pending, done: 0 })
    }

    async fn go_on(&self, account: AccountId, work: &mut Work) -> Result<bool> {
        let faults = if self.faulty.contains(&account) { Faults::Told } else { Faults::Raised };
        let until = work.pending.arrivals.len().min(work.done + A_TURN);
        let mut add = Vec::new();
        let mut bytes = 0;
        while work.done < until {
            let next =
                work.pending.arrivals.get(work.done..until.min(work.done + AT_ONCE)).unwrap_or_default();
            let ids: Vec<EmailId> = next.iter().map(|arrival| arrival.email).collect();
            work.done += ids.len();
            let found = self.db.read(move |s| read_some(s, account, &ids, faults)).await?;
            for Read { email, received_at, document } in found {
                bytes += document.fields.iter().map(String::len).sum::<usize>();
                add.push((email, received_at, document));
            }
            if add.len() >= BATCH || bytes >= BATCH_BYTES {
                let add = std::mem::take(&mut add);
                bytes = 0;
                self.index.write(Batch { account, add, remove: Vec::new(), upto: watermark(work) }).await?;
            }
        }
        self.index.write(Batch { account, add, remove: Vec::new(), upto: watermark(work) }).await?;
        Ok(work.done == work.pending.arrivals.len())
    }

    /// Takes out every document whose message is gone, or lies in a mailbox that is.
    async fn sweep(&self, account: AccountId) -> Result<()> {
        let mut behind = None;
        loop {
            let ask = Ask { account, query: Query::All, behind, since: None, before: None, limit: PAGE };
            let hits = self.index.find(ask).await?.hits;
            let Some(last) = hits.last() else { return Ok(()) };
            behind = Some(last.place);
            let ids: Vec<EmailId> = hits.iter().map(|hit| hit.email).collect();
            let remove = self.db.read(move |s| those_gone(s, account, ids)).await?;
            if !remove.is_empty() {
                self.index.write(Batch { account, add: Vec::new(), remove, upto: None }).await?;
            }
        }
    }
}

/// Up to where all is indexed: what came with one modseq may be done in part.
fn watermark(work: &Work) -> Option<ModSeq> {
    match work.pending.arrivals.get(work.done) {
        None => Some(work.pending.upto),
        Some(next) => next.created.checked_sub(1).map(ModSeq),
    }
}

fn states(snapshot: &Snapshot, after: AccountId) -> Result<Vec<(AccountId, ModSeq)>> {
    snapshot.query(
        "SELECT account_id, modseq FROM account_state WHERE account_id > ?1 ORDER BY account_id LIMIT ?2",
        &params![after.get(), PAGE],
        |r| Ok((AccountId::new(r.i64(0)?), ModSeq(r.u64(1)?))),
    )
}

fn read_some(snapshot: &Snapshot, account: AccountId, ids: &[EmailId], faults: Faults) -> Result<Vec<Read>> {
    let read = |id: &EmailId| Ok(read(snapshot, account, *id, faults)?.map(|(read, _)| read));
    ids.iter().filter_map(|id| read(id).transpose()).collect()
}

fn those_gone(snapshot: &Snapshot, account: AccountId, ids: Vec<EmailId>) -> Result<Vec<EmailId>> {
    let mut gone = Vec::new();
    for id in ids {
        let found = snapshot.query_opt(
            "SELECT 1 FROM email e JOIN mailbox m ON m.account_id = e.account_id AND m.id = e.mailbox_id
             WHERE e.account_id = ?1 AND e.id = ?2",
            &params![account.get(), id.get()],
            |_| Ok(()),
        )?;
        if found.is_none() {
            gone.push(id);
        }
    }
    Ok(gone)
}
