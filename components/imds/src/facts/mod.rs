//! What a description means: every default filled in, everything checked.
//!
//! The types that a description and the service have in common are used as
//! they are; what a description may leave out is here.

pub mod made;
mod network;
pub mod place;
mod purpose;

use core::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use self::network::Interface;
use self::place::Region;
pub use self::purpose::{Event, Profile, SpotNotice};
use crate::description::problem::{Problem, pointer_step};
use crate::description::{self as written, Description};
use crate::throttle::Rate;
use crate::time::Time;
use crate::version::Version;

/// The largest user data, in bytes before base64. Source: EC2 user guide.
pub const USER_DATA_BYTES_MAX: usize = 16_384;

/// The launch time of an instance that does not state one: an arbitrary day,
/// the same for all, so that equal descriptions give equal instances.
const LAUNCH_TIME_MS: u64 = 1_790_421_382_000;

/// A public key whose private key nobody has: its point is the SHA-256 of
/// "imds default key pair, whose private key nobody has, 0".
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD+OODBQljYvjzGvrp";

/// A complete instance.
pub struct Facts {
    pub owner_id: String,
    pub instance_id: String,
    pub instance_type: String,
    pub image_id: String,
    pub reservation_id: String,
    pub ami_launch_index: u32,
    pub launch_time: Time,
    pub architecture: written::Architecture,
    pub lifecycle: written::InstanceLifecycle,
    pub region: Region,
    pub zone: String,
    pub zone_id: String,
    pub group_name: Option<String>,
    pub host_id: Option<String>,
    pub partition_number: Option<u16>,
    pub monitoring: written::Switch,
    pub options: written::MetadataOptions,
    pub tags: Vec<(String, String)>,
    pub user_data: Option<UserData>,
    pub key_pair: Option<KeyPair>,
    pub profile: Option<Profile>,
    /// The primary interface first; never empty.
    pub interfaces: Vec<Interface>,
    pub root_device_name: String,
    /// Name and device of each mapping besides `ami` and `root`.
    pub block_devices: Vec<(String, String)>,
    pub product_codes: Vec<(String, written::ProductCodeType)>,
    pub billing_products: Vec<String>,
    pub kernel_id: Option<String>,
    pub ramdisk_id: Option<String>,
    pub ancestor_ami_ids: Vec<String>,
    pub ami_manifest_path: String,
    pub virtualization_type: written::VirtualizationType,
    pub system: String,
    pub instance_action: written::InstanceAction,
    pub hibernation_configured: Option<bool>,
    pub target_lifecycle_state: Option<written::TargetLifecycleState>,
    pub spot_notice: Option<SpotNotice>,
    pub rebalance_notice: Option<Time>,
    pub events: Vec<Event>,
    pub managed_ssh_keys: Option<written::ManagedSshKeys>,
    /// Kind, id and type of accelerators for old clients.
    pub elastic_gpus: Vec<(String, String)>,
    pub elastic_inference: Vec<(String, String)>,
    pub throttle: Option<Rate>,
    pub signatures: written::IdentitySignatures,
    pub extra_entries: Vec<ExtraEntry>,
}

/// An entry that the operator added.
pub struct ExtraEntry {
    /// The one version that has it; none for all.
    pub version: Option<Version>,
    /// The path below the version.
    pub path: String,
    pub text: String,
}

/// A key pair.
#[derive(Clone, Debug)]
pub struct KeyPair {
    pub name: String,
    /// Type, key and comment, without a line end.
    pub public_key: String,
}

/// User data, which may hold secrets.
#[derive(Clone)]
pub struct UserData(pub Vec<u8>);

impl core::fmt::Debug for UserData {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

impl Facts {
    /// Completes and checks a description; tells all problems.
    pub fn of(description: Description) -> Result<Facts, Vec<Problem>> {
        let mut check = Check::default();
        let facts = check.facts(description);
        if check.problems.is_empty() { Ok(facts) } else { Err(check.problems) }
    }

