//! One instance, as `DescribeInstances` and `RunInstances` tell of it.

use super::super::attributes::Attributes;
use super::super::facts::{Facts, Group, Interface, Profile, with_ms};
use super::super::ids;
use super::super::state::State;
use super::super::xml::Element;

/// The states of EC2, with their codes.
const STATES: [(&str, u8); 6] =
    [("pending", 0), ("running", 16), ("shutting-down", 32), ("terminated", 48), ("stopping", 64), ("stopped", 80)];

/// A state, in a field of this name.
pub(in crate::ec2) fn state(field: &'static str, name: &str) -> Element {
    Element::new(field).text("code", code(name)).text("name", name)
}

/// The code of a state.
pub(super) fn code(name: &str) -> u8 {
    STATES.iter().find(|(known, _)| *known == name).map_or(16, |(_, code)| *code)
}

pub(in crate::ec2) fn instance(facts: &Facts, of_api: &State) -> Element {
    let id = &facts.instance_id;
    let primary = facts.primary();
    let network = primary.is_some();
    let is_running = facts.state() == "running";
    let kept = of_api.attributes_of(id);
    // A public address goes with the stop, unless it is an Elastic IP address.
    let is_elastic = |ip: &str| of_api.addresses.contains_key(ip);
    let public_ip = facts.public_ip.as_ref().filter(|ip| network && (is_running || is_elastic(ip)));
    let public_dns = facts.public_dns.as_ref().filter(|_| public_ip.is_some());
    let placement = Element::new("placement")
        .text("availabilityZone", &facts.zone)
        .text("availabilityZoneId", &facts.zone_id)
        .text("groupName", facts.group_name.as_deref().unwrap_or_default())
        .some("hostId", facts.host_id.as_ref())
        .some("partitionNumber", facts.partition_number.as_ref())
        .text("tenancy", if facts.host_id.is_some() { "host" } else { "default" });
    Element::item()
        .text("instanceId", id)
        .text("imageId", &facts.image_id)
        .child(state("instanceState", facts.state()))
        .text("privateDnsName", facts.private_dns.as_deref().filter(|_| network).unwrap_or_default())
        .text("dnsName", public_dns.map(String::as_str).unwrap_or_default())
        .text("reason", because(facts).map_or("", |(_, reason)| reason))
        .some("keyName", facts.key_name.as_ref())
        .text("amiLaunchIndex", &facts.launch_index)
        .set("productCodes", facts.product_codes.iter().map(|code| product_code(code)))
        .text("instanceType", &facts.instance_type)
        .text("launchTime", with_ms(&facts.launch_time))
        .child(placement)
        .some("kernelId", facts.kernel_id.as_ref())
        .some("ramdiskId", facts.ramdisk_id.as_ref())
        .child(Element::new("monitoring").text("state", if facts.is_monitored { "enabled" } else { "disabled" }))
        .some("subnetId", primary.map(|interface| &interface.subnet_id))
        .some("vpcId", primary.map(|interface| &interface.vpc_id))
        .some("privateIpAddress", facts.private_ip.as_ref().filter(|_| network))
        .some("ipAddress", public_ip)
        .some("ipv6Address", facts.ipv6.as_ref().filter(|_| network))
        .some("sourceDestCheck", kept.get("sourceDestCheck").filter(|_| network))
        .set("groupSet", primary.into_iter().flat_map(|interface| interface.groups.iter().map(group)))
        .maybe(because(facts).map(|(code, reason)| {
            Element::new("stateReason").text("code", code).text("message", format!("{code}: {reason}"))
        }))
        .text("architecture", &facts.architecture)
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", &facts.root_device)
        .set("blockDeviceMapping", volumes(facts, of_api))
        .some("instanceLifecycle", Some(&facts.snapshot.lifecycle).filter(|lifecycle| *lifecycle != "on-demand"))
        .some("spotInstanceRequestId", facts.is_spot().then(|| ids::made("sir-", id)))
        .text("virtualizationType", facts.virtualization)
        .set("tagSet", tags(facts))
        .text("hypervisor", "xen")
        .set("networkInterfaceSet", facts.interfaces.iter().filter(|_| network).map(|its| interface(facts, its, kept)))
        .maybe(facts.profile.as_ref().map(profile))
        .some("ebsOptimized", kept.get("ebsOptimized"))
        .text("enaSupport", true)
        .child(Element::new("hibernationOptions").text("configured", facts.hibernates))
        .child(metadata_options(facts, options_state(facts, of_api)))
        .child(Element::new("privateDnsNameOptions").text("hostnameType", hostname_type(facts)))
}

/// The metadata options, in a state: `pending` or `applied`.
pub(in crate::ec2) fn metadata_options(facts: &Facts, state: &str) -> Element {
    let options = &facts.snapshot.metadata_options;
    Element::new("metadataOptions")
        .text("state", state)
        .text("httpTokens", &options.http_tokens)
        .text("httpPutResponseHopLimit", options.http_put_response_hop_limit)
        .text("httpEndpoint", &options.http_endpoint)
        .text("httpProtocolIpv6", &options.http_protocol_ipv6)
        .text("instanceMetadataTags", &options.instance_metadata_tags)
}

