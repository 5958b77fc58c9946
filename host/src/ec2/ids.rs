//! Ids of EC2: how they are read, and those that only this API has, which are made
//! from others and so stay what they are.

use sha2::{Digest, Sha256};

use super::failure::{Failure, shown};

/// As an instance may call itself.
pub(super) fn instance_id(text: &str) -> Result<&str, Failure> {
    let is_one = text.strip_prefix("i-").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    if is_one { Ok(text) } else { Err(malformed("InvalidInstanceID.Malformed", text)) }
}

/// An id of EC2's form: `ami-` and 8 or 17 hexadecimal digits.
pub(super) fn is_of_form(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn malformed(code: &'static str, text: &str) -> Failure {
    Failure::new(code, format!("Invalid id: \"{}\"", shown(text)))
}

/// An id that is made from a text: the same one each time.
pub(super) fn made(prefix: &str, from: &str) -> String {
    with_digits(prefix, &Sha256::digest(format!("{prefix}{from}")))
}

/// An id that nobody has yet, but by an accident that does not come.
pub(super) fn new(prefix: &str) -> Result<String, Failure> {
    let mut bytes = [0; 9];
    getrandom::fill(&mut bytes).map_err(|error| Failure::internal(format!("no entropy: {error}")))?;
    Ok(with_digits(prefix, &bytes))
}

fn with_digits(prefix: &str, bytes: &[u8]) -> String {
    let mut digits: String = bytes.iter().take(9).map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(17);
    format!("{prefix}{digits}")
}

/// The id of a request: a UUID, as EC2's are.
pub(super) fn request() -> String {
    let mut bytes = [0; 16];
    // An id that is not random serves nobody worse.
    let _ = getrandom::fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_ec2s_form() {
        assert!(is_of_form(&made("vol-", "i-1 /dev/xvda"), "vol-"));
        assert_eq!(made("vol-", "a"), made("vol-", "a"));
        assert_ne!(made("vol-", "a"), made("vol-", "b"));
        assert!(is_of_form(&new("i-").unwrap(), "i-") && is_of_form("ami-12345678", "ami-"));
        assert!(!is_of_form("ami-123", "ami-") && !is_of_form("ami-1234567G", "ami-") && !is_of_form("", "ami-"));
        assert_eq!(request().len(), 36);
    }

    #[test]
    fn what_is_no_instance_id_is_malformed() {
        assert_eq!(instance_id("i-0123456789abcdef0"), Ok("i-0123456789abcdef0"));
        for text in ["", "i-", "web-1", "i-A", "i-0 1"] {
            let failure = instance_id(text).unwrap_err();
            assert_eq!(
                (failure.code, failure.message),
                ("InvalidInstanceID.Malformed", format!("Invalid id: \"{text}\""))
            );
        }
    }
}
