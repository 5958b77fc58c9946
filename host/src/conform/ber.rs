//! Reads values of ASN.1 (X.690).
//!
//! Written by hand, since EC2's signatures have indefinite lengths (BER), and `der` and the
//! crates built on it read only definite ones (DER).

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
/// An octet string in parts.
pub const OCTET_STRINGS: u8 = 0x24;
/// The constructed context tag 0.
pub const CONTEXT_0: u8 = 0xa0;

/// Deeper than any signature. A hostile one could have any depth.
const DEPTH: u32 = 24;

/// A value with its content.
#[derive(Clone, Copy)]
pub struct Value<'b> {
    pub tag: u8,
    /// Whether its length is indefinite.
    pub is_indefinite: bool,
    pub content: &'b [u8],
    /// The bytes of the value, with its tag and its end.
    pub whole: &'b [u8],
}

impl<'b> Value<'b> {
    /// Reads bytes as exactly one value.
    pub fn of(bytes: &'b [u8]) -> Option<Self> {
        let (value, rest) = Self::first(bytes)?;
        rest.is_empty().then_some(value)
    }

    /// The value at the beginning of some bytes, and the bytes after it.
    pub fn first(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        Self::read(bytes, DEPTH)
    }

    fn read(bytes: &'b [u8], depth: u32) -> Option<(Self, &'b [u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&length, rest) = rest.split_first()?;
        // No signature has tags of more than one byte.
        if tag & 0x1f == 0x1f || depth == 0 {
            return None;
        }
        let (content, is_indefinite, rest) = match length {
            0x80 => {
                let mut inner = rest;
                loop {
                    if let Some(behind) = inner.strip_prefix(&[0, 0]) {
                        break (&rest[..rest.len() - inner.len()], true, behind);
                    }
                    inner = Self::read(inner, depth - 1)?.1;
                }
            }
            _ => {
                let (length, rest) = match length {
                    0..0x80 => (usize::from(length), rest),
                    _ => {
                        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                        let length = (digits.len() <= 4)
                            .then(|| digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)));
                        (length?, rest)
                    }
                };
                let (content, rest) = rest.split_at_checked(length)?;
                (content, false, rest)
            }
        };
        let whole = &bytes[..bytes.len() - rest.len()];
        Some((Self { tag, is_indefinite, content, whole }, rest))
    }

    /// The values inside.
    pub fn parts(&self) -> Option<Vec<Self>> {
        let (mut parts, mut rest) = (Vec::new(), self.content);
        while !rest.is_empty() {
            let (part, behind) = Self::first(rest)?;
            parts.push(part);
            rest = behind;
        }
        Some(parts)
    }

    /// The value, if it has this tag.
    pub fn tagged(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    /// The bytes of an octet string, whole or in parts.
    pub fn octets(&self) -> Option<Vec<u8>> {
        match self.tag {
            OCTET_STRING => Some(self.content.to_vec()),
            OCTET_STRINGS => {
                let parts = self.parts()?;
                parts
                    .iter()
                    .map(|part| part.tagged(OCTET_STRING).map(|part| part.content))
                    .collect::<Option<Vec<_>>>()
                    .map(|parts| parts.concat())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_both_kinds_are_read() {
        let value = Value::of(&[0x24, 0x80, 4, 2, 1, 2, 4, 1, 3, 0, 0]).expect("it is one value");
        assert!(value.is_indefinite && value.content == [4, 2, 1, 2, 4, 1, 3]);
        assert_eq!(value.octets(), Some(vec![1, 2, 3]));
        let long = [&[4, 0x82, 1, 0][..], &[7; 256]].concat();
        assert_eq!(Value::of(&long).map(|value| value.content.len()), Some(256));
    }

    #[test]
    fn what_is_no_value_is_none() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 2, 1],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[4, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x30, 0x80, 4, 1, 1],
            &[0x1f, 1, 1],
            &[4, 0, 0],
            &[0x30, 0x80].repeat(10_000),
        ] {
            assert!(Value::of(bytes).is_none());
        }
    }
}
