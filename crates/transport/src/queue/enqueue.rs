//! Queue admission: the one function that every emitter passes.

use super::{TOPIC, codec};
use crate::{
    Outbound, Sent, Site, captured,
    dsn::{self, Fate, Original, Outcome},
    fanout,
    local::{self, AT_ONCE, Local, Routed},
    recipients,
    submission::{self, Note, Reached},
};
use congvu_casework::review::{Cleared, Origin};
use congvu_mail::Role;
use congvu_storage::{Chain, Event, Tx, params};
use congvu_types::{AccountId, Flags, ModSeq, Result, SubmissionId};
use std::collections::BTreeMap;

/// Takes what may leave: to accounts here it is delivered, to other servers queued (or captured, in the demo), all in
/// this transaction. Accepts nothing but a [`Cleared`].
pub fn enqueue(tx: &mut Tx, site: &Site, cleared: Cleared) -> Result<Sent> {
    let id = tx.new_id();
    tx.put_blob(&cleared.message().blob)?;
    let routed = local::route(tx, site, &cleared.envelope().recipients)?;
    let sent = Sent { here: routed.local.values().map(Vec::len).sum(), elsewhere: routed.elsewhere.len() };
    let mut notes = deliver_here(tx, site, &cleared, id, &routed)?;
    if !routed.elsewhere.is_empty() {
        let (reached, reply) = match site.outbound() {
            Outbound::Capture => {
                captured::capture(tx, &cleared, &routed.elsewhere)?;
                (Reached::Unknown, "250 2.0.0 Kept, not sent")
            }
            Outbound::Send => {
                insert(tx, &cleared, id, &routed.elsewhere)?;
                (Reached::Queued, QUEUED)
            }
        };
        let recipients = &cleared.envelope().recipients;
        notes.extend(routed.elsewhere.iter().map(|p| Note::new(&recipients[*p].address, reached, reply)));
    }
    recipients::remember(tx, &cleared)?;
    record(tx, &cleared, sent)?;
    if let Some(submission) = submission_of(&cleared) {
        submission::note(tx, submission, &notes)?;
    }
    Ok(sent)
}

const QUEUED: &str = "250 2.1.5 Queued";

/// Who is told what becomes of each recipient.
const fn submission_of(cleared: &Cleared) -> Option<(AccountId, SubmissionId)> {
    match (cleared.origin(), cleared.submission()) {
        (Origin::Account { account, .. }, Some(id)) => Some((account, id)),
        _ => None,
    }
}

fn deliver_here(tx: &mut Tx, site: &Site, cleared: &Cleared, id: i64, routed: &Routed) -> Result<Vec<Note>> {
    let recipients = &cleared.envelope().recipients;
    let key = match cleared.origin() {
        Origin::Account { review: Some((review, _)), .. } => format!("review:{review}"),
        _ => format!("sent:{id}"),
    };
    let local = Local {
        key: &key,
        folder: Role::Inbox,
        message: cleared.message(),
        flags: Flags::NONE,
        mail_from: cleared.mail_from(),
    };
    // An address that was ours when the message was written, and is no more (RFC 3463 §3.2: 5.1.1).
    let gone = routed.unknown.iter().map(|p| Outcome::new(&recipients[*p], Fate::Failed, "5.1.1"));
    let mut outcomes: Vec<Outcome> = gone.collect();
    let mut notes: Vec<Note> = Vec::new();
    let mut accounts: BTreeMap<AccountId, Option<&[usize]>> =
        routed.local.iter().map(|(account, places)| (*account, Some(places.as_slice()))).collect();
    if routed.local.len() > AT_ONCE {
        fanout::create(tx, &local, cleared.envelope(), &routed.local, submission_of(cleared))?;
        let all = routed.local.values().flatten();
        notes.extend(all.map(|p| Note::new(&recipients[*p].address, Reached::Queued, QUEUED)));
        accounts.clear();
    }
    // The copy in Sent is written in its turn: accounts are locked in ascending order.
    let sent_copy = sent_account(cleared);
    if let Some(account) = sent_copy {
        accounts.entry(account).or_insert(None);
    }
    for (account, places) in accounts {
        if sent_copy == Some(account) {
            file_sent(tx, account, cleared, &key)?;
        }
        let Some(places) = places else { continue };
        let (fate, status) = match local::deliver(tx, account, &local)? {
            Ok(()) => (Fate::Delivered, "2.1.5"),
            // RFC 3463 §3.3: mailbox full.
            Err(_) => (Fate::Failed, "5.2.2"),
        };
        outcomes.extend(places.iter().map(|p| Outcome::new(&recipients[*p], fate, status)));
    }
    notes.extend(outcomes.iter().map(Outcome::note));
    let original = Original::of(cleared.envelope(), cleared.blob(), tx.now());
    dsn::send_each(tx, site, &original, &outcomes)?;
    Ok(notes)
}

