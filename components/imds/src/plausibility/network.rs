//! Addresses, subnets and VPCs.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeMap;

use super::Judge;
use super::blocks::{Blocks, bits, one, overlapping};
use super::rules::{
    ADDRESS_KIND, ADDRESS_OUTSIDE_SUBNET, BLOCK_SIZE, DIFFERING_BLOCKS, MULTICAST_MAC, OVERLAPPING_BLOCKS,
    RESERVED_ADDRESS, SUBNET_OUTSIDE_VPC,
};
use crate::description::problem::Problem;
use crate::description::value::CidrBlock;
use crate::facts::Interface;

/// What a block is for, with the numbers of fixed bits that EC2 allows. Source:
/// VPC user guide, "VPC CIDR blocks" and "Subnet CIDR blocks"; EC2 user guide,
/// "Prefix delegation".
#[derive(Clone, Copy)]
struct Size {
    fewest: u8,
    most: u8,
    /// Only each so many bits.
    step: u8,
}

const IPV4: Size = Size { fewest: 16, most: 28, step: 1 };
const IPV6_OF_VPC: Size = Size { fewest: 44, most: 60, step: 4 };
const IPV6_OF_SUBNET: Size = Size { fewest: 44, most: 64, step: 4 };
const IPV4_PREFIX: Size = Size { fewest: 28, most: 28, step: 1 };
const IPV6_PREFIX: Size = Size { fewest: 80, most: 80, step: 1 };

