//! Answers of the control listener against the document that describes it.

use std::collections::BTreeSet;

use serde_json::Value;

/// `openapi.json`.
pub struct Document(pub Value);

impl Document {
    /// Holds an answer to what the document says of it: JSON, or a text.
    pub fn check(&self, method: &str, path: &str, status: u16, body: &str) {
        let operation = &self.0["paths"][path][method.to_ascii_lowercase()];
        let response = self.follow(&operation["responses"][status.to_string()]);
        assert!(response.is_object(), "{method} {path} answers {status}, which is not documented: {body}");
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            assert!(response["content"]["text/plain"].is_object(), "{method} {path} {status}");
            return;
        }
        let value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        if let Err(wrong) = self.fits(schema, &value, "") {
            panic!("{method} {path} {status}: {wrong}: {body}");
        }
    }

    /// Every path with each method and status that the document has.
    pub fn all(&self) -> BTreeSet<(String, String, u16)> {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let mut all = BTreeSet::new();
        for (path, methods) in members(&self.0["paths"]) {
            for (method, operation) in methods.as_object().unwrap() {
                for status in members(&operation["responses"]).keys() {
                    all.insert((method.to_ascii_uppercase(), path.clone(), status.parse().unwrap()));
                }
            }
        }
        all
    }

    fn follow<'d>(&'d self, value: &'d Value) -> &'d Value {
        let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.map_or(value, |pointer| self.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")))
    }

    /// What of JSON Schema the document uses.
    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.follow(schema);
        let wrong = |what: &str| Err(format!("{at} is not {what}"));
        if let Some(choices) = schema["anyOf"].as_array() {
            let fits = choices.iter().any(|choice| self.fits(choice, value, at).is_ok());
            return if fits { Ok(()) } else { wrong("any of those documented") };
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some(other) => return wrong(other),
            None => schema.get("const").is_some(),
        };
        if !fits || schema.get("const").is_some_and(|only| only != value) {
            return wrong(&schema.to_string());
        }
        // Some words, one of which it is.
        let words = schema["pattern"].as_str().map(|pattern| pattern.trim_matches(['^', '(', ')', '$']).split('|'));
        if words.is_some_and(|mut words| words.all(|word| value.as_str() != Some(word))) {
            return wrong("one of the words of its pattern");
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            return wrong("one of those listed");
        }
        if schema["format"] == "date-time" && humantime::parse_rfc3339(value.as_str().unwrap_or_default()).is_err() {
            return wrong("a time");
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.fits(&schema["items"], item, &format!("{at}/{index}"))?;
        }
        if let Some(fields) = value.as_object().filter(|_| schema.get("properties").is_some()) {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
                return wrong(&format!("complete without {missing}"));
            }
            for (name, value) in fields {
                match schema["properties"].get(name) {
                    Some(schema) => self.fits(schema, value, &format!("{at}/{name}"))?,
                    None => return wrong(&format!("documented with {name}")),
                }
            }
        }
        Ok(())
    }
}
