mod document;
mod score;

pub use document::ReportDocument;
pub use score::Score;

use std::time::Duration;

use super::{Area, Check, Evidence, Failure};

/// The results of a run.
///
/// ```no_run
/// use imds_host::conform::{Evidence, Suite};
/// use imds_host::probe::{Client, Endpoint};
///
/// let report = Suite::new().run(&Client::new(Endpoint::parse("http://127.0.0.1:1338")?))?;
/// assert!(report.broken_by(Evidence::Inferred).next().is_none(), "{:#?}", report.judged());
/// assert!(!report.is_of_disabled());
/// println!("{}: {} requests", report.endpoint(), report.requests_sent());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) endpoint: String,
    pub(super) requests: u64,
    pub(super) is_disabled: bool,
    pub(super) no_service: Option<String>,
    pub(super) judged: Vec<Judged>,
}

/// A check with its result.
///
/// ```
/// use imds_host::conform::Judged;
///
/// fn told(judged: &Judged) -> String {
///     format!("{} ({:?}): {:?}", judged.check().id(), judged.took(), judged.outcome())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Judged {
    pub(super) check: Check,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

/// The result of a check.
///
/// ```
/// use imds_host::conform::{Outcome, Report};
///
/// fn held(report: &Report) -> usize {
///     report.judged().iter().filter(|judged| *judged.outcome() == Outcome::Held).count()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answers as the real service does.
    Held,
    /// The endpoint breaks the rule.
    Broken(Failure),
    /// The rule does not apply to this endpoint, for this reason.
    NotApplicable(String),
    /// The endpoint did not answer, which counts as broken.
    Unanswered(String),
}

impl Judged {
    /// The check.
    pub fn check(&self) -> &Check {
        &self.check
    }

    /// The result.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Whether the endpoint broke the rule, or did not answer.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken(_) | Outcome::Unanswered(_))
    }

    /// Whether it counts for the score: checks of unrecorded rules do not.
    pub fn is_scored(&self) -> bool {
        self.check.evidence().weight() > 0
    }
}

impl Report {
    /// The URL of the endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How many requests were sent.
    pub fn requests_sent(&self) -> u64 {
        self.requests
    }

    /// Each check with its result, in the order in which they ran.
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// The broken checks whose rule has at least this evidence.
    pub fn broken_by(&self, evidence: Evidence) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(move |judged| judged.is_broken() && judged.check.evidence() >= evidence)
    }

    /// Whether the endpoint refused every request with 403, as one does that is disabled or
    /// has no instance for this caller. Nothing else of it was judged then.
    pub fn is_of_disabled(&self) -> bool {
        self.is_disabled
    }

    /// What answers there, if it is no metadata service: it issues no token, lists nothing
    /// and has no item. No check was run then.
    pub fn no_service(&self) -> Option<&str> {
        self.no_service.as_deref()
    }

    /// The areas whose checks ran, in their order.
    pub fn areas(&self) -> impl Iterator<Item = Area> + '_ {
        Area::ALL.into_iter().filter(|area| self.judged.iter().any(|judged| judged.check.area() == *area))
    }

    /// The score of an area, weighed by evidence; of all areas if `None`.
    ///
    /// ```no_run
    /// # use imds_host::conform::{Area, Suite};
    /// # use imds_host::probe::{Client, Endpoint};
    /// let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
    /// let report = Suite::new().run(&client)?;
    /// assert_eq!(report.score(Some(Area::Tokens)).percent(), Some(100));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn score(&self, area: Option<Area>) -> Score {
        let of_area = |judged: &&Judged| area.is_none_or(|area| judged.check.area() == area);
        Score::of(self.judged.iter().filter(of_area))
    }

    /// The results of the checks of unrecorded rules.
    pub fn unrecorded(&self) -> Score {
        let mut score = Score::default();
        for judged in self.judged.iter().filter(|judged| !judged.is_scored()) {
            score.count(judged);
        }
        score
    }

    /// The report in the form that `--format json` prints.
    pub fn document(&self) -> ReportDocument<'_> {
        ReportDocument::of(self)
    }
}
