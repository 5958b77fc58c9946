//! The JSON Schema of a description, from the types that read it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Value, json};

use super::Description;
use super::field::{Shape, Shaped};
use super::operation::Operation;

/// The schema as JSON text. The component hands out a copy that a test keeps
/// equal to this one.
pub fn text() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let operation = generator.subschema_for::<Operation>().to_value();
    let mut schema = generator.into_root_schema_for::<Description>();
    RecursiveTransform(simplify as fn(&mut Schema)).transform(&mut schema);
    tell_of_fields(&mut schema, "", Description::SHAPE, true);
    // Nothing of an operation stays, so nothing of it changes.
    tell_of_fields(&mut schema, "/$defs/Interrupt", Operation::SHAPE, false);
    let change = change(&schema, operation);
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        definitions.insert("Change".into(), change);
    }
    // A map of strings prints without a case that fails.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Tells at the definition `place` of a table what is known of its fields besides
/// their types.
fn tell_of_fields(schema: &mut Schema, place: &str, shape: Shape, with_changes: bool) {
    let Shape::Table(table) = shape else { return };
    for field in table.fields {
        if let Some(Value::Object(property)) = schema.pointer_mut(&format!("{place}/properties/{}", field.name)) {
            match field.shape {
                Shape::Secret => drop(property.insert("writeOnly".into(), true.into())),
                Shape::Time => drop(property.insert("format".into(), "date-time".into())),
                Shape::Plain | Shape::Table(_) | Shape::List(_) => {}
            }
            if with_changes {
                property.insert("x-changes".into(), field.changes.as_str().into());
            }
            if field.is_identity {
                property.insert("x-identity".into(), true.into());
            }
        }
        let mut shape = field.shape;
        while let Shape::List(item) = shape {
            shape = *item;
        }
        if let Shape::Table(table) = shape {
            tell_of_fields(schema, &format!("/$defs/{}", table.name), shape, with_changes);
        }
    }
}

/// A change: any field of a description, or `null` to take one back to its
/// default. Of a table any part can be given, with `null` in it: that is judged
/// when it is merged.
fn change(description: &Schema, operation: Value) -> Value {
    let mut properties = description.get("properties").cloned().unwrap_or_default();
    if let Value::Object(fields) = &mut properties {
        fields.retain(|name, _| !["$schema", "timeline-start"].contains(&name.as_str()));
        for (name, field) in fields.iter_mut() {
            let about = field.get("description").cloned().unwrap_or_default();
            let besides = if is_table(field, description) { json!(["object", "null"]) } else { json!("null") };
            *field = json!({
                "description": about,
                "anyOf": [{ "$ref": format!("#/properties/{name}") }, { "type": besides }],
            });
        }
        fields.insert("at".into(), json!({ "$ref": "#/$defs/Time", "format": "date-time" }));
        fields.insert("operation".into(), operation);
    }
    json!({
        "description": "Fields of a description that change, merged as RFC 7396 says.",
        "type": "object", "properties": properties, "additionalProperties": false
    })
}

/// Whether a field can hold a table.
fn is_table(field: &Value, description: &Schema) -> bool {
    let definition = field["$ref"].as_str().and_then(|place| description.as_value().pointer(place.strip_prefix('#')?));
    let choices = field["anyOf"].as_array();
    field["type"] == "object"
        || definition.is_some_and(|definition| is_table(definition, description))
        || choices.is_some_and(|choices| choices.iter().any(|choice| is_table(choice, description)))
}

