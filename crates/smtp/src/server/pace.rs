//! How fast a message must come. Whoever trickles one keeps its memory from others.

use congvu_net::ReadError;
use std::time::{Duration, Instant};

/// RFC 5321 §4.5.3.2.5: three minutes for a block; …
const WINDOW: Duration = Duration::from_secs(180);
/// … in which so much comes at least (a kilobyte in a second), …
const LEAST: usize = 180 * 1024;
/// … and this long for all of it.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Watches over one message, its chunks and the time between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    begun: Instant,
    window: Instant,
    in_window: usize,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { begun: now, window: now, in_window: 0 }
    }

    /// How long to wait for more; an error when there was time enough.
    pub(super) fn patience(&self, now: Instant) -> Result<Duration, ReadError> {
        let until = (self.window + WINDOW).min(self.begun + LONGEST);
        let left = until.saturating_duration_since(now);
        if left.is_zero() { Err(ReadError::TimedOut) } else { Ok(left) }
    }

    /// Counts what came; a window that brought enough begins anew.
    pub(super) fn came(&mut self, bytes: usize, now: Instant) {
        self.in_window += bytes;
        if self.in_window >= LEAST {
            self.in_window = 0;
            self.window = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_ends_and_a_stream_goes_on() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(start);
        for second in (0..180).step_by(10) {
            assert!(pace.patience(after(second)).is_ok(), "{second}");
            pace.came(1000, after(second));
        }
        assert!(pace.patience(after(181)).is_err(), "a trickle");
        let mut pace = Pace::new(start);
        for second in (0..1800).step_by(100) {
            assert!(pace.patience(after(second)).is_ok(), "{second}");
            pace.came(200 * 1024, after(second));
        }
        assert!(pace.patience(after(1801)).is_err(), "half an hour");
    }
}
