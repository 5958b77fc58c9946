//! `StopInstances`, `StartInstances`, `RebootInstances`, `TerminateInstances`.
//!
//! An answer names the state that an instance goes through; it has arrived by the
//! next call.

use serde::Deserialize;

use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::machines::Machines;
use super::super::state::State;
use super::super::xml::Element;
use super::super::{Context, describe};
use super::{done, state};
use crate::control::Control;
use crate::engine::Clock as _;
use crate::error::Error;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct StopInstances {
    instance_id: Vec<String>,
    hibernate: bool,
    /// Has no effect: every instance stops at once.
    #[serde(rename = "Force")]
    _force: bool,
    #[serde(rename = "SkipOsShutdown")]
    _skip_os_shutdown: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct Named {
    instance_id: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct TerminateInstances {
    instance_id: Vec<String>,
    #[serde(rename = "Force")]
    _force: bool,
    #[serde(rename = "SkipOsShutdown")]
    _skip_os_shutdown: bool,
}

pub(in crate::ec2) fn stop(context: &Context<'_>, asked: StopInstances) -> Result<Element, Failure> {
    let named = named(context, &asked.instance_id)?;
    for (_, facts) in &named {
        let id = &facts.instance_id;
        if facts.state() == "terminated" {
            return Err(state(format!("This instance '{id}' is not in a state from which it can be stopped.")));
        }
        if facts.state() == "running" {
            judge_stop(&context.state(), facts)?;
        }
        if asked.hibernate && !facts.hibernates {
            let message = format!("The instance '{id}' is not configured for hibernation.");
            return Err(Failure::new("UnsupportedHibernationConfiguration", message));
        }
    }
    context.proceed()?;
    all(&named, "running", "stopping", Control::stop)
}

fn judge_stop(of_api: &State, facts: &Facts) -> Result<(), Failure> {
    let id = &facts.instance_id;
    if facts.is_spot() && !of_api.is_persistent(facts) {
        let message = format!(
            "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance request. \
             You can only stop Spot Instances associated with persistent Spot Instance requests."
        );
        return Err(Failure::unsupported(message));
    }
    of_api.attributes_of(id).judge_stop(id)
}

pub(in crate::ec2) fn start(context: &Context<'_>, asked: Named) -> Result<Element, Failure> {
    let named = named(context, &asked.instance_id)?;
    if let Some((_, facts)) = named.iter().find(|(_, facts)| facts.state() == "terminated") {
        let id = &facts.instance_id;
        return Err(state(format!("The instance '{id}' is not in a state from which it can be started.")));
    }
    // EC2 interrupted it, so only EC2 can start it.
    let is_interrupted = |facts: &Facts| facts.state() == "stopped" && facts.is_spot() && facts.interruption.is_some();
    if let Some((_, facts)) = named.iter().find(|(_, facts)| is_interrupted(facts)) {
        let message = format!(
            "You can't start the Spot Instance '{}' because the associated Spot Instance request is not in an \
             appropriate state to support start.",
            facts.instance_id
        );
        return Err(Failure::new("IncorrectSpotRequestState", message));
    }
    context.proceed()?;
    all(&named, "stopped", "pending", Control::start)
}

pub(in crate::ec2) fn reboot(context: &Context<'_>, asked: Named) -> Result<Element, Failure> {
    let named = named(context, &asked.instance_id)?;
    if let Some((_, facts)) = named.iter().find(|(_, facts)| facts.state() != "running") {
        let id = &facts.instance_id;
        return Err(state(format!("The instance '{id}' is not in a state from which it can be rebooted.")));
    }
    context.proceed()?;
    named.iter().try_for_each(|(control, _)| control.reboot().map(drop))?;
    Ok(done())
}

/// If one of the instances is protected, the call fails, and only those in Availability
/// Zones without a protected one are terminated (EC2 API reference, "TerminateInstances").
pub(in crate::ec2) fn terminate(context: &Context<'_>, asked: TerminateInstances) -> Result<Element, Failure> {
    let mut named = named(context, &asked.instance_id)?;
    let protected = |facts: &Facts| {
        let id = &facts.instance_id;
        context.state().attributes_of(id).judge_termination(id).err()
    };
    let zones: Vec<String> =
        named.iter().filter(|(_, facts)| protected(facts).is_some()).map(|(_, facts)| facts.zone.clone()).collect();
    let refused = named.iter().find_map(|(_, facts)| protected(facts));
    if let Some(refused) = refused.as_ref().filter(|_| context.is_dry_run) {
        return Err(refused.clone());
    }
    context.proceed()?;
    named.retain(|(_, facts)| !zones.contains(&facts.zone));
    let items = named.iter().map(|(control, facts)| {
        if facts.state() == "terminated" {
            return Ok(changed(facts, "terminated"));
        }
        control.terminate()?;
        let mut state = context.state();
        state.end(&facts.instance_id);
        if let Machines::Many(fleet) = context.machines() {
            state.terminated.push_back((fleet.clock().now(), facts.instance_id.clone()));
        }
        Ok(changed(facts, "shutting-down"))
    });
    let items = items.collect::<Result<Vec<_>, Error>>()?;
    match refused {
        Some(refused) => Err(refused),
        None => Ok(Element::item().set("instancesSet", items)),
    }
}

fn named(context: &Context<'_>, ids: &[String]) -> Result<Vec<(Control, Facts)>, Failure> {
    let controls = context.machines().with_ids(ids)?;
    controls.into_iter().map(|control| Facts::of(&control).map(|facts| (control, facts))).collect()
}

/// Does something to all that are in a state, and tells of a state on the way.
fn all(
    named: &[(Control, Facts)],
    from: &str,
    by: &str,
    operate: fn(&Control) -> Result<u64, Error>,
) -> Result<Element, Failure> {
    let mut items = Vec::new();
    for (control, facts) in named {
        if facts.state() == from {
            operate(control)?;
            items.push(changed(facts, by));
        } else {
            items.push(changed(facts, facts.state()));
        }
    }
    Ok(Element::item().set("instancesSet", items))
}

fn changed(facts: &Facts, now: &str) -> Element {
    Element::item()
        .text("instanceId", &facts.instance_id)
        .child(describe::state("currentState", now))
        .child(describe::state("previousState", facts.state()))
}
