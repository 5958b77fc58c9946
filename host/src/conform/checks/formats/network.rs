//! Items of the network.

use super::super::super::judge::{CAPTURE, GUIDE, each, each_entry, each_line, shown};
use super::super::super::{Check, Evidence, Stop, Subject, forms, not_applicable};
use super::{form, of_case};

pub const CHECKS: &[Check] = &[
    form(
        "format-of-macs",
        Evidence::Recorded,
        "MAC addresses are six pairs of lower-case hexadecimal digits with colons between them.",
        CAPTURE,
        |subject| {
            let items = ["meta-data/mac", "meta-data/network/interfaces/macs/*/mac"];
            each(subject, &items, "a MAC in lower case with colons", forms::is_mac)
        },
    ),
    of_case("network-mac-folders-are-lower-case", mac_folders),
    form(
        "format-of-network-ids",
        Evidence::Recorded,
        "Ids of interfaces, subnets, VPCs and security groups are a prefix and hexadecimal digits.",
        CAPTURE,
        |subject| {
            let names =
                [("interface-id", "eni"), ("subnet-id", "subnet"), ("vpc-id", "vpc"), ("security-group-ids", "sg")];
            each_entry(subject, &["meta-data/network/interfaces/macs/*/*"], |entry| {
                let Some((_, prefix)) = names.iter().find(|(name, _)| *name == entry.name()) else { return Ok(()) };
                let text = entry.text();
                if text.split('\n').all(|line| forms::is_id(prefix, line)) {
                    return Ok(());
                }
                Err(entry.asked.broken(format!("{prefix}- and 17 or 8 hexadecimal digits"), shown(&text)))
            })
        },
    ),
    form(
        "format-of-owner-ids",
        Evidence::Recorded,
        "`owner-id` is an account number of 12 digits.",
        CAPTURE,
        |subject| each(subject, &["meta-data/network/interfaces/macs/*/owner-id"], "12 digits", forms::is_account),
    ),
    form(
        "format-of-ipv4-addresses",
        Evidence::Recorded,
        "IPv4 addresses are four decimal numbers with dots between them, one address on each line.",
        CAPTURE,
        |subject| {
            let items = [
                "meta-data/local-ipv4",
                "meta-data/public-ipv4",
                "meta-data/network/interfaces/macs/*/local-ipv4s",
                "meta-data/network/interfaces/macs/*/public-ipv4s",
                "meta-data/network/interfaces/macs/*/ipv4-associations/*",
            ];
            each_line(subject, &items, "an IPv4 address a line", |line| forms::ipv4(line).is_some())
        },
    ),
    form(
        "format-of-ipv4-blocks",
        Evidence::Recorded,
        "IPv4 blocks are an address and a prefix length, and no bit of the address beyond the prefix is set.",
        CAPTURE,
        |subject| {
            let names = ["subnet-ipv4-cidr-block", "vpc-ipv4-cidr-block", "vpc-ipv4-cidr-blocks", "ipv4-prefix"];
            let items = names.map(|name| format!("meta-data/network/interfaces/macs/*/{name}"));
            let is_block = |line: &str| forms::ipv4_block(line).is_some();
            each_line(subject, &items.each_ref().map(String::as_str), "an IPv4 block such as 10.0.0.0/28", is_block)
        },
    ),
    of_case("network-ipv6-blocks-have-eight-groups", |subject| {
        let items = ["subnet-ipv6-cidr-blocks", "vpc-ipv6-cidr-blocks"]
            .map(|name| format!("meta-data/network/interfaces/macs/*/{name}"));
        each_line(subject, &items.each_ref().map(String::as_str), "an IPv6 block in eight groups", |line| {
            let groups = line.split('/').next().unwrap_or_default();
            forms::ipv6_block(line).is_some() && forms::has_eight_groups(groups)
        })
    }),
    form(
        "format-of-ipv6-prefixes",
        Evidence::Documented,
        "Each line of `ipv6-prefix` is an IPv6 block.",
        GUIDE,
        |subject| {
            let items = ["meta-data/network/interfaces/macs/*/ipv6-prefix"];
            each_line(subject, &items, "an IPv6 block", |line| forms::ipv6_block(line).is_some())
        },
    ),
    of_case("ipv6-addresses-have-eight-groups", |subject| {
        let items = ["meta-data/ipv6", "meta-data/network/interfaces/macs/*/ipv6s"];
        each_line(subject, &items, "an IPv6 address in eight groups", forms::has_eight_groups)
    }),
    form(
        "format-of-host-names",
        Evidence::Recorded,
        "Host names are labels of letters, digits and hyphens with dots between them.",
        CAPTURE,
        |subject| {
            let items = [
                "meta-data/hostname",
                "meta-data/local-hostname",
                "meta-data/public-hostname",
                "meta-data/network/interfaces/macs/*/local-hostname",
                "meta-data/network/interfaces/macs/*/public-hostname",
            ];
            each_entry(subject, &items, |entry| {
                let text = entry.text();
                // Without DNS host names in the VPC a public name is empty, and DHCP options
                // may set several domains.
                let is_empty = entry.name() == "public-hostname" && text.is_empty();
                if is_empty || text.split(' ').all(forms::is_host_name) {
                    return Ok(());
                }
                Err(entry.asked.broken("a host name", shown(&text)))
            })
        },
    ),
    form(
        "format-of-security-groups",
        Evidence::Recorded,
        "`security-groups` has one name on each line.",
        CAPTURE,
        |subject| {
            let items = ["meta-data/security-groups", "meta-data/network/interfaces/macs/*/security-groups"];
            let is_name = |line: &str| (1..=255).contains(&line.len()) && !line.contains(|c: char| c.is_control());
            each_line(subject, &items, "a name a line", is_name)
        },
    ),
];

fn mac_folders(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(folder) = subject.latest()?.find("meta-data/network/interfaces/macs") else {
        return not_applicable("the endpoint has no folders of interfaces");
    };
    let is_good = |name: &&str| name.strip_suffix('/').is_some_and(forms::is_mac);
    let names = folder.names();
    match names.iter().find(|name| !is_good(name)) {
        Some(wrong) => Err(folder.asked.broken("a MAC in lower case with colons, and a slash", shown(wrong))),
        None if names.is_empty() => not_applicable("no interface is listed"),
        None => Ok(()),
    }
}
