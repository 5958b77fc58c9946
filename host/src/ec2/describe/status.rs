//! `DescribeInstanceStatus`, with scheduled events.

use serde::Deserialize;

use super::super::Context;
use super::super::facts::{Event, Facts};
use super::super::failure::Failure;
use super::super::filter::{Filter, judge, passes};
use super::super::page::Page;
use super::super::xml::Element;
use super::{item, wanted};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeInstanceStatus {
    instance_id: Vec<String>,
    filter: Vec<Filter>,
    include_all_instances: bool,
    max_results: Option<u32>,
    next_token: Option<String>,
}

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeInstanceStatus) -> Result<Element, Failure> {
    let DescribeInstanceStatus { instance_id, filter, include_all_instances, max_results, next_token } = asked;
    judge(&filter, |name| NAMES.contains(&name))?;
    let wanted = wanted(context.machines(), &instance_id, max_results.is_some())?;
    let page = Page { max_results, next_token: next_token.as_deref() };
    let (found, next) = page.of(wanted, |control| {
        let facts = Facts::of(&control)?;
        let is_wanted =
            (include_all_instances || facts.state() == "running") && passes(&filter, |name| values(&facts, name))?;
        Ok(is_wanted.then(|| status(&facts)))
    })?;
    Ok(Element::item().set("instanceStatusSet", found).some("nextToken", next))
}

fn status(facts: &Facts) -> Element {
    let summary = |name: &'static str| {
        let is_running = facts.state() == "running";
        let details = is_running.then(|| Element::item().text("name", "reachability").text("status", "passed"));
        Element::new(name).text("status", word(facts)).set("details", details)
    };
    Element::item()
        .text("instanceId", &facts.instance_id)
        .text("availabilityZone", &facts.zone)
        .text("availabilityZoneId", &facts.zone_id)
        .set("eventsSet", facts.events.iter().map(event))
        .child(item::state("instanceState", facts.state()))
        .child(summary("systemStatus"))
        .child(summary("instanceStatus"))
}

fn word(facts: &Facts) -> &'static str {
    if facts.state() == "running" { "ok" } else { "not-applicable" }
}

/// An event, as this call and `ModifyInstanceEventStartTime` tell of it.
pub(in crate::ec2) fn event(event: &Event) -> Element {
    Element::new("event")
        .text("instanceEventId", &event.id)
        .text("code", &event.code)
        .text("description", &event.description)
        .some("notBefore", event.not_before.as_ref())
        .some("notAfter", event.not_after.as_ref())
}

const NAMES: [&str; 13] = [
    "availability-zone",
    "availability-zone-id",
    "event.code",
    "event.description",
    "event.instance-event-id",
    "event.not-after",
    "event.not-before",
    "instance-state-code",
    "instance-state-name",
    "instance-status.reachability",
    "instance-status.status",
    "system-status.reachability",
    "system-status.status",
];

fn values(facts: &Facts, name: &str) -> Option<Vec<String>> {
    let of_events = |get: fn(&Event) -> Option<&String>| facts.events.iter().filter_map(get).cloned().collect();
    Some(match name {
        "event.code" => of_events(|event| Some(&event.code)),
        "event.description" => of_events(|event| Some(&event.description)),
        "event.instance-event-id" => of_events(|event| Some(&event.id)),
        "event.not-after" => of_events(|event| event.not_after.as_ref()),
        "event.not-before" => of_events(|event| event.not_before.as_ref()),
        "instance-status.reachability" | "system-status.reachability" => {
            (facts.state() == "running").then(|| "passed".to_owned()).into_iter().collect()
        }
        "instance-status.status" | "system-status.status" => vec![word(facts).to_owned()],
        name => return super::values::of(facts, name),
    })
}
