//! JSON text as a tree that keeps the order of fields, and both of two fields
//! with one name, which `serde_json::Value` does not.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{Position, Problem};

/// A JSON value.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, or one too large for `Integer`.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, its fields in the order of the text.
    Object(Vec<(String, Json)>),
    /// What the reader took out after it told a problem with it, so that it can
    /// go on and tell the next. Never in the text.
    Removed,
}

impl Json {
    /// Parses `text`.
    pub fn parse(text: &str) -> Result<Json, Problem> {
        serde_json::from_str(text).map_err(|error| {
            let position = Position { line: error.line() as u32, column: error.column().max(1) as u32 };
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            Problem { position: Some(position), message, ..Problem::default() }
        })
    }

    /// What this value is, for a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null | Json::Removed => "null",
            Json::Bool(_) => "a boolean",
            Json::Integer(_) => "a whole number",
            Json::Float(value) if value.abs() < i64::MAX as f64 => "a decimal number",
            Json::Float(_) => "a number too large",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }

    /// Takes out the value at a JSON Pointer; the places of all others stay.
    /// False if there is none.
    pub fn remove(&mut self, pointer: &str) -> bool {
        let mut place = self;
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            let next = match place {
                // Of two fields with one name the last is the one that is too many.
                Json::Object(fields) => fields
                    .iter_mut()
                    .rfind(|(field, value)| *field == name && *value != Json::Removed)
                    .map(|(_, value)| value),
                Json::Array(items) => name.parse().ok().and_then(|index: usize| items.get_mut(index)),
                _ => None,
            };
            match next {
                Some(value) => place = value,
                None => return false,
            }
        }
        core::mem::replace(place, Json::Removed) != Json::Removed
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Float(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}
