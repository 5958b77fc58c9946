//! What was read once, and for how long it serves.

use std::time::{Duration, Instant};

/// What was read is answered from for so long and no longer: an edit reaches every
/// replica within this time.
const FRESH: Duration = Duration::from_secs(1);

/// From this age on it is read again behind an answer, so that no request of a busy
/// adapter ever waits.
const DUE: Duration = Duration::from_millis(500);

/// Something that was read.
pub struct Known<T> {
    /// What was read.
    pub value: T,
    /// When that was last known to be so.
    read: Instant,
    /// When somebody last set out to read it again.
    tried: Instant,
    /// Whether it could not be read again since.
    is_outage: bool,
}

impl<T> Known<T> {
    /// Read just now.
    pub fn now(value: T) -> Known<T> {
        let now = Instant::now();
        Known { value, read: now, tried: now, is_outage: false }
    }

    /// Whether a request is answered from it: while it is fresh, and as long as there is
    /// nothing better to be had.
    pub fn serves(&self, now: Instant) -> bool {
        self.is_outage || now.saturating_duration_since(self.read) < FRESH
    }

    /// Whether to read it again behind this answer. Says so once: who asks sets out.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now.saturating_duration_since(self.tried) >= DUE;
        if is_due {
            self.tried = now;
        }
        is_due
    }

    /// It could not be read again, so what was known goes on.
    pub fn keep(&mut self) {
        self.is_outage = true;
    }

    /// When it was last known to be so.
    pub fn read(&self) -> Instant {
        self.read
    }
}
