//! What an operator is told about a description that is wrong.

mod changes;
mod contradictions;
mod entries;
mod names;
mod values;

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
fn text_that_is_not_json_gets_its_place() {
    let problems = problems("{\n  \"instance-id\" 1\n}");
    let position = problems[0].position.expect("a syntax error has a place");
    assert_eq!((position.line, position.column), (2, 17));
    assert_eq!(problems[0].message, "expected `:`");
}

#[test]
fn a_short_token_secret_is_refused() {
    let settings = imds_core::Settings { token_secret: vec![7; 15], ..imds_core::Settings::default() };
    let problems = imds_core::Instance::open("{}", settings).expect_err("15 bytes are too few");
    assert_eq!(problems[0].message, "the token secret has fewer than 16 bytes");
}
