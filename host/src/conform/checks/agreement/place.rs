//! Region, zone, partition, host names, and facts that follow from the type.

use super::super::super::judge::{CAPTURE, shown};
use super::super::super::{Check, Evidence, Stop, Subject, forms, not_applicable};
use super::{agree, compared, is_told, of_case};

pub const CHECKS: &[Check] = &[
    agree(
        "zone-lies-in-its-region",
        Evidence::Recorded,
        "The name of the zone begins with the name of the region.",
        CAPTURE,
        |subject| zone_in_region(subject, false),
    ),
    of_case("placement-region-of-a-local-zone-is-its-parent", |subject| zone_in_region(subject, true)),
    agree(
        "partition-and-domain-follow-from-the-region",
        Evidence::Recorded,
        "A commercial region has the partition `aws` and the domain `amazonaws.com`.",
        CAPTURE,
        |subject| partition(subject, |partition| partition == "aws"),
    ),
    of_case("partition-of-china-is-aws-cn", |subject| partition(subject, |partition| partition == "aws-cn")),
    of_case("partition-of-govcloud-is-aws-us-gov", |subject| partition(subject, |partition| partition == "aws-us-gov")),
    of_case("partition-of-an-isolated-region-is-its-own", |subject| {
        partition(subject, |partition| partition.starts_with("aws-iso") || partition == "aws-eusc")
    }),
    of_case("host-name-is-made-of-the-address", host_name_of_address),
    of_case("host-name-may-be-the-instance-id", host_name_of_id),
    of_case("host-name-outside-us-east-1-has-the-region", host_name_has_region),
    agree(
        "host-names-are-told-alike",
        Evidence::Recorded,
        "`hostname`, `local-hostname` and `local-hostname` of the primary interface are the same.",
        CAPTURE,
        host_names,
    ),
    of_case("system-follows-from-the-family-of-the-type", system),
];

fn zone_in_region(subject: &Subject<'_>, is_local: bool) -> Result<(), Stop> {
    let (zone, region) =
        (subject.item("meta-data/placement/availability-zone")?, subject.item("meta-data/placement/region")?);
    let (Some(zone), Some(region)) = (zone, region) else {
        return not_applicable("the endpoint states no zone or no region");
    };
    // `us-west-2-lax-1a` is a local zone, `us-west-2a` is not.
    let more = zone.strip_prefix(region.as_str());
    if (zone.matches('-').count() > region.matches('-').count()) != is_local {
        return not_applicable(if is_local { "the zone is not a local zone" } else { "the zone is a local zone" });
    }
    if more.is_some_and(|more| !more.is_empty() && !more.starts_with(|c: char| c.is_ascii_digit())) {
        return Ok(());
    }
    let asked = &subject.latest()?.find("meta-data/placement/region").map(|entry| &entry.asked);
    match asked {
        Some(asked) => Err(asked.broken(format!("the region of the zone {}", shown(&zone)), shown(&region))),
        None => not_applicable("the endpoint states no region"),
    }
}

/// Partitions by the beginning of their regions' names.
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
];

fn partition(subject: &Subject<'_>, is_meant: impl Fn(&str) -> bool) -> Result<(), Stop> {
    let Some(region) = region(subject)? else { return not_applicable("the endpoint states no region") };
    let Some((_, partition, domain)) = PARTITIONS.iter().find(|(prefix, _, _)| region.starts_with(prefix)) else {
        return not_applicable("the region is not known");
    };
    if !is_meant(partition) {
        return not_applicable(format!("the region is one of {partition}"));
    }
    let origin = format!("the region {}", shown(&region));
    let mut found = is_told(subject, "meta-data/services/partition", partition, &origin)?;
    found |= is_told(subject, "meta-data/services/domain", domain, &origin)?;
    compared(found)
}

