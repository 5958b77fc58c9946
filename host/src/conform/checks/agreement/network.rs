//! Interfaces, addresses and blocks.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::super::crawl::{Entry, Tree};
use super::super::super::judge::{CAPTURE, shown};
use super::super::super::{Check, Evidence, Stop, Subject, forms, items, not_applicable};
use super::{agree, compared, is_told, of_case};

const MACS: &str = "meta-data/network/interfaces/macs";

pub const CHECKS: &[Check] = &[
    of_case("network-second-interface-has-its-own-folder", primary_interface),
    agree(
        "interface-has-the-mac-of-its-folder",
        Evidence::Recorded,
        "The item `mac` of an interface is the name of the interface's folder.",
        CAPTURE,
        |subject| {
            let mut found = false;
            for folder in interfaces(subject.latest()?) {
                let path = format!("{}/mac", folder.path);
                found |= is_told(subject, &path, folder.name(), "the name of the folder")?;
            }
            compared(found)
        },
    ),
    agree(
        "items-of-the-instance-are-those-of-its-primary-interface",
        Evidence::Recorded,
        "The instance has the address and the security groups of its primary interface.",
        CAPTURE,
        items_of_primary,
    ),
    agree(
        "vpc-block-is-among-those-of-the-vpc",
        Evidence::Recorded,
        "`vpc-ipv4-cidr-block` is one of `vpc-ipv4-cidr-blocks`.",
        CAPTURE,
        |subject| {
            each_pair(subject, "vpc-ipv4-cidr-block", "vpc-ipv4-cidr-blocks", |block, blocks| {
                blocks.split('\n').any(|other| other == block)
            })
        },
    ),
    agree(
        "subnet-has-the-addresses-of-its-interfaces",
        Evidence::Documented,
        "The addresses of an interface are in the blocks of its subnet.",
        "Amazon VPC user guide, \"Subnets for your VPC\"",
        |subject| {
            let in_v4 = each_pair(subject, "local-ipv4s", "subnet-ipv4-cidr-block", |addresses, block| {
                addresses.split('\n').all(|address| has_v4(block, address))
            });
            let in_v6 = each_pair(subject, "ipv6s", "subnet-ipv6-cidr-blocks", |addresses, blocks| {
                addresses.split('\n').all(|address| blocks.split('\n').any(|block| has_v6(block, address)))
            });
            either(in_v4, in_v6)
        },
    ),
    agree(
        "vpc-has-the-blocks-of-its-subnets",
        Evidence::Documented,
        "The blocks of a subnet are in the blocks of its VPC.",
        "Amazon VPC user guide, \"Subnets for your VPC\"",
        |subject| {
            let in_v4 = each_pair(subject, "subnet-ipv4-cidr-block", "vpc-ipv4-cidr-blocks", |block, blocks| {
                blocks.split('\n').any(|vpc| is_v4_in(block, vpc))
            });
            let in_v6 = each_pair(subject, "subnet-ipv6-cidr-blocks", "vpc-ipv6-cidr-blocks", |blocks, of_vpc| {
                blocks.split('\n').all(|block| of_vpc.split('\n').any(|vpc| is_v6_in(block, vpc)))
            });
            either(in_v4, in_v6)
        },
    ),
    agree(
        "public-address-is-told-alike",
        Evidence::Documented,
        "`public-ipv4` is one of the public addresses of the primary interface, with the same public name.",
        "EC2 user guide, \"Instance metadata categories\"",
        public_address,
    ),
    agree(
        "public-name-is-made-of-the-address",
        Evidence::Documented,
        "The public name is empty, or `ec2-` and the address in the region's domain.",
        "Amazon VPC user guide, \"DNS attributes for your VPC\"",
        public_name,
    ),
    of_case("public-name-is-missing-without-a-public-address", |subject| {
        let latest = subject.latest()?;
        if !latest.is_whole || latest.find("meta-data").is_none() {
            return not_applicable("not all of latest was seen");
        }
        if latest.find("meta-data/public-ipv4").is_some() {
            return not_applicable("the instance has a public address");
        }
        subject.is_not_found(subject.get("/latest/meta-data/public-hostname")?).map(|_| ())
    }),
    agree(
        "addresses-are-associated-with-those-of-the-interface",
        Evidence::Documented,
        "`ipv4-associations/` maps each public address of an interface to private addresses of that interface.",
        "EC2 user guide, \"Instance metadata categories\"",
        associations,
    ),
];

