//! Proxies in front, whose `X-Forwarded-For` counts for nothing.
//!
//! EC2 refuses tokens to requests that were forwarded, so that an open proxy on the
//! instance is no way to its credentials. A proxy that the operator put in front
//! adds the same field to every request. Only who stands behind it can tell the two
//! apart: by the address that the connection comes from.

use std::fmt;
use std::net::IpAddr;

/// The addresses of trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// An address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Proxies {
    /// Reads addresses and networks, apart by commas or spaces.
    ///
    /// ```
    /// use imds_spin::Proxies;
    ///
    /// let proxies = Proxies::parse("192.0.2.1, 10.0.0.0/8 fd00::/8").expect("these are addresses");
    /// assert!(proxies.contains("10.9.8.7".parse()?) && proxies.contains("::ffff:192.0.2.1".parse()?));
    /// assert!(!proxies.contains("192.0.2.2".parse()?));
    /// assert_eq!(Proxies::parse("10.0.0.0/33"), None);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn parse(value: &str) -> Option<Proxies> {
        let parts = value.split([',', ' ', '\n']).filter(|part| !part.is_empty());
        parts.map(Network::parse).collect::<Option<_>>().map(Proxies)
    }

    /// Whether one of them has the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address.to_canonical()))
    }
}

impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Network { address, bits }) in self.0.iter().enumerate() {
            write!(f, "{}{address}/{bits}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let address_bits = if address.is_ipv4() { u32::BITS } else { u128::BITS };
        let bits = match bits {
            None => address_bits,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= address_bits)?,
        };
        // An address of IPv4 in the form of IPv6 is looked for as what it is.
        match address.to_canonical() {
            IpAddr::V4(address) if bits >= 96 => Some(Network { address: address.into(), bits: bits - 96 }),
            _ => Some(Network { address, bits }),
        }
    }

    fn contains(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                let differing = u32::from(one) ^ u32::from(other);
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                let differing = u128::from(one) ^ u128::from(other);
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bits_count_as_are_given() {
        let has = |networks: &str, address: &str| {
            let address = address.parse().expect("an address");
            Proxies::parse(networks).expect("networks").contains(address)
        };
        assert!(has("10.0.0.0/8", "10.255.255.255") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("::ffff:10.0.0.0/104", "10.255.255.255") && !has("::ffff:10.0.0.0/104", "11.0.0.0"));
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.6"));
        assert!(has("0.0.0.0/0", "203.0.113.7") && !has("0.0.0.0/0", "fd00::7"));
        assert!(has("fd00::/16", "fd00:1::7") && !has("fd00::/16", "fd01::7"));
        assert!(has("fd00::7/128", "fd00::7") && !has("fd00::7/128", "fd00::6"));
        assert!(!has("", "10.0.0.7"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in ["10.0.0", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "proxy.internal", "*"] {
            assert_eq!(Proxies::parse(wrong), None, "{wrong}");
        }
    }
}
