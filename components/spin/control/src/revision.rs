//! The revision of a description: by it an operator changes what was looked at and
//! nothing else.

use imds_spin::Head;
use sha2::{Digest, Sha256};

/// The bits of a number that every reader of JSON keeps.
const BITS: u32 = 53;

/// The revision of a stored text.
///
/// The store has one value for an instance and changes one at a time, so a counter
/// beside it could be wrong. A digest cannot: equal texts have equal revisions, also
/// where a change was taken back. It is a number as that of the native listener is,
/// never 0, and two texts of one instance have the same one once in 2⁵³ times.
///
/// The operators' secret goes into it: revisions are logged, and by a plain digest who
/// reads the log could try what a short secret of a description is.
pub fn of(text: &[u8], secret: &str) -> u64 {
    let digest = Sha256::new().chain_update(Sha256::digest(secret)).chain_update(text).finalize();
    let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    (number >> (u64::BITS - BITS)).max(1)
}

/// What a change may be made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever is there, or nothing.
    Any,
    /// Whatever is there: `If-Match: *`.
    Present,
    /// Nothing: `If-None-Match: *`.
    Absent,
    /// This revision: `If-Match: "7"`.
    Revision(u64),
}

impl Precondition {
    /// What the fields of a request say; `None` if they say nothing clear.
    pub fn read(head: &Head) -> Option<Precondition> {
        let single = |name| {
            let values: Vec<_> = head.values(name).collect();
            match values[..] {
                [] => Some(None),
                [value] => std::str::from_utf8(value).ok().map(|value| Some(value.trim())),
                _ => None,
            }
        };
        match (single("if-match")?, single("if-none-match")?) {
            (None, None) => Some(Precondition::Any),
            (Some("*"), None) => Some(Precondition::Present),
            (None, Some("*")) => Some(Precondition::Absent),
            (Some(tag), None) => {
                let number = tag.strip_prefix('"')?.strip_suffix('"')?;
                number.parse().ok().map(Precondition::Revision)
            }
            _ => None,
        }
    }

    /// Whether what is there, with this revision, is what is wanted. The default instance
    /// has a revision and is not stored.
    pub fn is(self, there: Option<u64>, is_stored: bool) -> bool {
        match self {
            Precondition::Any => true,
            Precondition::Present => there.is_some(),
            Precondition::Absent => !is_stored,
            Precondition::Revision(revision) => there == Some(revision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_number_that_follows_from_the_text() {
        let of = |text| of(text, "a secret of operators");
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
        assert_ne!(of(b"{}"), super::of(b"{}", "another one"));
        for text in [&b""[..], b"{}", b"{\"state\": \"stopped\"}"] {
            assert!((1..1 << BITS).contains(&of(text)));
        }
    }

    #[test]
    fn what_is_wanted_is_said_once() {
        let read = |fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
            Precondition::read(&Head { fields, ..Head::default() })
        };
        assert_eq!(read(&[]), Some(Precondition::Any));
        assert_eq!(read(&[("if-match", "\"7\"")]), Some(Precondition::Revision(7)));
        assert_eq!(read(&[("if-match", " * ")]), Some(Precondition::Present));
        assert_eq!(read(&[("if-none-match", "*")]), Some(Precondition::Absent));
        for wrong in [
            &[("if-match", "7")][..],
            &[("if-match", "W/\"7\"")],
            &[("if-match", "\"7\", \"8\"")],
            &[("if-match", "\"7\""), ("if-match", "\"8\"")],
            &[("if-match", "*"), ("if-none-match", "*")],
            &[("if-none-match", "\"7\"")],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