/// The folders of interfaces.
fn interfaces(tree: &Tree) -> impl Iterator<Item = &Entry> {
    tree.folders().filter(|folder| items::matches("meta-data/network/interfaces/macs/*", &folder.path))
}

/// An item of an interface.
fn item<'t>(tree: &'t Tree, interface: &Entry, name: &str) -> Option<&'t Entry> {
    tree.find(&format!("{}/{name}", interface.path))
}

/// Compares two items of each interface.
fn each_pair(subject: &Subject<'_>, first: &str, second: &str, fits: impl Fn(&str, &str) -> bool) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let mut found = false;
    for interface in interfaces(latest) {
        let (Some(one), Some(other)) = (item(latest, interface, first), item(latest, interface, second)) else {
            continue;
        };
        found = true;
        let (told, of) = (one.text(), other.text());
        if !fits(&told, &of) {
            return Err(one.asked.broken(format!("what is in {second}, {}", shown(&of)), shown(&told)));
        }
    }
    compared(found)
}

/// Both results if both apply, otherwise the one that does.
fn either(one: Result<(), Stop>, other: Result<(), Stop>) -> Result<(), Stop> {
    match (one, other) {
        (Err(Stop::NotApplicable(_)), other) => other,
        (one, Err(Stop::NotApplicable(_))) => one,
        (one, other) => one.and(other),
    }
}

fn has_v4(block: &str, address: &str) -> bool {
    let address = forms::ipv4(address);
    let of = forms::ipv4_block(block).zip(address);
    of.is_some_and(|((first, length), address): ((Ipv4Addr, u32), Ipv4Addr)| {
        forms::ipv4_prefix(address, length) == u32::from(first)
    })
}

fn is_v4_in(block: &str, of: &str) -> bool {
    let length = |block| forms::ipv4_block(block).map(|(_, length)| length);
    let first = block.split('/').next().unwrap_or_default();
    length(block).zip(length(of)).is_some_and(|(inner, outer)| inner >= outer) && has_v4(of, first)
}

fn has_v6(block: &str, address: &str) -> bool {
    let of = forms::ipv6_block(block).zip(address.parse::<Ipv6Addr>().ok());
    of.is_some_and(|((first, length), address)| forms::ipv6_prefix(address, length) == u128::from(first))
}

fn is_v6_in(block: &str, of: &str) -> bool {
    let length = |block| forms::ipv6_block(block).map(|(_, length)| length);
    let first = block.split('/').next().unwrap_or_default();
    length(block).zip(length(of)).is_some_and(|(inner, outer)| inner >= outer) && has_v6(of, first)
}

/// The interface that `mac` names.
fn primary<'t>(subject: &'t Subject<'_>) -> Result<&'t Entry, Stop> {
    let latest = subject.latest()?;
    let Some(mac) = latest.find("meta-data/mac") else { return not_applicable("there is no `mac`") };
    if latest.find(MACS).is_none() {
        return not_applicable("the endpoint has no folders of interfaces");
    }
    let text = mac.text();
    match interfaces(latest).find(|folder| folder.name() == text) {
        Some(folder) => Ok(folder),
        None => Err(mac.asked.broken("the MAC of an interface that is listed", shown(&text))),
    }
}

fn primary_interface(subject: &Subject<'_>) -> Result<(), Stop> {
    let interface = primary(subject)?;
    is_told(subject, &format!("{}/device-number", interface.path), "0", "the place of the primary interface")
        .map(|_| ())
}

