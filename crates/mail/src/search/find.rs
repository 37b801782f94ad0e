//! The search itself: what the index finds, and what is not in it yet, checked against the rows and in order.

use super::{
    exact::holds,
    expression::Expression,
    pending::{Tail, tail},
};
use crate::{EmailPlace, FlagSet, email_places};
use congvu_directory::{Acting, right};
use congvu_storage::{Answer, Ask, Db, Place, Snapshot};
use congvu_types::{AccountId, EmailId, MailboxId, ModSeq, RefusalKind, Result, Timestamp};
use std::collections::{HashSet, VecDeque};

/// A search finds no more messages than this at once.
pub const MOST_FOUND: usize = 10_000;
/// So many of the newest that fit are put in order when exact ones come first.
const RANKED: usize = 1_000;
/// Hits asked of the index at once.
const PAGES: [usize; 2] = [64, 2_000];
/// Hits that one search looks at for some that lie where they are wanted.
const MOST_SEEN: usize = 200_000;

/// Which messages, besides what stands in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// In one of these mailboxes; in any when absent.
    pub mailboxes: Option<Vec<MailboxId>>,
    /// In none of these.
    pub not_mailboxes: Vec<MailboxId>,
    /// Received at this instant or later.
    pub since: Option<Timestamp>,
    /// Received before this.
    pub before: Option<Timestamp>,
    /// With all of these flags.
    pub has: FlagSet,
    /// Without any of these flags.
    pub lacks: FlagSet,
}

impl Scope {
    fn holds(&self, place: &EmailPlace) -> bool {
        self.mailboxes.as_ref().is_none_or(|some| some.contains(&place.mailbox))
            && !self.not_mailboxes.contains(&place.mailbox)
            && place.flags.0 & self.has.0 == self.has.0
            && place.flags.0 & self.lacks.0 == 0
    }

    fn is_when(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.before.is_none_or(|before| at < before)
    }

    /// Whether rows must be read for it.
    fn is_narrow(&self) -> bool {
        self.mailboxes.is_some() || !self.not_mailboxes.is_empty() || self.has.0 | self.lacks.0 != 0
    }
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What stands in the messages.
    pub expression: Expression,
    /// Which messages.
    pub scope: Scope,
    /// Whether those come first that hold the words with just these accents, among the newest thousand.
    pub exact_first: bool,
    /// At most so many.
    pub limit: usize,
    /// Whether the caller looks at the rows itself: what is gone may then be among what is found, if no scope is given that rows are
    /// read for.
    pub is_checked_later: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The messages, the newest first, or exact ones before the others.
    pub emails: Vec<EmailId>,
    /// Whether there may be more.
    pub has_more: bool,
    /// Whether everything was looked at; if not, the index is being made.
    pub is_whole: bool,
}

/// A message that fits by its words.
#[derive(Debug, Clone)]
struct Candidate {
    email: EmailId,
    received_at: Timestamp,
    note: Vec<u8>,
}

/// Searches an account. Nothing that was delivered before is missed because it is not indexed yet.
pub async fn search(db: &Db, acting: &Acting<right::Read>, search: &Search) -> Result<Found> {
    if !search.expression.is_within_limits() {
        return Err(RefusalKind::TooMany.into());
    }
    let account = acting.account();
    let keys = search.expression.accented();
    let ranks = search.exact_first && !keys.is_empty();
    let limit = search.limit.min(MOST_FOUND);
    let mut source = Source::open(db, account, search, if ranks { RANKED } else { 0 }.max(limit)).await?;
    let mut found = Found { is_whole: source.is_whole, ..Found::default() };
    loop {
        let mut page = source.next(db).await?;
        let is_last = page.is_empty();
        if ranks {
            // Stable: those that are exact come first, both newest first.
            page.sort_by_key(|candidate| !holds(&candidate.note, &keys));
        }
        if search.is_checked_later && !search.scope.is_narrow() {
            found.emails.extend(page.drain(..).map(|candidate| candidate.email));
        }
        for some in page.chunks(PAGES[0]) {
            let ids: Vec<EmailId> = some.iter().map(|c| c.email).collect();
            let places = db.read_quick(move |s| email_places(s, account, &ids)).await?;
            found.emails.extend(places.iter().filter(|p| search.scope.holds(p)).map(|p| p.id));
            if found.emails.len() > limit {
                break;
            }
        }
        found.has_more = found.emails.len() > limit;
        if is_last || found.has_more {
            found.emails.truncate(limit);
            return Ok(found);
        }
        if source.seen >= MOST_SEEN {
            (found.is_whole, found.has_more) = (false, true);
            return Ok(found);
        }
    }
}

/// Candidates by pages, the newest first: of the index, and of what is not in it.
struct Source<'s> {
    search: &'s Search,
    account: AccountId,
    /// Read from the index and not given yet.
    ready: Vec<Candidate>,
    behind: Option<Place>,
    is_at_end: bool,
    /// Those that are not in the index, the newest first.
    tail: VecDeque<Candidate>,
    from_tail: HashSet<EmailId>,
    is_whole: bool,
    seen: usize,
}

