//! The session object (RFC 8620 §2).

use crate::{
    app::{App, JmapOptions},
    capabilities,
    ids::Id,
};
use congvu_directory::{AccountAccess, RightKind, SignedIn, accounts_of, regulation_of};
use congvu_storage::{Actor, Snapshot};
use congvu_types::{Citation, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, hash_map::Entry};

/// Accounts of one person that are shown.
const MOST_ACCOUNTS: usize = 200;

/// An account, with the article by which what it sends is reviewed (S9.1, Điều 9).
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) access: AccountAccess,
    pub(crate) review: Option<Citation>,
}

/// Returns the accounts that a person may use, asked anew each time.
fn accounts(snapshot: &Snapshot, who: &SignedIn) -> Result<Vec<Shown>> {
    let mut found = accounts_of(snapshot, who)?;
    found.truncate(MOST_ACCOUNTS);
    let mut shown: Vec<Shown> = Vec::with_capacity(found.len());
    let mut regulations = HashMap::new();
    for access in found {
        let regulation = match regulations.entry(access.account.agency) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(regulation_of(snapshot, access.account.agency)?),
        };
        let review = regulation.outgoing(access.account.kind).map(|rule| rule.citation.clone());
        shown.push(Shown { access, review });
    }
    Ok(shown)
}

/// Returns the accounts that a person may use, those whose mail they read with their standard mailboxes: an account that
/// nobody used yet has none.
pub(crate) async fn ready(app: &App, who: &SignedIn) -> Result<Vec<Shown>> {
    let db = &app.options.db;
    let (asked, known) = (who.clone(), app.ready.clone());
    let found = db.read_quick(move |s| {
        let found = accounts(s, &asked)?;
        let mut fresh = Vec::new();
        for Shown { access, .. } in found.iter().filter(|a| a.access.rights.has(RightKind::Read)) {
            let id = access.account.id;
            if !known.lock().contains(&id) && congvu_mail::state(s, id)?.0 == 0 {
                fresh.push(id);
            }
        }
        Ok((found, fresh))
    });
    let (found, fresh) = found.await?;
    if !fresh.is_empty() {
        db.write(Actor::System("jmap"), move |tx| {
            fresh.iter().try_for_each(|account| congvu_mail::ensure_account(tx, *account))
        })
        .await?;
    }
    app.ready.lock().extend(found.iter().map(|shown| shown.access.account.id));
    Ok(found)
}

/// What the state is made from: everything that does not depend on the address that was asked.
fn content(accounts: &[Shown], options: &JmapOptions) -> Map<String, Value> {
    let shown = accounts.iter().map(|shown| capabilities::account(shown, options));
    let shown: Map<String, Value> = shown.collect();
    let mut primary = Map::new();
    for Shown { access, .. } in accounts.iter().filter(|a| a.access.is_own) {
        let id = access.account.id.text();
        let has = shown.get(&id).and_then(|a| a.get("accountCapabilities")).and_then(Value::as_object);
        for name in has.into_iter().flat_map(Map::keys) {
            primary.entry(name.clone()).or_insert_with(|| id.clone().into());
        }
    }
    let mut content = Map::new();
    content.insert("capabilities".to_owned(), capabilities::of_server(options).into());
    content.insert("accounts".to_owned(), shown.into());
    content.insert("primaryAccounts".to_owned(), primary.into());
    content
}

/// Returns the session's state: it changes when what the session shows does.
pub(crate) fn state(accounts: &[Shown], options: &JmapOptions) -> String {
    state_of(&content(accounts, options))
}

fn state_of(content: &Map<String, Value>) -> String {
    let digest = Sha256::digest(serde_json::to_vec(content).unwrap_or_default());
    digest.iter().take(12).fold(String::from("s"), |text, byte| text + &format!("{byte:02x}"))
}

/// Returns the session object; `base` is the scheme and authority that was asked, such as `https://mail.example`.
pub(crate) fn object(accounts: &[Shown], who: &SignedIn, options: &JmapOptions, base: &str) -> Value {
    let mut session = content(accounts, options);
    let state = state_of(&session);
    if let Some(Value::Object(capabilities)) = session.get_mut("capabilities") {
        capabilities::at(capabilities, base);
    }
    let more = json!({
        "username": who.login(),
        "apiUrl": format!("{base}/jmap/api"),
        "downloadUrl": format!("{base}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?accept={{type}}"),
        "uploadUrl": format!("{base}/jmap/upload/{{accountId}}/"),
        "eventSourceUrl":
            format!("{base}/jmap/eventsource/?types={{types}}&closeafter={{closeafter}}&ping={{ping}}"),
        "state": state,
    });
    if let Value::Object(more) = more {
        session.extend(more);
    }
    Value::Object(session)
}