/// Of an instance that does not run, a change waits for its start.
fn options_state(facts: &Facts, of_api: &State) -> &'static str {
    let is_pending =
        facts.state() == "stopped" && of_api.options_pending.get(&facts.instance_id) == Some(&facts.launch_time);
    if is_pending { "pending" } else { "applied" }
}

/// The association of an instance profile with an instance.
pub(in crate::ec2) fn profile_association(facts: &Facts, its: &Profile, state: &str) -> Element {
    Element::new("iamInstanceProfileAssociation")
        .text("associationId", association_id(&facts.instance_id, its))
        .text("instanceId", &facts.instance_id)
        .child(profile(its))
        .text("state", state)
}

pub(in crate::ec2) fn association_id(instance_id: &str, its: &Profile) -> String {
    ids::made("iip-assoc-", &format!("{instance_id} {}", its.arn))
}

fn profile(profile: &Profile) -> Element {
    Element::new("iamInstanceProfile").text("arn", &profile.arn).text("id", &profile.id)
}

pub(super) fn product_code(code: &str) -> Element {
    Element::item().text("productCode", code).text("type", "marketplace")
}

fn hostname_type(facts: &Facts) -> &str {
    facts.stated["private-dns-name-options"]["hostname-type"].as_str().unwrap_or("ip-name")
}

/// Why an instance does not run, in EC2's words.
fn because(facts: &Facts) -> Option<(&'static str, &'static str)> {
    let is_interrupted = facts.is_spot() && facts.interruption.is_some();
    Some(match (facts.state(), is_interrupted) {
        ("running", _) => return None,
        ("stopped", true) => ("Server.SpotInstanceStop", "Spot instance stop"),
        (_, true) => ("Server.SpotInstanceTermination", "Spot instance termination"),
        _ => ("Client.UserInitiatedShutdown", "User initiated shutdown"),
    })
}

/// The root volume, and those that the instance has or gets at its next start: each
/// with its device, its id, and since when.
pub(in crate::ec2) fn mapped(facts: &Facts, of_api: &State) -> Vec<(String, String, String)> {
    let id = &facts.instance_id;
    let volume = |device: &String| match of_api.volumes.get(&(id.clone(), device.clone())) {
        Some(volume) => (device.clone(), volume.id.clone(), volume.time.clone()),
        None => (device.clone(), ids::made("vol-", &format!("{id} {device}")), with_ms(&facts.launch_time)),
    };
    std::iter::once(&facts.root_device).chain(&facts.devices).map(volume).collect()
}

pub(super) fn volumes(facts: &Facts, of_api: &State) -> Vec<Element> {
    if facts.state() == "terminated" {
        return Vec::new();
    }
    let volume = |(device, id, time): (String, String, String)| {
        let ends_with_it = device == facts.root_device;
        let ebs = Element::new("ebs")
            .text("volumeId", id)
            .text("status", "attached")
            .text("attachTime", time)
            .text("deleteOnTermination", ends_with_it);
        Element::item().text("deviceName", device).child(ebs)
    };
    mapped(facts, of_api).into_iter().map(volume).collect()
}

pub(super) fn tags(facts: &Facts) -> impl Iterator<Item = Element> {
    facts.tags.iter().map(|(key, value)| Element::item().text("key", key).text("value", value))
}

pub(super) fn group(group: &Group) -> Element {
    Element::item().text("groupId", &group.id).text("groupName", &group.name)
}

fn interface(facts: &Facts, its: &Interface, kept: Attributes) -> Element {
    // The instance's attribute belongs to its first interface.
    let checks = if its.device_index == 0 { kept } else { Attributes::default() };
    let association = |private: &String| {
        let public = its.associations.get(private)?;
        let public_dns = its.public_dns.as_deref().unwrap_or_default();
        let association = Element::new("association").text("publicIp", public).text("publicDnsName", public_dns);
        Some(association.text("ipOwnerId", "amazon")).filter(|_| facts.state() == "running")
    };
    let addresses = its.private_ips.iter().enumerate().map(|(number, private)| {
        let address = Element::item().text("privateIpAddress", private).text("primary", number == 0);
        address.maybe(association(private))
    });
    let attachment = Element::new("attachment")
        .text("attachmentId", ids::made("eni-attach-", &its.id))
        .text("deviceIndex", its.device_index)
        .text("status", "attached")
        .text("attachTime", with_ms(&facts.launch_time))
        .text("deleteOnTermination", true);
    let first = its.private_ips.first();
    Element::item()
        .text("networkInterfaceId", &its.id)
        .text("subnetId", &its.subnet_id)
        .text("vpcId", &its.vpc_id)
        .text("description", "")
        .text("ownerId", &its.owner_id)
        .text("status", "in-use")
        .text("macAddress", &its.mac)
        .some("privateIpAddress", first)
        .some("privateDnsName", its.private_dns.as_ref())
        .some("sourceDestCheck", checks.get("sourceDestCheck"))
        .set("groupSet", its.groups.iter().map(group))
        .child(attachment)
        .maybe(first.and_then(association))
        .set("privateIpAddressesSet", addresses)
        .set("ipv6AddressesSet", its.ipv6.iter().map(|ip| Element::item().text("ipv6Address", ip)))
        .text("interfaceType", "interface")
}
