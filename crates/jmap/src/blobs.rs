//! Which blobs a person may have, and the record of who had them: uploads of their own, and messages of accounts that they
//! read.

use crate::{
    app::App,
    blob_id::BlobId,
    dispatch::{Caller, Failure, Outcome},
};
use congvu_casework::review::{Parts, record_opened_email};
use congvu_directory::{act_for, right};
use congvu_message::parse_structure;
use congvu_storage::{Actor, Snapshot};
use congvu_types::{AccountId, EmailId, Error, PersonId, Result};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};

/// Readings that are remembered, so that what is shown once more is not written down once more.
const REMEMBERED: usize = 50_000;

/// Readings of shared accounts that are recorded already. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Recorded(Arc<Mutex<LruCache<(PersonId, EmailId), Parts>>>);

impl Default for Recorded {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED)))))
    }
}

/// Messages whose content is about to be shown, with what of it.
pub(crate) type Shown = Vec<(EmailId, Parts)>;

/// Bytes that a person may have.
#[derive(Debug)]
pub(crate) struct Found {
    /// The whole blob that they are of.
    pub(crate) raw: Vec<u8>,
    /// Messages of the account over it, when it was not uploaded by the person.
    pub(crate) emails: Vec<EmailId>,
}

impl Found {
    /// What of which messages is shown by this.
    pub(crate) fn shown(&self, id: &BlobId) -> Shown {
        if self.emails.is_empty() {
            return Vec::new();
        }
        let parts = match id.place() {
            _ if id.is_whole() => Parts::all(&parse_structure(&self.raw)),
            Some(place) => Parts::within(&self.raw, &parse_structure(&self.raw), std::slice::from_ref(place)),
            None => Parts::default(),
        };
        self.emails.iter().map(|email| (*email, parts.clone())).collect()
    }
}

/// Where a blob comes from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) size: u64,
    /// Messages of the account over it, when it was not uploaded by the person.
    pub(crate) emails: Vec<EmailId>,
}

/// Returns where a blob comes from; `None` when there is none that the person may have.
pub(crate) fn source(
    snapshot: &Snapshot,
    caller: &Caller,
    account: AccountId,
    id: &BlobId,
) -> Outcome<Option<Source>> {
    let reading = act_for::<right::Read>(snapshot, &caller.who, account);
    let uploaded = match &reading {
        Ok(acting) => congvu_mail::upload(snapshot, acting, id.hash())?,
        Err(Error::Refused(_)) => {
            let sending = caller.acting::<right::Submit>(snapshot, account)?;
            congvu_mail::upload(snapshot, &sending, id.hash())?
        }
        Err(_) => None,
    };
    if let Some(upload) = uploaded {
        return Ok(Some(Source { size: upload.size, emails: Vec::new() }));
    }
    let acting = match reading {
        Ok(acting) => acting,
        Err(Error::Refused(_)) => return Ok(None),
        Err(fault) => return Err(Failure::Core(fault)),
    };
    let holders = congvu_mail::holders(snapshot, &acting, id.hash())?;
    let Some((_, size)) = holders.first() else { return Ok(None) };
    Ok(Some(Source { size: *size, emails: holders.into_iter().map(|(email, _)| email).collect() }))
}

/// Reads a blob that the person may have, against what one request may read.
pub(crate) fn find(
    snapshot: &Snapshot,
    caller: &Caller,
    account: AccountId,
    id: &BlobId,
) -> Outcome<Option<Found>> {
    let Some(source) = source(snapshot, caller, account, id)? else { return Ok(None) };
    caller.take_room(usize::try_from(source.size).unwrap_or(usize::MAX))?;
    Ok(Some(Found { raw: snapshot.blob(id.hash())?, emails: source.emails }))
}

/// Records who is about to be shown what of a shared account (S3.1b, Điều 3), and which parts of messages that wait for a
/// decision were opened (S9.1, Điều 9): before they are shown.
pub(crate) async fn record(app: &App, caller: &Caller, account: AccountId, shown: Shown) -> Result<()> {
    let person = caller.who.person();
    let fresh: Shown = {
        let mut known = app.recorded.0.lock();
        let is_fresh = |(email, parts): &(EmailId, Parts)| {
            known.get(&(person, *email)).is_none_or(|recorded| !parts.is_within(recorded))
        };
        shown.into_iter().filter(is_fresh).collect()
    };
    if fresh.is_empty() {
        return Ok(());
    }
    let who = caller.who.clone();
    let looked = who.clone();
    let shared = app.options.db.read_quick(move |s| {
        let acting = act_for::<right::Read>(s, &looked, account)?;
        Ok(acting.is_shared())
    });
    if !shared.await? {
        return Ok(());
    }
    let written = fresh.clone();
    app.options
        .db
        .write(Actor::Person(person), move |tx| {
            let acting = act_for::<right::Read>(tx, &who, account)?;
            let emails: Vec<EmailId> = written.iter().map(|(email, _)| *email).collect();
            congvu_mail::record_read(tx, &acting, &emails)?;
            for (email, parts) in written.iter().filter(|(_, parts)| !parts.is_empty()) {
                record_opened_email(tx, &who, (account, *email), parts)?;
            }
            Ok(())
        })
        .await?;
    let mut known = app.recorded.0.lock();
    for (email, parts) in fresh {
        let key = (person, email);
        match known.get_mut(&key) {
            Some(recorded) => recorded.add(&parts),
            None => drop(known.put(key, parts)),
        }
    }
    Ok(())
}
