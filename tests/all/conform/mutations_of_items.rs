//! Services that list wrongly, or show under a version what it does not have.

use super::Mutation;
use super::flawed::{Answered, Asked};

/// An instance that has everything that one can have.
pub const EVERYTHING: &str = include_str!("../../instances/everything.toml");

/// The part of a target behind the version.
pub fn path(asked: &Asked) -> &str {
    asked.target.trim_start_matches('/').split_once('/').map_or("", |(_, path)| path)
}

/// Tells another value of an item, in every version.
pub fn tell(asked: &Asked, answered: &mut Answered, item: &str, value: &str) {
    if answered.status == 200 && path(asked).trim_end_matches('/') == item {
        answered.set_body(value);
    }
}

/// Tells another value of each item that ends so, in every version.
pub fn tell_all(asked: &Asked, answered: &mut Answered, end: &str, value: &str) {
    if answered.status == 200 && path(asked).ends_with(end) {
        answered.set_body(value);
    }
}

/// Puts one text in place of another in what a target answers.
pub fn replace(asked: &Asked, answered: &mut Answered, target: &str, old: &str, new: &str) {
    if answered.status == 200 && asked.target == target {
        let body = String::from_utf8_lossy(&answered.body).replace(old, new);
        answered.set_body(body);
    }
}

/// Takes a line out of a listing.
fn hide(asked: &Asked, answered: &mut Answered, target: &str, name: &str) {
    if answered.status == 200 && asked.target == target {
        let body = String::from_utf8_lossy(&answered.body).into_owned();
        let lines: Vec<&str> = body.split('\n').filter(|line| *line != name).collect();
        answered.set_body(lines.join("\n"));
    }
}

/// Adds a line to a listing.
pub fn list(asked: &Asked, answered: &mut Answered, target: &str, name: &str) {
    if answered.status == 200 && asked.target == target {
        let body = String::from_utf8_lossy(&answered.body).into_owned();
        let mut lines: Vec<&str> = body.split('\n').chain([name]).collect();
        lines.sort_unstable();
        answered.set_body(lines.join("\n"));
    }
}

/// A service that tells another value of an item.
macro_rules! told {
    ($name:literal, $item:expr, $value:expr, $breaks:expr) => {
        Mutation::of_answers($name, |asked, answered| tell(asked, answered, $item, $value), $breaks)
    };
}
pub(super) use told;

/// A service that answers one target as it does another.
macro_rules! as_another {
    ($name:expr, $target:expr, $other:expr, $breaks:expr) => {
        Mutation::of_requests($name, |asked| asked.replace_target($target, $other), $breaks)
    };
}
pub(super) use as_another;

/// A service whose menu of a version lacks a name.
macro_rules! lacks {
    ($version:literal, $name:literal, $breaks:expr) => {
        Mutation::of_answers(
            concat!("the menu of ", $version, " lacks ", $name),
            |asked, answered| hide(asked, answered, concat!("/", $version, "/meta-data/"), $name),
            $breaks,
        )
    };
}

/// A service that shows an item under a version that is older than it.
macro_rules! early {
    ($before:literal, $since:literal, $item:literal, $check:literal) => {
        as_another!(
            concat!($item, " is there in ", $before),
            concat!("/", $before, "/", $item),
            concat!("/", $since, "/", $item),
            &[$check]
        )
        .of(EVERYTHING)
    };
}

