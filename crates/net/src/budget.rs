//! How much memory all that is under way may take together, and one peer alone.

use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// Memory is taken in steps of this size at first, …
const STEP: usize = 16 * 1024;
/// … of this size when much is taken already.
const LARGE_STEP: usize = 256 * 1024;

/// A limit on the memory of what comes in, over all connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    left: usize,
    per_address: usize,
    taken: HashMap<IpAddr, usize>,
}

impl Budget {
    /// Makes a budget of `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let counts = Counts { left: bytes, per_address: bytes / 2, taken: HashMap::new() };
        Self(Arc::new(Mutex::new(counts)))
    }

    /// Begins a share, empty at first.
    #[must_use]
    pub fn begin(&self) -> Share {
        Share { budget: self.clone(), address: None, taken: 0 }
    }

    /// Begins a share for an address, all of whose shares have no more than half of the budget together.
    #[must_use]
    pub fn begin_for(&self, address: IpAddr) -> Share {
        Share { budget: self.clone(), address: Some(crate::listener::place(address)), taken: 0 }
    }
}

/// One message's share; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    address: Option<IpAddr>,
    taken: usize,
}

impl Share {
    /// Makes the share at least `bytes`; returns whether there was room.
    pub fn cover(&mut self, bytes: usize) -> bool {
        if bytes <= self.taken {
            return true;
        }
        let step = if bytes > LARGE_STEP { LARGE_STEP } else { STEP };
        let wanted = bytes.next_multiple_of(step) - self.taken;
        let mut counts = self.budget.0.lock();
        if wanted > counts.left {
            return false;
        }
        if let Some(address) = self.address {
            let limit = counts.per_address;
            let before = counts.taken.get(&address).copied().unwrap_or(0);
            if before.saturating_add(wanted) > limit {
                return false;
            }
            counts.taken.insert(address, before + wanted);
        }
        counts.left -= wanted;
        self.taken += wanted;
        true
    }

    /// Gives everything back.
    pub fn release(&mut self) {
        if self.taken == 0 {
            return;
        }
        let mut counts = self.budget.0.lock();
        counts.left += self.taken;
        if let Some(address) = self.address
            && let Some(taken) = counts.taken.get_mut(&address)
        {
            *taken = taken.saturating_sub(self.taken);
            if *taken == 0 {
                counts.taken.remove(&address);
            }
        }
        self.taken = 0;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_and_given_back() {
        let [here, there, elsewhere] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|a| a.parse().unwrap());
        let budget = Budget::new(4 * STEP);
        let mut first = budget.begin_for(here);
        assert!(first.cover(STEP + 1) && first.cover(2 * STEP));
        assert!(!budget.begin_for(here).cover(1), "one address has half of it at most");
        let mut second = budget.begin_for(there);
        assert!(second.cover(2 * STEP) && !budget.begin_for(elsewhere).cover(1));
        drop(first);
        assert!(budget.begin_for(elsewhere).cover(1) && budget.begin_for(here).cover(1));
        second.release();
        assert!(second.cover(STEP));
        drop(second);
        assert!(budget.0.lock().taken.is_empty() && budget.0.lock().left == 4 * STEP);
    }
}
