//! What is due, and the lease under which a worker sends it.

use super::codec;
use crate::dkim;
use congvu_casework::review::{Notify, Ret};
use congvu_storage::{BlobHash, Row, Snapshot, Tx, params};
use congvu_types::{Domain, EmailAddress, Error, QueueId, Result, Timestamp};
use std::time::Duration;

/// A lease runs this long; a worker that takes longer must [`extend`] it.
pub const LEASE: Duration = Duration::from_secs(600);

/// A recipient to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedRecipient {
    /// The entry.
    pub id: QueueId,
    /// The address.
    pub address: EmailAddress,
    /// When the sender wants to hear.
    pub notify: Notify,
    /// ORCPT as given.
    pub orcpt: Option<String>,
}

/// A recipient as its row has it: an address that cannot be read is a matter of its own, never of the rows beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecipient {
    /// The entry.
    pub id: QueueId,
    /// The address, as text.
    pub address: String,
    /// When the sender wants to hear.
    pub notify: Notify,
    /// ORCPT as given.
    pub orcpt: Option<String>,
}

/// The recipients of one message at one domain, held by one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The group.
    pub group: QueueId,
    /// Grows with every lease of the group: what an older holder reports is not heard.
    pub fence: i64,
    /// The node that holds it.
    pub node: u16,
    /// The message.
    pub message: i64,
    /// The domain to send to.
    pub domain: Domain,
    /// The reverse-path.
    pub mail_from: Option<EmailAddress>,
    /// RET.
    pub ret: Ret,
    /// ENVID.
    pub envid: Option<String>,
    /// Who is to be tried.
    pub recipients: Vec<LeasedRecipient>,
    /// Whose address cannot be read: [`super::report()`] fails them (RFC 3463 §3.2: 5.1.3).
    pub unreadable: Vec<StoredRecipient>,
    /// The name of the bytes.
    pub blob: BlobHash,
    /// Their number, without the signature.
    pub size_bytes: u64,
    /// How often it was tried before.
    pub attempts: u32,
    /// When the message was queued.
    pub queued_at: Timestamp,
}

struct Claimed {
    group: i64,
    message: i64,
    domain: String,
    attempts: u32,
    fence: i64,
}

fn claimed(r: &Row<'_>) -> Result<Claimed> {
    Ok(Claimed {
        group: r.i64(0)?,
        message: r.i64(1)?,
        domain: r.text(2)?,
        attempts: r.u32(3)?,
        fence: r.i64(4)?,
    })
}

/// Leases up to `limit` groups that are due to a node. The condition is tested again on the row itself, so that two nodes
/// at once never get the same group: the later one finds the lease taken. A group that cannot be read is set aside alone.
pub fn claim_due(tx: &mut Tx, node: u16, limit: usize) -> Result<Vec<Lease>> {
    let now = tx.now();
    let mut groups = tx.query(
        "UPDATE queue_group SET lease_owner = ?1, lease_until = ?2, fence = fence + 1
         WHERE id IN (SELECT id FROM queue_group WHERE next_at <= ?3 AND lease_until <= ?3 ORDER BY next_at LIMIT ?4)
           AND next_at <= ?3 AND lease_until <= ?3
         RETURNING id, message_id, domain, attempts, fence",
        &params![node, now.after(LEASE), now, limit],
        claimed,
    )?;
    groups.sort_by_key(|g| g.group);
    let mut leases = Vec::with_capacity(groups.len());
    for group in groups {
        match lease(tx, node, &group)? {
            Ok(lease) => leases.push(lease),
            Err(error) => set_aside(tx, group.group, &error)?,
        }
    }
    Ok(leases)
}

/// What was set aside is due then: never by itself, at once by `congvu queue retry`.
pub(super) const NEVER: Timestamp = Timestamp(253_402_300_799_000);

/// Keeps a group that cannot be read from being tried for ever, and the others from waiting for it.
fn set_aside(tx: &mut Tx, group: i64, error: &Error) -> Result<()> {
    tracing::error!(%error, group, "a queued group cannot be read; it is set aside");
    tx.execute("UPDATE queue_group SET lease_until = 0, next_at = ?2 WHERE id = ?1", &params![group, NEVER])?;
    tx.execute(
        "UPDATE queue_recipient SET status = '4.3.0', answer = ?2 WHERE group_id = ?1",
        &params![group, format!("set aside: {error}")],
    )?;
    Ok(())
}

/// Reads a claimed group. The outer error is the database's; the inner one is that the rows make no sense.
fn lease(snapshot: &Snapshot, node: u16, claimed: &Claimed) -> Result<Result<Lease>> {
    let (recipients, unreadable) = sorted(recipients(snapshot, claimed.group)?);
    let found = snapshot.query_opt(
        "SELECT mail_from, ret, envid, blob_hash, size, queued_at FROM queue_message WHERE id = ?1",
        &params![claimed.message],
        |r| Ok(read_lease(r, node, claimed, (recipients, unreadable))),
    )?;
    Ok(found.unwrap_or_else(|| Err(Error::fault("reading the queue", "the message is not there"))))
}

