//! Faults that a description asks for: which requests they affect, and how.
//!
//! DIFFERENCE: none of this is EC2's. A test asks for it that wants to know what
//! its software does on a bad day.

use crate::description::FaultKind;
use crate::http::target::Target;
use crate::split_mix::mixed;
use crate::time::Time;

/// What a shell does with an answer instead of sending it whole and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Sends it after so many milliseconds.
    Delayed(u32),
    /// Closes the connection and sends nothing.
    Closed,
    /// Sends head and body, which is shorter than the head tells, and closes.
    Cut,
    /// Sends nothing and leaves the connection open.
    Withheld,
}

/// A fault of the service.
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// Of 2^64 requests so many are affected.
    pub share: u64,
    /// Requests for these paths and what is below them; empty for all. Each has
    /// its segments, of which `*` stands for any one.
    pub paths: Vec<Vec<String>>,
    /// Requests with these methods; empty for all.
    pub methods: Vec<String>,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// For the kind `delay`.
    pub delay_ms: u32,
    /// Which requests are affected follows from it.
    pub seed: u64,
}

impl Fault {
    /// The share of all requests.
    pub const ALL: u64 = u64::MAX;

    /// Whether it affects the request.
    pub fn affects(&self, method: &str, target: &Target<'_>, now: Time, request_number: u64) -> bool {
        (self.from..self.until).contains(&now)
            && (self.methods.is_empty() || self.methods.iter().any(|other| other == method))
            && (self.paths.is_empty() || self.paths.iter().any(|path| is_below(path, target)))
            && (self.share == Fault::ALL || mixed(self.seed, request_number) < self.share)
    }
}

fn is_below(path: &[String], target: &Target<'_>) -> bool {
    let mut segments = target.segments();
    path.iter().all(|name| segments.next().is_some_and(|segment| name == "*" || name == segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(share: f64, seed: u64) -> Fault {
        Fault { share: (share * u64::MAX as f64) as u64, seed, ..Fault::default() }
    }

    fn affected(fault: &Fault) -> Vec<bool> {
        let target = Target::parse("/latest/");
        (0..10_000).map(|number| fault.affects("GET", &target, Time::EPOCH, number)).collect()
    }

    #[test]
    fn a_share_is_held_and_another_seed_affects_others() {
        for share in [0.0, 0.01, 0.3, 0.5, 0.99, 1.0] {
            let [one, two] = [1, 2].map(|seed| affected(&fault(share, seed)));
            for seen in [&one, &two] {
                let seen = seen.iter().filter(|affected| **affected).count() as f64 / 10_000.0;
                assert!((seen - share).abs() < 0.02, "{seen} of {share}");
            }
            let same = one.iter().zip(&two).filter(|(one, two)| one == two).count() as f64 / 10_000.0;
            let expected = share * share + (1.0 - share) * (1.0 - share);
            assert!((same - expected).abs() < 0.03, "{share}: {same}, expected {expected}");
            assert_eq!(one, affected(&fault(share, 1)), "a run can be repeated");
        }
    }

    #[test]
    fn a_path_stands_for_what_is_below_it() {
        let mut fault = fault(1.0, 0);
        fault.paths = vec![vec!["*".into(), "meta-data".into(), "iam".into()]];
        let affects = |path| fault.affects("GET", &Target::parse(path), Time::EPOCH, 0);
        for path in ["/latest/meta-data/iam", "//1.0/meta-data/iam/", "/latest/meta-data/iam/info"] {
            assert!(affects(path), "{path}");
        }
        for path in ["/", "/latest/meta-data/", "/latest/meta-data/iam-x", "/latest/user-data"] {
            assert!(!affects(path), "{path}");
        }
    }
}
