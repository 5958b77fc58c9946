// `KEY=VALUE`: one field of a description, as a person types it.

use imds_host::{Description, Error, Runtime};
use serde_json::Value;

use super::failure::WrongUse;
use super::options::read_change;

/// A field and a value, which the schema gives its type: `tags.Name=web-1`. It may be
/// a secret, so it has no debug form.
#[derive(Clone)]
pub struct Setting {
    /// The names on the way to the field.
    names: Vec<String>,
    value: String,
}

impl Setting {
    /// Reads what was typed. An error shows no more than a key: the rest may be a secret.
    pub fn parse(text: &str) -> Result<Self, WrongUse> {
        let parsed =
            split(text, '=').and_then(|(key, value)| Some(Self { names: names(key)?, value: value.to_owned() }));
        parsed.ok_or_else(|| {
            let is_of_key = |c: &char| c.is_ascii_alphanumeric() || "-_.$".contains(*c);
            let key: String = text.chars().take_while(is_of_key).take(80).collect();
            WrongUse(format!(
                "{}expected KEY=VALUE, such as instance-type=m7g.large or tags.Name=web-1",
                if key.is_empty() { String::new() } else { format!("{key}: ") }
            ))
        })
    }

    /// Reads those of a flag.
    pub fn all(typed: &[String]) -> Result<Vec<Self>, WrongUse> {
        let parse = |text: &String| Self::parse(text).map_err(|WrongUse(wrong)| WrongUse(format!("--set {wrong}")));
        typed.iter().map(parse).collect()
    }

    /// Sets the field. `flag` is what problems of it are told of.
    pub fn set(&self, schema: &Value, description: &mut Description, flag: &str) {
        let pointer: String = self.names.iter().map(|name| format!("/{}", escaped(name))).collect();
        let literal = match in_brackets(&self.value) {
            Some(literal) => literal,
            None => literal(&kinds(schema, &self.names), schema, &self.value),
        };
        description.set_json(&pointer, &literal, &format!("{flag}{}", self.names.join(".")));
    }
}

/// A change of several fields, as `imds ctl edit` takes it: `KEY=VALUE` each, or one
/// text in TOML or JSON, or `@` and a file.
pub fn change(typed: &[String], runtime: &Runtime) -> anyhow::Result<Description> {
    if let [one] = typed
        && !is_setting(one)
    {
        return Ok(read_change(one)?);
    }
    let schema = schema(runtime)?;
    let mut change = Description::default();
    for text in typed {
        Setting::parse(text)?.set(&schema, &mut change, "");
    }
    Ok(change)
}

/// Whether a text is `KEY=VALUE` and no TOML: one line, and nothing around the `=`.
fn is_setting(text: &str) -> bool {
    let is_setting = |(key, value): (&str, &str)| names(key).is_some() && !value.starts_with(' ');
    !text.contains('\n') && split(text, '=').is_some_and(is_setting)
}

/// A value in quotes or brackets as JSON, where it is JSON or TOML.
fn in_brackets(value: &str) -> Option<String> {
    if !value.starts_with(['"', '\'', '[', '{']) {
        return None;
    }
    if serde_json::from_str::<Value>(value).is_ok() {
        return Some(value.to_owned());
    }
    let toml = Description::from_toml("the value", &format!("value = {value}")).ok()?;
    Some(serde_json::from_str::<Value>(&toml.to_json()).ok()?.get("value")?.to_string())
}

/// What describes descriptions.
pub fn schema(runtime: &Runtime) -> Result<Value, Error> {
    // The component's own text, which tests read.
    Ok(serde_json::from_str(&runtime.schema()?).unwrap_or_default())
}

/// The names of a key: parts between dots, of which one in quotes may hold dots.
fn names(key: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = Some(key);
    while let Some(key) = rest {
        let (name, after) = split(key, '.').map_or((key, None), |(name, after)| (name, Some(after)));
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let bare = !name.is_empty() && !name.contains(['"', ' ', '@']);
        names.push(quoted.or(bare.then_some(name))?.to_owned());
        rest = after;
    }
    Some(names)
}

/// Splits at the first such character that is not in quotes.
fn split(text: &str, at: char) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let (index, _) = text.char_indices().find(|(_, character)| {
        is_quoted ^= *character == '"';
        *character == at && !is_quoted
    })?;
    Some((&text[..index], &text[index + at.len_utf8()..]))
}

