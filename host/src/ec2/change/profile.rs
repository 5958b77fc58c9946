//! Instance profiles: which role an instance has.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::facts::Facts;
use super::super::failure::{Failure, shown};
use super::super::xml::Element;
use super::super::{Context, describe, edit};
use crate::control::Control;

/// A profile, by its name or its ARN.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct Specification {
    arn: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct Associate {
    iam_instance_profile: Specification,
    instance_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct Disassociate {
    association_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct Replace {
    iam_instance_profile: Specification,
    association_id: String,
}

pub(in crate::ec2) fn associate(context: &Context<'_>, asked: Associate) -> Result<Element, Failure> {
    let control = context.machines().with_id(&asked.instance_id)?;
    let facts = Facts::of(&control)?;
    super::not_terminated(&facts)?;
    if facts.profile.is_some() {
        let message = format!("There is an existing association for instance {}", facts.instance_id);
        return Err(Failure::new("IncorrectState", message));
    }
    set(context, &control, &asked.iam_instance_profile.described()?)
}

pub(in crate::ec2) fn disassociate(context: &Context<'_>, asked: Disassociate) -> Result<Element, Failure> {
    let (control, facts) = associated(context, &asked.association_id)?;
    context.proceed()?;
    edit(&control, &json!({ "iam-instance-profile": false }))?;
    let profile = facts.profile.as_ref();
    Ok(Element::item().maybe(profile.map(|its| describe::profile_association(&facts, its, "disassociating"))))
}

pub(in crate::ec2) fn replace(context: &Context<'_>, asked: Replace) -> Result<Element, Failure> {
    let described = asked.iam_instance_profile.described()?;
    let (control, _) = associated(context, &asked.association_id)?;
    set(context, &control, &described)
}

fn set(context: &Context<'_>, control: &Control, described: &Value) -> Result<Element, Failure> {
    context.proceed()?;
    edit(control, &json!({ "iam-instance-profile": described }))?;
    let facts = Facts::of(control)?;
    let profile = facts.profile.as_ref();
    Ok(Element::item().maybe(profile.map(|its| describe::profile_association(&facts, its, "associating"))))
}

/// The instance of an association.
fn associated(context: &Context<'_>, id: &str) -> Result<(Control, Facts), Failure> {
    let is_it = |facts: &Facts| {
        let its = facts.profile.as_ref().filter(|_| facts.state() != "terminated");
        its.is_some_and(|its| describe::association_id(&facts.instance_id, its) == id)
    };
    context.machines().first(is_it)?.ok_or_else(|| {
        let id = shown(id);
        Failure::new("InvalidAssociationID.NotFound", format!("An invalid association-id of '{id}' was given"))
    })
}

impl Specification {
    /// What the profile is in a description: nothing of one before it.
    pub fn described(&self) -> Result<Value, Failure> {
        let named = |name: &str, arn: Option<&str>| {
            json!({
                "name": name, "arn": arn, "id": null, "role-name": null, "credentials": null,
                "credentials-without-token": null, "failure-code": null, "failure-message": null,
            })
        };
        match (&self.arn, &self.name) {
            (None, None) => Err(Failure::missing("IamInstanceProfile")),
            (Some(_), Some(_)) => {
                let message = "The parameter 'iamInstanceProfile.name' may not be used in combination with \
                               'iamInstanceProfile.arn'";
                Err(Failure::combination(message))
            }
            (None, Some(name)) => Ok(named(name, None)),
            (Some(arn), None) => match arn.rsplit_once('/') {
                Some((front, name)) if front.starts_with("arn:") && front.contains(":instance-profile") => {
                    Ok(named(name, Some(arn)))
                }
                _ => {
                    let why = "Invalid IAM Instance Profile ARN";
                    Err(Failure::value("iamInstanceProfile.arn", arn, why))
                }
            },
        }
    }
}
