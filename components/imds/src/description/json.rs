//! JSON text as a tree that keeps the order of fields, and both of two fields
//! with one name, which `serde_json::Value` does not.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::problem::{Position, Problem, pointer_step};

/// The most entries of a list or a table: more than any instance has of
/// anything, and few enough that no description takes long.
pub const ENTRIES_MAX: usize = 1024;

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

    /// The fields of an object; of any other value none.
    pub fn fields(&self) -> &[(String, Json)] {
        match self {
            Json::Object(fields) => fields,
            _ => &[],
        }
    }

    /// The value at a JSON Pointer.
    pub fn at(&self, pointer: &str) -> Option<&Json> {
        pointer.split('/').skip(1).try_fold(self, |place, step| {
            let name = step.replace("~1", "/").replace("~0", "~");
            match place {
                Json::Object(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value),
                Json::Array(items) => items.get(name.parse::<usize>().ok()?),
                _ => None,
            }
        })
    }

    /// About how many bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        let within = match self {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(Json::bytes).sum(),
            Json::Object(fields) => {
                fields.iter().map(|(name, value)| size_of::<String>() + name.len() + value.bytes()).sum()
            }
            Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Float(_) | Json::Removed => 0,
        };
        size_of::<Json>() + within
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The first list or table, in any depth, with too many entries: its pointer
    /// and how many they are.
    pub fn too_wide(&self) -> Option<(String, usize)> {
        let below = |step: &str, value: &Json| {
            value.too_wide().map(|(pointer, entries)| (format!("{}{pointer}", pointer_step(step)), entries))
        };
        match self {
            Json::Object(fields) if fields.len() > ENTRIES_MAX => Some((String::new(), fields.len())),
            Json::Array(items) if items.len() > ENTRIES_MAX => Some((String::new(), items.len())),
            Json::Object(fields) => fields.iter().find_map(|(name, value)| below(name, value)),
            Json::Array(items) => items.iter().enumerate().find_map(|(index, item)| below(&index.to_string(), item)),
            _ => None,
        }
    }

    /// The first field, in any depth, that an object has twice: its pointer and
    /// its name.
    pub fn given_twice(&self) -> Option<(String, String)> {
        let below = |step: &str, value: &Json| {
            value.given_twice().map(|(pointer, name)| (format!("{}{pointer}", pointer_step(step)), name))
        };
        match self {
            Json::Object(fields) => {
                let mut names = BTreeSet::new();
                fields.iter().find_map(|(name, value)| match names.insert(name) {
                    true => below(name, value),
                    false => Some((pointer_step(name), name.clone())),
                })
            }
            Json::Array(items) => items.iter().enumerate().find_map(|(index, item)| below(&index.to_string(), item)),
            _ => None,
        }
    }

    /// Merges `patch` into this value, as RFC 7396 says.
    pub fn merge(&mut self, patch: &Json) {
        let Json::Object(patched) = patch else {
            *self = patch.clone();
            return;
        };
        if !matches!(self, Json::Object(_)) {
            *self = Json::Object(Vec::new());
        }
        for (name, value) in patched {
            self.merge_field(name, value);
        }
    }

    /// Merges `patch` into a field of this object.
    pub fn merge_field(&mut self, name: &str, patch: &Json) {
        let Json::Object(fields) = self else { return };
        match (fields.iter().position(|(field, _)| field == name), patch) {
            (Some(index), Json::Null) => drop(fields.remove(index)),
            (Some(index), patch) => fields[index].1.merge(patch),
            (None, Json::Null) => {}
            (None, patch) => {
                let mut value = Json::Null;
                value.merge(patch);
                fields.push((name.to_owned(), value));
            }
        }
    }

    /// Puts a field into this object, in place of one of that name.
    pub fn put(&mut self, name: &str, value: Json) {
        self.take(name);
        if let Json::Object(fields) = self {
            fields.push((name.to_owned(), value));
        }
    }

    /// Takes a field out of this object.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let Json::Object(fields) = self else { return None };
        let index = fields.iter().position(|(field, _)| field == name)?;
        Some(fields.remove(index).1)
    }

    /// The value as JSON text.
    pub fn write(&self) -> String {
        // Fails for keys that are no strings only.
        serde_json::to_string(self).unwrap_or_default()
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

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null | Json::Removed => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Integer(value) => serializer.serialize_i64(*value),
            Json::Float(value) => serializer.serialize_f64(*value),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(items) => serializer.collect_seq(items),
            Json::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
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
