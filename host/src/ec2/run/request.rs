//! The parameters of a launch, and the description that they make.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::attributes::{Attributes, SpotOptions};
use super::super::change::attribute::{groups, user_data};
use super::super::change::metadata_options::Options;
use super::super::change::profile::Specification;
use super::super::change::tags::{self, Tag};
use super::super::facts::full;
use super::super::failure::{Failure, shown};
use super::super::ids;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(super) struct RunInstances {
    pub image_id: Option<String>,
    pub min_count: Option<u32>,
    pub max_count: Option<u32>,
    pub client_token: Option<String>,
    pub subnet_id: Option<String>,
    pub private_ip_address: Option<String>,
    pub network_interface: Vec<NetworkInterface>,
    instance_type: Option<String>,
    key_name: Option<String>,
    security_group: Vec<String>,
    security_group_id: Vec<String>,
    user_data: Option<String>,
    placement: Option<Placement>,
    kernel_id: Option<String>,
    ramdisk_id: Option<String>,
    iam_instance_profile: Option<Specification>,
    metadata_options: Option<Options>,
    monitoring: Option<Monitoring>,
    tag_specification: Vec<TagSpecification>,
    instance_market_options: Option<MarketOptions>,
    hibernation_options: Option<HibernationOptions>,
    block_device_mapping: Vec<BlockDeviceMapping>,
    ipv6_address: Vec<Ipv6Address>,
    private_dns_name_options: Option<PrivateDnsNameOptions>,
    disable_api_stop: bool,
    disable_api_termination: bool,
    ebs_optimized: bool,
    instance_initiated_shutdown_behavior: Option<String>,
    enclave_options: EnclaveOptions,
    capacity_reservation_specification: CapacityReservation,
    /// These have no visible effect.
    #[serde(rename = "CreditSpecification")]
    _credits: Option<CreditSpecification>,
    #[serde(rename = "MaintenanceOptions")]
    _maintenance: Option<MaintenanceOptions>,
}