/// The region, by `placement/` or by the identity document.
fn region(subject: &Subject<'_>) -> Result<Option<String>, Stop> {
    if let Some(region) = subject.item("meta-data/placement/region")? {
        return Ok(Some(region));
    }
    match subject.document() {
        Ok(document) => Ok(document.get("region").and_then(|region| region.as_str()).map(str::to_owned)),
        Err(Stop::NotApplicable(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// The first label of the host name, and the rest.
fn host_name(subject: &Subject<'_>) -> Result<(String, String), Stop> {
    let Some(name) = subject.item("meta-data/local-hostname")? else {
        return not_applicable("the endpoint states no host name");
    };
    let (label, domain) = name.split_once('.').unwrap_or((&name, ""));
    Ok((label.to_owned(), domain.to_owned()))
}

fn host_name_of_address(subject: &Subject<'_>) -> Result<(), Stop> {
    let (label, _) = host_name(subject)?;
    if !label.starts_with("ip-") {
        return not_applicable("the host name is not derived from the address");
    }
    let Some(address) = subject.item("meta-data/local-ipv4")? else {
        return not_applicable("there is no IPv4 address");
    };
    let expected = format!("ip-{}", address.replace('.', "-"));
    if label == expected {
        return Ok(());
    }
    broken(subject, "meta-data/local-hostname", &format!("{} as the first label", shown(&expected)), &label)
}

fn host_name_of_id(subject: &Subject<'_>) -> Result<(), Stop> {
    let (label, _) = host_name(subject)?;
    if label.starts_with("ip-") {
        return not_applicable("the host name is derived from the address");
    }
    let Some(id) = subject.item("meta-data/instance-id")? else {
        return not_applicable("the endpoint states no instance id");
    };
    if label == id {
        return Ok(());
    }
    broken(subject, "meta-data/local-hostname", &format!("ip- and the address, or {}", shown(&id)), &label)
}

fn host_name_has_region(subject: &Subject<'_>) -> Result<(), Stop> {
    let (_, domain) = host_name(subject)?;
    let Some(region) = region(subject)? else { return not_applicable("the endpoint states no region") };
    if domain != "ec2.internal" && !domain.ends_with(".compute.internal") {
        return not_applicable("the VPC has a domain of its own");
    }
    let expected = match region.as_str() {
        "us-east-1" => "ec2.internal".to_owned(),
        other => format!("{other}.compute.internal"),
    };
    if domain == expected {
        return Ok(());
    }
    broken(subject, "meta-data/local-hostname", &shown(&expected), &domain)
}

fn broken(subject: &Subject<'_>, path: &str, expected: &str, got: &str) -> Result<(), Stop> {
    match subject.latest()?.find(path) {
        Some(entry) => Err(entry.asked.broken(expected, shown(got))),
        None => not_applicable("the endpoint does not state it"),
    }
}

fn host_names(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(name) = subject.item("meta-data/hostname")? else { return not_applicable("there is no `hostname`") };
    let mut found = is_told(subject, "meta-data/local-hostname", &name, "`hostname`")?;
    if let Some(mac) = subject.item("meta-data/mac")? {
        let path = format!("meta-data/network/interfaces/macs/{mac}/local-hostname");
        found |= is_told(subject, &path, &name, "`hostname`")?;
    }
    compared(found)
}

/// The families that are based on Xen.
const XEN: &str = "t1 t2 m1 m2 m3 m4 c1 c3 c4 cc1 cc2 cg1 cr1 r3 r4 x1 x1e d2 h1 hi1 hs1 i2 i3 g2 g3 g3s p2 p3 f1";

fn system(subject: &Subject<'_>) -> Result<(), Stop> {
    let (system, kind) = (subject.item("meta-data/system")?, subject.item("meta-data/instance-type")?);
    let (Some(system), Some(kind)) = (system, kind) else {
        return not_applicable("the endpoint states no system or no type");
    };
    if !forms::is_instance_type(&kind) {
        return not_applicable("the type has no form of one");
    }
    let (family, size) = kind.split_once('.').unwrap_or_default();
    let is_xen = XEN.split(' ').any(|xen| xen == family) && !size.starts_with("metal");
    if is_xen == matches!(system.as_str(), "xen" | "xen-on-nitro") {
        return Ok(());
    }
    let expected = if is_xen { "xen-on-nitro or xen" } else { "nitro" };
    broken(subject, "meta-data/system", &format!("{expected}, as the type {} has", shown(&kind)), &system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_those_of_the_component() {
        let runtime = crate::engine::Runtime::new().unwrap();
        let now = crate::engine::Moment::at(1_790_812_830_000, 1);
        for (prefix, partition, domain) in PARTITIONS {
            let zone = if prefix.is_empty() { "us-east-1a".to_owned() } else { format!("{prefix}east-1a") };
            let toml = format!("placement.availability-zone = '{zone}'");
            let description = crate::description::Description::from_toml("zone.toml", &toml).unwrap();
            let instance = runtime.open(&description).unwrap();
            for (item, expected) in [("partition", partition), ("domain", domain)] {
                let request = crate::engine::Request::get(format!("/latest/meta-data/services/{item}"));
                assert_eq!(instance.answer(&request, now).body, expected.as_bytes(), "{zone}");
            }
        }
    }
}
