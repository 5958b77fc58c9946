//! The table of rules in `tests/CONFORMANCE.md`, made from the cases.

use std::fmt::Write as _;

use crate::case;
use crate::purity::pinned;

/// States of knowledge, strongest first, and what the table calls them.
const STATES: [(&str, &str); 5] = [
    ("recorded", "Recorded and held: a transcript of the real service shows it"),
    ("documented", "Documented and held: AWS documents it"),
    ("inferred", "Inferred and held: it follows from what is recorded or documented"),
    ("unrecorded", "Unrecorded: nobody knows; this is our choice, which harms a client least"),
    ("ours", "Ours: what the real service does not have"),
];

/// `BLESS=1` writes the table.
#[test]
fn the_conformance_table_is_that_of_the_cases() {
    let cases = case::all();
    let mut table = String::from(
        "# Conformance\n\nEach rule of the service with the case that holds it, by how it is known. Made from the cases in \
         `tests/cases` by\n`BLESS=1 cargo test --workspace conformance`; a test fails where the two differ. The cases run on \
         every way into the\nservice.\n",
    );
    for (state, title) in STATES {
        let of_state: Vec<_> = cases.iter().filter(|case| case.state == state).collect();
        let _ = write!(
            table,
            "\n## {title}\n\n{} rules.\n\n| rule | source | case |\n| --- | --- | --- |\n",
            of_state.len()
        );
        for case in of_state {
            let cell = |text: &str| text.replace('|', "\\|");
            let (rule, source, name) = (cell(&case.rule), cell(&case.source), &case.name);
            let _ = writeln!(table, "| {rule} | {source} | [{name}](cases/{name}.http) |");
        }
    }
    pinned("CONFORMANCE.md", &table);
}

/// The rules as `imds conform` has them, which judges other services: those that say
/// something about the real one. `BLESS=1` writes them.
#[test]
fn the_rules_of_the_suite_are_those_of_the_cases() {
    let mut rules = String::new();
    for case in case::all().iter().filter(|case| case.state != "ours") {
        for column in [&case.name, &case.state, &case.rule, &case.source] {
            assert!(!column.contains(['\t', '\n']), "{}: {column:?}", case.name);
        }
        let _ = writeln!(rules, "{}\t{}\t{}\t{}", case.name, case.state, case.rule, case.source);
    }
    pinned("../host/src/conform/rules.tsv", &rules);
}
