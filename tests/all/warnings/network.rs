//! Addresses, subnets and VPCs.

use super::{assert_none, assert_warning, of};

#[test]
fn address_outside_subnet() {
    let name = "address-outside-subnet";
    assert_warning(
        r#"{"private-ip-address": "10.0.1.5", "network-interfaces": [{"subnet-ipv4-cidr-block": "10.0.0.0/24"}]}"#,
        name,
        "/private-ip-address",
        "10.0.1.5 is not in the subnet's block 10.0.0.0/24",
    );
    assert_warning(
        r#"{"network-interfaces": [{"private-ip-addresses": [
            {"private-ip-address": "10.0.0.10"}, {"private-ip-address": "10.0.7.10"}]}]}"#,
        name,
        "/network-interfaces/0/private-ip-addresses/1/private-ip-address",
        "10.0.7.10 is not in the subnet's block 10.0.0.0/24",
    );
    assert_warning(
        r#"{"network-interfaces": [{"ipv6-addresses": ["2001:db8::1", "2001:db8:0:1::1"]}]}"#,
        name,
        "/network-interfaces/0/ipv6-addresses/1",
        "2001:db8:0:1::1 is in no IPv6 block of the subnet",
    );
    assert_warning(
        r#"{"network-interfaces": [{"ipv4-prefixes": ["10.0.9.16/28"]}]}"#,
        name,
        "/network-interfaces/0/ipv4-prefixes/0",
        "10.0.9.16/28 is in no block of the subnet",
    );
}

#[test]
fn reserved_address() {
    let with = |address: &str, block: &str| {
        format!(
            r#"{{"private-ip-address": "{address}", "network-interfaces": [{{"subnet-ipv4-cidr-block": "{block}"}}]}}"#
        )
    };
    for address in ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.255"] {
        assert_warning(
            &with(address, "10.0.0.0/24"),
            "reserved-address",
            "/private-ip-address",
            &format!("EC2 keeps {address} for itself in the subnet 10.0.0.0/24"),
        );
    }
    assert_none(&with("10.0.0.4", "10.0.0.0/24"));
    assert_none(&with("10.0.0.254", "10.0.0.0/24"));
    assert_none(&with("10.0.1.1", "10.0.0.0/20"));
    // Its subnet may be larger than the default.
    assert_none(r#"{"private-ip-address": "172.31.20.1"}"#);
}

#[test]
fn address_kind() {
    let name = "address-kind";
    assert_warning(
        r#"{"private-ip-address": "127.0.0.1"}"#,
        name,
        "/private-ip-address",
        "no interface has the private address 127.0.0.1",
    );
    assert_warning(
        r#"{"public-ip-address": "192.168.0.7"}"#,
        name,
        "/public-ip-address",
        "192.168.0.7 is no public address",
    );
    assert_warning(
        r#"{"network-interfaces": [{"ipv6-addresses": ["fe80::1"]}]}"#,
        name,
        "/network-interfaces/0/ipv6-addresses/0",
        "the service shows no such address as fe80::1",
    );
}

#[test]
fn subnet_outside_vpc() {
    let name = "subnet-outside-vpc";
    assert_warning(
        r#"{"network-interfaces": [{"vpc-ipv4-cidr-blocks": ["10.7.0.0/16"]}]}"#,
        name,
        "/network-interfaces/0/vpc-ipv4-cidr-blocks",
        "the subnet's block 10.0.0.0/24 is in no IPv4 block of its VPC, such as 10.7.0.0/16",
    );
    assert_warning(
        r#"{"network-interfaces": [{"ipv6-addresses": ["2001:db8::1"], "vpc-ipv6-cidr-blocks": ["2001:db8:7::/56"]}]}"#,
        name,
        "/network-interfaces/0/vpc-ipv6-cidr-blocks",
        "the subnet's block 2001:db8:0:0:0:0:0:0/64 is in no IPv6 block of its VPC, such as 2001:db8:7:0:0:0:0:0/56",
    );
}

