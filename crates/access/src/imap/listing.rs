//! LIST, LSUB, STATUS (RFC 9051 §6.3.9, §6.3.11; RFC 5258; RFC 5819; RFC 6154).

use super::{
    codec::{
        list::{List, StatusItem, fits},
        utf7,
    },
    names::{self, Places, SHARED},
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::SignedIn;
use congvu_mail::{MailboxRow, count_deleted, mailboxes, shared_mailboxes};
use congvu_storage::Snapshot;
use congvu_types::Result;
use std::collections::BTreeSet;

/// A name that LIST can show.
struct Listed {
    name: String,
    /// `None` for the levels above shared accounts, which cannot be selected.
    mailbox: Option<MailboxRow>,
}

/// Everything that a person may see, in the order of names.
fn everything(snapshot: &Snapshot, who: &SignedIn) -> Result<Vec<Listed>> {
    let places = Places::load(snapshot, who)?;
    let mut all = Vec::new();
    let borrows_inbox = places.borrows_inbox();
    for (place, (access, prefix)) in places.accounts.iter().enumerate() {
        let found = match access.is_own {
            true => mailboxes(snapshot, access.account.id)?,
            false => shared_mailboxes(snapshot, access.account.id, who.person())?,
        };
        for mailbox in found {
            if borrows_inbox && place == 0 && mailbox.name == "INBOX" {
                all.push(Listed { name: "INBOX".to_owned(), mailbox: Some(mailbox.clone()) });
            }
            all.push(Listed { name: format!("{prefix}{}", mailbox.name), mailbox: Some(mailbox) });
        }
        if !prefix.is_empty() {
            all.push(Listed { name: prefix.trim_end_matches('/').to_owned(), mailbox: None });
        }
    }
    if places.accounts.iter().any(|(_, prefix)| !prefix.is_empty()) {
        all.push(Listed { name: SHARED.to_owned(), mailbox: None });
    }
    all.sort_by(|a, b| (a.name != "INBOX", &a.name).cmp(&(b.name != "INBOX", &b.name)));
    Ok(all)
}

impl Session {
    pub(super) async fn list(&mut self, list: &List, is_lsub: bool) -> Answer {
        let text =
            |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| Failed::bad("A name is not UTF-8."));
        if list.patterns.iter().all(Vec::is_empty) {
            // RFC 9051 §6.3.9: the hierarchy's separator is asked for.
            self.tell(if is_lsub { "LSUB (\\Noselect) \"/\" \"\"" } else { "LIST (\\Noselect) \"/\" \"\"" });
            return Ok("Done.".to_owned());
        }
        let name = |bytes: &[u8]| text(bytes).map(|name| utf7::decode(&name).unwrap_or(name));
        let reference = name(&list.reference)?;
        let mut patterns = Vec::new();
        for pattern in &list.patterns {
            patterns.push(format!("{reference}{}", name(pattern)?));
        }
        let who = self.signed_in()?;
        let all = self.server.options.db.read(move |s| everything(s, &who)).await?;
        let parents: BTreeSet<&str> = all.iter().flat_map(|l| ancestors(&l.name)).collect();
        let only_subscribed = list.only_subscribed || is_lsub;
        let fits = |name: &str| patterns.iter().any(|p| matches(p, name));
        // Levels above what is wanted and does not fit itself (RFC 3501 §6.3.9, RFC 5258 §3.5).
        let above: BTreeSet<&str> = all
            .iter()
            .filter(|l| is_wanted(list, l, only_subscribed) && !fits(&l.name))
            .flat_map(|l| ancestors(&l.name))
            .collect();
        for listed in all.iter().filter(|l| fits(&l.name)) {
            let is_wanted = is_wanted(list, listed, only_subscribed);
            let leads_on = above.contains(listed.name.as_str()) && (is_lsub || list.recursive_match);
            if !is_wanted && !leads_on {
                continue;
            }
            let attributes = attributes(list, listed, &parents, only_subscribed, is_lsub && !is_wanted);
            let name = self.shown_name(&listed.name);
            let verb = if is_lsub { "LSUB" } else { "LIST" };
            self.connection.write(format!("* {verb} ({attributes}) \"/\" ").as_bytes());
            self.connection.write(&name);
            if leads_on && !is_lsub {
                self.connection.write(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
            }
            self.connection.write(b"\r\n");
            if let Some(mailbox) = listed.mailbox.as_ref().filter(|_| !list.status.is_empty()) {
                self.tell_status(&name, mailbox, &list.status).await?;
            }
            self.relieve().await?;
        }
        Ok("Done.".to_owned())
    }

    pub(super) async fn status(&mut self, name: &str, items: &[StatusItem]) -> Answer {
        let (who, wanted) = (self.signed_in()?, name.to_owned());
        let mailbox =
            self.server.options.db.read_quick(move |s| names::find_mailbox(s, &who, &wanted)).await?;
        let shown = self.shown_name(name);
        self.tell_status(&shown, &mailbox, items).await?;
        Ok("Done.".to_owned())
    }

    async fn tell_status(
        &mut self,
        name: &[u8],
        mailbox: &MailboxRow,
        items: &[StatusItem],
    ) -> std::result::Result<(), Failed> {
        let mut words = Vec::new();
        for item in items {
            words.push(match item {
                StatusItem::Messages => format!("MESSAGES {}", mailbox.total),
                StatusItem::Recent => "RECENT 0".to_owned(),
                StatusItem::UidNext => format!("UIDNEXT {}", mailbox.uidnext),
                StatusItem::UidValidity => format!("UIDVALIDITY {}", mailbox.uidvalidity),
                StatusItem::Unseen => format!("UNSEEN {}", mailbox.unseen),
                StatusItem::Size => format!("SIZE {}", mailbox.size),
                StatusItem::HighestModSeq => {
                    self.enabled.condstore = true;
                    format!("HIGHESTMODSEQ {}", mailbox.highest_modseq.max(1))
                }
                StatusItem::Deleted => {
                    let (account, id) = (mailbox.account, mailbox.id);
                    let counted = self.server.options.db.read(move |s| count_deleted(s, account, id)).await?;
                    format!("DELETED {counted}")
                }
            });
        }
        self.connection.write(b"* STATUS ");
        self.connection.write(name);
        self.connection.write(format!(" ({})\r\n", words.join(" ")).as_bytes());
        Ok(())
    }
}

/// The names of the levels above.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

/// INBOX fits in any case (RFC 9051 §5.1), also as the first level of others.
fn matches(pattern: &str, name: &str) -> bool {
    let folded = |name: &str| match name.find('/') {
        Some(at) => format!("{}{}", name[..at].to_ascii_uppercase(), &name[at..]),
        None => name.to_ascii_uppercase(),
    };
    let is_inbox = name.split('/').next() == Some("INBOX");
    fits(pattern, name) || (is_inbox && fits(&folded(pattern), name))
}

impl Listed {
    /// Shared accounts have roles of their own; clients would take theirs for the person's (RFC 6154 §2).
    fn special_use(&self) -> Option<&'static str> {
        let is_personal = self.name.split('/').next() != Some(SHARED);
        self.mailbox.as_ref().filter(|_| is_personal).and_then(|m| m.role.special_use())
    }
}

fn is_wanted(list: &List, listed: &Listed, only_subscribed: bool) -> bool {
    let subscribed = listed.mailbox.as_ref().is_some_and(|m| m.is_subscribed);
    (!only_subscribed || subscribed) && (!list.only_special_use || listed.special_use().is_some())
}

fn attributes(
    list: &List,
    listed: &Listed,
    parents: &BTreeSet<&str>,
    only_subscribed: bool,
    is_mere_level: bool,
) -> String {
    let mut words = Vec::new();
    if listed.mailbox.is_none() || is_mere_level {
        words.push("\\Noselect");
    }
    words.push(if parents.contains(listed.name.as_str()) { "\\HasChildren" } else { "\\HasNoChildren" });
    let subscribed = listed.mailbox.as_ref().is_some_and(|m| m.is_subscribed);
    if subscribed && (list.return_subscribed || only_subscribed) {
        words.push("\\Subscribed");
    }
    words.extend(listed.special_use());
    words.join(" ")
}
