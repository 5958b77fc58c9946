//! Addresses of network interfaces besides the first.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::facts::{Facts, Interface};
use super::super::failure::{Failure, shown};
use super::super::xml::Element;
use super::super::{Context, edit, ids, judge};
use super::done;
use crate::control::Control;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct AssignPrivate {
    network_interface_id: String,
    #[serde(default)]
    private_ip_address: Vec<String>,
    secondary_private_ip_address_count: Option<u32>,
    #[serde(default)]
    allow_reassignment: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct UnassignPrivate {
    network_interface_id: String,
    #[serde(default)]
    private_ip_address: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct AssignIpv6 {
    network_interface_id: String,
    #[serde(default)]
    ipv6_addresses: Vec<String>,
    ipv6_address_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct UnassignIpv6 {
    network_interface_id: String,
    #[serde(default)]
    ipv6_addresses: Vec<String>,
}

/// The most that an interface of the largest type has.
const ADDRESSES_MAX: usize = 50;

/// An interface that exists, and its instance.
struct Found {
    control: Control,
    facts: Facts,
    /// Its place among those of the instance.
    at: usize,
}

pub(in crate::ec2) fn assign_private(context: &Context<'_>, asked: AssignPrivate) -> Result<Element, Failure> {
    let found = found(context, &asked.network_interface_id)?;
    let its = &found.facts.interfaces[found.at];
    let given =
        wanted(asked.private_ip_address, asked.secondary_private_ip_address_count, "SecondaryPrivateIpAddressCount")?;
    let mut used = context.private_ips()?;
    let new = match given {
        Wanted::These(ips) => {
            let parsed = |ip: &String| {
                ip.parse::<Ipv4Addr>().map_err(|_| Failure::value("privateIpAddress", ip, "Invalid IPv4 address."))
            };
            let ips = ips.iter().map(parsed).collect::<Result<Vec<_>, _>>()?;
            ips.iter().try_for_each(|ip| context.state().subnets.judge(&its.subnet_id, *ip))?;
            ips
        }
        Wanted::Some(count) => {
            let new = free(context, its, &mut used, count)?;
            used.retain(|ip| !new.contains(ip));
            new
        }
    };
    let new: Vec<_> = new.into_iter().map(|ip| (ip, ip.to_string())).collect();
    let assigned = new.iter().map(|(_, ip)| Element::item().text("privateIpAddress", ip));
    let answer = done().text("networkInterfaceId", &its.id).set("assignedPrivateIpAddressesSet", assigned);
    let (at, own) = (found.at, its.private_ips.clone());
    let mut all = vec![Addresses::of(found)];
    for (address, ip) in new.iter().filter(|(_, ip)| !own.contains(ip)) {
        if used.contains(address) && !asked.allow_reassignment {
            let message = format!("[{ip}] assigned, but move is not allowed.");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        if used.contains(address) {
            give_up(context, &mut all, ip)?;
        }
        // Duplicates count once.
        if let Some(ips) = all.first_mut().and_then(|first| first.ips.get_mut(at)).filter(|ips| !ips.contains(ip)) {
            ips.push(ip.clone());
        }
    }
    let changes = all.iter().map(Addresses::change).collect::<Result<Vec<_>, _>>()?;
    // All or none.
    all.iter().zip(&changes).try_for_each(|(its, change)| judge(&its.control, change))?;
    context.proceed()?;
    all.iter().zip(&changes).try_for_each(|(its, change)| edit(&its.control, change))?;
    Ok(answer)
}

/// The private addresses of an instance's interfaces after the change.
struct Addresses {
    control: Control,
    facts: Facts,
    ips: Vec<Vec<String>>,
}

impl Addresses {
    fn of(Found { control, facts, .. }: Found) -> Self {
        let ips = facts.interfaces.iter().map(|its| its.private_ips.clone()).collect();
        Self { control, facts, ips }
    }

    fn change(&self) -> Result<Value, Failure> {
        let mut stated = stated(&self.facts);
        for (at, (ips, before)) in self.ips.iter().zip(&self.facts.interfaces).enumerate() {
            if *ips != before.private_ips {
                put(&self.facts, &mut stated, at, "private-ip-addresses", ips, addressed)?;
            }
        }
        Ok(json!({ "network-interfaces": stated }))
    }
}

/// Takes an address from the interface that has it.
fn give_up(context: &Context<'_>, all: &mut Vec<Addresses>, ip: &String) -> Result<(), Failure> {
    let is_known = all.iter().any(|its| its.ips.iter().flatten().any(|known| known == ip));
    if !is_known {
        let has_it = |facts: &Facts| {
            facts.state() != "terminated" && facts.interfaces.iter().any(|its| its.private_ips.contains(ip))
        };
        let holder = context.machines().first(has_it)?;
        all.extend(holder.map(|(control, facts)| Addresses::of(Found { control, facts, at: 0 })));
    }
    for ips in all.iter_mut().flat_map(|its| &mut its.ips) {
        match ips.iter().position(|known| known == ip) {
            Some(0) => {
                let message = format!("[{ip}] is the primary address of another interface, and cannot be moved.");
                return Err(Failure::new("InvalidParameterValue", message));
            }
            Some(at) => drop(ips.remove(at)),
            None => {}
        }
    }
    Ok(())
}

pub(in crate::ec2) fn unassign_private(context: &Context<'_>, asked: UnassignPrivate) -> Result<Element, Failure> {
    let found = found(context, &asked.network_interface_id)?;
    let its = &found.facts.interfaces[found.at];
    for ip in &asked.private_ip_address {
        if its.private_ips.iter().skip(1).all(|known| known != ip) {
            let message = "Some of the specified addresses are not assigned to interface ".to_owned() + &its.id;
            return Err(Failure::new("InvalidParameterValue", message));
        }
    }
    let ips: Vec<_> = its.private_ips.iter().filter(|ip| !asked.private_ip_address.contains(ip)).cloned().collect();
    found.set(context, "private-ip-addresses", &ips, addressed)?;
    Ok(done())
}

pub(in crate::ec2) fn assign_ipv6(context: &Context<'_>, asked: AssignIpv6) -> Result<Element, Failure> {
    let found = found(context, &asked.network_interface_id)?;
    let its = &found.facts.interfaces[found.at];
    let new = match wanted(asked.ipv6_addresses, asked.ipv6_address_count, "Ipv6AddressCount")? {
        Wanted::These(ips) => ips,
        Wanted::Some(count) => {
            let made = (0..).map(|number| made_ipv6(its, number).to_string());
            made.filter(|ip| !its.ipv6.contains(ip)).take(count as usize).collect()
        }
    };
    let new = new.iter().map(|ip| ipv6(ip)).collect::<Result<Vec<_>, _>>()?;
    let mut ips = its.ipv6.clone();
    ips.extend(new.iter().filter(|ip| !its.ipv6.contains(ip)).cloned());
    let assigned = new.iter().map(Element::item_of);
    let answer = Element::item().text("networkInterfaceId", &its.id).set("assignedIpv6Addresses", assigned);
    found.set(context, "ipv6-addresses", &ips, |ip, _| json!(ip))?;
    Ok(answer)
}

pub(in crate::ec2) fn unassign_ipv6(context: &Context<'_>, asked: UnassignIpv6) -> Result<Element, Failure> {
    let found = found(context, &asked.network_interface_id)?;
    let its = &found.facts.interfaces[found.at];
    let gone = asked.ipv6_addresses.iter().map(|ip| ipv6(ip)).collect::<Result<Vec<_>, _>>()?;
    if gone.iter().any(|ip| !its.ipv6.contains(ip)) {
        let message = "Some of the specified addresses are not assigned to interface ".to_owned() + &its.id;
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let ips: Vec<_> = its.ipv6.iter().filter(|ip| !gone.contains(ip)).cloned().collect();
    let gone = gone.iter().map(Element::item_of);
    let answer = Element::item().text("networkInterfaceId", &its.id).set("unassignedIpv6Addresses", gone);
    found.set(context, "ipv6-addresses", &ips, |ip, _| json!(ip))?;
    Ok(answer)
}

/// The instance of an interface.
pub(in crate::ec2) fn with_id(context: &Context<'_>, id: &str) -> Result<(Control, Facts), Failure> {
    let Found { control, facts, .. } = found(context, id)?;
    Ok((control, facts))
}

fn found(context: &Context<'_>, id: &str) -> Result<Found, Failure> {
    let place = |facts: &Facts| {
        let present = facts.interfaces.iter().take_while(|_| facts.state() != "terminated");
        present.enumerate().find(|(_, its)| its.id == id).map(|(at, _)| at)
    };
    let found = context.machines().first(|facts| place(facts).is_some())?;
    let found = found.and_then(|(control, facts)| place(&facts).map(|at| Found { control, facts, at }));
    found.ok_or_else(|| {
        let message = format!("The networkInterface ID '{}' does not exist", shown(id));
        Failure::new("InvalidNetworkInterfaceID.NotFound", message)
    })
}

impl Found {
    /// Gives the interface these addresses, each as `describe` writes it, which is given
    /// those that are stated.
    fn set(
        &self,
        context: &Context<'_>,
        field: &str,
        ips: &[String],
        describe: fn(&str, &[Value]) -> Value,
    ) -> Result<(), Failure> {
        let mut stated = stated(&self.facts);
        put(&self.facts, &mut stated, self.at, field, ips, describe)?;
        context.proceed()?;
        edit(&self.control, &json!({ "network-interfaces": stated }))
    }
}

/// The interfaces that a description states: a change replaces them as a whole.
fn stated(facts: &Facts) -> Vec<Value> {
    let stated = facts.stated["network-interfaces"].as_array().cloned().unwrap_or_default();
    if stated.is_empty() { vec![json!({})] } else { stated }
}

/// Sets the addresses of one of them.
fn put(
    facts: &Facts,
    stated: &mut [Value],
    at: usize,
    field: &str,
    ips: &[String],
    describe: fn(&str, &[Value]) -> Value,
) -> Result<(), Failure> {
    if ips.len() > ADDRESSES_MAX {
        let message = format!("Number of addresses ({}) exceeds the limit of {ADDRESSES_MAX}", ips.len());
        return Err(Failure::new("PrivateIpAddressLimitExceeded", message));
    }
    let index = facts.interfaces[at].device_index;
    let place = |(at, its): (usize, &Value)| its["device-index"].as_u64().unwrap_or(at as u64) == u64::from(index);
    let at = stated.iter().enumerate().position(place);
    let its = at.and_then(|at| stated.get_mut(at)).and_then(Value::as_object_mut);
    let its = its.ok_or_else(|| Failure::internal("The interface is not in the description"))?;
    let before = its.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let ips: Vec<_> = ips.iter().map(|ip| describe(ip, &before)).collect();
    its.insert(field.to_owned(), json!(ips));
    Ok(())
}

/// A private address in a description, with the public one that is stated for it.
fn addressed(ip: &str, before: &[Value]) -> Value {
    let is_it = |its: &&Value| its["private-ip-address"] == ip;
    before.iter().find(is_it).cloned().unwrap_or_else(|| json!({ "private-ip-address": ip }))
}

/// Addresses that are named, or so many.
enum Wanted {
    These(Vec<String>),
    Some(u32),
}

fn wanted(these: Vec<String>, count: Option<u32>, parameter: &'static str) -> Result<Wanted, Failure> {
    match (these.is_empty(), count) {
        (false, None) => Ok(Wanted::These(these)),
        (true, Some(count)) if (1..=ADDRESSES_MAX as u32).contains(&count) => Ok(Wanted::Some(count)),
        (true, Some(count)) => Err(Failure::value(parameter, &count.to_string(), "")),
        (true, None) => Err(Failure::missing(parameter)),
        (false, Some(_)) => Err(Failure::combination(format!("Addresses and {parameter} may not both be specified"))),
    }
}

/// Takes free addresses for an interface: from its subnet, as a launch does, or after its
/// first address if no launch used that subnet.
fn free(
    context: &Context<'_>,
    its: &Interface,
    used: &mut BTreeSet<Ipv4Addr>,
    count: u32,
) -> Result<Vec<Ipv4Addr>, Failure> {
    let first = its.private_ips.first().and_then(|ip| ip.parse::<Ipv4Addr>().ok());
    let Some(first) = first else {
        return Err(Failure::unsupported("The interface has no private IPv4 address"));
    };
    let mut state = context.state();
    let block = state.subnets.block_of(&its.subnet_id, first);
    let [a, b, c, last] = first.octets();
    let mut beside =
        (last..255).skip(1).chain(4..last).filter(|last| *last >= 4).map(|last| Ipv4Addr::new(a, b, c, last));
    let next = || match block {
        Some(block) => state.subnets.take(block, used),
        None => beside.find(|ip| used.insert(*ip)),
    };
    let new: Vec<_> = std::iter::from_fn(next).take(count as usize).collect();
    if new.len() < count as usize {
        let message = "The specified subnet does not have enough free addresses";
        return Err(Failure::new("InsufficientFreeAddressesInSubnet", message));
    }
    Ok(new)
}

/// The one spelling of an address.
fn ipv6(text: &str) -> Result<String, Failure> {
    let address = text.parse::<Ipv6Addr>();
    address.map(|ip| ip.to_string()).map_err(|_| Failure::value("ipv6Address", text, "Invalid IPv6 address."))
}

/// In the block of the addresses that an interface has, or one for documentation.
fn made_ipv6(its: &Interface, number: usize) -> Ipv6Addr {
    let known = its.ipv6.first().and_then(|ip| ip.parse::<Ipv6Addr>().ok());
    let block = known.map_or([0x2001, 0xdb8, 0, 1], |ip| {
        let [a, b, c, d, ..] = ip.segments();
        [a, b, c, d]
    });
    let digits = ids::made("ip-", &format!("{} {number}", its.id));
    let rest = u64::from_str_radix(&digits[3..19], 16).unwrap_or(number as u64);
    let prefix = block.iter().fold(0u128, |all, part| (all << 16) | u128::from(*part));
    Ipv6Addr::from((prefix << 64) | u128::from(rest))
}
