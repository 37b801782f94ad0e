//! The automatic answer of an account whose people are away (RFC 8621 §8, RFC 3834, RFC 5230).
//!
//! A delivery notes no more than that a message came (`arrived`); a worker answers ([`step`]), by the gate that everything
//! passes. An account under review does not answer by itself: nobody would decide on what it says (S9.1, Điều 9; test:
//! `an_account_under_review_does_not_answer_by_itself`).

mod rules;

use crate::{
    Site, identity,
    outgoing::{Kind, next},
    queue,
};
use congvu_casework::review;
use congvu_directory::{Acting, account, right};
use congvu_message::{Answer, headers};
use congvu_storage::{Actor, BlobHash, Chain, Db, Event, Row, Snapshot, Tx, params};
use congvu_types::{
    AccountId, EmailAddress, JobId, Language, Refusal, RefusalKind, Result, Timestamp, sentence,
};
use std::time::Duration;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vacation {
    /// Whether it answers.
    pub is_enabled: bool,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when.
    pub to: Option<Timestamp>,
    /// The subject; one is made when there is none.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
}

/// A text is so long at most.
const LONGEST_TEXT: usize = 64 * 1024;
/// A subject is so long at most.
const LONGEST_SUBJECT: usize = 500;
/// RFC 5230 §4.1: the same sender is answered once in seven days.
const ONCE_IN: Duration = Duration::from_secs(7 * 24 * 3600);
/// What came longer ago than this is not answered any more.
const STALE: Duration = Duration::from_secs(24 * 3600);

fn row(r: &Row<'_>) -> Result<Vacation> {
    Ok(Vacation {
        is_enabled: r.i64(0)? != 0,
        from: r.opt_i64(1)?.map(Timestamp),
        to: r.opt_i64(2)?.map(Timestamp),
        subject: r.opt_text(3)?,
        text: r.opt_text(4)?,
        html: r.opt_text(5)?,
    })
}

fn settings(snapshot: &Snapshot, account: AccountId) -> Result<Option<Vacation>> {
    snapshot.query_opt(
        "SELECT enabled, from_at, to_at, subject, text_body, html_body FROM vacation WHERE account_id = ?1",
        &params![account.get()],
        row,
    )
}

