//! Whether the endpoint matches its description, if one is given.

use serde_json::Value;

use super::super::judge::shown;
use super::super::{Area, Check, Evidence, Rule, Stop, Subject, not_applicable};

pub const CHECKS: &[Check] = &[Check::with_rule(
    "items-are-as-described",
    Area::Agreement,
    Rule {
        says: "Items have the values that the instance was launched with.",
        source: "EC2 user guide, \"Instance metadata categories\"",
        evidence: Evidence::Documented,
    },
    items_are_as_described,
)];

/// Fields of a description whose value an item under `meta-data/` shows unchanged.
const ITEMS: [(&str, &str); 9] = [
    ("/ami-id", "ami-id"),
    ("/instance-id", "instance-id"),
    ("/instance-type", "instance-type"),
    ("/reservation-id", "reservation-id"),
    ("/kernel-id", "kernel-id"),
    ("/ramdisk-id", "ramdisk-id"),
    ("/placement/availability-zone", "placement/availability-zone"),
    ("/placement/availability-zone-id", "placement/availability-zone-id"),
    ("/placement/region", "placement/region"),
];

fn items_are_as_described(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(description) = &subject.description else { return not_applicable("no description was given") };
    let mut number = 0;
    for (field, item) in ITEMS {
        let Some(Value::String(value)) = description.pointer(field) else { continue };
        number += 1;
        let asked = subject.get(&format!("/latest/meta-data/{item}"))?.has_status(200)?;
        if asked.reply.body != value.as_bytes() {
            return Err(asked.broken(value.clone(), shown(&asked.reply.text())));
        }
    }
    if number == 0 { not_applicable("the description has no field that an item shows unchanged") } else { Ok(()) }
}
