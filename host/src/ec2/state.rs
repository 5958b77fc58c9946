//! Facts that EC2's API stores and the metadata service does not have: which calls launched
//! instances, which addresses the account has, and what is attached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::SystemTime;

use super::attributes::{Attributes, SpotOptions};
use super::facts::Facts;
use super::failure::Failure;
use super::known::Memory;

/// All of it. It ends with the process, as the instances do that calls launched.
#[derive(Default)]
pub(super) struct State {
    pub launches: Launches,
    /// The Elastic IP addresses of the account, by their public address.
    pub addresses: BTreeMap<String, Address>,
    /// The volumes that calls attached, by instance and device.
    pub volumes: BTreeMap<(String, String), Volume>,
    /// The instances whose metadata options were changed while they did not run, with
    /// their launch times then: a start gives another.
    pub options_pending: BTreeMap<String, String>,
    /// Attributes that calls set and metadata does not show, unless they are the defaults.
    pub attributes: BTreeMap<String, Attributes>,
    /// The instances that calls terminated, and when, in the order of the calls.
    pub terminated: VecDeque<(SystemTime, String)>,
    /// The options of the requests for spot instances, terminated ones included.
    pub spot: BTreeMap<String, SpotOptions>,
    pub subnets: Subnets,
    pub memory: Memory,
}

impl State {
    /// The addresses that are associated.
    pub fn associations(&self) -> Vec<(String, Association)> {
        let associated = self.addresses.iter().filter_map(|(ip, its)| Some((ip.clone(), its.association.clone()?)));
        associated.collect()
    }

    /// Disassociates the instance from its address of the account.
    pub fn disassociate(&mut self, instance_id: &str) {
        for address in self.addresses.values_mut() {
            address.association.take_if(|its| its.instance_id == instance_id);
        }
    }

    /// The instances that have some state here.
    pub fn mentioned(&self) -> BTreeSet<String> {
        let associated = self.addresses.values().filter_map(|address| Some(&address.association.as_ref()?.instance_id));
        let with_volumes = self.volumes.keys().map(|(of, _)| of);
        let with_more = self.options_pending.keys().chain(self.attributes.keys()).chain(self.spot.keys());
        associated.chain(with_volumes).chain(with_more).cloned().collect()
    }

    /// Removes all devices and addresses that the instance no longer has.
    pub fn keep(&mut self, instance_id: &str, devices: &[String], public_ip: Option<&str>) {
        self.volumes.retain(|(of, device), _| of != instance_id || devices.contains(device));
        for (ip, address) in &mut self.addresses {
            address.association.take_if(|its| its.instance_id == instance_id && Some(&**ip) != public_ip);
        }
    }

    /// Frees the resources of a terminated instance.
    pub fn end(&mut self, instance_id: &str) {
        self.disassociate(instance_id);
        self.volumes.retain(|(of, _), _| of != instance_id);
        self.options_pending.remove(instance_id);
        self.attributes.remove(instance_id);
    }

    /// Forgets an instance that no longer exists.
    pub fn forget(&mut self, instance_id: &str) {
        self.end(instance_id);
        self.spot.remove(instance_id);
        self.memory.forget(instance_id);
    }

    /// The attributes of an instance.
    pub fn attributes_of(&self, instance_id: &str) -> Attributes {
        self.attributes.get(instance_id).copied().unwrap_or_default()
    }

    /// Sets the attributes of an instance.
    pub fn set_attributes(&mut self, instance_id: &str, attributes: Attributes) {
        match attributes.are_default() {
            true => drop(self.attributes.remove(instance_id)),
            false => drop(self.attributes.insert(instance_id.to_owned(), attributes)),
        }
    }

    /// Whether the request of a spot instance is persistent, so that the instance can be
    /// stopped and started. If no call launched the instance, the request is persistent if
    /// the instance is stopped, or if its interruption stops or hibernates it.
    pub fn is_persistent(&self, facts: &Facts) -> bool {
        let stated = facts.stated["spot-interruption"]["action"].as_str();
        match self.spot.get(&facts.instance_id) {
            Some(options) => options.is_persistent(),
            None => facts.state() == "stopped" || matches!(stated, Some("stop" | "hibernate")),
        }
    }
}

