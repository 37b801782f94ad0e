//! When a message is tried again (RFC 5321 §4.5.4.1).

use std::time::Duration;

/// After this long a message that could not be sent is returned (RFC 5321 §4.5.4.1: at least 4 to 5 days).
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);
/// After this long the sender is told of the delay.
pub const TELL_DELAY_AFTER: Duration = Duration::from_secs(4 * 3600);

const MINUTES: [u64; 6] = [5, 15, 30, 60, 120, 240];

/// Returns how long to wait after the `attempts`-th failed attempt (from 1): 5, 15, 30 minutes, 1, 2, then every 4 hours,
/// a tenth more or less by `seed`, so that a thousand messages for a server that was down do not return in one moment.
#[must_use]
pub fn retry_after(attempts: u32, seed: u64) -> Duration {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX).min(MINUTES.len() - 1);
    let base = MINUTES[step] * 60_000;
    // SplitMix64: spreads consecutive ids over the whole range.
    let mut mixed = seed.wrapping_add(u64::from(attempts)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    let tenth = base / 10;
    Duration::from_millis(base - tenth + mixed % (2 * tenth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_four_hours_and_scatter_by_a_tenth() {
        let minutes = |attempts, seed| retry_after(attempts, seed).as_secs_f64() / 60.0;
        for (attempts, wanted) in
            [(1, 5.0), (2, 15.0), (3, 30.0), (4, 60.0), (5, 120.0), (6, 240.0), (99, 240.0)]
        {
            let waits: Vec<f64> = (0..100).map(|seed| minutes(attempts, seed)).collect();
            assert!(waits.iter().all(|w| (wanted * 0.9..=wanted * 1.1).contains(w)), "{attempts}: {waits:?}");
            let (low, high) =
                (waits.iter().copied().fold(f64::MAX, f64::min), waits.iter().copied().fold(0.0, f64::max));
            assert!(high - low > wanted * 0.15, "{attempts}: they do not scatter");
        }
    }
}
