//! What filters of `DescribeInstances` look at.

use super::super::facts::{Facts, Interface, with_ms};
use super::super::filter::tag;
use super::super::ids;
use super::item::code;

/// A filter's name, and the values of an instance.
type Value = (&'static str, fn(&Facts) -> Vec<String>);

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

fn maybe(value: Option<&String>) -> Vec<String> {
    value.cloned().into_iter().collect()
}

fn of_interfaces(facts: &Facts, get: impl Fn(&Interface) -> Vec<String>) -> Vec<String> {
    facts.primary().map(|_| facts.interfaces.iter().flat_map(get).collect()).unwrap_or_default()
}

fn of_primary(facts: &Facts, get: impl Fn(&Interface) -> String) -> Vec<String> {
    facts.primary().map(get).into_iter().collect()
}

/// In the order of their names.
const ALL: [Value; 47] = [
    ("architecture", |facts| one(&facts.architecture)),
    ("availability-zone", |facts| one(&facts.zone)),
    ("availability-zone-id", |facts| one(&facts.zone_id)),
    ("block-device-mapping.device-name", |facts| [std::slice::from_ref(&facts.root_device), &facts.devices].concat()),
    ("dns-name", |facts| maybe(facts.public_dns.as_ref())),
    ("group-id", groups_by_id),
    ("group-name", groups_by_name),
    ("hibernation-options.configured", |facts| one(&facts.hibernates.to_string())),
    ("host-id", |facts| maybe(facts.host_id.as_ref())),
    ("iam-instance-profile.arn", |facts| facts.profile.iter().map(|its| its.arn.clone()).collect()),
    ("iam-instance-profile.id", |facts| facts.profile.iter().map(|its| its.id.clone()).collect()),
    ("iam-instance-profile.name", |facts| {
        facts.profile.iter().filter_map(|its| Some(its.arn.rsplit_once('/')?.1.to_owned())).collect()
    }),
    ("image-id", |facts| one(&facts.image_id)),
    ("instance-id", |facts| one(&facts.instance_id)),
    ("instance-lifecycle", |facts| one(&facts.snapshot.lifecycle)),
    ("instance-state-code", |facts| one(&code(facts.state()).to_string())),
    ("instance-state-name", |facts| one(facts.state())),
    ("instance-type", |facts| one(&facts.instance_type)),
    ("instance.group-id", groups_by_id),
    ("instance.group-name", groups_by_name),
    ("ip-address", |facts| maybe(facts.public_ip.as_ref())),
    ("ipv6-address", |facts| of_interfaces(facts, |its| its.ipv6.clone())),
    ("kernel-id", |facts| maybe(facts.kernel_id.as_ref())),
    ("key-name", |facts| maybe(facts.key_name.as_ref())),
    ("launch-index", |facts| one(&facts.launch_index)),
    ("launch-time", |facts| one(&with_ms(&facts.launch_time))),
    ("metadata-options.http-endpoint", |facts| one(&facts.snapshot.metadata_options.http_endpoint)),
    ("metadata-options.http-protocol-ipv6", |facts| one(&facts.snapshot.metadata_options.http_protocol_ipv6)),
    ("metadata-options.http-put-response-hop-limit", |facts| {
        one(&facts.snapshot.metadata_options.http_put_response_hop_limit.to_string())
    }),
    ("metadata-options.http-tokens", |facts| one(&facts.snapshot.metadata_options.http_tokens)),
    ("metadata-options.instance-metadata-tags", |facts| one(&facts.snapshot.metadata_options.instance_metadata_tags)),
    ("monitoring-state", |facts| one(if facts.is_monitored { "enabled" } else { "disabled" })),
    ("network-interface.mac-address", |facts| of_interfaces(facts, |its| one(&its.mac))),
    ("network-interface.network-interface-id", |facts| of_interfaces(facts, |its| one(&its.id))),
    ("network-interface.subnet-id", |facts| of_interfaces(facts, |its| one(&its.subnet_id))),
    ("owner-id", |facts| one(&facts.owner_id)),
    ("placement-group-name", |facts| maybe(facts.group_name.as_ref())),
    ("private-dns-name", |facts| maybe(facts.private_dns.as_ref())),
    ("private-ip-address", |facts| of_interfaces(facts, |its| its.private_ips.clone())),
    ("reservation-id", |facts| one(&facts.reservation_id)),
    ("root-device-name", |facts| one(&facts.root_device)),
    ("spot-instance-request-id", |facts| {
        facts.is_spot().then(|| ids::made("sir-", &facts.instance_id)).into_iter().collect()
    }),
    ("subnet-id", |facts| of_primary(facts, |its| its.subnet_id.clone())),
    ("tag-key", |facts| facts.tags.keys().cloned().collect()),
    ("tag-value", |facts| facts.tags.values().cloned().collect()),
    ("virtualization-type", |facts| one(facts.virtualization)),
    ("vpc-id", |facts| of_primary(facts, |its| its.vpc_id.clone())),
];

fn groups_by_id(facts: &Facts) -> Vec<String> {
    of_interfaces(facts, |its| its.groups.iter().map(|group| group.id.clone()).collect())
}

fn groups_by_name(facts: &Facts) -> Vec<String> {
    of_interfaces(facts, |its| its.groups.iter().map(|group| group.name.clone()).collect())
}

/// Whether there is a filter of this name.
pub(super) fn is_known(name: &str) -> bool {
    tag(name).is_some() || ALL.iter().any(|(known, _)| *known == name)
}

/// The values for a filter.
pub(super) fn of(facts: &Facts, name: &str) -> Option<Vec<String>> {
    match tag(name) {
        Some(key) => Some(maybe(facts.tags.get(key))),
        None => ALL.iter().find(|(known, _)| *known == name).map(|(_, values)| values(facts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_in_the_order_of_their_names() {
        assert!(ALL.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(is_known("tag:Name") && is_known("vpc-id") && !is_known("vpc") && !is_known("tag"));
    }
}
