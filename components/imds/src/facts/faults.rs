//! Faults, with their defaults.

use super::Check;
use crate::description as written;
use crate::description::value::Span;
use crate::faults::Fault;
use crate::time::Time;

/// More faults at once help nobody.
const FAULTS_MAX: usize = 64;

/// No client waits longer.
const DELAY_MAX_MS: u32 = 60_000;

/// What a fault is of which nothing is stated.
impl Default for Fault {
    fn default() -> Fault {
        Fault {
            kind: written::FaultKind::default(),
            share: Fault::ALL,
            paths: Vec::new(),
            methods: Vec::new(),
            from: Time::EPOCH,
            until: Time::LAST,
            delay_ms: 1000,
            seed: 0,
        }
    }
}

impl Check {
    pub(super) fn faults(&mut self, faults: Vec<written::Fault>) -> Vec<Fault> {
        if faults.len() > FAULTS_MAX {
            self.wrong("/faults", format!("expected at most {FAULTS_MAX} faults, found {}", faults.len()));
            return Vec::new();
        }
        faults.into_iter().enumerate().map(|(index, fault)| self.fault(index, fault)).collect()
    }

    fn fault(&mut self, index: usize, written: written::Fault) -> Fault {
        let pointer = format!("/faults/{index}");
        if written.delay.is_some() && written.kind != written::FaultKind::Delay {
            self.wrong(format!("{pointer}/delay"), "only a fault of the kind `delay` has this");
        }
        let default = Fault::default();
        let delay_ms = written.delay.map_or(default.delay_ms, |Span(ms)| u32::try_from(ms).unwrap_or(u32::MAX));
        if delay_ms > DELAY_MAX_MS {
            self.wrong(format!("{pointer}/delay"), "expected at most 60s");
        }
        let (from, until) = (written.from.unwrap_or(default.from), written.until.unwrap_or(default.until));
        if until < from {
            self.wrong(format!("{pointer}/until"), "expected a time not before `from`");
        }
        let segments = |path: &str| path.split('/').skip(1).map(str::to_owned).collect();
        Fault {
            kind: written.kind,
            // Exact at both ends: a number above the largest counts as that.
            share: written.share.map_or(default.share, |share| (share.0 * Fault::ALL as f64) as u64),
            paths: written.paths.iter().map(|path| segments(path.as_str())).collect(),
            methods: written.methods.into_iter().map(String::from).collect(),
            from,
            until,
            delay_ms,
            // Two that state no seed must not strike the same requests.
            seed: u64::from(written.seed) + ((index as u64) << 32),
        }
    }
}