/// A name as a JSON Pointer has it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The schemas of which a field's value has one.
fn kinds<'s>(schema: &'s Value, names: &[String]) -> Vec<&'s Value> {
    let mut kinds = alternatives(schema, schema);
    for name in names {
        let of_field = |kind: &&'s Value| match kind["properties"].get(name) {
            Some(field) => Some(field),
            None => kind.get("additionalProperties"),
        };
        kinds = kinds.iter().filter_map(of_field).flat_map(|field| alternatives(schema, field)).collect();
    }
    kinds
}

/// A schema without references and choices.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    if let Some(reference) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        return root.pointer(reference).map_or_else(Vec::new, |found| alternatives(root, found));
    }
    match schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        Some(choices) => choices.iter().flat_map(|choice| alternatives(root, choice)).collect(),
        None => vec![schema],
    }
}

/// A value in JSON, of a type that the field can have where that can be.
fn literal(kinds: &[&Value], schema: &Value, value: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(value).ok();
    let is_of = |kind: &&&Value| {
        parsed.as_ref().is_some_and(|parsed| match kind.get("const") {
            Some(constant) => constant == parsed,
            None => match kind["type"].as_str() {
                Some("boolean") => parsed.is_boolean(),
                Some("integer" | "number") => parsed.is_number(),
                Some("array") => parsed.is_array(),
                Some("object") => parsed.is_object(),
                _ => false,
            },
        })
    };
    if kinds.iter().any(|kind| is_of(&kind)) {
        return value.to_owned();
    }
    let text = |value: &str| Value::from(value).to_string();
    // A change takes a list away by it, whose own schema knows no changes.
    if value == "false" && !kinds.is_empty() && kinds.iter().all(|kind| kind["type"] == "array") {
        return value.to_owned();
    }
    let is_text = |kind: &Value| kind["type"] == "string" || kind.get("enum").is_some();
    let is_list_of_texts =
        |kind: &&Value| kind["type"] == "array" && alternatives(schema, &kind["items"]).into_iter().any(is_text);
    if !kinds.iter().any(|kind| is_text(kind)) && kinds.iter().any(is_list_of_texts) {
        let items: Vec<String> = value.split(',').map(text).collect();
        return format!("[{}]", items.join(","));
    }
    text(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that settings make.
    fn set(texts: &[&str]) -> String {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        change(&texts, &Runtime::new().unwrap()).unwrap_or_else(|error| panic!("{error}")).to_json()
    }

    #[test]
    fn a_value_has_the_type_of_its_field() {
        for (text, json) in [
            ("instance-type=m7g.large", r#"{"instance-type":"m7g.large"}"#),
            ("tags.Name=1", r#"{"tags":{"Name":"1"}}"#),
            (r#"tags."a.b=c"=d=e"#, r#"{"tags":{"a.b=c":"d=e"}}"#),
            ("tags.a/b~c=", r#"{"tags":{"a/b~c":""}}"#),
            (
                "metadata-options.http-put-response-hop-limit=2",
                r#"{"metadata-options":{"http-put-response-hop-limit":2}}"#,
            ),
            ("public-ip-address=false", r#"{"public-ip-address":false}"#),
            ("timeline=false", r#"{"timeline":false}"#),
            ("public-ip-address=203.0.113.9", r#"{"public-ip-address":"203.0.113.9"}"#),
            ("billing-products=bp-1,bp-2", r#"{"billing-products":["bp-1","bp-2"]}"#),
            (r#"billing-products=["bp-1"]"#, r#"{"billing-products":["bp-1"]}"#),
            (r#"tags.Name="a b""#, r#"{"tags":{"Name":"a b"}}"#),
            ("tags.Name='a'", r#"{"tags":{"Name":"a"}}"#),
            ("tags.Name=[a", r#"{"tags":{"Name":"[a"}}"#),
            ("metadata-options={http-tokens='required'}", r#"{"metadata-options":{"http-tokens":"required"}}"#),
            ("spot-interruption.time=+2m", r#"{"spot-interruption":{"time":"+2m"}}"#),
            ("no-such-field=1", r#"{"no-such-field":"1"}"#),
            // What is TOML stays TOML.
            ("instance-type = 'm7g.large'", r#"{"instance-type":"m7g.large"}"#),
            (r#"{"tags": {"a": "b"}}"#, r#"{"tags":{"a":"b"}}"#),
        ] {
            assert_eq!(set(&[text]), json, "{text}");
        }
        assert_eq!(set(&["tags.a=b", "state=stopped"]), r#"{"tags":{"a":"b"},"state":"stopped"}"#);
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for text in ["", "a", "=b", "a.=b", ".a=b", "a b=c", "\"a=b", "@file=x"] {
            assert!(Setting::parse(text).is_err(), "{text}");
        }
    }
}
