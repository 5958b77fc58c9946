// The report in the Test Anything Protocol, version 14. A broken check that --fail-on does
// not count is a TODO, which no harness reports as a failure.

use std::fmt::Write as _;

use imds_host::conform::{Judged, Outcome};

use super::Reported;

pub fn text(reported: &Reported<'_>) -> String {
    let judged = reported.report.judged();
    let mut text = format!("TAP version 14\n1..{}\n", judged.len());
    for (number, one) in judged.iter().enumerate() {
        let id = one.check().id();
        let number = number + 1;
        let _ = match one.outcome() {
            Outcome::Held => writeln!(text, "ok {number} - {id}"),
            Outcome::NotApplicable(why) => writeln!(text, "ok {number} - {id} # SKIP {}", escaped(why)),
            _ if reported.fails(one) => writeln!(text, "not ok {number} - {id}"),
            _ => writeln!(text, "not ok {number} - {id} # TODO {}, which --fail-on leaves out", one.check().evidence()),
        };
        if one.is_broken() {
            text += &diagnosis(one);
        }
    }
    text
}

/// A block of YAML, whose texts are written as in JSON.
fn diagnosis(judged: &Judged) -> String {
    let check = judged.check();
    let mut lines = vec![("rule", check.rule()), ("source", check.source()), ("evidence", check.evidence().name())];
    match judged.outcome() {
        Outcome::Broken(failure) => {
            lines.extend([("request", &*failure.request), ("expected", &*failure.expected), ("got", &*failure.got)]);
        }
        Outcome::Unanswered(why) => lines.push(("got", why)),
        Outcome::Held | Outcome::NotApplicable(_) => {}
    }
    let lines: String =
        lines.into_iter().map(|(name, text)| format!("  {name}: {}\n", serde_json::Value::from(text))).collect();
    format!("  ---\n{lines}  ...\n")
}

/// A text on a line of a test, where `#` begins a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#").replace('\n', " ")
}
