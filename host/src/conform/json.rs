//! JSON as the service writes it, where the order of fields and the layout matter.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// An object with its fields in their order.
pub struct Fields(pub Vec<(String, Value)>);

impl Fields {
    /// The object that a text is.
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The names in their order.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name)?.1.as_str()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// Whether an object has the service's layout: one field on each line, two spaces before
/// it, spaces around the colon, no line end after the object.
pub fn is_laid_out(object: &str) -> bool {
    let Some(fields) = object.strip_prefix("{\n").and_then(|rest| rest.strip_suffix("\n}")) else { return false };
    let lines: Vec<&str> = fields.split('\n').collect();
    lines.iter().enumerate().all(|(index, line)| {
        let line = if index + 1 == lines.len() { Some(*line) } else { line.strip_suffix(',') };
        let field = line.and_then(|line| line.strip_prefix("  \"")?.split_once("\" : "));
        field.is_some_and(|(name, value)| {
            !name.contains('"')
                && value.trim() == value
                && !value.ends_with(',')
                && serde_json::from_str::<Value>(value).is_ok()
        })
    })
}

/// Whether a text has white space outside its strings.
pub fn has_space(text: &str) -> bool {
    let (mut in_string, mut is_escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            _ if c.is_whitespace() && !in_string => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order() {
        let fields = Fields::of(r#"{"b" : "1", "a" : null}"#).expect("it is an object");
        assert_eq!((fields.names(), fields.text("b"), fields.text("a")), (vec!["b", "a"], Some("1"), None));
        for text in ["", "[]", "{", "null", "\u{0}"] {
            assert!(Fields::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_layout_is_two_spaces_and_a_colon_between_spaces() {
        assert!(is_laid_out("{\n  \"a\" : \"x\",\n  \"b\" : [ \"y\" ]\n}"));
        for text in [
            "",
            "{}",
            "{\"a\":\"x\"}",
            "{\n  \"a\": \"x\"\n}",
            "{\n  \"a\" : \"x\"\n}\n",
            "{\n    \"a\" : \"x\"\n}",
            "{\n  \"a\" : \"x\",\n}",
            "{\n  \"a\" : \"x\"\n  \"b\" : \"y\"\n}",
        ] {
            assert!(!is_laid_out(text), "{text:?}");
        }
    }

    #[test]
    fn space_in_strings_does_not_count() {
        assert!(!has_space(r#"{"a b":"c\" d"}"#) && has_space(r#"{"a": "b"}"#) && has_space("{}\n"));
    }
}
