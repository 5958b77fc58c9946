//! `RunInstances`: new guests of the fleet.

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
    // What is gone since, another call launches anew.
    let is_there = |launch: &Launch| context.machines().with_ids(&launch.instance_ids).is_ok();
    if let Some(before) = before.filter(is_there) {
        if before.digest != digest {
            let message = "Arguments on this idempotent request are inconsistent with arguments used in previous \
                           request(s).";
            return Err(Failure::new("IdempotentParameterMismatch", message));
        }
        return answer(context, &before.instance_ids, false);
    }
    let launched = launch(context, fleet, asked)?;
    let instance_ids: Vec<String> = launched.iter().map(|launched| launched.id.clone()).collect();
    let answer = answer(context, &instance_ids, true);
    match (&answer, token) {
        // All or none.
        (Err(_), _) => take_back(context, fleet, &launched),
        (Ok(_), Some(token)) => context.state().launches.put(token, Launch { digest, instance_ids }),
        (Ok(_), None) => {}
    }
    answer
}

fn answer(context: &Context<'_>, instance_ids: &[String], is_new: bool) -> Result<Element, Failure> {
    let controls = context.machines().with_ids(instance_ids)?;
    let all: Vec<Facts> = controls.iter().map(Facts::of).collect::<Result<_, _>>()?;
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
    Ok(Element::item()
        .text("reservationId", first.map(|facts| &*facts.reservation_id).unwrap_or_default())
        .text("ownerId", first.map(|facts| &*facts.owner_id).unwrap_or_default())
        .set("groupSet", [])
        .set("instancesSet", items))
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
        // Somebody described a guest with an address that would be given.
        fleet.insert("172.31.15.251", &Description::default()).unwrap();
        let ec2 = Ec2Api::of_many(fleet.clone(), Description::default());
        assert_eq!(launch(&ec2, 1, 1).status, 200);
        {
            let mut state = ec2.shared.state.lock().unwrap();
            while state.subnets.take(0).is_some_and(|address| address != "172.31.15.250") {}
        }
        // There are three more: all or none of the four.
        let told = launch(&ec2, 4, 9);
        assert!(told.body.contains("<Code>InsufficientFreeAddressesInSubnet</Code>"), "{}", told.body);
        assert_eq!(fleet.len(), 2, "{:?}", fleet.keys());
        assert_eq!(launch(&ec2, 2, 9).status, 200);
        assert_eq!(fleet.keys()[2..], ["172.31.15.252", "172.31.15.253", "172.31.15.254"]);
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
