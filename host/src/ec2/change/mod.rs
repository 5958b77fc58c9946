//! What calls change, each by a change of the description: what it does to metadata,
//! the core decides.

pub(super) mod address;
pub(super) mod attribute;
pub(super) mod event;
pub(super) mod interface;
pub(super) mod metadata_options;
pub(super) mod monitoring;
pub(super) mod power;
pub(super) mod profile;
pub(super) mod tags;
pub(super) mod volume;

use super::facts::Facts;
use super::failure::Failure;
use super::xml::Element;

/// What many calls answer that have nothing else to say.
fn done() -> Element {
    Element::item().text("return", true)
}

/// Refuses a call about an instance that is terminated.
fn not_terminated(facts: &Facts) -> Result<(), Failure> {
    match facts.state() {
        "terminated" => Err(state(format!("The instance '{}' is terminated.", facts.instance_id))),
        _ => Ok(()),
    }
}

/// A call that the state of an instance does not allow.
fn state(message: impl Into<String>) -> Failure {
    Failure::new("IncorrectInstanceState", message)
}
