//! A message from a person who signed in (RFC 6409).

use super::{
    receive::transfer_id,
    session::{Mail, Session},
};
use crate::reply::Reply;
use congvu_directory::{SignedIn, sender};
use congvu_storage::Actor;
use congvu_transport::{Draft, Submitted, Via, submit};
use congvu_types::{EmailAddress, Error, Result};

impl Session {
    /// RFC 6409 §6.1: whoever signed in writes from addresses that are theirs. Early, so that nobody sends a large message
    /// in vain; the submission itself asks again, for the header too.
    pub(super) async fn check_sender(&self, address: &EmailAddress) -> Result<()> {
        let Some(who) = self.who.clone() else { return Ok(()) };
        let address = address.clone();
        self.server.options.db.read_quick(move |s| sender(s, &who, &address).map(drop)).await
    }

    /// Submits; the reply says whether it left or waits, and by which article (S9.1, Điều 9).
    pub(super) async fn submit(&self, who: &SignedIn, mail: Mail, raw: Vec<u8>) -> Reply {
        match self.try_submit(who, mail, raw).await {
            Ok(reply) => reply,
            Err(error) => Reply::error(&error),
        }
    }

    async fn try_submit(&self, who: &SignedIn, mail: Mail, raw: Vec<u8>) -> Result<Reply> {
        let options = &self.server.options;
        let id = transfer_id()?;
        let now = options.db.clock().now();
        // Where a person sits is nobody's business outside: the trace names the client, not its address.
        let received = self.received("", "", (&id, now));
        let whole = congvu_message::complete(&raw, now, &id, options.site.host());
        drop(raw);
        let whole = congvu_message::headers::prepend(received.as_bytes(), &whole);
        let envelope = mail.envelope();
        let draft = tokio::task::spawn_blocking(move || Draft::prepare(&whole, envelope, Via::Smtp))
            .await
            .map_err(|e| Error::fault("preparing a message", e))??;
        options.db.stage_blob(&draft.message().blob).await?;
        let (site, person) = (options.site.clone(), who.clone());
        let submitted = options
            .db
            .write(Actor::Person(who.person()), move |tx| submit(tx, &site, &person, &draft))
            .await?;
        Ok(match submitted {
            Submitted::Sent(_) => Reply::new(250, "2.0.0", format!("Sent as {id}.")),
            Submitted::AwaitingReview(review, citation) => {
                Reply::new(250, "2.0.0", format!("Held for review {review} before it leaves ({citation})."))
            }
        })
    }
}
