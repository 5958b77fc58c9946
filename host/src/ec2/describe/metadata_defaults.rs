//! `GetInstanceMetadataDefaults`: what new guests have where their launch says
//! nothing. The template of launches says it, as an account does in EC2.

use serde::Deserialize;
use serde_json::Value;

use super::super::Context;
use super::super::failure::Failure;
use super::super::xml::Element;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::ec2) struct GetInstanceMetadataDefaults {}

pub(in crate::ec2) fn get(context: &Context<'_>, _: GetInstanceMetadataDefaults) -> Result<Element, Failure> {
    let template: Value = serde_json::from_str(&context.template().to_json()).unwrap_or_default();
    let options = &template["metadata-options"];
    let word = |name: &str| options[name].as_str();
    let level = Element::new("accountLevel")
        .some("httpTokens", word("http-tokens"))
        .some("httpPutResponseHopLimit", options["http-put-response-hop-limit"].as_u64())
        .some("httpEndpoint", word("http-endpoint"))
        .some("instanceMetadataTags", word("instance-metadata-tags"))
        .text("managedBy", "account");
    Ok(Element::item().child(level))
}
