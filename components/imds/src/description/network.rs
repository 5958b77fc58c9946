//! The network of an instance.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::HostnameType;
use super::part::Part;
use super::value::{AccountId, GroupId, Ipv4Block, Ipv6Block, Line, MacAddress, NetworkInterfaceId, SubnetId, VpcId};

tables! {
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
}
