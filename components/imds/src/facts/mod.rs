//! What a description means: every default filled in, and nothing that
//! contradicts.
//!
//! The words that a description and the service have in common are used as they
//! are; what a description may leave out is here.

mod container;
pub mod families;
mod faults;
mod host_names;
mod identity;
pub mod made;
mod network;
mod notices;
pub mod place;
mod role;
mod source;
pub mod system;
mod volumes;
mod vpc;

use core::net::Ipv4Addr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use self::identity::Identity;
pub use self::network::Interface;
pub use self::notices::{Event, HIBERNATION_SECONDS, SpotNotice, warning_seconds};
use self::place::Region;
pub use self::role::{Profile, Role};
pub use self::volumes::bare;
use crate::container::Container;
use crate::description::part::Part;
use crate::description::problem::{Problem, pointer_step, shown};
use crate::description::value::{EntryPath, Secret};
use crate::description::{self as written, Description};
use crate::faults::Fault;
use crate::throttle::Rate;
use crate::time::Time;
use crate::version::Version;

/// The largest user data, in bytes before base64. Source: EC2 user guide.
const USER_DATA_BYTES_MAX: usize = 16_384;

/// The most tags of an instance besides those that AWS sets. Source: EC2 user guide.
const TAGS_MAX: usize = 50;

/// The launch time of an instance that does not state one: an arbitrary day,
/// the same for all, so that equal descriptions give equal instances.
pub const LAUNCH_TIME: Time = Time::from_ms(1_790_421_382_000);

/// The instance that a description is of where it does not say.
pub const INSTANCE_ID: &str = "i-0123456789abcdef0";

/// A public key whose private key nobody has: its point is the SHA-256 of
/// "imds default key pair, whose private key nobody has, 0".
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD+OODBQljYvjzGvrp";

/// A complete instance.
pub struct Facts {
    pub state: written::InstanceState,
    pub faults: Vec<Fault>,
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
    /// Whether session tokens are needed: that option, where it is stated or not.
    pub http_tokens: written::HttpTokens,
    pub tags: Vec<(String, String)>,
    pub user_data: Option<UserData>,
    pub key_pair: Option<KeyPair>,
    pub profile: Option<Profile>,
    /// The credentials of containers.
    pub containers: Vec<Container>,
    /// The primary interface first; never empty. Phases share them.
    pub interfaces: Arc<Vec<Interface>>,
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
    /// Id and type of each.
    pub elastic_gpus: Vec<(String, String)>,
    /// Id and type of each.
    pub elastic_inference: Vec<(String, String)>,
    pub throttle: Option<Rate>,
    pub signatures: written::IdentitySignatures,
    pub extra_entries: Vec<ExtraEntry>,
}

/// An entry that the operator added.
pub struct ExtraEntry {
    /// What the description calls it.
    pub name: String,
    /// The one version that has it; none for all.
    pub version: Option<Version>,
    /// The path below the version.
    pub path: String,
    pub text: String,
}

/// A key pair.
pub struct KeyPair {
    pub name: String,
    /// Type, key and the pair's name, without a line end.
    pub public_key: String,
}

/// User data, which may hold secrets.
#[derive(Clone)]
pub struct UserData(pub Vec<u8>);

