//! Checks items for their form.

use super::check::Stop;
use super::crawl::Entry;
use super::rule::Rule;
use super::{Evidence, Subject, not_applicable};
use crate::redact;

/// A rule that no case states.
pub const fn rule(says: &'static str, source: &'static str, evidence: Evidence) -> Rule {
    Rule { says, source, evidence }
}

/// The source of most forms.
pub const CAPTURE: &str = "capture of 2026-09, t3.nano";
/// Another frequent source.
pub const GUIDE: &str = "EC2 user guide, \"Instance metadata categories\"";

/// Checks the form of each item of latest that matches one of the patterns.
pub fn each(
    subject: &Subject<'_>,
    patterns: &[&str],
    expected: &str,
    is_good: impl Fn(&str) -> bool,
) -> Result<(), Stop> {
    each_entry(subject, patterns, |entry| {
        let text = entry.text();
        if is_good(&text) { Ok(()) } else { Err(entry.asked.broken(expected, shown(&text))) }
    })
}

/// Checks the form of each line of each such item; an item has at least one line.
pub fn each_line(
    subject: &Subject<'_>,
    patterns: &[&str],
    expected: &str,
    is_good: impl Fn(&str) -> bool,
) -> Result<(), Stop> {
    each(subject, patterns, expected, |text| text.split('\n').all(&is_good))
}

/// Calls a function for each item of latest that matches one of the patterns.
pub fn each_entry(
    subject: &Subject<'_>,
    patterns: &[&str],
    mut look: impl FnMut(&Entry) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let tree = subject.latest()?;
    let mut found = false;
    for entry in patterns.iter().flat_map(|pattern| tree.items(pattern)) {
        found = true;
        look(entry)?;
    }
    if found { Ok(()) } else { not_applicable(format!("the endpoint has no {}", names(patterns))) }
}

/// The last names of patterns, for a sentence.
fn names(patterns: &[&str]) -> String {
    let name = |pattern: &&str| format!("`{}`", pattern.rsplit('/').find(|name| *name != "*").unwrap_or_default());
    let mut names: Vec<String> = patterns.iter().map(name).collect();
    names.dedup();
    names.join(" or ")
}

/// The text of an item in a form that a report can show: shortened, printable, and without
/// anything that looks like a key. This is not enough for secret items.
pub fn shown(text: &str) -> String {
    if text.is_empty() { "nothing".to_owned() } else { format!("`{}`", redact::user_agent(text)) }
}
