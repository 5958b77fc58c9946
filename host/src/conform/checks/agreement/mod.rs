//! Whether items that state the same fact agree: the identity document, the tree, names
//! and addresses.

mod document;
mod network;
mod place;
mod role;

use super::super::judge::{rule, shown};
use super::super::{Area, Check, Evidence, Stop, Subject, not_applicable};

pub const CHECKS: [&[Check]; 4] = [document::CHECKS, place::CHECKS, network::CHECKS, role::CHECKS];

type Judge = fn(&Subject<'_>) -> Result<(), Stop>;

/// A check of an agreement that no case states.
const fn agree(id: &'static str, evidence: Evidence, says: &'static str, source: &'static str, judge: Judge) -> Check {
    Check::with_rule(id, Area::Agreement, rule(says, source, evidence), judge)
}

/// A check of an agreement that a case states.
const fn of_case(id: &'static str, judge: Judge) -> Check {
    Check::of_case(id, Area::Agreement, judge)
}

/// Compares an item of latest with a text from `origin`. Returns whether there is such an
/// item.
fn is_told(subject: &Subject<'_>, path: &str, expected: &str, origin: &str) -> Result<bool, Stop> {
    let Some(entry) = subject.latest()?.find(path) else { return Ok(false) };
    let text = entry.text();
    if text == expected {
        return Ok(true);
    }
    Err(entry.asked.broken(format!("{}, as {origin} says", shown(expected)), shown(&text)))
}

/// Ends a check that found nothing to compare.
fn compared(found: bool) -> Result<(), Stop> {
    if found { Ok(()) } else { not_applicable("the endpoint does not state it twice") }
}
