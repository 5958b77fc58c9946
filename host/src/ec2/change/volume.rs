//! `AttachVolume`, `DetachVolume`. Any volume exists that has an id of EC2's form. What
//! software inside sees of it changes with the next start, as in EC2.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::facts::{Facts, api_time, full};
use super::super::failure::{Failure, shown};
use super::super::ids;
use super::super::state::Volume;
use super::super::xml::Element;
use super::super::{Context, describe, edit, judge};
use super::state;
use crate::control::Control;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct AttachVolume {
    device: String,
    instance_id: String,
    volume_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct DetachVolume {
    volume_id: String,
    instance_id: Option<String>,
    device: Option<String>,
    #[serde(rename = "Force", default)]
    _force: bool,
}

/// As many as the instance types that take most.
const ATTACHMENTS_MAX: usize = 128;

pub(in crate::ec2) fn attach(context: &Context<'_>, asked: AttachVolume) -> Result<Element, Failure> {
    let AttachVolume { device, instance_id, volume_id } = asked;
    if !ids::is_of_form(&volume_id, "vol-") {
        return Err(Failure::value("volume", &volume_id, "Expected: 'vol-...'."));
    }
    let control = context.machines().with_id(&instance_id)?;
    let facts = Facts::of(&control)?;
    if facts.state() == "terminated" {
        return Err(state(format!("Instance '{instance_id}' is not 'running'.")));
    }
    // By which metadata calls it.
    let device = full(&device);
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
    if !device
        .strip_prefix("/dev/")
        .is_some_and(|name| (3..=32).contains(&name.len()) && name.bytes().all(is_of_a_name))
    {
        return Err(Failure::value("device", &device, "Expected a name such as /dev/sdf."));
    }
    let time = api_time(facts.snapshot.clock.now);
    let of_api = context.state();
    let mapped = describe::mapped(&facts, &of_api);
    if mapped.iter().any(|(known, ..)| *known == device) {
        let message = format!("Invalid value '{device}' for unixDevice. Attachment point {device} is already in use");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if mapped.len() >= ATTACHMENTS_MAX {
        let message = format!("'{instance_id}' has {ATTACHMENTS_MAX} volumes, and no instance type takes more");
        return Err(Failure::new("AttachmentLimitExceeded", message));
    }
    let elsewhere = of_api.volumes.values().any(|volume| volume.id == volume_id);
    if elsewhere || mapped.iter().any(|(_, known, _)| *known == volume_id) {
        return Err(Failure::new("VolumeInUse", format!("{volume_id} is already attached to an instance")));
    }
    drop(of_api);
    let mut mappings = stated(&facts);
    match mappings.iter_mut().find(|mapping| is_of(mapping, &device)).and_then(Value::as_object_mut) {
        // The volume would detach with the next start, but software inside still sees the
        // device.
        Some(mapping) => drop(mapping.remove("attachment")),
        None => mappings.push(json!({ "device-name": device, "attachment": "attaching" })),
    }
    set(context, &control, mappings)?;
    let volume = Volume { id: volume_id.clone(), time: time.clone() };
    context.state().volumes.insert((instance_id.clone(), device.clone()), volume);
    Ok(attachment(&volume_id, &instance_id, &device, "attaching", &time))
}

pub(in crate::ec2) fn detach(context: &Context<'_>, asked: DetachVolume) -> Result<Element, Failure> {
    let DetachVolume { volume_id, instance_id, device, .. } = asked;
    let has_it = |facts: &Facts| {
        let mapped = describe::mapped(facts, &context.state());
        mapped.into_iter().find(|(_, id, _)| *id == volume_id)
    };
    let candidate = match &instance_id {
        Some(id) => {
            let control = context.machines().with_id(id)?;
            let facts = Facts::of(&control)?;
            Some((control, facts))
        }
        None => context.machines().first(|facts| has_it(facts).is_some())?,
    };
    let found = candidate.and_then(|(control, facts)| has_it(&facts).map(|found| (control, facts, found)));
    let Some((control, facts, (its_device, _, time))) = found else {
        let volume_id = shown(&volume_id);
        return Err(Failure::new("IncorrectState", format!("Volume '{volume_id}' is in the 'available' state.")));
    };
    if device.is_some_and(|device| full(&device) != its_device) {
        let message = format!("The volume '{volume_id}' is not attached as device '{its_device}'");
        return Err(Failure::new("InvalidAttachment.NotFound", message));
    }
    if its_device == facts.root_device && facts.state() == "running" {
        let message = format!("Unable to detach root volume '{volume_id}' from instance '{}'", facts.instance_id);
        return Err(Failure::new("OperationNotPermitted", message));
    }
    if its_device == facts.root_device {
        return Err(Failure::unsupported("An instance keeps its root volume here"));
    }
    let mut mappings = stated(&facts);
    // A volume that software inside does not see yet detaches at once.
    mappings.retain(|mapping| !(is_of(mapping, &its_device) && mapping["attachment"] == "attaching"));
    for mapping in mappings.iter_mut().filter(|mapping| is_of(mapping, &its_device)) {
        mapping["attachment"] = json!("detaching");
    }
    set(context, &control, mappings)?;
    context.state().volumes.remove(&(facts.instance_id.clone(), its_device.clone()));
    Ok(attachment(&volume_id, &facts.instance_id, &its_device, "detaching", &time))
}

fn attachment(volume_id: &str, instance_id: &str, device: &str, status: &str, time: &str) -> Element {
    Element::item()
        .text("volumeId", volume_id)
        .text("instanceId", instance_id)
        .text("device", device)
        .text("status", status)
        .text("attachTime", time)
        .text("deleteOnTermination", false)
}

fn stated(facts: &Facts) -> Vec<Value> {
    facts.stated["block-device-mappings"].as_array().cloned().unwrap_or_default()
}

fn is_of(mapping: &Value, device: &str) -> bool {
    mapping["device-name"].as_str().is_some_and(|name| full(name) == device)
}

/// The core decides what the next start does to a mapping.
fn set(context: &Context<'_>, control: &Control, mappings: Vec<Value>) -> Result<(), Failure> {
    let change = json!({ "block-device-mappings": mappings });
    judge(control, &change)?;
    context.proceed()?;
    edit(control, &change)
}
