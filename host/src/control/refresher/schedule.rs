//! When credentials are fetched again.

use std::time::{Duration, SystemTime};

/// SDKs ask for new ones a quarter of an hour before the end, and EC2 has some five
/// minutes before at least.
const AHEAD: Duration = Duration::from_secs(15 * 60);

/// Told of credentials of which nobody knows when they end: clients come back then.
pub(super) const LIFE_UNTOLD: Duration = Duration::from_secs(3600);

/// Between two attempts while a source fails: doubled from the one to the other.
const BACK_OFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// When credentials that were fetched at `now` and end at `end` are due: a quarter of
/// an hour before, and where they live for less than twice that, at half of their life.
pub(super) fn due(now: SystemTime, end: SystemTime) -> SystemTime {
    let life = end.duration_since(now).unwrap_or_default();
    end - AHEAD.min(life / 2)
}

/// How long to wait after so many failures in a row, at least one. `random` spreads
/// it from half of the time on, so that many do not come together.
pub(super) fn back_off(failures: u32, random: u64) -> Duration {
    let [first, longest] = BACK_OFF;
    let most = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    most / 2 + (most / 2).mul_f64((random >> 32) as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn credentials_are_due_minutes_before_they_end_and_short_ones_at_half_of_their_life() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (life, ahead) in [(720, 15), (60, 15), (30, 15), (20, 10), (10, 5), (2, 1), (0, 0)] {
            let (now, end) = (UNIX_EPOCH, UNIX_EPOCH + minutes(life));
            assert_eq!(due(now, end), end - minutes(ahead), "{life}");
        }
        assert_eq!(due(UNIX_EPOCH + minutes(5), UNIX_EPOCH), UNIX_EPOCH);
    }

    #[test]
    fn failures_are_tried_again_ever_later_within_bounds() {
        for (failures, seconds) in [(1, 1), (2, 2), (6, 32), (7, 60), (u32::MAX, 60)] {
            let most = Duration::from_secs(seconds);
            assert_eq!(back_off(failures, u64::MAX), most, "{failures}");
            assert_eq!(back_off(failures, 0), most / 2, "{failures}");
        }
    }
}
