//! `DescribeInstances`.

use serde::Deserialize;

use super::super::Context;
use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::filter::{Filter, judge, passes};
use super::super::page::Page;
use super::super::xml::Element;
use super::{item, values, wanted};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeInstances {
    instance_id: Vec<String>,
    filter: Vec<Filter>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeInstances) -> Result<Element, Failure> {
    let DescribeInstances { instance_id, filter, max_results, next_token } = asked;
    judge(&filter, values::is_known)?;
    let wanted = wanted(context.machines(), &instance_id, max_results.is_some())?;
    let page = Page { max_results, next_token: next_token.as_deref() };
    let (found, next) = page.of(wanted, |control| {
        let facts = Facts::of(&control)?;
        let is_wanted = passes(&filter, |name| values::of(&facts, name))?;
        Ok(is_wanted.then_some(facts))
    })?;
    // Those of one launch together, as EC2 tells them.
    let mut reservations: Vec<(String, Vec<Facts>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for facts in found {
        let place = *places.entry(facts.reservation_id.clone()).or_insert(reservations.len());
        match reservations.get_mut(place) {
            Some((_, of_one)) => of_one.push(facts),
            None => reservations.push((facts.reservation_id.clone(), vec![facts])),
        }
    }
    let state = context.state();
    let reservation = |(id, of_one): &(String, Vec<Facts>)| {
        let owner = of_one.first().map(|facts| facts.owner_id.clone()).unwrap_or_default();
        Element::item()
            .text("reservationId", id)
            .text("ownerId", owner)
            .set("groupSet", [])
            .set("instancesSet", of_one.iter().map(|facts| item::instance(facts, &state)))
    };
    Ok(Element::item().set("reservationSet", reservations.iter().map(reservation)).some("nextToken", next))
}
