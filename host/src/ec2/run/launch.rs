//! New guests: with ids, addresses and caller keys of their own.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::facts::api_time;
use super::super::failure::Failure;
use super::super::state::Subnets;
use super::super::{Context, ids};
use super::architecture;
use super::request::RunInstances;
use crate::control::{CallerKey, ControlledFleet};
use crate::description::Description;
use crate::engine::Clock as _;
use crate::error::Error;

/// The most instances that one call launches.
const COUNT_MAX: u32 = 1000;

/// Where instances are of which a launch does not say it.
const SUBNET: &str = "subnet-0123456789abcdef0";
const VPC: &str = "vpc-0123456789abcdef0";

/// Launches instances, all or none.
pub(super) fn launch(
    context: &Context<'_>,
    fleet: &ControlledFleet,
    asked: RunInstances,
) -> Result<Vec<Launched>, Failure> {
    let template: Value = serde_json::from_str(&context.template().to_json()).unwrap_or_default();
    let (min, max) = counts(&asked)?;
    let (attributes, spot) = (asked.attributes()?, asked.spot()?);
    let mut common = asked.described(&template)?;
    common.insert("reservation-id".to_owned(), json!(ids::new("r-")?));
    common.insert("launch-time".to_owned(), json!(api_time(fleet.clock().now())));
    // Checked here too, for a dry run.
    let room = fleet.instances_max().saturating_sub(fleet.len());
    if (min as usize) > room {
        let message = format!("There are {} instances, and the limit here is {}", fleet.len(), fleet.instances_max());
        return Err(Failure::new(TOO_MANY, message));
    }
    if matches!(fleet.callers(), CallerKey::Listener) {
        let message = "With --caller listener each instance has a listener of its own, and a new one has none; launch \
                       with --caller client-address, header:NAME or host";
        return Err(Failure::unsupported(message));
    }
    let placed = Placed::of(&asked, &template)?;
    if placed.address.is_some() && max > 1 {
        let message = "A private address is for one instance: MaxCount must be 1 with PrivateIpAddress";
        return Err(Failure::combination(message));
    }
    if let Some(address) = placed.address {
        context.state().subnets.judge(&placed.subnet_id, address)?;
    }
    let mut used = context.private_ips()?;
    if let Some(address) = placed.address.filter(|address| used.contains(address)) {
        return Err(in_use(address));
    }
    let described = |id: &str, address: Ipv4Addr, block: Option<u32>, index: u32| {
        let mut fields = common.clone();
        fields.extend(placed.described(address, block));
        fields.insert("instance-id".to_owned(), json!(id));
        fields.insert("ami-launch-index".to_owned(), json!(index));
        let change = Description::from_json("the launch", &Value::Object(fields).to_string())?;
        fleet.runtime().combine(context.template(), &change)
    };
    // One of them, to be judged before anything is changed.
    let address = placed.address.unwrap_or_else(|| Subnets::first_address(0));
    let first = described(&ids::new("i-")?, address, placed.address.is_none().then_some(0), 0)?;
    fleet.runtime().open(&first)?;
    let first: Value = serde_json::from_str(&first.to_json()).unwrap_or_default();
    architecture::judge(context, fleet, &first)?;
    if first["instance-lifecycle"] == "spot" {
        attributes.judge_spot()?;
    }
    context.proceed()?;

    let mut launched: Vec<Launched> = Vec::new();
    for index in 0..max {
        match one(context, fleet, &placed, &mut used, |id, address, block| described(id, address, block, index)) {
            Ok(one) => launched.push(one),
            // At least `MinCount` are launched, which is enough.
            Err(failure) if [FULL, TOO_MANY].contains(&failure.code) && index >= min => break,
            Err(failure) => {
                take_back(fleet, &launched);
                return Err(failure);
            }
        }
    }
    let mut state = context.state();
    for Launched { id, .. } in &launched {
        state.set_attributes(id, attributes);
        if let Some(spot) = &spot {
            state.spot.insert(id.clone(), spot.clone());
        }
    }
    drop(state);
    Ok(launched)
}

/// Undoes a launch whose call fails.
pub(super) fn take_back(fleet: &ControlledFleet, launched: &[Launched]) {
    for Launched { key, .. } in launched {
        fleet.remove(key);
    }
}

/// A new guest.
pub(super) struct Launched {
    pub id: String,
    key: String,
}

fn counts(asked: &RunInstances) -> Result<(u32, u32), Failure> {
    let min = asked.min_count.ok_or_else(|| Failure::missing("MinCount"))?;
    let max = asked.max_count.ok_or_else(|| Failure::missing("MaxCount"))?;
    match (min, max) {
        (0, _) => Err(Failure::value("minCount", "0", "Minimum is 1.")),
        _ if max < min => {
            let message = "The maximum count must not be less than the minimum count";
            Err(Failure::new("InvalidParameterValue", message))
        }
        _ if max > COUNT_MAX => {
            let message = format!("One call launches at most {COUNT_MAX} instances here");
            Err(Failure::new(TOO_MANY, message))
        }
        counts => Ok(counts),
    }
}

