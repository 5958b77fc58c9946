//! Listings, and whether everything that they list answers.

use super::super::crawl::{Entry, Tree, target};
use super::super::judge::{CAPTURE, rule, shown};
use super::super::{Area, Check, Evidence, Stop, Subject, items, not_applicable, seen};

pub const CHECKS: &[Check] = &[
    Check::of_case("root-lists-the-versions", Area::Listings, root_lists_the_versions),
    Check::of_case("version-root-lists-without-slashes", Area::Listings, version_root_lists_without_slashes),
    Check::with_rule(
        "listing-has-a-name-a-line",
        Area::Listings,
        rule(
            "A listing has one name on each line, with LF between the lines and none at the end.",
            CAPTURE,
            Evidence::Recorded,
        ),
        listing_has_a_name_a_line,
    ),
    Check::with_rule(
        "listing-is-in-byte-order",
        Area::Listings,
        rule("The names of a listing are sorted in byte order.", CAPTURE, Evidence::Recorded),
        listing_is_in_byte_order,
    ),
    Check::with_rule(
        "listing-marks-folders-with-a-slash",
        Area::Listings,
        rule(
            "In a listing, the names of folders end with a slash, and the names of items do not.",
            CAPTURE,
            Evidence::Recorded,
        ),
        listing_marks_folders,
    ),
    Check::of_case("public-key-is-listed-with-its-name", Area::Listings, public_key_is_listed_with_its_name),
    Check::with_rule(
        "everything-listed-answers",
        Area::Listings,
        rule(
            "Everything that `latest` lists answers 200, and each folder answers with a listing.",
            "a crawl of 2026-09, t3.nano, and clients that crawl, such as cloud-init",
            Evidence::Inferred,
        ),
        |subject| everything_answers(subject.latest()?),
    ),
    Check::of_case("client-cloud-init-crawls-2009-04-04", Area::Listings, |subject| {
        everything_answers(subject.of_2009()?)
    }),
    Check::of_case("client-cloud-init-crawls-2021-03-23", Area::Listings, |subject| {
        everything_answers(subject.of_2021()?)
    }),
    Check::of_case("menu-is-missing-what-the-instance-is-missing", Area::Listings, what_is_not_listed_is_missing),
    Check::of_case("network-interface-without-extras-is-missing-them", Area::Listings, interface_without_extras),
    Check::of_case("role-credentials-of-another-name-are-not-found", Area::Listings, role_of_another_name),
    Check::of_case("public-key-listed-form-is-no-path", Area::Listings, public_key_listed_form),
];

fn root_lists_the_versions(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = &subject.root()?.asked;
    let expected = "1.0, the later dates, oldest first, and latest, one on each line";
    let text = asked.reply.text();
    let broken = |got: String| Err(asked.broken(expected, got));
    if asked.reply.status != 200 {
        return broken(format!("status {}", asked.reply.status_line()));
    }
    let Some(dated) = text.strip_suffix("\nlatest") else { return broken(shown(&text)) };
    let dated: Vec<&str> = dated.split('\n').collect();
    if dated.first() != Some(&"1.0") || !dated.iter().all(|version| seen::is_dated(version)) || !dated.is_sorted() {
        return broken(shown(&text));
    }
    // Older hosts list fewer versions, and newer ones will list more.
    let newest = dated.last().copied().unwrap_or_default();
    match items::VERSIONS.iter().find(|version| **version <= newest && !dated.contains(version)) {
        Some(missing) => broken(format!("no {missing}")),
        None => Ok(()),
    }
}

fn version_root_lists_without_slashes(subject: &Subject<'_>) -> Result<(), Stop> {
    let root = root_of(subject.latest()?)?;
    match &*root.text() {
        "dynamic\nmeta-data\nuser-data" | "dynamic\nmeta-data" => Ok(()),
        other => {
            Err(root.asked.broken("dynamic, meta-data and, if there is any, user-data, one on each line", shown(other)))
        }
    }
}

fn root_of(tree: &Tree) -> Result<&Entry, Stop> {
    let root = tree.entries.first().filter(|entry| entry.path.is_empty());
    let Some(root) = root else { return not_applicable("the version has no listing") };
    if root.is_there() {
        return Ok(root);
    }
    Err(root.asked.broken("status 200 and a listing", format!("status {}", root.asked.reply.status_line())))
}

/// All listings of latest that were found; at least one.
fn listings<'t>(subject: &'t Subject<'_>) -> Result<Vec<&'t Entry>, Stop> {
    let listings: Vec<&Entry> = subject.latest()?.folders().collect();
    if listings.is_empty() { not_applicable("latest has no listing") } else { Ok(listings) }
}

fn listing_has_a_name_a_line(subject: &Subject<'_>) -> Result<(), Stop> {
    for listing in listings(subject)? {
        let text = listing.text();
        let is_good = text.split('\n').all(|name| {
            !name.is_empty() && !name.contains(|c: char| c.is_control() || matches!(c, '<' | '>' | '\u{fffd}'))
        });
        if !is_good {
            return Err(listing
                .asked
                .broken("one name on each line, LF between the lines and none at the end", shown(&text)));
        }
    }
    Ok(())
}

