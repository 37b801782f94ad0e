//! A clock in the test's hand.

use congvu_types::{Clock, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Monday 23 November 2026, 08:00 in Vietnam.
const MONDAY_MORNING: i64 = 1_795_395_600_000;

/// A clock that stands until it is moved.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    /// Makes a clock that stands at a Monday morning.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(MONDAY_MORNING)))
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).expect("less than an age"), Ordering::SeqCst);
    }
}

impl Default for HandClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