/// An Elastic IP address.
#[derive(Clone)]
pub(super) struct Address {
    pub allocation_id: String,
    /// With which instance, and by which id.
    pub association: Option<Association>,
}

/// Of an address with an instance.
#[derive(Clone)]
pub(super) struct Association {
    pub id: String,
    pub instance_id: String,
}

/// A volume that a call attached.
#[derive(Clone)]
pub(super) struct Volume {
    pub id: String,
    /// When it was.
    pub time: String,
}

/// The calls that launched instances, by their client tokens: who calls again gets
/// the same instances.
#[derive(Default)]
pub(super) struct Launches {
    calls: VecDeque<(String, Launch)>,
}

/// What a call launched.
#[derive(Clone)]
pub(super) struct Launch {
    /// A digest of the parameters.
    pub digest: u64,
    pub instance_ids: Vec<String>,
}

impl Launches {
    /// So many are remembered: those of the tests that run now.
    const MAX: usize = 10_000;

    pub fn get(&self, token: &str) -> Option<&Launch> {
        self.calls.iter().find(|(known, _)| known == token).map(|(_, launch)| launch)
    }

    pub fn put(&mut self, token: String, launch: Launch) {
        self.calls.retain(|(known, _)| *known != token);
        if self.calls.len() >= Self::MAX {
            self.calls.pop_front();
        }
        self.calls.push_back((token, launch));
    }
}

/// Chooses addresses for calls that name none. The instances determine which ones are in
/// use.
#[derive(Default)]
pub(super) struct Subnets {
    known: Vec<Subnet>,
}

struct Subnet {
    id: String,
    /// Where to look next: an address that was free only just is given last.
    next: u32,
}

impl Subnets {
    /// Blocks of a VPC `172.31.0.0/16`, as in a default VPC: 4,096 addresses each, of
    /// which the first four and the last are EC2's own.
    const BLOCK: u32 = 4096;
    const BLOCKS: usize = 16;
    const FIRST: u32 = 4;
    const LAST: u32 = Self::BLOCK - 2;
    const VPC: u32 = u32::from_be_bytes([172, 31, 0, 0]);

    /// The block of a subnet, which gets one when it is first used; none where the VPC
    /// is used up.
    pub fn block(&mut self, subnet_id: &str) -> Option<u32> {
        let at = match self.known.iter().position(|subnet| subnet.id == subnet_id) {
            Some(at) => at,
            None if self.known.len() == Self::BLOCKS => return None,
            None => {
                self.known.push(Subnet { id: subnet_id.to_owned(), next: Self::FIRST });
                self.known.len() - 1
            }
        };
        u32::try_from(at).ok()
    }

    /// The number of a subnet's block, if the block contains an address.
    pub fn block_of(&self, subnet_id: &str, address: Ipv4Addr) -> Option<u32> {
        let at = self.known.iter().position(|subnet| subnet.id == subnet_id)?;
        let of_vpc = u32::from(address).checked_sub(Self::VPC)?;
        u32::try_from(at).ok().filter(|at| of_vpc / Self::BLOCK == *at)
    }

    /// Refuses an address that no instance in a subnet can have.
    pub fn judge(&self, subnet_id: &str, address: Ipv4Addr) -> Result<(), Failure> {
        let is_of_no_host =
            address.octets()[0] == 0 || address.is_broadcast() || address.is_multicast() || address.is_link_local();
        let is_reserved = self.block_of(subnet_id, address).is_some_and(|block| {
            let offset = u32::from(address) - u32::from(Self::address(block, 0));
            !(Self::FIRST..=Self::LAST).contains(&offset)
        });
        let message = match (is_of_no_host, is_reserved) {
            (true, _) => format!("Address {address} does not fall within the subnet's address range"),
            (false, true) => format!("Address {address} is in subnet's reserved address range"),
            (false, false) => return Ok(()),
        };
        Err(Failure::new("InvalidParameterValue", message))
    }

