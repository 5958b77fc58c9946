//! The subnets and VPCs of network interfaces: one subnet has one block, one VPC
//! the same blocks on every interface.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use super::identity::{Identity, made_subnet_id};
use super::network::Interface;
use crate::description::value::{CidrBlock, Ipv4Block, Ipv6Block};
use crate::description::{self as written, Description};

/// Gives the last interface its subnet. One that is not stated is that of the
/// primary interface if the address lies in it, else one of its own.
pub(super) fn settle_subnet(
    interfaces: &mut [Interface],
    written: &written::NetworkInterface,
    instance: &Description,
    identity: &Identity<'_>,
) {
    let Some((last, before)) = interfaces.split_last_mut() else {
        return;
    };
    let address = last.addresses.first().map(|address| IpAddr::from(address.private));
    let of_instance = instance.subnet_id.as_ref().filter(|_| before.is_empty());
    last.subnet_id = match (written.subnet_id.as_ref().or(of_instance), before.first()) {
        (Some(id), _) => id.as_str().to_owned(),
        (None, None) => identity.subnet_id(last.addresses.first().map(|address| address.private)),
        (None, Some(primary)) => match (address, primary.subnet_ipv4) {
            (Some(address), Some(block)) if CidrBlock::around(address, block.prefix_length) != block => {
                made_subnet_id(CidrBlock::around(address, 24))
            }
            _ => primary.subnet_id.clone(),
        },
    };
    let same = before.iter().find(|other| other.subnet_id == last.subnet_id);
    last.subnet_ipv4 = written
        .subnet_ipv4_cidr_block
        .map(|block| block.0)
        .or_else(|| same.and_then(|same| same.subnet_ipv4))
        .or_else(|| address.map(|address| CidrBlock::around(address, 24)));
}

/// Gives each subnet its IPv6 blocks: those stated on any of its interfaces, or
/// what the addresses of its interfaces need. Recorded: an interface without an
/// IPv6 address shows the blocks of its subnet too.
pub(super) fn settle_ipv6_subnets(interfaces: &mut [Interface], list: &[written::NetworkInterface]) {
    let mut of_subnets: BTreeMap<String, Vec<CidrBlock>> = BTreeMap::new();
    for (interface, written) in interfaces.iter().zip(list) {
        if let Some(blocks) = &written.subnet_ipv6_cidr_blocks {
            of_subnets.entry(interface.subnet_id.clone()).or_insert_with(|| ipv6(blocks));
        }
    }
    for interface in interfaces.iter() {
        if let Some(address) = interface.ipv6_addresses.first() {
            let needed = || vec![CidrBlock::around(address.0.into(), 64)];
            of_subnets.entry(interface.subnet_id.clone()).or_insert_with(needed);
        }
    }
    for (interface, written) in interfaces.iter_mut().zip(list) {
        let of_its_own = written.subnet_ipv6_cidr_blocks.as_ref().map(|blocks| ipv6(blocks));
        interface.subnet_ipv6 =
            of_its_own.or_else(|| of_subnets.get(&interface.subnet_id).cloned()).unwrap_or_default();
    }
}

/// Gives each VPC its blocks: those stated on any of its interfaces, or what
/// its addresses need.
pub(super) fn settle_vpcs(interfaces: &mut [Interface], list: &[written::NetworkInterface], identity: &Identity<'_>) {
    let mut of_vpcs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, interface) in interfaces.iter().enumerate() {
        of_vpcs.entry(interface.vpc_id.clone()).or_default().push(index);
    }
    for of_vpc in of_vpcs.values() {
        let stated_ipv4 = of_vpc.iter().find_map(|index| list[*index].vpc_ipv4_cidr_blocks.as_ref());
        let stated_ipv6 = of_vpc.iter().find_map(|index| list[*index].vpc_ipv6_cidr_blocks.as_ref());
        let mut vpc_ipv4 = stated_ipv4.map(|blocks| ipv4(blocks)).unwrap_or_default();
        let mut vpc_ipv6 = stated_ipv6.map(|blocks| ipv6(blocks)).unwrap_or_default();
        if vpc_ipv4.is_empty() {
            let addresses = of_vpc.iter().filter_map(|index| interfaces[*index].addresses.first());
            for address in addresses {
                add(&mut vpc_ipv4, CidrBlock::around(address.private.into(), 16));
            }
            // A VPC has an IPv4 block even where its instances have no address.
            if vpc_ipv4.is_empty() {
                vpc_ipv4.push(CidrBlock::around(identity.private_ip_address.into(), 16));
            }
        }
        if stated_ipv6.is_none() {
            let mut seen = BTreeSet::new();
            for interface in of_vpc.iter().map(|index| &interfaces[*index]) {
                for block in &interface.subnet_ipv6 {
                    let block = CidrBlock::around(block.address, block.prefix_length.min(56));
                    if seen.insert((block.address, block.prefix_length)) {
                        vpc_ipv6.push(block);
                    }
                }
                if let Some(address) = interface.ipv6_addresses.first().map(|address| IpAddr::from(address.0))
                    && vpc_ipv6.iter().all(|block| CidrBlock::around(address, block.prefix_length) != *block)
                {
                    vpc_ipv6.push(CidrBlock::around(address, 56));
                }
            }
        }
        for index in of_vpc {
            interfaces[*index].vpc_ipv4.clone_from(&vpc_ipv4);
            interfaces[*index].vpc_ipv6.clone_from(&vpc_ipv6);
        }
    }
}

pub(super) fn ipv4(blocks: &[Ipv4Block]) -> Vec<CidrBlock> {
    blocks.iter().map(|block| block.0).collect()
}

pub(super) fn ipv6(blocks: &[Ipv6Block]) -> Vec<CidrBlock> {
    blocks.iter().map(|block| block.0).collect()
}

fn add(blocks: &mut Vec<CidrBlock>, block: CidrBlock) {
    if !blocks.contains(&block) {
        blocks.push(block);
    }
}
