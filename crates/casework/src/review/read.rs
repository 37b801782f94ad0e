//! Reading reviews: who may see which, lists by pages, history.

use super::{Envelope, state::ReviewState};
use congvu_directory::{
    Acting, RightKind, SignedIn, accounts_of, act_for, person, regulation_of, right, still_signed_in,
};
use congvu_message::MessageDigest;
use congvu_storage::{BlobHash, Row, Snapshot, Tx, params};
use congvu_types::{
    AccountId, AgencyId, Citation, EmailId, Error, MailboxId, PersonId, RefusalKind, Result, ReviewId,
    SubmissionId, Timestamp, Uid,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A rule that a held message touches, shown to author and reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// The address that the rule speaks of.
    pub address: String,
    /// Whether it stands in `Reply-To`, so that answers go there.
    #[serde(default)]
    pub is_reply_to: bool,
    /// The article.
    pub citation: Citation,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The id.
    pub id: ReviewId,
    /// The account that sends.
    pub account: AccountId,
    /// Its agency.
    pub agency: AgencyId,
    /// Who wrote it.
    pub author: PersonId,
    /// Their name then.
    pub author_name: String,
    /// Where it stands.
    pub state: ReviewState,
    /// The mailbox it lies in.
    pub mailbox: MailboxId,
    /// That mailbox's UIDVALIDITY.
    pub uidvalidity: u32,
    /// Its UID there.
    pub uid: Uid,
    /// The stored message.
    pub email: EmailId,
    /// The name of its bytes.
    pub blob: BlobHash,
    /// Its size.
    pub size_bytes: u64,
    /// The subject.
    pub subject: String,
    /// `Message-ID` without brackets.
    pub message_id: Option<String>,
    /// What is to be decided on: headers, body, each attachment.
    pub digest: MessageDigest,
    /// The envelope, blind recipients included.
    pub envelope: Envelope,
    /// The article that demands the review.
    pub citation: Citation,
    /// Rules that it touches.
    pub hits: Vec<RuleHit>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// By when a decision is due; `None` when there is no deadline or nobody left to pass it to.
    pub due_at: Option<Timestamp>,
    /// How often it was passed on.
    pub level: u32,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom.
    pub decider: Option<(PersonId, String)>,
    /// What they said.
    pub comment: Option<String>,
    /// The submission that it came from, for who sends by JMAP.
    pub submission: Option<SubmissionId>,
    /// When it leaves at the earliest.
    pub not_before: Option<Timestamp>,
    /// Whether it was approved and waits for that time.
    pub is_waiting: bool,
}

/// One step of a review's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Who; `None` is the system.
    pub person: Option<PersonId>,
    /// Their name then.
    pub actor: String,
    /// What: `submitted`, `viewed`, `approved`, `returned`, `rejected`, `withdrawn`, `passed-on`.
    pub step: String,
    /// What they said.
    pub comment: Option<String>,
}

/// Which reviews a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Those that wait on accounts that the person reviews, or that were passed on to them.
    Awaiting,
    /// Those that are decided, on the same accounts.
    Decided,
    /// Those that the person wrote.
    Mine,
}

/// How a digest is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredDigest {
    whole: String,
    headers: String,
    body: String,
    attachments: Vec<String>,
}

impl StoredDigest {
    pub(super) fn of(digest: &MessageDigest) -> Self {
        let MessageDigest { whole, headers, body, attachments } = digest.clone();
        Self { whole, headers, body, attachments }
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::fault("reading a review", e))
}

fn row(r: &Row<'_>) -> Result<Review> {
    let state = r.text(5)?;
    let StoredDigest { whole, headers, body, attachments } = from_json(&r.text(14)?)?;
    Ok(Review {
        account: AccountId::new(r.i64(0)?),
        id: ReviewId::new(r.i64(1)?),
        agency: AgencyId::new(r.i64(2)?),
        author: PersonId::new(r.i64(3)?),
        author_name: r.text(4)?,
        state: ReviewState::by_name(&state).ok_or_else(|| Error::fault("reading a review", state))?,
        mailbox: MailboxId::new(r.i64(6)?),
        uidvalidity: r.u32(7)?,
        uid: Uid(r.u32(8)?),
        email: EmailId::new(r.i64(9)?),
        blob: BlobHash::from_slice(&r.bytes(10)?)?,
        size_bytes: r.u64(11)?,
        subject: r.text(12)?,
        message_id: r.opt_text(13)?,
        digest: MessageDigest { whole, headers, body, attachments },
        envelope: from_json(&r.text(15)?)?,
        citation: from_json(&r.text(16)?)?,
        hits: from_json(&r.text(17)?)?,
        submitted_at: Timestamp(r.i64(18)?),
        due_at: r.opt_i64(19)?.map(Timestamp),
        level: r.u32(20)?,
        decided_at: r.opt_i64(21)?.map(Timestamp),
        decider: r.opt_i64(22)?.map(PersonId::new).zip(r.opt_text(23)?),
        comment: r.opt_text(24)?,
        submission: r.opt_i64(25)?.map(SubmissionId::new),
        not_before: r.opt_i64(26)?.map(Timestamp),
        is_waiting: r.i64(27)? != 0,
    })
}

