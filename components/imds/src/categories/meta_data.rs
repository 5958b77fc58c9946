//! `meta-data/`: identity, image, placement, volumes, keys, tags, events.

use super::Shelf;
use crate::description::{EventState, SpotAction, Switch, VirtualizationType};
use crate::facts::system::is_xen;
use crate::facts::{Facts, bare};
use crate::pretty::{Value, object, quoted};
use crate::time::Time;
use crate::tree::Content;

pub fn put(shelf: &mut Shelf, facts: &Facts) {
    identity(shelf, facts);
    placement(shelf, facts);
    block_device_mapping(shelf, facts);
    keys(shelf, facts);
    tags(shelf, facts);
    events(shelf, facts);
    accelerators(shelf, facts);
}

fn identity(shelf: &mut Shelf, facts: &Facts) {
    let primary = facts.interfaces.first();
    let hostname = primary.and_then(|interface| interface.private_dns_name.as_ref());
    let public = primary.and_then(|interface| interface.public_ip_address());
    let public_name = primary.and_then(|interface| interface.public_dns_name.as_ref());
    shelf.text("meta-data/ami-id", "1.0", &facts.image_id);
    shelf.text("meta-data/ami-launch-index", "1.0", facts.ami_launch_index);
    shelf.text("meta-data/ami-manifest-path", "1.0", &facts.ami_manifest_path);
    shelf.lines("meta-data/ancestor-ami-ids", "2007-10-10", &facts.ancestor_ami_ids);
    let state = facts.target_lifecycle_state.map(|state| state.as_str());
    shelf.optional("meta-data/autoscaling/target-lifecycle-state", "2021-07-15", state);
    // UNRECORDED: the version that first shows it.
    shelf.optional("meta-data/hibernation/configured", "2018-09-24", facts.hibernation_configured);
    shelf.optional("meta-data/hostname", "1.0", hostname);
    shelf.text("meta-data/instance-action", "2008-09-01", facts.instance_action.as_str());
    shelf.text("meta-data/instance-id", "1.0", &facts.instance_id);
    shelf.text("meta-data/instance-life-cycle", "2019-10-01", facts.lifecycle.as_str());
    shelf.text("meta-data/instance-type", "2007-08-29", &facts.instance_type);
    let ipv6 = primary.and_then(|interface| interface.ipv6_addresses.first());
    shelf.optional("meta-data/ipv6", "2021-01-03", ipv6);
    shelf.optional("meta-data/kernel-id", "2008-02-01", facts.kernel_id.as_ref());
    shelf.optional("meta-data/local-hostname", "2007-01-19", hostname);
    shelf.optional("meta-data/local-ipv4", "1.0", facts.private_ip_address());
    shelf.optional("meta-data/mac", "2011-01-01", primary.map(|interface| interface.mac));
    // Documented as retired; the service still answers, with nothing but this.
    shelf.text("meta-data/metrics/vhostmd", "2011-05-01", r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    let codes = facts.product_codes.iter().map(|(code, _)| code);
    shelf.lines("meta-data/product-codes", "2007-03-01", codes);
    // UNRECORDED: the profile of a paravirtual instance.
    let profile = match facts.virtualization_type {
        VirtualizationType::Hvm => "default-hvm",
        VirtualizationType::Paravirtual => "default-paravirtual",
    };
    shelf.text("meta-data/profile", "2007-12-15", profile);
    shelf.optional("meta-data/public-hostname", "2007-01-19", public_name);
    shelf.optional("meta-data/public-ipv4", "2007-01-19", public);
    shelf.optional("meta-data/ramdisk-id", "2007-10-10", facts.ramdisk_id.as_ref());
    shelf.text("meta-data/reservation-id", "1.0", &facts.reservation_id);
    let groups = primary.map(|interface| &interface.groups[..]).unwrap_or_default();
    shelf.lines("meta-data/security-groups", "1.0", groups.iter().map(|group| &group.name));
    shelf.text("meta-data/services/domain", "2014-02-25", facts.region.domain);
    shelf.text("meta-data/services/partition", "2015-10-20", facts.region.partition);
    shelf.text("meta-data/system", "2022-09-24", &facts.system);
}

fn placement(shelf: &mut Shelf, facts: &Facts) {
    shelf.text("meta-data/placement/availability-zone", "2008-02-01", &facts.zone);
    // Recorded from 2019-10-01 on; documented with the date 2020-08-24.
    shelf.text("meta-data/placement/availability-zone-id", "2020-08-24", &facts.zone_id);
    shelf.optional("meta-data/placement/group-name", "2020-08-24", facts.group_name.as_ref());
    shelf.optional("meta-data/placement/host-id", "2020-08-24", facts.host_id.as_ref());
    shelf.optional("meta-data/placement/partition-number", "2020-08-24", facts.partition_number);
    shelf.text("meta-data/placement/region", "2020-08-24", &facts.region.name);
}

fn block_device_mapping(shelf: &mut Shelf, facts: &Facts) {
    let root = &facts.root_device_name;
    // Recorded: only Nitro takes `/dev/` away here.
    let ami = if is_xen(&facts.system) { root } else { bare(root) };
    shelf.text("meta-data/block-device-mapping/ami", "2007-12-15", ami);
    shelf.text("meta-data/block-device-mapping/root", "2007-12-15", root);
    for (name, device) in &facts.block_devices {
        shelf.text(&format!("meta-data/block-device-mapping/{name}"), "2007-12-15", device);
    }
}

fn keys(shelf: &mut Shelf, facts: &Facts) {
    if let Some(pair) = &facts.key_pair {
        // The one text item with a line end.
        shelf.text("meta-data/public-keys/0/openssh-key", "1.0", format!("{}\n", pair.public_key));
        shelf.root.label("meta-data/public-keys/0", &format!("0={}", pair.name));
    }
    // UNRECORDED: the version that first shows EC2 Instance Connect's keys.
    if let Some(keys) = &facts.managed_ssh_keys {
        if let Some(certificate) = &keys.signer_cert {
            shelf.latest("meta-data/managed-ssh-keys/signer-cert", certificate);
        }
        for (user, list) in &keys.active_keys.0 {
            shelf.latest(&format!("meta-data/managed-ssh-keys/active-keys/{}", user.as_str()), list);
        }
        for (digest, answer) in &keys.signer_ocsp.0 {
            shelf.latest(&format!("meta-data/managed-ssh-keys/signer-ocsp/{}", digest.as_str()), answer);
        }
    }
}

fn tags(shelf: &mut Shelf, facts: &Facts) {
    if facts.options.instance_metadata_tags == Switch::Disabled {
        return;
    }
    for (key, value) in &facts.tags {
        shelf.text(&format!("meta-data/tags/instance/{key}"), "2021-03-23", value);
    }
    // One compact object in the order of the tags; there even without tags.
    let fields: Vec<String> =
        facts.tags.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value))).collect();
    shelf.text("meta-data/tag-sets/instance", "2025-10-04", format!("{{{}}}", fields.join(",")));
}

