//! A description as it may be shown: without what may be a secret.

use serde_json::Value;

use crate::description::secrets::{HIDDEN, Within};

/// The same, with a text in place of whatever may be a secret.
pub fn without_secrets(description: Value) -> Value {
    redacted(description, Within::Plain)
}

fn redacted(value: Value, within: Within) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| redacted(item, within)).collect(),
        Value::Object(members) => {
            let shown = |(name, value): (String, Value)| {
                let value = redacted(value, within.member(&name));
                (name, value)
            };
            Value::Object(members.into_iter().map(shown).collect())
        }
        literal if within.hides(&literal.to_string()) => Value::String(HIDDEN.trim_matches('"').to_owned()),
        literal => literal,
    }
}