impl<'s> Source<'s> {
    async fn open(db: &Db, account: AccountId, search: &'s Search, first: usize) -> Result<Self> {
        let mut source = Self {
            search,
            account,
            ready: Vec::new(),
            behind: None,
            is_at_end: false,
            tail: VecDeque::new(),
            from_tail: HashSet::new(),
            is_whole: true,
            seen: 0,
        };
        let size = if search.scope.is_narrow() { first.max(PAGES[1]) } else { first + 1 };
        // The index is asked first: what is indexed meanwhile is then found twice, and never missed.
        let upto = match source.ask(db, size).await {
            Ok(upto) => upto,
            Err(error) => {
                tracing::error!(%error, "the search index cannot be used; only the newest messages are searched");
                source.is_at_end = true;
                ModSeq(0)
            }
        };
        let Tail { messages, is_whole } = db.read(move |s| tail(s, account, upto)).await?;
        source.is_whole = is_whole;
        let fitting = messages
            .into_iter()
            .filter(|read| search.scope.is_when(read.received_at) && search.expression.fits(&read.document));
        let mut tail: Vec<Candidate> = fitting
            .map(|read| Candidate {
                email: read.email,
                received_at: read.received_at,
                note: read.document.note,
            })
            .collect();
        tail.sort_by_key(|c| std::cmp::Reverse((c.received_at, c.email)));
        source.from_tail = tail.iter().map(|c| c.email).collect();
        source.tail = tail.into();
        Ok(source)
    }

    /// Asks the index for more. Returns its watermark.
    async fn ask(&mut self, db: &Db, limit: usize) -> Result<ModSeq> {
        let ask = Ask {
            account: self.account,
            query: self.search.expression.query(),
            behind: self.behind,
            since: self.search.scope.since,
            before: self.search.scope.before,
            limit,
        };
        let Answer { hits, upto } = db.search_index().find(ask).await?;
        self.seen += hits.len();
        self.is_at_end = hits.len() < limit;
        self.behind = hits.last().map(|hit| hit.place).or(self.behind);
        self.ready.extend(hits.into_iter().map(|hit| Candidate {
            email: hit.email,
            received_at: hit.received_at,
            note: hit.note,
        }));
        Ok(upto)
    }

    /// The next candidates; none at the end.
    async fn next(&mut self, db: &Db) -> Result<Vec<Candidate>> {
        if self.ready.is_empty() && !self.is_at_end {
            self.ask(db, PAGES[1]).await?;
        }
        let mut page = std::mem::take(&mut self.ready);
        page.retain(|candidate| !self.from_tail.contains(&candidate.email));
        // What is not indexed comes in where it belongs.
        let oldest = page.last().map(|c| c.received_at).filter(|_| !self.is_at_end);
        while let Some(next) = self.tail.pop_front() {
            if oldest.is_some_and(|oldest| next.received_at < oldest) {
                self.tail.push_front(next);
                break;
            }
            page.push(next);
        }
        page.sort_by_key(|c| std::cmp::Reverse((c.received_at, c.email)));
        Ok(page)
    }
}

/// What the index says of a whole account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// Every message that fits, of those that are indexed.
    pub emails: HashSet<EmailId>,
    /// Messages that changed at a later modseq may not be indexed yet.
    pub upto: ModSeq,
}

/// Returns every indexed message that fits, up to a million. `None`: more fit, or the index cannot be used.
pub async fn indexed(
    db: &Db,
    acting: &Acting<right::Read>,
    expression: &Expression,
) -> Result<Option<Indexed>> {
    const MOST: usize = 1_000_000;
    const PAGE: usize = 20_000;
    if !expression.is_within_limits() {
        return Ok(None);
    }
    let mut found: Option<Indexed> = None;
    let mut behind = None;
    loop {
        let (account, query) = (acting.account(), expression.query());
        let ask = Ask { account, query, behind, since: None, before: None, limit: PAGE };
        let Answer { hits, upto } = match db.search_index().find(ask).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "the search index cannot be used; messages are read instead");
                return Ok(None);
            }
        };
        let all = found.get_or_insert_with(|| Indexed { emails: HashSet::new(), upto });
        behind = hits.last().map(|hit| hit.place);
        all.emails.extend(hits.iter().map(|hit| hit.email));
        if hits.len() < PAGE {
            return Ok(found);
        }
        if all.emails.len() >= MOST {
            return Ok(None);
        }
    }
}

/// Returns those of some messages that lie in a mailbox, as their UIDs.
pub fn uids_in(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    mailbox: MailboxId,
    emails: &HashSet<EmailId>,
) -> Result<HashSet<u32>> {
    let account = acting.account();
    // A look for each costs as much as reading some twenty narrow rows in a row.
    let total = crate::mailbox(snapshot, account, mailbox)?.total;
    if (emails.len() as u64) < total / 20 {
        let ids: Vec<EmailId> = emails.iter().copied().collect();
        let places = email_places(snapshot, account, &ids)?;
        return Ok(places.into_iter().filter(|p| p.mailbox == mailbox).map(|p| p.uid.0).collect());
    }
    let mut found = HashSet::new();
    snapshot.each(
        "SELECT uid, email_id FROM placement WHERE account_id = ?1 AND mailbox_id = ?2",
        &congvu_storage::params![account.get(), mailbox.get()],
        |r| {
            if emails.contains(&EmailId::new(r.i64(1)?)) {
                found.insert(r.u32(0)?);
            }
            Ok(true)
        },
    )?;
    Ok(found)
}
