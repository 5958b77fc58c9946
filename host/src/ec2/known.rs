//! Facts of other instances that a call about one instance needs. They are cached until an
//! instance changes, since reading a thousand instances takes a second.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Context;
use super::facts::Facts;
use super::failure::Failure;
use super::machines::Machines;
use crate::control::Control;
use crate::engine::Clock as _;

/// How long an instance that a call terminated is described.
const SHOWN_TERMINATED: Duration = Duration::from_secs(3600);

/// The cached facts of an instance.
pub(super) struct Known {
    pub is_terminated: bool,
    /// The addresses of all its interfaces; none once it is terminated.
    pub private_ips: Vec<Ipv4Addr>,
    pub public_ip: Option<String>,
    /// The devices of its volumes.
    pub devices: Vec<String>,
    /// Its image and the image's architecture, if it states both.
    pub image: Option<(String, String)>,
}

/// The cached facts by instance id, each with the number of the description that they are
/// from.
#[derive(Default)]
pub(super) struct Memory(HashMap<String, (u64, Arc<Known>)>);

impl Memory {
    fn get(&self, id: &str, number: u64) -> Option<Arc<Known>> {
        self.0.get(id).filter(|(of, _)| *of == number).map(|(_, known)| Arc::clone(known))
    }

    pub fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }
}

impl Known {
    fn of(facts: &Facts) -> Self {
        let is_terminated = facts.state() == "terminated";
        let interfaces = facts.interfaces.iter().filter(|_| !is_terminated);
        let private_ips = interfaces.flat_map(|its| &its.private_ips).filter_map(|ip| ip.parse().ok()).collect();
        let stated = |field: &str| facts.stated[field].as_str().map(str::to_owned);
        let image = stated("image-id").zip(stated("architecture"));
        let (public_ip, devices) = (facts.public_ip.clone(), facts.devices.clone());
        Self { is_terminated, private_ips, public_ip, devices, image }
    }
}

/// Whether a timeline changes the instance, in the past or the future: the clock can move
/// either way.
fn changes_by_itself(control: &Control) -> bool {
    let instance = control.instance();
    let described: Value = serde_json::from_str(instance.document()).unwrap_or_default();
    described["timeline"].as_array().is_some_and(|changes| !changes.is_empty())
}

