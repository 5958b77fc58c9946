//! The description of an instance, as an operator writes it.
//!
//! Field names are those of EC2's API, written with hyphens: `InstanceType` is
//! `instance-type`. Every field may be left out; `facts` says what stands in its
//! place. Some parts an instance need not have (a role, a key pair, a public
//! address); they are taken away by `false`.

#[macro_use]
mod forms;

mod container;
mod devices;
pub(crate) mod field;
pub mod ipv6;
pub(crate) mod json;
mod login;
mod network;
mod notices;
pub mod operation;
pub mod part;
pub mod problem;
mod reader;
mod role;
#[cfg(feature = "schema")]
pub mod schema;
mod service;
pub(crate) mod spelling;
pub mod value;
mod words;

use core::net::Ipv4Addr;

pub use self::container::ContainerCredentials;
pub use self::devices::{BlockDeviceMapping, ElasticGpuAssociation, ElasticInferenceAcceleratorAssociation};
use self::json::Json;
pub use self::login::{KeyPair, ManagedSshKeys};
pub use self::network::{DhcpOptions, NetworkInterface, PrivateDnsNameOptions, PrivateIpAddress, SecurityGroup, Vpc};
pub use self::notices::{Event, RebalanceRecommendation, SpotInterruption};
use self::part::Part;
use self::problem::Problem;
pub use self::role::{Credentials, CredentialsRotation, CredentialsSource, IamInstanceProfile};
pub use self::service::{Fault, IdentitySignatures, MetadataOptions, RequestThrottle};
use self::value::{
    AccountId, Changes, EntryPath, HostId, ImageId, InstanceId, KernelId, Line, RamdiskId, RegionName, ReservationId,
    Secret, SubnetId, Texts, VpcId, ZoneName,
};
pub use self::words::{
    Architecture, Enabled, EventCode, EventState, FaultKind, HostnameType, HttpTokens, InstanceAction,
    InstanceLifecycle, InstanceState, ProductCodeType, SpotAction, Switch, TargetLifecycleState, VirtualizationType,
    VolumeAttachment,
};
use crate::time::Time;
use crate::timeline::Timeline;

impl Description {
    /// Reads JSON text, without its timeline. Fails with what is wrong with single
    /// fields; whether they contradict each other,
    /// [`Instance::open`](crate::Instance::open) says.
    ///
    /// ```
    /// use imds_core::description::Description;
    ///
    /// let description = Description::parse(r#"{"placement": {"region": "eu-west-1"}}"#)?;
    /// assert_eq!(description.placement.region.map(String::from), Some("eu-west-1".to_owned()));
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn parse(text: &str) -> Result<Description, Vec<Problem>> {
        let Timeline { document, .. } = Timeline::read(Json::parse(text).map_err(|problem| vec![problem])?)?;
        Description::of_document(&document)
    }

    /// Reads a document without a timeline and without relative times.
    pub(crate) fn of_document(document: &Json) -> Result<Description, Vec<Problem>> {
        reader::read(document)
    }
}

