//! Which key of the store holds the description of an instance.

use imds_spin::keys::{INSTANCE, INSTANCES, KEY_BYTES_MAX};

/// An instance by the key of its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The one instance.
    pub fn one() -> Key {
        Key(INSTANCE.to_owned())
    }

    /// One of many, by what tells it from others, as a URL has it: percent-encoded.
    ///
    /// Fails where no caller can be mapped to it whatever `callers` says, or where it is
    /// longer than Spin's store takes; says which.
    pub fn of_many(encoded: &str) -> Result<Key, String> {
        let name = decode(encoded).ok_or("the key is not percent-encoded as RFC 3986 says")?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a key is printable ASCII without spaces, as what `callers` makes of a request".to_owned());
        }
        let key = format!("{INSTANCES}{name}");
        if key.len() > KEY_BYTES_MAX {
            let bytes = key.len();
            return Err(format!(
                "the key would have {bytes} bytes with `{INSTANCES}` before it, and a key of Spin's store has {KEY_BYTES_MAX} at most"
            ));
        }
        Ok(Key(key))
    }

    /// As the store has it.
    pub fn stored(&self) -> &str {
        &self.0
    }

    /// The key without `instances/`; `None` for the one instance.
    pub fn scope(&self) -> Option<&str> {
        self.0.strip_prefix(INSTANCES)
    }
}

/// A part of a path or of a query without its percent-encoding.
pub fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.split_at_checked(2).filter(|(digits, _)| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits.0).ok()?, 16).ok()?);
        rest = digits.1;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_caller_can_have() {
        let stored = |encoded: &str| Key::of_many(encoded).map(|key| key.stored().to_owned());
        assert_eq!(stored("10.0.0.7").as_deref(), Ok("instances/10.0.0.7"));
        assert_eq!(stored("%5B2001:db8::1%5d").as_deref(), Ok("instances/[2001:db8::1]"));
        assert_eq!(stored("a%2Fb%25").as_deref(), Ok("instances/a/b%"));
        for wrong in ["", "%", "%4", "%zz", "a%20b", "%00", "%ff", "%C3%A4"] {
            assert!(stored(wrong).is_err(), "{wrong}");
        }
        assert_eq!((Key::one().stored(), Key::one().scope()), ("instance", None));
    }

    #[test]
    fn a_key_has_no_more_bytes_than_the_store_takes() {
        assert!(Key::of_many(&"a".repeat(246)).is_ok());
        let wrong = Key::of_many(&"a".repeat(247)).unwrap_err();
        assert!(wrong.starts_with("the key would have 257 bytes") && wrong.contains("256 at most"), "{wrong}");
    }
}
