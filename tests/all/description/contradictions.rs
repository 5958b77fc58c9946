//! Parts that no instance has together, and parts that none lacks.

use super::*;

#[test]
fn what_no_instance_has_is_refused_and_not_computed() {
    let list = |field: &str, item: &str, count: usize| {
        let items = vec![item; count].join(",");
        problems(&format!(r#"{{"{field}": [{items}]}}"#)).into_iter().map(|problem| problem.message).next()
    };
    let too_many = Some("expected at most 1024 entries, found 100000".to_owned());
    assert_eq!(list("network-interfaces", "{}", 100_000), too_many);
    assert_eq!(list("billing-products", "\"\"", 100_000), too_many);
    assert!(list("network-interfaces", "{}", 1000).is_some());
    let deep = format!("meta-data{}", "/x".repeat(100_000));
    assert!(!problems(&format!(r#"{{"extra-entries": {{"{deep}": ""}}}}"#)).is_empty());
    assert!(!problems(&"[".repeat(1_000_000)).is_empty());
}

#[test]
fn what_contradicts_is_an_error() {
    assert_problem(
        r#"{"placement": {"availability-zone": "us-west-2b", "region": "eu-west-1"}}"#,
        "/placement/region",
        "the zone us-west-2b is not in the region eu-west-1",
        Some("leave `region` out: it follows from the zone"),
    );
    assert_problem(
        r#"{"spot-interruption": {"time": "2026-10-01T00:00:00Z"}}"#,
        "/spot-interruption",
        "only a spot instance has this",
        Some("set `instance-lifecycle` to \"spot\""),
    );
    assert_problem(
        r#"{"user-data": "a", "user-data-base64": "Yg=="}"#,
        "/user-data-base64",
        "expected user data once, as `user-data` or as `user-data-base64`",
        None,
    );
}

#[test]
fn credentials_are_given_whole_or_not_at_all() {
    let with = |fields: &str| problems(&format!(r#"{{"iam-instance-profile": {{"credentials": {{{fields}}}}}}}"#));
    assert_eq!(with(r#""expiration": "2026-10-01T00:00:00Z""#), []);
    assert_eq!(with(r#""access-key-id": "ASIA", "secret-access-key": "x", "session-token": "y""#), []);
    assert_eq!(
        with(r#""access-key-id": "ASIA", "secret-access-key": "x""#)[0].message,
        "field `session-token` is missing here"
    );
}

#[test]
fn addresses_that_contradict_are_an_error() {
    for (json, field) in [
        (r#""private-ip-address": false"#, "/private-ip-address"),
        (r#""private-ip-address": false, "public-ip-address": "192.0.2.1""#, "/public-ip-address"),
        (
            r#""private-ip-address": "10.0.0.1", "network-interfaces": [{"private-ip-addresses": [{"private-ip-address": "10.0.0.2"}]}]"#,
            "/network-interfaces/0/private-ip-addresses",
        ),
        (r#""network-interfaces": [{}, {"device-index": 0}]"#, "/network-interfaces/1/device-index"),
        (
            r#""network-interfaces": [{}, {"private-ip-addresses": [{"private-ip-address": "10.0.0.10"}]}]"#,
            "/network-interfaces/1/private-ip-addresses",
        ),
    ] {
        let problems = problems(&format!("{{{json}}}"));
        assert_eq!(problems.first().map(|problem| problem.field.as_str()), Some(field), "{json}");
    }
}

#[test]
fn only_an_interface_without_addresses_lacks_a_host_name() {
    let with = |fields: &str| {
        let problems = problems(&format!(r#"{{"network-interfaces": [{{}}, {{"private-dns-name": false{fields}}}]}}"#));
        problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(with(""), [""; 0]);
    for fields in [
        r#", "private-ip-addresses": [{"private-ip-address": "10.0.0.11"}]"#,
        r#", "ipv6-addresses": ["2001:db8::1"]"#,
        r#", "ipv4-prefixes": ["10.0.1.16/28"]"#,
        r#", "ipv6-prefixes": ["2001:db8:1::/80"]"#,
    ] {
        assert_eq!(with(fields), ["/network-interfaces/1/private-dns-name"], "{fields}");
    }
    // The primary interface has the instance's address.
    assert_problem(
        r#"{"network-interfaces": [{"private-dns-name": false}]}"#,
        "/network-interfaces/0/private-dns-name",
        "only an interface without addresses lacks a private host name",
        None,
    );
}

#[test]
fn an_interface_has_a_security_group() {
    for (json, field) in [
        (r#"{"security-groups": []}"#, "/security-groups"),
        (r#"{"network-interfaces": [{}, {"groups": []}]}"#, "/network-interfaces/1/groups"),
    ] {
        let message = "expected at least one security group, as every interface has";
        assert_problem(json, field, message, Some("leave the field out for its default"));
    }
}

#[test]
fn a_tag_key_must_fit_a_path_only_where_tags_are_shown() {
    let with = |option: &str| {
        problems(&format!(
            r#"{{"tags": {{"a/b": "x", "has space": "y"}}, "metadata-options": {{"instance-metadata-tags": "{option}"}}}}"#
        ))
    };
    assert_eq!(with("disabled"), []);
    let fields: Vec<String> = with("enabled").into_iter().map(|problem| problem.field).collect();
    assert_eq!(fields, ["/tags/a~1b", "/tags/has space"]);
}
