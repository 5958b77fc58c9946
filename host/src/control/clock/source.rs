//! Where a clock has its time from.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::watchers::Watcher;
use super::{ClockState, VirtualClock, since_1970};
use crate::engine::Clock;

pub(super) trait Source: Send + Sync {
    /// What it shows and how it runs: what a clock shows that was never changed.
    fn state(&self) -> ClockState;

    /// Time that passed since some fixed moment: by it a clock goes on that was changed.
    fn steady(&self) -> Duration;

    /// Has `watcher` called whenever somebody changed it, where that can be told.
    fn when_moved(&self, _watcher: Arc<Watcher>) {}
}

/// This machine's clocks: the system's, and the steady one, which is never less than
/// before.
pub(super) struct Machine {
    start: Instant,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Source for Machine {
    fn state(&self) -> ClockState {
        ClockState { now: SystemTime::now(), is_paused: false, speed: 1.0, is_system: true }
    }

    fn steady(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Another clock, whose time is all the time that passes. It can be moved back.
pub(super) struct Leader {
    clock: VirtualClock,
}

impl Leader {
    pub(super) fn new(clock: VirtualClock) -> Self {
        Self { clock }
    }
}

impl Source for Leader {
    fn state(&self) -> ClockState {
        self.clock.state()
    }

    fn steady(&self) -> Duration {
        since_1970(self.clock.now())
    }

    fn when_moved(&self, watcher: Arc<Watcher>) {
        self.clock.watch(watcher);
    }
}
