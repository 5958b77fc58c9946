//! One request on its way to its answer, and what comes of it.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Counts, Instance, Moment, Signatures, ToSign, Verdict};
use crate::error::Error;
use crate::observe::Observer;

/// One request on its way to its answer.
pub(crate) struct Turn {
    /// When it began, where somebody wants to know.
    pub(super) started: Option<Instant>,
    /// The one time of the answer, its log line and its place in the journal,
    /// however long they take and however fast the clock runs.
    pub(super) moment: Moment,
    pub(super) instance: Option<Instance>,
    /// Who is told of what this instance answers, and of no other.
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// The numbers that the instance had when it answered.
    pub(super) counts: Counts,
    pub(super) signatures: Option<Result<Arc<Signatures>, Error>>,
    /// What to do with the answer.
    pub(crate) verdict: Verdict,
    pub(super) error: Option<Error>,
}

/// What a turn comes to.
pub(super) enum Step {
    /// The answer was appended.
    Answered,
    /// This has to be signed first.
    Sign(Instance, ToSign),
}

impl Turn {
    pub(super) fn signatures(&self) -> Option<&Signatures> {
        self.signatures.as_ref()?.as_ref().ok().map(|signatures| &**signatures)
    }
}
