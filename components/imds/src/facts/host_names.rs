//! The host names of network interfaces.

use super::Check;
use super::network::{Address, Interface};
use super::place::{Region, dashed};
use crate::description::part::Part;
use crate::description::{self as written, Description};

impl Check {
    /// Tells a missing host name where there is an address, which has one: it
    /// is EFA-only interfaces that have neither.
    pub(super) fn nameless(&mut self, interfaces: &[Interface]) {
        for (index, interface) in interfaces.iter().enumerate() {
            let has_address = !interface.addresses.is_empty() || !interface.ipv6_addresses.is_empty();
            let has_prefix = !interface.ipv4_prefixes.is_empty() || !interface.ipv6_prefixes.is_empty();
            if interface.private_dns_name.is_none() && (has_address || has_prefix) {
                let message = "only an interface without addresses lacks a private host name";
                self.wrong(format!("/network-interfaces/{index}/private-dns-name"), message);
            }
        }
    }
}

/// The private host name, if the interface has one.
pub(super) fn private_dns_name(
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
    let label = match addresses.first() {
        Some(first) if by_address => dashed("ip", first.private),
        // Where there is no IPv4 address, EC2 names by the resource.
        _ => instance_id.to_owned(),
    };
    Some(match &instance.vpc.dhcp_options.domain_name {
        // Several domains, separated by spaces, stand behind the label as they
        // are (aws/aws-parallelcluster-cookbook#1127).
        Part::Given(domain) => format!("{label}.{}", domain.as_str()),
        Part::Absent => label,
        Part::Default => region.private_dns_name(&label),
    })
}

/// The public host name. An interface with a public address always has one; it
/// is empty where the VPC has no DNS host names (recorded).
pub(super) fn public_dns_name(
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
    let public = addresses.iter().find_map(|address| address.public);
    match name {
        Part::Given(name) => Some(name.as_str().to_owned()),
        Part::Default if instance.vpc.enable_dns_hostnames.unwrap_or(true) => {
            public.map(|public| region.public_dns_name(public))
        }
        Part::Default | Part::Absent => public.map(|_| String::new()),
    }
}
