//! Slows down guessing: failures are counted for each login and each network of origin.

use congvu_types::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;
use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    time::Duration,
};

/// Failures within [`WINDOW`] that are let pass for one login from anywhere.
const PER_LOGIN: u32 = 10;
/// The same for one network: an office may sit behind one address.
const PER_NETWORK: u32 = 100;
const WINDOW: Duration = Duration::from_secs(600);
/// Bounds the memory; the oldest are forgotten first.
const REMEMBERED: usize = 20_000;

/// Counts failed sign-ins.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Mutex<LruCache<String, (u32, Timestamp)>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(REMEMBERED))) }
    }
}

fn network(peer: IpAddr) -> String {
    match peer {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

impl Throttle {
    /// Returns whether another attempt is allowed.
    pub(crate) fn allows(&self, login: &str, peer: IpAddr, now: Timestamp) -> bool {
        let mut failures = self.failures.lock();
        let mut below = |key: &str, most: u32| match failures.get(key) {
            Some((count, since)) => now.since(*since) > WINDOW || *count < most,
            None => true,
        };
        below(&format!("l:{login}"), PER_LOGIN) && below(&format!("n:{}", network(peer)), PER_NETWORK)
    }

    /// Notes a failure.
    pub(crate) fn failed(&self, login: &str, peer: IpAddr, now: Timestamp) {
        let mut failures = self.failures.lock();
        for key in [format!("l:{login}"), format!("n:{}", network(peer))] {
            match failures.get_mut(&key) {
                Some((count, since)) if now.since(*since) <= WINDOW => *count += 1,
                _ => {
                    failures.put(key, (1, now));
                }
            }
        }
    }

    /// A success clears the login's own count.
    pub(crate) fn succeeded(&self, login: &str) {
        self.failures.lock().pop(&format!("l:{login}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_is_stopped_and_let_go_after_a_while() {
        let throttle = Throttle::default();
        let peer = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..PER_LOGIN {
            assert!(throttle.allows("mai@x", peer, Timestamp(0)));
            throttle.failed("mai@x", peer, Timestamp(0));
        }
        assert!(!throttle.allows("mai@x", peer, Timestamp(1)));
        assert!(throttle.allows("hung@x", peer, Timestamp(1)));
        assert!(throttle.allows("mai@x", peer, Timestamp(0).after(WINDOW * 2)));
    }
}
