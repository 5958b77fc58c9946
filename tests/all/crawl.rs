//! The crawl guarantee: what a listing shows answers, and nothing else does.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::heads::field_name;
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
    // What no target can have is escaped, as clients do.
    let escaped = |target: String, byte: u8| match byte {
        0..=b' ' | 0x7f => target.replace(char::from(byte), &format!("%{byte:02X}")),
        _ => target,
    };
    let target = target.bytes().fold(target.to_owned(), escaped);
    way.answer(&Sent::get(&target), *now_ms)
}

/// Follows every listing of a version as cloud-init does, and gives all paths
/// of items. Panics where a name that is listed does not answer.
fn crawl(way: &mut At, folder: &str, items: &mut BTreeSet<String>) {
    let listing = get(way, folder);
    assert_eq!(listing.status, 200, "{folder}");
    let text = String::from_utf8(listing.body).expect("a listing is text");
    assert!(!text.ends_with('\n') && !text.is_empty(), "{folder} lists {text:?}");
    let mut before = "";
    for name in text.split(ends_a_line).map(str::trim) {
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

/// Where Python's `splitlines`, with which cloud-init reads a listing, parts
/// lines.
fn ends_a_line(c: char) -> bool {
    "\n\r\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}".contains(c)
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

/// Names that stand in listings, legal ones and such as no listing can show.
fn name() -> impl Strategy<Value = String> {
    let odd = [
        "web",
        "a b",
        " a",
        "a ",
        ".",
        "..",
        "",
        "_index",
        "latest",
        "meta-data",
        "é",
        "a%41",
        "a?b",
        "a#b",
        "a=b",
        "0=x",
        "7=",
        "a/b",
        "a//b",
        "/a",
        "a/",
        "a-b",
        "+=,.@_-",
        "\u{2028}",
        "a\u{85}b",
        "a\nb",
        "\u{feff}",
        "\\",
        "\"",
    ];
    prop_oneof![
        4 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        4 => "[0-9A-Za-z+=,.@_:-]{1,12}",
        1 => "[ -~]{0,8}",
        1 => "\\PC{0,4}",
        1 => prop::sample::select(vec![64_usize, 128, 129, 255, 256, 512, 70_000]).prop_map(|length| "n".repeat(length)),
    ]
}

/// Paths of extra entries: over, beside, below and above what is there.
fn entry_path() -> impl Strategy<Value = String> {
    let version = prop::sample::select(vec!["", "", "latest/", "2009-04-04/", "2026-04-15/", "1.0/"]);
    let known = [
        "meta-data",
        "dynamic",
        "instance-identity",
        "document",
        "iam",
        "info",
        "security-credentials",
        "public-keys",
        "0",
        "openssh-key",
        "tags",
        "tag-sets",
        "instance",
        "spot",
        "events",
        "mac",
        "mac-x",
        "network",
        "network-b",
        "placement",
    ];
    let segment = prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => name()];
    (version, prop::sample::select(vec!["meta-data", "dynamic"]), prop::collection::vec(segment, 1..4))
        .prop_map(|(version, top, names)| format!("{version}{top}/{}", names.join("/")))
}

/// A map of up to `most` texts, mostly few of them.
fn texts(names: impl Strategy<Value = String> + 'static, most: usize) -> impl Strategy<Value = Value> {
    let few = prop::collection::btree_map(names, "[ -~]{0,4}", 0..4).prop_map(|texts| json!(texts));
    let numbered = move |count| (0..count).map(|number| (format!("n{number}"), json!("x"))).collect();
    let many = prop::sample::select(vec![most, most + 1]).prop_map(move |count| Value::Object(numbered(count)));
    prop_oneof![9 => few, 1 => many]
}

/// As many entries of a list as it may have, or one more.
fn list(most: usize, entry: fn(usize) -> Value) -> impl Strategy<Value = Value> {
    prop::sample::select(vec![1, 2, most, most + 1]).prop_map(move |count| (0..count).map(entry).collect())
}

/// A field of a description with names that an operator chose, or a list at its
/// limit.
fn field() -> impl Strategy<Value = Value> {
    let account = "arn:aws:iam::123456789012:instance-profile/";
    let arn = (prop::collection::vec(name(), 0..3), name()).prop_map(move |(path, name)| {
        format!("{account}{}{name}", path.iter().map(|part| format!("{part}/")).collect::<String>())
    });
    let arn = (arn, prop::option::of(name()), prop::option::of(name())).prop_map(|(arn, name, role)| {
        let mut profile = json!({ "arn": arn });
        profile.as_object_mut().expect("an object").extend(name.map(|name| ("name".to_owned(), json!(name))));
        profile.as_object_mut().expect("an object").extend(role.map(|role| ("role-name".to_owned(), json!(role))));
        json!({ "iam-instance-profile": profile })
    });
    let shown = |tags| json!({ "metadata-options": { "instance-metadata-tags": "enabled" }, "tags": tags });
    let interface = |number: usize| {
        json!({ "private-ip-addresses": [{
            "private-ip-address": format!("10.0.{}.{}", number / 200, 10 + number % 200),
            "public-ip": format!("203.0.{}.{}", number / 200, 10 + number % 200),
        }], "ipv6-addresses": [format!("2001:db8::{number:x}")] })
    };
    let alone = |field: &'static str| move |value: Value| json!({ field: value });
    prop_oneof![
        2 => arn,
        1 => name().prop_map(|name| json!({ "iam-instance-profile": { "role-name": name } })),
        1 => name().prop_map(|name| json!({ "key-pair": { "key-name": name } })),
        2 => texts(name(), 50).prop_map(shown),
        2 => texts(name(), 1024).prop_map(|users| json!({ "managed-ssh-keys": { "active-keys": users } })),
        1 => texts(name(), 1024).prop_map(|digests| json!({ "managed-ssh-keys": { "signer-ocsp": digests } })),
        4 => texts(entry_path(), 1024).prop_map(alone("extra-entries")),
        1 => prop::collection::vec(name(), 0..3)
            .prop_map(|ids| ids.iter().map(|id| json!({ "elastic-gpu-id": id })).collect())
            .prop_map(alone("elastic-gpu-associations")),
        1 => prop::collection::vec(name(), 0..3)
            .prop_map(|ids| ids.iter().map(|id| json!({ "elastic-inference-accelerator-id": id })).collect())
            .prop_map(alone("elastic-inference-accelerator-associations")),
        1 => prop::collection::vec(name(), 1..3)
            .prop_map(|names| names.iter().map(|name| json!({ "group-name": name })).collect())
            .prop_map(alone("security-groups")),
        1 => list(128, interface).prop_map(alone("network-interfaces")),
        1 => list(128, |_| json!({ "not-before": "2026-10-01T00:00:00Z" })).prop_map(alone("events")),
        1 => list(128, |number| json!({ "device-name": "/dev/sdf", "virtual-name": format!("ephemeral{number}") }))
            .prop_map(alone("block-device-mappings")),
        1 => list(1024, |number| json!({ "product-code-id": number.to_string() })).prop_map(alone("product-codes")),
        1 => list(1024, |number| json!(format!("ami-{number}"))).prop_map(alone("ancestor-ami-ids")),
        1 => (name(), any::<bool>()).prop_map(|(domain, names)| {
            json!({ "vpc": { "enable-dns-hostnames": names, "dhcp-options": { "domain-name": domain } } })
        }),
    ]
}

/// Descriptions made of some such fields; many are wrong.
fn odd_descriptions() -> impl Strategy<Value = String> {
    prop::collection::vec(field(), 1..4).prop_map(|fields| {
        let mut description = json!({});
        for field in fields {
            description.as_object_mut().expect("an object").extend(field.as_object().expect("an object").clone());
        }
        description.to_string()
    })
}

/// A byte of a value, seldom one that no value has.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![20 => b' '..=b'~', 1 => any::<u8>()]
}

/// 64 cases of each, or as many as `PROPTEST_CASES` says.
fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_instance_can_be_crawled(toml in descriptions(), version in 0..31_usize, now_ms in times()) {
        let mut way = At(Native::open(&toml), now_ms);
        let version = versions(&mut way)[version].clone();
        crawl(&mut way, &format!("/{version}/"), &mut BTreeSet::new());
    }

    #[test]
    fn a_description_is_refused_or_all_that_it_lists_answers(
        json in odd_descriptions(),
        version in prop_oneof![Just(30), 0..31_usize],
        now_ms in times(),
    ) {
        match Native::open_json(&json) {
            Ok(native) => {
                let mut way = At(native, now_ms);
                let version = versions(&mut way)[version].clone();
                crawl(&mut way, &format!("/{version}/"), &mut BTreeSet::new());
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    #[test]
    fn any_request_has_one_of_the_documented_answers(
        method in "(GET|HEAD|PUT|POST|OPTIONS|[a-zA-Z]{0,8})",
        target in "(/|http://)?(latest|1\\.0|2021-03-23|[ -~]{0,6}|é)?(/|//|/\\./|/\\.\\./|%2f|%)?(api/token|meta-data/[ -~]{0,12}|[ -~]{0,20})",
        fields in prop::collection::vec((field_name(), prop::collection::vec(byte(), 0..80)), 0..4),
        now_ms in any::<u64>(),
    ) {
        let mut way = Native::open("");
        let sent = Sent { method: method.clone(), target: target.into_bytes(), fields };
        let received = way.answer(&sent, now_ms);
        prop_assert!([200, 400, 401, 403, 404, 405].contains(&received.status), "{}", received.status);
        let length = received.fields.iter().find(|(name, _)| name == "Content-Length").map(|(_, value)| value.clone());
        if method != "HEAD" {
            prop_assert_eq!(length, Some(received.body.len().to_string()));
        }
    }
}
