//! The identity document and the tree.

use serde_json::Value;

use super::super::super::judge::shown;
use super::super::super::{Check, Evidence, Stop, Subject, items, json, not_applicable};
use super::{agree, compared, is_told};

const GUIDE: &str = "EC2 user guide, \"Instance identity documents\"";
const DOCUMENT: &str = "the identity document";

pub const CHECKS: &[Check] = &[
    agree(
        "document-tells-the-instance",
        Evidence::Documented,
        "Instance id, type and image are the same in the identity document and in their items.",
        GUIDE,
        |subject| {
            let pairs = [("instanceId", "instance-id"), ("instanceType", "instance-type"), ("imageId", "ami-id")];
            tells(subject, &pairs)
        },
    ),
    agree(
        "document-tells-the-place",
        Evidence::Documented,
        "Zone and region are the same in the identity document and in `placement/`.",
        GUIDE,
        |subject| {
            tells(subject, &[("availabilityZone", "placement/availability-zone"), ("region", "placement/region")])
        },
    ),
    agree(
        "document-tells-the-address",
        Evidence::Documented,
        "The private address is the same in the identity document and in `local-ipv4`, or missing from both.",
        GUIDE,
        |subject| tells_or_has_neither(subject, &[("privateIp", "local-ipv4")]),
    ),
    agree(
        "document-tells-kernel-and-ram-disk",
        Evidence::Documented,
        "Kernel and RAM disk are the same in the identity document and in their items, or missing from both.",
        GUIDE,
        |subject| tells_or_has_neither(subject, &[("kernelId", "kernel-id"), ("ramdiskId", "ramdisk-id")]),
    ),
    agree(
        "document-tells-the-product-codes",
        Evidence::Inferred,
        "`product-codes` lists the codes of the identity document.",
        GUIDE,
        product_codes,
    ),
    agree(
        "document-tells-the-account",
        Evidence::Documented,
        "The account is the same in the identity document, in `owner-id` of each interface, in `iam/info` and in \
         `identity-credentials/`.",
        GUIDE,
        account,
    ),
    agree(
        "architecture-is-one-that-the-type-has",
        Evidence::Documented,
        "Instance types with Graviton processors have the architecture arm64, and no others do.",
        "EC2 user guide, \"Amazon EC2 instance type naming conventions\"",
        architecture,
    ),
    agree(
        "pending-time-is-past",
        Evidence::Documented,
        "`pendingTime` of the identity document is not after `Date`.",
        GUIDE,
        pending_time,
    ),
];

/// Compares items of `meta-data/` with the fields of the document.
fn tells(subject: &Subject<'_>, pairs: &[(&str, &str)]) -> Result<(), Stop> {
    let document = subject.document()?;
    let mut found = false;
    for (field, item) in pairs {
        if let Some(text) = document.get(*field).and_then(Value::as_str) {
            found |= is_told(subject, &format!("meta-data/{item}"), text, DOCUMENT)?;
        }
    }
    compared(found)
}

fn tells_or_has_neither(subject: &Subject<'_>, pairs: &[(&str, &str)]) -> Result<(), Stop> {
    let document = subject.document()?;
    let latest = subject.latest()?;
    if latest.find("meta-data").is_none() {
        return not_applicable("latest has no menu");
    }
    for (field, item) in pairs {
        let path = format!("meta-data/{item}");
        match document.get(*field).and_then(Value::as_str) {
            Some(text) => {
                if !is_told(subject, &path, text, DOCUMENT)? {
                    subject.get(&format!("/latest/{path}"))?.has_status(200)?;
                }
            }
            None => {
                if let Some(entry) = latest.find(&path) {
                    return Err(entry.asked.broken("nothing, as the identity document says", "status 200"));
                }
            }
        }
    }
    Ok(())
}

