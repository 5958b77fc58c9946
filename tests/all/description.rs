//! What an operator is told about a description that is wrong.

use imds_core::Problem;

/// The problems of a description in JSON.
fn problems(json: &str) -> Vec<Problem> {
    let settings = imds_core::Settings { token_secret: vec![7; 32], ..Default::default() };
    imds_core::Instance::open(json, settings).err().unwrap_or_default()
}

#[track_caller]
fn assert_problem(json: &str, field: &str, message: &str, help: Option<&str>) {
    let problems = problems(json);
    let [problem] = &problems[..] else { panic!("{json}: {problems:#?}") };
    assert_eq!((problem.field.as_str(), problem.message.as_str(), problem.help.as_deref()), (field, message, help));
}

#[test]
fn the_empty_description_is_valid() {
    assert_eq!(problems("{}"), []);
}

#[test]
fn a_misspelt_field_gets_a_suggestion() {
    assert_problem(
        r#"{"instnace-type": "t3.micro"}"#,
        "/instnace-type",
        "unknown field `instnace-type`",
        Some("did you mean `instance-type`?"),
    );
    assert_problem(
        r#"{"metadata-options": {"HttpTokens": "required"}}"#,
        "/metadata-options/HttpTokens",
        "unknown field `HttpTokens`",
        Some("did you mean `http-tokens`?"),
    );
}

