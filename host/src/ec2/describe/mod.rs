//! What instances are, as calls ask it.

pub(super) mod attribute;
pub(super) mod instances;
mod item;
pub(super) mod metadata_defaults;
pub(super) mod profiles;
pub(super) mod spot;
pub(super) mod status;
pub(super) mod tags;
mod values;

pub(super) use self::item::{association_id, instance, mapped, metadata_options, profile_association, state};

use super::failure::Failure;
use super::machines::Machines;
use crate::control::Control;

/// The instances that a call names, or all: with their ids, in the order of these.
fn wanted(machines: &Machines, ids: &[String], is_paged: bool) -> Result<Vec<(String, Control)>, Failure> {
    if ids.is_empty() {
        return machines.all();
    }
    if is_paged {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(Failure::combination(message));
    }
    let mut named: Vec<_> = ids.iter().cloned().zip(machines.with_ids(ids)?).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    named.dedup_by(|(one, _), (other, _)| one == other);
    Ok(named)
}
