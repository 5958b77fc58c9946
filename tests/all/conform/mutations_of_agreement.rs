//! Services whose items contradict each other; the identity document with its signatures,
//! user data and events.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Mutation;
use super::flawed::{Answered, Asked};
use super::mutations_of_items::{EVERYTHING, as_another, list, path, replace, tell, tell_all, told};

const PRIMARY: &str = "meta-data/network/interfaces/macs/0a:87:40:4a:4a:11";

/// Another value of an item of the primary interface.
fn of_primary(asked: &Asked, answered: &mut Answered, name: &str, value: &str) {
    tell(asked, answered, &format!("{PRIMARY}/{name}"), value);
}

macro_rules! primary {
    ($name:literal, $item:literal, $value:expr, $breaks:expr) => {
        Mutation::of_answers($name, |asked, answered| of_primary(asked, answered, $item, $value), $breaks)
    };
}

/// Puts one text in place of another in what an item tells, in every version.
fn change(asked: &Asked, answered: &mut Answered, item: &str, old: &str, new: &str) {
    if path(asked).trim_end_matches('/') == item && answered.status == 200 {
        let body = String::from_utf8_lossy(&answered.body).replace(old, new);
        answered.set_body(body);
    }
}

macro_rules! changed {
    ($name:literal, $item:expr, $old:expr, $new:expr, $breaks:expr) => {
        Mutation::of_answers($name, |asked, answered| change(asked, answered, $item, $old, $new), $breaks)
    };
}

const DOCUMENT: &str = "dynamic/instance-identity/document";
const SCHEDULED: &str = "meta-data/events/maintenance/scheduled";
const HISTORY: &str = "meta-data/events/maintenance/history";
const NO_TAGS: &str = "metadata-options.instance-metadata-tags = 'enabled'";

