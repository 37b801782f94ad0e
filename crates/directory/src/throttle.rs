//! Slows down guessing. Wrong secrets are counted for each person at each network, for each network, and for each person
//! wherever they come from.
//!
//! An attempt is reserved before its secret is looked at and given back when it was right, so that attempts side by side do
//! not slip past the count. A secret that was wrong is wrong once: a device with an old password that tries without end
//! guesses nothing, and a person's mail clients do not close the web to them. Nobody far away can lock a person out: past the count of all networks together attempts are only
//! made to wait, and a network from which the person signed in lately does not even wait.

use congvu_types::{PersonId, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    time::Duration,
};

/// Failures within [`WINDOW`] that are let pass for one person at one network.
const PER_PAIR: u32 = 10;
/// The same for one network: an office may sit behind one address.
const PER_NETWORK: u32 = 100;
/// Failures for one person from everywhere, past which attempts wait for each other.
const PER_SUBJECT: u32 = 100;
const WINDOW: Duration = Duration::from_secs(600);
/// Between attempts that wait for each other.
const PACE: Duration = Duration::from_secs(1);
/// Nobody waits longer; more at once are refused.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// So long the network of a sign-in is one that the person is known at.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Bounds the memory of each count; the oldest are forgotten first.
const REMEMBERED: usize = 20_000;

/// Whose secret is guessed at. Every way to write a login leads to the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Somebody.
    Person(PersonId),
    /// Nobody: the hash of the normalised login.
    Nobody([u8; 32]),
}

impl Subject {
    pub(crate) fn nobody(login: &str) -> Self {
        Self::Nobody(Sha256::digest(login.as_bytes()).into())
    }
}

/// Where an attempt comes from, and at whom it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) subject: Subject,
    network: IpAddr,
    is_web: bool,
}

/// Who, from where, and whether in the web or by a mail client.
type Pair = (Subject, IpAddr, bool);

impl Attempt {
    pub(crate) fn new(subject: Subject, peer: IpAddr, is_web: bool) -> Self {
        Self { subject, network: network(peer), is_web }
    }

    const fn pair(&self) -> Pair {
        (self.subject, self.network, self.is_web)
    }

    const fn place(&self) -> (Subject, IpAddr) {
        (self.subject, self.network)
    }
}

/// The network of an address: the address itself, of IPv6 its /64.
pub(crate) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    failures: u32,
    since: Timestamp,
    /// The turn of the next attempt that waits.
    turn: Timestamp,
}

/// Counts by some key, each for a while.
#[derive(Debug)]
struct Counts<K: Hash + Eq>(LruCache<K, Count>);

impl<K: Hash + Eq> Default for Counts<K> {
    fn default() -> Self {
        Self(LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED)))
    }
}

impl<K: Hash + Eq> Counts<K> {
    fn failures(&mut self, key: &K, now: Timestamp) -> u32 {
        self.0.get(key).filter(|c| now.since(c.since) <= WINDOW).map_or(0, |c| c.failures)
    }

    fn add(&mut self, key: K, now: Timestamp) {
        let count = self.0.get_or_insert_mut(key, || Count { since: now, ..Count::default() });
        if now.since(count.since) > WINDOW {
            *count = Count { since: now, ..Count::default() };
        }
        count.failures = count.failures.saturating_add(1);
    }

    fn take_back(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

#[derive(Debug)]
struct State {
    pairs: Counts<Pair>,
    /// Secrets found wrong, by a keyed name, and when.
    wrong: LruCache<(Pair, [u8; 32]), Timestamp>,
    networks: Counts<IpAddr>,
    subjects: Counts<Subject>,
    known: LruCache<(Subject, IpAddr), Timestamp>,
}

impl State {
    fn knows(&mut self, attempt: &Attempt, now: Timestamp) -> bool {
        self.known.get(&attempt.place()).is_some_and(|last| now.since(*last) <= KNOWN_FOR)
    }

    fn is_blocked(&mut self, attempt: &Attempt, now: Timestamp) -> bool {
        self.pairs.failures(&attempt.pair(), now) >= PER_PAIR
            || (self.networks.failures(&attempt.network, now) >= PER_NETWORK && !self.knows(attempt, now))
    }
}

/// Counts failed sign-ins.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<State>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(State {
            pairs: Counts::default(),
            wrong: LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED)),
            networks: Counts::default(),
            subjects: Counts::default(),
            known: LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED)),
        }))
    }
}

