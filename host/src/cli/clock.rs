// The clock by which all is answered.

use std::time::SystemTime;

use clap::Args;
use imds_host::VirtualClock;

use super::values::{speed_flag, time};

#[derive(Args)]
pub struct ClockFlags {
    /// The time at which the service's clock starts, instead of the system's:
    /// 2026-10-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = CLOCK)]
    clock_start: Option<SystemTime>,

    /// Start with the service's clock stopped
    #[arg(long, help_heading = CLOCK)]
    clock_paused: bool,

    /// How many seconds the service's clock moves in one real second. Clients keep their own clocks, so the times
    /// they read will be wrong; --scenario-speed keeps them true
    #[arg(long, value_name = "N", value_parser = speed_flag, allow_negative_numbers = true, help_heading = CLOCK)]
    clock_speed: Option<f64>,
}

const CLOCK: &str = "Clock";

impl ClockFlags {
    /// The clock that the flags ask for, as of now.
    pub fn clock(&self) -> VirtualClock {
        let clock = match (self.clock_start, self.clock_paused) {
            // Not a moment later.
            (Some(start), true) => VirtualClock::paused_at(start),
            (Some(start), false) => VirtualClock::starting_at(start),
            (None, _) => VirtualClock::system(),
        };
        if self.clock_paused {
            clock.pause();
        }
        if let Some(speed) = self.clock_speed {
            // It was looked at when the flag was read.
            let _ = clock.set_speed(speed);
        }
        clock
    }
}