fn events(shelf: &mut Shelf, facts: &Facts) {
    let active = |event: &&crate::facts::Event| event.state == EventState::Active;
    let scheduled = facts.events.iter().filter(active);
    let history = facts.events.iter().filter(|event| !active(event));
    shelf.text("meta-data/events/maintenance/history", "2018-08-17", event_list(history));
    shelf.text("meta-data/events/maintenance/scheduled", "2018-08-17", event_list(scheduled));
    if let Some(time) = facts.rebalance_notice {
        // UNRECORDED: the space; the user guide prints it.
        let notice = format!(r#"{{"noticeTime": "{}"}}"#, time.rfc3339());
        shelf.put("meta-data/events/recommendations/rebalance", "2020-10-27", Content::From(time, notice));
    }
    if let Some(notice) = facts.spot_notice {
        let (action, time) = (notice.action.as_str(), notice.time.rfc3339());
        // Compact, as a client logged it in 2025; the user guide prints spaces.
        let text = format!(r#"{{"action":"{action}","time":"{time}"}}"#);
        let content = Content::From(notice.notice_time, text);
        shelf.put("meta-data/spot/instance-action", "2016-11-15", content);
        if notice.action == SpotAction::Terminate {
            let content = Content::From(notice.notice_time, time);
            shelf.put("meta-data/spot/termination-time", "2014-11-05", content);
        }
    }
}

/// Maintenance events as a JSON array; layout of a sample of 2020.
///
/// UNRECORDED: what stands between two events.
fn event_list<'f>(events: impl Iterator<Item = &'f crate::facts::Event>) -> String {
    let objects: Vec<String> = events
        .map(|event| {
            let description = match event.state {
                EventState::Active => event.description.clone(),
                EventState::Completed => format!("[Completed] {}", event.description),
                EventState::Canceled => format!("[Canceled] {}", event.description),
            };
            let fields = [
                ("NotBefore", Some(event.not_before.event_date())),
                ("Code", Some(event.code.to_owned())),
                ("Description", Some(description)),
                ("EventId", Some(event.id.clone())),
                // Recorded: an event without an end has no such line.
                ("NotAfter", event.not_after.map(Time::event_date)),
                ("State", Some(event.state.as_str().to_owned())),
            ];
            let fields = fields.into_iter().filter_map(|(name, text)| Some((name, Value::Text(text?))));
            object(&fields.collect::<Vec<_>>())
        })
        .collect();
    if objects.is_empty() { "[]".to_owned() } else { format!("[ {} ]", objects.join(", ")) }
}

/// Elastic GPUs and Elastic Inference, which ended; old clients still look.
///
/// UNRECORDED: the fields of an Elastic GPU; those of Elastic Inference are taken.
fn accelerators(shelf: &mut Shelf, facts: &Facts) {
    let families = [
        ("elastic-gpus", "elastic-gpu", "2016-11-30", &facts.elastic_gpus),
        ("elastic-inference", "elastic-inference-accelerator", "2018-11-29", &facts.elastic_inference),
    ];
    for (folder, prefix, date, associations) in families {
        for (id, kind) in associations {
            let id_field = quoted(&format!("{prefix}-id"));
            let type_field = quoted(&format!("{prefix}-type"));
            let text =
                format!(r#"{{"version_2018_04_12":{{{id_field}:{},{type_field}:{}}}}}"#, quoted(id), quoted(kind));
            shelf.text(&format!("meta-data/{folder}/associations/{id}"), date, text);
        }
    }
}
