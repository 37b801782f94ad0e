//! Before somebody sends: who could be meant, and what is to be known of recipients (S2.2b, S8.3a).
//!
//! Whom an account wrote to is kept when a message leaves (`correspondent`), so that a new address is told from a known one.

use crate::{Site, local};
use congvu_casework::review::{Cleared, Origin};
use congvu_directory::{Acting, Recipient, address_book, regulation_of, right};
use congvu_message::{AddressItem, decode_summary};
use congvu_regulation::Decision;
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{AccountId, Citation, EmailAddress, Result, composed, fold};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Recipients of one message who are remembered.
const MOST_REMEMBERED: usize = 200;
/// A name is remembered up to so many characters.
const LONGEST_NAME: usize = 200;
/// Entries of the address book that are looked at.
const MOST_ENTRIES: usize = 5_000;
/// Of whom an account wrote to, so many of the last are looked at.
const MOST_PAST: usize = 5_000;
/// What is typed is looked at up to so many characters.
const LONGEST_TEXT: usize = 200;

/// Where a candidate is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The agency's address book.
    Directory,
    /// Messages that the account sent.
    Past,
}

/// Somebody who could be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub address: String,
    /// The position.
    pub detail: Option<String>,
    /// Where they are known from.
    pub source: Source,
}

/// Returns up to `most` people and accounts whom the beginnings of words could mean, accents aside; those with the accents as
/// typed first, then the address book, then whom was written to last.
pub fn complete(
    snapshot: &Snapshot,
    acting: &Acting<right::Read>,
    text: &str,
    most: usize,
) -> Result<Vec<Candidate>> {
    let typed: String = composed(text.trim().chars().take(LONGEST_TEXT).collect()).to_lowercase();
    let plain = fold(&typed);
    let parts: Vec<&str> = plain.split_whitespace().collect();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = known(snapshot, acting)?;
    let mut seen = HashSet::new();
    all.retain(|candidate| is_meant(candidate, &parts) && seen.insert(candidate.address.to_lowercase()));
    // The sort keeps the order of equals.
    all.sort_by_key(|candidate| !shown(candidate).to_lowercase().contains(&typed));
    all.truncate(most);
    Ok(all)
}

fn known(snapshot: &Snapshot, acting: &Acting<right::Read>) -> Result<Vec<Candidate>> {
    let book = address_book(snapshot, acting.agency(), MOST_ENTRIES)?;
    let mut all: Vec<Candidate> = book
        .into_iter()
        .map(|entry| Candidate {
            name: entry.name,
            address: entry.address,
            detail: entry.position,
            source: Source::Directory,
        })
        .collect();
    all.extend(snapshot.query(
        "SELECT name, address FROM correspondent WHERE account_id = ?1 ORDER BY last_at DESC, address_key LIMIT ?2",
        &params![acting.account().get(), MOST_PAST],
        |r| {
            let name = Some(r.text(0)?).filter(|name| !name.is_empty());
            Ok(Candidate { name, address: r.text(1)?, detail: None, source: Source::Past })
        },
    )?);
    Ok(all)
}

fn shown(candidate: &Candidate) -> String {
    let Candidate { name, address, detail, .. } = candidate;
    format!("{} {address} {}", name.as_deref().unwrap_or_default(), detail.as_deref().unwrap_or_default())
}

/// Whether each part begins a word.
fn is_meant(candidate: &Candidate, parts: &[&str]) -> bool {
    let folded = fold(&shown(candidate));
    let words: Vec<&str> = folded.split(|c: char| c.is_whitespace() || "@._-,()".contains(c)).collect();
    let begins =
        |part: &&str| words.iter().any(|word| word.starts_with(part)) || folded.contains(&format!(" {part}"));
    parts.iter().all(begins)
}

/// Where mail for an address goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To an account here.
    Here,
    /// To nobody: our domain, no such address.
    Unknown,
    /// To another server.
    Elsewhere,
}

/// What the regulation does with a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The sender, and a reviewer, are told.
    Warned(Citation),
    /// It is not sent.
    Refused(Citation),
}

/// What is to be known of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Where mail for them goes.
    pub place: Place,
    /// Whether the domain is official; `None` when the regulation names none (S2.2b).
    pub is_official: Option<bool>,
    /// What the regulation says of their provider (S8.3a).
    pub ruling: Option<Ruling>,
    /// Whether the account wrote to them before.
    pub is_known: bool,
}

/// Returns what is to be known of recipients of an account, in their order.
pub fn check(
    snapshot: &Snapshot,
    site: &Site,
    acting: &Acting<right::Read>,
    addresses: &[EmailAddress],
) -> Result<Vec<Checked>> {
    let regulation = regulation_of(snapshot, acting.agency())?;
    let mut checked = Vec::with_capacity(addresses.len());
    for address in addresses {
        let place = match local::recipient(snapshot, site, address)? {
            Recipient::Account(_) => Place::Here,
            Recipient::Unknown => Place::Unknown,
            Recipient::Elsewhere => Place::Elsewhere,
        };
        let ruling = match regulation.recipient(address.domain()) {
            Decision::Allowed => None,
            Decision::Warned(citation) => Some(Ruling::Warned(citation.clone())),
            Decision::Refused(citation) => Some(Ruling::Refused(citation.clone())),
        };
        let is_known = snapshot.query_opt(
            "SELECT 1 FROM correspondent WHERE account_id = ?1 AND address_key = ?2",
            &params![acting.account().get(), address.key()],
            |_| Ok(()),
        )?;
        checked.push(Checked {
            place,
            is_official: regulation.is_official(address.domain()),
            ruling,
            is_known: is_known.is_some(),
        });
    }
    Ok(checked)
}

/// Remembers to whom an account wrote, when its message leaves. What a program answered is nobody's letter.
pub(crate) fn remember(tx: &mut Tx, cleared: &Cleared) -> Result<()> {
    let (Origin::Account { account, .. }, Some(_)) = (cleared.origin(), cleared.mail_from()) else {
        return Ok(());
    };
    let names = names(cleared);
    // In the order of their keys, in which every transaction takes the rows.
    let recipients: BTreeMap<String, String> = cleared
        .envelope()
        .recipients
        .iter()
        .take(MOST_REMEMBERED)
        .map(|recipient| (recipient.address.key(), recipient.address.to_string()))
        .collect();
    for (key, address) in recipients {
        let name = names.get(&key).map(String::as_str).unwrap_or_default();
        remember_one(tx, account, (&key, &address, name))?;
    }
    Ok(())
}

fn remember_one(tx: &mut Tx, account: AccountId, (key, address, name): (&str, &str, &str)) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO correspondent (account_id, address_key, address, name, times, last_at) VALUES (?1, ?2, ?3, ?4, 1, ?5)
         ON CONFLICT (account_id, address_key) DO UPDATE SET times = correspondent.times + 1, last_at = excluded.last_at,
            name = CASE WHEN excluded.name = '' THEN correspondent.name ELSE excluded.name END",
        &params![account.get(), key, address, name, now],
    )?;
    Ok(())
}

/// The names that the header gives recipients, by address.
fn names(cleared: &Cleared) -> HashMap<String, String> {
    let Ok((envelope, _)) = decode_summary(&cleared.message().summary.encoded) else { return HashMap::new() };
    let named = |item: &AddressItem| {
        let name: String = item.display_name()?.chars().take(LONGEST_NAME).collect();
        Some((item.address()?.key(), name)).filter(|(_, name)| !name.is_empty())
    };
    envelope.to.iter().chain(&envelope.cc).filter_map(named).collect()
}
