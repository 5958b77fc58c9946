use std::time::{Duration, Instant};

/// Counts the lines of one second.
pub struct Flow {
    since: Instant,
    lines: u32,
    lines_max: u32,
    lost: u64,
    /// How many of those lost were told of.
    told: u64,
    /// What those lost are.
    what: &'static str,
}

impl Flow {
    pub fn new(now: Instant, lines_max: u32, what: &'static str) -> Self {
        Self { since: now, lines: 0, lines_max, lost: 0, told: 0, what }
    }

    /// How many lines were lost.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How many lines were lost that nobody was told of, if any were, and a
    /// sentence that tells of them.
    pub fn left_out(&mut self) -> Option<(u64, String)> {
        let count = self.lost - self.told;
        self.told = self.lost;
        let Self { what, lines_max, .. } = self;
        (count > 0).then(|| (count, format!("{count} more {what} {lines_max} a second")))
    }

    /// Whether a line may be written at `now`.
    pub fn permits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.lines = 0;
        }
        let permits = self.lines < self.lines_max;
        if permits {
            self.lines += 1;
        } else {
            self.lost += 1;
        }
        permits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_above_the_rate_are_counted() {
        let start = Instant::now();
        let mut flow = Flow::new(start, 20, "lines");
        for _ in 0..20 {
            assert!(flow.permits(start));
        }
        assert_eq!(flow.left_out(), None);
        assert!(!flow.permits(start));
        assert!(!flow.permits(start));
        assert!(flow.permits(start + Duration::from_secs(1)));
        assert_eq!(flow.left_out(), Some((2, "2 more lines 20 a second".to_owned())));
        assert_eq!((flow.left_out(), flow.lost()), (None, 2));
    }
}
