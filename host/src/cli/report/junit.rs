// The report as JUnit has it, which CI services show: a test for the command's status,
// and one for its use of version 2.

use std::io;

use super::Reported;
use crate::cli::asked::{Request, Times};
use crate::cli::junit::{Suite, Test, TestResult};

const SUITE: &str = "imds run";

pub fn text(reported: &Reported<'_>) -> io::Result<String> {
    let lines: Vec<String> = reported.counts.sorted().into_iter().map(line).collect();
    let suite = Suite {
        name: SUITE,
        started: reported.started,
        took: reported.took,
        properties: properties(reported),
        tests: tests(reported),
        out: lines.join("\n"),
    };
    suite.text()
}

fn tests(reported: &Reported<'_>) -> Vec<Test> {
    let program = &reported.program;
    let failure = match (reported.has_run, reported.status) {
        (false, status) => Some(format!("{program} could not be run: {status}")),
        (true, 0) => None,
        (true, status) => Some(format!("{program} ended with {status}")),
    };
    let of = |name: &str, result| Test { name: name.to_owned(), class: SUITE.to_owned(), took: reported.took, result };
    let command = failure.map_or(TestResult::Passed, |message| TestResult::Failed(message.clone(), message));
    let version = reported.verdict.map(|verdict| {
        if verdict.passed {
            return TestResult::Passed;
        }
        let why = verdict.why();
        TestResult::Failed(why.lines().next().unwrap_or_default().trim_end_matches(':').to_owned(), why)
    });
    let version = version.map(|result| of("the command asks with session tokens (--require-v2)", result));
    [of("the command succeeds", command)].into_iter().chain(version).collect()
}

fn properties(reported: &Reported<'_>) -> Vec<(&'static str, String)> {
    let counts = reported.counts;
    let all = [
        ("version-1", counts.version_1()),
        ("version-1-rejected", counts.version_1_rejected()),
        ("version-2", counts.version_2),
        ("unknown", counts.unknown),
        ("exit-status", u64::from(reported.status_kept())),
    ];
    all.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

fn line((request, times): (&Request, &Times)) -> String {
    let Request { method, target, user_agent, version } = request;
    let mut line = format!("{} {method} {target}", times.all);
    line += &version.map_or_else(String::new, |version| format!(", version {version}"));
    for (status, number) in &times.statuses {
        line += &match status {
            Some(status) => format!(", {number} with {status}"),
            None => format!(", {number} without an answer"),
        };
    }
    line.extend(user_agent.iter().map(|agent| format!(", by {agent}")));
    line.extend(times.processes.iter().map(|process| format!(", {process}")));
    line
}
