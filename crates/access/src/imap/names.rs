//! Names of mailboxes: one's own account bare, shared accounts under `Shared/ADDRESS/` (RFC 2342).

use super::{codec::utf7, codec::write, reply::Failed, session::Session};
use congvu_directory::{AccountAccess, RightKind, SignedIn, accounts_of};
use congvu_mail::MailboxRow;
use congvu_storage::{Actor, Snapshot};
use congvu_types::{AccountId, RefusalKind, Result};
use std::sync::Arc;

/// The namespace of shared accounts.
pub(super) const SHARED: &str = "Shared";

/// The accounts that a session shows.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Each account with the prefix of its mailboxes' names: empty for the personal one.
    pub(super) accounts: Vec<(AccountAccess, String)>,
}

impl Places {
    /// Looks up what a person may read. A sign-in for one account makes that the personal one.
    pub(super) fn load(snapshot: &Snapshot, who: &SignedIn) -> Result<Self> {
        let mut has_personal = false;
        let accounts = accounts_of(snapshot, who)?
            .into_iter()
            .filter(|a| a.rights.has(RightKind::Read))
            .map(|access| {
                let is_personal = !has_personal && (access.is_own || who.scope() == Some(access.account.id));
                has_personal |= is_personal;
                let prefix =
                    if is_personal { String::new() } else { format!("{SHARED}/{}/", access.account.address) };
                (access, prefix)
            })
            .collect();
        Ok(Self { accounts })
    }

    /// Returns the account and the name within it. Who has no account of their own finds under INBOX that of the first
    /// account that they share, since mail clients insist on an INBOX (RFC 9051 §5.1).
    pub(super) fn find(&self, name: &str) -> Option<(AccountId, String)> {
        let shared =
            self.accounts.iter().filter(|(_, prefix)| !prefix.is_empty()).find_map(|(access, prefix)| {
                let head = name.get(..prefix.len())?;
                let within = head.eq_ignore_ascii_case(prefix).then(|| &name[prefix.len()..])?;
                Some((access.account.id, within.to_owned()))
            });
        if shared.is_some() {
            return shared;
        }
        // The level of shared accounts is no name in anybody's own, or it would hide theirs.
        let first = name.split('/').next().unwrap_or_default();
        if first.eq_ignore_ascii_case(SHARED) {
            return None;
        }
        match self.accounts.iter().find(|(_, prefix)| prefix.is_empty()) {
            Some((own, _)) => Some((own.account.id, name.to_owned())),
            None if name.eq_ignore_ascii_case("INBOX") => {
                self.accounts.first().map(|(access, _)| (access.account.id, name.to_owned()))
            }
            None => None,
        }
    }

    /// Whether INBOX is that of a shared account.
    pub(super) fn borrows_inbox(&self) -> bool {
        !self.accounts.is_empty() && self.accounts.iter().all(|(_, prefix)| !prefix.is_empty())
    }
}

/// Finds a mailbox by the name that the client uses.
pub(super) fn find_mailbox(snapshot: &Snapshot, who: &SignedIn, name: &str) -> Result<MailboxRow> {
    let (account, within) = Places::load(snapshot, who)?.find(name).ok_or(RefusalKind::NotFound)?;
    congvu_mail::mailbox_by_name(snapshot, account, &within)?.ok_or_else(|| RefusalKind::NotFound.into())
}

impl Session {
    /// Who is signed in; commands that need it are not run for others.
    pub(super) fn signed_in(&self) -> std::result::Result<Arc<SignedIn>, Failed> {
        self.who.clone().ok_or_else(|| Failed::bad("Sign in first."))
    }

    /// Makes the standard mailboxes of accounts that were never used.
    pub(super) async fn prepare_accounts(&self, who: &Arc<SignedIn>) -> std::result::Result<(), Failed> {
        let who = who.clone();
        let db = &self.server.options.db;
        let empty: Vec<AccountId> = db
            .read_quick(move |s| {
                let mut empty = Vec::new();
                for (access, _) in Places::load(s, &who)?.accounts {
                    if congvu_mail::mailbox_by_name(s, access.account.id, "INBOX")?.is_none() {
                        empty.push(access.account.id);
                    }
                }
                Ok(empty)
            })
            .await?;
        for account in empty {
            db.write(Actor::System("imap"), move |tx| congvu_mail::ensure_account(tx, account)).await?;
        }
        Ok(())
    }

    /// Writes a mailbox name as this client understands it.
    pub(super) fn shown_name(&self, name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        if self.enabled.rev2 || self.enabled.utf8 {
            // RFC 9051 §5.1: Net-Unicode in quotes.
            out.push(b'"');
            for byte in name.bytes() {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        } else {
            write::string(&mut out, utf7::encode(name).as_bytes());
        }
        out
    }
}
