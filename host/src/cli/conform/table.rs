// The report for people: a table by area, and below it the broken rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use imds_host::conform::{Evidence, Judged, Outcome, Score};
use imds_host::shown;

use super::Reported;

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

pub fn text(reported: &Reported<'_>) -> String {
    let report = reported.report;
    let mut text = format!(
        "{}: {} requests in {:.1} s\n\n",
        shown::lines(report.endpoint()),
        report.requests_sent(),
        reported.took.as_secs_f64()
    );
    let _ = writeln!(text, "{BOLD}{:<12}{:>6}{:>8}{:>6}{:>8}{BOLD:#}", "area", "held", "broken", "n/a", "score");
    for area in report.areas() {
        text += &row(area.name(), report.score(Some(area)));
    }
    text += &row("total", report.score(None));
    text += &counts(reported);
    for judged in report.judged().iter().filter(|judged| judged.is_broken() && judged.is_scored()) {
        text += &broken(judged);
    }
    let unrecorded = report.judged().iter().filter(|judged| judged.is_broken() && !judged.is_scored());
    let unrecorded: String = unrecorded.map(broken).collect();
    if !unrecorded.is_empty() {
        let _ = write!(
            text,
            "\nNobody has recorded the real service here, so these do not count for the score:\n{unrecorded}"
        );
    }
    text + &not_applicable(reported)
}

fn row(name: &str, score: Score) -> String {
    let style = match score.percent() {
        Some(100) => GOOD,
        Some(_) => BAD,
        None => FAINT,
    };
    let percent = percent(score);
    let Score { held, broken, not_applicable, .. } = score;
    format!("{name:<12}{held:>6}{broken:>8}{not_applicable:>6}{style}{percent:>8}{style:#}\n")
}

pub(super) fn percent(score: Score) -> String {
    score.percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"))
}

/// How many rules are broken, by evidence, and the checks that have no score.
fn counts(reported: &Reported<'_>) -> String {
    let report = reported.report;
    let number = |evidence| report.broken_by(evidence).filter(|judged| judged.check().evidence() == evidence).count();
    let unrecorded = report.unrecorded();
    format!(
        "\nBroken: {} recorded, {} documented, {} inferred. Not recorded, without a score: {} held, {} differ, {} n/a.\n",
        number(Evidence::Recorded),
        number(Evidence::Documented),
        number(Evidence::Inferred),
        unrecorded.held,
        unrecorded.broken,
        unrecorded.not_applicable,
    )
}

fn broken(judged: &Judged) -> String {
    let check = judged.check();
    let mut text = format!("\n{BAD}{}{BAD:#} ({}, {})\n", check.id(), check.area(), check.evidence());
    let mut add = |name: &str, lines: &str| {
        for (place, line) in shown::lines(lines).lines().enumerate() {
            let name = if place == 0 { name } else { "" };
            let _ = writeln!(text, "  {FAINT}{name:<10}{FAINT:#}{line}");
        }
    };
    add("rule", check.rule());
    match judged.outcome() {
        Outcome::Broken(failure) => {
            add("request", &failure.request);
            add("expected", &failure.expected);
            add("got", &failure.got);
        }
        Outcome::Unanswered(why) => add("got", why),
        Outcome::Held | Outcome::NotApplicable(_) => {}
    }
    add("source", check.source());
    text
}

/// The checks that do not apply to this endpoint: counted by reason, or each.
fn not_applicable(reported: &Reported<'_>) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for judged in reported.report.judged() {
        if let Outcome::NotApplicable(why) = judged.outcome() {
            by_reason.entry(why).or_default().push(judged.check().id());
        }
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let number: usize = by_reason.values().map(Vec::len).sum();
    let help = if reported.verbose { "" } else { " (--verbose lists them)" };
    let mut text = format!("\nNot applicable: {number}{help}\n");
    for (why, ids) in by_reason {
        let _ = writeln!(text, "{:>4} {}", ids.len(), shown::lines(why).replace('\n', " "));
        for id in ids.iter().filter(|_| reported.verbose) {
            let _ = writeln!(text, "     {FAINT}{id}{FAINT:#}");
        }
    }
    text
}
