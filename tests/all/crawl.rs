//! The crawl guarantee: what a listing shows answers, and nothing else does.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::ways::{Native, Received, Sent, Way};

/// The service at one moment.
struct At(Native, u64);

impl At {
    /// At a time after everything that `tests/instances` foresees.
    fn later(toml: &str) -> At {
        At(Native::open(toml), 1_800_000_000_000)
    }
}

fn get(At(way, now_ms): &mut At, target: &str) -> Received {
    let sent = Sent { method: "GET".into(), target: target.into(), fields: Vec::new() };
    way.answer(&sent, *now_ms)
}

/// Follows every listing of a version as cloud-init does, and gives all paths
/// of items. Panics where a name that is listed does not answer.
fn crawl(way: &mut At, folder: &str, items: &mut BTreeSet<String>) {
    let listing = get(way, folder);
    assert_eq!(listing.status, 200, "{folder}");
    let text = String::from_utf8(listing.body).expect("a listing is text");
    assert!(!text.ends_with('\n') && !text.is_empty(), "{folder} lists {text:?}");
    let mut before = "";
    for name in text.lines() {
        assert!(before < name, "{folder} lists {before:?} before {name:?}");
        before = name;
        let path = match name.split_once('=') {
            // `0=my-key` names the folder 0.
            Some((index, _)) if folder.ends_with("public-keys/") => format!("{folder}{index}/"),
            _ => format!("{folder}{name}"),
        };
        let top = folder.matches('/').count() == 2 && name != "user-data";
        if path.ends_with('/') || top {
            crawl(way, &format!("{}/", path.trim_end_matches('/')), items);
        } else {
            assert_eq!(get(way, &path).status, 200, "{path}");
            items.insert(path);
        }
    }
}

fn versions(way: &mut At) -> Vec<String> {
    let list = String::from_utf8(get(way, "/").body).expect("a listing is text");
    list.lines().map(str::to_owned).collect()
}

#[test]
fn every_name_listed_answers_in_every_version() {
    for toml in [String::new(), full_instance()] {
        let mut way = At::later(&toml);
        for version in versions(&mut way) {
            crawl(&mut way, &format!("/{version}/"), &mut BTreeSet::new());
        }
    }
}

#[test]
fn a_version_shows_what_the_one_before_it_showed() {
    let mut way = At::later(&full_instance());
    let mut before = BTreeSet::new();
    for version in versions(&mut way) {
        let mut items = BTreeSet::new();
        crawl(&mut way, &format!("/{version}/"), &mut items);
        let items: BTreeSet<String> = items.iter().map(|path| path.replacen(&version, "", 1)).collect();
        let gone: Vec<_> = before.difference(&items).collect();
        assert!(gone.is_empty(), "{version} lacks {gone:?}");
        before = items;
    }
}

#[test]
fn an_item_not_listed_does_not_answer() {
    let mut way = At::later(&full_instance());
    let mut latest = BTreeSet::new();
    crawl(&mut way, "/latest/", &mut latest);
    for version in versions(&mut way) {
        let mut items = BTreeSet::new();
        crawl(&mut way, &format!("/{version}/"), &mut items);
        for path in &latest {
            let path = path.replacen("latest", &version, 1);
            let expected = if items.contains(&path) { 200 } else { 404 };
            assert_eq!(get(&mut way, &path).status, expected, "{path}");
            assert_eq!(get(&mut way, &format!("{path}/below")).status, 404, "{path}/below");
        }
    }
}

/// An instance that has everything that an instance can have.
fn full_instance() -> String {
    let path = crate::case::tests_directory().join("instances/everything.toml");
    std::fs::read_to_string(path).expect("tests/instances/everything.toml can be read")
}