/// Returns the settings of an account.
pub fn vacation(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<Vacation> {
    Ok(settings(snapshot, acting.account())?.unwrap_or_default())
}

/// Changes the settings, for who manages the account: it answers in everybody's name.
///
/// # Errors
/// The account is under review ([`RefusalKind::NeedsReview`], with the article), or a value is not allowed.
pub fn set_vacation(tx: &mut Tx, acting: &Acting<right::Manage>, to: &Vacation) -> Result<()> {
    let account = acting.account();
    if to.is_enabled {
        review::may_answer_by_itself(tx, account)?;
    }
    check(to)?;
    let details = serde_json::json!({ "enabled": to.is_enabled, "from": to.from, "to": to.to });
    let subject = account.to_string();
    tx.record(Chain::Account(account), &Event { name: "vacation.set", subject, citation: None, details })?;
    tx.execute(
        "INSERT INTO vacation (account_id, enabled, from_at, to_at, subject, text_body, html_body, person_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account_id) DO UPDATE SET enabled = excluded.enabled, from_at = excluded.from_at,
            to_at = excluded.to_at, subject = excluded.subject, text_body = excluded.text_body,
            html_body = excluded.html_body, person_id = excluded.person_id",
        &params![
            account.get(),
            to.is_enabled,
            to.from,
            to.to,
            to.subject.clone(),
            to.text.clone(),
            to.html.clone(),
            acting.person().get()
        ],
    )?;
    next(tx, account, Kind::Vacation).map(drop)
}

fn check(to: &Vacation) -> Result<()> {
    let is_text = |text: &Option<String>| {
        text.as_ref().is_none_or(|text| text.len() <= LONGEST_TEXT && !text.contains('\0'))
    };
    let is_subject =
        to.subject.as_ref().is_none_or(|s| s.len() <= LONGEST_SUBJECT && !s.chars().any(char::is_control));
    let is_span = to.from.zip(to.to).is_none_or(|(from, to)| from < to);
    let checks = [
        ("subject", is_subject),
        ("textBody", is_text(&to.text)),
        ("htmlBody", is_text(&to.html)),
        ("toDate", is_span),
    ];
    match checks.iter().find(|(_, is_right)| !is_right) {
        Some((key, _)) => Err(Refusal::new(RefusalKind::InvalidValue).with("key", key).into()),
        None => Ok(()),
    }
}

fn is_on(vacation: &Vacation, at: Timestamp) -> bool {
    vacation.is_enabled && vacation.from.is_none_or(|from| from <= at) && vacation.to.is_none_or(|to| at < to)
}

/// Notes that a message came to an account that answers by itself now. One lookup a delivery; the rest is a worker's.
pub(crate) fn arrived(tx: &mut Tx, account: AccountId, sender: &EmailAddress, blob: &BlobHash) -> Result<()> {
    let now = tx.now();
    if !settings(tx, account)?.is_some_and(|vacation| is_on(&vacation, now)) {
        return Ok(());
    }
    let id = tx.new_id();
    tx.execute(
        "INSERT INTO vacation_job (id, account_id, sender, blob_hash, arrived_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &params![id, account.get(), sender.to_string(), blob.as_bytes(), now],
    )?;
    Ok(())
}

/// A message that may be answered.
struct Job {
    id: JobId,
    account: AccountId,
    sender: Option<EmailAddress>,
    blob: BlobHash,
    arrived_at: Timestamp,
}

const ACTOR: Actor = Actor::System("vacation");

/// Answers the message that has waited longest, if there is one and it is to be answered; returns whether there was one. A
/// message that cannot be answered is let go: no answer is better than one that comes again and again.
pub async fn step(db: &Db, site: &Site) -> Result<bool> {
    let Some(job) = db.read_quick(oldest).await? else { return Ok(false) };
    let id = job.id;
    let written = match db.read(move |s| write(s, &job)).await {
        Ok(written) => written,
        Err(error) => {
            tracing::warn!(%error, job = %id, "an automatic answer is left out");
            None
        }
    };
    let site = site.clone();
    let sent = db.write(ACTOR, move |tx| send(tx, &site, id, written.as_ref())).await;
    if let Err(error) = sent {
        tracing::warn!(%error, job = %id, "an automatic answer is left out");
        db.write(ACTOR, move |tx| end(tx, id).map(drop)).await?;
    }
    Ok(true)
}

fn oldest(snapshot: &Snapshot) -> Result<Option<Job>> {
    snapshot.query_opt(
        "SELECT id, account_id, sender, blob_hash, arrived_at FROM vacation_job ORDER BY id LIMIT 1",
        &[],
        |r| {
            Ok(Job {
                id: JobId::new(r.i64(0)?),
                account: AccountId::new(r.i64(1)?),
                sender: r.text(2)?.parse().ok(),
                blob: BlobHash::from_slice(&r.bytes(3)?)?,
                arrived_at: Timestamp(r.i64(4)?),
            })
        },
    )
}

/// An answer, written.
#[derive(Clone)]
struct Written {
    account: AccountId,
    from: EmailAddress,
    from_name: String,
    to: EmailAddress,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    /// The header of what is answered.
    original: Vec<u8>,
}

/// Writes the answer, when the message is one to be answered.
fn write(snapshot: &Snapshot, job: &Job) -> Result<Option<Written>> {
    let Some(sender) = &job.sender else { return Ok(None) };
    let now = snapshot.now();
    let vacation = settings(snapshot, job.account)?.filter(|v| is_on(v, now));
    let Some(vacation) = vacation.filter(|_| now.since(job.arrived_at) < STALE) else { return Ok(None) };
    let account = account(snapshot, job.account)?;
    let raw = snapshot.blob(&job.blob)?;
    if !rules::may_answer(&raw, sender, &account.address) {
        return Ok(None);
    }
    let name = identity::name(snapshot, job.account)?;
    let subject = headers::get(&raw, "Subject").map(|f| headers::decode(f.value)).unwrap_or_default();
    let address = account.address.to_string();
    let values = [("subject", subject.as_str()), ("name", name.as_str()), ("address", address.as_str())];
    // RFC 8621 §8: without texts the server finds some.
    let own = || sentence(Language::Vietnamese, "vacation.text", &values);
    let text = vacation.text.or_else(|| vacation.html.is_none().then(own));
    let header = headers::split(&raw).0;
    Ok(Some(Written {
        account: job.account,
        to: sender.clone(),
        subject: vacation
            .subject
            .unwrap_or_else(|| sentence(Language::Vietnamese, "vacation.subject", &values)),
        text,
        html: vacation.html,
        original: raw.get(header).unwrap_or_default().to_vec(),
        from: account.address,
        from_name: name.clone(),
    }))
}

/// Ends the job, and sends its answer when this sender has had none for long enough.
fn send(tx: &mut Tx, site: &Site, job: JobId, written: Option<&Written>) -> Result<()> {
    // Another node may have been quicker.
    if !end(tx, job)? {
        return Ok(());
    }
    let Some(written) = written else { return Ok(()) };
    let (account, now) = (written.account, tx.now());
    let is_due = tx.execute(
        "INSERT INTO vacation_sent (account_id, address_key, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (account_id, address_key) DO UPDATE SET at = excluded.at WHERE vacation_sent.at <= ?4",
        &params![account.get(), written.to.key(), now, now.before(ONCE_IN)],
    )?;
    if is_due == 0 {
        return Ok(());
    }
    let answer = Answer {
        from: &written.from,
        from_name: &written.from_name,
        to: &written.to,
        subject: &written.subject,
        text: written.text.as_deref(),
        html: written.html.as_deref(),
        original: &written.original,
        at: now,
        unique: &format!("{job}.answer"),
    };
    let cleared = review::clear_automatic(tx, account, &answer)?;
    queue::enqueue(tx, site, cleared).map(drop)
}

fn end(tx: &mut Tx, job: JobId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM vacation_job WHERE id = ?1", &params![job.get()])? == 1)
}

/// Forgets up to `limit` senders who may be answered again anyhow. Returns how many.
pub fn forget_answered(tx: &mut Tx, limit: usize) -> Result<usize> {
    let before = tx.now().before(ONCE_IN);
    let old = tx.query(
        "SELECT account_id, address_key FROM vacation_sent WHERE at < ?1 ORDER BY at LIMIT ?2",
        &params![before, limit],
        |r| Ok((r.i64(0)?, r.text(1)?)),
    )?;
    for (account, address) in &old {
        tx.execute(
            "DELETE FROM vacation_sent WHERE account_id = ?1 AND address_key = ?2 AND at < ?3",
            &params![*account, address, before],
        )?;
    }
    Ok(old.len())
}
