//! Values of the wrong kind or form: what the right ones are.

use super::*;

#[test]
fn an_id_in_upper_case_gets_the_one_in_lower_case() {
    assert_problem(
        r#"{"instance-id": "i-0ABC123"}"#,
        "/instance-id",
        "expected an id that begins with `i-`, such as i-0123456789abcdef0",
        Some("did you mean \"i-0abc123\"? EC2 writes ids in lower case"),
    );
    assert_problem(
        r#"{"vpc-id": "VPC-12345678"}"#,
        "/vpc-id",
        "expected an id that begins with `vpc-`, such as vpc-0123456789abcdef0",
        Some("did you mean \"vpc-12345678\"? EC2 writes ids in lower case"),
    );
}

#[test]
fn tags_as_a_list_of_pairs_are_told_how_to_write_them() {
    for (tags, found, name) in [
        (r#"[{"Key": "Role", "Value": "x"}]"#, "an array", "Role"),
        (r#"[{"key": "Role", "value": "x"}]"#, "an array", "Role"),
        (r#"["Name=x"]"#, "an array", "Name"),
        (r#""Name=x""#, "a string", "Name"),
    ] {
        let message = format!("expected an object, found {found}");
        let help = format!("write each name with its text: {{ \"{name}\": \"…\" }}, in TOML {{ {name} = \"…\" }}");
        assert_problem(&format!(r#"{{"tags": {tags}}}"#), "/tags", &message, Some(&help));
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_not_repeated() {
    assert_problem(
        r#"{"iam-instance-profile": {"credentials": {"session-token": 12345}}}"#,
        "/iam-instance-profile/credentials/session-token",
        "expected a string, found a whole number",
        Some("write it in quotes"),
    );
}

#[test]
fn null_is_no_value() {
    assert_problem(
        r#"{"key-pair": null}"#,
        "/key-pair",
        "expected an object, found null",
        Some("write `false` where there is none"),
    );
}

#[test]
fn false_stands_only_for_parts_that_may_lack() {
    for part in ["key-pair", "iam-instance-profile", "public-ip-address", "public-dns-name", "user-data"] {
        assert_eq!(problems(&format!(r#"{{"{part}": false}}"#)), [], "{part}");
    }
    assert_problem(r#"{"instance-id": false}"#, "/instance-id", "expected a string, found a boolean", None);
}

#[test]
fn what_is_no_description_at_all_is_told() {
    let help = Some("a description is an object of fields; `{}` is the default instance");
    for (json, kind) in [("[{}]", "an array"), ("null", "null"), ("\"x\"", "a string")] {
        assert_problem(json, "", &format!("expected an object, found {kind}"), help);
    }
}

#[test]
fn a_value_of_the_wrong_form_is_told_what_the_right_one_is() {
    for (json, message) in [
        (r#""private-ip-address": "10.0.0.300""#, "expected an IPv4 address such as 10.0.0.10"),
        (r#""public-ip-address": "2001:db8::1""#, "expected an IPv4 address such as 10.0.0.10"),
        (r#""network-interfaces": [{"ipv6-addresses": ["x"]}]"#, "expected an IPv6 address such as 2001:db8::10"),
        (
            r#""network-interfaces": [{"subnet-ipv4-cidr-block": "2001:db8::/64"}]"#,
            "expected a block of IPv4 addresses with its first address, such as 10.0.0.0/16",
        ),
        (
            r#""network-interfaces": [{"subnet-ipv4-cidr-block": "10.0.0.10/24"}]"#,
            "expected a block of IPv4 addresses with its first address, such as 10.0.0.0/16",
        ),
        (
            r#""network-interfaces": [{"ipv6-prefixes": ["10.0.0.0/16"]}]"#,
            "expected a block of IPv6 addresses with its first address, such as 2001:db8::/56",
        ),
        (r#""metadata-options": {"http-put-response-hop-limit": -1}"#, "expected a whole number from 1 to 64"),
        (r#""metadata-options": {"http-put-response-hop-limit": "1"}"#, "expected a whole number from 1 to 64"),
        (r#""ami-launch-index": 1.0"#, "expected a whole number, found a decimal number"),
        (r#""ami-launch-index": 99999999999999999999"#, "expected a whole number, found a number too large"),
    ] {
        let problems = problems(&format!("{{{json}}}"));
        assert_eq!(problems.first().map(|problem| problem.message.as_str()), Some(message), "{json}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_gets_advice() {
    for (json, help) in [
        (r#""ami-launch-index": "1""#, "write it without quotes"),
        (r#""hibernation-options": {"configured": "true"}"#, "write it without quotes"),
        (r#""security-groups": "default""#, "write it in brackets: [\"…\"]"),
        (r#""security-groups": ["default"]"#, "its fields: group-id, group-name"),
        (r#""monitoring": true"#, "known: disabled, enabled"),
        (r#""public-ip-address": """#, "write `false` where there is none"),
    ] {
        let problems = problems(&format!("{{{json}}}"));
        assert_eq!(problems.first().and_then(|problem| problem.help.as_deref()), Some(help), "{json}");
    }
}

#[test]
fn the_name_in_an_arn_is_checked_like_one_that_is_stated() {
    let expected = "expected a name of IAM: 1 to 128 letters, digits and + = , . @ _ -";
    let long = "x".repeat(129);
    for wrong in ["a b", "..", "", "path/", "path/a%41", "é", "a?b", &long] {
        let json =
            format!(r#"{{"iam-instance-profile": {{"arn": "arn:aws:iam::123456789012:instance-profile/{wrong}"}}}}"#);
        let problems = problems(&json);
        let at: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(at, ["/iam-instance-profile/arn"], "{wrong}");
        // One without any name at its end is no ARN of a profile at all.
        assert!(wrong.is_empty() || problems[0].message.ends_with(expected), "{wrong}: {:?}", problems[0]);
    }
    // A role of another name makes it no better.
    assert_problem(
        r#"{"iam-instance-profile": {"role-name": "web", "arn": "arn:aws:iam::123456789012:instance-profile/a b"}}"#,
        "/iam-instance-profile/arn",
        &format!("the name at its end, `a b`, is wrong: {expected}"),
        None,
    );
}

#[test]
fn user_data_has_the_limit_of_ec2() {
    let of_length = |length: usize| problems(&format!(r#"{{"user-data": "{}"}}"#, "x".repeat(length)));
    assert_eq!(of_length(16_384), []);
    assert_eq!(of_length(16_385)[0].message, "expected at most 16384 bytes of user data, found 16385");
}

#[test]
fn a_wrong_value_is_not_told_as_missing_too() {
    assert_problem(
        r#"{"block-device-mappings": [{"device-name": 3}]}"#,
        "/block-device-mappings/0/device-name",
        "expected a string, found a whole number",
        Some("write it in quotes"),
    );
}