/// Says of one place what the reader takes: no `null`, which stands for no
/// value in a description, and words as one list.
fn simplify(schema: &mut Schema) {
    let is_null = |schema: &Value| schema["type"] == "null";
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| !is_null(choice));
        if let [Value::Object(one)] = &choices[..] {
            let one = one.clone();
            schema.remove("anyOf");
            for (name, value) in one {
                schema.insert(name, value);
            }
        }
    }
    // JSON Schema knows no such formats; the bounds say it.
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        if schema.get("format").is_some_and(|format| format == "uint32") {
            schema.insert("maximum".into(), u32::MAX.into());
        }
        schema.remove("format");
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(choices)) = schema.get("oneOf") {
        let words: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
        if let Some(words) = words {
            schema.remove("oneOf");
            schema.insert("enum".into(), Value::Array(words));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::description::Description;

    #[test]
    fn the_defaults_it_tells_are_those_of_the_reader() {
        let schema: Value = serde_json::from_str(&super::text()).expect("JSON");
        let default = |pointer: &str| schema.pointer(&format!("{pointer}/default")).expect(pointer).clone();
        let empty = Description::parse("{}").expect("it is complete");
        let options = &empty.metadata_options;
        for (pointer, read) in [
            ("/properties/state", json!(empty.state.as_str())),
            ("/properties/instance-lifecycle", json!(empty.instance_lifecycle.as_str())),
            ("/$defs/MetadataOptions/properties/http-tokens", json!(options.http_tokens.unwrap_or_default().as_str())),
            ("/$defs/MetadataOptions/properties/http-endpoint", json!(options.http_endpoint.as_str())),
            (
                "/$defs/MetadataOptions/properties/http-put-response-hop-limit",
                json!(options.http_put_response_hop_limit.0),
            ),
            ("/$defs/MetadataOptions/properties/http-protocol-ipv6", json!(options.http_protocol_ipv6.as_str())),
            (
                "/$defs/MetadataOptions/properties/instance-metadata-tags",
                json!(options.instance_metadata_tags.as_str()),
            ),
        ] {
            assert_eq!(default(pointer), read, "{pointer}");
        }
        let all = schema["$defs"]["MetadataOptions"]["properties"].as_object().expect("an object");
        assert!(all.values().all(|option| option.get("default").is_some()), "an option without a default: {all:?}");
    }

    /// The properties of each name, wherever they are declared.
    fn properties(schema: &Value) -> Vec<(&str, &Value)> {
        let definitions = schema["$defs"].as_object().expect("an object");
        // A change refers to the fields of a description.
        let definitions = definitions.iter().filter(|(name, _)| *name != "Change").map(|(_, definition)| definition);
        let tables = definitions.chain([schema]).filter_map(|table| table["properties"].as_object());
        tables.flatten().map(|(name, property)| (name.as_str(), property)).collect()
    }

    #[test]
    fn it_tells_which_fields_are_secrets() {
        let schema: Value = serde_json::from_str(&super::text()).expect("JSON");
        let mut secrets: Vec<&str> = properties(&schema)
            .into_iter()
            .filter(|(_, property)| property["writeOnly"] == true)
            .map(|(name, _)| name)
            .collect();
        secrets.sort_unstable();
        // What shells redact by name, all but the tables around these.
        let redacted = [
            "access-key-id",
            "authorization-token",
            "credentials-id",
            "extra-entries",
            "process",
            "secret-access-key",
            "session-token",
            "user-data",
            "user-data-base64",
        ];
        assert_eq!(secrets, redacted);
        let refers_to_secret = |property: &Value| property.to_string().contains("#/$defs/Secret\"");
        for (name, property) in properties(&schema).iter().filter(|(_, property)| refers_to_secret(property)) {
            assert_eq!(property["writeOnly"], true, "{name}");
        }
    }

    #[test]
    fn it_tells_which_fields_are_times() {
        let schema: Value = serde_json::from_str(&super::text()).expect("JSON");
        let refers_to_time = |property: &Value| property.to_string().contains("#/$defs/Time\"");
        let mut times = 0;
        for (name, property) in properties(&schema).into_iter().filter(|(name, _)| *name != "timeline") {
            assert_eq!(property["format"] == "date-time", refers_to_time(property), "{name}");
            times += usize::from(refers_to_time(property));
        }
        assert!(times >= 13, "{times}");
    }

    #[test]
    fn it_tells_when_each_field_can_change() {
        let schema: Value = serde_json::from_str(&super::text()).expect("JSON");
        for (name, property) in schema["properties"].as_object().expect("an object") {
            let changes = property["x-changes"].as_str();
            assert!(changes.is_some_and(|changes| ["running", "stopped", "never"].contains(&changes)), "{name}");
        }
        let placement = &schema["$defs"]["Placement"]["properties"];
        assert_eq!(placement["region"]["x-changes"], "never");
        assert_eq!(placement["group-name"]["x-changes"], "running");
        assert_eq!(schema["properties"]["instance-type"]["x-changes"], "stopped");
        assert_eq!(
            (&placement["region"]["x-identity"], &placement["group-name"]["x-identity"]),
            (&json!(true), &Value::Null)
        );
    }
}
