//! `ModifyInstanceEventStartTime`.

use serde::Deserialize;
use serde_json::json;

use super::super::describe::status;
use super::super::facts::Facts;
use super::super::failure::{Failure, shown};
use super::super::xml::Element;
use super::super::{Context, edit};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct ModifyInstanceEventStartTime {
    instance_id: String,
    instance_event_id: String,
    not_before: String,
}

pub(in crate::ec2) fn modify(context: &Context<'_>, asked: ModifyInstanceEventStartTime) -> Result<Element, Failure> {
    let ModifyInstanceEventStartTime { instance_id, instance_event_id, not_before } = asked;
    let control = context.machines().with_id(&instance_id)?;
    let facts = Facts::of(&control)?;
    super::not_terminated(&facts)?;
    if !facts.events.iter().any(|event| event.id == instance_event_id) {
        let message = format!("The event ID '{}' does not exist", shown(&instance_event_id));
        return Err(Failure::new("InvalidInstanceEventIDNotFound", message));
    }
    let Ok(time) = humantime::parse_rfc3339_weak(not_before.trim_end_matches('Z')) else {
        return Err(Failure::value("notBefore", &not_before, "Expected a time such as 2026-12-01T00:00:00Z"));
    };
    if time <= facts.snapshot.clock.now {
        return Err(Failure::new("InvalidInstanceEventStartTime", "The start time of an event is in the future"));
    }
    context.proceed()?;
    let event = json!({ "instance-event-id": instance_event_id, "not-before": super::super::facts::api_time(time) });
    edit(&control, &json!({ "events": [event] }))?;
    let facts = Facts::of(&control)?;
    let event = facts.events.iter().find(|event| event.id == instance_event_id);
    Ok(Element::item().maybe(event.map(status::event)))
}
