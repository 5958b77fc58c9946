//! ASN.1 values as bytes: what certificates and signatures are made of (X.690).
//!
//! By hand, for EC2's signatures have indefinite lengths (BER), and `der` with all that
//! is built on it writes definite ones alone (DER).

use std::time::{Duration, UNIX_EPOCH};

/// An object identifier, its content bytes.
pub(super) type Oid = &'static [u8];

pub(super) const COUNTRY: Oid = &[0x55, 4, 6];
pub(super) const STATE: Oid = &[0x55, 4, 8];
pub(super) const LOCALITY: Oid = &[0x55, 4, 7];
pub(super) const ORGANIZATION: Oid = &[0x55, 4, 10];
pub(super) const SHA_1: Oid = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
pub(super) const SHA_256: Oid = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
pub(super) const RSA_WITH_SHA_256: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
pub(super) const DSA_WITH_SHA_1: Oid = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
pub(super) const DATA: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
pub(super) const SIGNED_DATA: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
pub(super) const CONTENT_TYPE: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
pub(super) const MESSAGE_DIGEST: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
pub(super) const SIGNING_TIME: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5];
pub(super) const ALGORITHM_PROTECTION: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 52];

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: &[u8] = &[5, 0];
/// The constructed context tag 0.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// The constructed context tag 1.
pub(super) const CONTEXT_1: u8 = 0xa1;

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const PRINTABLE_STRING: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A value of definite length with the content `parts`.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = vec![tag];
    match length {
        0..0x80 => bytes.push(length as u8),
        0x80..0x100 => bytes.extend([0x81, length as u8]),
        _ => {
            let digits = length.to_be_bytes();
            let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend(digits);
        }
    }
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

/// A constructed value of indefinite length, ended by two zeros.
pub(super) fn indefinite(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[tag, 0x80][..], &parts.concat(), &[0, 0]].concat()
}

pub(super) fn oid(oid: Oid) -> Vec<u8> {
    value(OBJECT_IDENTIFIER, &[oid])
}

/// A number that is not negative, from its bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    value(INTEGER, &[padding, bytes])
}

/// An algorithm with its parameter, if it has one.
pub(super) fn algorithm(name: Oid, parameter: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&oid(name), parameter])
}

/// One part of a distinguished name.
pub(super) fn name_part(kind: Oid, text: &str) -> Vec<u8> {
    value(SET, &[&value(SEQUENCE, &[&oid(kind), &value(PRINTABLE_STRING, &[text.as_bytes()])])])
}

/// A point in time: UTCTime until 2049, GeneralizedTime after (RFC 5652,
/// section 11.3; RFC 5280, section 4.1.2.5).
pub(super) fn time(unix_ms: u64) -> Vec<u8> {
    // The last one that has a form.
    const LAST_MS: u64 = 253_402_300_799_000;
    let time = UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS));
    let time = humantime::format_rfc3339_seconds(time).to_string();
    let digits: String = time.chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect();
    match digits.get(..4) {
        Some(year) if year < "2050" => value(UTC_TIME, &[&digits.as_bytes()[2..]]),
        _ => value(GENERALIZED_TIME, &[digits.as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
            (70_000, &[4, 0x83, 1, 0x11, 0x70]),
        ] {
            assert!(value(OCTET_STRING, &[&vec![0; length]]).starts_with(head), "{length}");
        }
    }

    #[test]
    fn times_change_their_form_in_2050() {
        assert_eq!(time(1_790_421_384_000), b"\x17\x0d260926111624Z");
        assert_eq!(time(2_524_608_000_000), b"\x18\x0f20500101000000Z");
        assert_eq!(time(u64::MAX), b"\x18\x0f99991231235959Z");
    }
}
