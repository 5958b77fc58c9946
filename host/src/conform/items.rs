//! The items of the real service, and the version that first shows each.
//!
//! The sources are public: the EC2 user guide, "Instance metadata categories", and
//! recordings of 2026-09. If a documented date is not a version, the table has the version
//! before it, as recorded for `placement/region`.

/// The dated versions as recorded in 2026-09, oldest first.
pub const VERSIONS: [&str; 30] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-09-24",
    "2024-04-11",
    "2025-10-04",
    "2026-04-15",
];

/// The first version of what nobody knows the date of, so that it is after all dates.
const LATEST: &str = "latest";

/// Each item by its path below a version, in which `*` is any name, with its first version.
/// The first match counts.
const ITEMS: &[(&str, &str)] = &[
    ("user-data", "1.0"),
    ("dynamic/fws/instance-monitoring", "2009-04-04"),
    ("dynamic/instance-identity/*", "2009-04-04"),
    ("meta-data/ami-id", "1.0"),
    ("meta-data/ami-launch-index", "1.0"),
    ("meta-data/ami-manifest-path", "1.0"),
    ("meta-data/ancestor-ami-ids", "2007-10-10"),
    ("meta-data/autoscaling/target-lifecycle-state", "2021-07-15"),
    ("meta-data/block-device-mapping/*", "2007-12-15"),
    ("meta-data/elastic-gpus/associations/*", "2016-09-02"),
    ("meta-data/elastic-inference/associations/*", "2018-09-24"),
    ("meta-data/events/maintenance/history", "2018-08-17"),
    ("meta-data/events/maintenance/scheduled", "2018-08-17"),
    ("meta-data/events/recommendations/rebalance", "2020-10-27"),
    ("meta-data/hibernation/configured", "2018-09-24"),
    ("meta-data/hostname", "1.0"),
    ("meta-data/iam/info", "2012-01-12"),
    ("meta-data/iam/security-credentials/*", "2012-01-12"),
    ("meta-data/identity-credentials/ec2/info", "2018-03-28"),
    ("meta-data/identity-credentials/ec2/security-credentials/*", "2018-03-28"),
    ("meta-data/instance-action", "2008-09-01"),
    ("meta-data/instance-id", "1.0"),
    ("meta-data/instance-life-cycle", "2019-10-01"),
    ("meta-data/instance-type", "2007-08-29"),
    ("meta-data/ipv6", "2021-01-03"),
    ("meta-data/kernel-id", "2008-02-01"),
    ("meta-data/local-hostname", "2007-01-19"),
    ("meta-data/local-ipv4", "1.0"),
    ("meta-data/mac", "2011-01-01"),
    ("meta-data/metrics/vhostmd", "2011-05-01"),
    ("meta-data/network/interfaces/macs/*/ipv4-associations/*", "2011-01-01"),
    ("meta-data/network/interfaces/macs/*/ipv6s", "2016-06-30"),
    ("meta-data/network/interfaces/macs/*/network-card", "2020-10-27"),
    ("meta-data/network/interfaces/macs/*/subnet-ipv6-cidr-blocks", "2016-06-30"),
    ("meta-data/network/interfaces/macs/*/vpc-ipv4-cidr-blocks", "2016-06-30"),
    ("meta-data/network/interfaces/macs/*/vpc-ipv6-cidr-blocks", "2016-06-30"),
    ("meta-data/network/interfaces/macs/*/ipv4-prefix", LATEST),
    ("meta-data/network/interfaces/macs/*/ipv6-prefix", LATEST),
    ("meta-data/network/interfaces/macs/*/*", "2011-01-01"),
    ("meta-data/placement/availability-zone", "2008-02-01"),
    ("meta-data/placement/*", "2019-10-01"),
    ("meta-data/product-codes", "2007-03-01"),
    ("meta-data/profile", "2007-12-15"),
    ("meta-data/public-hostname", "2007-01-19"),
    ("meta-data/public-ipv4", "2007-01-19"),
    ("meta-data/public-keys/*/openssh-key", "1.0"),
    ("meta-data/ramdisk-id", "2007-10-10"),
    ("meta-data/reservation-id", "1.0"),
    ("meta-data/security-groups", "1.0"),
    ("meta-data/services/domain", "2014-02-25"),
    ("meta-data/services/partition", "2015-10-20"),
    ("meta-data/spot/instance-action", "2016-09-02"),
    ("meta-data/spot/termination-time", "2014-11-05"),
    ("meta-data/system", "2022-09-24"),
    ("meta-data/tag-sets/instance", "2025-10-04"),
    ("meta-data/tags/instance/*", "2021-03-23"),
];

/// Folders of items whose first version nobody knows.
const FOLDERS: &[&str] = &["meta-data/managed-ssh-keys/active-keys", "meta-data/managed-ssh-keys/signer-ocsp"];

