//! The checks, a file for each area or two.

mod agreement;
mod containers;
mod described;
mod errors;
mod events;
mod formats;
mod heads;
mod hostile;
mod identity;
mod listings;
mod order;
mod paths;
mod tokens;
mod use_of_tokens;
mod user_data;
mod values;
mod versions;

use super::Check;

/// All checks, in the order of their areas.
pub fn all() -> impl Iterator<Item = Check> {
    [
        &[
            tokens::CHECKS,
            use_of_tokens::CHECKS,
            order::CHECKS,
            heads::CHECKS,
            values::CHECKS,
            errors::CHECKS,
            paths::CHECKS,
            listings::CHECKS,
            versions::CHECKS,
        ][..],
        &formats::CHECKS,
        &agreement::CHECKS,
        &[described::CHECKS, user_data::CHECKS, identity::CHECKS, events::CHECKS, containers::CHECKS, hostile::CHECKS],
    ]
    .into_iter()
    .flatten()
    .flat_map(|checks| *checks)
    .copied()
}
