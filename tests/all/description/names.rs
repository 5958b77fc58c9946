//! Fields that do not exist, and words that are not known: what was meant.

use super::*;

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
fn a_wrong_word_gets_the_words_there_are() {
    assert_problem(
        r#"{"metadata-options": {"http-tokens": "requird"}}"#,
        "/metadata-options/http-tokens",
        "unknown value \"requird\"",
        Some("did you mean \"required\"? Known: optional, required"),
    );
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
