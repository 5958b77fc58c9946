//! Elastic IP addresses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::facts::Facts;
use super::super::failure::{Failure, shown};
use super::super::filter::{Filter, judge, passes};
use super::super::ids;
use super::super::state::{Address, Association, State};
use super::super::xml::Element;
use super::super::{Context, edit};
use super::done;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct AllocateAddress {
    domain: Option<String>,
    address: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct AssociateAddress {
    allocation_id: Option<String>,
    public_ip: Option<String>,
    instance_id: Option<String>,
    network_interface_id: Option<String>,
    private_ip_address: Option<String>,
    allow_reassociation: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DisassociateAddress {
    association_id: Option<String>,
    public_ip: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct ReleaseAddress {
    allocation_id: Option<String>,
    public_ip: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeAddresses {
    allocation_id: Vec<String>,
    public_ip: Vec<String>,
    filter: Vec<Filter>,
}

/// The addresses that are given: of a block that documentation may use (RFC 5737).
const BLOCK: [u8; 3] = [198, 51, 100];
/// As many as the block has.
const ADDRESSES_MAX: usize = 254;

fn too_many() -> Failure {
    Failure::new("AddressLimitExceeded", "The maximum number of addresses has been reached.")
}

pub(in crate::ec2) fn allocate(context: &Context<'_>, asked: AllocateAddress) -> Result<Element, Failure> {
    if let Some(domain) = asked.domain.filter(|domain| domain != "vpc") {
        return Err(Failure::value("domain", &domain, "Expected: vpc"));
    }
    let mut state = context.state();
    let [a, b, c] = BLOCK;
    let mut block = (1..=254).map(|last| format!("{a}.{b}.{c}.{last}"));
    let ip = match asked.address {
        Some(ip) if ip.parse::<std::net::Ipv4Addr>().is_err() => return Err(Failure::value("address", &ip, "")),
        Some(ip) if state.addresses.contains_key(&ip) => {
            return Err(Failure::new("InvalidAddress.InUse", format!("Address '{ip}' is in use.")));
        }
        Some(ip) => Some(ip),
        None => block.find(|ip| !state.addresses.contains_key(ip)),
    };
    let ip = ip.filter(|_| state.addresses.len() < ADDRESSES_MAX).ok_or_else(too_many)?;
    context.proceed()?;
    let allocation_id = ids::new("eipalloc-")?;
    state.addresses.insert(ip.clone(), Address { allocation_id: allocation_id.clone(), association: None });
    Ok(Element::item().text("publicIp", ip).text("domain", "vpc").text("allocationId", allocation_id))
}

pub(in crate::ec2) fn associate(context: &Context<'_>, asked: AssociateAddress) -> Result<Element, Failure> {
    let AssociateAddress { instance_id, network_interface_id, private_ip_address, .. } = &asked;
    let (control, facts) = match (instance_id, network_interface_id) {
        (Some(id), _) => {
            let control = context.machines().with_id(id)?;
            let facts = Facts::of(&control)?;
            (control, facts)
        }
        (None, Some(id)) => super::interface::with_id(context, id)?,
        (None, None) => {
            let message = "Either 'InstanceId' or 'NetworkInterfaceId' must be specified";
            return Err(Failure::new("MissingParameter", message));
        }
    };
    super::not_terminated(&facts)?;
    let is_primary = facts.primary().is_none_or(|its| {
        network_interface_id.as_ref().is_none_or(|id| *id == its.id)
            && private_ip_address.as_ref().is_none_or(|ip| its.private_ips.first() == Some(ip))
    });
    if !is_primary {
        let message = "Here an address is associated with the primary address of the primary interface alone";
        return Err(Failure::unsupported(message));
    }
    let ip = ip_of(&context.state(), asked.allocation_id.as_deref(), asked.public_ip.as_deref(), true)?;
    let before = context.state().addresses.get(&ip).and_then(|address| address.association.clone());
    let elsewhere = before.filter(|before| before.instance_id != facts.instance_id);
    if let (Some(before), Some(false)) = (&elsewhere, asked.allow_reassociation) {
        let message = format!("resource {ip} is already associated with associate-id {}", before.id);
        return Err(Failure::new("Resource.AlreadyAssociated", message));
    }
    let state = context.state();
    if !state.addresses.contains_key(&ip) && state.addresses.len() >= ADDRESSES_MAX {
        return Err(too_many());
    }
    drop(state);
    context.proceed()?;
    if let Some(before) = elsewhere {
        give_up(context, &before)?;
    }
    edit(&control, &public(&facts, json!(ip)))?;
    let id = ids::new("eipassoc-")?;
    let allocation_id = ids::new("eipalloc-")?;
    let mut state = context.state();
    // The one that the instance had before is free.
    state.disassociate(&facts.instance_id);
    // An address of the account that nobody allocated here.
    let address = state.addresses.entry(ip).or_insert(Address { allocation_id, association: None });
    address.association = Some(Association { id: id.clone(), instance_id: facts.instance_id });
    Ok(done().text("associationId", id))
}

pub(in crate::ec2) fn disassociate(context: &Context<'_>, asked: DisassociateAddress) -> Result<Element, Failure> {
    let associations = context.state().associations();
    let found = match (&asked.association_id, &asked.public_ip) {
        (Some(id), _) => associations.into_iter().find(|(_, its)| its.id == *id),
        (None, Some(ip)) => associations.into_iter().find(|(known, _)| known == ip),
        (None, None) => {
            let message = "Either public IP or association id must be specified";
            return Err(Failure::new("MissingParameter", message));
        }
    };
    let Some((_, association)) = found else {
        let id = shown(asked.association_id.or(asked.public_ip).as_deref().unwrap_or_default());
        let message = format!("The association ID '{id}' does not exist");
        return Err(Failure::new("InvalidAssociationID.NotFound", message));
    };
    context.proceed()?;
    give_up(context, &association)?;
    Ok(done())
}

pub(in crate::ec2) fn release(context: &Context<'_>, asked: ReleaseAddress) -> Result<Element, Failure> {
    let mut state = context.state();
    let ip = ip_of(&state, asked.allocation_id.as_deref(), asked.public_ip.as_deref(), false)?;
    if state.addresses.get(&ip).is_some_and(|address| address.association.is_some()) {
        return Err(Failure::new("InvalidIPAddress.InUse", format!("Address {ip} is in use.")));
    }
    context.proceed()?;
    state.addresses.remove(&ip);
    Ok(done())
}

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeAddresses) -> Result<Element, Failure> {
    const NAMES: [&str; 5] = ["allocation-id", "association-id", "domain", "instance-id", "public-ip"];
    judge(&asked.filter, |name| NAMES.contains(&name))?;
    let addresses = context.state().addresses.clone();
    if let Some(missing) = asked.allocation_id.iter().find(|id| addresses.values().all(|its| its.allocation_id != **id))
    {
        return Err(no_allocation(missing));
    }
    if let Some(missing) = asked.public_ip.iter().find(|ip| !addresses.contains_key(*ip)) {
        return Err(no_address(missing));
    }
    let mut items = Vec::new();
    for (ip, address) in &addresses {
        let Address { allocation_id, association } = address;
        let is_wanted = (asked.allocation_id.is_empty() || asked.allocation_id.contains(allocation_id))
            && (asked.public_ip.is_empty() || asked.public_ip.contains(ip));
        let passes = passes(&asked.filter, |name| {
            let of = |get: fn(&Association) -> &String| association.iter().map(get).cloned().collect();
            Some(match name {
                "allocation-id" => vec![allocation_id.clone()],
                "association-id" => of(|its| &its.id),
                "domain" => vec!["vpc".to_owned()],
                "instance-id" => of(|its| &its.instance_id),
                "public-ip" => vec![ip.clone()],
                _ => return None,
            })
        })?;
        if is_wanted && passes {
            let item = Element::item().text("publicIp", ip).text("allocationId", allocation_id).text("domain", "vpc");
            let item = item.some("instanceId", association.as_ref().map(|its| &its.instance_id));
            items.push(item.some("associationId", association.as_ref().map(|its| &its.id)));
        }
    }
    Ok(Element::item().set("addressesSet", items))
}

/// The address that a call names, by either id; whether one may be new to the account.
fn ip_of(state: &State, id: Option<&str>, ip: Option<&str>, may_be_new: bool) -> Result<String, Failure> {
    match (id, ip) {
        (Some(_), Some(_)) => Err(Failure::combination("You may specify public IP or allocation id, but not both")),
        (None, None) => Err(Failure::new("MissingParameter", "Either public IP or allocation id must be specified")),
        (Some(id), None) => {
            let found = state.addresses.iter().find(|(_, address)| address.allocation_id == id);
            found.map(|(ip, _)| ip.clone()).ok_or_else(|| no_allocation(id))
        }
        (None, Some(ip)) if ip.parse::<std::net::Ipv4Addr>().is_err() => Err(Failure::value("publicIp", ip, "")),
        (None, Some(ip)) if may_be_new || state.addresses.contains_key(ip) => Ok(ip.to_owned()),
        (None, Some(ip)) => Err(no_address(ip)),
    }
}

fn no_allocation(id: &str) -> Failure {
    let message = format!("The allocation ID '{}' does not exist", shown(id));
    Failure::new("InvalidAllocationID.NotFound", message)
}

fn no_address(ip: &str) -> Failure {
    Failure::new("InvalidAddress.NotFound", format!("Address '{}' not found.", shown(ip)))
}

/// A change of the public address of an instance, wherever it is stated.
fn public(facts: &Facts, ip: Value) -> Value {
    let mut change = json!({ "public-ip-address": ip });
    let mut interfaces = facts.stated["network-interfaces"].clone();
    let its = interfaces.pointer_mut("/0/private-ip-addresses/0").and_then(Value::as_object_mut);
    if its.is_some_and(|its| its.remove("public-ip").is_some()) {
        change["network-interfaces"] = interfaces;
    }
    change
}

/// The instance has its address no more, and gets another of its subnet's.
fn give_up(context: &Context<'_>, association: &Association) -> Result<(), Failure> {
    if let Ok(control) = context.machines().with_id(&association.instance_id) {
        let facts = Facts::of(&control)?;
        if facts.state() != "terminated" {
            edit(&control, &public(&facts, Value::Null))?;
        }
    }
    context.state().disassociate(&association.instance_id);
    Ok(())
}
