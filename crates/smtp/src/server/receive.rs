//! A message from another server: facts, judgement, one transaction.

use super::{
    Service,
    session::{Mail, Session},
};
use crate::reply::Reply;
use congvu_directory::Recipient;
use congvu_mail::PreparedMessage;
use congvu_storage::{Actor, Snapshot};
use congvu_transport::{
    Arrival, Site, Trace, Verdict, authentication_results, claims,
    facts::{Facts, Inspector, PeerFacts},
    judge, receive, stamp,
};
use congvu_types::{EmailAddress, Error, Refusal, RefusalKind, Result, Timestamp};

/// A message that passed more servers than this goes in a circle (RFC 5321 §6.3 asks for 100 at least).
pub(super) const MOST_HOPS: usize = 100;
/// Messages larger than this are hashed and compressed aside, so that other sessions go on.
const LARGE: usize = 256 * 1024;

/// Returns where mail for an address goes, and whether the account has no room for a message of `size` bytes (S8.1).
pub(super) fn look_up(
    snapshot: &Snapshot,
    site: &Site,
    address: &EmailAddress,
    size: u64,
) -> Result<(Recipient, Option<Refusal>)> {
    let found = congvu_transport::recipient(snapshot, site, address)?;
    let Recipient::Account(account) = found else { return Ok((found, None)) };
    let Some(quota) = congvu_directory::account_quota(snapshot, account)? else { return Ok((found, None)) };
    let used = congvu_mail::usage(snapshot, account)?.bytes;
    let is_full = used.saturating_add(size) > quota || used >= quota;
    Ok((found, is_full.then(|| Refusal::new(RefusalKind::OverQuota))))
}

/// Hashes, compresses and reads a message.
pub(super) async fn prepare(raw: Vec<u8>) -> Result<PreparedMessage> {
    if raw.len() < LARGE {
        return congvu_mail::prepare(&raw);
    }
    tokio::task::spawn_blocking(move || congvu_mail::prepare(&raw))
        .await
        .map_err(|e| Error::fault("preparing a message", e))?
}

/// A name for this transfer, unique in the world for all practical purposes.
pub(super) fn transfer_id() -> Result<String> {
    let id = congvu_net::random_token().map_err(|e| Error::fault("making an id", e))?;
    Ok(id)
}

impl Session {
    /// Takes a message in; one reply, or one for each recipient over LMTP.
    pub(super) async fn receive(&self, mail: Mail, raw: Vec<u8>) -> Vec<Reply> {
        let recipients = mail.recipients.len();
        match self.try_receive(mail, raw).await {
            Ok(replies) => replies,
            Err(error) => {
                let times = if self.service() == Service::Lmtp { recipients } else { 1 };
                vec![Reply::error(&error); times]
            }
        }
    }

    async fn try_receive(&self, mail: Mail, raw: Vec<u8>) -> Result<Vec<Reply>> {
        let (facts, verdict) = self.judge(&mail, &raw).await?;
        if let Some(refusal) = verdict.refusal() {
            tracing::info!(peer = %self.connection.peer(), reason = ?verdict.reason, "refused a message");
            return Err(refusal.into());
        }
        let id = transfer_id()?;
        let now = self.server.options.db.clock().now();
        let stamped = self.stamped(&mail, &raw, &facts, (&id, now));
        drop(raw);
        let message = prepare(stamped).await?;
        let db = &self.server.options.db;
        db.stage_blob(&message.blob).await?;
        let mut arrival = Arrival::new(id.clone(), mail.envelope(), message, &verdict);
        if arrival.is_junk || !facts.believes(arrival.envelope.mail_from.as_ref()) {
            arrival = arrival.without_good_news();
        }
        arrival.one_answer = self.service() != Service::Lmtp;
        let (site, one_answer) = (self.server.options.site.clone(), arrival.one_answer);
        let receipts = db.write(Actor::System("smtp"), move |tx| receive(tx, &site, &arrival)).await?;
        let replies = receipts.iter().map(|receipt| match &receipt.outcome {
            Ok(()) => Reply::new(250, "2.0.0", format!("Stored as {id}.")),
            Err(refusal) => Reply::refusal(refusal),
        });
        if !one_answer {
            return Ok(replies.collect());
        }
        // Stored for one is stored; the sender is told of the others by a report.
        let mut replies: Vec<Reply> = replies.collect();
        let answer = replies.iter().position(Reply::is_success).unwrap_or(0);
        Ok(vec![replies.swap_remove(answer)])
    }

    async fn judge(&self, mail: &Mail, raw: &[u8]) -> Result<(Facts, Verdict)> {
        let options = &self.server.options;
        let mut facts = match self.service() {
            // A relay of ours has looked at it.
            Service::Lmtp => Inspector::take_on_trust(raw),
            _ => options.inspector.inspect(&self.peer(mail), raw).await,
        };
        let (site, authors, mail_from) = (options.site.clone(), facts.authors.clone(), mail.from.clone());
        let found = options.db.read_quick(move |s| claims(s, &site, &authors, mail_from.as_ref()));
        facts.claims = found.await?;
        if facts.is_trusted && facts.claims.iter().any(|claim| claim.review.is_some()) {
            facts.dkim = options.inspector.signatures(raw).await;
        }
        let verdict = judge(&facts, &options.rules);
        Ok((facts, verdict))
    }

    fn peer<'a>(&'a self, mail: &'a Mail) -> PeerFacts<'a> {
        PeerFacts {
            ip: self.connection.peer().ip(),
            helo: self.helo.as_deref().unwrap_or_default(),
            mail_from: mail.from.as_ref(),
        }
    }

    fn stamped(&self, mail: &Mail, raw: &[u8], facts: &Facts, (id, now): (&str, Timestamp)) -> Vec<u8> {
        let host = self.server.options.site.host();
        let results = authentication_results(host, &self.peer(mail), facts);
        let from = self.connection.peer().ip().to_canonical();
        let address = if from.is_ipv6() { format!("[IPv6:{from}]") } else { format!("[{from}]") };
        let received = self.received(&mail.recipients_for_trace(), &address, (id, now));
        let trace = Trace { host, return_path: mail.from.as_ref(), results: &results, received: &received };
        stamp(raw, &trace)
    }

    /// Writes the Received field (RFC 5321 §4.4) with its CRLF.
    pub(super) fn received(&self, recipient: &str, from: &str, (id, now): (&str, Timestamp)) -> String {
        let helo = self.helo.as_deref().unwrap_or("unknown");
        let host = self.server.options.site.host();
        let mut with = String::from(if self.service() == Service::Lmtp { "LMTP" } else { "SMTP" });
        if self.is_extended && self.service() != Service::Lmtp {
            with.insert(0, 'E');
        }
        // RFC 3848: S for TLS, A for sign-in.
        with.push_str(if self.connection.is_tls() { "S" } else { "" });
        with.push_str(if self.who.is_some() { "A" } else { "" });
        let spaced = if from.is_empty() { String::new() } else { format!(" ({from})") };
        format!(
            "Received: from {helo}{spaced}\r\n\tby {host} with {with} id {id}{recipient};\r\n\t{}\r\n",
            now.rfc5322()
        )
    }
}

impl Mail {
    /// The recipient as Received shows it: only when there is one, so that no blind copy is told (RFC 5321 §7.2).
    fn recipients_for_trace(&self) -> String {
        match &self.recipients[..] {
            [only] if !only.address.needs_smtputf8() => format!("\r\n\tfor <{}>", only.address),
            _ => String::new(),
        }
    }
}