    /// The CIDR block with a number.
    pub fn cidr(block: u32) -> String {
        format!("{}/20", Self::address(block, 0))
    }

    /// The first address of a block that an instance can have.
    pub fn first_address(block: u32) -> Ipv4Addr {
        Self::address(block, Self::FIRST)
    }

    /// Takes a free address of a block and marks it as used; `None` if all are in use.
    pub fn take(&mut self, block: u32, used: &mut BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let Subnet { next, .. } = self.known.get_mut(block as usize)?;
        let mut offsets = (*next..=Self::LAST).chain(Self::FIRST..*next);
        let offset = offsets.find(|offset| used.insert(Self::address(block, *offset)))?;
        *next = if offset == Self::LAST { Self::FIRST } else { offset + 1 };
        Some(Self::address(block, offset))
    }

    fn address(block: u32, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(Self::VPC + block * Self::BLOCK + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instance_has_an_address_of_no_host_or_of_ec2() {
        let mut subnets = Subnets::default();
        subnets.block("subnet-1");
        let message = |ip: &str| subnets.judge("subnet-1", ip.parse().unwrap()).map_err(|failure| failure.message);
        for ip in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "169.254.169.254"] {
            let expected = format!("Address {ip} does not fall within the subnet's address range");
            assert_eq!(message(ip), Err(expected));
        }
        for ip in ["172.31.0.0", "172.31.0.3", "172.31.15.255"] {
            assert_eq!(message(ip), Err(format!("Address {ip} is in subnet's reserved address range")));
        }
        // Guests may ask from loopback, and blocks of other subnets are not known.
        for ip in ["172.31.0.4", "172.31.15.254", "172.31.16.0", "10.0.0.1", "127.0.0.7"] {
            assert_eq!(message(ip), Ok(()), "{ip}");
        }
    }

    #[test]
    fn a_subnet_has_the_addresses_of_a_default_one() {
        let (mut subnets, mut used) = (Subnets::default(), BTreeSet::new());
        let address = |text: &str| text.parse::<Ipv4Addr>().unwrap();
        let (one, other) = (subnets.block("subnet-1").unwrap(), subnets.block("subnet-2").unwrap());
        assert_eq!(subnets.block("subnet-1"), Some(one));
        assert_eq!((Subnets::cidr(one), Subnets::cidr(other)), ("172.31.0.0/20".into(), "172.31.16.0/20".into()));
        let all: Vec<_> = std::iter::from_fn(|| subnets.take(one, &mut used)).collect();
        assert_eq!((all.len(), all[0], all[4090]), (4091, address("172.31.0.4"), address("172.31.15.254")));
        used.remove(&address("172.31.0.9"));
        assert_eq!(std::iter::from_fn(|| subnets.take(one, &mut used)).collect::<Vec<_>>(), [address("172.31.0.9")]);
        // An address in use is not given again.
        used.insert(address("172.31.16.5"));
        let taken = [(); 2].map(|()| subnets.take(other, &mut used).unwrap());
        assert_eq!(taken, [address("172.31.16.4"), address("172.31.16.6")]);
        // What was free only just comes last.
        used.remove(&taken[0]);
        assert_eq!(subnets.take(other, &mut used), Some(address("172.31.16.7")));
        let blocks = (3..20).map(|n| subnets.block(&format!("subnet-{n}"))).filter(Option::is_some).count();
        assert_eq!(blocks, 14);
        let block_of = |subnet: &str, ip: &str| subnets.block_of(subnet, address(ip));
        assert_eq!((block_of("subnet-2", "172.31.16.4"), block_of("subnet-2", "172.31.0.4")), (Some(1), None));
        assert_eq!((block_of("subnet-1", "10.0.0.1"), block_of("subnet-20", "172.31.0.4")), (None, None));
    }
}