/// The paths of items and folders that need no listing to be known: those without a `*`, and
/// the folders above the first `*` of the others.
pub fn known() -> impl Iterator<Item = &'static str> {
    let known = |(pattern, _): &(&'static str, &str)| pattern.split_once("/*").map_or(*pattern, |(folder, _)| folder);
    let mut seen = std::collections::BTreeSet::new();
    ITEMS.iter().map(known).filter(move |path| seen.insert(*path))
}

/// The first version of an item or a folder; `None` if it is not known.
pub fn since(path: &str) -> Option<&'static str> {
    let item = ITEMS.iter().find(|(pattern, _)| matches(pattern, path) && !is_folder(path));
    let below = ITEMS.iter().filter(|(pattern, _)| is_above(path, pattern));
    // A folder is as old as the oldest item in it.
    item.map(|(_, since)| *since).or_else(|| below.map(|(_, since)| *since).min())
}

/// Whether the real service has a folder at this path, rather than an item.
pub fn is_folder(path: &str) -> bool {
    path.is_empty()
        || FOLDERS.iter().any(|folder| *folder == path || is_above(path, folder))
        || ITEMS.iter().any(|(pattern, _)| is_above(path, pattern))
}

/// Whether a path matches a pattern, in which `*` is any name.
pub fn matches(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|wanted| names.next().is_some_and(|name| wanted == "*" || wanted == name))
        && names.next().is_none()
}

/// Whether a path is a parent folder of the pattern.
fn is_above(path: &str, pattern: &str) -> bool {
    let mut wanted = pattern.split('/');
    path.split('/').all(|name| wanted.next().is_some_and(|wanted| wanted == "*" || wanted == name))
        && wanted.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_and_folders_have_a_first_version() {
        for (path, version) in [
            ("meta-data/ami-id", Some("1.0")),
            ("meta-data/placement/availability-zone", Some("2008-02-01")),
            ("meta-data/placement/region", Some("2019-10-01")),
            ("meta-data/placement", Some("2008-02-01")),
            ("meta-data/network", Some("2011-01-01")),
            ("meta-data/network/interfaces/macs/0e:ff:f8:7e:c2:e9/ipv6s", Some("2016-06-30")),
            ("meta-data/network/interfaces/macs/0e:ff:f8:7e:c2:e9/ipv4-associations", Some("2011-01-01")),
            ("meta-data/spot", Some("2014-11-05")),
            ("meta-data/managed-ssh-keys", None),
            ("meta-data/no-such", None),
        ] {
            assert_eq!(since(path), version, "{path}");
        }
    }

    #[test]
    fn folders_are_known_by_what_is_below_them() {
        for path in ["", "meta-data", "meta-data/iam", "meta-data/public-keys/0", "meta-data/tags/instance"] {
            assert!(is_folder(path), "{path}");
        }
        for path in ["user-data", "meta-data/system", "meta-data/tags/instance/Name", "meta-data/tag-sets/instance"] {
            assert!(!is_folder(path), "{path}");
        }
    }

    #[test]
    fn every_first_version_is_one_that_is_listed() {
        assert!(VERSIONS.is_sorted());
        assert!(ITEMS.iter().all(|(_, since)| VERSIONS.contains(since) || *since == LATEST));
    }

    /// The items below a folder of `latest` that an instance has.
    fn items(get: &dyn Fn(&str) -> Option<String>, folder: &str, found: &mut Vec<String>) {
        for name in get(&format!("/latest/{folder}")).unwrap_or_default().lines() {
            // A key pair is listed with its name, and is a folder by its number.
            let name = name.split_once('=').map_or(name.to_owned(), |(number, _)| format!("{number}/"));
            match name.ends_with('/') {
                true => items(get, &format!("{folder}{name}"), found),
                false => found.push(format!("{folder}{name}")),
            }
        }
    }

    #[test]
    fn first_versions_are_those_of_the_component() {
        let toml = include_str!("../../../tests/instances/everything.toml");
        let description = crate::description::Description::from_toml("everything.toml", toml).unwrap();
        let instance = crate::engine::Runtime::new().unwrap().open(&description).unwrap();
        let now = crate::engine::Moment::at(1_790_812_830_000, 1);
        let put = crate::engine::Request { method: "PUT".into(), ..crate::engine::Request::get("/latest/api/token") };
        let token = instance.answer(&put.with("X-aws-ec2-metadata-token-ttl-seconds", "60"), now).body;
        let get = |path: &str| {
            let request = crate::engine::Request::get(path).with("X-aws-ec2-metadata-token", token.clone());
            let answer = instance.answer(&request, now);
            (answer.status == 200).then(|| String::from_utf8_lossy(&answer.body).into_owned())
        };
        assert_eq!(get("/"), Some(format!("{}\n{LATEST}", VERSIONS.join("\n"))));
        let mut found = Vec::new();
        for folder in ["meta-data/", "dynamic/"] {
            items(&get, folder, &mut found);
        }
        assert!(found.len() > 80, "{found:?}");
        for path in found {
            let first = VERSIONS.iter().find(|version| get(&format!("/{version}/{path}")).is_some());
            if let Some(since) = since(&path) {
                assert_eq!(since, *first.unwrap_or(&LATEST), "{path}");
            }
        }
    }
}
