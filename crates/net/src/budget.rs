//! How much memory all that is under way may take together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Memory is taken in steps of this size.
const STEP: usize = 256 * 1024;

/// A limit on the memory of what comes in, over all connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// Makes a budget of `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Begins a share, empty at first.
    #[must_use]
    pub fn begin(&self) -> Share {
        Share { budget: self.clone(), taken: 0 }
    }
}

/// One message's share; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    taken: usize,
}

impl Share {
    /// Makes the share at least `bytes`; returns whether there was room.
    pub fn cover(&mut self, bytes: usize) -> bool {
        while self.taken < bytes {
            let left = &self.budget.0;
            let took = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(STEP));
            if took.is_err() {
                return false;
            }
            self.taken += STEP;
        }
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_and_given_back() {
        let budget = Budget::new(2 * STEP);
        let mut first = budget.begin();
        assert!(first.cover(STEP + 1) && !budget.begin().cover(1));
        drop(first);
        assert!(budget.begin().cover(1));
    }
}