/// Descriptions with and without each part that an instance may lack.
pub fn descriptions() -> impl Strategy<Value = String> {
    let addresses = [
        "",
        "public-ip-address = false",
        "private-ip-address = '192.168.7.9'\npublic-ip-address = '198.51.100.7'",
        "private-ip-address = false\nnetwork-interfaces = [{ ipv6-addresses = ['2001:db8::1'] }]",
        "network-interfaces = [{}, { private-dns-name = false }]",
        "network-interfaces = [{}, { private-ip-addresses = [{ private-ip-address = '10.1.0.9' }] }]",
    ];
    let spot = [
        "",
        "instance-lifecycle = 'spot'\nspot-interruption = { time = '2026-10-01T00:02:00Z' }",
        "instance-lifecycle = 'spot'\nspot-interruption = { time = '2026-10-01T00:02:00Z', action = 'stop' }",
        "instance-lifecycle = 'spot'\nrebalance-recommendation = { notice-time = '2026-10-01T00:00:00Z' }",
        "instance-lifecycle = 'capacity-block'\nevents = [{ not-before = '2026-10-01T00:00:00Z' }]",
    ];
    let others = [
        "iam-instance-profile = false",
        "iam-instance-profile = { role-name = false }",
        "key-pair = false",
        "key-pair = { key-name = 'a b' }",
        "metadata-options = { instance-metadata-tags = 'enabled' }",
        "tags = { Name = 'x', a = '', B = '2', 'aws:x' = 'é' }",
        "user-data = '#!/bin/sh'",
        "monitoring = 'enabled'",
        "placement = { region = 'cn-north-1' }",
        "auto-scaling = {}",
        "extra-entries = { 'meta-data/fabric/rack' = '7', 'dynamic/x' = '', 'meta-data/mac' = 'm' }",
        "block-device-mappings = [{ device-name = 'sdf' }, { device-name = 'sdb', virtual-name = 'ephemeral0' }]",
        "managed-ssh-keys = { active-keys = { 'ec2 user' = 'x' } }",
        "launch-time = '2026-10-01T00:00:00Z'",
    ];
    let count = others.len();
    let others = prop::sample::subsequence(others.to_vec(), 0..=count);
    (prop::sample::select(addresses.to_vec()), prop::sample::select(spot.to_vec()), others)
        // One of two alternatives for the same part is enough.
        .prop_map(|(addresses, spot, others)| {
            let mut names = BTreeSet::new();
            let others =
                others.into_iter().filter(|line| names.insert(line.split(' ').next().unwrap_or_default().to_owned()));
            [addresses, spot].into_iter().chain(others).collect::<Vec<_>>().join("\n")
        })
}

/// Times around those in [`descriptions`].
fn times() -> impl Strategy<Value = u64> {
    let midnight = 1_790_812_800_000_u64;
    prop_oneof![Just(0), Just(midnight - 1), Just(midnight), Just(midnight + 119_999), any::<u64>()]
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_instance_can_be_crawled(toml in descriptions(), version in 0..31_usize, now_ms in times()) {
        let mut way = At(Native::open(&toml), now_ms);
        let version = versions(&mut way)[version].clone();
        crawl(&mut way, &format!("/{version}/"), &mut BTreeSet::new());
    }

    #[test]
    fn any_request_has_one_of_the_documented_answers(
        method in "(GET|HEAD|PUT|POST|OPTIONS|[a-zA-Z]{0,8})",
        target in "(/|http://)?(latest|1\\.0|2021-03-23|[ -~]{0,6}|é)?(/|//|/\\./|/\\.\\./|%2f|%)?(api/token|meta-data/[ -~]{0,12}|[ -~]{0,20})",
        fields in prop::collection::vec(("(?i)(host|x-aws-ec2-metadata-token|x-aws-ec2-metadata-token-ttl-seconds|x-forwarded-for)", prop::collection::vec(any::<u8>(), 0..80)), 0..4),
        now_ms in any::<u64>(),
    ) {
        let mut way = Native::open("");
        let sent = Sent { method: method.clone(), target: target.into_bytes(), fields };
        let received = way.answer(&sent, now_ms);
        prop_assert!([200, 400, 401, 403, 404, 405].contains(&received.status));
        let length = received.fields.iter().find(|(name, _)| name == "Content-Length").map(|(_, value)| value.clone());
        if method != "HEAD" {
            prop_assert_eq!(length, Some(received.body.len().to_string()));
        }
    }
}
