use std::time::{SystemTime, UNIX_EPOCH};

/// The time for a server. A closure that returns a [`SystemTime`] is a clock, so a test
/// or a simulation can move time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use imds_host::Clock;
///
/// let launch_party = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_156_464_000);
/// assert_eq!(launch_party.now_ms(), 1_156_464_000_000);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> SystemTime;

    /// The time in milliseconds since 1970-01-01T00:00:00Z; 0 for any time before.
    fn now_ms(&self) -> u64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The operating system's clock.
///
/// ```
/// use imds_host::{Clock, SystemClock};
///
/// assert!(SystemClock.now_ms() > 1_700_000_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
