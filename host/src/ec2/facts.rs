//! What an instance is, for the Describe calls.
//!
//! Its control says which state it is in and which options it has. All else is read
//! where software inside reads it, from its metadata: so the two never differ, and
//! what follows from what is known in one place only.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::failure::Failure;
use crate::control::{Control, Snapshot};
use crate::description::rfc3339;
use crate::engine::{Clock as _, Instance};

/// An instance at a moment.
pub(super) struct Facts {
    pub snapshot: Snapshot,
    pub instance_id: String,
    pub reservation_id: String,
    /// The account.
    pub owner_id: String,
    pub image_id: String,
    pub instance_type: String,
    pub launch_time: String,
    pub launch_index: String,
    pub architecture: String,
    pub virtualization: &'static str,
    pub zone: String,
    pub zone_id: String,
    pub group_name: Option<String>,
    pub host_id: Option<String>,
    pub partition_number: Option<String>,
    pub private_ip: Option<String>,
    pub public_ip: Option<String>,
    pub ipv6: Option<String>,
    pub private_dns: Option<String>,
    pub public_dns: Option<String>,
    pub kernel_id: Option<String>,
    pub ramdisk_id: Option<String>,
    pub key_name: Option<String>,
    pub product_codes: Vec<String>,
    pub profile: Option<Profile>,
    pub root_device: String,
    /// The devices of the EBS volumes besides the root volume. Includes those that attach
    /// with the next start, and excludes those that detach with it.
    pub devices: Vec<String>,
    pub hibernates: bool,
    pub is_monitored: bool,
    pub interfaces: Vec<Interface>,
    pub tags: BTreeMap<String, String>,
    pub events: Vec<Event>,
    pub interruption: Option<String>,
    /// Its bytes.
    pub user_data: Option<Vec<u8>>,
    /// What the description states.
    pub stated: Value,
}

/// An instance profile.
pub(super) struct Profile {
    pub arn: String,
    pub id: String,
}

/// A network interface.
pub(super) struct Interface {
    pub id: String,
    pub mac: String,
    pub device_index: u32,
    pub owner_id: String,
    pub subnet_id: String,
    pub vpc_id: String,
    pub private_dns: Option<String>,
    pub public_dns: Option<String>,
    pub private_ips: Vec<String>,
    /// The public address of each private one that has one.
    pub associations: BTreeMap<String, String>,
    pub ipv6: Vec<String>,
    pub groups: Vec<Group>,
}

/// A security group.
pub(super) struct Group {
    pub id: String,
    pub name: String,
}

/// A maintenance event.
pub(super) struct Event {
    pub id: String,
    pub code: String,
    pub description: String,
    pub not_before: Option<String>,
    pub not_after: Option<String>,
}

impl Facts {
    /// Those of the present.
    pub fn of(control: &Control) -> Result<Self, Failure> {
        let (instance, snapshot) = loop {
            let (instance, snapshot) = (control.instance(), control.snapshot()?);
            // Both from one revision.
            if control.instance().id() == instance.id() {
                break (instance, snapshot);
            }
        };
        let description = snapshot.description.to_json();
        let now = snapshot.clock.now;
        let seen = Seen { instance, now_ms: (move || now).now_ms() };
        let stated = json(&description)?;
        let document = json(&snapshot.identity_document)?;
        let of_document = |field: &str| document[field].as_str().map(str::to_owned);
        // What is there only where it is stated is not asked for elsewhere.
        let placement = |field: &str| {
            let value = &stated["placement"][field];
            value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
        };
        let states = |field: &str| !stated[field].is_null();
        let root_device = seen.text("block-device-mapping/root")?.unwrap_or_default();
        let account = of_document("accountId").unwrap_or_default();
        let macs = seen.lines("network/interfaces/macs/")?;
        let interfaces = macs.iter().map(|mac| seen.interface(mac.trim_end_matches('/'), &account));
        let mut interfaces = interfaces.collect::<Result<Vec<_>, _>>()?;
        interfaces.sort_by_key(|interface| interface.device_index);
        let primary = interfaces.first();
        let private_ip = of_document("privateIp");
        let launch_time = stated["launch-time"].as_str().map(str::to_owned);
        Ok(Self {
            instance_id: snapshot.instance_id.clone(),
            reservation_id: seen.text("reservation-id")?.unwrap_or_default(),
            owner_id: account,
            image_id: of_document("imageId").unwrap_or_default(),
            instance_type: of_document("instanceType").unwrap_or_default(),
            launch_time: launch_time.or_else(|| of_document("pendingTime")).unwrap_or_default(),
            launch_index: stated["ami-launch-index"].as_u64().unwrap_or_default().to_string(),
            architecture: of_document("architecture").unwrap_or_default(),
            virtualization: if stated["virtualization-type"] == "paravirtual" { "paravirtual" } else { "hvm" },
            zone: of_document("availabilityZone").unwrap_or_default(),
            zone_id: seen.text("placement/availability-zone-id")?.unwrap_or_default(),
            group_name: placement("group-name"),
            host_id: placement("host-id"),
            partition_number: placement("partition-number"),
            public_ip: primary.and_then(|its| its.associations.get(private_ip.as_ref()?).cloned()),
            ipv6: primary.and_then(|its| its.ipv6.first().cloned()),
            private_dns: primary.and_then(|its| its.private_dns.clone()),
            public_dns: primary.and_then(|its| its.public_dns.clone()),
            private_ip,
            kernel_id: of_document("kernelId"),
            ramdisk_id: of_document("ramdiskId"),
            key_name: seen.text("public-keys/")?.and_then(|line| Some(line.split_once('=')?.1.to_owned())),
            product_codes: if states("product-codes") { seen.lines("product-codes")? } else { Vec::new() },
            profile: seen.profile()?,
            devices: devices(&stated, &root_device),
            root_device,
            hibernates: stated["hibernation-options"]["configured"] == true,
            is_monitored: stated["monitoring"] == "enabled",
            interfaces,
            tags: tags(&stated),
            events: if states("events") { seen.events()? } else { Vec::new() },
            interruption: if states("spot-interruption") { seen.text("spot/instance-action")? } else { None },
            user_data: match states("user-data") || states("user-data-base64") {
                true => seen.bytes("user-data")?,
                false => None,
            },
            stated,
            snapshot,
        })
    }

