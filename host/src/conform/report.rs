use super::{Check, Evidence, Failure};

/// What the checks found.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) judged: Vec<Judged>,
}

/// A check with what it found.
#[derive(Clone, Debug)]
pub struct Judged {
    pub(super) check: Check,
    pub(super) outcome: Outcome,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answers as the real service.
    Held,
    /// It does not.
    Broken(Failure),
    /// The rule says nothing about this endpoint, for this reason.
    NotApplicable(String),
    /// The endpoint did not answer, which counts as broken.
    Unanswered(String),
}

impl Judged {
    /// The check.
    pub fn check(&self) -> &Check {
        &self.check
    }

    /// What it found.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether the endpoint broke the rule, or did not answer.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken(_) | Outcome::Unanswered(_))
    }
}

impl Report {
    /// Each check with what it found, in the order in which they ran.
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// The broken checks for which there is at least this evidence.
    pub fn broken_by(&self, evidence: Evidence) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(move |judged| judged.is_broken() && judged.check.evidence() >= evidence)
    }
}
