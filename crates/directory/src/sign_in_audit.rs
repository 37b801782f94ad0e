//! Sign-ins in the audit chain: whose, at which door, from where; and what was tried in vain.
//!
//! Mail clients come back every minute and guessers every second, so both are recorded at a bounded rate.

use crate::{Door, PersonRow, throttle::network};
use congvu_storage::{Actor, Chain, Db, Event};
use congvu_types::{PersonId, Result, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;
use std::{net::IpAddr, num::NonZeroUsize, time::Duration};

/// A mail client is recorded this often for a person, a door and a network.
const CLIENT_EVERY: Duration = Duration::from_secs(3600);
/// Failures of one kind at one person from one network are recorded this often.
const FAILURE_EVERY: Duration = Duration::from_secs(600);
/// Failures that are recorded in a minute, whoever tries.
const FAILURES_A_MINUTE: u32 = 60;
const REMEMBERED: usize = 20_000;

type Place = (Option<PersonId>, Door, IpAddr, &'static str);

#[derive(Debug)]
struct State {
    noted: LruCache<Place, Timestamp>,
    /// The minute under way, how many failures it has, and how many were left out.
    minute: (Timestamp, u32, u64),
}

/// What was recorded lately.
#[derive(Debug)]
pub(crate) struct SignInAudit(Mutex<State>);

impl Default for SignInAudit {
    fn default() -> Self {
        let noted = LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED));
        Self(Mutex::new(State { noted, minute: (Timestamp(0), 0, 0) }))
    }
}

impl SignInAudit {
    /// Whether this was not recorded within `every`; notes that it is now.
    fn is_new(&self, place: Place, every: Duration, now: Timestamp) -> bool {
        let noted = &mut self.0.lock().noted;
        if noted.get(&place).is_some_and(|last| now < last.after(every)) {
            return false;
        }
        noted.put(place, now);
        true
    }

    /// Records that somebody signed in: every session of the web application, a mail client once an hour.
    pub(crate) async fn signed_in(
        &self,
        db: &Db,
        person: &PersonRow,
        (door, peer): (Door, IpAddr),
    ) -> Result<()> {
        let place = (Some(person.id), door, network(peer), "person.signed_in");
        if door != Door::Web && !self.is_new(place, CLIENT_EVERY, db.clock().now()) {
            return Ok(());
        }
        let details = serde_json::json!({ "door": door.as_str(), "from": peer.to_string() });
        let (chain, subject) = (Chain::Agency(person.agency), person.login());
        db.write(Actor::Person(person.id), move |tx| {
            let (subject, details) = (subject.clone(), details.clone());
            tx.record(chain, &Event { name: "person.signed_in", subject, citation: None, details })
        })
        .await
    }

    /// Records an attempt in vain: `person.sign_in_failed`, or `person.sign_in_throttled`. A login that nobody has is not
    /// repeated: it may be a password that went into the wrong field.
    pub(crate) async fn failed(
        &self,
        db: &Db,
        name: &'static str,
        person: Option<&PersonRow>,
        (door, peer): (Door, IpAddr),
    ) -> Result<()> {
        let now = db.clock().now();
        let place = (person.map(|p| p.id), door, network(peer), name);
        if !self.is_new(place, FAILURE_EVERY, now) {
            return Ok(());
        }
        let Some(left_out) = self.count_failure(now) else { return Ok(()) };
        let details =
            serde_json::json!({ "door": door.as_str(), "from": peer.to_string(), "leftOut": left_out });
        let chain = person.map_or(Chain::System, |p| Chain::Agency(p.agency));
        let subject = person.map_or_else(String::new, PersonRow::login);
        db.write(Actor::System("sign-in"), move |tx| {
            let (subject, details) = (subject.clone(), details.clone());
            tx.record(chain, &Event { name, subject, citation: None, details })
        })
        .await
    }

    /// Returns how many were left out since the last one that was recorded; `None` when this one is left out too.
    fn count_failure(&self, now: Timestamp) -> Option<u64> {
        let minute = &mut self.0.lock().minute;
        if now.since(minute.0) >= Duration::from_secs(60) {
            (minute.0, minute.1) = (now, 0);
        }
        if minute.1 >= FAILURES_A_MINUTE {
            minute.2 += 1;
            return None;
        }
        minute.1 += 1;
        Some(std::mem::take(&mut minute.2))
    }
}