impl Judge<'_> {
    pub(super) fn network(&mut self) {
        let facts = self.facts;
        for (index, interface) in facts.interfaces.iter().enumerate() {
            self.mac(index, interface);
            self.addresses(index, interface);
            self.sizes(index);
            self.subnet(index, interface);
        }
        self.differing();
        self.overlapping();
    }

    fn mac(&mut self, index: usize, interface: &Interface) {
        let [first, ..] = interface.mac.0;
        let message = match interface.mac.0 {
            [0, 0, 0, 0, 0, 0] => "an interface has no MAC address of zeros",
            _ if first & 1 == 1 => "this is the MAC address of a group, not of one interface",
            _ => return,
        };
        let pointer = format!("/network-interfaces/{index}/mac-address");
        let help = "the last bit of the first byte is 0: EC2's addresses begin with 02, 06, 0a, 0e, 12 and so on";
        self.warn(&MULTICAST_MAC, Problem::at(pointer, message).help(help));
    }

    fn addresses(&mut self, index: usize, interface: &Interface) {
        let subnet_ipv4 = Blocks::of(&interface.subnet_ipv4);
        for (place, address) in interface.addresses.iter().enumerate() {
            let at_address = || {
                let listed = format!("/network-interfaces/{index}/private-ip-addresses/{place}/private-ip-address");
                let block = format!("/network-interfaces/{index}/subnet-ipv4-cidr-block");
                [listed, "/private-ip-address".to_owned(), block]
            };
            if is_of_no_host(address.private) {
                let message = format!("no interface has the private address {}", address.private);
                self.warn(&ADDRESS_KIND, Problem::at(self.stated(at_address()), message));
            } else if let Some(block) = interface.subnet_ipv4 {
                let block_is_stated = self.states(&format!("/network-interfaces/{index}/subnet-ipv4-cidr-block"));
                if !subnet_ipv4.contain(one(address.private.into())) {
                    let message = format!("{} is not in the subnet's block {block}", address.private);
                    let problem = Problem::at(self.stated(at_address()), message);
                    self.warn(
                        &ADDRESS_OUTSIDE_SUBNET,
                        problem.help(match block_is_stated {
                            true => "change the address, or `subnet-ipv4-cidr-block`",
                            false => {
                                "state `subnet-ipv4-cidr-block`, which is the /24 around the first address by default"
                            }
                        }),
                    );
                } else if block_is_stated && is_reserved(address.private, block) {
                    let message = format!("EC2 keeps {} for itself in the subnet {block}", address.private);
                    let problem = Problem::at(self.stated(at_address()), message);
                    self.warn(
                        &RESERVED_ADDRESS,
                        problem.help("these are the first four addresses of a subnet and the last one"),
                    );
                }
            }
            if let Some(public) = address.public
                && (public.is_private() || is_of_no_host(public))
            {
                let listed = format!("/network-interfaces/{index}/private-ip-addresses/{place}/public-ip");
                let pointer = self.stated([listed, "/public-ip-address".to_owned()]);
                let message = format!("{public} is no public address");
                self.warn(&ADDRESS_KIND, Problem::at(pointer, message).help("`false` takes a public address away"));
            }
        }
        let subnet_ipv6 = Blocks::of(&interface.subnet_ipv6);
        for (place, address) in interface.ipv6_addresses.iter().enumerate() {
            let pointer = format!("/network-interfaces/{index}/ipv6-addresses/{place}");
            if address.0.is_loopback()
                || address.0.is_unspecified()
                || address.0.is_multicast()
                || address.0.is_unicast_link_local()
            {
                let message = format!("the service shows no such address as {}", address.0);
                let help = "expected a global address; every interface has a link-local one, which is not shown";
                self.warn(&ADDRESS_KIND, Problem::at(pointer, message).help(help));
            } else if !subnet_ipv6.is_empty() && !subnet_ipv6.contain(one(address.0.into())) {
                let message = format!("{} is in no IPv6 block of the subnet", address.0);
                let help = "state `subnet-ipv6-cidr-blocks`, which is the /64 around the first address by default";
                self.warn(&ADDRESS_OUTSIDE_SUBNET, Problem::at(pointer, message).help(help));
            }
        }
        for (field, prefixes, blocks) in [
            ("ipv4-prefixes", &interface.ipv4_prefixes, &subnet_ipv4),
            ("ipv6-prefixes", &interface.ipv6_prefixes, &subnet_ipv6),
        ] {
            for (place, prefix) in prefixes.iter().enumerate() {
                if !blocks.is_empty() && !blocks.contain(*prefix) {
                    let pointer = format!("/network-interfaces/{index}/{field}/{place}");
                    let message = format!("{prefix} is in no block of the subnet");
                    let help = "delegated prefixes are parts of the subnet";
                    self.warn(&ADDRESS_OUTSIDE_SUBNET, Problem::at(pointer, message).help(help));
                }
            }
        }
    }

    /// Blocks that are stated; those that are made have a size that EC2 allows.
    fn sizes(&mut self, index: usize) {
        let Some(written) = self.description.network_interfaces.get(index) else { return };
        let ipv4 = |blocks: &[crate::description::value::Ipv4Block]| blocks.iter().map(|block| block.0).collect();
        let ipv6 = |blocks: &[crate::description::value::Ipv6Block]| blocks.iter().map(|block| block.0).collect();
        let lists: [(&str, Vec<CidrBlock>, Size); 6] = [
            ("subnet-ipv4-cidr-block", written.subnet_ipv4_cidr_block.iter().map(|block| block.0).collect(), IPV4),
            ("vpc-ipv4-cidr-blocks", written.vpc_ipv4_cidr_blocks.as_deref().map(ipv4).unwrap_or_default(), IPV4),
            (
                "subnet-ipv6-cidr-blocks",
                written.subnet_ipv6_cidr_blocks.as_deref().map(ipv6).unwrap_or_default(),
                IPV6_OF_SUBNET,
            ),
            (
                "vpc-ipv6-cidr-blocks",
                written.vpc_ipv6_cidr_blocks.as_deref().map(ipv6).unwrap_or_default(),
                IPV6_OF_VPC,
            ),
            ("ipv4-prefixes", ipv4(&written.ipv4_prefixes), IPV4_PREFIX),
            ("ipv6-prefixes", ipv6(&written.ipv6_prefixes), IPV6_PREFIX),
        ];
        for (field, blocks, size) in lists {
            for (place, block) in blocks.iter().enumerate().filter(|(_, block)| !size.allows(block.prefix_length)) {
                let of_list = format!("/network-interfaces/{index}/{field}/{place}");
                let pointer = self.stated([of_list, format!("/network-interfaces/{index}/{field}")]);
                let message = format!("EC2 has no such block of the size /{}", block.prefix_length);
                self.warn(&BLOCK_SIZE, Problem::at(pointer, message).help(size.in_words()));
            }
        }
    }

    fn subnet(&mut self, index: usize, interface: &Interface) {
        let at = |field: &str| format!("/network-interfaces/{index}/{field}");
        let of_vpc = Blocks::of(interface.vpc_ipv4.iter().chain(&interface.vpc_ipv6));
        let blocks = interface.subnet_ipv4.iter().map(|block| (None, block));
        let blocks = blocks.chain(interface.subnet_ipv6.iter().enumerate().map(|(place, block)| (Some(place), block)));
        for (place, block) in blocks.filter(|(_, block)| !of_vpc.contain(**block)) {
            let (pointer, family, of_vpc) = match place {
                None => (
                    self.stated([at("subnet-ipv4-cidr-block"), at("vpc-ipv4-cidr-blocks")]),
                    "IPv4",
                    &interface.vpc_ipv4,
                ),
                Some(place) => {
                    let listed = at(&format!("subnet-ipv6-cidr-blocks/{place}"));
                    (self.stated([listed, at("vpc-ipv6-cidr-blocks")]), "IPv6", &interface.vpc_ipv6)
                }
            };
            // One without IPv6 blocks says nothing of them.
            if let Some(first) = of_vpc.first() {
                let message = format!("the subnet's block {block} is in no {family} block of its VPC, such as {first}");
                let help = format!("state `vpc-{}-cidr-blocks`, or change the subnet's", family.to_ascii_lowercase());
                self.warn(&SUBNET_OUTSIDE_VPC, Problem::at(pointer, message).help(help));
            }
        }
    }

    /// What two interfaces say of one subnet or one VPC.
    fn differing(&mut self) {
        let mut of_subnets: BTreeMap<&str, (usize, Vec<CidrBlock>)> = BTreeMap::new();
        let mut of_vpcs: BTreeMap<(&str, &str), (usize, Vec<CidrBlock>)> = BTreeMap::new();
        let mut found = Vec::new();
        for (index, (written, interface)) in
            self.description.network_interfaces.iter().zip(self.facts.interfaces.iter()).enumerate()
        {
            let mut differs = |field: &str, before: &(usize, Vec<CidrBlock>), blocks: &[CidrBlock], of: &str| {
                if before.1 != blocks {
                    found.push((format!("/network-interfaces/{index}/{field}"), before.0, of.to_owned()));
                }
            };
            let sorted = |blocks: Vec<CidrBlock>| {
                let mut blocks = blocks;
                blocks.sort_by_key(|block| (block.address, block.prefix_length));
                blocks
            };
            if let Some(block) = written.subnet_ipv4_cidr_block {
                let blocks = vec![block.0];
                let before = of_subnets.entry(&interface.subnet_id).or_insert_with(|| (index, blocks.clone()));
                differs("subnet-ipv4-cidr-block", before, &blocks, &interface.subnet_id);
            }
            if let Some(blocks) = &written.vpc_ipv4_cidr_blocks {
                let blocks = sorted(blocks.iter().map(|block| block.0).collect());
                let key = (interface.vpc_id.as_str(), "ipv4");
                let before = of_vpcs.entry(key).or_insert_with(|| (index, blocks.clone()));
                differs("vpc-ipv4-cidr-blocks", before, &blocks, &interface.vpc_id);
            }
            if let Some(blocks) = &written.vpc_ipv6_cidr_blocks {
                let blocks = sorted(blocks.iter().map(|block| block.0).collect());
                let key = (interface.vpc_id.as_str(), "ipv6");
                let before = of_vpcs.entry(key).or_insert_with(|| (index, blocks.clone()));
                differs("vpc-ipv6-cidr-blocks", before, &blocks, &interface.vpc_id);
            }
        }
        for (pointer, before, of) in found {
            let message = format!(
                "{} has other blocks at the network interface {before}",
                crate::description::problem::shown(&of)
            );
            let help = "state the blocks of a subnet or a VPC once: its other interfaces have them too";
            self.warn(&DIFFERING_BLOCKS, Problem::at(pointer, message).help(help));
        }
    }

    fn overlapping(&mut self) {
        let facts = self.facts;
        let mut vpcs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, interface) in facts.interfaces.iter().enumerate() {
            vpcs.entry(&interface.vpc_id).or_default().push(index);
        }
        for of_vpc in vpcs.values() {
            let mut subnets = Vec::new();
            let mut places = BTreeMap::new();
            let mut prefixes = Vec::new();
            for &index in of_vpc {
                let interface = &facts.interfaces[index];
                places.entry(interface.subnet_id.as_str()).or_insert(index);
                let blocks = interface.subnet_ipv4.iter().chain(&interface.subnet_ipv6);
                subnets.extend(blocks.map(|block| (*block, interface.subnet_id.as_str())));
                // What belongs to one interface alone: addresses, which cannot be given twice, and prefixes.
                let addresses = interface.addresses.iter().map(|address| IpAddr::from(address.private));
                let addresses = addresses.chain(interface.ipv6_addresses.iter().map(|address| IpAddr::from(address.0)));
                prefixes.extend(addresses.map(|address| (one(address), (index, "", 0))));
                for (field, list) in
                    [("ipv4-prefixes", &interface.ipv4_prefixes), ("ipv6-prefixes", &interface.ipv6_prefixes)]
                {
                    prefixes.extend(list.iter().enumerate().map(|(place, block)| (*block, (index, field, place + 1))));
                }
            }
            for ((inner, id), (outer, other)) in overlapping(subnets) {
                let index = places.get(id).copied().unwrap_or_default();
                let message = format!("the subnet's block {inner} overlaps {outer}, a block of the subnet {other}");
                let pointer = self.stated(
                    ["subnet-ipv4-cidr-block", "subnet-ipv6-cidr-blocks", "subnet-id"]
                        .map(|field| format!("/network-interfaces/{index}/{field}")),
                );
                let help = "subnets of one VPC do not overlap";
                self.warn(&OVERLAPPING_BLOCKS, Problem::at(pointer, message).help(help));
            }
            self.overlapping_of_vpc(of_vpc.first().copied().unwrap_or_default());
            for ((inner, (index, field, place)), (outer, (_, outer_field, _))) in overlapping(prefixes) {
                let (pointer, message) = match (field, outer_field) {
                    ("", "") => continue,
                    ("", _) => (
                        format!("/network-interfaces/{index}"),
                        format!("the address {} is in the delegated prefix {outer}", inner.address),
                    ),
                    _ => (
                        format!("/network-interfaces/{index}/{field}/{}", place - 1),
                        format!("the delegated prefix {inner} overlaps {outer}"),
                    ),
                };
                let help = "EC2 gives each address to one interface, once";
                self.warn(&OVERLAPPING_BLOCKS, Problem::at(pointer, message).help(help));
            }
        }
    }

    fn overlapping_of_vpc(&mut self, index: usize) {
        let Some(interface) = self.facts.interfaces.get(index) else { return };
        let blocks = interface.vpc_ipv4.iter().chain(&interface.vpc_ipv6);
        let numbered = blocks.enumerate().map(|(number, block)| (*block, number)).collect();
        let family = |block: CidrBlock| if bits(block.address) == 32 { "ipv4" } else { "ipv6" };
        for ((inner, _), (outer, _)) in overlapping(numbered) {
            let field = format!("vpc-{}-cidr-blocks", family(inner));
            let pointer = self.stated([format!("/network-interfaces/{index}/{field}")]);
            let message = format!("the VPC's block {inner} overlaps its block {outer}");
            self.warn(&OVERLAPPING_BLOCKS, Problem::at(pointer, message).help("blocks of one VPC do not overlap"));
        }
    }
}

impl Size {
    fn allows(self, fixed_bits: u8) -> bool {
        (self.fewest..=self.most).contains(&fixed_bits) && (fixed_bits - self.fewest).is_multiple_of(self.step)
    }

    fn in_words(self) -> String {
        match (self.fewest, self.most, self.step) {
            (fewest, most, _) if fewest == most => format!("expected /{fewest}"),
            (fewest, most, 1) => format!("expected /{fewest} to /{most}"),
            (fewest, most, step) => format!("expected /{fewest} to /{most}, in steps of {step}"),
        }
    }
}

fn is_of_no_host(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first == 0 || first >= 224 || address.is_loopback() || address.is_link_local()
}

/// Source: VPC user guide, "Subnet CIDR reservations": the first four addresses
/// and the last one of each subnet.
fn is_reserved(address: Ipv4Addr, block: CidrBlock) -> bool {
    let IpAddr::V4(first) = block.address else { return false };
    let hosts = u32::MAX.checked_shr(block.prefix_length.into()).unwrap_or(0);
    let number = address.to_bits() & hosts;
    // Of a block without room for more, the size is what is wrong.
    hosts >= 8 && first.to_bits() == address.to_bits() & !hosts && (number < 4 || number == hosts)
}
