//! What changed, told as it is committed (RFC 8620 §7.1): to an event source or a web socket. Whoever listens is asked for their
//! sign-in and their right before each telling (docs/adr/0011).

use crate::{app::App, ids::Id, session, state};
use congvu_directory::{RightKind, SessionToken, SignedIn, act_for, right, session as web_session};
use congvu_storage::{News, Snapshot};
use congvu_transport::{OutgoingStates, outgoing_states, topic};
use congvu_types::{AccountId, Error, ModSeq, Result};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Changes that come within this time are told together.
const TOGETHER: Duration = Duration::from_millis(100);
/// Accounts of one person that are watched.
const MOST_ACCOUNTS: usize = 100;

/// Types whose states are told.
pub(crate) const TYPES: [&str; 7] =
    ["Email", "EmailDelivery", "Mailbox", "Thread", "EmailSubmission", "Identity", "VacationResponse"];

/// The states of an account: of its mail, and of what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct States {
    mail: ModSeq,
    outgoing: OutgoingStates,
}

impl States {
    fn read(snapshot: &Snapshot, account: AccountId) -> Result<Self> {
        Ok(Self {
            mail: congvu_mail::state(snapshot, account)?,
            outgoing: outgoing_states(snapshot, account)?,
        })
    }

    fn of(&self, name: &str) -> ModSeq {
        match name {
            "EmailSubmission" => self.outgoing.submission,
            "Identity" => self.outgoing.identity,
            "VacationResponse" => self.outgoing.vacation,
            _ => self.mail,
        }
    }

    fn text(&self) -> String {
        TYPES.map(|name| self.of(name).to_string()).join("-")
    }
}

/// An account's states, and those that were told before.
type Fresh = (AccountId, States, Option<States>);

/// Which types somebody listens for; `None`: all.
pub(crate) type Types = Option<BTreeSet<String>>;

/// Watches the accounts of a person.
pub(crate) struct Watcher {
    app: App,
    who: SignedIn,
    token: Option<SessionToken>,
    types: Types,
    news: SelectAll<BoxStream<'static, AccountId>>,
    /// States as they were told.
    known: BTreeMap<AccountId, States>,
}

/// The account, once for each change.
fn changes(account: AccountId, watch: watch::Receiver<News>) -> impl Stream<Item = AccountId> {
    stream::unfold(watch, move |mut watch| async move {
        watch.changed().await.ok()?;
        Some((account, watch))
    })
}

/// Whether a sign-in stands, and the session that the request came with goes on.
pub(crate) fn stands(snapshot: &Snapshot, who: &SignedIn, token: Option<&SessionToken>) -> Result<bool> {
    match congvu_directory::still_signed_in(snapshot, who) {
        Ok(()) => {}
        Err(Error::Refused(_)) => return Ok(false),
        Err(fault) => return Err(fault),
    }
    match token {
        Some(SessionToken(token)) => Ok(web_session(snapshot, token)?.is_some()),
        None => Ok(true),
    }
}

impl Watcher {
    /// Begins to watch. What happened before is what the client asks for itself.
    pub(crate) async fn open(
        app: &App,
        who: SignedIn,
        token: Option<SessionToken>,
        types: Types,
    ) -> Result<Self> {
        let accounts = session::ready(app, &who).await?;
        let accounts =
            accounts.into_iter().filter(|a| a.access.rights.has(RightKind::Read)).take(MOST_ACCOUNTS);
        let accounts: Vec<AccountId> = accounts.map(|shown| shown.access.account.id).collect();
        // Watched first, read then: no change is lost between.
        let feed = app.options.db.feed();
        let news = stream::select_all(
            accounts
                .iter()
                .flat_map(|id| [*id, topic(*id)].map(|watched| changes(*id, feed.watch(watched)).boxed())),
        );
        let known = app.options.db.read_quick(move |s| {
            accounts.into_iter().map(|id| Ok((id, States::read(s, id)?))).collect::<Result<_>>()
        });
        Ok(Self { app: app.clone(), who, token, types, news, known: known.await? })
    }

    /// Returns a text that stands for the states that were told.
    pub(crate) fn mark(&self) -> String {
        let states: Vec<String> =
            self.known.iter().map(|(id, states)| format!("{id}:{}", states.text())).collect();
        let digest = Sha256::digest(states.join(","));
        digest.iter().take(12).fold(String::from("p"), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Returns the states of all accounts, for whoever heard the last of another time.
    pub(crate) fn all(&self) -> Value {
        self.told(self.known.iter().map(|(id, states)| (*id, *states, None)))
    }

    /// What is otherwise than it was told before.
    fn told(&self, fresh: impl Iterator<Item = Fresh>) -> Value {
        let wanted = |name: &str| self.types.as_ref().is_none_or(|types| types.contains(name));
        let changed: Map<String, Value> = fresh
            .map(|(account, states, before)| {
                let is_fresh = |name: &str| before.is_none_or(|before| before.of(name) != states.of(name));
                let types = TYPES.into_iter().filter(|name| wanted(name) && is_fresh(name));
                let types = types.map(|name| (name.to_owned(), state::emails(states.of(name)).into()));
                (account.text(), Value::Object(types.collect()))
            })
            .filter(|(_, types)| types.as_object().is_some_and(|types| !types.is_empty()))
            .collect();
        json!({ "@type": "StateChange", "changed": changed })
    }

    /// Waits for the next `StateChange`; `None` when the person may hear no more.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let mut touched = BTreeSet::from([self.news.next().await?]);
            let until = Instant::now() + TOGETHER;
            while let Ok(Some(more)) = tokio::time::timeout_at(until, self.news.next()).await {
                touched.insert(more);
            }
            let (who, token) = (self.who.clone(), self.token.clone());
            let looked =
                self.app.options.db.read_quick(move |s| look(s, &who, token.as_ref(), touched)).await;
            let states = match looked {
                Ok(states) => states?,
                Err(error) => {
                    tracing::error!(%error, "looking for what changed");
                    continue;
                }
            };
            let fresh: Vec<Fresh> = states
                .into_iter()
                .filter(|(id, states)| self.known.get(id) != Some(states))
                .map(|(id, states)| (id, states, self.known.get(&id).copied()))
                .collect();
            self.known.extend(fresh.iter().map(|(id, states, _)| (*id, *states)));
            let told = self.told(fresh.into_iter());
            if told["changed"].as_object().is_some_and(|changed| !changed.is_empty()) {
                return Some(told);
            }
        }
    }
}

/// The states of accounts that the person still reads; `None` when the sign-in has ended.
fn look(
    snapshot: &Snapshot,
    who: &SignedIn,
    token: Option<&SessionToken>,
    touched: BTreeSet<AccountId>,
) -> Result<Option<Vec<(AccountId, States)>>> {
    if !stands(snapshot, who, token)? {
        return Ok(None);
    }
    let mut states = Vec::new();
    for account in touched {
        match act_for::<right::Read>(snapshot, who, account) {
            Ok(_) => states.push((account, States::read(snapshot, account)?)),
            Err(Error::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(Some(states))
}
