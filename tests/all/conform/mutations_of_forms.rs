//! Services whose items have another form than EC2's.

use super::Mutation;
use super::flawed::{Answered, Asked};
use super::mutations_of_items::{EVERYTHING, as_another, path, replace, tell, tell_all, told};

/// Reads a document in a layout of its own.
fn spaced_otherwise(asked: &Asked, answered: &mut Answered, item: &str) {
    if path(asked) == item && answered.status == 200 {
        let body = String::from_utf8_lossy(&answered.body).replace("\" : ", "\": ");
        answered.set_body(body);
    }
}

const SECOND: &str = "meta-data/network/interfaces/macs/0a:0e:63:fe:62:a1";

/// Another value of an item of the second interface.
fn of_second(asked: &Asked, answered: &mut Answered, name: &str, value: &str) {
    tell(asked, answered, &format!("{SECOND}/{name}"), value);
}

macro_rules! second {
    ($name:literal, $item:literal, $value:expr, $breaks:expr) => {
        Mutation::of_answers($name, |asked, answered| of_second(asked, answered, $item, $value), $breaks).of(EVERYTHING)
    };
}

pub const ALL: &[Mutation] = &[
    told!("an ancestor is no AMI", "meta-data/ancestor-ami-ids", "ami-1", &["format-of-ami-ids"]).of(EVERYTHING),
    told!(
        "the instance id has capitals",
        "meta-data/instance-id",
        "i-0123456789ABCDEF0",
        &["document-tells-the-instance", "format-of-the-instance-id"]
    ),
    told!("the reservation is a number", "meta-data/reservation-id", "47", &["format-of-the-reservation-id"]),
    told!(
        "the kernel is a name",
        "meta-data/kernel-id",
        "linux",
        &["document-tells-kernel-and-ram-disk", "format-of-kernel-and-ram-disk"]
    )
    .of(EVERYTHING),
    told!("the launch index is a word", "meta-data/ami-launch-index", "first", &["format-of-numbers"]),
    told!(
        "the manifest path is unknown without brackets",
        "meta-data/ami-manifest-path",
        "unknown",
        &["format-of-the-ami-manifest-path"]
    ),
    told!(
        "the state in the group has a word of its own",
        "meta-data/autoscaling/target-lifecycle-state",
        "Pending",
        &["autoscaling-state-is-one-of-eight"]
    )
    .of(EVERYTHING),
    told!(
        "hibernation is configured by yes",
        "meta-data/hibernation/configured",
        "yes",
        &["format-of-hibernation-configured"]
    )
    .of(EVERYTHING),
    told!("the action is nothing", "meta-data/instance-action", "", &["format-of-the-instance-action"]),
    told!("the life cycle is normal", "meta-data/instance-life-cycle", "normal", &["format-of-the-life-cycle"]),
    told!(
        "the type has no family",
        "meta-data/instance-type",
        "micro",
        &["document-tells-the-instance", "format-of-the-instance-type"]
    ),
    told!("the zone's id is a number", "meta-data/placement/availability-zone-id", "1", &["format-of-the-place"]),
    told!("the profile is hvm", "meta-data/profile", "hvm", &["profile-follows-the-virtualization"]),
    told!(
        "the domain is a word",
        "meta-data/services/domain",
        "amazonaws",
        &["format-of-the-services", "partition-and-domain-follow-from-the-region"]
    ),
    told!("the system is kvm", "meta-data/system", "kvm", &["format-of-the-system"]),
    told!(
        "the metrics are a document",
        "meta-data/metrics/vhostmd",
        "<metrics/>",
        &["metrics-vhostmd-is-an-xml-declaration"]
    ),
    told!(
        "product codes stand on one line",
        "meta-data/product-codes",
        "3iplms73etrdhxdepv72l6ywj, 774F4FF8",
        &["document-tells-the-product-codes", "format-of-product-codes"]
    )
    .of(EVERYTHING),
    told!("monitoring is on", "dynamic/fws/instance-monitoring", "on", &["format-of-the-monitoring"]).of(EVERYTHING),
    told!(
        "tags are spaced",
        "meta-data/tag-sets/instance",
        r#"{"Name": "everything", "aws:autoscaling:groupName": "my-asg", "empty": ""}"#,
        &["tag-sets-is-one-compact-object"]
    )
    .of(EVERYTHING),
    told!(
        "an accelerator is a word",
        "meta-data/elastic-inference/associations/eia-bfa21c7904f64a82a21b9f4540169ce1",
        "eia1.medium",
        &["format-of-elastic-associations"]
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "the key has no line end",
        |asked, answered| {
            if path(asked).ends_with("/openssh-key") {
                answered.set_body(answered.body.trim_ascii_end().to_vec());
            }
        },
        &["public-key-ends-with-its-name-and-a-line-end"],
    ),
    told!("an item has a line end", "meta-data/placement/group-name", "my-group\n", &["items-have-no-line-end"])
        .of(EVERYTHING),
    told!(
        "the root device has /dev/ in both forms",
        "meta-data/block-device-mapping/ami",
        "/dev/xvda",
        &["block-device-root-with-dev-and-ami-without"]
    ),
    told!(
        "the root device on Xen has no /dev/",
        "meta-data/block-device-mapping/ami",
        "xvda",
        &["block-device-ami-on-xen-keeps-dev"]
    )
    .of("instance-type = 't2.micro'"),
    told!(
        "a volume has /dev/",
        "meta-data/block-device-mapping/ebs1",
        "/dev/sdf",
        &["block-device-volume-is-ebs1-without-dev"]
    )
    .of(EVERYTHING),
    Mutation::of_both(
        "a volume has a name",
        |asked| asked.target = asked.target.replace("/block-device-mapping/volume", "/block-device-mapping/root"),
        |asked, answered| tell(asked, answered, "meta-data/block-device-mapping", "ami\nroot\nvolume"),
        &["block-device-volumes-are-numbered-by-kind"],
    ),
    second!(
        "a MAC has capitals",
        "mac",
        "0A:0E:63:FE:62:A1",
        &["format-of-macs", "interface-has-the-mac-of-its-folder"]
    ),
    Mutation::of_both(
        "the folder of an interface has capitals",
        |asked| asked.target = asked.target.replace("0A:0E:63:FE:62:A1", "0a:0e:63:fe:62:a1"),
        |asked, answered| {
            let macs = "0A:0E:63:FE:62:A1/\n0a:87:40:4a:4a:11/";
            tell(asked, answered, "meta-data/network/interfaces/macs", macs);
        },
        &["interface-has-the-mac-of-its-folder", "network-mac-folders-are-lower-case"],
    )
    .of(EVERYTHING),
    second!("a subnet is a number", "subnet-id", "subnet-1", &["format-of-network-ids"]),
    second!(
        "an owner has hyphens",
        "owner-id",
        "1234-5678-9012",
        &["document-tells-the-account", "format-of-owner-ids"]
    ),
    Mutation::of_answers(
        "an address has a zero in front",
        |asked, answered| tell_all(asked, answered, "/ipv4-associations/203.0.113.26", "10.0.0.011"),
        &["addresses-are-associated-with-those-of-the-interface", "format-of-ipv4-addresses"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "a prefix has more bits than its length",
        |asked, answered| tell_all(asked, answered, "/ipv4-prefix", "10.0.0.17/28"),
        &["format-of-ipv4-blocks"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "an IPv6 prefix has no length",
        |asked, answered| tell_all(asked, answered, "/ipv6-prefix", "2001:db8:1234:1a00:1::"),
        &["format-of-ipv6-prefixes"],
    )
    .of(EVERYTHING),
    second!(
        "a run of zeros in a block is shortened",
        "vpc-ipv6-cidr-blocks",
        "2001:db8:1234:1a00::/56",
        &["network-ipv6-blocks-have-eight-groups"]
    ),
    Mutation::of_answers(
        "a run of zeros in an address is shortened",
        |asked, answered| {
            for item in ["meta-data/ipv6", "/ipv6s"] {
                tell_all(asked, answered, item, "2001:db8:1234:1a00::123");
            }
        },
        &["ipv6-addresses-have-eight-groups"],
    )
    .of(EVERYTHING),
    second!("a host name has an underscore", "local-hostname", "ip_10", &["format-of-host-names"]),
    second!("a group has no name", "security-groups", "", &["format-of-security-groups"]),
    Mutation::of_answers(
        "an interruption is application/json",
        |asked, answered| {
            if path(asked) == "meta-data/spot/instance-action" {
                answered.set("Content-Type", "application/json");
            }
        },
        &["content-type-of-items-not-recorded-is-text-plain"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "the profile has another layout",
        |asked, answered| spaced_otherwise(asked, answered, "meta-data/iam/info"),
        &["iam-info-is-json-of-four-fields"],
    ),
    Mutation::of_answers(
        "credentials have another layout",
        |asked, answered| spaced_otherwise(asked, answered, "meta-data/iam/security-credentials/imds"),
        &["role-credentials-are-json-of-seven-fields"],
    ),
    Mutation::of_answers(
        "a failure has another layout",
        |asked, answered| spaced_otherwise(asked, answered, "meta-data/iam/security-credentials/imds"),
        &["role-that-cannot-be-assumed-is-200"],
    )
    .of("iam-instance-profile.failure-code = 'AssumeRoleUnauthorizedAccess'"),
    Mutation::of_answers(
        "identity credentials have another layout",
        |asked, answered| spaced_otherwise(asked, answered, IDENTITY),
        &["identity-credentials-are-json-of-seven-fields"],
    ),
    Mutation::of_answers(
        "what goes with identity credentials has another layout",
        |asked, answered| spaced_otherwise(asked, answered, "meta-data/identity-credentials/ec2/info"),
        &["identity-credentials-info-is-json-of-three-fields"],
    ),
    Mutation::of_both(
        "there are no identity credentials",
        |asked| {
            if asked.target.contains("/identity-credentials") {
                asked.target = "/latest/nothing".to_owned();
            }
        },
        |asked, answered| {
            if path(asked) == "meta-data/" {
                let body = String::from_utf8_lossy(&answered.body).replace("identity-credentials/\n", "");
                answered.set_body(body);
            }
        },
        &["identity-credentials-are-there-without-a-role"],
    ),
    Mutation::of_answers(
        "identity credentials live for years",
        |asked, answered| {
            let target = format!("/latest/{IDENTITY}");
            replace(asked, answered, &target, "\"Expiration\" : \"20", "\"Expiration\" : \"21");
        },
        &["identity-credentials-live-a-little-over-six-hours"],
    ),
    Mutation::of_answers(
        "credentials are over",
        |asked, answered| {
            let target = "/latest/meta-data/iam/security-credentials/imds";
            replace(asked, answered, target, "\"Expiration\" : \"202", "\"Expiration\" : \"200");
        },
        &["credentials-are-good-when-they-are-asked-for"],
    ),
    Mutation::of_requests(
        "credentials are the same with a token and without",
        |asked| {
            if asked.token().is_none() && asked.target.contains("/iam/security-credentials/imds") {
                asked.take_last_token();
            }
        },
        &["role-credentials-differ-with-and-without-a-token"],
    ),
    as_another!(
        "containers have credentials though there are none",
        "/v1/credentials",
        "/latest/meta-data/",
        &["container-paths-are-404-without-containers"]
    ),
    Mutation::of_answers(
        "a task's credentials are plain text",
        |asked, answered| {
            if asked.target == "/v2/credentials/task" {
                answered.set("Content-Type", "text/plain");
            }
        },
        &["container-task-gets-credentials-by-its-id"],
    )
    .of(TASK)
    .containers("/v2/credentials/task", None),
    Mutation::of_requests(
        "a task with any id gets credentials",
        |asked| {
            if asked.target.starts_with("/v2/credentials/0") {
                asked.target = "/v2/credentials/task".to_owned();
            }
        },
        &["container-task-without-a-known-id-is-refused"],
    )
    .of(TASK)
    .containers("/v2/credentials/task", None),
    Mutation::of_answers(
        "a pod's credentials name a role",
        |asked, answered| replace(asked, answered, "/v1/credentials", "\"AccountId\"", "\"RoleArn\""),
        &["container-pod-gets-credentials-by-its-token"],
    )
    .of(POD)
    .containers("/v1/credentials", Some("pod-token")),
    Mutation::of_requests(
        "a pod needs no token",
        |asked| {
            if asked.value("authorization").is_none() {
                asked.set("Authorization", "pod-token");
            }
        },
        &["container-pod-without-a-token-is-refused"],
    )
    .of(POD)
    .containers("/v1/credentials", Some("pod-token")),
    Mutation::of_requests(
        "any token is a pod's",
        |asked| {
            if asked.value("authorization").is_some() {
                asked.set("Authorization", "pod-token");
            }
        },
        &["container-pod-with-another-token-is-refused"],
    )
    .of(POD)
    .containers("/v1/credentials", Some("pod-token")),
];

const IDENTITY: &str = "meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
const TASK: &str = "[[container-credentials]]\ncredentials-id = 'task'";
const POD: &str = "[[container-credentials]]\nauthorization-token = 'pod-token'";