pub const ALL: &[Mutation] = &[
    Mutation::of_answers(
        "two versions change places",
        |asked, answered| {
            replace(asked, answered, "/", "2007-01-19\n2007-03-01", "2007-03-01\n2007-01-19");
        },
        &["root-lists-the-versions"],
    ),
    Mutation::of_answers(
        "a version lists with slashes",
        |asked, answered| {
            for target in ["/latest", "/latest/"] {
                replace(asked, answered, target, "dynamic\nmeta-data", "dynamic/\nmeta-data/");
            }
        },
        &["version-root-lists-without-slashes"],
    ),
    told!(
        "a listing ends with a line end",
        "meta-data/placement",
        "availability-zone\n",
        &["listing-has-a-name-a-line"]
    ),
    told!(
        "a listing is in reverse",
        "meta-data/events/maintenance",
        "scheduled\nhistory",
        &["listing-is-in-byte-order"]
    ),
    told!(
        "a folder is listed without a slash",
        "meta-data/events",
        "maintenance",
        &["listing-marks-folders-with-a-slash"]
    ),
    told!("a key is listed without its name", "meta-data/public-keys", "0", &["public-key-is-listed-with-its-name"]),
    Mutation::of_answers(
        "latest lists what is not there",
        |asked, answered| list(asked, answered, "/latest/meta-data/", "zebra"),
        &["everything-listed-answers"],
    ),
    Mutation::of_answers(
        "2009-04-04 lists what is not there",
        |asked, answered| list(asked, answered, "/2009-04-04/meta-data/", "zebra"),
        &["client-cloud-init-crawls-2009-04-04"],
    ),
    Mutation::of_answers(
        "2021-03-23 lists a folder that is none",
        |asked, answered| list(asked, answered, "/2021-03-23/meta-data/", "zebra/"),
        &["client-cloud-init-crawls-2021-03-23"],
    ),
    as_another!(
        "the root volume is ebs0 too",
        "/latest/meta-data/block-device-mapping/ebs0",
        "/latest/meta-data/block-device-mapping/ami",
        &["menu-is-missing-what-the-instance-is-missing"]
    ),
    Mutation::of_requests(
        "an interface has IPv6 addresses that it does not list",
        |asked| {
            if asked.target.ends_with("/ipv6s") {
                asked.target = asked.target.replace("/ipv6s", "/mac");
            }
        },
        &["network-interface-without-extras-is-missing-them"],
    ),
    as_another!(
        "a role has any name",
        "/latest/meta-data/iam/security-credentials/no-such-role",
        "/latest/meta-data/iam/security-credentials/imds",
        &["role-credentials-of-another-name-are-not-found"]
    ),
    as_another!(
        "a key is found as it is listed",
        "/latest/meta-data/public-keys/0=imds",
        "/latest/meta-data/public-keys/0",
        &["public-key-listed-form-is-no-path"]
    ),
    // Versions.
    as_another!(
        "the version before an unknown one answers",
        "/2021-03-24/meta-data/",
        "/2021-03-23/meta-data/",
        &["version-unknown-is-not-found"]
    ),
    as_another!(
        "a version that is listed does not answer",
        "/2018-09-24/meta-data/",
        "/no-version/",
        &["versions-listed-answer"]
    ),
    lacks!("1.0", "ami-launch-index", &["version-1-0-has-nine-items"]),
    lacks!("2007-01-19", "local-hostname", &["version-2007-01-19-adds-local-hostname"]),
    lacks!("2007-08-29", "instance-type", &["version-2007-08-29-adds-instance-type"]),
    lacks!("2007-12-15", "profile", &["version-2007-12-15-adds-block-device-mapping-and-profile"]),
    lacks!("2008-02-01", "placement/", &["version-2008-02-01-adds-placement"]),
    lacks!("2008-09-01", "instance-action", &["version-2008-09-01-adds-instance-action"]),
    lacks!("2011-01-01", "network/", &["version-2011-01-01-adds-mac-and-network"]),
    lacks!("2011-05-01", "metrics/", &["version-2011-05-01-adds-metrics"]),
    lacks!("2012-01-12", "iam/", &["version-2012-01-12-adds-iam"]),
    lacks!("2014-02-25", "services/", &["version-2014-02-25-adds-services"]),
    lacks!("2018-03-28", "identity-credentials/", &["version-2018-03-28-adds-identity-credentials"]),
    lacks!("2018-08-17", "events/", &["version-2018-08-17-adds-events"]),
    lacks!("2019-10-01", "instance-life-cycle", &["version-2019-10-01-adds-instance-life-cycle"]),
    lacks!("2021-07-15", "tags/", &["version-2021-03-23-adds-tags"]).of(EVERYTHING),
    lacks!("2022-09-24", "system", &["version-2022-09-24-adds-system", "version-2026-04-15-adds-nothing"]),
    lacks!("2025-10-04", "tag-sets/", &["version-2025-10-04-adds-tag-sets", "version-2026-04-15-adds-nothing"])
        .of(EVERYTHING),
    as_another!(
        "an item is there before its version though its menu lacks it",
        "/2008-02-01/meta-data/instance-action",
        "/latest/meta-data/instance-action",
        &["version-2008-09-01-adds-instance-action"]
    ),
    as_another!(
        "dynamic is older than it is",
        "/2008-09-01/dynamic/",
        "/2009-04-04/dynamic/",
        &["version-2009-04-04-adds-dynamic"]
    ),
    Mutation::of_answers(
        "a version lists dynamic before it is there",
        |asked, answered| list(asked, answered, "/2008-09-01/", "dynamic"),
        &["version-root-before-2009-04-04-has-no-dynamic"],
    )
    .of(EVERYTHING),
    Mutation::of_answers(
        "the newest version has something new",
        |asked, answered| list(asked, answered, "/2026-04-15/meta-data/", "zebra"),
        &["version-2026-04-15-adds-nothing"],
    ),
    early!("2018-09-24", "2019-10-01", "meta-data/placement/region", "placement-shows-more-from-2019-10-01"),
    early!(
        "2014-11-05",
        "2015-10-20",
        "meta-data/services/partition",
        "services-domain-from-2014-02-25-and-partition-from-2015-10-20"
    ),
    early!(
        "2009-04-04",
        "2011-01-01",
        "meta-data/network/interfaces/macs/0a:0e:63:fe:62:a1/interface-id",
        "network-interface-is-not-there-before-2011-01-01"
    ),
    early!(
        "2016-04-19",
        "2016-06-30",
        "meta-data/network/interfaces/macs/0a:0e:63:fe:62:a1/vpc-ipv4-cidr-blocks",
        "network-vpc-ipv4-cidr-blocks-from-2016-06-30"
    ),
    early!(
        "2016-04-19",
        "2016-06-30",
        "meta-data/network/interfaces/macs/0a:0e:63:fe:62:a1/vpc-ipv6-cidr-blocks",
        "network-ipv6-from-2016-06-30"
    ),
    early!(
        "2019-10-01",
        "2020-10-27",
        "meta-data/network/interfaces/macs/0a:0e:63:fe:62:a1/network-card",
        "network-card-from-2020-10-27"
    ),
    early!("1.0", "2007-01-19", "meta-data/public-ipv4", "public-address-and-name-from-2007-01-19"),
    early!("2020-10-27", "2021-01-03", "meta-data/ipv6", "ipv6-from-2021-01-03"),
    early!("2007-01-19", "2007-03-01", "meta-data/product-codes", "product-codes-from-2007-03-01"),
    early!("2007-08-29", "2007-10-10", "meta-data/ancestor-ami-ids", "ancestor-ami-ids-from-2007-10-10"),
    early!("2007-12-15", "2008-02-01", "meta-data/kernel-id", "kernel-id-from-2008-02-01"),
    early!("2007-08-29", "2007-10-10", "meta-data/ramdisk-id", "ramdisk-id-from-2007-10-10"),
    early!("2008-09-01", "2009-04-04", "dynamic/fws/instance-monitoring", "monitoring-in-detail-shows-fws"),
    early!("2011-05-01", "2012-01-12", "meta-data/iam/info", "iam-info-from-2012-01-12"),
    early!("2018-03-28", "2018-08-17", "meta-data/events/maintenance/scheduled", "maintenance-events-from-2018-08-17"),
    early!(
        "2021-03-23",
        "2021-07-15",
        "meta-data/autoscaling/target-lifecycle-state",
        "autoscaling-state-from-2021-07-15"
    ),
    early!("2021-01-03", "2021-03-23", "meta-data/tags/instance/Name", "tags-from-2021-03-23"),
    early!("2016-06-30", "2016-09-02", "meta-data/spot/instance-action", "spot-items-have-versions"),
    early!(
        "2016-06-30",
        "2016-09-02",
        "meta-data/elastic-gpus/associations/egpu-0123456789abcdef0",
        "elastic-gpus-from-2016-09-02"
    ),
    early!(
        "2018-08-17",
        "2018-09-24",
        "meta-data/elastic-inference/associations/eia-bfa21c7904f64a82a21b9f4540169ce1",
        "elastic-inference-from-2018-09-24"
    ),
    early!(
        "2018-08-17",
        "2018-09-24",
        "meta-data/hibernation/configured",
        "hibernation-configured-is-told-from-2018-09-24"
    ),
    Mutation::of_answers(
        "1.0 tells another host name",
        |asked, answered| replace(asked, answered, "/1.0/meta-data/hostname", "ip-", "host-"),
        &["items-of-version-1-0-answer-everywhere"],
    ),
    Mutation::of_answers(
        "2009-04-04 tells another type",
        |asked, answered| replace(asked, answered, "/2009-04-04/meta-data/instance-type", "t3.micro", "t3.nano"),
        &["values-are-equal-in-all-versions"],
    ),
    Mutation::of_both(
        "2009-04-04 has the zone's id",
        |asked| {
            let new = "/latest/meta-data/placement/availability-zone-id";
            asked.replace_target("/2009-04-04/meta-data/placement/availability-zone-id", new);
        },
        |asked, answered| list(asked, answered, "/2009-04-04/meta-data/placement/", "availability-zone-id"),
        &["versions-show-nothing-newer"],
    ),
];
