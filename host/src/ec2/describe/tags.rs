//! `DescribeTags`.

use serde::Deserialize;

use super::super::Context;
use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::filter::{Filter, judge, passes, tag};
use super::super::page::Page;
use super::super::xml::Element;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct DescribeTags {
    filter: Vec<Filter>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

const NAMES: [&str; 4] = ["key", "resource-id", "resource-type", "value"];

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeTags) -> Result<Element, Failure> {
    let DescribeTags { filter, max_results, next_token } = asked;
    judge(&filter, |name| tag(name).is_some() || NAMES.contains(&name))?;
    let mut all = Vec::new();
    for (id, control) in context.machines().all()? {
        let tags = Facts::of(&control)?.tags;
        all.extend(tags.into_iter().map(|(key, value)| (format!("{id} {key}"), (id.clone(), key, value))));
    }
    let page = Page { max_results, next_token: next_token.as_deref() };
    let (found, next) = page.of(all, |(id, key, value)| {
        let is_wanted = passes(&filter, |name| {
            Some(match (name, tag(name)) {
                (_, Some(wanted)) if wanted == key => vec![value.clone()],
                (_, Some(_)) => Vec::new(),
                ("key", _) => vec![key.clone()],
                ("value", _) => vec![value.clone()],
                ("resource-id", _) => vec![id.clone()],
                ("resource-type", _) => vec!["instance".to_owned()],
                _ => return None,
            })
        })?;
        let item = Element::item().text("resourceId", id).text("resourceType", "instance");
        Ok(is_wanted.then(|| item.text("key", key).text("value", value)))
    })?;
    Ok(Element::item().set("tagSet", found).some("nextToken", next))
}