pub const ALL: &[Mutation] = &[
    told!("another AMI is told", "meta-data/ami-id", "ami-00000000", &["document-tells-the-instance"]),
    told!("another zone is told", "meta-data/placement/availability-zone", "eu-west-1a", &["document-tells-the-place"])
        .of(EVERYTHING),
    told!(
        "another address is told",
        "meta-data/local-ipv4",
        "10.0.0.99",
        &[
            "document-tells-the-address",
            "host-name-is-made-of-the-address",
            "items-of-the-instance-are-those-of-its-primary-interface",
        ]
    ),
    told!("another RAM disk is told", "meta-data/ramdisk-id", "ari-00000000", &["document-tells-kernel-and-ram-disk"])
        .of(EVERYTHING),
    told!("a product code is missing", "meta-data/product-codes", "774F4FF8", &["document-tells-the-product-codes"])
        .of(EVERYTHING),
    primary!("an interface is another account's", "owner-id", "999999999999", &["document-tells-the-account"]),
    changed!(
        "the architecture is that of other types",
        DOCUMENT,
        "\"x86_64\"",
        "\"arm64\"",
        &[
            "architecture-is-one-that-the-type-has",
            "identity-pkcs7-holds-the-document",
            "identity-rsa2048-holds-the-document",
        ]
    ),
    changed!(
        "the launch is to come",
        DOCUMENT,
        "\"pendingTime\" : \"20",
        "\"pendingTime\" : \"21",
        &["identity-pkcs7-holds-the-document", "identity-rsa2048-holds-the-document", "pending-time-is-past"]
    ),
    told!(
        "another region is told",
        "meta-data/placement/region",
        "eu-west-2",
        &[
            "document-tells-the-place",
            "host-name-outside-us-east-1-has-the-region",
            "public-name-is-made-of-the-address",
            "zone-lies-in-its-region",
        ]
    )
    .of(EVERYTHING),
    told!(
        "a local zone is a region",
        "meta-data/placement/region",
        "us-east-2",
        &[
            "document-tells-the-place",
            "host-name-outside-us-east-1-has-the-region",
            "placement-region-of-a-local-zone-is-its-parent",
            "public-name-is-made-of-the-address",
        ]
    )
    .of("placement.availability-zone = 'us-west-2-lax-1a'"),
    told!(
        "the partition is that of China",
        "meta-data/services/partition",
        "aws-cn",
        &["partition-and-domain-follow-from-the-region", "profile-is-one-of-the-partition"]
    ),
    told!(
        "China has the domain of others",
        "meta-data/services/domain",
        "amazonaws.com",
        &["partition-of-china-is-aws-cn"]
    )
    .of("placement.availability-zone = 'cn-north-1a'"),
    told!(
        "GovCloud has a domain of its own",
        "meta-data/services/domain",
        "amazonaws.gov",
        &["partition-of-govcloud-is-aws-us-gov"]
    )
    .of("placement.availability-zone = 'us-gov-west-1a'"),
    told!(
        "an isolated region has the domain of others",
        "meta-data/services/domain",
        "amazonaws.com",
        &["partition-of-an-isolated-region-is-its-own"]
    )
    .of("placement.availability-zone = 'us-iso-east-1a'"),
    Mutation::of_answers(
        "the host name is that of another address",
        |asked, answered| {
            for end in ["meta-data/hostname", "/local-hostname"] {
                tell_all(asked, answered, end, "ip-10-0-0-99.ec2.internal");
            }
        },
        &["host-name-is-made-of-the-address"],
    ),
    Mutation::of_answers(
        "the host name is that of another instance",
        |asked, answered| {
            for end in ["meta-data/hostname", "/local-hostname"] {
                tell_all(asked, answered, end, "i-00000000000000000.ec2.internal");
            }
        },
        &["host-name-may-be-the-instance-id"],
    ),
    Mutation::of_answers(
        "the host name is of another region",
        |asked, answered| {
            for end in ["meta-data/hostname", "/local-hostname"] {
                tell_all(asked, answered, end, "ip-10-0-0-10.eu-west-1.compute.internal");
            }
        },
        &["host-name-outside-us-east-1-has-the-region"],
    ),
    told!("there are two host names", "meta-data/hostname", "ip-10-0-0-10.example.com", &["host-names-are-told-alike"]),
    told!(
        "a type of Nitro is on Xen",
        "meta-data/system",
        "xen",
        &["block-device-ami-on-xen-keeps-dev", "system-follows-from-the-family-of-the-type"]
    ),
    primary!(
        "the primary interface is not the first",
        "device-number",
        "1",
        &["network-second-interface-has-its-own-folder"]
    ),
    primary!("an interface has another MAC", "mac", "0a:87:40:4a:4a:12", &["interface-has-the-mac-of-its-folder"]),
    told!(
        "the instance has other groups than its interface",
        "meta-data/security-groups",
        "other",
        &["items-of-the-instance-are-those-of-its-primary-interface"]
    ),
    primary!(
        "the block of the VPC is none of its blocks",
        "vpc-ipv4-cidr-block",
        "10.1.0.0/16",
        &["vpc-block-is-among-those-of-the-vpc"]
    ),
    primary!(
        "an address is outside its subnet",
        "subnet-ipv4-cidr-block",
        "10.0.128.0/24",
        &["subnet-has-the-addresses-of-its-interfaces"]
    ),
    Mutation::of_answers(
        "a subnet is outside its VPC",
        |asked, answered| {
            for name in ["vpc-ipv4-cidr-block", "vpc-ipv4-cidr-blocks"] {
                of_primary(asked, answered, name, "10.128.0.0/16");
            }
        },
        &["vpc-has-the-blocks-of-its-subnets"],
    ),
    told!("a public name is missing at one place", "meta-data/public-hostname", "", &["public-address-is-told-alike"]),
    Mutation::of_answers(
        "the public name is that of another address",
        |asked, answered| {
            tell_all(asked, answered, "/public-hostname", "ec2-203-0-113-99.compute-1.amazonaws.com");
        },
        &["public-name-is-made-of-the-address"],
    ),
    as_another!(
        "there is a public name without an address",
        "/latest/meta-data/public-hostname",
        "/latest/meta-data/hostname",
        &["menu-is-missing-what-the-instance-is-missing", "public-name-is-missing-without-a-public-address"]
    )
    .of("public-ip-address = false"),
    Mutation::of_answers(
        "a public address stands for one that is elsewhere",
        |asked, answered| {
            if path(asked).contains("/ipv4-associations/2") {
                answered.set_body("10.0.0.99");
            }
        },
        &["addresses-are-associated-with-those-of-the-interface"],
    ),
    Mutation::of_both(
        "the instance has two roles",
        |asked| asked.target = asked.target.replace("/security-credentials/zebra", "/security-credentials/imds"),
        |asked, answered| tell(asked, answered, "meta-data/iam/security-credentials", "imds\nzebra"),
        &["role-that-is-listed-has-credentials"],
    ),
    told!("a role has no profile", "meta-data/iam", "security-credentials/", &["role-and-profile-are-there-together"]),
    as_another!(
        "there is a profile that is not listed",
        "/latest/meta-data/iam/info",
        "/latest/meta-data/instance-id",
        &["iam-is-missing-without-a-profile"]
    )
    .of("iam-instance-profile = false"),
    changed!(
        "the profile is of another partition",
        "meta-data/iam/info",
        "arn:aws:",
        "arn:aws-cn:",
        &["profile-is-one-of-the-partition"]
    ),
    told!("a tag has two values", "meta-data/tags/instance/Name", "other", &["tags-are-told-alike-in-both-forms"])
        .of(EVERYTHING),
    as_another!(
        "there is a folder of no tags",
        "/latest/meta-data/tags/",
        "/latest/meta-data/",
        &["tags-enabled-without-tags-are-not-there"]
    )
    .of(NO_TAGS),
    told!(
        "tags are in reverse",
        "meta-data/tags/instance",
        "empty\naws:autoscaling:groupName\nName",
        &["listing-is-in-byte-order", "tags-are-listed-in-byte-order"]
    )
    .of(EVERYTHING),
    // User data.
    Mutation::of_answers(
        "user data is text",
        |asked, answered| {
            if path(asked) == "user-data" && answered.status == 200 {
                answered.set("Content-Type", "text/plain");
            }
        },
        &["user-data-is-what-was-supplied"],
    )
    .of(EVERYTHING),
    Mutation::of_answers("user data is another's", |_, _| (), &["user-data-is-what-was-supplied"])
        .of(EVERYTHING)
        .described(r#"{"user-data-base64": "IyEvYmluL3NoCg=="}"#),
    Mutation::of_answers(
        "user data has a coding",
        |asked, answered| {
            if path(asked) == "user-data" && answered.status == 200 {
                answered.set("Content-Encoding", "gzip");
            }
        },
        &["user-data-may-be-binary"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "user data is another under 2009-04-04",
        |asked, answered| replace(asked, answered, "/2009-04-04/user-data", "echo", "exec"),
        &["user-data-is-the-same-under-2009-04-04", "values-are-equal-in-all-versions"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "user data is another under 1.0",
        |asked, answered| replace(asked, answered, "/1.0/user-data", "echo", "exec"),
        &["user-data-is-the-same-in-every-version"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "user data is not listed",
        |asked, answered| {
            for target in ["/latest", "/latest/"] {
                replace(asked, answered, target, "\nuser-data", "");
            }
        },
        &["version-root-without-user-data-lacks-its-name"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "an old version lists user data that is not there",
        |asked, answered| list(asked, answered, "/2008-09-01/", "user-data"),
        &["version-root-before-2009-04-04-may-list-meta-data-alone"],
    ),
    Mutation::of_answers(
        "user data that is not there is gone",
        |asked, answered| {
            if asked.target == "/latest/user-data" {
                answered.set_status(410, "Gone");
            }
        },
        &["user-data-missing-is-404"],
    ),
    as_another!(
        "user data is there under 1.0 alone",
        "/1.0/user-data",
        "/1.0/meta-data/",
        &["user-data-missing-is-404-in-every-version"]
    ),
    // The identity document.
    told!(
        "a signature is not listed",
        "dynamic/instance-identity",
        "document\npkcs7\nsignature",
        &["identity-folder-lists-document-and-signatures"]
    ),
    as_another!(
        "dsa2048 is there",
        "/latest/dynamic/instance-identity/dsa2048",
        "/latest/dynamic/instance-identity/rsa2048",
        &["identity-dsa2048-is-gone"]
    ),
    changed!(
        "the document is of another version",
        DOCUMENT,
        "2017-09-30",
        "2010-08-31",
        &[
            "identity-document-has-fifteen-fields",
            "identity-pkcs7-holds-the-document",
            "identity-rsa2048-holds-the-document",
        ]
    ),
    changed!(
        "codes stand in brackets without spaces",
        DOCUMENT,
        "[ \"bp-6ba54002\" ]",
        "[\"bp-6ba54002\"]",
        &[
            "identity-document-tells-codes-as-arrays",
            "identity-pkcs7-holds-the-document",
            "identity-rsa2048-holds-the-document",
        ]
    )
    .of(EVERYTHING),
    changed!(
        "the architecture is amd64",
        DOCUMENT,
        "x86_64",
        "amd64",
        &[
            "identity-document-tells-the-architecture",
            "identity-pkcs7-holds-the-document",
            "identity-rsa2048-holds-the-document",
        ]
    ),
    Mutation::of_answers(
        "the document changes",
        |asked, answered| {
            static READS: AtomicUsize = AtomicUsize::new(0);
            if asked.target == "/latest/dynamic/instance-identity/document" && READS.fetch_add(1, Ordering::Relaxed) > 0
            {
                change(asked, answered, DOCUMENT, "Z\"", "Z\" ");
            }
        },
        &["identity-document-is-the-same-at-all-times"],
    ),
    Mutation::of_answers(
        "the document has another line end under the newest version",
        |asked, answered| {
            if asked.target.starts_with("/2026-04-15/dynamic/instance-identity/document") {
                answered.body.push(b'\n');
                answered.set_body(answered.body.clone());
            }
        },
        &["identity-document-is-the-same-in-every-version"],
    ),
    as_another!(
        "signatures are older than the document",
        "/2008-09-01/dynamic/instance-identity/signature",
        "/2009-04-04/dynamic/instance-identity/signature",
        &["identity-signatures-from-2009-04-04"]
    ),
    changed!(
        "a signature is one line",
        "dynamic/instance-identity/signature",
        "\n",
        "",
        &["identity-signatures-stand-in-lines-of-76"]
    ),
    Mutation::of_answers(
        "a signature changes",
        |asked, answered| {
            static READS: AtomicUsize = AtomicUsize::new(0);
            if asked.target == "/latest/dynamic/instance-identity/pkcs7" && READS.fetch_add(1, Ordering::Relaxed) > 0 {
                answered.set_body("MIAG");
            }
        },
        &["identity-signatures-are-the-same-at-each-read"],
    ),
    told!(
        "a signature is short",
        "dynamic/instance-identity/signature",
        "QUJD",
        &["identity-signature-is-of-1024-bits"]
    ),
    told!(
        "a message is none",
        "dynamic/instance-identity/rsa2048",
        "QUJD",
        &["identity-messages-have-the-layout-of-ec2", "identity-rsa2048-holds-the-document"]
    ),
    Mutation::of_requests(
        "both messages are the same",
        |asked| asked.target = asked.target.replace("/instance-identity/pkcs7", "/instance-identity/rsa2048"),
        &["identity-messages-have-the-layout-of-ec2"],
    ),
    Mutation::of_answers(
        "the signatures are others'",
        |_, _| (),
        &["identity-pkcs7-verifies", "identity-rsa2048-verifies", "identity-signature-verifies"],
    )
    .with_certificates_of_others(),
    // Events.
    told!(
        "no events are an array with a space",
        SCHEDULED,
        "[ ]",
        &["maintenance-events-are-an-empty-array-where-none-are"]
    ),
    changed!(
        "an event to come is planned",
        SCHEDULED,
        "\"active\"",
        "\"planned\"",
        &["maintenance-event-to-come-is-scheduled"]
    )
    .of(EVERYTHING),
    changed!(
        "an event that is over is described as before",
        HISTORY,
        "[Completed] ",
        "",
        &["maintenance-event-completed-stands-in-history"]
    )
    .of(EVERYTHING),
    changed!(
        "an event that was canceled is described as before",
        HISTORY,
        "[Canceled] ",
        "",
        &["maintenance-event-canceled-stands-in-history"]
    )
    .of("events = [{ code = 'instance-stop', not-before = '2036-10-12T09:00:43Z', state = 'canceled' }]"),
    changed!(
        "an event without an end ends at null",
        SCHEDULED,
        "  \"State\"",
        "  \"NotAfter\" : null,\n  \"State\"",
        &["maintenance-event-to-come-is-scheduled", "maintenance-event-without-an-end-has-no-not-after"]
    )
    .of("events = [{ code = 'instance-stop', not-before = '2036-10-12T09:00:43Z', not-after = false }]"),
    changed!(
        "an event begins on a line of its own",
        SCHEDULED,
        "[ {",
        "[\n{",
        &["maintenance-event-opens-and-closes-on-the-line-of-the-array"]
    )
    .of(EVERYTHING),
    changed!("an interruption is spaced", SPOT, "\":\"", "\": \"", &["spot-instance-action-is-compact-json"])
        .of(EVERYTHING),
    told!(
        "the termination has another time",
        "meta-data/spot/termination-time",
        "2026-09-28T00:00:00Z",
        &["spot-termination-time-is-that-of-the-action"]
    )
    .of(EVERYTHING),
    as_another!(
        "a stop has a termination time",
        "/latest/meta-data/spot/termination-time",
        "/latest/meta-data/instance-id",
        &["spot-stop-has-no-termination-time"]
    )
    .of(SPOT_STOP),
    told!(
        "an instance on demand is interrupted",
        "meta-data/instance-life-cycle",
        "on-demand",
        &["spot-notices-are-of-spot-instances"]
    )
    .of(EVERYTHING),
    told!(
        "a recommendation has no time",
        "meta-data/events/recommendations/rebalance",
        r#"{"noticeTime": "soon"}"#,
        &["rebalance-recommendation-is-there-from-its-notice-on"]
    )
    .of(EVERYTHING),
];

const SPOT: &str = "meta-data/spot/instance-action";
const SPOT_STOP: &str = "allow-warnings = ['interruption-in-the-past']\ninstance-lifecycle = 'spot'\n\
                         spot-interruption = { action = 'stop', time = '2026-09-27T00:00:00Z' }";
