//! The description of an instance, as an operator writes it.
//!
//! Field names are those of EC2's API, written with hyphens: `InstanceType` is
//! `instance-type`. Every field may be left out; `facts` says what stands in its
//! place. Some parts an instance need not have (a role, a key pair, a public
//! address); they are taken away by `false`.

#[macro_use]
mod forms;

pub(crate) mod field;

pub mod ipv6;
pub(crate) mod json;
pub mod operation;
pub mod part;
pub mod problem;
mod reader;
#[cfg(feature = "schema")]
pub mod schema;
pub(crate) mod spelling;
pub mod value;

use core::net::{Ipv4Addr, Ipv6Addr};

use self::json::Json;
use self::part::Part;
use self::problem::Problem;
use self::value::{
    AccountId, Base64, Changes, EntryPath, GroupId, HopLimit, HostId, IamName, ImageId, InstanceEventId, InstanceId,
    InstanceProfileArn, Ipv4Block, Ipv6Block, KernelId, Line, MacAddress, Method, NetworkInterfaceId, PathPattern,
    PublicKey, RamdiskId, RegionName, ReservationId, Secret, Segment, Share, Span, SubnetId, Texts, VirtualName, VpcId,
    ZoneName,
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
        /// Default: arm64 for an instance type of a Graviton family, else x86_64.
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
        /// Faults of the service, for tests of what software does on a bad day. Of several that strike a request, the
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

    /// The options of the metadata service; see `modify-instance-metadata-options`.
    MetadataOptions {
        /// Whether requests without a session token are refused. Default optional.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "optional")))]
        http_tokens: HttpTokens,
        /// Disabled, every request gets 403. Default enabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "enabled")))]
        http_endpoint: Enabled,
        /// The IP time-to-live of answers to the request for a token: 1 to 64. Default 1.
        #[cfg_attr(feature = "schema", schemars(extend("default" = 1)))]
        http_put_response_hop_limit: HopLimit,
        /// Whether the service answers over IPv6. Default disabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "disabled")))]
        http_protocol_ipv6: Switch,
        /// Whether tags are shown. Default disabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "disabled")))]
        instance_metadata_tags: Switch,
    }

    /// What the private host name is made of.
    PrivateDnsNameOptions {
        /// The address (`ip-10-0-0-10`) or the instance id. Default ip-name.
        hostname_type: HostnameType,
    }

    /// What host names depend on in a VPC.
    Vpc {
        /// Whether instances with a public address get a public host name; where not, `public-hostname` is listed and
        /// empty. Default true.
        enable_dns_hostnames: Option<bool>,
        /// The DHCP options set of the VPC.
        dhcp_options: DhcpOptions,
    }

    /// A set of DHCP options.
    DhcpOptions {
        /// The domain of private host names: `example.net` for ip-10-0-0-10.example.net. Default: ec2.internal, outside of
        /// us-east-1 the region and compute.internal; `false` for none, which leaves the bare label.
        domain_name: Part<Line>,
    }

    /// A security group.
    SecurityGroup {
        /// Default: made from the name.
        group_id: Option<GroupId>,
        /// Default default.
        group_name: Option<Line>,
    }

    /// A network interface.
    NetworkInterface {
        /// Default: made from the instance id.
        network_interface_id: Option<NetworkInterfaceId>,
        /// Default: made from the instance id.
        mac_address: Option<MacAddress>,
        /// The place among the interfaces. Default: the order here, from 0.
        device_index: Option<u32>,
        /// The network card, on instance types that have several. Default: not shown.
        network_card_index: Option<u32>,
        /// Default: the account that owns the instance.
        owner_id: Option<AccountId>,
        /// Private IPv4 addresses, the primary one first. Default: the instance's, and none on further interfaces.
        private_ip_addresses: Option<Vec<PrivateIpAddress>>,
        /// Default: made from the primary address; `false` for none, as on an EFA-only interface.
        private_dns_name: Part<Line>,
        /// Default: made from the public address; `false` for an empty one where there is such an address.
        public_dns_name: Part<Line>,
        /// IPv6 addresses. Default none.
        ipv6_addresses: Vec<Ipv6Addr>,
        /// Delegated IPv4 prefixes. Default none.
        ipv4_prefixes: Vec<Ipv4Block>,
        /// Delegated IPv6 prefixes. Default none.
        ipv6_prefixes: Vec<Ipv6Block>,
        /// At least one. Default: the instance's.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        groups: Option<Vec<SecurityGroup>>,
        /// Default: the instance's.
        subnet_id: Option<SubnetId>,
        /// Default: the /24 around the primary address.
        subnet_ipv4_cidr_block: Option<Ipv4Block>,
        /// Shown also where the interface has no IPv6 address. Default: those of another interface in the same subnet,
        /// else the /64 around the first IPv6 address in the subnet, if there is one.
        subnet_ipv6_cidr_blocks: Option<Vec<Ipv6Block>>,
        /// Default: the instance's.
        vpc_id: Option<VpcId>,
        /// IPv4 blocks of the VPC, the primary one first. Default: the /16 around the primary address.
        vpc_ipv4_cidr_blocks: Option<Vec<Ipv4Block>>,
        /// IPv6 blocks of the VPC. Default: the /56 around the first block of each of its subnets, if there is one.
        vpc_ipv6_cidr_blocks: Option<Vec<Ipv6Block>>,
    }

    /// The key pair with which the instance was launched.
    KeyPair {
        /// Default imds.
        key_name: Option<Line>,
        /// The public key in OpenSSH format. Default one whose private key nobody has.
        public_key: Option<PublicKey>,
    }

    /// The instance profile.
    IamInstanceProfile {
        /// Default: made from the account and `name`.
        arn: Option<InstanceProfileArn>,
        /// Default: made from the name.
        id: Option<Line>,
        /// The name of the profile. Default: that of the role, or imds.
        name: Option<IamName>,
        /// The name of the role. Default: that of the profile; `false` for a profile without a role.
        role_name: Part<IamName>,
        /// The role's credentials. Default: made up, new ones every six hours.
        credentials: Option<Credentials>,
        /// Credentials for requests without a session token, where they differ from `credentials`.
        credentials_without_token: Option<Credentials>,
        /// Where the role cannot be assumed: the code told instead of credentials, such as AssumeRoleUnauthorizedAccess.
        /// Default none; `false` in a change takes it away.
        failure_code: Part<Line>,
        /// The message that goes with `failure-code`.
        failure_message: Option<Line>,
        /// When the role's credentials are replaced.
        credentials_rotation: CredentialsRotation,
    }

    /// How a role's credentials follow one another.
    CredentialsRotation {
        /// From one delivery to the next, at least a second. Default 6h.
        interval: Option<Span>,
        /// From the delivery of credentials to their end, at least a second. Default: 6h18m53s to 6h35m, another for each
        /// delivery, and at least five minutes more than `interval`.
        lifetime: Option<Span>,
        /// When the first were delivered; `+0s` in a change delivers new ones at once. Default: the launch time.
        since: Option<Time>,
        /// After this time there are no new ones: the last stay, beyond their end. Default: never.
        until: Option<Time>,
    }

    /// Credentials of a role: all three parts, or none to have them made up.
    #[cfg_attr(feature = "schema", schemars(extend("dependentRequired" = {
        "access-key-id": ["secret-access-key", "session-token"],
        "secret-access-key": ["access-key-id", "session-token"],
        "session-token": ["access-key-id", "secret-access-key"],
    })))]
    Credentials {
        /// Begins with ASIA.
        @[secret]
        access_key_id: Option<Line>,
        /// Kept out of logs.
        secret_access_key: Option<Secret>,
        /// Kept out of logs.
        session_token: Option<Secret>,
        /// Default: the last delivery that `credentials-rotation` tells of.
        last_updated: Option<Time>,
        /// Default: as long after the last update as `credentials-rotation` says.
        expiration: Option<Time>,
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

    /// Keys of EC2 Instance Connect.
    ManagedSshKeys {
        /// The signer's certificate, PEM.
        signer_cert: Option<String>,
        /// Signed key lists by user.
        active_keys: Texts<Segment>,
        /// OCSP answers in base64 by the SHA-1 of the certificate.
        signer_ocsp: Texts<Segment>,
    }

    /// A limit on the requests of an instance.
    RequestThrottle {
        /// Requests that may come at once, 1 to 65535. Default 100.
        burst: Option<u16>,
        /// Requests regained a second, 1 to 65535. Default 100, which stands for EC2's 1024 packets.
        per_second: Option<u16>,
    }

    /// Signatures of the identity document, each in base64.
    IdentitySignatures {
        /// RSA over SHA-256, bare.
        signature: Option<Base64>,
        /// CMS with DSA over SHA-1.
        pkcs7: Option<Base64>,
        /// CMS with RSA over SHA-256.
        rsa2048: Option<Base64>,
    }
}

