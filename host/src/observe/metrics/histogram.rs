use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Exposition;

/// How long answers took.
#[derive(Default)]
pub(super) struct Histogram {
    /// Those up to each bound and above the one before; the last are above all.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// In nanoseconds, and in seconds as text. An answer takes microseconds; what
/// takes milliseconds opens a large description, and what takes longer makes
/// keys or fails.
const BOUNDS: [(u64, &str); 11] = [
    (1_000, "0.000001"),
    (2_000, "0.000002"),
    (5_000, "0.000005"),
    (10_000, "0.00001"),
    (20_000, "0.00002"),
    (50_000, "0.00005"),
    (100_000, "0.0001"),
    (1_000_000, "0.001"),
    (10_000_000, "0.01"),
    (100_000_000, "0.1"),
    (1_000_000_000, "1"),
];

const NAME: &str = "imds_request_duration_seconds";

impl Histogram {
    pub(super) fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|(bound, _)| nanoseconds <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn write(&self, page: &mut Exposition<'_>) -> fmt::Result {
        page.family(NAME, "histogram", "Time to find an answer, without receiving and sending.")?;
        let bucket = format!("{NAME}_bucket");
        let bounds = BOUNDS.iter().map(|(_, seconds)| *seconds).chain(["+Inf"]);
        let mut count = 0;
        for (bound, here) in bounds.zip(&self.buckets) {
            count += here.load(Ordering::Relaxed);
            page.sample(&bucket, &[("le", bound)], count)?;
        }
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        page.sample(&format!("{NAME}_sum"), &[], seconds)?;
        page.sample(&format!("{NAME}_count"), &[], count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_the_last_has_all() {
        let histogram = Histogram::default();
        for nanoseconds in [0, 1_000, 1_001, 15_000, 1_000_000_000, 1_000_000_001] {
            histogram.record(Duration::from_nanos(nanoseconds));
        }
        let mut text = String::new();
        histogram.write(&mut Exposition::new(&mut text)).unwrap();
        let values: Vec<_> = text.lines().skip(2).map(|line| line.rsplit_once(' ').unwrap()).collect();
        let counts: Vec<u64> = values[..12].iter().map(|(_, value)| value.parse().unwrap()).collect();
        assert_eq!(counts, [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6]);
        assert_eq!(values[11].0, "imds_request_duration_seconds_bucket{le=\"+Inf\"}");
        assert_eq!(values[12], ("imds_request_duration_seconds_sum", "2.000017002"));
        assert_eq!(values[13], ("imds_request_duration_seconds_count", "6"));
    }

    #[test]
    fn bounds_say_the_same_twice() {
        for (nanoseconds, seconds) in BOUNDS {
            assert_eq!((seconds.parse::<f64>().unwrap() * 1e9).round() as u64, nanoseconds);
        }
    }
}
