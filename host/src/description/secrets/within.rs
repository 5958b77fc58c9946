//! Which values of a description may be shown: all but what may be a secret.

use super::{Declared, declared, names_secret, tag_names_secret};

/// What stands in place of a secret, as JSON text.
pub(crate) const HIDDEN: &str = r#""(hidden)""#;

/// What keys that should have stayed at home look like, wherever they stand.
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Of what a value is a part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// Of nothing that is secret.
    Plain,
    /// Of tags, whose names say what they hold.
    Tags,
    /// Of a table that holds secrets: of its fields these are none.
    Holder(&'static [&'static str]),
    /// Of a secret.
    Secret,
}

impl Within {
    /// Of what the value of a member with this name is a part.
    pub(crate) fn member(self, name: &str) -> Self {
        match self {
            Self::Plain if name == "tags" => Self::Tags,
            Self::Plain => match declared(name) {
                Some(Declared::Secret) => Self::Secret,
                Some(Declared::Holder(plain)) => Self::Holder(plain),
                Some(Declared::Plain) => Self::Plain,
                None if names_secret(name) => Self::Secret,
                None => Self::Plain,
            },
            Self::Tags if tag_names_secret(name) => Self::Secret,
            Self::Holder(plain) if plain.contains(&name) => Self::Plain,
            Self::Holder(_) => Self::Secret,
            within => within,
        }
    }

    /// Whether a value without parts is hidden; given as JSON text.
    pub(crate) fn hides(self, literal: &str) -> bool {
        let is_word = ["null", "true", "false"].contains(&literal);
        let is_secret = matches!(self, Self::Holder(_) | Self::Secret);
        !is_word && (is_secret || literal.contains(PRIVATE_KEY))
    }
}
