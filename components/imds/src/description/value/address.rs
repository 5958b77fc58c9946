//! Addresses and blocks of them.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::description::ipv6::EightGroups;

/// The hardware address of a network interface; written in lower case with
/// colons, read with colons or hyphens in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAddress(pub [u8; 6]);

impl FromStr for MacAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<MacAddress, &'static str> {
        let wrong = "expected a MAC address such as 0e:49:61:0f:c3:11";
        let mut bytes = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut bytes {
            let pair =
                pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or(wrong)?;
        }
        pairs.next().is_none().then_some(MacAddress(bytes)).ok_or(wrong)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

read_from_string!(MacAddress, Plain, "MacAddress", "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$");

/// A block of addresses: `10.0.0.0/16`, `2001:db8::/56`; written as the service
/// does, an IPv6 block in eight groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrBlock {
    /// The first address.
    pub address: IpAddr,
    /// The number of fixed bits.
    pub prefix_length: u8,
}

impl CidrBlock {
    /// The block of `prefix_length` bits in which an address lies.
    pub fn around(address: IpAddr, prefix_length: u8) -> CidrBlock {
        let length = u32::from(prefix_length);
        let address = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        };
        CidrBlock { address, prefix_length }
    }

    /// Reads an address and the number of fixed bits, if the address is the
    /// first of the block.
    fn parse(text: &str) -> Option<CidrBlock> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let block = CidrBlock { address, prefix_length: length.parse().ok()? };
        let is_first = CidrBlock::around(address, block.prefix_length) == block;
        (block.prefix_length <= bits && is_first).then_some(block)
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}/{}", self.prefix_length),
            IpAddr::V6(address) => write!(f, "{}/{}", EightGroups(address), self.prefix_length),
        }
    }
}

/// A block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Block(pub CidrBlock);

/// A block of IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Block(pub CidrBlock);

impl FromStr for Ipv4Block {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Ipv4Block, &'static str> {
        let block = CidrBlock::parse(text).filter(|block| block.address.is_ipv4());
        block.map(Ipv4Block).ok_or("expected a block of IPv4 addresses with its first address, such as 10.0.0.0/16")
    }
}

impl FromStr for Ipv6Block {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Ipv6Block, &'static str> {
        let block = CidrBlock::parse(text).filter(|block| block.address.is_ipv6());
        block.map(Ipv6Block).ok_or("expected a block of IPv6 addresses with its first address, such as 2001:db8::/56")
    }
}

read_from_string!(Ipv4Block, Plain, "Ipv4Block", "^[0-9.]+/[0-9]{1,2}$");
read_from_string!(Ipv6Block, Plain, "Ipv6Block", "^[0-9A-Fa-f:.]+/[0-9]{1,3}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_is_written_in_lower_case_with_colons() {
        assert_eq!("0E-49-61-0F-C3-11".parse::<MacAddress>().unwrap().to_string(), "0e:49:61:0f:c3:11");
        for wrong in ["", "0e:49:61:0f:c3", "0e:49:61:0f:c3:11:22", "0e:49:61:0f:c3:+1", "é:49:61:0f:c3:11"] {
            assert!(wrong.parse::<MacAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_block_has_a_length_that_its_family_allows_and_its_first_address() {
        assert_eq!("10.0.0.0/28".parse::<Ipv4Block>().unwrap().0.to_string(), "10.0.0.0/28");
        assert_eq!("2001:db8::/56".parse::<Ipv6Block>().unwrap().0.to_string(), "2001:db8:0:0:0:0:0:0/56");
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0.10/24", "10.0.0/8", "x/8", "10.0.0.0/-1", "2001:db8::/24"] {
            assert!(wrong.parse::<Ipv4Block>().is_err(), "{wrong}");
        }
        for wrong in ["::/129", "2001:db8::1/64", "10.0.0.0/8", "2001:db8::"] {
            assert!(wrong.parse::<Ipv6Block>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_block_around_an_address_has_its_length() {
        for (address, length, block) in [
            ("10.1.2.3", 24, "10.1.2.0/24"),
            ("10.1.2.3", 32, "10.1.2.3/32"),
            ("10.1.2.3", 0, "0.0.0.0/0"),
            ("2001:db8:1:2:3::4", 56, "2001:db8:1:0:0:0:0:0/56"),
            ("2001:db8::1", 128, "2001:db8:0:0:0:0:0:1/128"),
            ("2001:db8::1", 0, "0:0:0:0:0:0:0:0/0"),
        ] {
            assert_eq!(CidrBlock::around(address.parse().unwrap(), length).to_string(), block);
        }
    }
}