#[test]
fn overlapping_blocks() {
    let name = "overlapping-blocks";
    assert_warning(
        r#"{"network-interfaces": [
            {"subnet-ipv4-cidr-block": "10.0.0.0/20"},
            {"subnet-id": "subnet-0fedcba9876543210", "subnet-ipv4-cidr-block": "10.0.1.0/24",
             "private-ip-addresses": [{"private-ip-address": "10.0.1.10"}]}]}"#,
        name,
        "/network-interfaces/1/subnet-ipv4-cidr-block",
        "the subnet's block 10.0.1.0/24 overlaps 10.0.0.0/20, a block of the subnet subnet-0123456789abcdef0",
    );
    assert_warning(
        r#"{"network-interfaces": [{"vpc-ipv4-cidr-blocks": ["10.0.0.0/16", "10.0.128.0/20"]}]}"#,
        name,
        "/network-interfaces/0/vpc-ipv4-cidr-blocks",
        "the VPC's block 10.0.128.0/20 overlaps its block 10.0.0.0/16",
    );
    assert_warning(
        r#"{"private-ip-address": "10.0.0.20", "network-interfaces": [{"ipv4-prefixes": ["10.0.0.16/28"]}]}"#,
        name,
        "/network-interfaces/0",
        "the address 10.0.0.20 is in the delegated prefix 10.0.0.16/28",
    );
    assert_warning(
        r#"{"network-interfaces": [{"ipv4-prefixes": ["10.0.0.16/28", "10.0.0.16/28"]}]}"#,
        name,
        "/network-interfaces/0/ipv4-prefixes/1",
        "the delegated prefix 10.0.0.16/28 overlaps 10.0.0.16/28",
    );
}

#[test]
fn differing_blocks() {
    assert_warning(
        r#"{"network-interfaces": [
            {"vpc-ipv4-cidr-blocks": ["10.0.0.0/16"]},
            {"vpc-ipv4-cidr-blocks": ["10.0.0.0/20"], "private-ip-addresses": [{"private-ip-address": "10.0.0.11"}]}]}"#,
        "differing-blocks",
        "/network-interfaces/1/vpc-ipv4-cidr-blocks",
        "vpc-0123456789abcdef0 has other blocks at the network interface 0",
    );
    assert_none(
        r#"{"network-interfaces": [
            {"vpc-ipv4-cidr-blocks": ["10.0.0.0/16", "10.1.0.0/16"]},
            {"vpc-ipv4-cidr-blocks": ["10.1.0.0/16", "10.0.0.0/16"],
             "private-ip-addresses": [{"private-ip-address": "10.1.0.11"}]}]}"#,
    );
}

#[test]
fn block_size() {
    assert_warning(
        r#"{"network-interfaces": [{"subnet-ipv4-cidr-block": "10.0.0.0/29", "private-ip-addresses":
            [{"private-ip-address": "10.0.0.4"}]}]}"#,
        "block-size",
        "/network-interfaces/0/subnet-ipv4-cidr-block",
        "EC2 has no such block of the size /29",
    );
    let found = of(
        r#"{"network-interfaces": [{"ipv6-addresses": ["2001:db8::1"], "vpc-ipv6-cidr-blocks": ["2001:db8::/50"]}]}"#,
    );
    assert_eq!(found[0].problem.help.as_deref(), Some("expected /44 to /60, in steps of 4"));
}

#[test]
fn multicast_mac() {
    for (address, message) in [
        ("01:00:5e:00:00:01", "this is the MAC address of a group, not of one interface"),
        ("ff:ff:ff:ff:ff:ff", "this is the MAC address of a group, not of one interface"),
        ("00:00:00:00:00:00", "an interface has no MAC address of zeros"),
    ] {
        assert_warning(
            &format!(r#"{{"network-interfaces": [{{"mac-address": "{address}"}}]}}"#),
            "multicast-mac",
            "/network-interfaces/0/mac-address",
            message,
        );
    }
    assert_none(r#"{"network-interfaces": [{"mac-address": "0e:49:61:0f:c3:11"}]}"#);
}
