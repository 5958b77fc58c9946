//! JSON with the place of every name and value.
//!
//! The places are `serde_json`'s: a [`RawValue`] is borrowed from the text. It keeps
//! members of one name apart, refuses all that is no JSON, and says of numbers what
//! they are as text. Crates that are made for places do not do all of that:
//! `json-spanned-value` and `spanned_json_parser` keep one member of a name,
//! `jsonc-parser` takes control characters in strings and other white space,
//! `json-syntax` brings more than twenty crates.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json_syntax::{explain, explain_literal, unread};
use super::{Member, Node, Origin, Value};
use crate::problem::Problem;

/// Deeper than any description; bounds the recursion over a hostile text, each
/// level of which is read once more.
const DEPTH: usize = 16;

pub(super) fn read(text: &str) -> Result<Node, Box<Problem>> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| explain(&error, text))?;
    read_value(raw, text, 0)
}

/// Reads a part of `text` whose grammar was found right; what its strings and
/// numbers stand for was not looked at.
fn read_value(raw: &RawValue, text: &str, depth: usize) -> Result<Node, Box<Problem>> {
    let range = range_in(text, raw.get());
    if depth > DEPTH {
        let message = format!("nested more than {DEPTH} deep");
        return Err(Box::new(unread(text, range.start).problem(range, message, None)));
    }
    let fail = |error| explain_literal(&error, text, range.clone());
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let value = match raw.get().as_bytes().first() {
        Some(b'{') => {
            let members = deserializer.deserialize_map(Members).map_err(fail)?;
            Value::Object(members.into_iter().map(|member| read_member(member, text, depth)).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = Deserialize::deserialize(&mut deserializer).map_err(fail)?;
            Value::Array(items.into_iter().map(|item| read_value(item, text, depth + 1)).collect::<Result<_, _>>()?)
        }
        _ => {
            serde_json::from_str::<serde_json::Value>(raw.get()).map_err(fail)?;
            Value::Literal(raw.get().to_owned())
        }
    };
    Ok(Node { origin: Origin::Text(range), value })
}

fn read_member((name, value): (&RawValue, &RawValue), text: &str, depth: usize) -> Result<Member, Box<Problem>> {
    let range = range_in(text, name.get());
    Ok(Member {
        name: serde_json::from_str(name.get()).map_err(|error| explain_literal(&error, text, range.clone()))?,
        name_origin: Origin::Text(range),
        node: read_value(value, text, depth + 1)?,
    })
}

/// The place of `part`, which is a slice of `text`.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    start..start.wrapping_add(part.len())
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
