use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::locate::{in_syntax, offset};
use crate::problem::Problem;

/// Deeper than any description; bounds the recursion over a hostile text.
const DEPTH: usize = 64;

/// A JSON document that knows where each of its parts comes from.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    /// A string, number, boolean or null, as JSON text.
    Literal(String),
    Array(Vec<Node>),
    /// In the order of the text, with members of one name kept apart: what is
    /// wrong with that is for the component to say.
    Object(Vec<Member>),
}

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_origin: Origin,
    pub(crate) node: Node,
}

#[derive(Clone)]
pub(crate) enum Origin {
    /// The bytes of the text.
    Text(Range<usize>),
    /// Set over the text, by what these words name.
    Set(String),
    /// Made up, for instance an empty document.
    Default,
}

impl Node {
    pub(crate) fn empty() -> Self {
        Self { origin: Origin::Default, value: Value::Object(Vec::new()) }
    }

    /// Reads TOML; fails with all problems of the text.
    pub(crate) fn from_toml(text: &str) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(toml_problems(errors, text));
        }
        let range = table.span();
        let value = toml_table(table.into_inner(), text).map_err(|problem| vec![*problem])?;
        Ok(Self { origin: Origin::Text(range), value })
    }

    /// Reads JSON; fails with the first problem of the text.
    pub(crate) fn from_json(text: &str) -> Result<Self, Vec<Problem>> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| vec![json_problem(&error, text, 0)])?;
        json_node(raw, text, 0).map_err(|problem| vec![*problem])
    }

    /// Sets the field at `names`, making the objects on the way. Where the
    /// document has something else than an object on the way, it is left for
    /// the component to complain about.
    pub(crate) fn set(&mut self, names: &[String], literal: String, by: &str) {
        let Value::Object(members) = &mut self.value else {
            return;
        };
        let Some((name, rest)) = names.split_first() else {
            return;
        };
        if rest.is_empty() {
            members.retain(|member| member.name != *name);
        }
        let found = members.iter().rposition(|member| member.name == *name);
        let index = found.unwrap_or(members.len());
        if found.is_none() {
            let origin = Origin::Set(by.to_owned());
            let value = match rest {
                [] => Value::Literal(literal.clone()),
                _ => Value::Object(Vec::new()),
            };
            members.push(Member { name: name.clone(), name_origin: origin.clone(), node: Self { origin, value } });
        }
        if !rest.is_empty() {
            members[index].node.set(rest, literal, by);
        }
    }

    /// Removes a field of the document's first level.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Value::Object(members) = &mut self.value {
            members.retain(|member| member.name != name);
        }
    }
}

/// JSON text.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Literal(text) => f.write_str(text),
            Value::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    let separator = if index > 0 { "," } else { "" };
                    write!(f, "{separator}{item}")?;
                }
                f.write_char(']')
            }
            Value::Object(members) => {
                f.write_char('{')?;
                for (index, member) in members.iter().enumerate() {
                    let separator = if index > 0 { "," } else { "" };
                    write!(f, "{separator}{}:{}", json_string(&member.name), member.node)?;
                }
                f.write_char('}')
            }
        }
    }
}

/// A string as JSON text.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One problem for each line: what the parser says about the rest of a line
/// follows from the first.
fn toml_problems(errors: Vec<toml::de::Error>, text: &str) -> Vec<Problem> {
    let mut errors: Vec<_> = errors.into_iter().map(|error| (error.span().unwrap_or(0..0), error)).collect();
    errors.sort_by_key(|(range, _)| range.start);
    let mut problems: Vec<_> =
        errors.into_iter().map(|(range, error)| in_syntax(error.message().to_owned(), text, range)).collect();
    problems.dedup_by_key(|problem| problem.place.as_ref().map(|place| place.line));
    problems
}

fn toml_table(table: DeTable<'_>, text: &str) -> Result<Value, Box<Problem>> {
    let mut members = Vec::with_capacity(table.len());
    for (name, value) in table {
        members.push(Member {
            name_origin: Origin::Text(name.span()),
            node: Node {
                origin: Origin::Text(value.span()),
                value: toml_value(value.span(), value.into_inner(), text)?,
            },
            name: name.into_inner().into_owned(),
        });
    }
    // The parser sorts by name; the order of the text is part of what some
    // paths answer (tags).
    members.sort_by_key(|member| match &member.name_origin {
        Origin::Text(range) => range.start,
        Origin::Set(_) | Origin::Default => 0,
    });
    Ok(Value::Object(members))
}

fn toml_value(at: Range<usize>, value: DeValue<'_>, text: &str) -> Result<Value, Box<Problem>> {
    let no_number = |what| {
        let message = format!("{what} is not a number that a description can hold");
        Box::new(in_syntax(message, text, at.clone()))
    };
    Ok(match value {
        DeValue::Table(table) => toml_table(table, text)?,
        DeValue::Array(array) => {
            let items = array.into_iter().map(|item| {
                Ok(Node { origin: Origin::Text(item.span()), value: toml_value(item.span(), item.into_inner(), text)? })
            });
            Value::Array(items.collect::<Result<_, Box<Problem>>>()?)
        }
        DeValue::String(string) => Value::Literal(json_string(&string)),
        DeValue::Boolean(truth) => Value::Literal(truth.to_string()),
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
            .map(|integer| Value::Literal(integer.to_string()))
            .map_err(|_| no_number("so long an integer"))?,
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::Literal(format!("{float:?}")),
            _ => return Err(no_number(float.as_str())),
        },
        // As TOML writes them: RFC 3339.
        DeValue::Datetime(datetime) => Value::Literal(json_string(&datetime.to_string())),
    })
}

fn json_node(raw: &RawValue, text: &str, depth: usize) -> Result<Node, Box<Problem>> {
    let range = range_in(text, raw.get());
    let fail = |error: serde_json::Error| Box::new(json_problem(&error, text, range.start));
    if depth > DEPTH {
        let message = format!("nested more than {DEPTH} deep");
        return Err(Box::new(in_syntax(message, text, range)));
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let value = match raw.get().as_bytes().first() {
        Some(b'{') => {
            let members = deserializer.deserialize_map(Members).map_err(fail)?;
            let members = members.into_iter().map(|(name, value)| {
                Ok(Member {
                    name: serde_json::from_str(name.get()).map_err(fail)?,
                    name_origin: Origin::Text(range_in(text, name.get())),
                    node: json_node(value, text, depth + 1)?,
                })
            });
            Value::Object(members.collect::<Result<_, Box<Problem>>>()?)
        }
        Some(b'[') => {
            let items = deserializer.deserialize_seq(Items).map_err(fail)?;
            let items = items.into_iter().map(|item| json_node(item, text, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        _ => Value::Literal(raw.get().to_owned()),
    };
    Ok(Node { origin: Origin::Text(range), value })
}

/// The place of `part`, which is a slice of `text`.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    start..start.wrapping_add(part.len())
}

/// What serde_json says about the part of `text` that begins at `start`.
fn json_problem(error: &serde_json::Error, text: &str, start: usize) -> Problem {
    let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(error.column()).unwrap_or(u32::MAX);
    let at = start + offset(&text[start..], line, column);
    let message = error.to_string();
    // The place is shown by other means.
    let message = message.split(" at line ").next().unwrap_or_default();
    in_syntax(message.to_owned(), text, at..at)
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

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}