const TOO_MANY: &str = "InstanceLimitExceeded";
const FULL: &str = "InsufficientFreeAddressesInSubnet";

/// In which subnet, and at which address.
struct Placed<'a> {
    subnet_id: String,
    vpc_id: String,
    address: Option<Ipv4Addr>,
    ipv6: Vec<&'a str>,
}

impl<'a> Placed<'a> {
    fn of(asked: &'a RunInstances, template: &Value) -> Result<Self, Failure> {
        let interface = asked.primary()?;
        if !asked.network_interface.is_empty() && (asked.subnet_id.is_some() || asked.private_ip_address.is_some()) {
            let message = "Network interfaces and an instance-level subnet ID may not be specified on the same request";
            return Err(Failure::combination(message));
        }
        let subnet = interface.subnet_id.or_else(|| asked.subnet_id.clone());
        if let Some(wrong) = subnet.as_ref().filter(|id| !ids::is_of_form(id, "subnet-")) {
            return Err(ids::malformed("InvalidSubnetID.Malformed", wrong));
        }
        let of_template = |field: &str, default: &str| template[field].as_str().unwrap_or(default).to_owned();
        let address = interface.private_ip_address.or_else(|| asked.private_ip_address.clone());
        let parsed = |text: String| text.parse().map_err(|_| Failure::value("address", &text, "Invalid IPv4 address."));
        let address = address.map(parsed).transpose()?;
        Ok(Self {
            subnet_id: subnet.unwrap_or_else(|| of_template("subnet-id", SUBNET)),
            vpc_id: of_template("vpc-id", VPC),
            address,
            ipv6: asked.ipv6(),
        })
    }

    /// The fields of a description for one instance with an address.
    fn described(&self, address: Ipv4Addr, block: Option<u32>) -> Map<String, Value> {
        let mut interface = Map::new();
        if let Some(block) = block {
            interface.insert("subnet-ipv4-cidr-block".to_owned(), json!(Subnets::cidr(block)));
            interface.insert("vpc-ipv4-cidr-blocks".to_owned(), json!(["172.31.0.0/16"]));
        }
        if !self.ipv6.is_empty() {
            interface.insert("ipv6-addresses".to_owned(), json!(self.ipv6));
        }
        let mut fields = Map::new();
        fields.insert("private-ip-address".to_owned(), json!(address));
        fields.insert("subnet-id".to_owned(), json!(self.subnet_id));
        fields.insert("vpc-id".to_owned(), json!(self.vpc_id));
        if !interface.is_empty() {
            fields.insert("network-interfaces".to_owned(), json!([interface]));
        }
        fields
    }
}

fn in_use(address: Ipv4Addr) -> Failure {
    Failure::new("InvalidIPAddress.InUse", format!("Address {address} is in use."))
}

fn one(
    context: &Context<'_>,
    fleet: &ControlledFleet,
    placed: &Placed<'_>,
    used: &mut BTreeSet<Ipv4Addr>,
    described: impl Fn(&str, Ipv4Addr, Option<u32>) -> Result<Description, Error>,
) -> Result<Launched, Failure> {
    loop {
        let (address, block) = match placed.address {
            Some(address) => (address, None),
            None => next_address(context, &placed.subnet_id, used)?,
        };
        let id = ids::new("i-")?;
        let key = match fleet.callers() {
            CallerKey::ClientAddress => address.to_string(),
            // Nobody could have chosen another: the answer tells it.
            _ => id.clone(),
        };
        make_room(fleet, &key)?;
        match (fleet.insert_new(&key, &described(&id, address, block)?)?, placed.address) {
            (Some(_), _) => return Ok(Launched { id, key }),
            // It is the caller key of an instance with another address.
            (None, None) => {}
            (None, Some(stated)) => return Err(in_use(stated)),
        }
    }
}

/// A terminated instance, which is shown until then, gives up its key to the next one
/// with its address.
fn make_room(fleet: &ControlledFleet, key: &str) -> Result<(), Error> {
    if let Some(holder) = fleet.get(key)
        && holder.snapshot()?.state == "terminated"
    {
        fleet.remove(key);
    }
    Ok(())
}

fn next_address(
    context: &Context<'_>,
    subnet_id: &str,
    used: &mut BTreeSet<Ipv4Addr>,
) -> Result<(Ipv4Addr, Option<u32>), Failure> {
    let full = |message: String| Failure::new(FULL, message);
    let mut state = context.state();
    let Some(block) = state.subnets.block(subnet_id) else {
        return Err(full(format!("The VPC has no room for another subnet than those in use: '{subnet_id}'")));
    };
    match state.subnets.take(block, used) {
        Some(address) => Ok((address, Some(block))),
        None => Err(full(format!("The subnet '{subnet_id}' has not enough free addresses"))),
    }
}