fn read_lease(
    r: &Row<'_>,
    node: u16,
    claimed: &Claimed,
    (recipients, unreadable): (Vec<LeasedRecipient>, Vec<StoredRecipient>),
) -> Result<Lease> {
    Ok(Lease {
        group: QueueId::new(claimed.group),
        fence: claimed.fence,
        node,
        message: claimed.message,
        domain: claimed.domain.parse().map_err(|e| Error::fault("reading the queue", e))?,
        mail_from: codec::read_path(&r.text(0)?)?,
        ret: codec::read_ret(&r.text(1)?),
        envid: r.opt_text(2)?,
        recipients,
        unreadable,
        blob: BlobHash::from_slice(&r.bytes(3)?)?,
        size_bytes: r.u64(4)?,
        attempts: claimed.attempts,
        queued_at: Timestamp(r.i64(5)?),
    })
}

/// Those whose address can be read, and the others.
fn sorted(stored: Vec<StoredRecipient>) -> (Vec<LeasedRecipient>, Vec<StoredRecipient>) {
    let (mut readable, mut unreadable) = (Vec::with_capacity(stored.len()), Vec::new());
    for recipient in stored {
        match recipient.address.parse() {
            Ok(address) => {
                let StoredRecipient { id, notify, orcpt, .. } = recipient;
                readable.push(LeasedRecipient { id, address, notify, orcpt });
            }
            Err(error) => {
                tracing::error!(%error, entry = %recipient.id, "a queued address cannot be read");
                unreadable.push(recipient);
            }
        }
    }
    (readable, unreadable)
}

pub(super) fn recipients(snapshot: &Snapshot, group: i64) -> Result<Vec<StoredRecipient>> {
    snapshot.query(
        "SELECT id, address, notify, orcpt FROM queue_recipient WHERE group_id = ?1 ORDER BY id",
        &params![group],
        |r| {
            Ok(StoredRecipient {
                id: QueueId::new(r.i64(0)?),
                address: r.text(1)?,
                notify: codec::read_notify(r.i64(2)?),
                orcpt: r.opt_text(3)?,
            })
        },
    )
}

/// Returns when the next group that nobody holds is due, so that a worker knows how long to sleep.
pub fn next_due(snapshot: &Snapshot) -> Result<Option<Timestamp>> {
    let now = snapshot.now();
    snapshot.query_opt(
        "SELECT next_at FROM queue_group WHERE lease_until <= ?1 ORDER BY next_at LIMIT 1",
        &params![now],
        |r| Ok(Timestamp(r.i64(0)?)),
    )
}

/// A message as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// The bytes: signature, then what was approved.
    pub bytes: Vec<u8>,
    /// Whether the remote server must offer SMTPUTF8 (RFC 6531 §3.4).
    pub needs_smtputf8: bool,
    /// Whether it should offer 8BITMIME (RFC 6152).
    pub is_8bit: bool,
}

/// Reads a leased message, verified against its hash, and signs it (RFC 6376). For `Db::read`: it computes.
pub fn wire(snapshot: &Snapshot, lease: &Lease) -> Result<Wire> {
    let bytes = dkim::sign(snapshot, snapshot.blob(&lease.blob)?)?;
    let header = congvu_message::headers::split(&bytes).0;
    let needs_smtputf8 = !bytes[header].is_ascii()
        || lease.mail_from.as_ref().is_some_and(EmailAddress::needs_smtputf8)
        || lease.recipients.iter().any(|r| r.address.needs_smtputf8());
    Ok(Wire { is_8bit: !bytes.is_ascii(), needs_smtputf8, bytes })
}

/// Makes a lease last anew; returns whether it was still held.
pub fn extend(tx: &mut Tx, lease: &Lease) -> Result<bool> {
    let until = tx.now().after(LEASE);
    let held = tx.execute(
        "UPDATE queue_group SET lease_until = ?4 WHERE id = ?1 AND fence = ?2 AND lease_owner = ?3",
        &params![lease.group.get(), lease.fence, lease.node, until],
    )?;
    Ok(held == 1)
}

/// Gives a lease back untried, due again at `until`: the domain has as many connections as it may.
pub fn postpone(tx: &mut Tx, lease: &Lease, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE queue_group SET lease_until = 0, next_at = ?4 WHERE id = ?1 AND fence = ?2 AND lease_owner = ?3",
        &params![lease.group.get(), lease.fence, lease.node, until],
    )?;
    Ok(())
}

/// Ends every lease of a node: for its start, when nobody can hold one.
pub fn release_node(tx: &mut Tx, node: u16) -> Result<u64> {
    tx.execute(
        "UPDATE queue_group SET lease_until = 0 WHERE lease_owner = ?1 AND lease_until > 0",
        &params![node],
    )
}
