//! `RunInstances`: new guests of the fleet.

mod architecture;
mod launch;
mod request;

use std::hash::{DefaultHasher, Hash, Hasher};

use self::launch::{launch, take_back};
use self::request::RunInstances;
use super::facts::Facts;
use super::failure::Failure;
use super::machines::Machines;
use super::query::Call;
use super::state::Launch;
use super::xml::Element;
use super::{Context, describe};

/// As many as EC2 takes.
const CLIENT_TOKEN_CHARACTERS_MAX: usize = 64;

pub(super) fn run(context: &Context<'_>, call: &Call) -> Result<Element, Failure> {
    let asked: RunInstances = call.read()?;
    let Machines::Many(fleet) = context.machines() else {
        let message = "One instance is served here, and none is launched beside it. To launch instances, serve many: \
                       imds serve --instances guests/ --caller client-address --ec2-api";
        return Err(Failure::unsupported(message));
    };
    let token = asked.client_token.clone();
    if token.as_ref().is_some_and(|token| token.chars().count() > CLIENT_TOKEN_CHARACTERS_MAX) {
        let message = format!("ClientToken has at most {CLIENT_TOKEN_CHARACTERS_MAX} characters");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let mut hasher = DefaultHasher::new();
    call.parameters.hash(&mut hasher);
    let digest = hasher.finish();
    let before = token.as_ref().and_then(|token| context.state().launches.get(token).cloned());
    if let Some(before) = before {
        let left = instances(context, &before)?;
        match left.len() {
            // If none of the instances exists any more, the call launches new ones.
            0 => {}
            _ if before.digest != digest => {
                let message = "Arguments on this idempotent request are inconsistent with arguments used in previous \
                               request(s).";
                return Err(Failure::new("IdempotentParameterMismatch", message));
            }
            count if count < before.instance_ids.len() || left.iter().any(|facts| facts.state() == "terminated") => {
                let message = "The client token belongs to an earlier request, and one of its instances is terminated";
                return Err(Failure::new("IdempotentInstanceTerminated", message));
            }
            _ => return Ok(answer(context, &left, false)),
        }
    }
    let launched = launch(context, fleet, asked)?;
    let launch = Launch { digest, instance_ids: launched.iter().map(|launched| launched.id.clone()).collect() };
    let new = instances(context, &launch).inspect_err(|_| take_back(fleet, &launched))?;
    if let Some(token) = token {
        context.state().launches.put(token, launch);
    }
    Ok(answer(context, &new, true))
}

/// The instances of a launch that still exist.
fn instances(context: &Context<'_>, launch: &Launch) -> Result<Vec<Facts>, Failure> {
    let found = context.machines().those(&launch.instance_ids)?;
    found.into_iter().flatten().map(|control| context.look(&control)).collect()
}

fn answer(context: &Context<'_>, all: &[Facts], is_new: bool) -> Element {
    let state = context.state();
    let items = all.iter().map(|facts| {
        let item = describe::instance(facts, &state);
        // It runs by the next call, and its options are applied then.
        if is_new {
            item.with(describe::state("instanceState", "pending")).with(describe::metadata_options(facts, "pending"))
        } else {
            item
        }
    });
    let first = all.first();
    Element::item()
        .text("reservationId", first.map(|facts| &*facts.reservation_id).unwrap_or_default())
        .text("ownerId", first.map(|facts| &*facts.owner_id).unwrap_or_default())
        .set("groupSet", [])
        .set("instancesSet", items)
}

#[cfg(test)]
mod tests {
    use crate::{CallerKey, ControlledFleet, Description, Ec2Answer, Ec2Api, Runtime};

    fn launch(ec2: &Ec2Api, min: u32, max: u32) -> Ec2Answer {
        let call = "Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0";
        ec2.answer(format!("{call}&MinCount={min}&MaxCount={max}").as_bytes())
    }

    #[test]
    fn a_full_subnet_takes_as_many_as_it_has_room_for_if_these_are_enough() {
        let fleet = ControlledFleet::new(&Runtime::new().unwrap(), CallerKey::ClientAddress).unwrap();
        // Described guests have all addresses of the first subnet except four, one of which
        // is the caller key of another guest.
        let ip = |offset: u32| std::net::Ipv4Addr::from(u32::from_be_bytes([172, 31, 0, 0]) + offset);
        for (number, offsets) in [(1, 4..1000), (2, 1000..2000), (3, 2000..3000), (4, 3000..4000), (5, 4000..4091)] {
            let ips: Vec<_> = offsets.map(|offset| format!("{{ private-ip-address = '{}' }}", ip(offset))).collect();
            let toml = format!("[[network-interfaces]]\nprivate-ip-addresses = [{}]", ips.join(", "));
            fleet.insert(&format!("10.0.0.{number}"), &Description::from_toml("guest", &toml).unwrap()).unwrap();
        }
        let elsewhere = Description::from_toml("guest", "private-ip-address = '10.0.1.1'").unwrap();
        fleet.insert("172.31.15.251", &elsewhere).unwrap();
        let ec2 = Ec2Api::of_many(fleet.clone(), Description::default());
        // There are three more: all or none of the four.
        let told = launch(&ec2, 4, 9);
        assert!(told.body.contains("<Code>InsufficientFreeAddressesInSubnet</Code>"), "{}", told.body);
        assert_eq!(fleet.len(), 6, "{:?}", fleet.keys());
        assert_eq!(launch(&ec2, 2, 9).status, 200);
        assert_eq!(fleet.keys()[6..], ["172.31.15.252", "172.31.15.253", "172.31.15.254"]);
        assert_eq!(launch(&ec2, 1, 1).status, 400);
    }

    #[test]
    fn calls_with_one_client_token_launch_once_also_at_once() {
        let fleet = ControlledFleet::new(&Runtime::new().unwrap(), CallerKey::Host).unwrap();
        let ec2 = Ec2Api::of_many(fleet.clone(), Description::default());
        let call =
            "Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0&MinCount=2&MaxCount=2&ClientToken=t";
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(ec2.answer(call.as_bytes()).status, 200));
            }
        });
        assert_eq!(fleet.len(), 2);
    }
}
