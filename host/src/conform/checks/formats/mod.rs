//! The form of each item that the endpoint has.

mod devices;
mod documents;
mod instance;
mod network;

use super::super::judge::rule;
use super::super::{Area, Stop, Subject};
use super::super::{Check, Evidence};

pub const CHECKS: [&[Check]; 4] = [instance::CHECKS, devices::CHECKS, network::CHECKS, documents::CHECKS];

type Judge = fn(&Subject<'_>) -> Result<(), Stop>;

/// A check of a form that no case states.
const fn form(id: &'static str, evidence: Evidence, says: &'static str, source: &'static str, judge: Judge) -> Check {
    Check::with_rule(id, Area::Formats, rule(says, source, evidence), judge)
}

/// A check of a form that a case states.
const fn of_case(id: &'static str, judge: Judge) -> Check {
    Check::of_case(id, Area::Formats, judge)
}
