// The report in Markdown, for pages and for comments on pull requests.

use std::fmt::Write as _;

use imds_host::conform::{Judged, Outcome, Score};

use super::Reported;
use super::table::percent;

pub fn text(reported: &Reported<'_>) -> String {
    let report = reported.report;
    let mut text = format!(
        "# Conformance of {}\n\n| area | held | broken | n/a | score |\n| --- | ---: | ---: | ---: | ---: |\n",
        cell(report.endpoint())
    );
    for area in report.areas() {
        text += &row(area.name(), report.score(Some(area)));
    }
    text += &row("**total**", report.score(None));
    text += &broken("Broken", report.judged().iter().filter(|judged| judged.is_scored()));
    text += &broken(
        "Differs where nobody has recorded the real service",
        report.judged().iter().filter(|judged| !judged.is_scored()),
    );
    text
}

fn row(name: &str, score: Score) -> String {
    let Score { held, broken, not_applicable, .. } = score;
    format!("| {name} | {held} | {broken} | {not_applicable} | {} |\n", percent(score))
}

fn broken<'j>(title: &str, judged: impl Iterator<Item = &'j Judged>) -> String {
    let rows: String = judged.filter(|judged| judged.is_broken()).map(of_check).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "\n## {title}\n\n| check | evidence | rule | request | expected | got |\n| --- | --- | --- | --- | --- | --- |\n{rows}"
    )
}

fn of_check(judged: &Judged) -> String {
    let check = judged.check();
    let (request, expected, got) = match judged.outcome() {
        Outcome::Broken(failure) => (&*failure.request, &*failure.expected, &*failure.got),
        Outcome::Unanswered(why) => ("", "an answer", &**why),
        Outcome::Held | Outcome::NotApplicable(_) => ("", "", ""),
    };
    let mut row = format!("| `{}` | {}", check.id(), check.evidence());
    for text in [check.rule(), request, expected, got] {
        let _ = write!(row, " | {}", cell(text));
    }
    row + " |\n"
}

/// A text for a cell of a table. Only code keeps its markup.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    // In code, only the end of a cell is special.
    let mut is_code = false;
    for c in imds_host::shown::lines(text).chars() {
        match c {
            '\n' => cell += "<br>",
            '`' => {
                is_code = !is_code;
                cell.push(c);
            }
            '|' => cell += "\\|",
            c if is_code => cell.push(c),
            '<' => cell += "&lt;",
            '&' => cell += "&amp;",
            '*' | '_' | '[' | '#' | '\\' => cell.extend(['\\', c]),
            c => cell.push(c),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_keeps_its_backslashes_and_stars() {
        assert_eq!(cell("`a\\n*` and *b*"), "`a\\n*` and \\*b\\*");
        assert_eq!(cell("`a|b` <"), "`a\\|b` &lt;");
    }
}
