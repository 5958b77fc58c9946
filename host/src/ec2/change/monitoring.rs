//! `MonitorInstances`, `UnmonitorInstances`.

use serde::Deserialize;
use serde_json::json;

use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::xml::Element;
use super::super::{Context, edit};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct Named {
    instance_id: Vec<String>,
}

pub(in crate::ec2) fn monitor(context: &Context<'_>, asked: Named) -> Result<Element, Failure> {
    set(context, &asked.instance_id, "enabled", "pending")
}

pub(in crate::ec2) fn unmonitor(context: &Context<'_>, asked: Named) -> Result<Element, Failure> {
    set(context, &asked.instance_id, "disabled", "disabling")
}

fn set(context: &Context<'_>, ids: &[String], becomes: &str, told: &str) -> Result<Element, Failure> {
    let controls = context.machines().with_ids(ids)?;
    for control in &controls {
        super::not_terminated(&Facts::of(control)?)?;
    }
    context.proceed()?;
    controls.iter().try_for_each(|control| edit(control, &json!({ "monitoring": becomes })))?;
    let item =
        |id: &String| Element::item().text("instanceId", id).child(Element::new("monitoring").text("state", told));
    Ok(Element::item().set("instancesSet", ids.iter().map(item)))
}
