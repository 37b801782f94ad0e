//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8; RFC 4315 COPYUID). Out of "Chờ duyệt" a move is a decision (S9.1, Điều 9).

use super::{
    codec::set::{self, Set},
    names,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{
    Copied, FlagChange, FlagOperation, MAX_BATCH, MailboxRow, Role, copy_messages, expunge, store_flags,
};
use congvu_storage::{Actor, Tx};
use congvu_transport::{Site, move_messages};
use congvu_types::{Flags, RefusalKind, Result, Uid};

/// How messages get to another mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Copy,
    Move,
}

impl Session {
    pub(super) async fn copy(&mut self, by_uid: bool, set: &Set, name: &str) -> Answer {
        let (copied, moved) = self.transfer(by_uid, set, name, Way::Copy).await?;
        self.poll(by_uid || moved).await?;
        Ok(format!("{}Copied.", copy_uid(&copied)))
    }

    pub(super) async fn move_to(&mut self, by_uid: bool, set: &Set, name: &str) -> Answer {
        let (copied, _) = self.transfer(by_uid, set, name, Way::Move).await?;
        let code = copy_uid(&copied);
        if !code.is_empty() {
            // RFC 6851 §4.3: told before the messages go.
            self.tell(&format!("OK {code}Moved."));
        }
        self.poll(true).await?;
        Ok("Done.".to_owned())
    }

    /// Carries messages over in batches. Returns where they went, and whether they left their mailbox.
    async fn transfer(
        &mut self,
        by_uid: bool,
        set: &Set,
        name: &str,
        way: Way,
    ) -> std::result::Result<(Copied, bool), Failed> {
        let selected = self.at()?;
        let uids: Vec<Uid> = selected.entries(set, by_uid)?.iter().map(|(_, e)| e.uid).collect();
        let source = selected.mailbox.clone();
        if way == Way::Move && selected.changing.is_none() && source.role != Role::Awaiting {
            return Err(Failed::no("[NOPERM] The mailbox is open for reading alone."));
        }
        let (who, wanted) = (self.signed_in()?, name.to_owned());
        let options = self.server.options.clone();
        let target = {
            let who = who.clone();
            options.db.read_quick(move |s| names::find_mailbox(s, &who, &wanted)).await
        };
        let target = match target {
            Ok(target) => target,
            Err(error) if error.is(RefusalKind::NotFound) => {
                return Err(Failed::no("[TRYCREATE] There is no such mailbox."));
            }
            Err(error) => return Err(error.into()),
        };
        // Clients without MOVE copy, mark and expunge: into a mailbox of the review the copy is the decision.
        let decides =
            source.account == target.account && source.role == Role::Awaiting && target.role.is_review();
        let way = if decides { Way::Move } else { way };
        let mut all = Copied { uidvalidity: target.uidvalidity, uids: Vec::new() };
        for batch in uids.chunks(MAX_BATCH) {
            let (who, site, batch) = (who.clone(), options.site.clone(), batch.to_vec());
            let (source, target) = (source.clone(), target.clone());
            let actor = Actor::Person(who.person());
            let copied = options
                .db
                .write(actor, move |tx| carry(tx, &site, &who, (&source, &target, way), &batch))
                .await?;
            all.uids.extend(copied.uids);
        }
        Ok((all, way == Way::Move))
    }
}

fn carry(
    tx: &mut Tx,
    site: &Site,
    who: &SignedIn,
    (source, target, way): (&MailboxRow, &MailboxRow, Way),
    uids: &[Uid],
) -> Result<Copied> {
    if way == Way::Move && source.account == target.account {
        return move_messages(tx, site, who, (source.account, source.id, target.id), uids);
    }
    let reading = act_for::<right::Read>(tx, who, source.account)?;
    let writing = act_for::<right::Draft>(tx, who, target.account)?;
    if way == Way::Copy {
        return copy_messages(tx, (&reading, source.id), (&writing, target.id), uids);
    }
    // Between accounts: the copy is made and the original removed in one transaction.
    let removing = act_for::<right::Draft>(tx, who, source.account)?;
    let copied = copy_messages(tx, (&reading, source.id), (&writing, target.id), uids)?;
    let change = FlagChange {
        operation: FlagOperation::Add,
        flags: Flags::DELETED,
        keywords: Vec::new(),
        unchanged_since: None,
    };
    store_flags(tx, &removing, source.id, uids, &change)?;
    expunge(tx, &removing, source.id, uids)?;
    Ok(copied)
}

/// RFC 4315 §3: nothing when nothing was copied.
fn copy_uid(copied: &Copied) -> String {
    if copied.uids.is_empty() {
        return String::new();
    }
    let from = set::show(copied.uids.iter().map(|(from, _)| from.0));
    let to = set::show(copied.uids.iter().map(|(_, to)| to.0));
    format!("[COPYUID {} {from} {to}] ", copied.uidvalidity)
}
