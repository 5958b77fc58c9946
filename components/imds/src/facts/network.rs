//! Network interfaces: addresses, names, subnets and VPCs.
//!
//! The fields that EC2's API has both on the instance and on its primary
//! interface count for the latter unless it states its own. What is not stated
//! agrees with what is: one subnet has one block, one VPC the same blocks on
//! every interface.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use super::identity::{Identity, made_subnet_id};
use super::place::{Region, dashed};
use super::{Check, made};
use crate::description::part::Part;
use crate::description::problem::Problem;
use crate::description::value::{CidrBlock, Ipv4Block, Ipv6Block, MacAddress};
use crate::description::{self as written, Description};

/// A network interface.
pub struct Interface {
    pub id: String,
    pub mac: MacAddress,
    pub device_number: u32,
    pub network_card: Option<u32>,
    pub owner_id: String,
    pub addresses: Vec<Address>,
    /// None on an EFA-only interface.
    pub private_dns_name: Option<String>,
    pub public_dns_name: Option<String>,
    pub ipv6_addresses: Vec<Ipv6Addr>,
    pub ipv4_prefixes: Vec<CidrBlock>,
    pub ipv6_prefixes: Vec<CidrBlock>,
    /// Never empty.
    pub groups: Vec<SecurityGroup>,
    pub subnet_id: String,
    pub subnet_ipv4: Option<CidrBlock>,
    pub subnet_ipv6: Vec<CidrBlock>,
    pub vpc_id: String,
    /// Never empty.
    pub vpc_ipv4: Vec<CidrBlock>,
    pub vpc_ipv6: Vec<CidrBlock>,
}

/// A private IPv4 address and the public one associated with it.
#[derive(Clone, Copy)]
pub struct Address {
    pub private: Ipv4Addr,
    pub public: Option<Ipv4Addr>,
}

/// A security group.
pub struct SecurityGroup {
    pub id: String,
    pub name: String,
}

impl Interface {
    /// The first public address.
    pub fn public_ip_address(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|address| address.public)
    }
}

/// More than any instance type has.
const INTERFACES_MAX: usize = 128;

impl Check {
    pub(super) fn interfaces(
        &mut self,
        instance: &Description,
        identity: &Identity<'_>,
        instance_id: &str,
        owner_id: &str,
        region: &Region,
    ) -> Vec<Interface> {
        let default = [written::NetworkInterface::default()];
        let list = if instance.network_interfaces.is_empty() { &default[..] } else { &instance.network_interfaces };
        if list.len() > INTERFACES_MAX {
            self.wrong("/network-interfaces", format!("expected at most {INTERFACES_MAX} network interfaces"));
            return Vec::new();
        }
        self.some_group("/security-groups", instance.security_groups.as_ref());
        let mut interfaces: Vec<Interface> = Vec::new();
        for (index, written) in list.iter().enumerate() {
            self.some_group(&format!("/network-interfaces/{index}/groups"), written.groups.as_ref());
            let addresses = self.addresses(index, written, instance, identity);
            let private_dns_name = private_dns_name(index, written, instance, instance_id, region, &addresses);
            let interface = Interface {
                id: written
                    .network_interface_id
                    .clone()
                    .map_or_else(|| made::resource_id("eni-", &numbered(instance_id, index)), String::from),
                mac: written.mac_address.unwrap_or_else(|| mac_address(instance_id, index)),
                device_number: written.device_index.unwrap_or(index as u32),
                network_card: written.network_card_index,
                owner_id: written.owner_id.clone().map_or_else(|| owner_id.to_owned(), String::from),
                private_dns_name,
                public_dns_name: public_dns_name(index, written, instance, region, &addresses),
                groups: groups(written.groups.as_ref().or(instance.security_groups.as_ref())),
                ipv6_addresses: match identity.ipv6_address {
                    Some(address) if index == 0 && written.ipv6_addresses.is_empty() => vec![address],
                    _ => written.ipv6_addresses.clone(),
                },
                ipv4_prefixes: ipv4(&written.ipv4_prefixes),
                ipv6_prefixes: ipv6(&written.ipv6_prefixes),
                subnet_id: String::new(),
                subnet_ipv4: None,
                subnet_ipv6: Vec::new(),
                vpc_id: match written.vpc_id.as_ref().or(instance.vpc_id.as_ref()) {
                    Some(id) => id.as_str().to_owned(),
                    // An instance is in one VPC.
                    None => {
                        let primary = interfaces.first().map_or(&addresses, |primary| &primary.addresses);
                        identity.vpc_id(primary.first().map(|address| address.private))
                    }
                },
                vpc_ipv4: Vec::new(),
                vpc_ipv6: Vec::new(),
                addresses,
            };
            interfaces.push(interface);
            settle_subnet(&mut interfaces, written, instance, identity);
        }
        settle_vpcs(&mut interfaces, list, identity);
        self.nameless(&interfaces);
        self.given_twice(&interfaces);
        let primary = &interfaces[0];
        if primary.addresses.is_empty() && primary.ipv6_addresses.is_empty() {
            self.wrong("/private-ip-address", "the primary interface has neither an IPv4 nor an IPv6 address");
        }
        interfaces
    }

