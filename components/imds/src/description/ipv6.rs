//! IPv6 addresses as the service writes them.

use core::fmt;
use core::net::Ipv6Addr;

/// An IPv6 address in eight groups of lower-case hexadecimal digits without
/// padding, in which no run of zeros is shortened to `::`.
///
/// Recorded for blocks in 2024 and 2025: `2406:da18:86c:da00:0:0:0:0/56`.
/// UNRECORDED: addresses. No recorded one has a group of zeros; the same form is
/// likely, and every parser of addresses takes it.
///
/// ```
/// use imds_core::description::ipv6::EightGroups;
///
/// let address = EightGroups("2001:DB8::10".parse()?);
/// assert_eq!(address.to_string(), "2001:db8:0:0:0:0:0:10");
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EightGroups(pub Ipv6Addr);

impl fmt::Display for EightGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i] = self.0.segments();
        write!(f, "{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{g:x}:{h:x}:{i:x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_groups_are_the_same_address() {
        for (short, long) in [
            ("::", "0:0:0:0:0:0:0:0"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("2001:db8:1234:1a00::123", "2001:db8:1234:1a00:0:0:0:123"),
            ("2001:0DB8:0:0:1::", "2001:db8:0:0:1:0:0:0"),
            // The standard library writes these with a dotted quad.
            ("::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:1"),
            ("2600:1f18:abcd:1234:5678:9abc:def0:1234", "2600:1f18:abcd:1234:5678:9abc:def0:1234"),
        ] {
            let address: Ipv6Addr = short.parse().unwrap();
            assert_eq!(EightGroups(address).to_string(), long);
            assert_eq!(long.parse(), Ok(address));
        }
    }
}
