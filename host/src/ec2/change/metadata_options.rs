//! `ModifyInstanceMetadataOptions`, and the options that a launch gives.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::facts::Facts;
use super::super::failure::Failure;
use super::super::xml::Element;
use super::super::{Context, describe, edit};

/// The options, as far as they are given.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(in crate::ec2) struct Options {
    http_tokens: Option<String>,
    http_put_response_hop_limit: Option<i64>,
    http_endpoint: Option<String>,
    http_protocol_ipv6: Option<String>,
    instance_metadata_tags: Option<String>,
}

// serde's `flatten` keeps no field from being unknown, so they are named once more.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::ec2) struct ModifyInstanceMetadataOptions {
    instance_id: String,
    http_tokens: Option<String>,
    http_put_response_hop_limit: Option<i64>,
    http_endpoint: Option<String>,
    http_protocol_ipv6: Option<String>,
    instance_metadata_tags: Option<String>,
}

pub(in crate::ec2) fn modify(context: &Context<'_>, asked: ModifyInstanceMetadataOptions) -> Result<Element, Failure> {
    let control = context.machines().with_id(&asked.instance_id)?;
    let facts = Facts::of(&control)?;
    super::not_terminated(&facts)?;
    let options = Options {
        http_tokens: asked.http_tokens,
        http_put_response_hop_limit: asked.http_put_response_hop_limit,
        http_endpoint: asked.http_endpoint,
        http_protocol_ipv6: asked.http_protocol_ipv6,
        instance_metadata_tags: asked.instance_metadata_tags,
    };
    let change = options.change()?;
    if change.is_empty() {
        let message = "Must contain one of HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, HttpProtocolIpv6, \
                       InstanceMetadataTags";
        return Err(Failure::combination(message));
    }
    context.proceed()?;
    edit(&control, &json!({ "metadata-options": change }))?;
    if facts.state() == "stopped" {
        context.state().options_pending.insert(facts.instance_id.clone(), facts.launch_time.clone());
    }
    // EC2 says so of each change, and of one that changes nothing too.
    let options = describe::metadata_options(&Facts::of(&control)?, "pending").named("instanceMetadataOptions");
    Ok(Element::item().text("instanceId", &facts.instance_id).child(options))
}

impl Options {
    /// The options in the words of a description.
    pub fn change(&self) -> Result<Map<String, Value>, Failure> {
        let switch = ["enabled", "disabled"];
        let mut change = Map::new();
        for (parameter, name, value, words) in [
            ("HttpTokens", "http-tokens", &self.http_tokens, ["optional", "required"]),
            ("HttpEndpoint", "http-endpoint", &self.http_endpoint, switch),
            ("HttpProtocolIpv6", "http-protocol-ipv6", &self.http_protocol_ipv6, switch),
            ("InstanceMetadataTags", "instance-metadata-tags", &self.instance_metadata_tags, switch),
        ] {
            let Some(value) = value else { continue };
            if !words.contains(&value.as_str()) {
                let why = format!("Expected one of: {}", words.join(", "));
                return Err(Failure::value(parameter, value, &why));
            }
            change.insert(name.to_owned(), json!(value));
        }
        if let Some(hops) = self.http_put_response_hop_limit {
            if !(1..=64).contains(&hops) {
                let why = "Expected an integer from 1 to 64";
                return Err(Failure::value("HttpPutResponseHopLimit", &hops.to_string(), why));
            }
            change.insert("http-put-response-hop-limit".to_owned(), json!(hops));
        }
        Ok(change)
    }
}
