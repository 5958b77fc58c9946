//! Network interfaces: addresses and groups. Host names, subnets and VPCs have files of their own.
//!
//! The fields that EC2's API has both on the instance and on its primary
//! interface count for the latter unless it states its own. What is not stated
//! agrees with what is: one subnet has one block, one VPC the same blocks on
//! every interface.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeSet;

use super::host_names::{private_dns_name, public_dns_name};
use super::identity::Identity;
use super::place::Region;
use super::vpc::{ipv4, ipv6, settle_ipv6_subnets, settle_subnet, settle_vpcs};
use super::{Check, made};
use crate::description::ipv6::EightGroups;
use crate::description::part::Part;
use crate::description::problem::Problem;
use crate::description::value::{CidrBlock, MacAddress};
use crate::description::{self as written, Description};

/// A network interface.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Interface {
    pub id: String,
    pub mac: MacAddress,
    pub device_number: u32,
    pub network_card: Option<u32>,
    pub owner_id: String,
    pub addresses: Vec<Address>,
    /// None on an EFA-only interface.
    pub private_dns_name: Option<String>,
    /// Empty where there is a public address and no DNS host names.
    pub public_dns_name: Option<String>,
    pub ipv6_addresses: Vec<EightGroups>,
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
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Address {
    pub private: Ipv4Addr,
    pub public: Option<Ipv4Addr>,
}

/// A security group.
#[cfg_attr(test, derive(Debug, PartialEq))]
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
                    Some(address) if index == 0 && written.ipv6_addresses.is_empty() => vec![EightGroups(address)],
                    _ => written.ipv6_addresses.iter().copied().map(EightGroups).collect(),
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
        settle_ipv6_subnets(&mut interfaces, list);
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

    /// Tells what only one interface can have.
    fn given_twice(&mut self, interfaces: &[Interface]) {
        let (mut macs, mut ids, mut devices) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut addresses: BTreeSet<IpAddr> = BTreeSet::new();
        for (index, interface) in interfaces.iter().enumerate() {
            let card = interface.network_card.unwrap_or(0);
            let private = interface.addresses.iter().map(|address| address.private.into());
            let ipv6 = interface.ipv6_addresses.iter().map(|address| address.0.into());
            let given = [
                ("mac-address", usize::from(!macs.insert(interface.mac.0))),
                ("network-interface-id", usize::from(!ids.insert(&interface.id))),
                ("device-index", usize::from(!devices.insert((card, interface.device_number)))),
                ("private-ip-addresses", private.filter(|address| !addresses.insert(*address)).count()),
                ("ipv6-addresses", ipv6.filter(|address| !addresses.insert(*address)).count()),
            ];
            for (field, times) in given {
                for _ in 0..times {
                    let message = "this is given twice, and only one interface can have it";
                    self.wrong(format!("/network-interfaces/{index}/{field}"), message);
                }
            }
        }
    }
}

/// What ids of the interfaces are made from.
fn numbered(instance_id: &str, index: usize) -> String {
    if index == 0 { instance_id.to_owned() } else { format!("{instance_id} {index}") }
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

/// A locally administered address, as EC2 gives them.
fn mac_address(instance_id: &str, index: usize) -> MacAddress {
    let [a, b, c, d, e, ..] = made::bytes(instance_id, &format!("mac {index}"));
    MacAddress([0x0a, a, b, c, d, e])
}