impl Context<'_> {
    /// The facts of an instance. Caches those that calls about others need.
    pub fn look(&self, control: &Control) -> Result<Facts, Failure> {
        // Read the number first: if the instance is edited meanwhile, it is read again.
        let number = control.instance().id();
        let facts = Facts::of(control)?;
        if !changes_by_itself(control) {
            let known = Arc::new(Known::of(&facts));
            self.state().memory.0.insert(facts.instance_id.clone(), (number, known));
        }
        Ok(facts)
    }

    /// The cached facts of an instance.
    fn known(&self, id: &str, control: &Control) -> Result<Arc<Known>, Failure> {
        let remembered = self.state().memory.get(id, control.instance().id());
        match remembered {
            Some(known) => Ok(known),
            None => self.look(control).map(|facts| Arc::new(Known::of(&facts))),
        }
    }

    /// The private addresses that are in use.
    pub fn private_ips(&self) -> Result<BTreeSet<Ipv4Addr>, Failure> {
        let all = self.machines().all()?;
        let mut used = BTreeSet::new();
        for (id, control) in &all {
            used.extend(&self.known(id, control)?.private_ips);
        }
        // Sorted by their ids.
        let is_there = |wanted: &String| all.binary_search_by(|(id, _)| id.cmp(wanted)).is_ok();
        self.state().memory.0.retain(|id, _| is_there(id));
        Ok(used)
    }

    /// The architecture of an image, if an instance states it.
    pub fn architecture_of(&self, image_id: &str) -> Result<Option<String>, Failure> {
        for (id, control) in self.machines().all()? {
            let known = self.known(&id, &control)?;
            if let Some((_, architecture)) = known.image.as_ref().filter(|(image, _)| image == image_id) {
                return Ok(Some(architecture.clone()));
            }
        }
        Ok(None)
    }

    /// Brings the state that this API stores in line with the instances: an operator, a
    /// file or a timeline may have terminated or removed an instance, or given it another
    /// public address, without a call.
    pub fn follow(&self) -> Result<(), Failure> {
        let mentioned: Vec<String> = self.state().mentioned().into_iter().collect();
        for (id, control) in mentioned.iter().zip(self.machines().those(&mentioned)?) {
            match control.map(|control| self.known(id, &control)) {
                Some(Ok(known)) if known.is_terminated => self.state().end(id),
                Some(Ok(known)) => self.state().keep(id, &known.devices, known.public_ip.as_deref()),
                None => self.state().forget(id),
                // A call that needs it fails.
                Some(Err(_)) => {}
            }
        }
        self.remove_terminated();
        Ok(())
    }

    /// Removes guests an hour after calls terminated them, as EC2 does ("Terminated
    /// instances remain visible … usually for an hour"). Others are the operator's.
    fn remove_terminated(&self) {
        let Machines::Many(fleet) = self.machines() else { return };
        let (mut state, now) = (self.state(), fleet.clock().now());
        let is_due = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age >= SHOWN_TERMINATED);
        while let Some((_, id)) = state.terminated.pop_front_if(|(at, _)| is_due(at)) {
            // The operator may have another there meanwhile, or this one run again.
            let found = fleet.find(&id).filter(|(_, control)| control.instance_id().is_ok_and(|its| *its == *id));
            if let Some((key, _)) =
                found.filter(|(_, control)| control.snapshot().is_ok_and(|it| it.state == "terminated"))
            {
                fleet.remove(&key);
                state.forget(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{CallerKey, ControlledFleet, Description, Ec2Answer, Ec2Api, Runtime};

    fn operated() -> (ControlledFleet, Ec2Api) {
        let fleet = ControlledFleet::new(&Runtime::new().unwrap(), CallerKey::Host).unwrap();
        (fleet.clone(), Ec2Api::of_many(fleet, Description::default()))
    }

    fn call(ec2: &Ec2Api, action: &str, parameters: &str) -> Ec2Answer {
        ec2.answer(format!("Action={action}&Version=2016-11-15&{parameters}").as_bytes())
    }

    fn done(ec2: &Ec2Api, action: &str, parameters: &str) -> String {
        let answer = call(ec2, action, parameters);
        assert_eq!(answer.status, 200, "{action} {parameters}: {}", answer.body);
        answer.body
    }

    fn code(ec2: &Ec2Api, action: &str, parameters: &str) -> String {
        let body = call(ec2, action, parameters).body;
        body.split("<Code>").nth(1).and_then(|rest| rest.split_once('<')).map(|(code, _)| code.to_owned()).unwrap()
    }

    const LAUNCH: &str = "ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=1";

    /// Launches an instance, and returns its id.
    fn launched(ec2: &Ec2Api, parameters: &str) -> String {
        let told = done(ec2, "RunInstances", &format!("{LAUNCH}&{parameters}"));
        told.split("<instanceId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned()
    }

    /// Launches an instance with an address of the account and a volume, and returns its
    /// id.
    fn equipped(ec2: &Ec2Api, parameters: &str) -> String {
        let id = launched(ec2, parameters);
        done(ec2, "AssociateAddress", &format!("InstanceId={id}&PublicIp=192.0.2.77"));
        done(ec2, "AttachVolume", &format!("InstanceId={id}&VolumeId=vol-0123456789abcdef0&Device=/dev/sdf"));
        id
    }

    /// The resources of an instance are free again.
    fn is_free(ec2: &Ec2Api) {
        let other = equipped(ec2, "PrivateIpAddress=10.0.0.7");
        done(ec2, "TerminateInstances", &format!("InstanceId.1={other}"));
        done(ec2, "ReleaseAddress", "PublicIp=192.0.2.77");
    }

    #[test]
    fn what_an_instance_had_is_free_however_it_ends() {
        let ends: [fn(&ControlledFleet, &str); 3] = [
            |fleet, id| assert!(fleet.get(id).unwrap().terminate().is_ok()),
            |fleet, id| assert!(fleet.remove(id)),
            |fleet, id| {
                let scenario =
                    Description::from_toml("a", "timeline = [{ at = '+10m', state = 'terminated' }]").unwrap();
                fleet.get(id).unwrap().edit(&scenario).unwrap();
                fleet.clock().advance(Duration::from_secs(601));
            },
        ];
        for end in ends {
            let (fleet, ec2) = operated();
            let id = equipped(&ec2, "PrivateIpAddress=10.0.0.7");
            let again = format!("{LAUNCH}&PrivateIpAddress=10.0.0.7");
            assert_eq!(code(&ec2, "RunInstances", &again), "InvalidIPAddress.InUse");
            assert_eq!(code(&ec2, "ReleaseAddress", "PublicIp=192.0.2.77"), "InvalidIPAddress.InUse");
            end(&fleet, &id);
            assert!(!done(&ec2, "DescribeAddresses", "").contains("<instanceId>"));
            is_free(&ec2);
        }
    }

    #[test]
    fn a_terminated_instance_is_described_for_an_hour() {
        let (fleet, ec2) = operated();
        let id = equipped(&ec2, "");
        let stays = launched(&ec2, "");
        done(&ec2, "TerminateInstances", &format!("InstanceId.1={id}"));
        fleet.clock().advance(Duration::from_secs(3599));
        assert!(done(&ec2, "DescribeInstances", "").contains(&id));
        fleet.clock().advance(Duration::from_secs(1));
        let described = done(&ec2, "DescribeInstances", "");
        assert!(!described.contains(&id) && described.contains(&stays), "{described}");
        assert_eq!((fleet.len(), fleet.get(&id).is_none()), (1, true));
    }

    #[test]
    fn a_clock_that_goes_back_brings_the_private_address_back() {
        let (fleet, ec2) = operated();
        let end = "timeline = [{ at = '+10m', state = 'terminated' }]\nprivate-ip-address = '10.0.0.7'";
        fleet.insert("web", &Description::from_toml("web", end).unwrap()).unwrap();
        let again = format!("{LAUNCH}&PrivateIpAddress=10.0.0.7&DryRun=true");
        assert_eq!(code(&ec2, "RunInstances", &again), "InvalidIPAddress.InUse");
        fleet.clock().advance(Duration::from_secs(601));
        assert_eq!(code(&ec2, "RunInstances", &again), "DryRunOperation");
        fleet.clock().step_back(Duration::from_secs(601));
        assert_eq!(code(&ec2, "RunInstances", &again), "InvalidIPAddress.InUse");
    }

    #[test]
    fn an_address_that_an_operator_takes_away_is_associated_no_more() {
        let (fleet, ec2) = operated();
        let id = equipped(&ec2, "");
        let other = Description::from_toml("a", "public-ip-address = '203.0.113.9'").unwrap();
        fleet.get(&id).unwrap().edit(&other).unwrap();
        assert!(!done(&ec2, "DescribeAddresses", "").contains("<instanceId>"));
        done(&ec2, "ReleaseAddress", "PublicIp=192.0.2.77");
        // The address survives a stop, as on EC2.
        done(&ec2, "AssociateAddress", &format!("InstanceId={id}&PublicIp=192.0.2.78"));
        fleet.get(&id).unwrap().stop().unwrap();
        assert!(done(&ec2, "DescribeAddresses", "").contains(&id));
    }

    #[test]
    fn a_client_token_is_of_its_instances_as_long_as_they_are() {
        let (fleet, ec2) = operated();
        let launch = "ImageId=ami-0123456789abcdef0&MinCount=2&MaxCount=2&ClientToken=t";
        done(&ec2, "RunInstances", launch);
        let keys = fleet.keys();
        fleet.get(&keys[0]).unwrap().terminate().unwrap();
        assert_eq!(code(&ec2, "RunInstances", launch), "IdempotentInstanceTerminated");
        assert_eq!(code(&ec2, "RunInstances", &format!("{LAUNCH}&ClientToken=t")), "IdempotentParameterMismatch");
        assert!(fleet.remove(&keys[0]));
        assert_eq!(code(&ec2, "RunInstances", launch), "IdempotentInstanceTerminated");
        // The instances no longer exist.
        assert!(fleet.remove(&keys[1]));
        done(&ec2, "RunInstances", launch);
        assert_eq!(fleet.len(), 2);
    }
}
