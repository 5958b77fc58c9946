//! The checks, a file for each area or two.

mod described;
mod errors;
mod heads;
mod hostile;
mod order;
mod paths;
mod tokens;
mod use_of_tokens;
mod values;

use super::Check;

/// All checks, in the order of their areas.
pub fn all() -> impl Iterator<Item = Check> {
    [
        tokens::CHECKS,
        use_of_tokens::CHECKS,
        order::CHECKS,
        heads::CHECKS,
        values::CHECKS,
        errors::CHECKS,
        paths::CHECKS,
        described::CHECKS,
        hostile::CHECKS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
