//! `DescribeSpotInstanceRequests`, as far as it follows from the instances: each spot
//! instance has a request that launched it.

use serde::Deserialize;

use super::super::Context;
use super::super::attributes::SpotOptions;
use super::super::facts::{Facts, api_time, with_ms};
use super::super::failure::{Failure, shown};
use super::super::filter::{Filter, judge, passes, tag};
use super::super::ids;
use super::super::page::Page;
use super::super::state::State;
use super::super::xml::Element;
use super::item;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeSpotInstanceRequests {
    spot_instance_request_id: Vec<String>,
    filter: Vec<Filter>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

const NAMES: [&str; 9] = [
    "instance-id",
    "launch.image-id",
    "launch.instance-type",
    "launched-availability-zone",
    "spot-instance-request-id",
    "state",
    "status-code",
    "tag-key",
    "type",
];

/// A request.
struct Asked {
    id: String,
    facts: Facts,
    state: &'static str,
    code: &'static str,
    message: &'static str,
    is_persistent: bool,
    /// The action of an interruption.
    behavior: String,
}

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeSpotInstanceRequests) -> Result<Element, Failure> {
    let DescribeSpotInstanceRequests { spot_instance_request_id: wanted, filter, max_results, next_token } = asked;
    judge(&filter, |name| tag(name).is_some() || NAMES.contains(&name))?;
    let mut all = Vec::new();
    for (_, control) in context.machines().all()? {
        let facts = Facts::of(&control)?;
        if facts.is_spot() {
            let request = request(facts, &context.state());
            all.push((request.id.clone(), request));
        }
    }
    if let Some(missing) = wanted.iter().find(|id| all.iter().all(|(known, _)| known != *id)) {
        let message = format!("The spot instance request ID '{}' does not exist", shown(missing));
        return Err(Failure::new("InvalidSpotInstanceRequestID.NotFound", message));
    }
    all.retain(|(id, _)| wanted.is_empty() || wanted.contains(id));
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let now = api_time(context.machines().now());
    let page = Page { max_results, next_token: next_token.as_deref() };
    let (found, next) = page.of(all, |request| {
        let is_wanted = passes(&filter, |name| values(&request, name))?;
        Ok(is_wanted.then(|| element(&request, &now)))
    })?;
    Ok(Element::item().set("spotInstanceRequestSet", found).some("nextToken", next))
}

fn request(facts: Facts, of_api: &State) -> Asked {
    let (state, code, message) = match (facts.state(), facts.interruption.as_deref()) {
        ("running", None) => ("active", "fulfilled", "Your Spot request is fulfilled."),
        ("running", Some(notice)) if notice.contains("terminate") => {
            ("active", "marked-for-termination", "Your Spot Instance is marked for termination.")
        }
        ("running", Some(_)) => ("active", "marked-for-stop", "Your Spot Instance is marked to be stopped."),
        ("stopped", None) => ("disabled", "instance-stopped-by-user", "You stopped your Spot Instance."),
        ("stopped", Some(_)) => {
            ("active", "instance-stopped-no-capacity", "Your Spot Instance was stopped: there is no Spot capacity.")
        }
        (_, None) => ("closed", "instance-terminated-by-user", "You terminated your Spot Instance."),
        (_, Some(_)) => {
            let message = "Your Spot Instance was terminated: there is no Spot capacity.";
            ("closed", "instance-terminated-no-capacity", message)
        }
    };
    let stated = facts.stated["spot-interruption"]["action"].as_str();
    let asked = of_api.spot.get(&facts.instance_id).map(SpotOptions::behavior);
    let behavior = stated.or(asked).unwrap_or("terminate").to_owned();
    let (id, is_persistent) = (ids::made("sir-", &facts.instance_id), of_api.is_persistent(&facts));
    Asked { id, facts, state, code, message, is_persistent, behavior }
}

fn element(request: &Asked, now: &str) -> Element {
    let facts = &request.facts;
    let status =
        Element::new("status").text("code", request.code).text("updateTime", now).text("message", request.message);
    let launch = Element::new("launchSpecification")
        .text("imageId", &facts.image_id)
        .some("keyName", facts.key_name.as_ref())
        .set("groupSet", facts.primary().into_iter().flat_map(|its| its.groups.iter().map(item::group)))
        .text("instanceType", &facts.instance_type)
        .child(Element::new("placement").text("availabilityZone", &facts.zone))
        .child(Element::new("monitoring").text("enabled", facts.is_monitored));
    Element::item()
        .text("spotInstanceRequestId", &request.id)
        .text("type", request.kind())
        .text("state", request.state)
        .child(status)
        .child(launch)
        .text("instanceId", &facts.instance_id)
        .text("createTime", with_ms(&facts.launch_time))
        .text("productDescription", "Linux/UNIX")
        .set("tagSet", item::tags(facts))
        .text("launchedAvailabilityZone", &facts.zone)
        .text("instanceInterruptionBehavior", &request.behavior)
}

impl Asked {
    fn kind(&self) -> &'static str {
        if self.is_persistent { "persistent" } else { "one-time" }
    }
}

fn values(request: &Asked, name: &str) -> Option<Vec<String>> {
    let Asked { id, facts, state, code, .. } = request;
    let one = |value: &str| Some(vec![value.to_owned()]);
    match name {
        "launch.image-id" => one(&facts.image_id),
        "launch.instance-type" => one(&facts.instance_type),
        "launched-availability-zone" => one(&facts.zone),
        "spot-instance-request-id" => one(id),
        "state" => one(state),
        "status-code" => one(code),
        "type" => one(request.kind()),
        name => super::values::of(facts, name),
    }
}
