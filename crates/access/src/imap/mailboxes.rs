//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8).

use super::{
    names::{self, Places},
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{act_for, right};
use congvu_mail::{
    MAX_BATCH, MailboxRow, Role, create_mailbox, delete_mailbox, move_messages, rename_mailbox, subscribe,
};
use congvu_storage::Actor;
use congvu_types::{MailboxId, RefusalKind, Uid};

impl Session {
    fn actor(&self) -> Result<Actor, Failed> {
        Ok(Actor::Person(self.signed_in()?.person()))
    }

    pub(super) async fn create(&mut self, name: &str, has_use: bool) -> Answer {
        if has_use {
            // RFC 6154 §3: every account has a mailbox for each special use from the beginning.
            return Err(Failed::no("[USEATTR] The mailboxes of special uses are there already."));
        }
        // RFC 9051 §6.3.4: a separator at the end says that children will follow.
        let wanted = name.strip_suffix('/').unwrap_or(name).to_owned();
        let who = self.signed_in()?;
        let created = self
            .server
            .options
            .db
            .write(self.actor()?, move |tx| {
                let (account, within) = Places::load(tx, &who)?.find(&wanted).ok_or(RefusalKind::NoRight)?;
                create_mailbox(tx, &act_for::<right::Draft>(tx, &who, account)?, &within)
            })
            .await?;
        Ok(format!("[MAILBOXID ({created})] Made."))
    }

    pub(super) async fn delete(&mut self, name: &str) -> Answer {
        let (who, wanted) = (self.signed_in()?, name.to_owned());
        let options = self.server.options.clone();
        let id = options
            .db
            .write(self.actor()?, move |tx| {
                let mailbox = names::find_mailbox(tx, &who, &wanted)?;
                delete_mailbox(tx, &act_for::<right::Draft>(tx, &who, mailbox.account)?, mailbox.id)?;
                Ok(mailbox.id)
            })
            .await?;
        if self.selected.as_ref().is_some_and(|s| s.mailbox.id == id) {
            self.selected = None;
        }
        Ok("Deleted.".to_owned())
    }

    pub(super) async fn rename(&mut self, from: &str, to: &str) -> Answer {
        let (who, from, to) = (self.signed_in()?, from.to_owned(), to.to_owned());
        let emptied = self
            .server
            .options
            .db
            .write(self.actor()?, move |tx| {
                let mailbox = names::find_mailbox(tx, &who, &from)?;
                let (account, within) = Places::load(tx, &who)?.find(&to).ok_or(RefusalKind::NoRight)?;
                if account != mailbox.account {
                    // Names move, messages do not: that is what MOVE is for.
                    return Err(RefusalKind::InvalidName.into());
                }
                let acting = act_for::<right::Draft>(tx, &who, account)?;
                if mailbox.role == Role::Inbox {
                    let target = create_mailbox(tx, &acting, &within)?;
                    return Ok(Some((mailbox, target)));
                }
                rename_mailbox(tx, &acting, mailbox.id, &within).map(|()| None)
            })
            .await?;
        if let Some((inbox, target)) = emptied {
            self.empty_into(&inbox, target).await?;
        }
        Ok("Renamed.".to_owned())
    }

    /// RFC 9051 §6.3.6: INBOX stays and gives its messages to the new name.
    async fn empty_into(&mut self, inbox: &MailboxRow, target: MailboxId) -> Result<(), Failed> {
        let view = self.server.options.views.current(inbox.account, inbox.id, None).await?;
        let uids: Vec<Uid> = view.range(1, view.len()).map(|(_, entry)| entry.uid).collect();
        let (who, account, source) = (self.signed_in()?, inbox.account, inbox.id);
        for batch in uids.chunks(MAX_BATCH) {
            let (who, batch) = (who.clone(), batch.to_vec());
            let moved = self.server.options.db.write(self.actor()?, move |tx| {
                let acting = act_for::<right::Draft>(tx, &who, account)?;
                move_messages(tx, &acting, source, target, &batch)
            });
            moved.await?;
        }
        Ok(())
    }

    pub(super) async fn subscribe(&mut self, name: &str, on: bool) -> Answer {
        let (who, wanted) = (self.signed_in()?, name.to_owned());
        self.server
            .options
            .db
            .write(self.actor()?, move |tx| {
                let mailbox = names::find_mailbox(tx, &who, &wanted)?;
                subscribe(tx, &act_for::<right::Read>(tx, &who, mailbox.account)?, mailbox.id, on)
            })
            .await?;
        Ok("Done.".to_owned())
    }
}
