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
        None,
    );
}

#[test]
fn null_is_no_value() {
    assert_problem(
        r#"{"key-pair": null}"#,
        "/key-pair",
        "expected a table, found null",
        Some("leave the field out for its default, or write `false` where there is none"),
    );
}

#[test]
fn false_stands_only_for_parts_that_may_lack() {
    for part in ["key-pair", "iam-instance-profile", "public-ip-address", "private-ip-address", "user-data"] {
        assert_eq!(problems(&format!(r#"{{"{part}": false}}"#)), [], "{part}");
    }
    assert_problem(r#"{"instance-id": false}"#, "/instance-id", "expected a string, found a boolean", None);
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
            "/placement/partition-number",
            "/network-interfaces/0/mac-address",
            "/network-interfaces/1/mac",
            "/metadata-options/http-put-response-hop-limit"
        ],
        "what the reader finds; what contradicts is looked for once all can be read"
    );
    assert_eq!(problems(r#"{"instance-id": "0abc", "owner-id": "12"}"#).len(), 2);
}

#[test]
fn a_description_with_a_thousand_mistakes_gets_twenty_messages() {
    let fields: Vec<String> = (0..1000).map(|number| format!(r#""wrong-{number}": 1"#)).collect();
    assert_eq!(problems(&format!("{{{}}}", fields.join(","))).len(), 20);
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
    let problems = problems(r#"{"instance-id": "i-1", "instance-id": "i-2"}"#);
    assert_eq!(problems[0].message, "field `instance-id` is given twice");
}

#[test]
fn what_contradicts_is_an_error() {
    assert_problem(
        r#"{"placement": {"availability-zone": "us-west-2b", "region": "eu-west-1"}}"#,
        "/placement/region",
        "the zone `availability-zone` is not in this region",
        None,
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
