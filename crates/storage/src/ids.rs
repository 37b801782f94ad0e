//! Makes ids: milliseconds since 2020 (41 bits) · node (10) · counter (12), strictly growing.
//!
//! The clock never goes back across restarts: ids are only made below a leased instant that is on disk, and
//! a start begins at that instant when the clock is behind it (docs/adr/0004-ids.md).

use congvu_types::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

const EPOCH_2020_MS: i64 = 1_577_836_800_000;
/// How far ahead an instant is leased.
const LEASE_MS: i64 = 20_000;
/// When less than this is left, the lease is made longer.
const RENEW_MS: i64 = 5_000;

/// Returns bits that tell one process from another; no secret.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}

#[derive(Debug)]
pub(crate) struct IdMaker {
    node: i64,
    /// Milliseconds since 2020 shifted left by 12, plus the counter.
    last: AtomicI64,
    /// Instant (ms since 2020) up to which ids may be made.
    lease: AtomicI64,
}

impl IdMaker {
    pub(crate) fn new(node: u16) -> Self {
        Self { node: i64::from(node & 1023), last: AtomicI64::new(0), lease: AtomicI64::new(0) }
    }

    /// Begins at the leased instant found on disk, so that no id is made twice.
    pub(crate) fn begin_after(&self, lease: i64) {
        self.last.fetch_max(lease << 12, Ordering::SeqCst);
        self.lease.fetch_max(lease, Ordering::SeqCst);
    }

    /// Returns the lease to write to disk before further ids are made, when it is time.
    pub(crate) fn lease_due(&self, now: Timestamp) -> Option<i64> {
        let here = (now.millis() - EPOCH_2020_MS).max(self.last.load(Ordering::SeqCst) >> 12);
        (here + RENEW_MS > self.lease.load(Ordering::SeqCst)).then_some(here + LEASE_MS)
    }

    /// Notes that `lease` is on disk.
    pub(crate) fn leased(&self, lease: i64) {
        self.lease.fetch_max(lease, Ordering::SeqCst);
    }

    /// Returns the next id.
    pub(crate) fn next(&self, now: Timestamp) -> i64 {
        let floor = (now.millis() - EPOCH_2020_MS).max(1) << 12;
        let step = |last: i64| Some((last + 1).max(floor));
        let last =
            self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap_or_else(|last| last);
        let slot = (last + 1).max(floor);
        ((slot >> 12) << 22) | (self.node << 12) | (slot & 4095)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = IdMaker::new(3);
        let now = Timestamp(1_795_421_700_000);
        let first = ids.next(now);
        let mut last = first;
        for back in 0..10_000 {
            let next = ids.next(Timestamp(now.millis() - back));
            assert!(next > last);
            last = next;
        }
        assert_eq!((first >> 12) & 1023, 3);
    }

    #[test]
    fn a_restart_begins_after_the_lease() {
        let now = Timestamp(1_795_421_700_000);
        let before = IdMaker::new(1);
        let lease = before.lease_due(now).unwrap();
        before.leased(lease);
        let id = before.next(now);
        let after = IdMaker::new(1);
        after.begin_after(lease);
        assert!(after.next(Timestamp(now.millis() - 3_600_000)) > id);
    }
}
