//! The subnets and VPCs of network interfaces: one subnet has one block, one VPC
//! the same blocks on every interface.

use core::net::IpAddr;

use super::made;
use super::network::{Interface, PRIVATE_IP_ADDRESS};
use crate::description::value::{CidrBlock, Ipv4Block, Ipv6Block};
use crate::description::{self as written, Description};

const SUBNET_ID: &str = "subnet-0123456789abcdef0";

/// Gives the last interface its subnet. One that is not stated is that of the
/// primary interface if the address lies in it, else one of its own.
pub(super) fn settle_subnet(interfaces: &mut [Interface], written: &written::NetworkInterface, instance: &Description) {
    let Some((last, before)) = interfaces.split_last_mut() else {
        return;
    };
    let address = last.addresses.first().map(|address| IpAddr::from(address.private));
    let ipv6_address = last.ipv6_addresses.first().map(|address| IpAddr::from(*address));
    let of_instance = instance.subnet_id.as_ref().filter(|_| before.is_empty());
    last.subnet_id = match (written.subnet_id.as_ref().or(of_instance), before.first()) {
        (Some(id), _) => id.as_str().to_owned(),
        (None, None) => SUBNET_ID.to_owned(),
        (None, Some(primary)) => match (address, primary.subnet_ipv4) {
            (Some(address), Some(block)) if CidrBlock::around(address, block.prefix_length) != block => {
                made::resource_id("subnet-", &CidrBlock::around(address, 24).to_string())
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
    last.subnet_ipv6 = match (&written.subnet_ipv6_cidr_blocks, same) {
        (Some(blocks), _) => ipv6(blocks),
        (None, Some(same)) if !same.subnet_ipv6.is_empty() => same.subnet_ipv6.clone(),
        (None, _) => ipv6_address.map(|address| CidrBlock::around(address, 64)).into_iter().collect(),
    };
}

/// Gives each VPC its blocks: those stated on any of its interfaces, or what
/// its addresses need.
pub(super) fn settle_vpcs(interfaces: &mut [Interface], list: &[written::NetworkInterface]) {
    for index in 0..interfaces.len() {
        let of_vpc: Vec<usize> =
            (0..interfaces.len()).filter(|other| interfaces[*other].vpc_id == interfaces[index].vpc_id).collect();
        let stated_ipv4 = of_vpc.iter().find_map(|other| list[*other].vpc_ipv4_cidr_blocks.as_ref());
        let stated_ipv6 = of_vpc.iter().find_map(|other| list[*other].vpc_ipv6_cidr_blocks.as_ref());
        let mut vpc_ipv4 = stated_ipv4.map(|blocks| ipv4(blocks)).unwrap_or_default();
        let mut vpc_ipv6 = stated_ipv6.map(|blocks| ipv6(blocks)).unwrap_or_default();
        if vpc_ipv4.is_empty() {
            let addresses = of_vpc.iter().filter_map(|other| interfaces[*other].addresses.first());
            for address in addresses {
                add(&mut vpc_ipv4, CidrBlock::around(address.private.into(), 16));
            }
            // A VPC has an IPv4 block even where its instances have no address.
            if vpc_ipv4.is_empty() {
                vpc_ipv4.push(CidrBlock::around(PRIVATE_IP_ADDRESS.into(), 16));
            }
        }
        if stated_ipv6.is_none() {
            for address in of_vpc.iter().filter_map(|other| interfaces[*other].ipv6_addresses.first()) {
                add(&mut vpc_ipv6, CidrBlock::around(IpAddr::from(*address), 56));
            }
        }
        interfaces[index].vpc_ipv4 = vpc_ipv4;
        interfaces[index].vpc_ipv6 = vpc_ipv6;
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
