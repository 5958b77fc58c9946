//! `meta-data/network/interfaces/macs/`: one folder for each interface.

use std::collections::BTreeMap;

use super::Shelf;
use crate::facts::{Facts, Interface};

pub fn put(shelf: &mut Shelf, facts: &Facts) {
    for interface in facts.interfaces.iter() {
        put_interface(shelf, interface);
    }
}

fn put_interface(shelf: &mut Shelf, interface: &Interface) {
    let folder = format!("meta-data/network/interfaces/macs/{}", interface.mac);
    let at = |name: &str| format!("{folder}/{name}");
    shelf.text(&at("device-number"), "2011-01-01", interface.device_number);
    shelf.text(&at("interface-id"), "2011-01-01", &interface.id);
    let mut associations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for address in &interface.addresses {
        if let Some(public) = address.public {
            associations.entry(public.to_string()).or_default().push(address.private.to_string());
        }
    }
    for (public, private) in &associations {
        shelf.lines(&at(&format!("ipv4-associations/{public}")), "2011-01-01", private);
    }
    // UNRECORDED: the versions that first show delegated prefixes.
    for (name, prefixes) in [("ipv4-prefix", &interface.ipv4_prefixes), ("ipv6-prefix", &interface.ipv6_prefixes)] {
        if !prefixes.is_empty() {
            let lines: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
            shelf.latest(&at(name), lines.join("\n"));
        }
    }
    shelf.lines(&at("ipv6s"), "2016-06-30", &interface.ipv6_addresses);
    shelf.optional(&at("local-hostname"), "2011-01-01", interface.private_dns_name.as_ref());
    let private = interface.addresses.iter().map(|address| address.private);
    shelf.lines(&at("local-ipv4s"), "2011-01-01", private);
    shelf.text(&at("mac"), "2011-01-01", interface.mac);
    shelf.optional(&at("network-card"), "2020-11-01", interface.network_card);
    shelf.text(&at("owner-id"), "2011-01-01", &interface.owner_id);
    shelf.optional(&at("public-hostname"), "2011-01-01", interface.public_dns_name.as_ref());
    let public = interface.addresses.iter().filter_map(|address| address.public);
    shelf.lines(&at("public-ipv4s"), "2011-01-01", public);
    shelf.lines(&at("security-group-ids"), "2011-01-01", interface.groups.iter().map(|group| &group.id));
    shelf.lines(&at("security-groups"), "2011-01-01", interface.groups.iter().map(|group| &group.name));
    shelf.text(&at("subnet-id"), "2011-01-01", &interface.subnet_id);
    shelf.optional(&at("subnet-ipv4-cidr-block"), "2011-01-01", interface.subnet_ipv4);
    shelf.lines(&at("subnet-ipv6-cidr-blocks"), "2016-06-30", &interface.subnet_ipv6);
    shelf.text(&at("vpc-id"), "2011-01-01", &interface.vpc_id);
    shelf.optional(&at("vpc-ipv4-cidr-block"), "2011-01-01", interface.vpc_ipv4.first());
    shelf.lines(&at("vpc-ipv4-cidr-blocks"), "2016-06-30", &interface.vpc_ipv4);
    shelf.lines(&at("vpc-ipv6-cidr-blocks"), "2016-06-30", &interface.vpc_ipv6);
}
