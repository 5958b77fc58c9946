//! What the rules call plausible gets no warning: what ships, and networks as EC2
//! makes them.

use core::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use imds_host::{Description, Runtime, Scenario};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::case::tests_directory;

/// 2026-10-01T00:00:00Z.
const START_MS: u64 = 1_790_812_800_000;

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(START_MS)
}

#[track_caller]
fn assert_plausible(mut description: Description, now: SystemTime) {
    description.start_at(now);
    let warnings = Runtime::new().and_then(|runtime| runtime.warnings(&description, now)).expect("it is valid");
    assert!(warnings.list.is_empty(), "{warnings}");
}

#[test]
fn what_ships_is_plausible() {
    assert_plausible(Description::default(), start());
    for scenario in Scenario::all() {
        for now in [start(), start() + Duration::from_secs(1 << 30)] {
            assert_plausible(scenario.description(), now);
        }
    }
}

#[test]
fn what_imds_new_prints_is_plausible() {
    let path = tests_directory().join("../host/src/new.toml");
    assert_plausible(Description::read(path).expect("it is a description"), start());
}

#[test]
fn the_instances_of_the_tests_say_what_is_not_plausible_about_them() {
    for file in std::fs::read_dir(tests_directory().join("instances")).expect("they are there") {
        let path = file.expect("it can be listed").path();
        // Whatever day it is.
        let description = Description::read(&path).expect("it is a description");
        assert_plausible(description, start() + Duration::from_secs(1 << 30));
    }
}

/// What the prose shows is what a reader copies.
#[test]
fn the_examples_of_the_readme_are_plausible() {
    let readme = std::fs::read_to_string(tests_directory().join("../README.md")).expect("it is text");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    // Spin's own configuration is no description.
    let blocks: Vec<&str> = blocks.filter(|block| !block.starts_with("[key_value_store")).collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        assert_plausible(Description::from_toml("README.md", block).expect("it is TOML"), start());
    }
}

/// A VPC with subnets, and interfaces with addresses in them.
fn network() -> impl Strategy<Value = Value> {
    let interface = (0..8_u32, 4..250_u32, any::<bool>(), any::<bool>());
    (any::<bool>(), 16..=20_u8, prop::collection::vec(interface, 1..6)).prop_map(|(in_ten, vpc_bits, interfaces)| {
        let vpc = if in_ten { Ipv4Addr::new(10, 64, 0, 0) } else { Ipv4Addr::new(172, 20, 0, 0) };
        let at = |offset: u32| Ipv4Addr::from_bits(vpc.to_bits() + offset);
        let mut interfaces: Vec<_> = interfaces.into_iter().enumerate().collect();
        // An address is given once.
        interfaces.sort_by_key(|(_, (subnet, host, ..))| (*subnet, *host));
        interfaces.dedup_by_key(|(_, (subnet, host, ..))| (*subnet, *host));
        let interfaces: Vec<Value> = interfaces
            .into_iter()
            .map(|(index, (subnet, host, states_subnet, has_ipv6))| {
                let mut interface = json!({
                    "mac-address": format!("0a:00:00:00:00:{index:02x}"),
                    "subnet-id": format!("subnet-{subnet:017x}"),
                    "private-ip-addresses": [{ "private-ip-address": at((subnet << 8) + host) }],
                    "vpc-ipv4-cidr-blocks": [format!("{vpc}/{vpc_bits}")],
                });
                if states_subnet {
                    interface["subnet-ipv4-cidr-block"] = json!(format!("{}/24", at(subnet << 8)));
                }
                if has_ipv6 {
                    interface["ipv6-addresses"] = json!([format!("2001:db8:0:{subnet:x}::{host:x}")]);
                    interface["ipv6-prefixes"] = json!([format!("2001:db8:0:{subnet:x}:{:x}::/80", index + 1)]);
                }
                interface
            })
            .collect();
        json!({ "network-interfaces": interfaces })
    })
}

proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_network_as_ec2_makes_it_is_plausible(network in network()) {
        prop_assert_eq!(imds_core::warnings(&network.to_string(), START_MS), Ok(Vec::new()));
    }

    #[test]
    fn any_valid_description_is_judged_at_any_time(toml in crate::crawl::descriptions(), now_ms in any::<u64>()) {
        let json = Description::from_toml("a description", &toml).expect("it is TOML").to_json();
        let warnings = imds_core::warnings(&json, now_ms).expect("it is valid");
        prop_assert!(warnings.len() < 50, "{:?}", warnings);
        prop_assert!(warnings.iter().all(|warning| !warning.problem.message.is_empty()));
    }

    #[test]
    fn an_address_moved_out_of_its_subnet_is_not(network in network(), far in 1..200_u8) {
        let mut network = network;
        network["network-interfaces"][0]["subnet-ipv4-cidr-block"] = json!(format!("192.0.{far}.0/24"));
        let warnings = imds_core::warnings(&network.to_string(), START_MS).expect("it is valid");
        prop_assert!(warnings.iter().any(|warning| warning.name == "address-outside-subnet"), "{:?}", warnings);
    }
}
