use std::time::Duration;

/// How long a call into the component may run.
///
/// What counts is the time for which its thread runs, not the time that passes:
/// on a machine with all processors busy a call waits for its turn, and must not
/// be stopped for that. The engine's epoch moves on by the clock, and with each
/// move the call in progress is asked how long it has run. So a call that ends
/// before the first move, as nearly all do, costs nothing.
pub(crate) struct Deadline {
    limit: Duration,
    /// What the thread had run when the call was first asked.
    began: Option<Duration>,
}

/// A call is asked so often within its limit.
pub(crate) const QUESTIONS: u32 = 10;

impl Deadline {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, began: None }
    }

    /// Another call begins.
    pub(crate) fn begin(&mut self) {
        self.began = None;
    }

    /// Whether the call in progress has run for too long.
    pub(crate) fn is_over(&mut self) -> bool {
        let ran = thread_time(self.began, self.limit);
        // What it ran before the first question is less than the time between two.
        ran.saturating_sub(*self.began.get_or_insert(ran)) >= self.limit
    }
}

/// The time for which this thread has run.
#[cfg(unix)]
fn thread_time(_: Option<Duration>, _: Duration) -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // No negative time has passed on this clock.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// Where no such clock is known, the time that passed, as questions come.
#[cfg(not(unix))]
fn thread_time(began: Option<Duration>, limit: Duration) -> Duration {
    began.map_or(Duration::ZERO, |began| began + limit / QUESTIONS)
}
