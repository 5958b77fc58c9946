//! What a dated version shows.

use super::super::crawl::{Entry, Tree, target};
use super::super::judge::{CAPTURE, rule, shown};
use super::super::{Area, Asked, Check, Evidence, Stop, Subject, items, not_applicable};

pub const CHECKS: &[Check] = &[
    Check::of_case("version-unknown-is-not-found", Area::Versions, unknown_versions),
    Check::with_rule(
        "versions-listed-answer",
        Area::Versions,
        rule("Every version that `/` lists has a listing of `meta-data/`.", CAPTURE, Evidence::Recorded),
        versions_answer,
    ),
    Check::of_case("version-1-0-has-nine-items", Area::Versions, nine_items),
    adds("version-2007-01-19-adds-local-hostname", |subject| menus_have(subject, &["local-hostname"])),
    adds("version-2007-08-29-adds-instance-type", |subject| menus_have(subject, &["instance-type"])),
    adds("version-2007-12-15-adds-block-device-mapping-and-profile", |subject| {
        menus_have(subject, &["block-device-mapping/", "profile"])
    }),
    adds("version-2008-02-01-adds-placement", |subject| menus_have(subject, &["placement/"])),
    adds("version-2008-09-01-adds-instance-action", |subject| menus_have(subject, &["instance-action"])),
    adds("version-2009-04-04-adds-dynamic", adds_dynamic),
    adds("version-2011-01-01-adds-mac-and-network", |subject| menus_have(subject, &["mac", "network/"])),
    adds("version-2011-05-01-adds-metrics", |subject| menus_have(subject, &["metrics/"])),
    adds("version-2012-01-12-adds-iam", |subject| menus_have(subject, &["iam/"])),
    adds("version-2014-02-25-adds-services", |subject| menus_have(subject, &["services/"])),
    adds("version-2018-03-28-adds-identity-credentials", |subject| menus_have(subject, &["identity-credentials/"])),
    adds("version-2018-08-17-adds-events", |subject| menus_have(subject, &["events/"])),
    adds("version-2019-10-01-adds-instance-life-cycle", |subject| menus_have(subject, &["instance-life-cycle"])),
    adds("version-2021-03-23-adds-tags", |subject| menus_have(subject, &["tags/"])),
    adds("version-2022-09-24-adds-system", |subject| menus_have(subject, &["system"])),
    adds("version-2025-10-04-adds-tag-sets", |subject| menus_have(subject, &["tag-sets/"])),
    Check::of_case("version-2026-04-15-adds-nothing", Area::Versions, adds_nothing),
    Check::of_case("version-root-before-2009-04-04-has-no-dynamic", Area::Versions, root_before_dynamic),
    gated("placement-shows-more-from-2019-10-01", |subject| {
        since(subject, "2019-10-01", &["meta-data/placement/availability-zone-id", "meta-data/placement/region"])
    }),
    gated("services-domain-from-2014-02-25-and-partition-from-2015-10-20", |subject| {
        since(subject, "2014-02-25", &["meta-data/services/domain"])?;
        since(subject, "2015-10-20", &["meta-data/services/partition"])
    }),
    gated("network-interface-is-not-there-before-2011-01-01", |subject| {
        since(subject, "2011-01-01", &["meta-data/network/interfaces/macs/*/interface-id"])
    }),
    gated("network-vpc-ipv4-cidr-blocks-from-2016-06-30", |subject| {
        since(subject, "2016-06-30", &["meta-data/network/interfaces/macs/*/vpc-ipv4-cidr-blocks"])
    }),
    gated("network-ipv6-from-2016-06-30", |subject| {
        let names = ["ipv6s", "subnet-ipv6-cidr-blocks", "vpc-ipv6-cidr-blocks"];
        since(subject, "2016-06-30", &names.map(|name| format!("meta-data/network/interfaces/macs/*/{name}")))
    }),
    gated("network-card-from-2020-10-27", |subject| {
        since(subject, "2020-10-27", &["meta-data/network/interfaces/macs/*/network-card"])
    }),
    gated("public-address-and-name-from-2007-01-19", |subject| {
        since(subject, "2007-01-19", &["meta-data/public-ipv4", "meta-data/public-hostname"])
    }),
    gated("ipv6-from-2021-01-03", |subject| since(subject, "2021-01-03", &["meta-data/ipv6"])),
    gated("product-codes-from-2007-03-01", |subject| since(subject, "2007-03-01", &["meta-data/product-codes"])),
    gated("ancestor-ami-ids-from-2007-10-10", |subject| since(subject, "2007-10-10", &["meta-data/ancestor-ami-ids"])),
    gated("kernel-id-from-2008-02-01", |subject| since(subject, "2008-02-01", &["meta-data/kernel-id"])),
    gated("ramdisk-id-from-2007-10-10", |subject| since(subject, "2007-10-10", &["meta-data/ramdisk-id"])),
    gated("monitoring-in-detail-shows-fws", |subject| {
        since(subject, "2009-04-04", &["dynamic/fws/instance-monitoring"])
    }),
    gated("iam-info-from-2012-01-12", |subject| since(subject, "2012-01-12", &["meta-data/iam/info"])),
    gated("maintenance-events-from-2018-08-17", |subject| {
        let names = ["meta-data/events/maintenance/history", "meta-data/events/maintenance/scheduled"];
        since(subject, "2018-08-17", &names)
    }),
    gated("autoscaling-state-from-2021-07-15", |subject| {
        since(subject, "2021-07-15", &["meta-data/autoscaling/target-lifecycle-state"])
    }),
    gated("tags-from-2021-03-23", |subject| since(subject, "2021-03-23", &["meta-data/tags/instance/*"])),
    gated("spot-items-have-versions", |subject| {
        since(subject, "2016-09-02", &["meta-data/spot/instance-action"])?;
        since(subject, "2014-11-05", &["meta-data/spot/termination-time"]).or_else(without_it)
    }),
    gated("elastic-gpus-from-2016-09-02", |subject| {
        since(subject, "2016-09-02", &["meta-data/elastic-gpus/associations/*"])
    }),
    gated("elastic-inference-from-2018-09-24", |subject| {
        since(subject, "2018-09-24", &["meta-data/elastic-inference/associations/*"])
    }),
    gated("hibernation-configured-is-told-from-2018-09-24", |subject| {
        since(subject, "2018-09-24", &["meta-data/hibernation/configured"])
    }),
    Check::of_case("items-of-version-1-0-answer-everywhere", Area::Versions, items_of_1_0),
    Check::with_rule(
        "values-are-equal-in-all-versions",
        Area::Versions,
        rule("An item of a dated version has the same value as in `latest`.", CAPTURE, Evidence::Inferred),
        values_are_equal,
    ),
    Check::with_rule(
        "versions-show-nothing-newer",
        Area::Versions,
        rule("A dated version lists nothing that later versions added.", CAPTURE, Evidence::Inferred),
        versions_show_nothing_newer,
    ),
];

