//! `ModifyInstanceAttribute`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::attributes::NAMES;
use super::super::facts::Facts;
use super::super::failure::{Failure, shown};
use super::super::xml::Element;
use super::super::{Context, edit, ids};
use super::{done, state};

/// The value of an attribute, as EC2 has it in a field of its own.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct ModifyInstanceAttribute {
    instance_id: String,
    /// The older form: a name and a value.
    attribute: Option<String>,
    value: Option<String>,
    user_data: Option<Attribute>,
    instance_type: Option<Attribute>,
    kernel: Option<Attribute>,
    ramdisk: Option<Attribute>,
    disable_api_stop: Option<Attribute>,
    disable_api_termination: Option<Attribute>,
    ebs_optimized: Option<Attribute>,
    instance_initiated_shutdown_behavior: Option<Attribute>,
    source_dest_check: Option<Attribute>,
    #[serde(default)]
    group_id: Vec<String>,
}

/// What an attribute becomes.
enum Change {
    Groups(Vec<String>),
    /// Only while the instance is stopped.
    Stopped(Value),
    /// Name and value of an attribute that metadata does not show.
    Kept(String, String),
}

pub(in crate::ec2) fn modify(context: &Context<'_>, asked: ModifyInstanceAttribute) -> Result<Element, Failure> {
    let control = context.machines().with_id(&asked.instance_id)?;
    let facts = Facts::of(&control)?;
    super::not_terminated(&facts)?;
    let change = match asked.change()? {
        Change::Groups(ids) => json!({ "security-groups": groups(&ids, &known(context, &facts)?)? }),
        Change::Kept(name, value) => return keep(context, &facts, &name, &value),
        Change::Stopped(_) if facts.state() != "stopped" => {
            return Err(not_stopped(&facts));
        }
        Change::Stopped(change) => change,
    };
    context.proceed()?;
    edit(&control, &change)?;
    Ok(done())
}

fn not_stopped(facts: &Facts) -> Failure {
    state(format!("The instance '{}' is not in the 'stopped' state.", facts.instance_id))
}

/// Sets an attribute that metadata does not show.
fn keep(context: &Context<'_>, facts: &Facts, name: &str, value: &str) -> Result<Element, Failure> {
    let mut kept = context.state().attributes_of(&facts.instance_id);
    kept.set(name, value)?;
    if name == "ebsOptimized" && facts.state() != "stopped" {
        return Err(not_stopped(facts));
    }
    if facts.is_spot() {
        kept.judge_spot()?;
    }
    context.proceed()?;
    context.state().set_attributes(&facts.instance_id, kept);
    Ok(done())
}

impl ModifyInstanceAttribute {
    fn change(self) -> Result<Change, Failure> {
        let named = match (self.attribute.as_deref(), self.value) {
            (Some(name), value) => Some((name.to_owned(), value.unwrap_or_default())),
            (None, Some(_)) => return Err(Failure::missing("Attribute")),
            (None, None) => None,
        };
        let fields = [
            ("userData", self.user_data),
            ("instanceType", self.instance_type),
            ("kernel", self.kernel),
            ("ramdisk", self.ramdisk),
            ("disableApiStop", self.disable_api_stop),
            ("disableApiTermination", self.disable_api_termination),
            ("ebsOptimized", self.ebs_optimized),
            ("instanceInitiatedShutdownBehavior", self.instance_initiated_shutdown_behavior),
            ("sourceDestCheck", self.source_dest_check),
        ];
        let mut given: Vec<_> =
            fields.into_iter().filter_map(|(name, its)| Some((name.to_owned(), its?.value))).chain(named).collect();
        if given.len() + usize::from(!self.group_id.is_empty()) > 1 {
            return Err(Failure::combination("Fields for multiple attribute types specified"));
        }
        let Some((name, value)) = given.pop() else {
            return match self.group_id.is_empty() {
                true => Err(Failure::combination("No attributes specified.")),
                false => Ok(Change::Groups(self.group_id)),
            };
        };
        Ok(match &*name {
            "userData" => Change::Stopped(user_data(&value)?),
            "instanceType" => Change::Stopped(json!({ "instance-type": value })),
            "kernel" => Change::Stopped(json!({ "kernel-id": value })),
            "ramdisk" => Change::Stopped(json!({ "ramdisk-id": value })),
            "groupSet" => Change::Groups(vec![value]),
            name if NAMES.contains(&name) => Change::Kept(name.to_owned(), value),
            other => {
                let message = format!(
                    "The attribute {} cannot be modified here. Offered are: groupSet, instanceType, kernel, ramdisk, \
                     userData, {}",
                    shown(other),
                    NAMES.join(", ")
                );
                return Err(Failure::unsupported(message));
            }
        })
    }
}

/// What user data in Base64 makes of a description; none where it is empty.
pub(in crate::ec2) fn user_data(base64: &str) -> Result<Value, Failure> {
    const BYTES_MAX: usize = 16 << 10;
    let text: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(&text).map_err(|_| {
        // What it has instead is a secret perhaps.
        Failure::new("InvalidParameterValue", "Invalid BASE64 encoding of user data")
    })?;
    match bytes.len() {
        0 => Ok(json!({ "user-data": null, "user-data-base64": null })),
        length if length > BYTES_MAX => {
            let message = "User data is limited to 16384 bytes";
            Err(Failure::new("InvalidParameterValue", message))
        }
        _ => Ok(json!({ "user-data-base64": text })),
    }
}

/// The security groups that are known by id: with their names.
fn known(context: &Context<'_>, facts: &Facts) -> Result<Vec<(String, String)>, Failure> {
    let mut known = Vec::new();
    let of = |facts: &Facts, known: &mut Vec<(String, String)>| {
        let groups = facts.interfaces.iter().flat_map(|its| &its.groups);
        known.extend(groups.map(|group| (group.id.clone(), group.name.clone())));
    };
    of(facts, &mut known);
    context.machines().first(|other| {
        of(other, &mut known);
        false
    })?;
    Ok(known)
}

/// Security groups by their ids. One that no instance has yet is called by its id.
pub(in crate::ec2) fn groups(ids: &[String], known: &[(String, String)]) -> Result<Value, Failure> {
    let group = |id: &String| {
        if !ids::is_of_form(id, "sg-") {
            return Err(ids::malformed("InvalidGroupId.Malformed", id));
        }
        let name = known.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name);
        Ok(json!({ "group-id": id, "group-name": name }))
    };
    Ok(Value::Array(ids.iter().map(group).collect::<Result<_, _>>()?))
}
