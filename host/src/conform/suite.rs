use super::check::Stop;
use super::{Check, Judged, Outcome, Report, Subject, checks};
use crate::probe::{Client, NoReply};

/// The checks to run, all but the hostile ones by default.
#[derive(Clone, Debug)]
pub struct Suite {
    checks: Vec<Check>,
}

impl Default for Suite {
    fn default() -> Self {
        Self { checks: checks::all().collect() }
    }
}

impl Suite {
    /// All checks but the hostile ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// The checks in the order in which they run.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Runs the checks.
    ///
    /// # Errors
    ///
    /// Nothing answers at the endpoint.
    pub fn run(&self, client: &Client) -> Result<Report, NoReply> {
        let subject = Subject::new(client);
        if let Err(Stop::NoReply(none)) = subject.needs_token() {
            return Err(none);
        }
        let judge = |check: &Check| {
            let outcome = match (check.judge)(&subject) {
                Ok(()) => Outcome::Held,
                Err(Stop::Broken(failure)) => Outcome::Broken(failure),
                Err(Stop::NotApplicable(why)) => Outcome::NotApplicable(why),
                Err(Stop::NoReply(none)) => Outcome::Unanswered(none.to_string()),
            };
            Judged { check: *check, outcome }
        };
        Ok(Report { judged: self.checks.iter().map(judge).collect() })
    }
}
