//! The checks, a file for each area.

mod errors;
mod tokens;

use super::Check;

/// All checks, in the order of their areas.
pub fn all() -> impl Iterator<Item = Check> {
    [tokens::CHECKS, errors::CHECKS].into_iter().flatten().copied()
}