tables! {
    /// An EC2 instance, as its metadata service shows it. Every field has a
    /// default; the empty document is a complete instance.
    #[cfg_attr(feature = "schema", schemars(extend("dependentSchemas" = {
        "user-data-base64": { "properties": { "user-data": { "const": false } } },
    })))]
    Description {
        /// The schema that an editor is to use; it has no effect.
        #[serde(rename = "$schema")]
        @[named("$schema"), never]
        schema: Option<String>,
        /// The names of warnings that are not given for this description; it has no other effect. Default none.
        allow_warnings: Vec<Line>,
        /// The account that owns the instance: 12 digits. Default 123456789012.
        @[never, identity]
        owner_id: Option<AccountId>,
        /// The time from which relative times of the description count. Default: the launch time; `imds serve` and
        /// `imds run` set it to the time at which they start.
        @[never]
        timeline_start: Option<Time>,
        /// Whether the instance runs. Only a running one answers. Default running.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "running")))]
        state: InstanceState,
        /// How often the instance was stopped and started again; its default public address follows. Default 0.
        start_count: u32,
        /// Default i-0123456789abcdef0.
        @[never, identity]
        instance_id: Option<InstanceId>,
        /// Default t3.micro.
        @[stopped, identity]
        instance_type: Option<Line>,
        /// The AMI. Default ami-0abcdef1234567890.
        @[never, identity]
        image_id: Option<ImageId>,
        /// Default: made from the instance id.
        @[never]
        reservation_id: Option<ReservationId>,
        /// The place among instances launched together. Default 0.
        @[never]
        ami_launch_index: u32,
        /// When the instance was last launched or started. Default 2026-09-26T11:16:22Z.
        @[identity]
        launch_time: Option<Time>,
        /// Default: arm64 for an instance type with a processor of Arm, else x86_64.
        @[never, identity]
        architecture: Option<Architecture>,
        /// How the instance was bought. Default on-demand.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "on-demand")))]
        instance_lifecycle: InstanceLifecycle,
        /// Where the instance runs.
        placement: Placement,
        /// Detailed monitoring; enabled, `dynamic/fws/` appears. Default disabled.
        monitoring: Switch,
        /// The options of the metadata service.
        metadata_options: MetadataOptions,
        /// The instance's tags, shown when `metadata-options.instance-metadata-tags` is enabled.
        tags: Texts,
        /// User data as text; at most 16384 bytes. Default none.
        @[stopped]
        user_data: Part<Secret>,
        /// User data in base64, for what is not text.
        @[stopped]
        user_data_base64: Option<Secret>,
        /// The key pair. Default one named imds whose private key nobody has; `false` for none.
        key_pair: Part<KeyPair>,
        /// The instance profile with its role. Default one named imds; `false` for none.
        iam_instance_profile: Part<IamInstanceProfile>,
        /// The credentials of containers on the instance: of tasks of ECS, of pods of EKS. Their paths answer wherever the
        /// service does. At most 64. Default none.
        container_credentials: Vec<ContainerCredentials>,
        /// The private IPv4 address of the primary interface. Default 10.0.0.10; `false` for an IPv6-only instance.
        @[identity]
        private_ip_address: Part<Ipv4Addr>,
        /// The public IPv4 address of the primary interface. Default 203.0.113.25; `false` for none.
        public_ip_address: Part<Ipv4Addr>,
        /// The private host name. Default: made from the address or the instance id, and the domain that `vpc.dhcp-options`
        /// sets or that of the region.
        private_dns_name: Option<Line>,
        /// The public host name. Default: made from the public address and the region. `false`: an instance with a public
        /// address shows an empty `public-hostname`, as in a VPC whose `enable-dns-hostnames` is false.
        public_dns_name: Part<Line>,
        /// What the private host name is made of.
        private_dns_name_options: PrivateDnsNameOptions,
        /// The subnet of the primary interface. Default subnet-0123456789abcdef0.
        subnet_id: Option<SubnetId>,
        /// The VPC. Default vpc-0123456789abcdef0.
        vpc_id: Option<VpcId>,
        /// What host names depend on in the VPCs of the interfaces.
        vpc: Vpc,
        /// The security groups of the primary interface, at least one. Default one named default.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        security_groups: Option<Vec<SecurityGroup>>,
        /// The network interfaces, the primary one first. Default one.
        @[identity]
        network_interfaces: Vec<NetworkInterface>,
        /// The root device. Default /dev/xvda.
        root_device_name: Option<Line>,
        /// Volumes besides the root volume.
        block_device_mappings: Vec<BlockDeviceMapping>,
        /// Product codes of the AMI.
        @[identity]
        product_codes: Vec<ProductCode>,
        /// Billing products, shown in the identity document.
        @[identity]
        billing_products: Vec<Line>,
        /// Default none.
        @[stopped, identity]
        kernel_id: Option<KernelId>,
        /// Default none.
        @[stopped, identity]
        ramdisk_id: Option<RamdiskId>,
        /// The AMIs from which the AMI was made.
        ancestor_ami_ids: Vec<ImageId>,
        /// Where the AMI's manifest is. Default (unknown), as for every AMI with an EBS root volume.
        ami_manifest_path: Option<Line>,
        /// Default hvm.
        @[never]
        virtualization_type: VirtualizationType,
        /// The virtualisation system, as `meta-data/system` tells it: nitro, xen-on-nitro or xen. With the latter two
        /// `meta-data/block-device-mapping/ami` keeps `/dev/`. Default: xen-on-nitro for an instance type of a Xen family,
        /// such as t2.micro or m4.large, else nitro.
        system: Option<Line>,
        /// What happens to the instance, as `meta-data/instance-action` tells it. Default none.
        instance_action: InstanceAction,
        /// Shown where given: `meta-data/hibernation/`.
        hibernation_options: Part<HibernationOptions>,
        /// Shown where given: `meta-data/autoscaling/`.
        auto_scaling: Part<AutoScaling>,
        /// The interruption of a spot instance; `false` in a change calls it off.
        spot_interruption: Part<SpotInterruption>,
        /// The rebalance recommendation to a spot instance; `false` in a change takes it back.
        rebalance_recommendation: Part<RebalanceRecommendation>,
        /// Scheduled and past maintenance events.
        events: Vec<Event>,
        /// Keys of EC2 Instance Connect. Shown where given: `meta-data/managed-ssh-keys/`.
        managed_ssh_keys: Part<ManagedSshKeys>,
        /// Elastic GPUs, for old clients.
        elastic_gpu_associations: Vec<ElasticGpuAssociation>,
        /// Elastic Inference accelerators, for old clients.
        elastic_inference_accelerator_associations: Vec<ElasticInferenceAcceleratorAssociation>,
        /// A limit on requests, above which the answer is 503. Default none; the empty table stands for EC2's.
        request_throttle: Part<RequestThrottle>,
        /// What changes at a time: each entry has fields of a description, and `at`. Times in it that begin with `+`
        /// or `-` count from `at`; `at` itself counts from `timeline-start`.
        timeline: Changes,
        /// Faults of the service, for tests of what software does on a bad day. Of several that affect a request, the
        /// first counts. Default none.
        faults: Vec<Fault>,
        /// Signatures of the identity document, where somebody made them.
        identity_signatures: Option<IdentitySignatures>,
        /// Entries that the description does not model: a path below a version, such as
        /// `meta-data/fabric/rack`, and its text. They win over what the service derives. A path that
        /// begins with a version, `2009-04-04/meta-data/mac`, answers in that version only and is not
        /// listed: for clients that ask an old version for what only newer ones have.
        @[secret]
        extra_entries: Texts<EntryPath>,
    }

    /// Where the instance runs.
    Placement {
        /// Default the zone `a` of the region, or us-east-1a.
        @[never, identity]
        availability_zone: Option<ZoneName>,
        /// Default: made from the zone's name, use1-az1 for us-east-1a.
        @[never]
        availability_zone_id: Option<Line>,
        /// Default: that of the zone.
        @[never, identity]
        region: Option<RegionName>,
        /// The placement group. Default none.
        group_name: Option<Line>,
        /// The Dedicated Host. Default none.
        host_id: Option<HostId>,
        /// The partition of a partition placement group. Default none.
        partition_number: Option<u16>,
    }

    /// Hibernation.
    HibernationOptions {
        /// Whether the instance was launched so that it can hibernate.
        configured: bool,
    }

    /// The Auto Scaling group's view of the instance.
    AutoScaling {
        /// The state to which the instance goes. Default InService.
        target_lifecycle_state: TargetLifecycleState,
    }
}

entries! {
    /// A product code of the AMI.
    ProductCode {
        /// The code.
        product_code_id: Line,
        /// Default marketplace.
        #[serde(default)]
        product_code_type: ProductCodeType,
    }
}
