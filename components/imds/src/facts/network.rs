//! Network interfaces: addresses, names, subnet and VPC.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::place::{Region, dashed};
use super::{Check, made};
use crate::description as written;
use crate::description::Description;
use crate::description::part::Part;
use crate::description::value::{CidrBlock, MacAddress};

/// A network interface.
#[derive(Clone, Debug)]
pub struct Interface {
    pub id: String,
    pub mac: MacAddress,
    pub device_number: u32,
    pub network_card: Option<u32>,
    pub owner_id: String,
    pub addresses: Vec<Address>,
    /// None where there is no address to make one of.
    pub private_dns_name: Option<String>,
    pub public_dns_name: Option<String>,
    pub ipv6_addresses: Vec<Ipv6Addr>,
    pub ipv4_prefixes: Vec<CidrBlock>,
    pub ipv6_prefixes: Vec<CidrBlock>,
    pub groups: Vec<SecurityGroup>,
    pub subnet_id: String,
    pub subnet_ipv4: Option<CidrBlock>,
    pub subnet_ipv6: Vec<CidrBlock>,
    pub vpc_id: String,
    pub vpc_ipv4: Vec<CidrBlock>,
    pub vpc_ipv6: Vec<CidrBlock>,
}

/// A private IPv4 address and the public one associated with it.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    pub private: Ipv4Addr,
    pub public: Option<Ipv4Addr>,
}

/// A security group.
#[derive(Clone, Debug)]
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

const PRIVATE_IP_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const PUBLIC_IP_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 25);

impl Check {
    /// The interfaces, the primary one first. The fields that EC2's API has
    /// both on the instance and on its primary interface count for the latter
    /// unless it states its own.
    pub(super) fn interfaces(
        &mut self,
        instance: &Description,
        instance_id: &str,
        owner_id: &str,
        region: &Region,
    ) -> Vec<Interface> {
        let default = [written::NetworkInterface::default()];
        let list = if instance.network_interfaces.is_empty() { &default[..] } else { &instance.network_interfaces };
        let mut interfaces: Vec<Interface> = Vec::new();
        for (index, interface) in list.iter().enumerate() {
            let interface = self.interface(index, interface, instance, instance_id, owner_id, region);
            if interfaces.iter().any(|other| other.mac == interface.mac) {
                self.wrong(format!("/network-interfaces/{index}/mac-address"), "this address is given twice");
            }
            interfaces.push(interface);
        }
        interfaces
    }

    fn interface(
        &mut self,
        index: usize,
        interface: &written::NetworkInterface,
        instance: &Description,
        instance_id: &str,
        owner_id: &str,
        region: &Region,
    ) -> Interface {
        let at = |field: &str| format!("/network-interfaces/{index}/{field}");
        let primary = index == 0;
        let addresses = self.addresses(index, interface, instance);
        let first = addresses.first().map(|address| address.private);
        let first_ipv6 = interface.ipv6_addresses.first().copied();
        let public = addresses.iter().find_map(|address| address.public);
        let by_id = instance.private_dns_name_options.hostname_type == written::HostnameType::ResourceName;
        let label = match first {
            Some(address) if !by_id => Some(dashed("ip", address)),
            _ if primary => Some(instance_id.to_owned()),
            _ => None,
        };
        let private_dns_name = match (&interface.private_dns_name, &instance.private_dns_name) {
            (Some(name), _) => self.line(&at("private-dns-name"), Some(name.clone())),
            (None, Some(name)) if primary => self.line("/private-dns-name", Some(name.clone())),
            _ => label.map(|label| region.private_dns_name(&label)),
        };
        let public_dns_name = match (&interface.public_dns_name, &instance.public_dns_name) {
            (Part::Default, of_instance) if primary => of_instance,
            (of_interface, _) => of_interface,
        };
        let public_dns_name = match public_dns_name {
            Part::Given(name) => self.line("/public-dns-name", Some(name.clone())),
            Part::Absent => None,
            Part::Default => public.map(|address| region.public_dns_name(address)),
        };
        let subnet_id = interface.subnet_id.as_ref().or(instance.subnet_id.as_ref()).cloned();
        let vpc_id = interface.vpc_id.as_ref().or(instance.vpc_id.as_ref()).cloned();
        Interface {
            id: self.id(&at("network-interface-id"), "eni-", interface.network_interface_id.clone(), || match index {
                0 => made::resource_id("eni-", instance_id),
                _ => made::resource_id("eni-", &format!("{instance_id} {index}")),
            }),
            mac: interface.mac_address.unwrap_or_else(|| mac_address(instance_id, index)),
            device_number: interface.device_index.unwrap_or(index as u32),
            network_card: interface.network_card_index,
            owner_id: self.account(&at("owner-id"), interface.owner_id.clone(), owner_id),
            private_dns_name,
            public_dns_name,
            groups: self.groups(index, interface.groups.as_ref(), instance.security_groups.as_ref()),
            subnet_id: self.id(&at("subnet-id"), "subnet-", subnet_id, || "subnet-0123456789abcdef0".into()),
            subnet_ipv4: interface.subnet_ipv4_cidr_block.or_else(|| Some(around(first?.into(), 24))),
            subnet_ipv6: interface
                .subnet_ipv6_cidr_blocks
                .clone()
                .unwrap_or_else(|| first_ipv6.map(|address| around(address.into(), 64)).into_iter().collect()),
            vpc_id: self.id(&at("vpc-id"), "vpc-", vpc_id, || "vpc-0123456789abcdef0".into()),
            vpc_ipv4: interface
                .vpc_ipv4_cidr_blocks
                .clone()
                .unwrap_or_else(|| first.map(|address| around(address.into(), 16)).into_iter().collect()),
            vpc_ipv6: interface
                .vpc_ipv6_cidr_blocks
                .clone()
                .unwrap_or_else(|| first_ipv6.map(|address| around(address.into(), 56)).into_iter().collect()),
            ipv6_addresses: interface.ipv6_addresses.clone(),
            ipv4_prefixes: interface.ipv4_prefixes.clone(),
            ipv6_prefixes: interface.ipv6_prefixes.clone(),
            addresses,
        }
    }