/// Whose Sent gets a copy: an account's whose message was approved, since the client filed its own copy long before the
/// message left; and that of what was written in the web application (S7.2c, Điều 7).
fn sent_account(cleared: &Cleared) -> Option<AccountId> {
    match cleared.origin() {
        Origin::Account { account, .. } if cleared.files_sent_copy() => Some(account),
        _ => None,
    }
}

/// A full account keeps its approved message in "Đã duyệt": the missing copy does not stop it from leaving.
fn file_sent(tx: &mut Tx, account: AccountId, cleared: &Cleared, key: &str) -> Result<()> {
    let key = format!("copy:{key}");
    let copy = Local {
        key: &key,
        folder: Role::Sent,
        message: cleared.message(),
        flags: Flags::SEEN,
        mail_from: None,
    };
    if local::deliver(tx, account, &copy)?.is_err() {
        tracing::warn!(account = account.get(), "no room for a copy in Sent");
    }
    Ok(())
}

/// One row a message, one group a domain, one row a recipient.
fn insert(tx: &mut Tx, cleared: &Cleared, id: i64, places: &[usize]) -> Result<()> {
    let envelope = cleared.envelope();
    let (account, review) = match cleared.origin() {
        Origin::Account { account, review, .. } => (Some(account.get()), review.map(|(id, _)| id.get())),
        Origin::Report => (None, None),
    };
    let now = tx.now();
    tx.execute(
        "INSERT INTO queue_message (id, account_id, review_id, mail_from, ret, envid, blob_hash, size, subject, queued_at,
            submission_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &params![
            id,
            account,
            review,
            codec::path(envelope.mail_from.as_ref()),
            codec::ret(envelope.ret),
            envelope.envid.clone(),
            cleared.blob().as_bytes(),
            cleared.message().size(),
            &cleared.message().summary.subject,
            now,
            cleared.submission().map(SubmissionId::get)
        ],
    )?;
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for place in places {
        groups.entry(envelope.recipients[*place].address.domain().as_str()).or_default().push(*place);
    }
    tx.changed(TOPIC, ModSeq(id.unsigned_abs()));
    for (domain, places) in groups {
        let group = tx.new_id();
        tx.execute(
            "INSERT INTO queue_group (id, message_id, domain, next_at, attempts, delay_told, lease_owner, lease_until, fence)
             VALUES (?1, ?2, ?3, ?4, 0, 0, 0, 0, 0)",
            &params![group, id, domain, now],
        )?;
        for place in places {
            let (recipient, row) = (&envelope.recipients[place], tx.new_id());
            tx.execute(
                "INSERT INTO queue_recipient (group_id, id, address, notify, orcpt, status, answer, remote)
                 VALUES (?1, ?2, ?3, ?4, ?5, '', '', '')",
                &params![
                    group,
                    row,
                    recipient.address.to_string(),
                    codec::notify(recipient.notify),
                    recipient.orcpt.clone()
                ],
            )?;
        }
    }
    Ok(())
}

/// S8.3c (Điều 8): each message that leaves resolves to an account and a person.
fn record(tx: &mut Tx, cleared: &Cleared, sent: Sent) -> Result<()> {
    let Origin::Account { account, review, .. } = cleared.origin() else { return Ok(()) };
    tx.record(
        Chain::Account(account),
        &Event {
            name: "mail.sent",
            subject: cleared.message().summary.message_id.clone().unwrap_or_default(),
            citation: None,
            details: serde_json::json!({
                "digest": cleared.blob().to_hex(),
                "review": review.map(|(id, _)| id),
                "here": sent.here,
                "elsewhere": sent.elsewhere,
            }),
        },
    )
}
