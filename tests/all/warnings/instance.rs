//! What the instance is: its type, place, ids, names.

use imds_core::warnings;

use crate::ways::Sent;

use super::{NOW_MS, assert_none, assert_warning, of};

#[test]
fn the_default_instance_is_plausible() {
    assert_none("{}");
    assert_eq!(warnings("{}", 0), Ok(Vec::new()));
    assert_eq!(warnings("{}", u64::MAX), Ok(Vec::new()));
}

#[test]
fn a_wrong_description_has_problems_and_no_warnings() {
    let problems = warnings(r#"{"instance-typ": "x"}"#, NOW_MS).unwrap_err();
    assert_eq!(problems[0].field, "/instance-typ");
    let problems = warnings(r#"{"extra-entries": {"meta-data/ami-id/x": ""}}"#, NOW_MS).unwrap_err();
    assert_eq!(problems[0].message, "`meta-data/ami-id` is an item, nothing can be below it");
}

#[test]
fn unknown_instance_type() {
    let at = "/instance-type";
    let name = "unknown-instance-type";
    assert_warning(
        r#"{"instance-type": "m77g.large"}"#,
        name,
        at,
        "no family of instance types called `m77g` is known here",
    );
    assert_warning(r#"{"instance-type": "t3.mikro"}"#, name, at, "instance types have no size called `mikro`");
    assert_warning(r#"{"instance-type": "t3"}"#, name, at, "an instance type is a family and a size; `t3` is a family");
    let help = |description| of(description)[0].problem.help.clone().unwrap_or_default();
    assert_eq!(help(r#"{"instance-type": "t3.mikro"}"#), "did you mean `t3.micro`?");
    assert!(help(r#"{"instance-type": "m7gg.large"}"#).starts_with("did you mean `m7g.large`? If it is newer"));
    for known in ["t2.micro", "m7i-flex.large", "u7in-24tb.224xlarge", "i3.metal", "r7iz.metal-16xl", "mac2.metal"] {
        assert_none(&format!(r#"{{"instance-type": "{known}"}}"#));
    }
}

#[test]
fn architecture_mismatch() {
    let (name, at) = ("architecture-mismatch", "/architecture");
    assert_warning(
        r#"{"instance-type": "m7g.large", "architecture": "x86_64"}"#,
        name,
        at,
        "m7g instances have the architecture arm64, not x86_64",
    );
    assert_warning(r#"{"architecture": "i386"}"#, name, at, "t3 instances have the architecture x86_64, not i386");
    assert_none(r#"{"instance-type": "t2.small", "architecture": "i386"}"#);
    assert_none(r#"{"instance-type": "c8gn.large", "architecture": "arm64"}"#);
}

#[test]
fn unknown_region() {
    assert_warning(
        r#"{"placement": {"region": "eu-wets-1"}}"#,
        "unknown-region",
        "/placement/region",
        "no region called `eu-wets-1` is known here",
    );
    assert_warning(
        r#"{"placement": {"availability-zone": "moon-east-1a"}}"#,
        "unknown-region",
        "/placement/availability-zone",
        "no region called `moon-east-1` is known here",
    );
}

#[test]
fn unknown_zone() {
    assert_warning(
        r#"{"placement": {"availability-zone": "eu-west-1f"}}"#,
        "unknown-zone",
        "/placement/availability-zone",
        "the region eu-west-1 has no zone `eu-west-1f`",
    );
    for zone in ["us-east-1f", "us-west-2-lax-1a", "us-east-1-wl1-bos-wlz-1", "cn-northwest-1c", "eusc-de-east-1a"] {
        assert_none(&format!(r#"{{"placement": {{"availability-zone": "{zone}"}}}}"#));
    }
}

#[test]
fn zone_id_of_another_region() {
    assert_warning(
        r#"{"placement": {"availability-zone": "us-west-2b", "availability-zone-id": "use1-az2"}}"#,
        "zone-id-of-another-region",
        "/placement/availability-zone-id",
        "the zone id `use1-az2` is of another region than us-west-2",
    );
    // Another number than the letter's: accounts differ in that.
    assert_none(r#"{"placement": {"availability-zone": "us-west-2b", "availability-zone-id": "usw2-az4"}}"#);
}

#[test]
fn real_credentials_without_token() {
    let with = |options: &str| {
        format!(
            r#"{{"metadata-options": {{{options}}}, "iam-instance-profile": {{"credentials-source": {{"profile": "dev"}}}}}}"#
        )
    };
    assert_warning(
        &with(r#""http-tokens": "optional""#),
        "real-credentials-without-token",
        "/metadata-options/http-tokens",
        "the role's credentials are real, and requests get them without a token",
    );
    assert_none(&with(""));
    assert_none(&with(r#""http-tokens": "required""#));
    assert_none(r#"{"metadata-options": {"http-tokens": "optional"}}"#);
}

#[test]
fn guessable_container_secret() {
    let with = |container: &str, source: &str| {
        format!(r#"{{"container-credentials": [{{{container}}}], "iam-instance-profile": {{{source}}}}}"#)
    };
    let real = r#""credentials-source": {"profile": "dev"}"#;
    for (container, field) in [
        (r#""credentials-id": "task""#, "credentials-id"),
        (r#""authorization-token": "pod""#, "authorization-token"),
        (r#""credentials-id": "task", "authorization-token": "of-the-task""#, "authorization-token"),
    ] {
        assert_warning(
            &with(container, real),
            "guessable-container-secret",
            &format!("/container-credentials/0/{field}"),
            "the role's credentials are real, and this can be guessed",
        );
        assert_none(&with(container, ""));
    }
    let uuid = "8f2c6f0e-5a3f-4b52-9b0a-1f3c1e3d7c55";
    assert_none(&with(&format!(r#""credentials-id": "{uuid}""#), real));
    assert_none(&with(&format!(r#""credentials-id": "task", "authorization-token": "{uuid}""#), real));
    // Those of another role are made up.
    let of_another = r#""credentials-id": "task", "role-arn": "arn:aws:iam::123456789012:role/web""#;
    assert_none(&with(of_another, real));
}

#[test]
fn id_form() {
    for (description, at, id) in [
        (r#"{"instance-id": "i-1"}"#, "/instance-id", "i-1"),
        (r#"{"image-id": "ami-debian-12"}"#, "/image-id", "ami-debian-12"),
        (r#"{"vpc-id": "vpc-0123456789abcdefg"}"#, "/vpc-id", "vpc-0123456789abcdefg"),
        (r#"{"security-groups": [{"group-id": "sg-web"}]}"#, "/security-groups/0/group-id", "sg-web"),
        (r#"{"iam-instance-profile": {"id": "AIDAX"}}"#, "/iam-instance-profile/id", "AIDAX"),
    ] {
        assert_warning(description, "id-form", at, &format!("`{id}` is no id that EC2 makes"));
    }
    assert_none(
        r#"{"instance-id": "i-0123abcd", "image-id": "ami-0b69ea66ff7391e80", "reservation-id": "r-01234567"}"#,
    );
}

#[test]
fn access_key_form() {
    let description = r#"{"iam-instance-profile": {"credentials": {
        "access-key-id": "AKIAIOSFODNN7EXAMPLE", "secret-access-key": "s", "session-token": "t"}}}"#;
    assert_warning(
        description,
        "access-key-form",
        "/iam-instance-profile/credentials/access-key-id",
        "a role's access key id begins with `ASIA`",
    );
    assert_none(&description.replace("AKIA", "ASIA"));
}

#[test]
fn equal_names() {
    let name = "equal-names";
    assert_warning(
        r#"{"security-groups": [{"group-name": "web"}, {"group-name": "web"}]}"#,
        name,
        "/security-groups/1",
        &format!("the security group `{}` is there twice", group_called("web")),
    );
    assert_warning(
        r#"{"security-groups": [{"group-name": "web", "group-id": "sg-01234567"},
                                {"group-name": "web", "group-id": "sg-89abcdef"}]}"#,
        name,
        "/security-groups/1",
        "the groups sg-01234567 and sg-89abcdef are both called `web`",
    );
    assert_warning(
        r#"{"network-interfaces": [{"groups": [{"group-name": "a", "group-id": "sg-01234567"}]},
                                   {"groups": [{"group-name": "b", "group-id": "sg-01234567"}]}]}"#,
        name,
        "/network-interfaces/1/groups/0",
        "the group sg-01234567 is called `a` elsewhere",
    );
    assert_warning(
        r#"{"billing-products": ["bp-6ba54002", "bp-6ba54002"]}"#,
        name,
        "/billing-products/1",
        "the billing product `bp-6ba54002` is there twice",
    );
}

/// The id that the service shows for a group that states only its name.
fn group_called(name: &str) -> String {
    let settings = imds_core::Settings { token_secret: vec![7; 32], ..Default::default() };
    let description = format!(
        r#"{{"security-groups": [{{"group-name": "{name}"}}],
            "network-interfaces": [{{"mac-address": "02:00:00:00:00:01"}}]}}"#
    );
    let instance = imds_core::Instance::open(&description, settings).unwrap();
    let target = "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/security-group-ids";
    let answer = instance.answer(&Sent::get(target).head(), Default::default(), None);
    String::from_utf8(answer.body.into_owned()).unwrap()
}

#[test]
fn duplicate_device() {
    let name = "duplicate-device";
    assert_warning(
        r#"{"block-device-mappings": [{"device-name": "/dev/sdf"}, {"device-name": "sdf"}]}"#,
        name,
        "/block-device-mappings/1/device-name",
        "the device `sdf` is mapped before, by entry 0",
    );
    assert_warning(
        r#"{"block-device-mappings": [{"device-name": "/dev/xvda", "virtual-name": "ephemeral0"}]}"#,
        name,
        "/block-device-mappings/0/device-name",
        "the device `xvda` is the root device",
    );
    assert_none(r#"{"block-device-mappings": [{"device-name": "/dev/xvda"}, {"device-name": "/dev/sdf"}]}"#);
}

#[test]
fn profile_of_another_account() {
    let (name, at) = ("profile-of-another-account", "/iam-instance-profile/arn");
    assert_warning(
        r#"{"iam-instance-profile": {"arn": "arn:aws:iam::210987654321:instance-profile/web"}}"#,
        name,
        at,
        "the profile belongs to the account 210987654321, the instance to 123456789012",
    );
    assert_warning(
        r#"{"placement": {"region": "cn-north-1"},
            "iam-instance-profile": {"arn": "arn:aws:iam::123456789012:instance-profile/web"}}"#,
        name,
        at,
        "the profile is of the partition aws, the instance of aws-cn",
    );
}
