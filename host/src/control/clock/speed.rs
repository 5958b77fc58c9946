//! The speeds that a clock can have.

use std::fmt;

/// A speed that no [`VirtualClock`](crate::VirtualClock) has.
///
/// ```
/// let refused = imds_host::VirtualClock::system().set_speed(0.0).unwrap_err();
/// assert_eq!(refused.to_string(), "a clock cannot have the speed 0: expected 0.001 to 1000000; to stop it, pause it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrongSpeed {
    speed: f64,
}

/// Slower, an hour would take more than forty days: a clock that is to stand is
/// paused.
pub(super) const SPEED_MIN: f64 = 0.001;

/// Faster, more than eleven days would pass in a second, and more time than a
/// credential lives between two requests. All years that can be told take three
/// days.
pub(super) const SPEED_MAX: f64 = 1_000_000.0;

impl WrongSpeed {
    pub(super) fn new(speed: f64) -> Self {
        Self { speed }
    }
}

impl fmt::Display for WrongSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a clock cannot have the speed {}: expected {SPEED_MIN} to {SPEED_MAX}; to stop it, pause it",
            self.speed
        )
    }
}

impl std::error::Error for WrongSpeed {}