impl Throttle {
    /// Returns whether no attempt is heard.
    pub(crate) fn is_blocked(&self, attempt: &Attempt, now: Timestamp) -> bool {
        self.0.lock().is_blocked(attempt, now)
    }

    /// Returns whether the secret of this keyed name was found wrong here lately: it need not be looked at again.
    pub(crate) fn was_wrong(&self, attempt: &Attempt, name: [u8; 32], now: Timestamp) -> bool {
        let mut state = self.0.lock();
        state.wrong.get(&(attempt.pair(), name)).is_some_and(|since| now.since(*since) <= WINDOW)
    }

    /// Keeps a reserved attempt counted: the secret was wrong. It is given back when the same one was found wrong meanwhile.
    pub(crate) fn failed(&self, attempt: &Attempt, name: [u8; 32], now: Timestamp) {
        if self.was_wrong(attempt, name, now) {
            self.release(attempt);
        } else {
            self.0.lock().wrong.put((attempt.pair(), name), now);
        }
    }

    /// Returns how long an attempt must wait before it is made; `None` when it is not heard at all.
    pub(crate) fn admit(&self, attempt: &Attempt, now: Timestamp) -> Option<Duration> {
        let mut state = self.0.lock();
        if state.is_blocked(attempt, now) {
            return None;
        }
        if state.subjects.failures(&attempt.subject, now) < PER_SUBJECT || state.knows(attempt, now) {
            return Some(Duration::ZERO);
        }
        let count = state.subjects.0.get_mut(&attempt.subject)?;
        let turn = count.turn.max(now);
        let wait = turn.since(now);
        if wait > LONGEST_WAIT {
            return None;
        }
        count.turn = turn.after(PACE);
        Some(wait)
    }

    /// Counts an attempt as failed before its outcome is known; `false` when too many are counted already.
    pub(crate) fn reserve(&self, attempt: &Attempt, now: Timestamp) -> bool {
        let mut state = self.0.lock();
        if state.is_blocked(attempt, now) {
            return false;
        }
        state.pairs.add(attempt.pair(), now);
        state.networks.add(attempt.network, now);
        state.subjects.add(attempt.subject, now);
        true
    }

    /// Gives a reserved attempt back: it was not made.
    pub(crate) fn release(&self, attempt: &Attempt) {
        let mut state = self.0.lock();
        state.pairs.take_back(&attempt.pair());
        state.networks.take_back(&attempt.network);
        state.subjects.take_back(&attempt.subject);
    }

