//! Makes ids: milliseconds since 2020 (41 bits) · node (10) · counter (12), strictly growing.
//!
//! The clock never goes back across restarts: ids are only made below a leased instant that is on disk, and whoever takes a
//! node's number begins at the instant leased for it before. So no id is made twice even when two processes take the same
//! number in turn (docs/adr/0004-ids.md).

use congvu_types::Timestamp;
use parking_lot::Mutex;

const EPOCH_2020_MS: i64 = 1_577_836_800_000;
/// How far ahead an instant is leased.
pub(crate) const LEASE_MS: i64 = 20_000;
/// When less than this is left, the lease is made longer.
const RENEW_MS: i64 = 5_000;

/// Who makes ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A server with its number, below [`Node::FIRST_OF_COMMANDS`].
    Server(u16),
    /// A command beside a server: it takes a number that nobody holds.
    Command,
}

impl Node {
    /// Numbers from here to 1023 are those of commands.
    pub const FIRST_OF_COMMANDS: u16 = 960;
}

/// A number with the instants (ms since 2020) between which ids may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) number: i64,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

#[derive(Debug, Default)]
struct State {
    /// `None` before the first lease, and after one that did not reach the disk.
    lease: Option<Lease>,
    /// Milliseconds since 2020 shifted left by 12, plus the counter.
    last: i64,
}

#[derive(Debug)]
pub(crate) struct IdMaker {
    pub(crate) node: Node,
    /// Tells this process from another that took its number.
    pub(crate) owner: i64,
    state: Mutex<State>,
}

/// Returns bits that tell one process from another; no secret.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}

impl IdMaker {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, owner: (random() >> 1).cast_signed(), state: Mutex::default() }
    }

    /// Returns the instant that ids have come to.
    pub(crate) fn here(&self, now: Timestamp) -> i64 {
        (now.millis() - EPOCH_2020_MS).max(self.state.lock().last >> 12).max(1)
    }

    pub(crate) fn lease(&self) -> Option<Lease> {
        self.state.lock().lease
    }

    /// Returns whether a lease is to be written before further ids are made.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let here = self.here(now);
        self.lease().is_none_or(|lease| here + RENEW_MS > lease.until)
    }

    /// Notes a lease that is on disk when the next commit is.
    pub(crate) fn leased(&self, lease: Lease) {
        let mut state = self.state.lock();
        state.last = state.last.max(lease.from << 12);
        state.lease = Some(lease);
    }

    /// The lease did not reach the disk, or was given back.
    pub(crate) fn forget(&self) {
        self.state.lock().lease = None;
    }

    /// Returns the next id.
    pub(crate) fn next(&self, now: Timestamp) -> i64 {
        let mut state = self.state.lock();
        let here = (now.millis() - EPOCH_2020_MS).max(1);
        // A transaction that outlives its lease counts on where the lease ends, below what others may lease.
        let (number, until) = state.lease.map_or((0, here), |lease| (lease.number, lease.until));
        let floor = here.min(until - 1) << 12;
        state.last = (state.last + 1).max(floor);
        ((state.last >> 12) << 22) | (number << 12) | (state.last & 4095)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_421_700_000);

    fn leased(number: i64, from: i64) -> IdMaker {
        let ids = IdMaker::new(Node::Server(3));
        ids.leased(Lease { number, from, until: from + LEASE_MS });
        ids
    }

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = leased(3, NOW.millis() - EPOCH_2020_MS);
        let first = ids.next(NOW);
        let mut last = first;
        for back in 0..10_000 {
            let next = ids.next(Timestamp(NOW.millis() - back));
            assert!(next > last);
            last = next;
        }
        assert_eq!((first >> 12) & 1023, 3);
    }

    #[test]
    fn whoever_takes_a_number_begins_after_its_lease() {
        let before = leased(1, NOW.millis() - EPOCH_2020_MS);
        // Even ids of a transaction that outlives the lease.
        let late = before.next(Timestamp(NOW.millis() + 10 * LEASE_MS));
        let after = leased(1, before.lease().unwrap().until);
        assert!(after.next(Timestamp(NOW.millis() - 3_600_000)) > late);
        assert!(before.is_due(NOW) && !after.is_due(NOW));
        after.forget();
        assert!(after.is_due(NOW));
    }
}