fn items_of_primary(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let interface = primary(subject)?;
    let mut found = false;
    for (name, of_instance) in
        [("local-ipv4s", "local-ipv4"), ("ipv6s", "ipv6"), ("security-groups", "security-groups")]
    {
        let Some(entry) = item(latest, interface, name) else { continue };
        let text = entry.text();
        let expected = if name == of_instance { &*text } else { text.split('\n').next().unwrap_or_default() };
        let origin = format!("`{name}` of the primary interface");
        found |= is_told(subject, &format!("meta-data/{of_instance}"), expected, &origin)?;
    }
    compared(found)
}

fn public_address(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let Some(address) = latest.find("meta-data/public-ipv4") else {
        return not_applicable("the instance has no public address");
    };
    let interface = primary(subject)?;
    let text = address.text();
    let mut found = false;
    if let Some(addresses) = item(latest, interface, "public-ipv4s") {
        found = true;
        if !addresses.text().split('\n').any(|other| other == text) {
            let expected = format!("{} among others", shown(&text));
            return Err(addresses.asked.broken(expected, shown(&addresses.text())));
        }
    }
    if let Some(name) = item(latest, interface, "public-hostname") {
        let origin = "`public-hostname` of the primary interface";
        found |= is_told(subject, "meta-data/public-hostname", &name.text(), origin)?;
    }
    compared(found)
}

fn public_name(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let (Some(address), Some(name)) = (latest.find("meta-data/public-ipv4"), latest.find("meta-data/public-hostname"))
    else {
        return not_applicable("the instance has no public address and name");
    };
    let expected = format!("ec2-{}.", address.text().replace('.', "-"));
    let text = name.text();
    let Some(domain) = text.strip_prefix(&expected) else {
        // Without DNS host names in the VPC.
        return if text.is_empty() {
            Ok(())
        } else {
            Err(name.asked.broken(format!("a name that begins with {}", shown(&expected)), shown(&text)))
        };
    };
    let Some(region) = subject.item("meta-data/placement/region")? else { return Ok(()) };
    let is_good = match region.as_str() {
        "us-east-1" => domain == "compute-1.amazonaws.com",
        region => domain.strip_prefix(region).is_some_and(|rest| rest.starts_with(".compute.")),
    };
    if is_good { Ok(()) } else { Err(name.asked.broken("the domain of the region behind the address", shown(&text))) }
}

fn associations(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let mut found = false;
    for interface in interfaces(latest) {
        let (Some(folder), Some(public)) =
            (item(latest, interface, "ipv4-associations"), item(latest, interface, "public-ipv4s"))
        else {
            continue;
        };
        found = true;
        let text = public.text();
        let (mut listed, mut addresses) = (folder.names(), text.split('\n').collect::<Vec<_>>());
        listed.sort_unstable();
        addresses.sort_unstable();
        if listed != addresses {
            return Err(folder.asked.broken(shown(&addresses.join(", ")), shown(&listed.join(", "))));
        }
        let private = item(latest, interface, "local-ipv4s").map(|entry| entry.text().into_owned()).unwrap_or_default();
        for name in listed {
            let Some(entry) = latest.find(&format!("{}/{name}", folder.path)) else { continue };
            let told = entry.text();
            if !told.split('\n').all(|address| private.split('\n').any(|other| other == address)) {
                return Err(entry.asked.broken("private addresses of the interface", shown(&told)));
            }
        }
    }
    compared(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_addresses_and_blocks_in_them() {
        assert!(has_v4("10.0.0.0/24", "10.0.0.255") && !has_v4("10.0.0.0/24", "10.0.1.0") && !has_v4("x", "10.0.1.0"));
        assert!(is_v4_in("10.0.1.0/24", "10.0.0.0/16") && !is_v4_in("10.0.0.0/16", "10.0.0.0/24"));
        assert!(has_v6("2001:db8:0:0:0:0:0:0/64", "2001:db8::1") && !has_v6("2001:db8:0:0:0:0:0:0/64", "2001:db9::1"));
        assert!(is_v6_in("2001:db8:0:1:0:0:0:0/64", "2001:db8:0:0:0:0:0:0/56"));
    }
}