/// The primary interface.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(super) struct NetworkInterface {
    device_index: Option<u32>,
    pub subnet_id: Option<String>,
    pub private_ip_address: Option<String>,
    associate_public_ip_address: Option<bool>,
    security_group_id: Vec<String>,
    #[serde(rename = "DeleteOnTermination")]
    _delete_on_termination: Option<bool>,
    #[serde(rename = "Description")]
    _description: Option<String>,
    interface_type: Option<String>,
    network_card_index: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Placement {
    availability_zone: Option<String>,
    group_name: Option<String>,
    host_id: Option<String>,
    partition_number: Option<u32>,
    #[serde(rename = "Tenancy")]
    tenancy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Monitoring {
    enabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct TagSpecification {
    resource_type: Option<String>,
    tag: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct MarketOptions {
    market_type: Option<String>,
    spot_options: Option<SpotOptions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct HibernationOptions {
    configured: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct CreditSpecification {
    #[serde(rename = "CpuCredits")]
    _cpu_credits: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct MaintenanceOptions {
    #[serde(rename = "AutoRecovery")]
    _auto_recovery: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct EnclaveOptions {
    enabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct CapacityReservation {
    capacity_reservation_preference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BlockDeviceMapping {
    device_name: String,
    virtual_name: Option<String>,
    no_device: Option<String>,
    #[serde(rename = "Ebs")]
    _ebs: Option<Ebs>,
}

/// What metadata does not tell of a volume.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Ebs {
    #[serde(rename = "DeleteOnTermination")]
    _delete_on_termination: Option<bool>,
    #[serde(rename = "Encrypted")]
    _encrypted: Option<bool>,
    #[serde(rename = "Iops")]
    _iops: Option<u32>,
    #[serde(rename = "KmsKeyId")]
    _kms_key_id: Option<String>,
    #[serde(rename = "SnapshotId")]
    _snapshot_id: Option<String>,
    #[serde(rename = "Throughput")]
    _throughput: Option<u32>,
    #[serde(rename = "VolumeSize")]
    _volume_size: Option<u32>,
    #[serde(rename = "VolumeType")]
    _volume_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Ipv6Address {
    ipv6_address: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct PrivateDnsNameOptions {
    hostname_type: Option<String>,
    #[serde(rename = "EnableResourceNameDnsARecord")]
    _a: Option<bool>,
    #[serde(rename = "EnableResourceNameDnsAAAARecord")]
    _aaaa: Option<bool>,
}

impl RunInstances {
    /// The primary interface, where one is given.
    pub fn primary(&self) -> Result<NetworkInterface, Failure> {
        match &self.network_interface[..] {
            [] => Ok(NetworkInterface::default()),
            [one] if one.interface_type.as_deref().is_some_and(|kind| kind != "interface") => {
                Err(Failure::unsupported("The type of an interface can only be 'interface' here"))
            }
            [one] if one.device_index.or(one.network_card_index).unwrap_or_default() == 0 => Ok(one.clone()),
            _ => Err(Failure::unsupported("An instance is launched with its primary network interface alone here")),
        }
    }

    /// The attributes of the instances that metadata does not show.
    pub fn attributes(&self) -> Result<Attributes, Failure> {
        let mut attributes = Attributes::default();
        for (name, is_set) in [
            ("disableApiStop", self.disable_api_stop),
            ("disableApiTermination", self.disable_api_termination),
            ("ebsOptimized", self.ebs_optimized),
        ] {
            attributes.set(name, if is_set { "true" } else { "false" })?;
        }
        if let Some(behavior) = &self.instance_initiated_shutdown_behavior {
            attributes.set("instanceInitiatedShutdownBehavior", behavior)?;
        }
        if self.enclave_options.enabled {
            return Err(Failure::unsupported("Instances have no enclaves here: EnclaveOptions.Enabled must be false"));
        }
        match self.capacity_reservation_specification.capacity_reservation_preference.as_deref() {
            None | Some("open" | "none") => {}
            Some(_) => {
                let message = "There are no capacity reservations here. CapacityReservationPreference can be: none, \
                               open";
                return Err(Failure::unsupported(message));
            }
        }
        Ok(attributes)
    }

    /// The options of a spot instance; `None` for other instances.
    pub fn spot(&self) -> Result<Option<SpotOptions>, Failure> {
        let Some(options) = &self.instance_market_options else { return Ok(None) };
        match (options.market_type.as_deref(), &options.spot_options) {
            (Some("spot"), spot) => {
                let spot = spot.clone().unwrap_or_default();
                spot.judge()?;
                Ok(Some(spot))
            }
            (_, Some(_)) => Err(Failure::combination("SpotOptions can be specified only with the market type 'spot'")),
            (_, None) => Ok(None),
        }
    }

    /// What is the same of all instances of the launch, in the words of a description.
    pub fn described(&self, template: &Value) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        match &self.image_id {
            Some(id) if !ids::is_of_form(id, "ami-") => return Err(ids::malformed("InvalidAMIID.Malformed", id)),
            Some(id) => drop(put("image-id", json!(id))),
            None if template["image-id"].is_string() => {}
            None => return Err(Failure::missing("ImageId")),
        }
        for (name, value) in
            [("instance-type", &self.instance_type), ("kernel-id", &self.kernel_id), ("ramdisk-id", &self.ramdisk_id)]
        {
            value.as_ref().map(|value| put(name, json!(value)));
        }
        // What a launch does not ask for, its instances do not have.
        match &self.key_name {
            Some(name) => drop(put("key-pair", json!({ "key-name": name }))),
            None if template["key-pair"].is_object() => {}
            None => drop(put("key-pair", json!(false))),
        }
        match &self.iam_instance_profile {
            Some(profile) => drop(put("iam-instance-profile", without_nulls(profile.described()?))),
            None if template["iam-instance-profile"].is_object() => {}
            None => drop(put("iam-instance-profile", json!(false))),
        }
        if let Some(data) = &self.user_data {
            put("user-data-base64", user_data(data)?["user-data-base64"].clone());
        }
        if let Some(options) = &self.metadata_options {
            put("metadata-options", Value::Object(options.change()?));
        }
        if let Some(Monitoring { enabled: true }) = self.monitoring {
            put("monitoring", json!("enabled"));
        }
        if let Some(HibernationOptions { configured }) = self.hibernation_options {
            put("hibernation-options", json!({ "configured": configured }));
        }
        match self.instance_market_options.as_ref().and_then(|options| options.market_type.as_deref()) {
            Some("spot") => drop(put("instance-lifecycle", json!("spot"))),
            Some("capacity-block") => drop(put("instance-lifecycle", json!("capacity-block"))),
            Some(other) => return Err(Failure::value("InstanceMarketOptions.MarketType", other, "")),
            None => {}
        }
        if let Some(placement) = &self.placement {
            put("placement", placement.described()?);
        }
        if let Some(groups) = self.groups()? {
            put("security-groups", groups);
        }
        if let Some(kind) = self.private_dns_name_options.as_ref().and_then(|options| options.hostname_type.as_ref()) {
            put("private-dns-name-options", json!({ "hostname-type": kind }));
        }
        if self.primary()?.associate_public_ip_address == Some(false) {
            put("public-ip-address", json!(false));
        }
        let devices = self.devices();
        if !devices.is_empty() {
            put("block-device-mappings", Value::Array(devices));
        }
        let tags = self.tags()?;
        if !tags.is_empty() {
            put("tags", Value::Object(tags));
        }
        Ok(fields)
    }

    /// The addresses of the primary interface that are IPv6.
    pub fn ipv6(&self) -> Vec<&str> {
        self.ipv6_address.iter().map(|its| &*its.ipv6_address).collect()
    }

    fn groups(&self) -> Result<Option<Value>, Failure> {
        let of_interface = self.primary()?.security_group_id;
        let ids = if of_interface.is_empty() { &self.security_group_id } else { &of_interface };
        let Value::Array(mut all) = groups(ids, &[])? else { return Ok(None) };
        all.extend(self.security_group.iter().map(|name| json!({ "group-name": name })));
        Ok(Some(Value::Array(all)).filter(|all| *all != json!([])))
    }

    fn devices(&self) -> Vec<Value> {
        let is_one = |mapping: &&BlockDeviceMapping| {
            // The root device is there in any case, and one is taken out of the image's.
            mapping.no_device.is_none() && !ROOTS.contains(&&*full(&mapping.device_name))
        };
        let device = |mapping: &BlockDeviceMapping| {
            let mut device = json!({ "device-name": mapping.device_name });
            if let Some(name) = &mapping.virtual_name {
                device["virtual-name"] = json!(name);
            }
            device
        };
        self.block_device_mapping.iter().filter(is_one).map(device).collect()
    }

    fn tags(&self) -> Result<Map<String, Value>, Failure> {
        let mut all = Vec::new();
        for TagSpecification { resource_type, tag } in &self.tag_specification {
            if tag.is_empty() {
                return Err(Failure::new("InvalidParameterValue", "Tag specification must have at least one tag"));
            }
            match resource_type.as_deref() {
                Some("instance") => all.extend(tag.iter().cloned()),
                // They are on nothing that anybody can ask for here.
                Some("volume" | "network-interface" | "spot-instances-request" | "elastic-gpu") => {}
                Some(other) => {
                    let message = format!("'{}' is not a valid taggable resource type", shown(other));
                    return Err(Failure::new("InvalidParameterValue", message));
                }
                None => return Err(Failure::missing("ResourceType")),
            }
        }
        tags::judge(&all)?;
        Ok(all.into_iter().map(|Tag { key, value }| (key, json!(value.unwrap_or_default()))).collect())
    }
}

/// Names of root devices, of which a mapping only says how large they are.
const ROOTS: [&str; 2] = ["/dev/xvda", "/dev/sda1"];

impl Placement {
    fn described(&self) -> Result<Value, Failure> {
        if let Some(tenancy) =
            self.tenancy.as_deref().filter(|tenancy| !["default", "dedicated", "host"].contains(tenancy))
        {
            return Err(Failure::value("placement.tenancy", tenancy, ""));
        }
        Ok(without_nulls(json!({
            "availability-zone": self.availability_zone,
            "group-name": self.group_name,
            "host-id": self.host_id,
            "partition-number": self.partition_number,
        })))
    }
}

/// In a description `null` is no value.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        value => value,
    }
}