    fn addresses(
        &mut self,
        index: usize,
        interface: &written::NetworkInterface,
        instance: &Description,
    ) -> Vec<Address> {
        let primary = index == 0;
        let of_instance = || match &instance.private_ip_address {
            Part::Default => Some(PRIVATE_IP_ADDRESS),
            Part::Absent => None,
            Part::Given(address) => Some(*address),
        };
        let public = |first: bool, part: &Part<Ipv4Addr>| match (part, &instance.public_ip_address) {
            (Part::Given(address), _) => Some(*address),
            (Part::Absent, _) => None,
            (Part::Default, _) if !(primary && first) => None,
            (Part::Default, Part::Given(address)) => Some(*address),
            (Part::Default, Part::Absent) => None,
            (Part::Default, Part::Default) => Some(PUBLIC_IP_ADDRESS),
        };
        let Some(list) = &interface.private_ip_addresses else {
            let address = if primary { of_instance() } else { None };
            return address
                .map(|private| Address { private, public: public(true, &Part::Default) })
                .into_iter()
                .collect();
        };
        let stated = instance.private_ip_address.given();
        if primary && stated.is_some_and(|stated| list.first().is_none_or(|first| first.private_ip_address != *stated))
        {
            let pointer = format!("/network-interfaces/{index}/private-ip-addresses");
            self.wrong(pointer, "the first address here is not the instance's `private-ip-address`");
        }
        list.iter()
            .enumerate()
            .map(|(place, address)| Address {
                private: address.private_ip_address,
                public: public(place == 0, &address.public_ip),
            })
            .collect()
    }

    fn groups(
        &mut self,
        index: usize,
        of_interface: Option<&Vec<written::SecurityGroup>>,
        of_instance: Option<&Vec<written::SecurityGroup>>,
    ) -> Vec<SecurityGroup> {
        let default = vec![written::SecurityGroup::default()];
        let (pointer, groups) = match (of_interface, of_instance) {
            (Some(groups), _) => (format!("/network-interfaces/{index}/groups"), groups),
            (None, Some(groups)) => ("/security-groups".to_owned(), groups),
            (None, None) => (String::new(), &default),
        };
        let mut complete = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            let name = self.line(&format!("{pointer}/{place}/group-name"), group.group_name.clone());
            let name = name.unwrap_or_else(|| "default".into());
            let id = self.id(&format!("{pointer}/{place}/group-id"), "sg-", group.group_id.clone(), || {
                made::resource_id("sg-", &name)
            });
            complete.push(SecurityGroup { id, name });
        }
        complete
    }
}

/// A locally administered address, as EC2 gives them.
fn mac_address(instance_id: &str, index: usize) -> MacAddress {
    let [a, b, c, d, e, ..] = made::bytes(instance_id, &format!("mac {index}"));
    MacAddress([0x0a, a, b, c, d, e])
}

/// The block of `prefix_length` bits in which an address lies.
fn around(address: IpAddr, prefix_length: u8) -> CidrBlock {
    let address = match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - prefix_length))).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix_length))).into(),
    };
    CidrBlock { address, prefix_length }
}