impl Facts {
    /// Completes a description; tells all that contradicts. What tells one
    /// instance from others is made from `scope`, where there is one.
    /// `interfaces` are those of a description before that has the same network.
    pub fn of(
        description: Description,
        scope: Option<&str>,
        interfaces: Option<Arc<Vec<Interface>>>,
    ) -> Result<Facts, Vec<Problem>> {
        let mut check = Check::default();
        let facts = check.facts(description, scope, interfaces);
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
    fn facts(&mut self, written: Description, scope: Option<&str>, interfaces: Option<Arc<Vec<Interface>>>) -> Facts {
        let identity = Identity::of(scope);
        let instance_id = written.instance_id.clone().map_or_else(|| identity.instance_id(), String::from);
        let owner_id = written.owner_id.clone().map_or_else(|| "123456789012".into(), String::from);
        let instance_type = written.instance_type.clone().map_or_else(|| "t3.micro".into(), String::from);
        let (zone, region) = self.zone(&written.placement);
        let interfaces = interfaces
            .unwrap_or_else(|| Arc::new(self.interfaces(&written, &identity, &instance_id, &owner_id, &region)));
        let root = written.root_device_name.clone().map_or_else(|| "/dev/xvda".into(), String::from);
        self.tags(&written.tags.0, written.metadata_options.instance_metadata_tags);
        let launch_time = written.launch_time.unwrap_or(LAUNCH_TIME);
        let start = written.timeline_start.unwrap_or(launch_time);
        let profile = self.profile(written.iam_instance_profile, &instance_id, &owner_id, &region, launch_time);
        let host = container::Host {
            instance_id: &instance_id,
            owner_id: &owner_id,
            region: &region,
            launch_time,
            profile: profile.as_ref(),
        };
        let containers = self.containers(written.container_credentials, &host);
        Facts {
            http_tokens: source::http_tokens(&written.metadata_options, profile.as_ref()),
            state: written.state,
            faults: self.faults(written.faults),
            image_id: written.image_id.map_or_else(|| "ami-0abcdef1234567890".into(), String::from),
            reservation_id: written.reservation_id.map_or_else(|| made::resource_id("r-", &instance_id), String::from),
            ami_launch_index: written.ami_launch_index,
            launch_time,
            architecture: written.architecture.unwrap_or_else(|| families::architecture_of(&instance_type)),
            zone_id: written
                .placement
                .availability_zone_id
                .map_or_else(|| place::zone_id(&zone, &region.name), String::from),
            group_name: written.placement.group_name.map(String::from),
            host_id: written.placement.host_id.map(String::from),
            partition_number: written.placement.partition_number,
            monitoring: written.monitoring,
            tags: written.tags.0,
            user_data: self.user_data(written.user_data, written.user_data_base64),
            key_pair: key_pair(written.key_pair),
            profile,
            containers,
            block_devices: self.block_devices(written.block_device_mappings, &root),
            root_device_name: root,
            product_codes: written
                .product_codes
                .into_iter()
                .map(|code| (code.product_code_id.into(), code.product_code_type))
                .collect(),
            billing_products: written.billing_products.into_iter().map(String::from).collect(),
            kernel_id: written.kernel_id.map(String::from),
            ramdisk_id: written.ramdisk_id.map(String::from),
            ancestor_ami_ids: written.ancestor_ami_ids.into_iter().map(String::from).collect(),
            ami_manifest_path: written.ami_manifest_path.map_or_else(|| "(unknown)".into(), String::from),
            virtualization_type: written.virtualization_type,
            system: written.system.map_or_else(|| system::of_type(&instance_type).into(), String::from),
            instance_action: written.instance_action,
            hibernation_configured: written.hibernation_options.given().map(|options| options.configured),
            target_lifecycle_state: written.auto_scaling.given().map(|group| group.target_lifecycle_state),
            spot_notice: self.spot_notice(written.spot_interruption, written.instance_lifecycle, start),
            rebalance_notice: self.rebalance_notice(
                written.rebalance_recommendation,
                written.instance_lifecycle,
                start,
            ),
            events: self.events(written.events, &instance_id),
            managed_ssh_keys: written.managed_ssh_keys.or_default(|| None),
            elastic_gpus: written
                .elastic_gpu_associations
                .into_iter()
                .map(|gpu| {
                    (gpu.elastic_gpu_id.into(), gpu.elastic_gpu_type.map_or_else(|| "eg1.medium".into(), String::from))
                })
                .collect(),
            elastic_inference: written
                .elastic_inference_accelerator_associations
                .into_iter()
                .map(|accelerator| {
                    let kind = accelerator.elastic_inference_accelerator_type;
                    let kind = kind.map_or_else(|| "eia1.medium".into(), String::from);
                    (accelerator.elastic_inference_accelerator_id.into(), kind)
                })
                .collect(),
            throttle: self.throttle(written.request_throttle),
            signatures: written.identity_signatures.unwrap_or_default(),
            extra_entries: written.extra_entries.0.into_iter().map(extra_entry).collect(),
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

    fn zone(&mut self, placement: &written::Placement) -> (String, Region) {
        let zone = placement.availability_zone.as_ref().map(|zone| zone.as_str());
        match (zone, placement.region.as_ref().map(|region| region.as_str())) {
            (None, None) => ("us-east-1a".to_owned(), Region::named("us-east-1")),
            (None, Some(region)) => (format!("{region}a"), Region::named(region)),
            (Some(zone), None) => (zone.to_owned(), Region::of_zone(zone)),
            (Some(zone), Some(region)) => {
                if Region::of_zone(zone).name != region {
                    let message = format!("the zone {} is not in the region {}", shown(zone), shown(region));
                    let help = "leave `region` out: it follows from the zone";
                    self.problems.push(Problem::at("/placement/region", message).help(help));
                }
                (zone.to_owned(), Region::named(region))
            }
        }
    }

    /// Tags, under the rules that EC2 has for tags in instance metadata.
    fn tags(&mut self, tags: &[(String, String)], shown: written::Switch) {
        // Tags that AWS itself sets do not count.
        if tags.iter().filter(|(key, _)| !key.starts_with("aws:")).count() > TAGS_MAX {
            self.wrong("/tags", format!("expected at most {TAGS_MAX} tags"));
        }
        for (key, value) in tags {
            let pointer = || format!("/tags{}", pointer_step(key));
            if let Err(message) = tag_key(key, shown) {
                let problem = Problem { in_name: true, ..Problem::at(pointer(), message) };
                self.problems.push(match shown {
                    written::Switch::Disabled => problem,
                    written::Switch::Enabled => {
                        problem.help("change the key, or set `metadata-options.instance-metadata-tags` to \"disabled\"")
                    }
                });
            }
            if value.chars().count() > 256 {
                self.wrong(pointer(), "expected a tag value of at most 256 characters");
            }
        }
    }

    fn throttle(&mut self, written: Part<written::RequestThrottle>) -> Option<Rate> {
        let written = written.or_default(|| None)?;
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

    fn user_data(&mut self, text: Part<Secret>, base64: Option<Secret>) -> Option<UserData> {
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
            let message = format!("expected at most {USER_DATA_BYTES_MAX} bytes of user data, found {}", bytes.len());
            self.wrong(pointer, message);
        }
        // Empty user data is no user data, as in EC2's API.
        (!bytes.is_empty()).then_some(UserData(bytes))
    }
}

/// Whether EC2 takes this key; where tags are shown, their keys are segments
/// of paths.
fn tag_key(key: &str, shown: written::Switch) -> Result<(), &'static str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-=.,_:@".contains(&byte);
    if !(1..=255).contains(&key.chars().count()) {
        Err("expected a tag key of 1 to 255 characters")
    } else if shown == written::Switch::Disabled {
        Ok(())
    } else if !key.bytes().all(legal) {
        Err("this tag key cannot be shown in instance metadata, which takes letters, digits and + - = . , _ : @ only")
    } else if [".", "..", "_index"].contains(&key) {
        Err("this tag key cannot be shown in instance metadata, which does not take `.`, `..` and `_index`")
    } else {
        Ok(())
    }
}

fn key_pair(part: Part<written::KeyPair>) -> Option<KeyPair> {
    let written = part.or_default(|| Some(written::KeyPair::default()))?;
    let name = written.key_name.map_or_else(|| "imds".into(), String::from);
    let public_key = written.public_key.map_or_else(|| PUBLIC_KEY.into(), String::from);
    let mut parts = public_key.split_ascii_whitespace();
    let (kind, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // The service puts the pair's name in the place of the key's own comment.
    Some(KeyPair { public_key: format!("{kind} {key} {name}"), name })
}

fn extra_entry((name, text): (EntryPath, String)) -> ExtraEntry {
    let name = String::from(name);
    let (version, path) = match name.split_once('/') {
        Some((first, path)) => match Version::named(first) {
            // What `latest` shows, every version does that has the folder.
            Some(Version::LATEST) => (None, path),
            Some(version) => (Some(version), path),
            None => (None, name.as_str()),
        },
        None => (None, name.as_str()),
    };
    ExtraEntry { version, path: path.to_owned(), text, name: name.clone() }
}