    /// The primary interface's first private address.
    pub fn private_ip_address(&self) -> Option<Ipv4Addr> {
        Some(self.interfaces.first()?.addresses.first()?.private)
    }
}

/// Collects problems while a description is completed. After a problem it goes
/// on with the value as it is: the facts are thrown away in the end.
#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn facts(&mut self, written: Description) -> Facts {
        let instance_id = self.id("/instance-id", "i-", written.instance_id.clone(), || "i-0123456789abcdef0".into());
        let (zone, region) = self.zone(&written.placement);
        let owner_id = self.account("/owner-id", written.owner_id.clone(), "123456789012");
        let interfaces = self.interfaces(&written, &instance_id, &owner_id, &region);
        let instance_type = self.line("/instance-type", written.instance_type).unwrap_or_else(|| "t3.micro".into());
        self.tags(&written.tags.0, written.metadata_options.instance_metadata_tags);
        Facts {
            reservation_id: self
                .id("/reservation-id", "r-", written.reservation_id, || made::resource_id("r-", &instance_id)),
            image_id: self.id("/image-id", "ami-", written.image_id, || "ami-0abcdef1234567890".into()),
            ami_launch_index: written.ami_launch_index,
            launch_time: written.launch_time.unwrap_or(Time::from_ms(LAUNCH_TIME_MS)),
            architecture: written.architecture.unwrap_or_else(|| architecture_of(&instance_type)),
            zone_id: self
                .line("/placement/availability-zone-id", written.placement.availability_zone_id)
                .unwrap_or_else(|| place::zone_id(&zone, &region.name)),
            group_name: self.line("/placement/group-name", written.placement.group_name),
            host_id: self.line("/placement/host-id", written.placement.host_id),
            partition_number: written.placement.partition_number,
            monitoring: written.monitoring,
            tags: written.tags.0,
            user_data: self.user_data(written.user_data, written.user_data_base64),
            key_pair: self.key_pair(written.key_pair),
            profile: self.profile(written.iam_instance_profile, &instance_id, &owner_id, &region),
            root_device_name: self
                .line("/root-device-name", written.root_device_name.clone())
                .unwrap_or_else(|| "/dev/xvda".into()),
            block_devices: self.block_devices(written.block_device_mappings, written.root_device_name.as_deref()),
            product_codes: self.product_codes(written.product_codes),
            billing_products: self.lines("/billing-products", written.billing_products),
            kernel_id: self.line("/kernel-id", written.kernel_id),
            ramdisk_id: self.line("/ramdisk-id", written.ramdisk_id),
            ancestor_ami_ids: self.lines("/ancestor-ami-ids", written.ancestor_ami_ids),
            ami_manifest_path: self
                .line("/ami-manifest-path", written.ami_manifest_path)
                .unwrap_or_else(|| "(unknown)".into()),
            virtualization_type: written.virtualization_type,
            system: self.line("/system", written.system).unwrap_or_else(|| "nitro".into()),
            instance_action: written.instance_action,
            hibernation_configured: written.hibernation_options.map(|options| options.configured),
            target_lifecycle_state: written.auto_scaling.map(|group| group.target_lifecycle_state),
            spot_notice: self.spot_notice(written.spot_interruption, written.instance_lifecycle),
            rebalance_notice: self.rebalance_notice(written.rebalance_recommendation, written.instance_lifecycle),
            events: self.events(written.events, &instance_id),
            managed_ssh_keys: self.managed_ssh_keys(written.managed_ssh_keys),
            elastic_gpus: self.associations(
                "/elastic-gpu-associations",
                "elastic-gpu-id",
                "eg1.medium",
                written.elastic_gpu_associations.into_iter().map(|gpu| (gpu.elastic_gpu_id, gpu.elastic_gpu_type)),
            ),
            elastic_inference: self.associations(
                "/elastic-inference-accelerator-associations",
                "elastic-inference-accelerator-id",
                "eia1.medium",
                written.elastic_inference_accelerator_associations.into_iter().map(|accelerator| {
                    (accelerator.elastic_inference_accelerator_id, accelerator.elastic_inference_accelerator_type)
                }),
            ),
            throttle: self.throttle(written.request_throttle),
            signatures: self.signatures(written.identity_signatures.unwrap_or_default()),
            extra_entries: self.extra_entries(written.extra_entries.0),
            lifecycle: written.instance_lifecycle,
            options: written.metadata_options,
            owner_id,
            instance_id,
            instance_type,
            region,
            zone,
            interfaces,
        }
    }

    fn wrong(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::at(pointer, message));
    }

    fn wrong_name(&mut self, pointer: &str, message: &str) {
        self.problems.push(Problem { in_name: true, ..Problem::at(pointer, message) });
    }

    /// A text that is shown on a line of its own: not empty, no control characters.
    fn line(&mut self, pointer: &str, text: Option<String>) -> Option<String> {
        if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().any(char::is_control)) {
            self.wrong(pointer, "expected a text of one line, not empty");
        }
        text
    }

    fn lines(&mut self, pointer: &str, texts: Vec<String>) -> Vec<String> {
        let check = |(index, text)| self.line(&format!("{pointer}/{index}"), Some(text));
        texts.into_iter().enumerate().filter_map(check).collect()
    }

    /// A name that is a segment of a path: a line without a slash.
    fn segment(&mut self, pointer: &str, name: &str) {
        if !is_segment(name) {
            self.wrong(pointer, "expected a name that can stand in a path: not empty, not `.` or `..`, without `/`");
        }
    }

    /// A resource id: a prefix, then lower-case letters, digits and hyphens.
    fn id(&mut self, pointer: &str, prefix: &str, id: Option<String>, default: impl FnOnce() -> String) -> String {
        let Some(id) = id else {
            return default();
        };
        let rest = id.strip_prefix(prefix).unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if rest.is_empty() || !rest.bytes().all(fits) {
            let example = format!("{prefix}0123456789abcdef0");
            self.wrong(pointer, format!("expected an id that begins with `{prefix}`, such as {example}"));
        }
        id
    }

    /// An account: 12 digits.
    fn account(&mut self, pointer: &str, id: Option<String>, default: &str) -> String {
        let Some(id) = id else {
            return default.to_owned();
        };
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            self.wrong(pointer, "expected an account id of 12 digits, in quotes");
        }
        id
    }

    fn zone(&mut self, placement: &written::Placement) -> (String, Region) {
        let zone = self.line("/placement/availability-zone", placement.availability_zone.clone());
        let region = self.line("/placement/region", placement.region.clone());
        match (zone, region) {
            (None, None) => ("us-east-1a".to_owned(), Region::named("us-east-1")),
            (None, Some(region)) => (format!("{region}a"), Region::named(&region)),
            (Some(zone), None) => {
                let region = Region::of_zone(&zone);
                (zone, region)
            }
            (Some(zone), Some(region)) => {
                if !zone.starts_with(&region) {
                    self.wrong("/placement/region", "the zone `availability-zone` is not in this region");
                }
                (zone, Region::named(&region))
            }
        }
    }

    /// Tags, under the rules that EC2 has for tags in instance metadata.
    fn tags(&mut self, tags: &[(String, String)], shown: written::Switch) {
        // Tags that AWS itself sets do not count.
        if tags.iter().filter(|(key, _)| !key.starts_with("aws:")).count() > 50 {
            self.wrong("/tags", "expected at most 50 tags");
        }
        for (key, value) in tags {
            let pointer = format!("/tags{}", pointer_step(key));
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-=.,_:@".contains(&byte);
            let characters = key.chars().count();
            if !(1..=255).contains(&characters) {
                self.wrong(pointer.clone(), "expected a tag key of 1 to 255 characters");
            } else if shown == written::Switch::Enabled
                && (!key.bytes().all(legal) || [".", "..", "_index"].contains(&key.as_str()))
            {
                let message = "this tag key cannot be shown in instance metadata, which takes letters, digits and + - = . , _ : @ only";
                let help = "change the key, or set `metadata-options.instance-metadata-tags` to \"disabled\"";
                self.problems.push(Problem::at(pointer.clone(), message).help(help));
            }
            if value.chars().count() > 256 {
                self.wrong(pointer, "expected a tag value of at most 256 characters");
            }
        }
    }

    fn throttle(&mut self, written: Option<written::RequestThrottle>) -> Option<Rate> {
        let written = written?;
        for (field, number) in [("burst", written.burst), ("per-second", written.per_second)] {
            if number == Some(0) {
                self.wrong(format!("/request-throttle/{field}"), "expected a whole number from 1 to 65535");
            }
        }
        Some(Rate {
            burst: written.burst.map_or(Rate::OF_EC2.burst, u32::from),
            per_second: written.per_second.map_or(Rate::OF_EC2.per_second, u32::from),
        })
    }

    fn user_data(
        &mut self,
        text: written::part::Part<written::value::Secret>,
        base64: Option<written::value::Secret>,
    ) -> Option<UserData> {
        let (pointer, bytes) = match (text.or_default(|| None), base64) {
            (None, None) => return None,
            (Some(text), None) => ("/user-data", text.0.into_bytes()),
            (None, Some(encoded)) => {
                let compact: String = encoded.0.split_ascii_whitespace().collect();
                match STANDARD.decode(compact) {
                    Ok(bytes) => ("/user-data-base64", bytes),
                    Err(_) => {
                        self.wrong("/user-data-base64", "expected base64 (RFC 4648, with padding)");
                        return None;
                    }
                }
            }
            (Some(_), Some(_)) => {
                self.wrong("/user-data-base64", "expected user data once, as `user-data` or as `user-data-base64`");
                return None;
            }
        };
        if bytes.len() > USER_DATA_BYTES_MAX {
            self.wrong(
                pointer,
                format!("expected at most {USER_DATA_BYTES_MAX} bytes of user data, found {}", bytes.len()),
            );
        }
        // Empty user data is no user data, as in EC2's API.
        (!bytes.is_empty()).then_some(UserData(bytes))
    }

    fn key_pair(&mut self, part: written::part::Part<written::KeyPair>) -> Option<KeyPair> {
        let written = part.or_default(|| Some(written::KeyPair::default()))?;
        let name = self.line("/key-pair/key-name", written.key_name).unwrap_or_else(|| "imds".into());
        let public_key = written.public_key.unwrap_or_else(|| PUBLIC_KEY.to_owned());
        let mut parts = public_key.split(' ').filter(|part| !part.is_empty());
        let (kind, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if key.is_empty() || public_key.trim_end().chars().any(char::is_control) {
            let message = "expected a public key in OpenSSH format on one line, such as `ssh-ed25519 AAAA… name`";
            self.wrong("/key-pair/public-key", message);
        }
        // The service puts the pair's name in the place of the key's own comment.
        let public_key = format!("{kind} {} {name}", key.trim_end());
        Some(KeyPair { name, public_key })
    }

    fn extra_entries(&mut self, entries: Vec<(String, String)>) -> Vec<ExtraEntry> {
        let mut complete = Vec::new();
        for (name, text) in entries {
            let pointer = format!("/extra-entries{}", pointer_step(&name));
            let (version, path) = match name.split_once('/') {
                Some((first, rest)) if Version::named(first).is_some() => (Version::named(first), rest),
                _ => (None, name.as_str()),
            };
            if !path.starts_with("meta-data/") && !path.starts_with("dynamic/") {
                let message =
                    "expected a path that begins with `meta-data/` or `dynamic/`, or with a version before that";
                self.wrong_name(&pointer, message);
            }
            if path.split('/').any(|name| !is_segment(name)) {
                self.wrong_name(&pointer, "expected names between the slashes: not empty, not `.` or `..`");
            }
            complete.push(ExtraEntry { version, path: path.to_owned(), text });
        }
        complete
    }
}

/// Whether a name can be a segment of a path.
fn is_segment(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(|c: char| c == '/' || c.is_control())
}

/// arm64 for the families with a Graviton processor: a `g` behind the
/// generation (`m7g`, `c7gn`, `r8gd`), and `a1`.
fn architecture_of(instance_type: &str) -> written::Architecture {
    let family = instance_type.split('.').next().unwrap_or_default();
    let behind =
        family.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start_matches(|c: char| c.is_ascii_digit());
    if family == "a1" || behind.starts_with('g') { written::Architecture::Arm64 } else { written::Architecture::X86_64 }
}
