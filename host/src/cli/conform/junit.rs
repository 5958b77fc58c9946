// The report in JUnit's format: a test for each check. A broken check that --fail-on does
// not count is skipped, so that CI and the exit status agree.

use std::io;

use imds_host::conform::{Judged, Outcome};

use super::Reported;
use crate::cli::junit::{Suite, Test, TestResult};

const SUITE: &str = "imds conform";

pub fn text(reported: &Reported<'_>) -> io::Result<String> {
    let report = reported.report;
    let score = report.score(None).percent().map_or_else(|| "none".to_owned(), |percent| percent.to_string());
    let suite = Suite {
        name: SUITE,
        started: reported.started,
        took: reported.took,
        properties: vec![
            ("endpoint", report.endpoint().to_owned()),
            ("requests", report.requests_sent().to_string()),
            ("score", score),
        ],
        tests: report.judged().iter().map(|judged| test(reported, judged)).collect(),
        out: String::new(),
    };
    suite.text()
}

fn test(reported: &Reported<'_>, judged: &Judged) -> Test {
    let check = judged.check();
    let result = match judged.outcome() {
        Outcome::Held => TestResult::Passed,
        Outcome::NotApplicable(why) => TestResult::Skipped(why.clone()),
        Outcome::Broken(_) | Outcome::Unanswered(_) if !reported.fails(judged) => {
            TestResult::Skipped(format!("broken, which does not count by --fail-on; evidence: {}", check.evidence()))
        }
        outcome => TestResult::Failed(check.rule().to_owned(), details(judged, outcome)),
    };
    let class = format!("{SUITE}.{}", check.area());
    Test { name: check.id().to_owned(), class, took: judged.took(), result }
}

fn details(judged: &Judged, outcome: &Outcome) -> String {
    let check = judged.check();
    let known = format!("source: {}\nevidence: {}", check.source(), check.evidence());
    match outcome {
        Outcome::Broken(failure) => {
            let (request, expected, got) = (&failure.request, &failure.expected, &failure.got);
            format!("request: {request}\nexpected: {expected}\ngot: {got}\n{known}")
        }
        Outcome::Unanswered(why) => format!("no answer: {why}\n{known}"),
        Outcome::Held | Outcome::NotApplicable(_) => known,
    }
}
