//! `DescribeInstanceAttribute`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::Context;
use super::super::attributes::NAMES;
use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::xml::Element;
use super::item;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct DescribeInstanceAttribute {
    instance_id: String,
    attribute: String,
}

pub(in crate::ec2) fn describe(context: &Context<'_>, asked: DescribeInstanceAttribute) -> Result<Element, Failure> {
    let facts = Facts::of(&context.machines().with_id(&asked.instance_id)?)?;
    let answer = Element::item().text("instanceId", &facts.instance_id);
    let value = |name: &'static str, value: Option<&str>| answer.clone().child(Element::new(name).some("value", value));
    let kept = context.state().attributes_of(&facts.instance_id);
    Ok(match &*asked.attribute {
        "blockDeviceMapping" => answer.set("blockDeviceMapping", item::volumes(&facts, &context.state())),
        "enaSupport" => value("enaSupport", Some("true")),
        "groupSet" => {
            answer.set("groupSet", facts.primary().into_iter().flat_map(|its| its.groups.iter().map(item::group)))
        }
        "instanceType" => value("instanceType", Some(&facts.instance_type)),
        "kernel" => value("kernel", facts.kernel_id.as_deref()),
        "productCodes" => answer.set("productCodes", facts.product_codes.iter().map(|code| item::product_code(code))),
        "ramdisk" => value("ramdisk", facts.ramdisk_id.as_deref()),
        "rootDeviceName" => value("rootDeviceName", Some(&facts.root_device)),
        "userData" => value("userData", facts.user_data.as_ref().map(|bytes| STANDARD.encode(bytes)).as_deref()),
        other if let Some(name) = NAMES.into_iter().find(|name| *name == other) => value(name, kept.get(name)),
        other => return Err(Failure::value("attribute", other, "Unknown attribute.")),
    })
}