    fn addresses(
        &mut self,
        index: usize,
        written: &written::NetworkInterface,
        instance: &Description,
        identity: &Identity<'_>,
    ) -> Vec<Address> {
        let primary = index == 0;
        // The public address that the instance's own field gives the first
        // address of the primary interface.
        let public_of_instance = match &instance.public_ip_address {
            Part::Default => Some(identity.public_ip_address(instance.start_count)),
            Part::Absent => None,
            Part::Given(address) => Some(*address),
        };
        let Some(list) = &written.private_ip_addresses else {
            let private = match (primary, &instance.private_ip_address) {
                (false, _) => return Vec::new(),
                (true, Part::Default) => identity.private_ip_address,
                (true, Part::Given(address)) => *address,
                (true, Part::Absent) => {
                    if instance.public_ip_address.given().is_some() {
                        self.wrong("/public-ip-address", "there is no private IPv4 address to associate it with");
                    }
                    return Vec::new();
                }
            };
            return vec![Address { private, public: public_of_instance }];
        };
        if primary {
            let at = |field: &str| format!("/network-interfaces/0/{field}");
            let first = list.first();
            match &instance.private_ip_address {
                Part::Default => {}
                Part::Absent if first.is_none() => {}
                Part::Given(stated) if first.is_some_and(|first| first.private_ip_address == *stated) => {}
                Part::Absent | Part::Given(_) => self.wrong(
                    at("private-ip-addresses"),
                    "the first address here is not what the instance's `private-ip-address` says",
                ),
            }
            if let (Some(of_instance), Some(of_interface)) =
                (instance.public_ip_address.given(), first.and_then(|first| first.public_ip.given()))
                && of_instance != of_interface
            {
                let message = "this is not what the instance's `public-ip-address` says";
                self.wrong(at("private-ip-addresses/0/public-ip"), message);
            }
        }
        let address = |(place, address): (usize, &written::PrivateIpAddress)| Address {
            private: address.private_ip_address,
            public: match &address.public_ip {
                Part::Given(public) => Some(*public),
                Part::Absent => None,
                Part::Default if primary && place == 0 => public_of_instance,
                Part::Default => None,
            },
        };
        list.iter().enumerate().map(address).collect()
    }

    /// Tells a list of security groups that has none.
    fn some_group(&mut self, pointer: &str, groups: Option<&Vec<written::SecurityGroup>>) {
        if groups.is_some_and(Vec::is_empty) {
            let problem = Problem::at(pointer, "expected at least one security group, as every interface has");
            self.problems.push(problem.help("leave the field out for its default"));
        }
    }

    /// Tells a missing host name where there is an address, which has one: it
    /// is EFA-only interfaces that have neither.
    fn nameless(&mut self, interfaces: &[Interface]) {
        for (index, interface) in interfaces.iter().enumerate() {
            let has_address = !interface.addresses.is_empty() || !interface.ipv6_addresses.is_empty();
            let has_prefix = !interface.ipv4_prefixes.is_empty() || !interface.ipv6_prefixes.is_empty();
            if interface.private_dns_name.is_none() && (has_address || has_prefix) {
                let message = "only an interface without addresses lacks a private host name";
                self.wrong(format!("/network-interfaces/{index}/private-dns-name"), message);
            }
        }
    }

    /// Tells what only one interface can have.
    fn given_twice(&mut self, interfaces: &[Interface]) {
        let mut seen = BTreeSet::new();
        for (index, interface) in interfaces.iter().enumerate() {
            let card = interface.network_card.unwrap_or(0);
            let private = interface.addresses.iter().map(|address| address.private);
            let values = [
                ("mac-address", vec![interface.mac.to_string()]),
                ("network-interface-id", vec![interface.id.clone()]),
                ("device-index", vec![format!("{card} {}", interface.device_number)]),
                ("private-ip-addresses", texts(private)),
                ("ipv6-addresses", texts(interface.ipv6_addresses.iter())),
            ];
            for (field, values) in values {
                for value in values {
                    if !seen.insert((field, value)) {
                        let message = "this is given twice, and only one interface can have it";
                        self.wrong(format!("/network-interfaces/{index}/{field}"), message);
                    }
                }
            }
        }
    }
}

