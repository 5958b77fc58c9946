//! The forms of values: whether a text has one of them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::SystemTime;

/// Whether a text is one digit or more.
pub fn is_decimal(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a prefix, `-` and 8 or 17 hexadecimal digits: `i-0123456789abcdef0`.
pub fn is_id(prefix: &str, text: &str) -> bool {
    let digits = text.strip_prefix(prefix).and_then(|text| text.strip_prefix('-'));
    digits.is_some_and(|digits| matches!(digits.len(), 8 | 17) && digits.bytes().all(is_lower_hex))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether a text is an account number.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is six pairs of lower-case hexadecimal digits with colons between them.
pub fn is_mac(text: &str) -> bool {
    text.split(':').count() == 6 && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(is_lower_hex))
}

/// The IPv4 address that a text is.
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok()
}

/// The IPv4 block that a text is: the address, with no bit set beyond the length, and the
/// length.
pub fn ipv4_block(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (ipv4(address)?, block_length(length, 32)?);
    (ipv4_prefix(address, length) == u32::from(address)).then_some((address, length))
}

/// The first bits of an address; the others are 0.
pub fn ipv4_prefix(address: Ipv4Addr, length: u32) -> u32 {
    u32::from(address) & u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0)
}

/// The IPv6 block that a text is.
pub fn ipv6_block(text: &str) -> Option<(Ipv6Addr, u32)> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (address.parse().ok()?, block_length(length, 128)?);
    (ipv6_prefix(address, length) == u128::from(address)).then_some((address, length))
}

/// The first bits of an address; the others are 0.
pub fn ipv6_prefix(address: Ipv6Addr, length: u32) -> u128 {
    u128::from(address) & u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0)
}

fn block_length(text: &str, most: u32) -> Option<u32> {
    is_decimal(text).then(|| text.parse().ok())?.filter(|length| *length <= most)
}

/// Whether an IPv6 address is written as eight groups, without padding and without `::`.
pub fn has_eight_groups(address: &str) -> bool {
    let is_group = |group: &str| {
        matches!(group.len(), 1..=4) && group.bytes().all(is_lower_hex) && (group == "0" || !group.starts_with('0'))
    };
    address.split(':').count() == 8 && address.split(':').all(is_group)
}

/// Whether a text is the name of a region: `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && is_decimal(number)
}

/// Whether a text is the name of a zone: the name of a region and a suffix.
pub fn is_zone(text: &str) -> bool {
    let digit = text.find(|c: char| c.is_ascii_digit());
    digit.is_some_and(|digit| is_region(&text[..=digit]) && text.len() > digit + 1) && is_plain(text)
}

/// Whether a text is made of lower-case letters, digits and hyphens.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether a text is an instance type: `u7i-12tb.224xlarge`.
pub fn is_instance_type(text: &str) -> bool {
    text.split_once('.').is_some_and(|(family, size)| is_plain(family) && is_plain(size))
}

/// Whether a text is a host name, its labels of letters, digits and hyphens.
pub fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split('.').all(is_label)
}

/// The time that a text is, in the form `2026-09-26T11:16:30Z`.
pub fn time(text: &str) -> Option<SystemTime> {
    let has_form = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    has_form.then(|| humantime::parse_rfc3339(text).ok())?
}

/// Whether a text is the date of an event: `1 Jan 2021 02:00:00 GMT`, without a leading
/// zero.
pub fn is_event_date(text: &str) -> bool {
    let Some((day, rest)) = text.split_once(' ') else { return false };
    // HTTP's form of a date, without the name of the day.
    let day_is_good = is_decimal(day) && !day.starts_with('0') && day.len() <= 2;
    day_is_good
        && ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(|name| {
            httpdate::parse_http_date(&format!("{name}, {day:0>2} {rest}"))
                .is_ok_and(|time| httpdate::fmt_http_date(time) == format!("{name}, {day:0>2} {rest}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_numbers() {
        assert!(is_id("i", "i-0123456789abcdef0") && is_id("ami", "ami-0123abcd"));
        for text in ["i-0123456789ABCDEF0", "i-0123", "0123456789abcdef0", "i-0123456789abcdef0\n"] {
            assert!(!is_id("i", text), "{text:?}");
        }
        assert!(is_decimal("0") && !is_decimal("") && !is_decimal("+1") && !is_decimal("1\n"));
        assert!(is_account("123456789012") && !is_account("1234-5678-9012"));
        assert!(is_mac("0e:ff:f8:7e:c2:e9") && !is_mac("0E:FF:F8:7E:C2:E9") && !is_mac("0e-ff-f8-7e-c2-e9"));
    }

    #[test]
    fn blocks() {
        assert_eq!(ipv4_block("10.0.0.0/28"), Some((Ipv4Addr::new(10, 0, 0, 0), 28)));
        assert_eq!(ipv4_block("0.0.0.0/0"), Some((Ipv4Addr::UNSPECIFIED, 0)));
        for text in ["10.0.0.1/28", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/+8", "10.0.0/8"] {
            assert_eq!(ipv4_block(text), None, "{text}");
        }
        assert!(ipv6_block("2406:da18:86c:daf1:0:0:0:0/64").is_some() && ipv6_block("2001:db8::1/64").is_none());
        assert!(has_eight_groups("2406:da18:86c:daf1:0:0:0:0"));
        for text in ["2406:da18:86c:daf1::", "2406:da18:086c:daf1:0:0:0:0", "2406:DA18:86c:daf1:0:0:0:0"] {
            assert!(!has_eight_groups(text), "{text}");
        }
    }

    #[test]
    fn places_and_names() {
        assert!(is_region("us-east-1") && is_region("us-gov-west-1") && is_region("eusc-de-east-1"));
        assert!(!is_region("us-east-1a") && !is_region("us-1") && !is_region(""));
        assert!(is_zone("us-east-1a") && is_zone("us-west-2-lax-1a") && is_zone("us-east-1-wl1-bos-wlz-1"));
        assert!(!is_zone("us-east-1") && !is_zone("a") && !is_zone("us-east-1A"));
        assert!(is_instance_type("u7i-12tb.224xlarge") && !is_instance_type("t3") && !is_instance_type("t3."));
        assert!(is_host_name("ip-10-0-0-1.ec2.internal") && !is_host_name("a b") && !is_host_name("a..b"));
    }

    #[test]
    fn times() {
        assert!(time("2026-09-26T11:16:30Z").is_some());
        for text in ["2026-09-26T11:16:30.5Z", "2026-09-26 11:16:30Z", "2026-13-26T11:16:30Z", "", "now"] {
            assert!(time(text).is_none(), "{text}");
        }
        assert!(is_event_date("1 Jan 2021 02:00:00 GMT") && is_event_date("21 Jan 2019 09:00:43 GMT"));
        for text in ["01 Jan 2021 02:00:00 GMT", "32 Jan 2021 02:00:00 GMT", "1 Jan 2021 02:00:00", "é Jan", ""] {
            assert!(!is_event_date(text), "{text}");
        }
    }
}
