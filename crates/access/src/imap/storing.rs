//! STORE and EXPUNGE (RFC 9051 §6.4.3, §6.4.6; RFC 7162 §3.1.3).

use super::{
    codec::{
        command::Store,
        set::{self, Set},
    },
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{act_for, right};
use congvu_mail::{Entry, FlagChange, MAX_BATCH, expunge, store_flags};
use congvu_storage::Actor;
use congvu_types::{Flags, RefusalKind, Uid};

impl Session {
    pub(super) async fn store(&mut self, by_uid: bool, set: &Set, store: Store) -> Answer {
        if store.unchanged_since.is_some() {
            self.enabled.condstore = true;
        }
        let wanted = self.at()?.entries(set, by_uid)?;
        let uids: Vec<Uid> = wanted.iter().map(|(_, entry)| entry.uid).collect();
        let modified = self.change_flags(&uids, &store).await?;
        let told = self.tell_stored(&wanted, &modified, &store).await?;
        self.poll_but(by_uid, &told).await?;
        if modified.is_empty() {
            return Ok("Done.".to_owned());
        }
        // RFC 7162 §3.1.3: named as the command named them.
        let numbers: Vec<u32> = wanted
            .iter()
            .filter(|(_, entry)| modified.binary_search(&entry.uid).is_ok())
            .map(|(seq, entry)| if by_uid { entry.uid.0 } else { *seq })
            .collect();
        Ok(format!("[MODIFIED {}] Some had changed meanwhile.", set::show(numbers)))
    }

    /// Changes flags, a batch a transaction; returns the UIDs, ascending, that had changed since.
    pub(super) async fn change_flags(&mut self, uids: &[Uid], store: &Store) -> Result<Vec<Uid>, Failed> {
        let selected = self.at()?;
        if selected.changing.is_none() {
            return Err(Failed::no("[NOPERM] The mailbox is open for reading alone."));
        }
        let (who, account, mailbox) = (self.signed_in()?, selected.mailbox.account, selected.mailbox.id);
        let mut modified = Vec::new();
        for batch in uids.chunks(MAX_BATCH) {
            let (who, batch) = (who.clone(), batch.to_vec());
            let change = FlagChange {
                operation: store.operation,
                flags: store.given.flags,
                keywords: store.given.keywords.clone(),
                unchanged_since: store.unchanged_since,
            };
            let stored = self.server.options.db.write(Actor::Person(who.person()), move |tx| {
                let acting = act_for::<right::Draft>(tx, &who, account)?;
                store_flags(tx, &acting, mailbox, &batch, &change)
            });
            let outcome = stored.await?;
            modified.extend(outcome.modified);
        }
        modified.sort_unstable();
        Ok(modified)
    }

    /// Tells what became of the messages, and returns them as the client now knows them. Of a silent STORE the client
    /// works the flags out for itself: it hears of them only where another session changed them too (RFC 9051 §6.4.6), and
    /// of the modseq once it speaks CONDSTORE (RFC 7162 §3.1.3).
    async fn tell_stored(
        &mut self,
        wanted: &[(u32, Entry)],
        modified: &[Uid],
        store: &Store,
    ) -> Result<Vec<Entry>, Failed> {
        let now = self.newest().await?;
        self.tell_keywords(&now);
        let given = store.given.bits(&now.keywords);
        let mut told = Vec::with_capacity(wanted.len());
        for (seq, before) in wanted.iter().filter(|(_, e)| modified.binary_search(&e.uid).is_err()) {
            // A message that is gone by now is told of when the client may hear it.
            let Some((_, fresh)) = now.by_uid(before.uid) else { continue };
            let is_expected = store.operation.apply(before.flags, given) == fresh.flags;
            if !store.silent || !is_expected {
                self.tell_flags(*seq, fresh, &now.keywords);
            } else if self.enabled.condstore {
                self.tell(&format!("{seq} FETCH (UID {} MODSEQ ({}))", fresh.uid, fresh.modseq));
            }
            told.push(*fresh);
            self.relieve().await?;
        }
        Ok(told)
    }

    pub(super) async fn expunge(&mut self, set: Option<&Set>) -> Answer {
        let selected = self.at()?;
        if selected.changing.is_none() {
            return Err(Failed::no("[NOPERM] The mailbox is open for reading alone."));
        }
        // What other sessions marked counts too (RFC 9051 §6.4.3).
        self.poll(true).await?;
        let selected = self.at()?;
        let among = match set {
            Some(set) => selected.entries(set, true)?,
            None => selected.view.range(1, selected.view.len()).map(|(seq, e)| (seq, *e)).collect(),
        };
        let doomed = among.into_iter().map(|(_, e)| e).filter(|e| e.flags.system().contains(Flags::DELETED));
        let doomed: Vec<Uid> = doomed.map(|e| e.uid).collect();
        self.expunge_uids(&doomed).await?;
        self.poll(true).await?;
        let modseq = self.at()?.view.modseq;
        Ok(if self.enabled.condstore {
            format!("[HIGHESTMODSEQ {modseq}] Done.")
        } else {
            "Done.".to_owned()
        })
    }

    async fn expunge_uids(&mut self, uids: &[Uid]) -> Result<(), Failed> {
        let selected = self.at()?;
        if selected.changing.is_none() {
            return Ok(());
        }
        let (who, account, mailbox) = (self.signed_in()?, selected.mailbox.account, selected.mailbox.id);
        for batch in uids.chunks(MAX_BATCH) {
            let (who, batch) = (who.clone(), batch.to_vec());
            let expunged = self.server.options.db.write(Actor::Person(who.person()), move |tx| {
                expunge(tx, &act_for::<right::Draft>(tx, &who, account)?, mailbox, &batch)
            });
            expunged.await?;
        }
        Ok(())
    }

    /// RFC 9051 §6.4.1: what is marked goes without a word. Mailboxes of the review lose nothing (S9.1, Điều 9).
    pub(super) async fn close_mailbox(&mut self) -> Answer {
        let selected = self.at()?;
        if selected.changing.is_some() && !selected.mailbox.role.is_review() {
            let mailbox = &selected.mailbox;
            match self.server.options.views.current(mailbox.account, mailbox.id, Some(selected.base())).await
            {
                Ok(view) => {
                    let all = view.range(1, view.len());
                    let marked = all.filter(|(_, e)| e.flags.system().contains(Flags::DELETED));
                    let doomed: Vec<Uid> = marked.map(|(_, e)| e.uid).collect();
                    self.expunge_uids(&doomed).await?;
                }
                // Somebody deleted the mailbox: nothing is left to remove.
                Err(error) if error.is(RefusalKind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.selected = None;
        Ok("Closed.".to_owned())
    }
}