    /// `running`, `stopped` or `terminated`.
    pub fn state(&self) -> &str {
        &self.snapshot.state
    }

    pub fn is_spot(&self) -> bool {
        self.snapshot.lifecycle == "spot"
    }

    /// What there is of the network while the instance is not terminated.
    pub fn primary(&self) -> Option<&Interface> {
        self.interfaces.first().filter(|_| self.state() != "terminated")
    }
}

fn tags(stated: &Value) -> BTreeMap<String, String> {
    let tags = stated["tags"].as_object().into_iter().flatten();
    tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A time as EC2's API writes it, with milliseconds.
pub(super) fn api_time(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    with_ms(&rfc3339(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

/// The same of a time that is written: `2026-10-01T00:00:00.000Z`.
pub(super) fn with_ms(time: &str) -> String {
    match time.strip_suffix('Z') {
        Some(rest) if !rest.contains('.') => format!("{rest}.000Z"),
        _ => time.to_owned(),
    }
}

/// The metadata of an instance.
struct Seen {
    instance: Instance,
    now_ms: u64,
}

impl Seen {
    /// The bytes at a path; `None` if nothing is there. A failure of the component is an
    /// error, not `None`.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.instance.item(path, self.now_ms)?)
    }

    /// An item below `meta-data/`.
    fn text(&self, item: &str) -> Result<Option<String>, Failure> {
        let bytes = self.bytes(&format!("meta-data/{item}"))?;
        let text = |bytes| {
            String::from_utf8(bytes).map_err(|_| Failure::internal(format!("The metadata of {item} is not text")))
        };
        bytes.map(text).transpose()
    }

    fn lines(&self, item: &str) -> Result<Vec<String>, Failure> {
        Ok(self.text(item)?.unwrap_or_default().lines().map(str::to_owned).collect())
    }

    fn profile(&self) -> Result<Option<Profile>, Failure> {
        let Some(info) = self.text("iam/info")? else { return Ok(None) };
        let info = json(&info)?;
        let field = |name: &str| Some(info[name].as_str()?.to_owned());
        let profile = || Some(Profile { arn: field("InstanceProfileArn")?, id: field("InstanceProfileId")? });
        Ok(profile())
    }

    fn interface(&self, mac: &str, account: &str) -> Result<Interface, Failure> {
        let item = |name: &str| self.text(&format!("network/interfaces/macs/{mac}/{name}"));
        let lines = |name: &str| self.lines(&format!("network/interfaces/macs/{mac}/{name}"));
        let names = lines("security-groups")?;
        let groups = lines("security-group-ids")?.into_iter().zip(names).map(|(id, name)| Group { id, name }).collect();
        // Metadata writes them in full.
        let ipv6 = lines("ipv6s")?.into_iter().map(|ip| ip.parse::<Ipv6Addr>().map_or(ip, |ip| ip.to_string()));
        let mut associations = BTreeMap::new();
        for public in lines("ipv4-associations/")? {
            if let Some(private) = item(&format!("ipv4-associations/{public}"))? {
                associations.insert(private, public);
            }
        }
        Ok(Interface {
            id: item("interface-id")?.unwrap_or_default(),
            mac: mac.to_owned(),
            device_index: item("device-number")?.and_then(|number| number.parse().ok()).unwrap_or_default(),
            owner_id: item("owner-id")?.unwrap_or_else(|| account.to_owned()),
            subnet_id: item("subnet-id")?.unwrap_or_default(),
            vpc_id: item("vpc-id")?.unwrap_or_default(),
            private_dns: item("local-hostname")?,
            public_dns: item("public-hostname")?,
            private_ips: lines("local-ipv4s")?,
            associations,
            ipv6: ipv6.collect(),
            groups,
        })
    }

    /// Those that are to come first, then those that were, as `meta-data/events/` has
    /// them.
    fn events(&self) -> Result<Vec<Event>, Failure> {
        let mut all = Vec::new();
        for list in ["scheduled", "history"] {
            let Some(text) = self.text(&format!("events/maintenance/{list}"))? else { continue };
            let Value::Array(events) = json(&text)? else { continue };
            all.extend(events.iter().filter_map(event));
        }
        Ok(all)
    }
}

fn devices(stated: &Value, root: &str) -> Vec<String> {
    let mappings = stated["block-device-mappings"].as_array().into_iter().flatten();
    let is_volume = |its: &&Value| its["virtual-name"].as_str().is_none_or(|name| name.starts_with("ebs"));
    let stays = |its: &&Value| its["attachment"] != "detaching";
    let names = mappings.filter(is_volume).filter(stays).filter_map(|its| its["device-name"].as_str()).map(full);
    names.filter(|device| device != root).collect()
}

fn event(event: &Value) -> Option<Event> {
    let field = |name: &str| event[name].as_str().map(str::to_owned);
    Some(Event {
        id: field("EventId")?,
        code: field("Code")?,
        description: field("Description")?,
        not_before: field("NotBefore").and_then(|date| iso(&date)),
        not_after: field("NotAfter").and_then(|date| iso(&date)),
    })
}

/// Parses what the component wrote. It may be a secret, so no error shows it.
fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::internal("The component's description of the instance is not JSON"))
}

/// `/dev/sdf`, which metadata calls `sdf`.
pub(super) fn full(device: &str) -> String {
    if device.starts_with('/') { device.to_owned() } else { format!("/dev/{device}") }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2019-01-21T09:00:43.000Z` of `21 Jan 2019 09:00:43 GMT`, as metadata writes the
/// dates of events.
fn iso(date: &str) -> Option<String> {
    let mut words = date.split(' ');
    let day: u8 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (year, time) = (words.next()?, words.next()?);
    Some(format!("{year}-{month:02}-{day:02}T{time}.000Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Description, Runtime, RuntimeLimits};

    #[test]
    fn dates_of_events_are_read() {
        assert_eq!(iso("1 Feb 2019 09:00:43 GMT").as_deref(), Some("2019-02-01T09:00:43.000Z"));
        assert_eq!(iso("soon"), None);
        assert_eq!(with_ms("2026-10-01T00:00:00Z"), "2026-10-01T00:00:00.000Z");
    }

    #[test]
    fn facts_are_those_of_the_metadata_whatever_stands_in_its_way() {
        let toml = "
            state = 'stopped'
            user-data = 'hello'
            tags = { Name = 'web' }
            request-throttle = { per-second = 1, burst = 1 }
            events = [{ code = 'system-reboot', not-before = '2026-12-01T00:00:00Z' }]
            metadata-options = { http-endpoint = 'disabled', http-tokens = 'required' }
            faults = [{ kind = 'refuse' }]
        ";
        let description = Description::from_toml("test", toml).unwrap();
        let control = Control::open(&Runtime::new().unwrap(), &description).unwrap();
        let facts = Facts::of(&control).unwrap();
        assert_eq!((facts.state(), &*facts.instance_id), ("stopped", "i-0123456789abcdef0"));
        assert_eq!(facts.private_ip.as_deref(), Some("10.0.0.10"));
        assert_eq!(facts.user_data.as_deref(), Some(&b"hello"[..]));
        assert_eq!(facts.tags["Name"], "web");
        assert_eq!(facts.events[0].not_before.as_deref(), Some("2026-12-01T00:00:00.000Z"));
        assert_eq!(facts.interfaces[0].associations["10.0.0.10"], "203.0.113.25");
        assert_eq!(facts.key_name.as_deref(), Some("imds"));
        assert_eq!(facts.snapshot.metadata_options.http_tokens, "required");
        // Nobody was served.
        assert!(control.journal().entries(0, 10).is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_a_failure_and_no_absence() {
        // Too large for the component's memory, so the component fails.
        let limits = RuntimeLimits::default().memory_bytes(3 << 20);
        let control = Control::open(&Runtime::with_limits(limits).unwrap(), &Description::default()).unwrap();
        let large = format!(r#"{{"user-data": "{}"}}"#, "x".repeat(3 << 20));
        let opening = control.opening_of_json(&large);
        let instance = Instance::new(control.instance().runtime().clone(), u64::MAX, opening);
        let failure = Seen { instance, now_ms: 0 }.text("public-ipv4").unwrap_err();
        assert_eq!((failure.code, failure.status()), ("InternalError", 500));
        assert_eq!(failure.message, "the component failed");
    }
}