entries! {
    /// An IPv4 address of an interface, and the public one associated with it.
    PrivateIpAddress {
        /// The private address.
        private_ip_address: Ipv4Addr,
        /// The public or Elastic address associated with it. Default: the instance's for the first address of the
        /// primary interface, else none; `false` for none.
        #[serde(default)]
        public_ip: Part<Ipv4Addr>,
    }

    /// A volume besides the root volume.
    BlockDeviceMapping {
        /// The device, `/dev/sdf`.
        device_name: Line,
        /// `ephemeral0` and so on for an instance store volume, `swap` for a swap device. They are shown as stated, also
        /// on an instance type without an instance store, as on Xen where the AMI maps them. Default: an EBS volume.
        #[serde(default)]
        virtual_name: Option<VirtualName>,
    }

    /// A product code of the AMI.
    ProductCode {
        /// The code.
        product_code_id: Line,
        /// Default marketplace.
        #[serde(default)]
        product_code_type: ProductCodeType,
    }

    /// The interruption of a spot instance.
    SpotInterruption {
        /// Default terminate.
        #[serde(default)]
        action: SpotAction,
        /// When it happens. Default: two minutes after the change that tells of it, at once for hibernate.
        #[serde(default)]
        time: Option<Time>,
        /// When the service begins to tell. Default: two minutes before, for hibernate when it happens; with the change
        /// where that leaves out `time` too.
        #[serde(default)]
        notice_time: Option<Time>,
    }

    /// The rebalance recommendation to a spot instance.
    RebalanceRecommendation {
        /// When it was given; shown from then on. Default: with the change that tells of it.
        #[serde(default)]
        notice_time: Option<Time>,
    }

    /// A fault of the service.
    Fault {
        /// What happens to a request that is struck.
        kind: FaultKind,
        /// How many requests are struck, of those that come for these paths with these methods: 0 to 1. Default 1, all.
        #[serde(default)]
        share: Share,
        /// Requests for these paths and all below them, `/latest/api/token`; `*` stands for any one name:
        /// `/*/meta-data/iam`. Default all.
        #[serde(default)]
        paths: Vec<PathPattern>,
        /// Requests with these methods. Default all.
        #[serde(default)]
        methods: Vec<Method>,
        /// From when on. Default: always.
        #[serde(default)]
        from: Option<Time>,
        /// Until when. Default: for ever.
        #[serde(default)]
        until: Option<Time>,
        /// How late an answer comes, for the kind delay: up to 60s. Default 1s.
        #[serde(default)]
        delay: Option<Span>,
        /// Which requests are struck follows from it and their number: another seed strikes others. Default 0.
        #[serde(default)]
        seed: u32,
    }

    /// A maintenance event.
    Event {
        /// Default: made from the instance id. In a change, that of an event that is there changes it.
        #[serde(default)]
        instance_event_id: Option<InstanceEventId>,
        /// What happens. Default system-reboot.
        #[serde(default)]
        code: EventCode,
        /// Default: one that fits the code.
        #[serde(default)]
        description: Option<Line>,
        /// The earliest time at which it begins. Needed, but for a change of an event that has it.
        #[serde(default)]
        not_before: Option<Time>,
        /// The latest time at which it ends; `false` for an event without an end. Default: two hours after `not-before`,
        /// none for instance-stop and instance-retirement.
        #[serde(default)]
        not_after: Part<Time>,
        /// Default active.
        #[serde(default)]
        state: EventState,
    }

    /// An Elastic GPU.
    ElasticGpuAssociation {
        /// The id.
        elastic_gpu_id: Segment,
        /// Default eg1.medium.
        #[serde(default)]
        elastic_gpu_type: Option<Line>,
    }

    /// An Elastic Inference accelerator.
    ElasticInferenceAcceleratorAssociation {
        /// The id.
        elastic_inference_accelerator_id: Segment,
        /// Default eia1.medium.
        #[serde(default)]
        elastic_inference_accelerator_type: Option<Line>,
    }
}

