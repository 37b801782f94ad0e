//! APPEND (RFC 9051 §6.3.12).

use super::{
    codec::command::Append,
    names,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{act_for, right};
use congvu_mail::{DeliverOptions, append, prepare};
use congvu_storage::Actor;
use congvu_types::{Error, RefusalKind};

/// Messages larger than this are hashed and compressed aside, so that other sessions go on.
const LARGE: usize = 256 * 1024;

impl Session {
    pub(super) async fn append(&mut self, command: Append<'_>) -> Answer {
        if command.message.is_empty() {
            return Err(Failed::no("[CANNOT] The message is empty."));
        }
        let who = self.signed_in()?;
        let options = self.server.options.clone();
        let (wanted, asking) = (command.mailbox.clone(), who.clone());
        let target = options.db.read_quick(move |s| names::find_mailbox(s, &asking, &wanted)).await;
        let target = match target {
            Ok(target) => target,
            Err(error) if error.is(RefusalKind::NotFound) => {
                return Err(Failed::no("[TRYCREATE] There is no such mailbox."));
            }
            Err(error) => return Err(error.into()),
        };
        let raw = congvu_message::headers::to_crlf(command.message);
        let message = if raw.len() < LARGE {
            prepare(&raw)?
        } else {
            let prepared = tokio::task::spawn_blocking(move || prepare(&raw)).await;
            prepared.map_err(|e| Error::fault("preparing a message", e))??
        };
        options.db.stage_blob(&message.blob).await?;
        let deliver = DeliverOptions {
            flags: command.given.flags,
            keywords: command.given.keywords,
            received_at: command.date,
            delivery_key: None,
        };
        let stored = options
            .db
            .write(Actor::Person(who.person()), move |tx| {
                let acting = act_for::<right::Draft>(tx, &who, target.account)?;
                append(tx, &acting, target.id, &message, &deliver)
            })
            .await?;
        self.renew().await?;
        self.poll(true).await?;
        Ok(format!("[APPENDUID {} {}] Stored.", stored.uidvalidity, stored.uid))
    }
}
