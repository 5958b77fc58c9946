//! Values with a syntax of their own: MAC addresses, address blocks, times,
//! secrets.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::time::Time;

/// Reads a string value with `FromStr`.
macro_rules! read_from_string {
    ($type:ty, $schema:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

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

read_from_string!(MacAddress, "MacAddress", "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$");

/// A block of addresses: `10.0.0.0/16`, `2001:db8::/56`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrBlock {
    /// The first address.
    pub address: IpAddr,
    /// The number of fixed bits.
    pub prefix_length: u8,
}

impl FromStr for CidrBlock {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<CidrBlock, &'static str> {
        let wrong = "expected an address block such as 10.0.0.0/16 or 2001:db8::/56";
        let (address, length) = text.split_once('/').ok_or(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        match length.parse() {
            Ok(prefix_length) if prefix_length <= bits => Ok(CidrBlock { address, prefix_length }),
            _ => Err(wrong),
        }
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_length)
    }
}

read_from_string!(CidrBlock, "CidrBlock", "^[0-9A-Fa-f:.]+/[0-9]{1,3}$");

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Time, &'static str> {
        Time::parse(text).ok_or("expected a time such as 2026-09-26T11:16:22Z, not before 1970")
    }
}

read_from_string!(
    Time,
    "Time",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
);

/// A text that no log and no debug output shows.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

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
    fn a_block_has_a_length_that_its_family_allows() {
        assert_eq!("10.0.0.0/28".parse::<CidrBlock>().unwrap().to_string(), "10.0.0.0/28");
        for wrong in ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "x/8", "10.0.0.0/-1"] {
            assert!(wrong.parse::<CidrBlock>().is_err(), "{wrong}");
        }
    }
}