/// What people call things elsewhere: in EC2's API, cloud-init, Terraform.
#[test]
fn a_field_of_another_name_leads_to_the_right_one() {
    for (name, field) in [
        ("name", "tags.Name"),
        ("Name", "tags.Name"),
        ("region", "placement.region"),
        ("zone", "placement.availability-zone"),
        ("AvailabilityZone", "placement.availability-zone"),
        ("http_tokens", "metadata-options.http-tokens"),
        ("role", "iam-instance-profile.role-name"),
        ("key_name", "key-pair.key-name"),
        ("mac", "network-interfaces[].mac-address"),
    ] {
        let help = format!("this is `{field}` in a description, after EC2's API");
        let message = format!("unknown field `{name}`");
        assert_problem(&format!(r#"{{"{name}": "x"}}"#), &format!("/{name}"), &message, Some(&help));
    }
    for (name, field) in [
        ("type", "instance-type"),
        ("size", "instance-type"),
        ("ami", "image-id"),
        ("hostname", "private-dns-name"),
        ("ip", "private-ip-address"),
        ("public_ip", "public-ip-address"),
        ("profile", "iam-instance-profile"),
        ("sg", "security-groups"),
        ("account", "owner-id"),
        ("volumes", "block-device-mappings"),
        ("script", "user-data"),
    ] {
        let help = format!("did you mean `{field}`?");
        let message = format!("unknown field `{name}`");
        assert_problem(&format!(r#"{{"{name}": "x"}}"#), &format!("/{name}"), &message, Some(&help));
    }
    assert_problem(
        r#"{"security-groups": [{"name": "web"}]}"#,
        "/security-groups/0/name",
        "unknown field `name`",
        Some("did you mean `group-name`?"),
    );
}

#[test]
fn a_field_that_nobody_knows_is_told_where_the_fields_are() {
    assert_problem(
        r#"{"colour": "blue"}"#,
        "/colour",
        "unknown field `colour`",
        Some("all fields are in what `imds new` prints, and in the schema, which `imds schema` prints"),
    );
    assert_problem(
        r#"{"key-pair": {"colour": "blue"}}"#,
        "/key-pair/colour",
        "unknown field `colour`",
        Some("known here: key-name, public-key"),
    );
}

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
fn the_path_of_an_extra_entry_that_is_none_gets_the_right_one() {
    let in_every = |below: &str, path: &str| {
        format!(
            "did you mean `{below}`, in every version? `{path}`, without a slash before it, is in this version only"
        )
    };
    for (path, help) in [
        ("/meta-data/x", "did you mean `meta-data/x`? The path has no slash before or behind it".to_owned()),
        ("meta-data/x/", "did you mean `meta-data/x`? The path has no slash before or behind it".to_owned()),
        ("/latest/meta-data/x", in_every("meta-data/x", "latest/meta-data/x")),
        ("http://169.254.169.254/latest/meta-data/x", in_every("meta-data/x", "latest/meta-data/x")),
        ("/2021-03-23/dynamic/x", in_every("dynamic/x", "2021-03-23/dynamic/x")),
        (
            "2020-01-01/meta-data/x",
            "`2020-01-01` is no version of the service; `meta-data/x` is in every version".to_owned(),
        ),
        ("rack", "did you mean `meta-data/rack`?".to_owned()),
        ("latest/user-data", "user data is not an entry: it is the field `user-data` of the instance".to_owned()),
    ] {
        assert_problem(
            &format!(r#"{{"extra-entries": {{"{path}": "x"}}}}"#),
            &format!("/extra-entries/{}", path.replace('/', "~1")),
            "expected a path of at most 512 bytes such as meta-data/fabric/rack or, in one version only, 2009-04-04/meta-data/mac",
            Some(&help),
        );
    }
    // One under a version is right, and one that nothing can be made of has no help.
    assert_eq!(problems(r#"{"extra-entries": {"2021-03-23/meta-data/x": "x"}}"#), []);
    assert_eq!(problems(r#"{"extra-entries": {"a%41": "x"}}"#)[0].help, None);
}

#[test]
fn a_wrong_word_gets_the_words_there_are() {
    assert_problem(
        r#"{"metadata-options": {"http-tokens": "requird"}}"#,
        "/metadata-options/http-tokens",
        "unknown value \"requird\"",
        Some("did you mean \"required\"? Known: optional, required"),
    );
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

/// A secret in the wrong field, of the wrong kind or in the wrong form: every
/// field gets it in every way.
#[test]
fn no_problem_repeats_what_may_be_a_secret() {
    const SECRET: &str = "hunter2/é";
    let wrong_values = [
        format!("\"{SECRET}\""),
        format!("[\"{SECRET}\", \"{SECRET}\"]"),
        format!("{{\"x\": \"{SECRET}\"}}"),
        format!("\"{}\"", SECRET.repeat(5000)),
        "4242424242424242".to_owned(),
        "-42424242.5".to_owned(),
    ];
    let fields = [
        "user-data",
        "user-data-base64",
        "key-pair",
        "iam-instance-profile",
        "managed-ssh-keys",
        "identity-signatures",
        "extra-entries",
        "key-pair/public-key",
        "iam-instance-profile/credentials",
        "iam-instance-profile/credentials-without-token",
        "iam-instance-profile/credentials/access-key-id",
        "iam-instance-profile/credentials/secret-access-key",
        "iam-instance-profile/credentials/session-token",
        "iam-instance-profile/credentials/expiration",
        "iam-instance-profile/credentials/last-updated",
        "managed-ssh-keys/signer-cert",
        "managed-ssh-keys/active-keys",
        "managed-ssh-keys/active-keys/root",
        "identity-signatures/pkcs7",
        "extra-entries/meta-data",
        "extra-entries/meta-data~1x",
        "extra-entries/meta-data~1ami-id~1x",
    ];
    let mut told = 0;
    for field in fields {
        for value in &wrong_values {
            let nested = field
                .rsplit('/')
                .fold(value.clone(), |inner, name| format!("{{\"{}\": {inner}}}", name.replace("~1", "/")));
            for problem in problems(&nested) {
                told += 1;
                let shown = format!("{problem:?}");
                assert!(!shown.contains("hunter2") && !shown.contains("42424242"), "{nested}: {shown}");
            }
        }
    }
    assert!(told > 100, "{told}");
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
fn an_entry_for_one_version_hides_no_folder_that_another_makes() {
    let entries = r#""2009-04-04/meta-data/fabric": "x", "meta-data/fabric/rack": "r17""#;
    assert_problem(
        &format!(r#"{{"extra-entries": {{{entries}}}}}"#),
        "/extra-entries/2009-04-04~1meta-data~1fabric",
        "`meta-data/fabric` is a folder, an entry cannot replace it",
        None,
    );
}

#[test]
fn an_entry_does_not_look_like_a_key_pair() {
    assert_problem(
        r#"{"extra-entries": {"meta-data/public-keys/1=second": "x"}}"#,
        "/extra-entries/meta-data~1public-keys~11=second",
        "in `public-keys/` a name with `=` lists a key pair, which answers under the number before it",
        None,
    );
}

#[test]
fn what_a_terminal_would_obey_is_escaped_and_what_is_long_is_cut() {
    let long = "x".repeat(10_000);
    for json in [
        "\"a\\u001b[31m\\u202eb\": 1".to_owned(),
        format!("\"{long}\": 1"),
        "\"monitoring\": \"\\u001b[31m\\u202e\"".to_owned(),
        format!("\"monitoring\": \"{long}\""),
        format!(
            "\"extra-entries\": {{\"meta-data/ami-id/\\u202e\": \"\", \"meta-data/ami-id/{}\": \"\"}}",
            &long[..400]
        ),
        "\"iam-instance-profile\": {\"name\": \"x\", \"arn\": \"arn:aws:iam::123456789012:instance-profile/\\u202e\"}"
            .to_owned(),
        format!(
            "\"iam-instance-profile\": {{\"name\": \"x\", \"arn\": \"arn:aws:iam::123456789012:instance-profile/{long}\"}}"
        ),
    ] {
        let problems = problems(&format!("{{{json}}}"));
        assert!(!problems.is_empty(), "{json}");
        for Problem { message, help, .. } in problems {
            let said = message + &help.unwrap_or_default();
            assert!(!said.contains(['\u{1b}', '\u{202e}']) && said.len() < 1000, "{said}");
        }
    }
}

#[test]
fn entries_deep_down_are_opened_soon() {
    let deep = "/x".repeat(245);
    let entries: Vec<String> = (0..1024).map(|number| format!("\"meta-data{deep}/{number}\": \"\"")).collect();
    let start = std::time::Instant::now();
    assert_eq!(problems(&format!("{{\"extra-entries\": {{{}}}}}", entries.join(","))), []);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

#[test]
fn all_problems_are_told_at_once() {
    let json = r#"{
        "instance-id": "0abc",
        "placement": {"partition-number": -1},
        "network-interfaces": [{"mac-address": "x"}, {"mac": "y"}],
        "metadata-options": {"http-put-response-hop-limit": 65}
    }"#;
    let fields: Vec<String> = problems(json).into_iter().map(|problem| problem.field).collect();
    assert_eq!(
        fields,
        [
            "/instance-id",
            "/placement/partition-number",
            "/network-interfaces/0/mac-address",
            "/network-interfaces/1/mac",
            "/metadata-options/http-put-response-hop-limit"
        ]
    );
    assert_eq!(problems(r#"{"instance-id": "0abc", "owner-id": "12"}"#).len(), 2);
}

#[test]
fn a_description_with_a_thousand_mistakes_gets_twenty_messages() {
    let fields: Vec<String> = (0..1000).map(|number| format!(r#""wrong-{number}": 1"#)).collect();
    assert_eq!(problems(&format!("{{{}}}", fields.join(","))).len(), 20);
    let tags: Vec<String> = (0..45).map(|number| format!(r#""a/{number}": "x""#)).collect();
    let shown = r#""metadata-options": {"instance-metadata-tags": "enabled"}"#;
    assert_eq!(problems(&format!(r#"{{"tags": {{{}}}, {shown}}}"#, tags.join(","))).len(), 20);
    let entries: Vec<String> = (0..45).map(|number| format!(r#""meta-data/ami-id/{number}": "x""#)).collect();
    assert_eq!(problems(&format!(r#"{{"extra-entries": {{{}}}}}"#, entries.join(","))).len(), 20);
}

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
fn text_that_is_not_json_gets_its_place() {
    let problems = problems("{\n  \"instance-id\" 1\n}");
    let position = problems[0].position.expect("a syntax error has a place");
    assert_eq!((position.line, position.column), (2, 17));
    assert_eq!(problems[0].message, "expected `:`");
}

#[test]
fn a_field_given_twice_is_an_error() {
    assert_problem(
        r#"{"instance-id": "i-1", "instance-id": "i-2"}"#,
        "/instance-id",
        "field `instance-id` is given twice",
        None,
    );
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
fn a_field_in_the_wrong_table_is_told_where_it_belongs() {
    let help = "`instance-type` is a field of the instance itself: in TOML it stands above the first `[table]`";
    assert_problem(
        r#"{"placement": {"instance-type": "m5.large"}}"#,
        "/placement/instance-type",
        "unknown field `instance-type`",
        Some(help),
    );
    assert_problem(
        r#"{"tags": {"iam-instance-profile": false}}"#,
        "/tags/iam-instance-profile",
        "expected a string, found a boolean",
        Some("`iam-instance-profile` is a field of the instance itself: in TOML it stands above the first `[table]`"),
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
fn user_data_has_the_limit_of_ec2() {
    let of_length = |length: usize| problems(&format!(r#"{{"user-data": "{}"}}"#, "x".repeat(length)));
    assert_eq!(of_length(16_384), []);
    assert_eq!(of_length(16_385)[0].message, "expected at most 16384 bytes of user data, found 16385");
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

#[test]
fn an_extra_entry_cannot_replace_a_folder_or_lie_below_an_item() {
    let with = |path: &str| problems(&format!(r#"{{"extra-entries": {{"{path}": "x"}}}}"#));
    assert_eq!(with("meta-data/fabric/rack"), []);
    assert_eq!(with("meta-data/network")[0].message, "`meta-data/network` is a folder, an entry cannot replace it");
    assert_eq!(with("meta-data/ami-id/x")[0].message, "`meta-data/ami-id` is an item, nothing can be below it");
    assert_eq!(with("2009-04-04/meta-data/mac"), []);
    for wrong in
        ["meta-data", "user-data", "api/token", "meta-data//x", "meta-data/../x", "2009-04-05/meta-data/mac", ""]
    {
        assert!(!with(wrong).is_empty(), "{wrong}");
    }
}

#[test]
fn a_short_token_secret_is_refused() {
    let settings = imds_core::Settings { token_secret: vec![7; 15], ..imds_core::Settings::default() };
    let problems = imds_core::Instance::open("{}", settings).expect_err("15 bytes are too few");
    assert_eq!(problems[0].message, "the token secret has fewer than 16 bytes");
}

/// Each change makes a whole instance when the description is opened.
#[test]
fn a_large_description_cannot_change_often() {
    let entries: Vec<String> = (0..1000).map(|n| format!(r#""meta-data/x/{n}": "{}""#, "x".repeat(900))).collect();
    let described = |changes: usize| {
        let timeline: Vec<String> =
            (0..changes).map(|n| format!(r#"{{"at": "+{n}s", "tags": {{"N": "{n}"}}}}"#)).collect();
        format!(r#"{{"extra-entries": {{{}}}, "timeline": [{}]}}"#, entries.join(","), timeline.join(","))
    };
    assert_eq!(problems(&described(2)), []);
    let problems = problems(&described(128));
    assert_eq!(problems[0].field, "/timeline");
    assert!(problems[0].message.starts_with("the instance is described anew after each change"), "{problems:?}");
}

#[test]
fn a_wrong_change_is_told_at_its_place_in_the_timeline() {
    const TIME: &str =
        "expected a time such as 2026-09-26T11:16:22Z, or one that counts from another, such as +5m, +1h30m or +1d";
    let spot_only = Some("set `instance-lifecycle` to \"spot\"");
    for (json, field, message, help) in [
        (
            r#"{"timeline": [{"at": "+1m"}, {"at": "+2m"}, {"at": "+1m", "metadata-options": {"http-tokens": "requird"}}]}"#,
            "/timeline/2/metadata-options/http-tokens",
            "unknown value \"requird\"",
            Some("did you mean \"required\"? Known: optional, required"),
        ),
        (
            r#"{"timeline": [{"at": "+1m", "stat": "stopped"}]}"#,
            "/timeline/0/stat",
            "unknown field `stat`",
            Some("did you mean `state`?"),
        ),
        (
            r#"{"timeline": [{"state": "stopped"}]}"#,
            "/timeline/0",
            "field `at` is missing here",
            Some("it says when: a time, or one from the start on: \"+5m\""),
        ),
        (
            r#"{"timeline": [{"at": "5m"}]}"#,
            "/timeline/0/at",
            "expected a sign: +5m is in five minutes, -5m was five minutes ago",
            None,
        ),
        (r#"{"timeline": [{"at": "+5 minutes"}]}"#, "/timeline/0/at", TIME, None),
        (
            r#"{"timeline": [{"at": 300}]}"#,
            "/timeline/0/at",
            "expected a string, found a whole number",
            Some("write a time, or one from the start on: \"+5m\""),
        ),
        (
            r#"{"timeline": {"at": "+5m"}}"#,
            "/timeline",
            "expected an array, found an object",
            Some("in TOML, `[[timeline]]` begins each of its entries"),
        ),
        (r#"{"timeline": ["+5m"]}"#, "/timeline/0", "expected an object, found a string", None),
        (
            r#"{"timeline": [{"at": "+5m", "timeline": []}]}"#,
            "/timeline/0/timeline",
            "a change has no field `timeline`",
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "state": "stopped", "state": "running"}]}"#,
            "/timeline/0/state",
            "field `state` is given twice",
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "instance-lifecycle": "spot", "spot-interruption": {"time": "+5x"}}]}"#,
            "/timeline/0/spot-interruption/time",
            TIME,
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "user-data": "late"}]}"#,
            "/timeline/0/user-data",
            "`user-data` changes only while the instance is stopped, as in EC2",
            Some("change `state` to \"stopped\" first, in a change before this one"),
        ),
        (
            r#"{"timeline": [{"at": "+5m", "placement": {"region": "eu-west-1"}}]}"#,
            "/timeline/0/placement/region",
            "an instance keeps its `placement.region` for life",
            Some("describe another instance and serve that"),
        ),
        (
            r#"{"timeline": [{"at": "+5m", "rebalance-recommendation": {}}]}"#,
            "/timeline/0/rebalance-recommendation",
            "only a spot instance has this",
            spot_only,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "events": [{"state": "completed"}]}]}"#,
            "/timeline/0/events",
            "field `not-before` is missing here",
            Some("an event needs it, but for the change of one whose `instance-event-id` it gives"),
        ),
        (
            r#"{"spot-interruption": {}, "instance-lifecycle": "spot", "timeline": [{"at": "+5m", "instance-lifecycle": "on-demand"}]}"#,
            "/timeline/0",
            "with this change, /spot-interruption: only a spot instance has this",
            spot_only,
        ),
    ] {
        assert_problem(json, field, message, help);
    }
}

#[test]
fn a_timeline_has_an_end() {
    let entries = |count: usize| vec![r#"{"at": "+1m", "state": "running"}"#; count].join(",");
    assert_eq!(problems(&format!(r#"{{"timeline": [{}]}}"#, entries(128))), []);
    let too_many = format!(r#"{{"timeline": [{}]}}"#, entries(129));
    assert_problem(&too_many, "/timeline", "expected at most 128 entries, found 129", None);
}

#[test]
fn all_wrong_changes_are_told_at_once() {
    let told = problems(r#"{"timeline": [{"at": "x"}, {}, {"at": "+1m", "timeline-start": "+1m"}]}"#);
    let fields: Vec<&str> = told.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["/timeline/0/at", "/timeline/1", "/timeline/2/timeline-start"]);
}

#[test]
fn a_wrong_fault_is_told() {
    for (fault, field, message, help) in [
        (
            r#"{"kind": "refuze"}"#,
            "/kind",
            "unknown value \"refuze\"",
            Some("did you mean \"refuse\"? Known: refuse, delay, close, cut, withhold"),
        ),
        (r#"{"share": 0.5}"#, "", "field `kind` is missing here", None),
        (r#"{"kind": "cut", "share": 1.5}"#, "/share", "expected a number from 0 to 1", None),
        (
            r#"{"kind": "cut", "paths": ["latest"]}"#,
            "/paths/0",
            "expected a path such as /latest/api/token or, for every version, /*/meta-data/iam",
            None,
        ),
        (r#"{"kind": "cut", "methods": ["put"]}"#, "/methods/0", "expected a method such as PUT, in upper case", None),
        (r#"{"kind": "cut", "delay": "2s"}"#, "/delay", "only a fault of the kind `delay` has this", None),
        (r#"{"kind": "delay", "delay": "2m"}"#, "/delay", "expected at most 60s", None),
        (r#"{"kind": "cut", "from": "+2m", "until": "+1m"}"#, "/until", "expected a time not before `from`", None),
    ] {
        assert_problem(&format!(r#"{{"faults": [{fault}]}}"#), &format!("/faults/0{field}"), message, help);
    }
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