words! {
    /// A processor architecture.
    Architecture { #[default] X86_64 = "x86_64", Arm64 = "arm64", I386 = "i386", }
    /// How the instance was bought.
    InstanceLifecycle { #[default] OnDemand = "on-demand", Spot = "spot", Scheduled = "scheduled", CapacityBlock = "capacity-block", }
    /// Off unless enabled.
    Switch { #[default] Disabled = "disabled", Enabled = "enabled", }
    /// On unless disabled.
    Enabled { #[default] Enabled = "enabled", Disabled = "disabled", }
    /// Whether session tokens are needed.
    HttpTokens { #[default] Optional = "optional", Required = "required", }
    /// What the private host name is made of.
    HostnameType { #[default] IpName = "ip-name", ResourceName = "resource-name", }
    /// The kind of a product code.
    ProductCodeType { #[default] Marketplace = "marketplace", Devpay = "devpay", }
    /// A kind of virtualisation.
    VirtualizationType { #[default] Hvm = "hvm", Paravirtual = "paravirtual", }
    /// What happens to the instance.
    InstanceAction { #[default] None = "none", Shutdown = "shutdown", BundlePending = "bundle-pending", }
    /// The state to which Auto Scaling moves the instance.
    TargetLifecycleState {
        #[default] InService = "InService", Detached = "Detached", Standby = "Standby", Terminated = "Terminated",
        WarmedHibernated = "Warmed:Hibernated", WarmedRunning = "Warmed:Running", WarmedStopped = "Warmed:Stopped",
        WarmedTerminated = "Warmed:Terminated",
    }
    /// Whether an instance runs.
    InstanceState { #[default] Running = "running", Stopped = "stopped", Terminated = "terminated", }
    /// What a fault does: answer 503; answer late; close without an answer; end an answer in the middle of its body;
    /// never answer.
    FaultKind { #[default] Refuse = "refuse", Delay = "delay", Close = "close", Cut = "cut", Withhold = "withhold", }
    /// What happens to an interrupted spot instance.
    SpotAction { #[default] Terminate = "terminate", Stop = "stop", Hibernate = "hibernate", }
    /// What a maintenance event does.
    EventCode {
        #[default] SystemReboot = "system-reboot", InstanceReboot = "instance-reboot", InstanceStop = "instance-stop",
        InstanceRetirement = "instance-retirement", SystemMaintenance = "system-maintenance",
    }
    /// Where a maintenance event is in its life.
    EventState { #[default] Active = "active", Completed = "completed", Canceled = "canceled", }
}
