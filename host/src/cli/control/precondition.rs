// On which revision of an instance a change is to be made.

use hyper::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use imds_host::Control;

use super::reply::{Refusal, conflict};

/// What `If-Match` and `If-None-Match` say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precondition {
    /// Nothing: there may be any instance, or none.
    None,
    /// There must be one.
    Any,
    /// There must be one of this revision.
    Revision(u64),
    /// There must be none.
    Missing,
}

/// What is said to who sends something else.
pub const EXPECTED: &str = "If-Match must be a revision such as \"7\", as ETag tells it, or *; If-None-Match must be *";

impl Precondition {
    /// None where they say something else than they can.
    pub fn read(fields: &HeaderMap) -> Option<Self> {
        match (single(fields, IF_MATCH)?, single(fields, IF_NONE_MATCH)?) {
            (None, None) => Some(Self::None),
            (Some("*"), None) => Some(Self::Any),
            (Some(tag), None) => {
                let number = tag.strip_prefix('"')?.strip_suffix('"')?;
                number.parse().ok().map(Self::Revision)
            }
            (None, Some("*")) => Some(Self::Missing),
            _ => None,
        }
    }

    /// The revision that is to be changed; none for any.
    pub fn revision(self) -> Option<u64> {
        match self {
            Self::Revision(revision) => Some(revision),
            Self::None | Self::Any | Self::Missing => None,
        }
    }

    /// Whether an instance that is there is one to be changed.
    pub fn check(self, control: &Control) -> Result<(), Refusal> {
        match self {
            Self::Missing => {
                Err(conflict("there is such an instance, and nothing was changed", Some(control.revision())))
            }
            _ => Ok(()),
        }
    }

    /// Whether one may be added.
    pub fn check_missing(self) -> Result<(), Refusal> {
        match self {
            Self::None | Self::Missing => Ok(()),
            Self::Any | Self::Revision(_) => Err(conflict("there is no such instance, and nothing was changed", None)),
        }
    }
}

/// The value of a field, if it is there; none where it comes twice or is no text.
fn single(fields: &HeaderMap, name: HeaderName) -> Option<Option<&str>> {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) => Some(Some(value.to_str().ok()?.trim())),
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_nothing_else() {
        let read = |fields: &[(HeaderName, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in fields {
                map.append(name, value.parse().unwrap());
            }
            Precondition::read(&map)
        };
        assert_eq!(read(&[]), Some(Precondition::None));
        assert_eq!(read(&[(IF_MATCH, "\"7\"")]), Some(Precondition::Revision(7)));
        assert_eq!(read(&[(IF_MATCH, "*")]), Some(Precondition::Any));
        assert_eq!(read(&[(IF_NONE_MATCH, "*")]), Some(Precondition::Missing));
        for wrong in [
            &[(IF_MATCH, "7")][..],
            &[(IF_MATCH, "\"7\""), (IF_MATCH, "\"8\"")],
            &[(IF_MATCH, "W/\"7\"")],
            &[(IF_NONE_MATCH, "\"7\"")],
            &[(IF_MATCH, "*"), (IF_NONE_MATCH, "*")],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
