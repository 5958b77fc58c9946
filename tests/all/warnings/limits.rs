//! Every field that a rule is about is looked at, and no description takes long.

use std::fmt::Write as _;

use imds_core::warnings;
use serde_json::{Value, json};

const NOW_MS: u64 = 1_790_800_000_000;

/// All places of a description that hold an id of EC2's, with its prefix, by the
/// schema that is made from its types.
fn ids(schema: &Value, at: &Value, pointer: String, found: &mut Vec<(String, String)>) {
    if let Some(prefix) = at["pattern"].as_str().and_then(|pattern| pattern.strip_suffix("[0-9a-z-]+$")) {
        found.push((pointer, prefix.trim_start_matches('^').to_owned()));
        return;
    }
    if let Some(reference) = at["$ref"].as_str() {
        let resolved = schema.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference}"));
        return ids(schema, resolved, pointer, found);
    }
    for choice in ["anyOf", "allOf", "oneOf"].iter().filter_map(|name| at[name].as_array()).flatten() {
        ids(schema, choice, pointer.clone(), found);
    }
    for (name, field) in at["properties"].as_object().into_iter().flatten() {
        ids(schema, field, format!("{pointer}/{name}"), found);
    }
    if at["items"].is_object() {
        ids(schema, &at["items"], format!("{pointer}/0"), found);
    }
}

#[test]
fn every_id_of_a_description_has_to_have_its_form() {
    let schema: Value = serde_json::from_str(imds_core::schema()).expect("the schema is JSON");
    let mut found = Vec::new();
    let mut description = schema.clone();
    description["properties"].as_object_mut().expect("a description has fields").remove("timeline");
    ids(&schema, &description, String::new(), &mut found);
    assert!(found.len() >= 14, "{found:?}");
    for (pointer, prefix) in found {
        let steps = pointer.rsplit('/').take_while(|step| !step.is_empty());
        let document = steps.fold(json!(format!("{prefix}wrong")), |inner, step| match step {
            "0" => json!([inner]),
            // What an event needs.
            "instance-event-id" => json!({ step: inner, "not-before": "2026-12-01T00:00:00Z" }),
            step => json!({ step: inner }),
        });
        let warnings = warnings(&document.to_string(), NOW_MS).unwrap_or_else(|wrong| panic!("{document}: {wrong:?}"));
        let about = warnings.iter().any(|warning| warning.name == "id-form" && warning.problem.field == pointer);
        assert!(about, "{pointer}: {warnings:?}");
    }
}

/// A list of so many texts.
fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    let mut list = String::from("[");
    for number in 0..count {
        let comma = if number > 0 { "," } else { "" };
        write!(list, "{comma}{}", item(number)).expect("a string takes all");
    }
    list + "]"
}

/// More than the file of a description has room for.
const ENTRIES: usize = 256;
/// With 128 interfaces as many of each kind as all may have together.
const OF_AN_INTERFACE: usize = 8;

/// All that is wrong at once, in as many entries as there may be: it must end,
/// which it would not soon if anything were compared with everything.
#[test]
fn a_description_at_all_limits_is_judged() {
    let interface = |index: usize| {
        let addresses = list(OF_AN_INTERFACE, |place| {
            format!(r#"{{"private-ip-address": "10.{index}.{}.{}"}}"#, place / 256, place % 256)
        });
        let ipv6 = list(OF_AN_INTERFACE, |place| format!(r#""2001:db8:{index:x}::{place:x}""#));
        let blocks = list(OF_AN_INTERFACE, |place| format!(r#""2001:db8:{index:x}:{:x}::/64""#, place + 1));
        let prefixes = list(OF_AN_INTERFACE, |place| format!(r#""10.{index}.{}.{}/28""#, place / 16, place % 16 * 16));
        format!(
            r#"{{"private-ip-addresses": {addresses}, "ipv6-addresses": {ipv6}, "subnet-ipv6-cidr-blocks": {blocks},
                "vpc-ipv6-cidr-blocks": {blocks}, "ipv4-prefixes": {prefixes},
                "subnet-id": "subnet-{index:017x}", "mac-address": "01:00:00:00:00:{index:02x}"}}"#
        )
    };
    let fault = |index: usize| {
        let paths = list(ENTRIES, |place| format!(r#""/latest/meta-data/{index}/{place}""#));
        format!(
            r#"{{"kind": "refuse", "paths": {paths}, "methods": {}}}"#,
            list(ENTRIES, |place| format!(r#""M{}""#, "X".repeat(place % 9)))
        )
    };
    let groups = list(OF_AN_INTERFACE, |_| r#"{"group-id": "sg-1"}"#.to_owned());
    let description = format!(
        r#"{{"network-interfaces": {}, "faults": {}, "security-groups": {groups}}}"#,
        list(128, interface),
        list(64, fault)
    );
    let found = warnings(&description, NOW_MS).expect("it is valid");
    assert!((10..200).contains(&found.len()), "{}", found.len());
    for name in ["address-outside-subnet", "fault-unknown-method", "id-form", "multicast-mac", "overlapping-blocks"] {
        assert_eq!(found.iter().filter(|warning| warning.name == name).count(), 5, "{name}");
    }
}
