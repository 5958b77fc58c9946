//! Who an instance is that does not say so.
//!
//! An instance alone has fixed defaults, the same in every place. Of many, each
//! has a scope, the key of its caller, and what is not stated of its identity is
//! made from that: two guests of a fleet never have one id, MAC address or set
//! of credentials by accident.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{INSTANCE_ID, made};
use crate::description::value::CidrBlock;

const PRIVATE_IP_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const PUBLIC_IP_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 25);
const SUBNET_ID: &str = "subnet-0123456789abcdef0";
const VPC_ID: &str = "vpc-0123456789abcdef0";

/// What an instance is by default.
pub struct Identity<'s> {
    scope: Option<&'s str>,
    /// The private address of the primary interface.
    pub private_ip_address: Ipv4Addr,
    /// The IPv6 address of the primary interface: the caller's, where that is its key.
    pub ipv6_address: Option<Ipv6Addr>,
}

impl<'s> Identity<'s> {
    /// The identity that `scope` gives. A scope that is an address is that of the
    /// instance.
    pub fn of(scope: Option<&'s str>) -> Identity<'s> {
        let Some(key) = scope else {
            return Identity { scope, private_ip_address: PRIVATE_IP_ADDRESS, ipv6_address: None };
        };
        let (private_ip_address, ipv6_address) = match key.parse() {
            Ok(IpAddr::V4(address)) if is_unicast(address) => (address, None),
            Ok(IpAddr::V6(address)) if !address.is_multicast() && !address.is_unspecified() => {
                (made_address(key), Some(address))
            }
            _ => (made_address(key), None),
        };
        Identity { scope, private_ip_address, ipv6_address }
    }

    /// The instance id.
    pub fn instance_id(&self) -> String {
        self.scope.map_or_else(|| INSTANCE_ID.to_owned(), |key| made::resource_id("i-", key))
    }

    /// The public address. EC2 gives an instance another one at each start, unless
    /// it has one of its own: for one alone, from the block for documentation (RFC
    /// 5737); for many, from the larger one for benchmarks (RFC 2544).
    pub fn public_ip_address(&self, start_count: u32) -> Ipv4Addr {
        match self.scope {
            None => {
                let [a, b, c, d] = PUBLIC_IP_ADDRESS.octets();
                Ipv4Addr::new(a, b, c, d + (start_count % 200) as u8)
            }
            Some(key) => {
                let [a, b, c, ..] = made::bytes(key, &format!("public address {start_count}"));
                Ipv4Addr::new(198, 18 + a % 2, b, host(c))
            }
        }
    }

    /// The subnet of the primary interface: one block has one id.
    pub fn subnet_id(&self, address: Option<Ipv4Addr>) -> String {
        match (self.scope, address) {
            (Some(_), Some(address)) => made_subnet_id(CidrBlock::around(address.into(), 24)),
            _ => SUBNET_ID.to_owned(),
        }
    }

    /// The VPC: likewise.
    pub fn vpc_id(&self, address: Option<Ipv4Addr>) -> String {
        match (self.scope, address) {
            (Some(_), Some(address)) => made::resource_id("vpc-", &CidrBlock::around(address.into(), 16).to_string()),
            _ => VPC_ID.to_owned(),
        }
    }
}

/// The id of a subnet that states none.
pub fn made_subnet_id(block: CidrBlock) -> String {
    made::resource_id("subnet-", &block.to_string())
}

/// An address of the block 10.0.0.0/8, in which each /16 is a VPC.
fn made_address(key: &str) -> Ipv4Addr {
    let [a, b, c, ..] = made::bytes(key, "private address");
    Ipv4Addr::new(10, a, b, host(c))
}

/// EC2 keeps the first four addresses of a subnet and the last.
fn host(byte: u8) -> u8 {
    4 + byte % 251
}

fn is_unicast(address: Ipv4Addr) -> bool {
    !(address.is_multicast() || address.is_broadcast() || address.octets()[0] == 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_instance_alone_is_always_the_same() {
        let alone = Identity::of(None);
        assert_eq!(alone.instance_id(), "i-0123456789abcdef0");
        assert_eq!(alone.private_ip_address, Ipv4Addr::new(10, 0, 0, 10));
        assert_eq!(alone.public_ip_address(1), Ipv4Addr::new(203, 0, 113, 26));
        assert_eq!(alone.subnet_id(Some(alone.private_ip_address)), "subnet-0123456789abcdef0");
    }

    #[test]
    fn a_scope_that_is_an_address_is_that_of_the_instance() {
        let of = |key| Identity::of(Some(key));
        assert_eq!(of("10.0.0.7").private_ip_address, Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(
            of("10.0.0.7").subnet_id(Some(Ipv4Addr::new(10, 0, 0, 7))),
            of("10.0.0.8").subnet_id(Some(Ipv4Addr::new(10, 0, 0, 8)))
        );
        assert_eq!(of("fd00::7").ipv6_address.map(|address| address.to_string()).as_deref(), Some("fd00::7"));
        for odd in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::", "10.0.0.1:80", ""] {
            assert_eq!((of(odd).private_ip_address.octets()[0], of(odd).ipv6_address), (10, None), "{odd}");
        }
    }

    #[test]
    fn scopes_differ_in_everything() {
        let keys: Vec<String> = (0..1000).map(|number| format!("vm-{number}")).collect();
        let all: Vec<Identity<'_>> = keys.iter().map(|key| Identity::of(Some(key))).collect();
        let ids: BTreeSet<_> = all.iter().map(Identity::instance_id).collect();
        let addresses: BTreeSet<_> = all.iter().map(|identity| identity.private_ip_address).collect();
        assert_eq!(ids.len(), 1000);
        // Two of 16 million may be one by chance.
        assert!(addresses.len() >= 999);
        assert!(addresses.iter().all(|address| (4..=254).contains(&address.octets()[3])));
    }
}