fn listing_is_in_byte_order(subject: &Subject<'_>) -> Result<(), Stop> {
    for listing in listings(subject)? {
        let text = listing.text();
        // With the slashes or without: no recording shows which.
        let names = || text.lines();
        let bare = || names().map(|name| name.trim_end_matches('/'));
        // Keys are sorted by their number.
        if listing.path != "meta-data/public-keys" && !names().is_sorted() && !bare().is_sorted() {
            return Err(listing.asked.broken("names in byte order", shown(&text)));
        }
    }
    Ok(())
}

fn listing_marks_folders(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut found = false;
    for listing in listings(subject)? {
        // These two have rules of their own.
        if matches!(&*listing.path, "" | "meta-data/public-keys") {
            continue;
        }
        for name in listing.names() {
            let path = format!("{}/{}", listing.path, name.trim_end_matches('/'));
            // An unknown name can be either.
            if items::since(&path).is_none() {
                continue;
            }
            found = true;
            let is_folder = items::is_folder(&path);
            if name.ends_with('/') != is_folder {
                let expected = if is_folder { "a slash after a folder" } else { "no slash after an item" };
                return Err(listing.asked.broken(expected, shown(name)));
            }
        }
    }
    if found { Ok(()) } else { not_applicable("latest lists nothing that is known") }
}

fn public_key_is_listed_with_its_name(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(keys) = subject.latest()?.find("meta-data/public-keys") else {
        return not_applicable("the instance has no key pair");
    };
    let text = keys.text();
    let is_good = |line: &str| {
        line.split_once('=').is_some_and(|(number, name)| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() && !name.is_empty()
        })
    };
    if text.split('\n').all(|line| is_good(line) && !line.ends_with('/')) {
        return Ok(());
    }
    Err(keys.asked.broken("0= and the name of the key, without a slash", shown(&text)))
}

fn everything_answers(tree: &Tree) -> Result<(), Stop> {
    root_of(tree)?;
    if let Some((_, none)) = tree.unanswered.first() {
        return Err(Stop::NoReply(none.clone()));
    }
    for entry in &tree.entries {
        if !entry.is_there() {
            let got = format!("status {}", entry.asked.reply.status_line());
            return Err(entry.asked.broken("status 200, since it is listed", got));
        }
        let has_names = !entry.names().is_empty();
        if entry.is_folder && !has_names {
            let got = format!("a body of {} bytes", entry.asked.reply.body.len());
            return Err(entry.asked.broken("a listing, since it is a folder", got));
        }
    }
    match tree.find("meta-data") {
        Some(_) => Ok(()),
        None => Err(tree.entries[0].asked.broken("meta-data in the listing", "another listing")),
    }
}

/// Items that an instance may lack.
const OPTIONAL: &[&str] = &[
    "meta-data/public-ipv4",
    "meta-data/public-hostname",
    "meta-data/ipv6",
    "meta-data/spot/instance-action",
    "meta-data/autoscaling/target-lifecycle-state",
    "meta-data/block-device-mapping/ebs0",
    "meta-data/block-device-mapping/ebs1",
    "meta-data/tags/instance",
    "meta-data/tag-sets/instance",
    "dynamic/fws/instance-monitoring",
];

fn what_is_not_listed_is_missing(subject: &Subject<'_>) -> Result<(), Stop> {
    are_missing(subject, OPTIONAL.iter().map(|path| (*path).to_owned()))
}

fn interface_without_extras(subject: &Subject<'_>) -> Result<(), Stop> {
    let tree = subject.latest()?;
    let Some(interface) =
        tree.folders().find(|folder| items::matches("meta-data/network/interfaces/macs/*", &folder.path))
    else {
        return not_applicable("the endpoint has no folder of an interface");
    };
    let extras = ["ipv4-associations", "ipv6s", "network-card", "public-ipv4s"];
    are_missing(subject, extras.iter().map(|name| format!("{}/{name}", interface.path)))
}

/// Checks that items that are not listed get 404.
fn are_missing(subject: &Subject<'_>, paths: impl Iterator<Item = String>) -> Result<(), Stop> {
    let tree = subject.latest()?;
    if !tree.is_whole || tree.find("meta-data").is_none() {
        return not_applicable("not all of latest was seen");
    }
    let mut was_asked = false;
    for path in paths.filter(|path| !tree.entries.iter().any(|entry| entry.path == *path)) {
        was_asked = true;
        subject.is_not_found(subject.get(&target("latest", &path, false))?)?;
    }
    if was_asked { Ok(()) } else { not_applicable("the instance lacks nothing") }
}

fn role_of_another_name(subject: &Subject<'_>) -> Result<(), Stop> {
    if subject.latest()?.find("meta-data/iam/security-credentials").is_none() {
        return not_applicable("the instance has no role");
    }
    subject.is_not_found(subject.get("/latest/meta-data/iam/security-credentials/no-such-role")?).map(|_| ())
}

fn public_key_listed_form(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(keys) = subject.latest()?.find("meta-data/public-keys") else {
        return not_applicable("the instance has no key pair");
    };
    let names = keys.names();
    let Some(listed) = names.iter().find(|name| name.contains('=')) else {
        return not_applicable("no key is listed with its name");
    };
    let path = format!("meta-data/public-keys/{listed}");
    subject.is_not_found(subject.get(&target("latest", &path, false))?).map(|_| ())
}
