//! `CreateTags`, `DeleteTags`, and EC2's rules for tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::facts::Facts;
use super::super::failure::{Failure, shown};
use super::super::xml::Element;
use super::super::{Context, edit, judge as judge_change};
use super::done;
use crate::control::Control;

/// A tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct Tag {
    pub key: String,
    pub value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct Tags {
    resource_id: Vec<String>,
    tag: Vec<Tag>,
}

/// Of a resource, without those that begin with `aws:`.
const TAGS_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 127;
const VALUE_CHARS_MAX: usize = 256;

pub(in crate::ec2) fn create(context: &Context<'_>, asked: Tags) -> Result<Element, Failure> {
    if asked.tag.is_empty() {
        return Err(Failure::missing("Tag"));
    }
    judge(&asked.tag)?;
    let named = named(context, &asked.resource_id)?;
    let change: Map<String, Value> =
        asked.tag.iter().map(|tag| (tag.key.clone(), json!(tag.value.as_deref().unwrap_or_default()))).collect();
    for (_, facts) in &named {
        let is_own = |key: &&String| !key.starts_with(RESERVED);
        let others = facts.tags.keys().filter(is_own).filter(|key| !change.contains_key(*key)).count();
        if others + change.len() > TAGS_MAX {
            let message = "The maximum number of Tags for a resource has been reached.";
            return Err(Failure::new("TagLimitExceeded", message));
        }
    }
    all(context, &named, |_| change.clone())
}

pub(in crate::ec2) fn delete(context: &Context<'_>, asked: Tags) -> Result<Element, Failure> {
    let named = named(context, &asked.resource_id)?;
    if asked.tag.iter().any(|tag| tag.key.starts_with(RESERVED)) {
        return Err(reserved());
    }
    all(context, &named, |facts| {
        let gone = |(key, value): &(&String, &String)| {
            asked.tag.is_empty() && !key.starts_with(RESERVED)
                || asked.tag.iter().any(|tag| tag.key == **key && tag.value.as_ref().is_none_or(|its| its == *value))
        };
        facts.tags.iter().filter(gone).map(|(key, _)| (key.clone(), Value::Null)).collect()
    })
}

/// Such tags are AWS's own.
const RESERVED: &str = "aws:";

fn reserved() -> Failure {
    let message = "Tag keys starting with 'aws:' are reserved for internal use";
    Failure::new("InvalidParameterValue", message)
}

/// Refuses tags that no resource can get.
pub(in crate::ec2) fn judge(tags: &[Tag]) -> Result<(), Failure> {
    let wrong = |message: String| Err(Failure::new("InvalidParameterValue", message));
    let mut keys = BTreeMap::new();
    for Tag { key, value } in tags {
        if key.is_empty() {
            return wrong("Tag key cannot be empty".to_owned());
        }
        if key.to_ascii_lowercase().starts_with(RESERVED) {
            return Err(reserved());
        }
        if key.chars().count() > KEY_CHARS_MAX {
            return wrong(format!("Tag key exceeds the maximum length of {KEY_CHARS_MAX} characters"));
        }
        let length = value.as_ref().map_or(0, |value| value.chars().count());
        if length > VALUE_CHARS_MAX {
            return wrong(format!("Tag value exceeds the maximum length of {VALUE_CHARS_MAX} characters"));
        }
        if keys.insert(key, ()).is_some() {
            return wrong(format!("Duplicate tag key '{}' specified.", shown(key)));
        }
    }
    if tags.len() > TAGS_MAX {
        let message = "The maximum number of Tags for a resource has been reached.";
        return Err(Failure::new("TagLimitExceeded", message));
    }
    Ok(())
}

fn named(context: &Context<'_>, ids: &[String]) -> Result<Vec<(Control, Facts)>, Failure> {
    if ids.is_empty() {
        return Err(Failure::missing("ResourceId"));
    }
    if let Some(other) = ids.iter().find(|id| !id.starts_with("i-")) {
        let message = format!("The ID '{}' is not valid", shown(other));
        let kind = other.split_once('-').map(|(kind, _)| kind);
        return Err(match kind {
            Some("vol" | "eni" | "subnet" | "vpc" | "sg" | "ami" | "eipalloc" | "sir" | "key") => {
                Failure::unsupported("Only instances have tags here")
            }
            _ => Failure::new("InvalidID", message),
        });
    }
    let controls = context.machines().with_ids(ids)?;
    controls.into_iter().map(|control| Facts::of(&control).map(|facts| (control, facts))).collect()
}

fn all(
    context: &Context<'_>,
    named: &[(Control, Facts)],
    change: impl Fn(&Facts) -> Map<String, Value>,
) -> Result<Element, Failure> {
    let changes: Vec<_> = named.iter().map(|(control, facts)| (control, json!({ "tags": change(facts) }))).collect();
    // All or none.
    changes.iter().try_for_each(|(control, change)| judge_change(control, change))?;
    context.proceed()?;
    changes.iter().try_for_each(|(control, change)| edit(control, change))?;
    Ok(done())
}
