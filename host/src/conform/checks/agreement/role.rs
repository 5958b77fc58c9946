//! The role with its profile; tags in both forms.

use super::super::super::crawl::target;
use super::super::super::judge::{CAPTURE, shown};
use super::super::super::{Check, Evidence, Stop, Subject, json, not_applicable};
use super::{agree, of_case};

const ROLES: &str = "meta-data/iam/security-credentials";

pub const CHECKS: &[Check] = &[
    agree(
        "role-that-is-listed-has-credentials",
        Evidence::Recorded,
        "`iam/security-credentials/` lists one role, and the item of that name answers.",
        CAPTURE,
        |subject| {
            let latest = subject.latest()?;
            let Some(roles) = latest.find(ROLES) else { return not_applicable("the instance has no role") };
            match roles.names()[..] {
                [name] => {
                    let path = format!("{ROLES}/{}", name.trim_end_matches('/'));
                    subject.get(&target("latest", &path, false))?.has_status(200).map(|_| ())
                }
                ref names => Err(roles.asked.broken("the name of one role", format!("{} names", names.len()))),
            }
        },
    ),
    agree(
        "role-and-profile-are-there-together",
        Evidence::Recorded,
        "`iam/` lists `info` and `security-credentials/`, or is missing.",
        CAPTURE,
        |subject| {
            let latest = subject.latest()?;
            let Some(folder) = latest.find("meta-data/iam") else { return not_applicable("the instance has no role") };
            let text = folder.text();
            if text == "info\nsecurity-credentials/" {
                return Ok(());
            }
            Err(folder.asked.broken("info and security-credentials/, one on each line", shown(&text)))
        },
    ),
    of_case("iam-is-missing-without-a-profile", |subject| {
        let latest = subject.latest()?;
        if !latest.is_whole || latest.find("meta-data").is_none() {
            return not_applicable("not all of latest was seen");
        }
        if latest.find("meta-data/iam").is_some() {
            return not_applicable("the instance has a role");
        }
        for path in ["meta-data/iam/", "meta-data/iam/info", "meta-data/iam/security-credentials/"] {
            subject.is_not_found(subject.get(&format!("/latest/{path}"))?)?;
        }
        Ok(())
    }),
    agree(
        "profile-is-one-of-the-partition",
        Evidence::Documented,
        "The partition in the ARN of the instance profile is `services/partition`.",
        "IAM user guide, \"Amazon Resource Names (ARNs)\"",
        |subject| {
            let Some(partition) = subject.item("meta-data/services/partition")? else {
                return not_applicable("the endpoint states no partition");
            };
            let Some(info) = subject.latest()?.find("meta-data/iam/info") else {
                return not_applicable("the instance has no role");
            };
            let fields = json::Fields::of(&info.text());
            let arn = fields.as_ref().and_then(|fields| fields.text("InstanceProfileArn"));
            let Some(told) = arn.and_then(|arn| arn.split(':').nth(1)) else {
                return not_applicable("the endpoint states no ARN");
            };
            if told == partition { Ok(()) } else { Err(info.asked.broken(shown(&partition), shown(told))) }
        },
    ),
    agree(
        "tags-are-told-alike-in-both-forms",
        Evidence::Recorded,
        "`tag-sets/instance` has the same tags as `tags/instance/`.",
        CAPTURE,
        tags,
    ),
    of_case("tags-enabled-without-tags-are-not-there", |subject| {
        let latest = subject.latest()?;
        let Some(sets) = latest.find("meta-data/tag-sets/instance") else {
            return not_applicable("tags are disabled, or served only in the old form");
        };
        if sets.text() != "{}" {
            return not_applicable("the instance has tags");
        }
        subject.is_not_found(subject.get("/latest/meta-data/tags/")?).map(|_| ())
    }),
    of_case("tags-are-listed-in-byte-order", |subject| {
        let Some(keys) = subject.latest()?.find("meta-data/tags/instance") else {
            return not_applicable("the instance shows no tags");
        };
        let names = keys.names();
        if names.is_sorted() { Ok(()) } else { Err(keys.asked.broken("keys in byte order", shown(&names.join(", ")))) }
    }),
];

fn tags(subject: &Subject<'_>) -> Result<(), Stop> {
    let latest = subject.latest()?;
    let (Some(sets), Some(folder)) =
        (latest.find("meta-data/tag-sets/instance"), latest.find("meta-data/tags/instance"))
    else {
        return not_applicable("tags are not served in both forms");
    };
    let Some(fields) = json::Fields::of(&sets.text()) else {
        return Err(sets.asked.broken("a JSON object", "something else"));
    };
    let mut keys = fields.names();
    keys.sort_unstable();
    let mut listed = folder.names();
    listed.sort_unstable();
    if keys != listed {
        return Err(sets.asked.broken(format!("{} tags, as are listed", listed.len()), format!("{} tags", keys.len())));
    }
    for key in keys {
        let Some(entry) = latest.find(&format!("{}/{key}", folder.path)) else { continue };
        if fields.text(key) != Some(&*entry.text()) {
            return Err(entry.asked.broken(format!("what tag-sets has for {}", shown(key)), "another value"));
        }
    }
    Ok(())
}
