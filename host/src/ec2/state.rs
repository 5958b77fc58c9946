//! What EC2's API knows of instances and their metadata service does not: which calls
//! launched them, which addresses the account has, and what is attached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

/// All of it. It ends with the process, as the instances do that calls launched.
#[derive(Default)]
pub(super) struct State {
    pub launches: Launches,
    /// The Elastic IP addresses of the account, by their public address.
    pub addresses: BTreeMap<String, Address>,
    /// What was attached or detached, by instance and device.
    pub volumes: BTreeMap<(String, String), Volume>,
    /// The instances whose metadata options were changed while they did not run, with
    /// their launch times then: a start gives another.
    pub options_pending: BTreeMap<String, String>,
    pub subnets: Subnets,
}

impl State {
    /// What was attached to an instance, or detached from it, by device.
    pub fn volumes_of(&self, instance_id: &str) -> impl Iterator<Item = (&(String, String), &Volume)> {
        self.volumes.iter().filter(move |((of, _), _)| of == instance_id)
    }

    /// The addresses that are associated.
    pub fn associations(&self) -> Vec<(String, Association)> {
        let associated = self.addresses.iter().filter_map(|(ip, its)| Some((ip.clone(), its.association.clone()?)));
        associated.collect()
    }

    /// The instance has no address of the account any more.
    pub fn disassociate(&mut self, instance_id: &str) {
        for address in self.addresses.values_mut() {
            address.association.take_if(|its| its.instance_id == instance_id);
        }
    }

    /// The instance is terminated: what it had is free.
    pub fn forget(&mut self, instance_id: &str, private_ip: Option<&str>) {
        self.disassociate(instance_id);
        private_ip.into_iter().for_each(|ip| self.subnets.free(ip));
        self.volumes.retain(|(of, _), _| of != instance_id);
        self.options_pending.remove(instance_id);
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

/// A volume that was attached, or detached, since the instance was described.
#[derive(Clone)]
pub(super) struct Volume {
    pub id: String,
    pub is_attached: bool,
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

/// Which addresses are given to new instances.
#[derive(Default)]
pub(super) struct Subnets {
    known: Vec<Subnet>,
    /// Addresses that calls stated, in whatever block.
    stated: BTreeSet<u32>,
}

/// A subnet, and what of it is in use.
struct Subnet {
    id: String,
    used: BTreeSet<u32>,
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
                self.known.push(Subnet { id: subnet_id.to_owned(), used: BTreeSet::new(), next: Self::FIRST });
                self.known.len() - 1
            }
        };
        u32::try_from(at).ok()
    }

    /// The CIDR block with a number.
    pub fn cidr(block: u32) -> String {
        format!("{}/20", Self::address(block, 0))
    }

    /// The first address of a block that an instance can have.
    pub fn first_address(block: u32) -> String {
        Self::address(block, Self::FIRST)
    }

    /// Takes an address of a block that is free; none where none is.
    pub fn take(&mut self, block: u32) -> Option<String> {
        let Subnet { used, next, .. } = self.known.get_mut(block as usize)?;
        let is_free =
            |offset: &u32| !used.contains(offset) && !self.stated.contains(&(Self::VPC + block * Self::BLOCK + offset));
        let offset = (*next..=Self::LAST).chain(Self::FIRST..*next).find(is_free)?;
        used.insert(offset);
        *next = if offset == Self::LAST { Self::FIRST } else { offset + 1 };
        Some(Self::address(block, offset))
    }

    /// Takes an address that a call states, unless it is in use.
    pub fn claim(&mut self, address: Ipv4Addr) -> bool {
        let number = u32::from(address);
        let is_used = number.checked_sub(Self::VPC).is_some_and(|at| {
            let subnet = self.known.get((at / Self::BLOCK) as usize);
            subnet.is_some_and(|subnet| subnet.used.contains(&(at % Self::BLOCK)))
        });
        !is_used && self.stated.insert(number)
    }

    /// Gives an address back, if it is one of these.
    pub fn free(&mut self, address: &str) {
        let Ok(address) = address.parse::<Ipv4Addr>().map(u32::from) else { return };
        self.stated.remove(&address);
        let Some(at) = address.checked_sub(Self::VPC) else { return };
        if let Some(subnet) = self.known.get_mut((at / Self::BLOCK) as usize) {
            subnet.used.remove(&(at % Self::BLOCK));
        }
    }

    fn address(block: u32, offset: u32) -> String {
        Ipv4Addr::from(Self::VPC + block * Self::BLOCK + offset).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_has_the_addresses_of_a_default_one() {
        let mut subnets = Subnets::default();
        let (one, other) = (subnets.block("subnet-1").unwrap(), subnets.block("subnet-2").unwrap());
        assert_eq!(subnets.block("subnet-1"), Some(one));
        assert_eq!((Subnets::cidr(one), Subnets::cidr(other)), ("172.31.0.0/20".into(), "172.31.16.0/20".into()));
        let all: Vec<_> = std::iter::from_fn(|| subnets.take(one)).collect();
        assert_eq!((all.len(), &*all[0], &*all[4090]), (4091, "172.31.0.4", "172.31.15.254"));
        assert_eq!(subnets.take(other).as_deref(), Some("172.31.16.4"));
        for address in ["172.31.0.9", "172.31.16.4", "10.0.0.1", "172.31.255.4", "ten"] {
            subnets.free(address);
        }
        assert_eq!(std::iter::from_fn(|| subnets.take(one)).collect::<Vec<_>>(), ["172.31.0.9"]);
        // Of one address there is one instance.
        let stated = "172.31.16.6".parse().unwrap();
        assert!(subnets.claim(stated) && !subnets.claim(stated));
        assert!(!subnets.claim("172.31.0.9".parse().unwrap()) && subnets.claim("10.0.0.7".parse().unwrap()));
        assert_eq!(
            (subnets.take(other), subnets.take(other)),
            (Some("172.31.16.5".into()), Some("172.31.16.7".into()))
        );
        subnets.free("172.31.16.6");
        assert!(subnets.claim(stated));
        // What was free only just comes last.
        assert_eq!(subnets.take(other).as_deref(), Some("172.31.16.8"));
        let blocks = (3..20).map(|n| subnets.block(&format!("subnet-{n}"))).filter(Option::is_some).count();
        assert_eq!(blocks, 14);
    }
}
