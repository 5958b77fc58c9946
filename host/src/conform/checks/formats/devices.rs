//! Block devices.

use super::super::super::judge::{each_entry, shown};
use super::super::super::{Check, Stop, Subject, forms, not_applicable};
use super::of_case;

pub const CHECKS: &[Check] = &[
    of_case("block-device-root-with-dev-and-ami-without", |subject| {
        if !is_on(subject, &["nitro"])? {
            return not_applicable("the instance is not on Nitro");
        }
        root_and_ami(subject, |root| root.strip_prefix("/dev/").unwrap_or(root))
    }),
    of_case("block-device-ami-on-xen-keeps-dev", |subject| {
        if !is_on(subject, &["xen", "xen-on-nitro"])? {
            return not_applicable("the instance is not on Xen");
        }
        root_and_ami(subject, |root| root)
    }),
    of_case("block-device-volume-is-ebs1-without-dev", |subject| {
        let folder = "meta-data/block-device-mapping";
        let entries = subject.latest()?.items("meta-data/block-device-mapping/*");
        if !entries.into_iter().any(|entry| entry.name().starts_with("ebs")) {
            return not_applicable("the instance has no further volume");
        }
        each_entry(subject, &["meta-data/block-device-mapping/*"], |entry| {
            let text = entry.text();
            let is_volume = entry.name().starts_with("ebs");
            if is_volume && (entry.path == format!("{folder}/ebs0") || text.starts_with("/dev/") || text.is_empty()) {
                let got = format!("{} is {}", entry.name(), shown(&text));
                return Err(entry.asked.broken("volumes from ebs1 on, their devices without /dev/", got));
            }
            Ok(())
        })
    }),
    of_case("block-device-volumes-are-numbered-by-kind", |subject| {
        each_entry(subject, &["meta-data/block-device-mapping/*"], |entry| {
            let name = entry.name();
            let is_numbered = |kind| name.strip_prefix(kind).is_some_and(forms::is_decimal);
            if matches!(name, "ami" | "root" | "swap") || is_numbered("ebs") || is_numbered("ephemeral") {
                return Ok(());
            }
            Err(entry.asked.broken("ami, root, swap, or ebs or ephemeral with a number", shown(name)))
        })
    }),
];

/// Whether the instance is on one of these systems; not applicable without `system`.
fn is_on(subject: &Subject<'_>, systems: &[&str]) -> Result<bool, Stop> {
    match subject.item("meta-data/system")? {
        Some(system) => Ok(systems.contains(&system.as_str())),
        None => not_applicable("the endpoint has no `system`"),
    }
}

fn root_and_ami(subject: &Subject<'_>, ami_of: impl Fn(&str) -> &str) -> Result<(), Stop> {
    let tree = subject.latest()?;
    let find = |name: &str| tree.find(&format!("meta-data/block-device-mapping/{name}"));
    let (Some(root), Some(ami)) = (find("root"), find("ami")) else {
        return not_applicable("the endpoint has no `root` and `ami`");
    };
    let (device, told) = (root.text(), ami.text());
    if !device.starts_with("/dev/") {
        return Err(root.asked.broken("a device with /dev/", shown(&device)));
    }
    let expected = ami_of(&device);
    if told == expected { Ok(()) } else { Err(ami.asked.broken(shown(expected), shown(&told))) }
}