/// Returns a review, the system reading.
pub(super) fn get(snapshot: &Snapshot, id: ReviewId) -> Result<Option<Review>> {
    stored(snapshot, id)?.transpose()
}

/// Reads a review. The outer error is the database's; the inner one is that the row makes no sense.
fn stored(snapshot: &Snapshot, id: ReviewId) -> Result<Option<Result<Review>>> {
    snapshot.query_opt(
        "SELECT account_id, id, agency_id, author_id, author_name, state, mailbox_id, uidvalidity, uid, email_id,
            blob_hash, size, subject, message_id, digest, envelope, citation, hits, submitted_at, due_at, level,
            decided_at, decider_id, decider_name, comment, submission_id, not_before, is_waiting
         FROM review WHERE id = ?1",
        &params![id.get()],
        |r| Ok(row(r)),
    )
}

/// Returns the reviews of a list; one whose row cannot be read is left out alone, and the log names it.
pub(super) fn readable(snapshot: &Snapshot, ids: &[ReviewId]) -> Result<Vec<Review>> {
    let mut reviews = Vec::with_capacity(ids.len());
    for id in ids {
        match stored(snapshot, *id)? {
            Some(Ok(review)) => reviews.push(review),
            Some(Err(error)) => tracing::error!(%error, review = %id, "a review cannot be read"),
            None => {}
        }
    }
    Ok(reviews)
}

/// Returns a review for an operator, who sees its facts and never its text.
pub fn operator_open(snapshot: &Snapshot, id: ReviewId) -> Result<Review> {
    get(snapshot, id)?.ok_or_else(|| RefusalKind::NotFound.into())
}

/// Returns up to `limit` reviews for an operator, newest first: those that wait, or all of them; of one account or of all.
pub fn operator_list(
    snapshot: &Snapshot,
    account: Option<AccountId>,
    decided_too: bool,
    limit: usize,
) -> Result<Vec<Review>> {
    let ids = snapshot.query(
        "SELECT id FROM review WHERE (?1 = 0 OR account_id = ?1) AND (?2 = 1 OR state = 'awaiting')
         ORDER BY id DESC LIMIT ?3",
        &params![account.map_or(0, AccountId::get), decided_too, limit],
        |r| Ok(ReviewId::new(r.i64(0)?)),
    )?;
    readable(snapshot, &ids)
}

/// Returns how many reviews wait in all, for the figures.
pub fn waiting_count(snapshot: &Snapshot) -> Result<u64> {
    snapshot.query_one("SELECT COUNT(*) FROM review WHERE state = 'awaiting'", &[], |r| r.u64(0))
}

/// Returns a review that the person may see: its author, who may read or review the account, and a deputy.
pub fn open(snapshot: &Snapshot, who: &SignedIn, id: ReviewId) -> Result<Review> {
    still_signed_in(snapshot, who)?;
    let review = get(snapshot, id)?.ok_or(RefusalKind::NotFound)?;
    let may_see = review.author == who.person()
        || act_for::<right::Read>(snapshot, who, review.account).is_ok()
        || may_decide(snapshot, who, &review)?;
    if may_see { Ok(review) } else { Err(RefusalKind::NotFound.into()) }
}

/// Returns the review of the message at a place of an account.
pub fn review_at(
    snapshot: &Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    uid: Uid,
) -> Result<Option<Review>> {
    let Some(message) = congvu_mail::message(snapshot, account, mailbox, uid)? else { return Ok(None) };
    match id_of_email(snapshot, account, message.email)? {
        Some(id) => get(snapshot, id),
        None => Ok(None),
    }
}