fn product_codes(subject: &Subject<'_>) -> Result<(), Stop> {
    let document = subject.document()?;
    let fields = ["devpayProductCodes", "marketplaceProductCodes"];
    let codes = fields.iter().filter_map(|field| document.get(*field)?.as_array()).flatten();
    let mut codes: Vec<&str> = codes.filter_map(Value::as_str).collect();
    codes.sort_unstable();
    match subject.latest()?.find("meta-data/product-codes") {
        Some(entry) => {
            let text = entry.text();
            let mut told: Vec<&str> = text.split('\n').collect();
            told.sort_unstable();
            if told == codes { Ok(()) } else { Err(entry.asked.broken(shown(&codes.join(", ")), shown(&text))) }
        }
        None if codes.is_empty() => not_applicable("the instance has no product codes"),
        None => subject.get("/latest/meta-data/product-codes")?.has_status(200).map(|_| ()),
    }
}

fn account(subject: &Subject<'_>) -> Result<(), Stop> {
    let document = subject.document()?;
    let Some(account) = document.get("accountId").and_then(Value::as_str) else {
        return not_applicable("the identity document names no account");
    };
    let latest = subject.latest()?;
    let mut found = false;
    for entry in &latest.entries {
        let text = entry.text();
        let told = match entry.path.as_str() {
            path if items::matches("meta-data/network/interfaces/macs/*/owner-id", path) => Some(text.to_string()),
            "meta-data/iam/info" => json::Fields::of(&text)
                .and_then(|info| Some(info.text("InstanceProfileArn")?.split(':').nth(4)?.to_owned())),
            "meta-data/identity-credentials/ec2/info" => {
                json::Fields::of(&text).and_then(|info| Some(info.text("AccountId")?.to_owned()))
            }
            _ => None,
        };
        if let Some(told) = told.filter(|_| entry.is_there()) {
            found = true;
            if told != account {
                let expected = format!("the account {}, as {DOCUMENT} says", shown(account));
                return Err(entry.asked.broken(expected, shown(&told)));
            }
        }
    }
    compared(found)
}

fn architecture(subject: &Subject<'_>) -> Result<(), Stop> {
    let document = subject.document()?;
    let text = |field: &str| document.get(field).and_then(Value::as_str);
    let (Some(architecture), Some(instance_type)) = (text("architecture"), text("instanceType")) else {
        return not_applicable("the identity document names no type and architecture");
    };
    let Some(is_arm) = is_arm(instance_type) else {
        return not_applicable("the processor of the type is not known");
    };
    if architecture.starts_with("arm64") == is_arm {
        return Ok(());
    }
    let expected = if is_arm { "arm64" } else { "x86_64 or i386" };
    let asked = subject.get("/latest/dynamic/instance-identity/document")?;
    Err(asked.broken(format!("{expected}, as the type {} has", shown(instance_type)), shown(architecture)))
}

/// Whether a type has a Graviton processor, if its name shows it: by a `g` after the number
/// of the generation. `a1` is older than that rule.
fn is_arm(instance_type: &str) -> Option<bool> {
    let family = instance_type.split_once('.')?.0;
    let series = family.split('-').next()?;
    let number = series.find(|c: char| c.is_ascii_digit())?;
    let (name, rest) = series.split_at(number);
    if matches!(name, "mac" | "u") || family.contains("-gb") {
        return None;
    }
    Some(family == "a1" || rest.trim_start_matches(|c: char| c.is_ascii_digit()).contains('g'))
}

fn pending_time(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.get("/latest/dynamic/instance-identity/document")?;
    let pending = subject.document()?.get("pendingTime").and_then(Value::as_str);
    let pending = pending.and_then(|text| humantime::parse_rfc3339(text).ok());
    let date = asked.reply.field("Date").and_then(|date| httpdate::parse_http_date(date).ok());
    let (Some(pending), Some(date)) = (pending, date) else {
        return not_applicable("the document or its head has no time");
    };
    if pending <= date { Ok(()) } else { Err(asked.broken("a pendingTime that is not after Date", "a later one")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_tell_their_processor() {
        for (instance_type, arm) in [
            ("m7g.large", Some(true)),
            ("c7gn.large", Some(true)),
            ("im4gn.large", Some(true)),
            ("a1.metal", Some(true)),
            ("g4dn.xlarge", Some(false)),
            ("t3.micro", Some(false)),
            ("m7i-flex.large", Some(false)),
            ("mac2.metal", None),
            ("p6e-gb200.36xlarge", None),
            ("large", None),
            ("", None),
        ] {
            assert_eq!(is_arm(instance_type), arm, "{instance_type}");
        }
    }
}
