//! The report as a JSON document. `docs/conformance.md` has its fields.

use serde::Serialize;

use super::{Area, Judged, Outcome, Report, Score};

/// The version of the document. It changes if a reader of an older version could misread
/// the document.
const VERSION: u32 = 1;

/// A [`Report`] in a form for programs.
///
/// ```no_run
/// # use imds_host::conform::Suite;
/// # use imds_host::probe::{Client, Endpoint};
/// let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
/// let report = Suite::new().run(&client)?;
/// println!("{}", serde_json::to_string_pretty(&report.document())?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReportDocument<'r> {
    version: u32,
    /// The version of the program.
    imds: &'static str,
    endpoint: &'r str,
    requests: u64,
    total: Counts,
    unrecorded: Counts,
    areas: Vec<OfArea>,
    checks: Vec<OfCheck<'r>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Counts {
    held: usize,
    broken: usize,
    not_applicable: usize,
    /// In percent; `null` if no check was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Option<u32>>,
}

#[derive(Debug, Serialize)]
struct OfArea {
    area: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize)]
struct OfCheck<'r> {
    id: &'static str,
    area: &'static str,
    evidence: &'static str,
    rule: &'static str,
    source: &'static str,
    outcome: &'static str,
    #[serde(flatten)]
    details: Details<'r>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Details<'r> {
    Broken { request: &'r str, expected: &'r str, got: &'r str },
    Reason { reason: &'r str },
    Nothing {},
}

impl<'r> ReportDocument<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let of_area = |area: Area| OfArea { area: area.name(), counts: Counts::scored(report.score(Some(area))) };
        Self {
            version: VERSION,
            imds: env!("CARGO_PKG_VERSION"),
            endpoint: &report.endpoint,
            requests: report.requests,
            total: Counts::scored(report.score(None)),
            unrecorded: Counts::of(report.unrecorded()),
            areas: report.areas().map(of_area).collect(),
            checks: report.judged.iter().map(OfCheck::of).collect(),
        }
    }
}

impl Counts {
    fn of(score: Score) -> Self {
        let Score { held, broken, not_applicable, .. } = score;
        Self { held, broken, not_applicable, score: None }
    }

    fn scored(score: Score) -> Self {
        Self { score: Some(score.percent()), ..Self::of(score) }
    }
}

impl<'r> OfCheck<'r> {
    fn of(judged: &'r Judged) -> Self {
        let check = &judged.check;
        let (outcome, details) = match &judged.outcome {
            Outcome::Held => ("held", Details::Nothing {}),
            Outcome::Broken(failure) => {
                let (request, expected, got) = (&failure.request, &failure.expected, &failure.got);
                ("broken", Details::Broken { request, expected, got })
            }
            Outcome::NotApplicable(reason) => ("not-applicable", Details::Reason { reason }),
            Outcome::Unanswered(reason) => ("unanswered", Details::Reason { reason }),
        };
        Self {
            id: check.id(),
            area: check.area().name(),
            evidence: check.evidence().name(),
            rule: check.rule(),
            source: check.source(),
            outcome,
            details,
        }
    }
}