fn texts<T: fmt::Display>(values: impl Iterator<Item = T>) -> Vec<String> {
    values.map(|value| value.to_string()).collect()
}

/// What ids of the interfaces are made from.
fn numbered(instance_id: &str, index: usize) -> String {
    if index == 0 { instance_id.to_owned() } else { format!("{instance_id} {index}") }
}

fn private_dns_name(
    index: usize,
    written: &written::NetworkInterface,
    instance: &Description,
    instance_id: &str,
    region: &Region,
    addresses: &[Address],
) -> Option<String> {
    let of_instance = instance.private_dns_name.as_ref().filter(|_| index == 0);
    let stated = match &written.private_dns_name {
        Part::Absent => return None,
        Part::Given(name) => Some(name),
        Part::Default => of_instance,
    };
    if let Some(name) = stated {
        return Some(name.as_str().to_owned());
    }
    let by_address = instance.private_dns_name_options.hostname_type == written::HostnameType::IpName;
    Some(match addresses.first() {
        Some(first) if by_address => region.private_dns_name(&dashed("ip", first.private)),
        // Where there is no IPv4 address, EC2 names by the resource.
        _ => region.private_dns_name(instance_id),
    })
}

fn public_dns_name(
    index: usize,
    written: &written::NetworkInterface,
    instance: &Description,
    region: &Region,
    addresses: &[Address],
) -> Option<String> {
    let name = match (&written.public_dns_name, &instance.public_dns_name) {
        (Part::Default, of_instance) if index == 0 => of_instance,
        (of_interface, _) => of_interface,
    };
    match name {
        Part::Given(name) => Some(name.as_str().to_owned()),
        Part::Absent => None,
        Part::Default => {
            addresses.iter().find_map(|address| address.public).map(|public| region.public_dns_name(public))
        }
    }
}

fn groups(written: Option<&Vec<written::SecurityGroup>>) -> Vec<SecurityGroup> {
    let default = vec![written::SecurityGroup::default()];
    let group = |written: &written::SecurityGroup| {
        let name = written.group_name.clone().map_or_else(|| "default".into(), String::from);
        let id = written.group_id.clone().map_or_else(|| made::resource_id("sg-", &name), String::from);
        SecurityGroup { id, name }
    };
    written.unwrap_or(&default).iter().map(group).collect()
}

/// Gives the last interface its subnet. One that is not stated is that of the
/// primary interface if the address lies in it, else one of its own.
fn settle_subnet(
    interfaces: &mut [Interface],
    written: &written::NetworkInterface,
    instance: &Description,
    identity: &Identity<'_>,
) {
    let Some((last, before)) = interfaces.split_last_mut() else {
        return;
    };
    let address = last.addresses.first().map(|address| IpAddr::from(address.private));
    let ipv6_address = last.ipv6_addresses.first().map(|address| IpAddr::from(*address));
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
    last.subnet_ipv6 = match (&written.subnet_ipv6_cidr_blocks, same) {
        (Some(blocks), _) => ipv6(blocks),
        (None, Some(same)) if !same.subnet_ipv6.is_empty() => same.subnet_ipv6.clone(),
        (None, _) => ipv6_address.map(|address| CidrBlock::around(address, 64)).into_iter().collect(),
    };
}

/// Gives each VPC its blocks: those stated on any of its interfaces, or what
/// its addresses need.
fn settle_vpcs(interfaces: &mut [Interface], list: &[written::NetworkInterface], identity: &Identity<'_>) {
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
                vpc_ipv4.push(CidrBlock::around(identity.private_ip_address.into(), 16));
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

fn ipv4(blocks: &[Ipv4Block]) -> Vec<CidrBlock> {
    blocks.iter().map(|block| block.0).collect()
}

fn ipv6(blocks: &[Ipv6Block]) -> Vec<CidrBlock> {
    blocks.iter().map(|block| block.0).collect()
}

fn add(blocks: &mut Vec<CidrBlock>, block: CidrBlock) {
    if !blocks.contains(&block) {
        blocks.push(block);
    }
}

/// A locally administered address, as EC2 gives them.
fn mac_address(instance_id: &str, index: usize) -> MacAddress {
    let [a, b, c, d, e, ..] = made::bytes(instance_id, &format!("mac {index}"));
    MacAddress([0x0a, a, b, c, d, e])
}
