//! `DescribeIamInstanceProfileAssociations`.

use serde::Deserialize;

use super::super::Context;
use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::filter::{Filter, judge, passes};
use super::super::page::Page;
use super::super::xml::Element;
use super::item;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeIamInstanceProfileAssociations {
    association_id: Vec<String>,
    filter: Vec<Filter>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

pub(in crate::ec2) fn describe(
    context: &Context<'_>,
    asked: DescribeIamInstanceProfileAssociations,
) -> Result<Element, Failure> {
    let DescribeIamInstanceProfileAssociations { association_id: wanted, filter, max_results, next_token } = asked;
    judge(&filter, |name| ["instance-id", "state"].contains(&name))?;
    let page = Page { max_results, next_token: next_token.as_deref() };
    let (found, next) = page.of(context.machines().all()?, |control| {
        let facts = Facts::of(&control)?;
        let Some(profile) = facts.profile.as_ref().filter(|_| facts.state() != "terminated") else { return Ok(None) };
        let id = item::association_id(&facts.instance_id, profile);
        let is_wanted = (wanted.is_empty() || wanted.contains(&id))
            && passes(&filter, |name| {
                Some(vec![if name == "state" { "associated".to_owned() } else { facts.instance_id.clone() }])
            })?;
        Ok(is_wanted.then(|| item::profile_association(&facts, profile, "associated")))
    })?;
    Ok(Element::item().set("iamInstanceProfileAssociationSet", found).some("nextToken", next))
}