type Judge = fn(&Subject<'_>) -> Result<(), Stop>;

const fn adds(id: &'static str, judge: Judge) -> Check {
    Check::of_case(id, Area::Versions, judge)
}

const fn gated(id: &'static str, judge: Judge) -> Check {
    Check::of_case(id, Area::Versions, judge)
}

/// Continues if the second part of a rule does not apply to the endpoint.
fn without_it(stop: Stop) -> Result<(), Stop> {
    if let Stop::NotApplicable(_) = stop { Ok(()) } else { Err(stop) }
}

fn unknown_versions(subject: &Subject<'_>) -> Result<(), Stop> {
    for version in ["0000-00-00", "2021-03-24"] {
        subject.is_not_found(subject.get(&format!("/{version}/meta-data/"))?)?;
    }
    Ok(())
}

/// Checks that each listed version has a menu.
fn versions_answer(subject: &Subject<'_>) -> Result<(), Stop> {
    for menu in subject.menus()? {
        if menu.asked.reply.status != 200 {
            let got = format!("status {}", menu.asked.reply.status_line());
            return Err(menu.asked.broken("status 200, since `/` lists the version", got));
        }
    }
    Ok(())
}

/// Checks that these names are in the menus from their first version on, and in none before
/// it. Names that latest does not have are skipped.
fn menus_have(subject: &Subject<'_>, names: &[&str]) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let Some(menu) = latest.find("meta-data") else { return not_applicable("latest has no menu") };
    let listed = menu.names();
    let bare = |name: &str| name.trim_end_matches('/').to_owned();
    let names: Vec<String> =
        names.iter().map(|name| bare(name)).filter(|name| listed.iter().any(|other| bare(other) == *name)).collect();
    if names.is_empty() {
        return not_applicable("latest does not have it");
    }
    for menu in subject.menus()?.iter().filter(|menu| menu.asked.reply.status == 200) {
        let shown: Vec<String> = menu.names().into_iter().map(bare).collect();
        for name in &names {
            let Some(since) = items::since(&format!("meta-data/{name}")) else { continue };
            match (menu.version.as_str() >= since, shown.contains(name)) {
                (true, false) => {
                    let expected = format!("`{name}`, which is there since {since}");
                    return Err(menu.asked.broken(expected, "a menu without it"));
                }
                (false, true) => {
                    let expected = format!("no `{name}`, which is there since {since}");
                    return Err(menu.asked.broken(expected, "a menu with it"));
                }
                _ => {}
            }
        }
    }
    // An item that is not listed does not exist.
    let versions = subject.versions()?;
    for name in names.iter().take(1) {
        let Some(since) = items::since(&format!("meta-data/{name}")) else { continue };
        if let Some(before) = versions.before(since) {
            subject.is_not_found(subject.get(&format!("/{before}/meta-data/{name}"))?)?;
        }
    }
    Ok(())
}

const NINE: [&str; 9] = [
    "ami-id",
    "ami-launch-index",
    "ami-manifest-path",
    "hostname",
    "instance-id",
    "local-ipv4",
    "public-keys/",
    "reservation-id",
    "security-groups",
];

fn nine_items(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let Some(menu) = latest.find("meta-data") else { return not_applicable("latest has no menu") };
    let of_latest = menu.names();
    let due: Vec<&str> = NINE.into_iter().filter(|name| of_latest.contains(name)).collect();
    let Some(first) = subject.menus()?.iter().find(|menu| menu.version == "1.0") else {
        return not_applicable("`/` does not list 1.0");
    };
    // Unknown names may be an operator's own.
    let mut names = first.names();
    names.retain(|name| items::since(&format!("meta-data/{}", name.trim_end_matches('/'))).is_some());
    if names == due {
        return Ok(());
    }
    Err(first.asked.broken(format!("{} and nothing else", due.join(", ")), shown(&names.join(", "))))
}

fn adds_nothing(subject: &Subject<'_>) -> Result<(), Stop> {
    let menus = subject.menus()?;
    let menu = |version: &str| menus.iter().find(|menu| menu.version == version);
    let mut was_compared = false;
    for (older, newer) in [("2022-09-24", "2024-04-11"), ("2025-10-04", "2026-04-15")] {
        let (Some(older), Some(newer)) = (menu(older), menu(newer)) else { continue };
        was_compared = true;
        if older.asked.reply.body != newer.asked.reply.body {
            let expected = format!("the menu of {}", older.version);
            return Err(newer.asked.broken(expected, shown(&newer.asked.reply.text())));
        }
    }
    if was_compared { Ok(()) } else { not_applicable("`/` lists no such versions") }
}

fn adds_dynamic(subject: &Subject<'_>) -> Result<(), Stop> {
    let versions = subject.versions()?;
    if let Some(first) = versions.from("2009-04-04") {
        let asked = subject.get(&format!("/{first}/dynamic/"))?.has_status(200)?;
        if !asked.reply.text().split('\n').any(|name| name == "instance-identity/") {
            return Err(asked.broken("instance-identity/ in the listing", shown(&asked.reply.text())));
        }
    }
    if let Some(before) = versions.before("2009-04-04") {
        subject.is_not_found(subject.get(&format!("/{before}/dynamic/"))?)?;
    }
    Ok(())
}

fn root_before_dynamic(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(before) = subject.versions()?.before("2009-04-04") else {
        return not_applicable("`/` lists no version before 2009-04-04");
    };
    let asked = subject.get(&format!("/{before}/"))?.has_status(200)?;
    let text = asked.reply.text();
    match &*text {
        "meta-data" | "meta-data\nuser-data" => Ok(()),
        _ => Err(asked.broken("meta-data and user-data, if there is any", shown(&text))),
    }
}

/// Checks that items of latest that match the patterns exist from a version on, with the
/// same value, and not in the version before it.
fn since<P: AsRef<str>>(subject: &Subject<'_>, version: &str, patterns: &[P]) -> Result<(), Stop> {
    let versions = subject.versions()?;
    let latest = subject.latest()?;
    let mut found = false;
    for pattern in patterns {
        // One item represents all that match.
        let Some(item) = latest.items(pattern.as_ref()).next() else { continue };
        found = true;
        if let Some(first) = versions.from(version) {
            let asked = subject.get(&target(first, &item.path, false))?.has_status(200)?;
            if !is_fleeting(&item.path) {
                is_equal(item, &asked)?;
            }
        }
        if let Some(before) = versions.before(version) {
            subject.is_not_found(subject.get(&target(before, &item.path, false))?)?;
        }
    }
    if found { Ok(()) } else { not_applicable("latest does not have it") }
}

/// Whether an item may change between two requests.
fn is_fleeting(path: &str) -> bool {
    let of_time = ["credentials", "iam/", "events/", "spot/", "autoscaling/"];
    of_time.iter().any(|part| path.contains(part))
}

/// Continues if a version has the same value of an item as latest. The values are not
/// shown, since user data is among them.
fn is_equal(of_latest: &Entry, asked: &Asked) -> Result<(), Stop> {
    if of_latest.asked.reply.body == asked.reply.body {
        return Ok(());
    }
    let lengths = (of_latest.asked.reply.body.len(), asked.reply.body.len());
    Err(asked.broken(format!("the {} bytes of latest", lengths.0), format!("other bytes, {} of them", lengths.1)))
}

fn items_of_1_0(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    if !subject.versions()?.dated.iter().any(|version| version == "1.0") {
        return not_applicable("`/` does not list 1.0");
    }
    let mut found = false;
    for name in NINE.iter().filter(|name| !name.ends_with('/')) {
        let Some(item) = latest.find(&format!("meta-data/{name}")) else { continue };
        found = true;
        is_equal(item, &subject.get(&target("1.0", &item.path, false))?.has_status(200)?)?;
    }
    if found { Ok(()) } else { not_applicable("latest has none of them") }
}

/// The crawls of the dated versions that exist.
fn dated<'s>(subject: &'s Subject<'_>) -> Result<Vec<&'s Tree>, Stop> {
    let trees = [subject.of_2009()?, subject.of_2021()?];
    let trees: Vec<&Tree> = trees.into_iter().filter(|tree| tree.find("meta-data").is_some()).collect();
    if trees.is_empty() { not_applicable("neither 2009-04-04 nor 2021-03-23 is there") } else { Ok(trees) }
}

fn values_are_equal(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    for tree in dated(subject)? {
        for entry in
            tree.entries.iter().filter(|entry| !entry.is_folder && entry.is_there() && !is_fleeting(&entry.path))
        {
            if let Some(item) = latest.find(&entry.path) {
                is_equal(item, &entry.asked)?;
            }
        }
    }
    Ok(())
}

fn versions_show_nothing_newer(subject: &Subject<'_>) -> Result<(), Stop> {
    for tree in dated(subject)? {
        for entry in tree.entries.iter().filter(|entry| entry.is_there()) {
            if let Some(since) = items::since(&entry.path).filter(|since| *since > tree.version.as_str()) {
                return Err(entry.asked.broken(format!("nothing, since it came with {since}"), "status 200"));
            }
        }
    }
    Ok(())
}
