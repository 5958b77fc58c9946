//! How warnings are reported: silenced, bounded, of the change that brings them.

use imds_core::plausibility::RULES;

use super::{assert_warning, of};

#[test]
fn unknown_warning() {
    assert_warning(
        r#"{"allow-warnings": ["tags-not-show"]}"#,
        "unknown-warning",
        "/allow-warnings",
        "no warning has the name `tags-not-show`",
    );
}

#[test]
fn what_is_allowed_is_not_reported() {
    let allowed = r#"{"instance-type": "m77g.large", "tags": {"a": "b"}, "allow-warnings": ["unknown-instance-type"]}"#;
    let names: Vec<&str> = of(allowed).iter().map(|warning| warning.name).collect();
    assert_eq!(names, ["tags-not-shown"]);
}

#[test]
fn what_a_change_brings_is_reported_of_the_change_and_once() {
    assert_warning(
        r#"{"timeline": [
            {"at": "+1m", "state": "stopped"},
            {"at": "+2m", "instance-type": "m77g.large"},
            {"at": "+3m", "state": "running"}]}"#,
        "unknown-instance-type",
        "/timeline/1/instance-type",
        "no family of instance types called `m77g` is known here",
    );
    assert_warning(
        r#"{"instance-type": "m77g.large", "timeline": [{"at": "+1m", "monitoring": "enabled"}]}"#,
        "unknown-instance-type",
        "/instance-type",
        "no family of instance types called `m77g` is known here",
    );
    assert_warning(
        r#"{"timeline": [{"at": "+5d", "faults": [{"kind": "refuse"}, {"kind": "delay"}]}]}"#,
        "fault-shadowed",
        "/timeline/0/faults/1",
        "the fault 0 before it affects all that this one would",
    );
}

#[test]
fn of_one_name_the_first_are_reported_and_the_others_counted() {
    let groups: Vec<String> = (0..100).map(|number| format!(r#"{{"group-id": "sg-{number}"}}"#)).collect();
    let found = of(&format!(r#"{{"security-groups": [{}], "allow-warnings": ["equal-names"]}}"#, groups.join(",")));
    assert_eq!(found.len(), 5);
    assert!(found[4].problem.message.ends_with(" (and 95 more like this)"), "{:?}", found[4]);
}

#[test]
fn every_rule_has_its_test_and_its_words() {
    let tests = [
        include_str!("faults.rs"),
        include_str!("instance.rs"),
        include_str!("network.rs"),
        include_str!("timeline.rs"),
        include_str!("reported.rs"),
    ]
    .concat();
    for rule in RULES {
        assert!(tests.contains(&format!("\nfn {}()", rule.name.replace('-', "_"))), "{} has no test", rule.name);
        assert!(!rule.what.ends_with('.') && !rule.why.ends_with('.') && !rule.what.is_empty(), "{rule:?}");
    }
    assert!(RULES.is_sorted_by_key(|rule| rule.name), "in the order of names");
}
