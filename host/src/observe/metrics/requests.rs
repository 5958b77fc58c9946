use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::exposition::Exposition;
use crate::engine::{Outcome, SessionVersion};

/// How many requests were answered, by outcome, version and status: a place for
/// each, though few ever occur, so that to count is to add in one place.
#[derive(Default)]
pub(super) struct Requests {
    counts: [ByVersion; Outcome::ALL.len()],
}

type ByVersion = [ByStatus; VERSIONS.len()];
type ByStatus = [AtomicU64; STATUSES.len()];

const VERSIONS: [&str; 3] = ["unknown", "1", "2"];
/// Those of the contract and of the shell.
const STATUSES: [&str; 10] = ["other", "200", "400", "401", "403", "404", "405", "431", "500", "503"];

const NAME: &str = "imds_requests_total";

impl Requests {
    pub(super) fn count(&self, outcome: Outcome, version: Option<SessionVersion>, status: u16) {
        let status = match status {
            200 => 1,
            400 => 2,
            401 => 3,
            403 => 4,
            404 => 5,
            405 => 6,
            431 => 7,
            500 => 8,
            503 => 9,
            _ => 0,
        };
        self.counts[outcome as usize][place(version)][status].fetch_add(1, Ordering::Relaxed);
    }

    /// Those of an outcome, of one version or of all.
    pub(super) fn of(&self, outcome: Outcome, version: Option<SessionVersion>) -> u64 {
        let by_version = &self.counts[outcome as usize];
        let versions = match version {
            Some(_) => &by_version[place(version)..][..1],
            None => by_version,
        };
        versions.iter().flatten().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn write(&self, page: &mut Exposition<'_>) -> fmt::Result {
        page.family(NAME, "counter", "Requests answered, by kind of answer, version of the service and HTTP status.")?;
        for (outcome, by_version) in Outcome::ALL.iter().zip(&self.counts) {
            for (version, by_status) in VERSIONS.iter().zip(by_version) {
                for (status, count) in STATUSES.iter().zip(by_status) {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        let labels = [("kind", outcome.name()), ("version", version), ("status", status)];
                        page.sample(NAME, &labels, count)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn place(version: Option<SessionVersion>) -> usize {
    match version {
        None => 0,
        Some(SessionVersion::One) => 1,
        Some(SessionVersion::Two) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_label() {
        let requests = Requests::default();
        for status in STATUSES {
            requests.count(Outcome::Found, None, status.parse().unwrap_or(299));
        }
        assert!(requests.counts[Outcome::Found as usize][0].iter().all(|count| count.load(Ordering::Relaxed) == 1));
        assert_eq!(requests.of(Outcome::Found, None), STATUSES.len() as u64);
        assert_eq!(requests.of(Outcome::Found, Some(SessionVersion::One)), 0);
    }
}
