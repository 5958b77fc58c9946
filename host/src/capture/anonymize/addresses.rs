//! Replaces addresses. Addresses of one block stay in one block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::capture::disguise::Disguise;

/// The made-up value for an address, or for a block if there is a prefix length. Addresses
/// that identify nobody stay: those of the service, loopback, and the like.
pub fn address(disguise: &Disguise, address: IpAddr, prefix: Option<u8>) -> IpAddr {
    match address {
        IpAddr::V4(address) if is_anybodys(address) => address.into(),
        IpAddr::V4(address) => {
            let made = u32::from_be_bytes(ipv4(disguise, address).octets());
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.unwrap_or(32)).min(32)).unwrap_or(0);
            Ipv4Addr::from(made & mask).into()
        }
        IpAddr::V6(address) => {
            if address.is_loopback() || address.is_unspecified() || address.segments()[..2] == [0xfd00, 0xec2] {
                return address.into();
            }
            let made = u128::from_be_bytes(ipv6(disguise, address).octets());
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.unwrap_or(128)).min(128)).unwrap_or(0);
            Ipv6Addr::from(made & mask).into()
        }
    }
}

fn is_anybodys(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.octets()[0] == 0
}

/// Private addresses stay in their block of RFC 1918; others move to the block for
/// benchmarks (RFC 2544). The last octet stays, since it decides which addresses of a
/// subnet EC2 reserves.
fn ipv4(disguise: &Disguise, address: Ipv4Addr) -> Ipv4Addr {
    let bytes = address.octets();
    let (kept, begin) = match bytes {
        [10, ..] => (8, bytes),
        [172, second, ..] if (16..32).contains(&second) => (12, bytes),
        [192, 168, ..] => (16, bytes),
        [100, second, ..] if (64..128).contains(&second) => (10, bytes),
        [first, second, third, last] => {
            let of_block = disguise.bytes("block", &[first, second]).next().unwrap_or_default();
            (16, [198, 18 + of_block % 2, third, last])
        }
    };
    let mut made = u32::from_be_bytes(begin);
    for place in kept..24 {
        made ^= bit(disguise, &bytes, place) << (31 - place);
    }
    Ipv4Addr::from(made)
}

/// Unique local and link-local addresses stay in their blocks; others move to the block for
/// documentation (RFC 3849).
fn ipv6(disguise: &Disguise, address: Ipv6Addr) -> Ipv6Addr {
    let bytes = address.octets();
    let mut begin = bytes;
    let kept = match bytes {
        [0xfd | 0xfc, ..] => 8,
        [0xfe, 0x80, ..] => 64,
        _ => {
            begin[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
            32
        }
    };
    let mut made = u128::from_be_bytes(begin);
    for place in kept..128 {
        made ^= u128::from(bit(disguise, &bytes, place)) << (127 - place);
    }
    Ipv6Addr::from(made)
}

/// Whether to change a bit. This depends on all bits before it and on none after it, so
/// that equal prefixes stay equal.
fn bit(disguise: &Disguise, bytes: &[u8], place: usize) -> u32 {
    let mut before = bytes.to_vec();
    before.truncate(place / 8 + 1);
    if let Some(last) = before.last_mut() {
        *last &= !(0xff_u8 >> (place % 8));
    }
    before.push(u8::try_from(place).unwrap_or_default());
    u32::from(disguise.bytes("bit", &before).next().unwrap_or_default() & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_a_block_still_is() {
        let disguise = Disguise::of(5);
        let made = |text: &str, prefix| address(&disguise, text.parse().unwrap(), prefix);
        for (block, prefix, inside, outside) in [
            ("10.1.0.0", 16, "10.1.200.9", "10.2.200.9"),
            ("10.1.2.0", 24, "10.1.2.9", "10.1.3.9"),
            ("10.1.2.16", 28, "10.1.2.17", "10.1.2.32"),
            ("172.31.0.0", 16, "172.31.4.5", "172.30.4.5"),
            ("52.9.0.0", 20, "52.9.15.1", "52.9.16.1"),
            ("2600:1f18:aa:bb00::", 56, "2600:1f18:aa:bbcc::1", "2600:1f18:aa:ba00::1"),
        ] {
            let network = made(block, Some(prefix));
            let masked = |text: &str| address_masked(made(text, None), prefix);
            assert_eq!(masked(inside), network, "{block}");
            assert_ne!(masked(outside), network, "{block}");
        }
        assert_eq!(made("10.1.2.3", None).to_string().split('.').next(), Some("10"));
        assert!(made("52.9.1.2", None).to_string().starts_with("198.1"));
        assert!(made("2600:1f18::1", None).to_string().starts_with("2001:db8:"));
        for same in ["169.254.169.254", "127.0.0.1", "fd00:ec2::254", "::1"] {
            assert_eq!(made(same, None).to_string(), same);
        }
    }

    fn address_masked(address: IpAddr, prefix: u8) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                Ipv4Addr::from(u32::from_be_bytes(address.octets()) & (u32::MAX << (32 - prefix))).into()
            }
            IpAddr::V6(address) => {
                Ipv6Addr::from(u128::from_be_bytes(address.octets()) & (u128::MAX << (128 - prefix))).into()
            }
        }
    }
}