    /// Gives a reserved attempt back: the secret was right. The person's own count here begins anew.
    pub(crate) fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        self.release(attempt);
        let mut state = self.0.lock();
        state.pairs.0.pop(&attempt.pair());
        state.known.put(attempt.place(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(person: i64, place: u8) -> Attempt {
        Attempt::new(Subject::Person(PersonId::new(person)), IpAddr::from([192, 0, 2, place]), true)
    }

    #[test]
    fn a_guesser_is_stopped_and_let_go_after_a_while() {
        let throttle = Throttle::default();
        let start = Timestamp(1);
        for _ in 0..PER_PAIR {
            assert_eq!(throttle.admit(&at(1, 1), start), Some(Duration::ZERO));
            assert!(throttle.reserve(&at(1, 1), start));
        }
        assert_eq!(throttle.admit(&at(1, 1), start), None);
        assert!(!throttle.reserve(&at(1, 1), start));
        // Neither others here, nor the same person elsewhere.
        assert!(throttle.admit(&at(2, 1), start).is_some() && throttle.admit(&at(1, 2), start).is_some());
        assert!(throttle.admit(&at(1, 1), start.after(WINDOW * 2)).is_some());
    }

    #[test]
    fn mail_clients_do_not_close_the_web() {
        let (throttle, now) = (Throttle::default(), Timestamp(1));
        let client = Attempt { is_web: false, ..at(1, 1) };
        assert_eq!((0..50).filter(|_| throttle.reserve(&client, now)).count(), 10);
        assert!(throttle.is_blocked(&client, now) && !throttle.is_blocked(&at(1, 1), now));
    }

    #[test]
    fn the_same_wrong_secret_is_counted_once_in_a_while() {
        let (throttle, now) = (Throttle::default(), Timestamp(1));
        let old = [7; 32];
        // Two side by side, before either is found wrong.
        assert!(throttle.reserve(&at(1, 1), now) && throttle.reserve(&at(1, 1), now));
        throttle.failed(&at(1, 1), old, now);
        throttle.failed(&at(1, 1), old, now);
        assert_eq!((0..50).filter(|_| throttle.reserve(&at(1, 1), now)).count(), 9);
        assert!(throttle.was_wrong(&at(1, 1), old, now) && !throttle.was_wrong(&at(1, 2), old, now));
        assert!(!throttle.was_wrong(&at(1, 1), old, now.after(WINDOW * 2)));
    }

    #[test]
    fn attempts_side_by_side_are_counted_before_they_are_made() {
        let throttle = Throttle::default();
        let reserved = (0..50).filter(|_| throttle.reserve(&at(1, 1), Timestamp(1))).count();
        assert_eq!(reserved, 10);
        throttle.release(&at(1, 1));
        assert!(throttle.reserve(&at(1, 1), Timestamp(1)));
        throttle.succeeded(&at(1, 1), Timestamp(1));
        assert!(throttle.reserve(&at(1, 1), Timestamp(1)));
    }

    #[test]
    fn guessers_everywhere_make_strangers_wait_and_lock_nobody_out() {
        let throttle = Throttle::default();
        let start = Timestamp(1);
        assert!(throttle.reserve(&at(1, 200), start));
        throttle.succeeded(&at(1, 200), start);
        for place in 0..20 {
            for _ in 0..PER_PAIR {
                throttle.reserve(&at(1, place), start);
            }
        }
        assert_eq!(throttle.admit(&at(1, 201), start), Some(Duration::ZERO));
        assert_eq!(throttle.admit(&at(1, 201), start), Some(PACE));
        for _ in 0..20 {
            throttle.admit(&at(1, 202), start);
        }
        assert_eq!(throttle.admit(&at(1, 203), start), None);
        assert_eq!(throttle.admit(&at(1, 200), start), Some(Duration::ZERO));
        assert!(throttle.admit(&at(1, 203), start.after(LONGEST_WAIT * 3)).is_some());
    }

    #[test]
    fn an_office_is_slowed_but_not_who_is_known_there() {
        let throttle = Throttle::default();
        let start = Timestamp(1);
        assert!(throttle.reserve(&at(1, 1), start));
        throttle.succeeded(&at(1, 1), start);
        for person in 2..20 {
            for _ in 0..PER_PAIR {
                throttle.reserve(&at(person, 1), start);
            }
        }
        assert_eq!(throttle.admit(&at(99, 1), start), None);
        assert!(throttle.admit(&at(1, 1), start).is_some());
    }

    #[test]
    fn an_ipv6_network_is_its_64_bits() {
        let net = |text: &str| network(text.parse().unwrap());
        assert_eq!(net("2001:db8:1:2:3::4"), net("2001:db8:1:2::"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
        assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1"));
    }
}
