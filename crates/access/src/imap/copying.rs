//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8; RFC 4315 COPYUID). Out of "Chờ duyệt" a move is a decision (S9.1, Điều 9).

use super::{
    codec::set::{self, Set},
    names,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_casework::review::ReadAhead;
use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{
    Copied, FlagChange, FlagOperation, MAX_BATCH, MailboxRow, Role, check_room, copy_messages, expunge,
    store_flags, take_back,
};
use congvu_storage::{Actor, Tx};
use congvu_transport::{Site, move_messages};
use congvu_types::{Flags, RefusalKind, Result, Uid};
use std::sync::Arc;

/// How messages get to another mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Copy,
    Move,
}

/// Everything that carrying one batch needs.
#[derive(Clone)]
struct Errand {
    who: Arc<SignedIn>,
    site: Site,
    source: MailboxRow,
    target: MailboxRow,
    way: Way,
}

/// How far the messages got.
struct Carried {
    copied: Copied,
    way: Way,
    /// Why the rest did not.
    failed: Option<Failed>,
}

impl Session {
    pub(super) async fn copy(&mut self, by_uid: bool, set: &Set, name: &str) -> Answer {
        let carried = self.transfer(by_uid, set, name, Way::Copy).await?;
        if carried.failed.is_some() {
            return self.conclude(carried).await;
        }
        self.poll(by_uid || carried.way == Way::Move).await?;
        Ok(format!("{}Copied.", copy_uid(&carried.copied)))
    }

    pub(super) async fn move_to(&mut self, by_uid: bool, set: &Set, name: &str) -> Answer {
        let carried = self.transfer(by_uid, set, name, Way::Move).await?;
        self.conclude(carried).await
    }

    /// Tells where messages went that left, also when others could not follow.
    async fn conclude(&mut self, carried: Carried) -> Answer {
        let code = copy_uid(&carried.copied);
        if !code.is_empty() {
            // RFC 6851 §4.3: told before the messages go.
            self.tell(&format!("OK {code}Moved."));
        }
        self.poll(true).await?;
        carried.failed.map_or_else(|| Ok("Done.".to_owned()), Err)
    }

    /// Carries messages over in batches.
    async fn transfer(
        &mut self,
        by_uid: bool,
        set: &Set,
        name: &str,
        way: Way,
    ) -> std::result::Result<Carried, Failed> {
        let selected = self.at()?;
        let uids: Vec<Uid> = selected.entries(set, by_uid)?.iter().map(|(_, e)| e.uid).collect();
        let source = selected.mailbox.clone();
        let (is_examined, may_change) = (selected.is_examined, selected.changing.is_some());
        let read_only = || Failed::no("[NOPERM] The mailbox is open for reading alone.");
        if way == Way::Move && (is_examined || (!may_change && source.role != Role::Awaiting)) {
            return Err(read_only());
        }
        let (who, wanted, asking) = (self.signed_in()?, name.to_owned(), self.signed_in()?);
        let options = self.server.options.clone();
        let target = options.db.read_quick(move |s| names::find_mailbox(s, &asking, &wanted)).await;
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
        if decides && is_examined {
            return Err(read_only());
        }
        let way = if decides { Way::Move } else { way };
        self.carry_all(Errand { who, site: options.site.clone(), source, target, way }, &uids).await
    }

    /// RFC 9051 §6.4.7: a COPY that fails leaves the target as it was, however many batches it takes.
    async fn carry_all(&self, errand: Errand, uids: &[Uid]) -> std::result::Result<Carried, Failed> {
        let db = &self.server.options.db;
        if errand.way == Way::Copy && uids.len() > MAX_BATCH {
            let (errand, uids) = (errand.clone(), uids.to_vec());
            db.read(move |s| {
                let reading = act_for::<right::Read>(s, &errand.who, errand.source.account)?;
                check_room(s, (&reading, errand.source.id), errand.target.account, &uids)
            })
            .await?;
        }
        let copied = Copied { uidvalidity: errand.target.uidvalidity, uids: Vec::new() };
        let mut carried = Carried { copied, way: errand.way, failed: None };
        for batch in uids.chunks(MAX_BATCH) {
            let (errand, batch) = (errand.clone(), batch.to_vec());
            let actor = Actor::Person(errand.who.person());
            let ahead = self.read_ahead(&errand, &batch).await?;
            match db.write(actor, move |tx| carry(tx, &errand, &batch, &ahead)).await {
                Ok(copied) => carried.copied.uids.extend(copied.uids),
                Err(error) => {
                    carried.failed = Some(error.into());
                    break;
                }
            }
        }
        if errand.way == Way::Copy && carried.failed.is_some() {
            let copies: Vec<Uid> = carried.copied.uids.drain(..).map(|(_, copy)| copy).collect();
            self.take_back(&errand, &copies).await?;
        }
        Ok(carried)
    }

    /// A move to "Đã duyệt" approves (S9.1): what it sends is read before the transaction.
    async fn read_ahead(&self, errand: &Errand, uids: &[Uid]) -> std::result::Result<ReadAhead, Failed> {
        if errand.way != Way::Move || errand.target.role != Role::Approved {
            return Ok(ReadAhead::default());
        }
        let (account, mailbox, uids) = (errand.source.account, errand.source.id, uids.to_vec());
        Ok(self.server.options.db.read(move |s| ReadAhead::at(s, account, mailbox, &uids)).await?)
    }

    async fn take_back(&self, errand: &Errand, copies: &[Uid]) -> std::result::Result<(), Failed> {
        for batch in copies.chunks(MAX_BATCH) {
            let (errand, batch) = (errand.clone(), batch.to_vec());
            let actor = Actor::Person(errand.who.person());
            let undo = self.server.options.db.write(actor, move |tx| {
                let writing = act_for::<right::Draft>(tx, &errand.who, errand.target.account)?;
                take_back(tx, &writing, errand.target.id, &batch)
            });
            undo.await?;
        }
        Ok(())
    }
}

fn carry(tx: &mut Tx, errand: &Errand, uids: &[Uid], ahead: &ReadAhead) -> Result<Copied> {
    let Errand { who, site, source, target, way } = errand;
    if *way == Way::Move && source.account == target.account {
        return move_messages(tx, site, who, (source.account, source.id, target.id), uids, ahead);
    }
    let reading = act_for::<right::Read>(tx, who, source.account)?;
    let writing = act_for::<right::Draft>(tx, who, target.account)?;
    if *way == Way::Copy {
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