/// Returns a review of an account, for a part of the core that shows it to who may read the account.
pub fn review_facts(snapshot: &Snapshot, account: AccountId, id: ReviewId) -> Result<Option<Review>> {
    Ok(get(snapshot, id)?.filter(|review| review.account == account))
}

/// Returns the id of the review of a stored message.
pub(super) fn id_of_email(
    snapshot: &Snapshot,
    account: AccountId,
    email: EmailId,
) -> Result<Option<ReviewId>> {
    snapshot.query_opt(
        "SELECT id FROM review WHERE account_id = ?1 AND email_id = ?2",
        &params![account.get(), email.get()],
        |r| Ok(ReviewId::new(r.i64(0)?)),
    )
}

/// Returns whether the person holds the power to decide: the right to review, or being a deputy it was passed to.
pub(super) fn may_decide(snapshot: &Snapshot, who: &SignedIn, review: &Review) -> Result<bool> {
    Ok(may_review(snapshot, who, review.account)? || is_deputy(snapshot, who, review)?)
}

fn may_review(snapshot: &Snapshot, who: &SignedIn, account: AccountId) -> Result<bool> {
    match act_for::<right::Review>(snapshot, who, account) {
        Ok(_) => Ok(true),
        Err(Error::Refused(no)) if matches!(no.kind, RefusalKind::NoRight | RefusalKind::NotFound) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// S9.1 (Điều 9): a review that was passed on is decided by who holds a deputy's position today, whoever held it then.
fn is_deputy(snapshot: &Snapshot, who: &SignedIn, review: &Review) -> Result<bool> {
    if who.scope().is_some_and(|scope| scope != review.account) || who.agency() != review.agency {
        return Ok(false);
    }
    Ok(deputy_from(snapshot, who)?.is_some_and(|level| level <= review.level))
}

/// From which level on a review reaches the position that the person holds now; `None` when no deputy's.
fn deputy_from(snapshot: &Snapshot, who: &SignedIn) -> Result<Option<u32>> {
    let Some(now) = person(snapshot, who.person())?.filter(|p| p.is_active) else { return Ok(None) };
    let regulation = regulation_of(snapshot, now.agency)?;
    let deputies = regulation.outgoing_review.as_ref().map(|r| r.deputies.as_slice()).unwrap_or_default();
    let place = deputies.iter().position(|deputy| now.position.as_ref() == Some(deputy));
    Ok(place.and_then(|place| u32::try_from(place + 1).ok()))
}

/// Returns whether the person may decide on this review now.
pub fn can_decide(snapshot: &Snapshot, who: &SignedIn, review: &Review) -> Result<bool> {
    Ok(review.state == ReviewState::Awaiting
        && review.author != who.person()
        && may_decide(snapshot, who, review)?)
}

/// Returns up to `limit` reviews older than `before`, newest first.
pub fn list(
    snapshot: &Snapshot,
    who: &SignedIn,
    filter: Filter,
    before: Option<ReviewId>,
    limit: usize,
) -> Result<Vec<Review>> {
    still_signed_in(snapshot, who)?;
    let mut before = before.map_or(i64::MAX, ReviewId::get);
    let mut found = Vec::new();
    loop {
        let wanted = limit - found.len();
        let ids = page(snapshot, who, filter, before, wanted)?;
        found.extend(readable(snapshot, &ids)?);
        // A page is full although some could not be read, so that what is older is seen.
        match ids.last() {
            Some(last) if ids.len() == wanted && found.len() < limit => before = last.get(),
            _ => return Ok(found),
        }
    }
}

fn page(
    snapshot: &Snapshot,
    who: &SignedIn,
    filter: Filter,
    before: i64,
    limit: usize,
) -> Result<Vec<ReviewId>> {
    let mut ids = Vec::new();
    if filter == Filter::Mine {
        ids = snapshot.query(
            "SELECT id FROM review WHERE author_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            &params![who.person().get(), before, limit],
            |r| Ok(ReviewId::new(r.i64(0)?)),
        )?;
    } else {
        for account in reviewed_accounts(snapshot, who)? {
            ids.extend(ids_of(snapshot, account, filter, before, limit)?);
        }
        ids.extend(passed_on(snapshot, who, filter, before, limit)?);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    ids.truncate(limit);
    Ok(ids)
}

fn reviewed_accounts(snapshot: &Snapshot, who: &SignedIn) -> Result<Vec<AccountId>> {
    let all = accounts_of(snapshot, who)?;
    Ok(all.into_iter().filter(|a| a.rights.has(RightKind::Review)).map(|a| a.account.id).collect())
}

fn ids_of(
    snapshot: &Snapshot,
    account: AccountId,
    filter: Filter,
    before: i64,
    limit: usize,
) -> Result<Vec<ReviewId>> {
    let sql = match filter {
        Filter::Awaiting => {
            "SELECT id FROM review WHERE account_id = ?1 AND state = 'awaiting' AND id < ?2 ORDER BY id DESC LIMIT ?3"
        }
        Filter::Decided | Filter::Mine => {
            "SELECT id FROM review WHERE account_id = ?1 AND state <> 'awaiting' AND id < ?2 ORDER BY id DESC LIMIT ?3"
        }
    };
    snapshot.query(sql, &params![account.get(), before, limit], |r| Ok(ReviewId::new(r.i64(0)?)))
}

fn passed_on(
    snapshot: &Snapshot,
    who: &SignedIn,
    filter: Filter,
    before: i64,
    limit: usize,
) -> Result<Vec<ReviewId>> {
    if who.scope().is_some() {
        return Ok(Vec::new());
    }
    let Some(level) = deputy_from(snapshot, who)? else { return Ok(Vec::new()) };
    // The index is over `level > 0`; every deputy's level is at least 1.
    let sql = match filter {
        Filter::Awaiting => {
            "SELECT id FROM review WHERE agency_id = ?1 AND level > 0 AND level >= ?2 AND author_id <> ?3 AND id < ?4
                AND state = 'awaiting' ORDER BY id DESC LIMIT ?5"
        }
        Filter::Decided | Filter::Mine => {
            "SELECT id FROM review WHERE agency_id = ?1 AND level > 0 AND level >= ?2 AND author_id <> ?3 AND id < ?4
                AND state <> 'awaiting' ORDER BY id DESC LIMIT ?5"
        }
    };
    let given = params![who.agency().get(), level, who.person().get(), before, limit];
    snapshot.query(sql, &given, |r| Ok(ReviewId::new(r.i64(0)?)))
}

/// Returns how many reviews the person could decide on now.
pub fn pending_count(snapshot: &Snapshot, who: &SignedIn) -> Result<u64> {
    let mut count = 0;
    for account in reviewed_accounts(snapshot, who)? {
        count += snapshot.query_one(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM review
             WHERE account_id = ?1 AND state = 'awaiting' AND author_id <> ?2",
            &params![account.get(), who.person().get()],
            |r| r.u64(0),
        )?;
    }
    let passed_on = passed_on(snapshot, who, Filter::Awaiting, i64::MAX, 1000)?;
    for review in readable(snapshot, &passed_on)? {
        count += u64::from(!may_review(snapshot, who, review.account)?);
    }
    Ok(count)
}

/// Returns how many reviews of an account wait.
pub fn review_count(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<u64> {
    snapshot.query_one(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM review WHERE account_id = ?1 AND state = 'awaiting'",
        &params![acting.account().get()],
        |r| r.u64(0),
    )
}

/// Returns the steps of a review that the person may see ([`open`] first), oldest first.
pub fn history(snapshot: &Snapshot, review: &Review) -> Result<Vec<Step>> {
    snapshot.query(
        "SELECT at, person_id, actor, step, comment FROM review_step
         WHERE account_id = ?1 AND review_id = ?2 ORDER BY seq LIMIT 1000",
        &params![review.account.get(), review.id.get()],
        |r| {
            Ok(Step {
                at: Timestamp(r.i64(0)?),
                person: r.opt_i64(1)?.map(PersonId::new),
                actor: r.text(2)?,
                step: r.text(3)?,
                comment: r.opt_text(4)?,
            })
        },
    )
}

/// Writes a step of the history.
pub(super) fn add_step(
    tx: &mut Tx,
    (account, review): (AccountId, ReviewId),
    who: Option<(PersonId, &str)>,
    step: &str,
    comment: Option<&str>,
) -> Result<()> {
    let (seq, at) = (tx.new_id(), tx.now());
    tx.execute(
        "INSERT INTO review_step (account_id, review_id, seq, at, person_id, actor, step, comment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &params![
            account.get(),
            review.get(),
            seq,
            at,
            who.map(|(person, _)| person.get()),
            who.map_or("", |(_, name)| name),
            step,
            comment
        ],
    )?;
    Ok(())
}
