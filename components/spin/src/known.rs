//! What was read once, and for how long it serves.

use std::time::{Duration, Instant};

/// What was read is answered from for so long and no longer: an edit reaches every
/// replica within this time.
const FRESH: Duration = Duration::from_secs(1);

/// From this age on it is read again behind an answer, so that no request of a busy
/// adapter ever waits.
const DUE: Duration = Duration::from_millis(500);

/// For so long after a failed try it is taken for granted that another would fail. A
/// request that comes later waits for one: who asks once a day is not to get what was
/// true before the last outage.
const OUTAGE: Duration = Duration::from_secs(30);

/// Something that was read.
pub struct Known<T> {
    /// What was read.
    pub value: T,
    /// When that was last known to be so.
    read: Instant,
    /// When somebody last set out to read it again.
    tried: Instant,
    /// When it could last not be read again since.
    failed: Option<Instant>,
}

impl<T> Known<T> {
    /// Read just now.
    pub fn now(value: T) -> Known<T> {
        let now = Instant::now();
        Known { value, read: now, tried: now, failed: None }
    }

    /// Whether a request is answered from it: while it is fresh, and as long as there is
    /// nothing better to be had.
    pub fn serves(&self, now: Instant) -> bool {
        let is_outage = self.failed.is_some_and(|failed| now.saturating_duration_since(failed) < OUTAGE);
        is_outage || now.saturating_duration_since(self.read) < FRESH
    }

    /// Whether to read it again behind this answer. Says so once: who asks sets out.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now.saturating_duration_since(self.tried) >= DUE;
        if is_due {
            self.tried = now;
        }
        is_due
    }

    /// It could not be read again, so what was known goes on. Whoever waited for that
    /// need not set out again behind the answer.
    pub fn keep(&mut self) {
        let now = Instant::now();
        self.failed = Some(now);
        self.tried = now;
    }

    /// When it was last known to be so.
    pub fn read(&self) -> Instant {
        self.read
    }
}
