//! The request throttle: a generic cell rate algorithm, whose state is one
//! number.
//!
//! EC2 allows 1024 packets a second on a network interface to all link-local
//! services together and drops what is above. DIFFERENCE: here requests are
//! counted, not packets, and those above get 503, which AWS documents for
//! overload, so that clients that back off succeed.

use crate::time::Time;

/// A rate of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may come at once; at least 1.
    pub burst: u32,
    /// Requests regained a second; at least 1.
    pub per_second: u32,
}

impl Rate {
    /// What stands for EC2's limit: 1024 packets, of which a request with its
    /// connection takes about ten.
    pub const OF_EC2: Rate = Rate { burst: 100, per_second: 100 };

    /// Admits a request, or not. `state` is the time, in microseconds since the
    /// epoch, at which all requests so far would have been regained; it gives
    /// the new one. A refusal leaves it as it is: replicas whose clocks differ a
    /// little must not take from each other what they counted.
    pub fn admit(self, state: u64, now: Time) -> Result<u64, u64> {
        let now_us = now.as_ms() * 1000;
        let request_us = 1_000_000 / u64::from(self.per_second.max(1));
        let full_us = now_us + request_us * u64::from(self.burst.max(1));
        // A state from a clock that was put back since tells nothing, and must not shut
        // the service for good.
        let state = if state > full_us + CLOCKS_DIFFER_US { now_us } else { state };
        let regained = state.max(now_us);
        if regained + request_us > full_us { Err(state) } else { Ok(regained + request_us) }
    }
}

/// No two clocks of one service differ by more.
const CLOCKS_DIFFER_US: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 1000 requests at once are admitted.
    fn admitted(rate: Rate, state: &mut u64, now_ms: u64) -> usize {
        let admit = |_: &u32| {
            let admitted = rate.admit(*state, Time::from_ms(now_ms));
            let (Ok(next) | Err(next)) = admitted;
            *state = next;
            admitted.is_ok()
        };
        (0..1000).filter(admit).count()
    }

    #[test]
    fn a_burst_is_admitted_and_regained_with_time() {
        let rate = Rate { burst: 10, per_second: 5 };
        let mut state = 0;
        assert_eq!(admitted(rate, &mut state, 1_000_000), 10);
        assert_eq!(admitted(rate, &mut state, 1_000_199), 0);
        assert_eq!(admitted(rate, &mut state, 1_000_200), 1);
        assert_eq!(admitted(rate, &mut state, 1_001_200), 5);
        assert_eq!(admitted(rate, &mut state, 1_100_000), 10);
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out_for_long() {
        let rate = Rate { burst: 10, per_second: 5 };
        let mut state = 0;
        assert_eq!(admitted(rate, &mut state, u64::MAX), 10);
        assert_eq!(admitted(rate, &mut state, 1_000_000), 10);
        assert_eq!(admitted(rate, &mut state, 1_000_000), 0);
    }
}
