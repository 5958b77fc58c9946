use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use crate::problem::Problem;

mod hidden;
mod json;
mod json_syntax;
mod redacted;
mod syntax;
mod toml;
mod toml_keys;
mod toml_syntax;

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

impl Origin {
    /// The bytes of the text, if it is from there.
    pub(crate) fn range(&self) -> Option<&Range<usize>> {
        match self {
            Self::Text(range) => Some(range),
            Self::Set(_) | Self::Default => None,
        }
    }
}

impl Value {
    /// A value that `by` set, with all that is in it.
    pub(crate) fn of_json(json: serde_json::Value, by: &str) -> Self {
        let origin = || Origin::Set(by.to_owned());
        let node = |json| Node { origin: origin(), value: Self::of_json(json, by) };
        match json {
            serde_json::Value::Array(items) => Self::Array(items.into_iter().map(node).collect()),
            serde_json::Value::Object(members) => {
                let member = |(name, json)| Member { name, name_origin: origin(), node: node(json) };
                Self::Object(members.into_iter().map(member).collect())
            }
            literal => Self::Literal(literal.to_string()),
        }
    }
}

impl Node {
    pub(crate) fn empty() -> Self {
        Self { origin: Origin::Default, value: Value::Object(Vec::new()) }
    }

    /// Reads TOML; fails with the first problems of the text.
    pub(crate) fn from_toml(text: &str) -> Result<Self, Vec<Problem>> {
        toml::read(text)
    }

    /// Reads JSON; fails with the first problem of the text.
    pub(crate) fn from_json(text: &str) -> Result<Self, Vec<Problem>> {
        json::read(text).map_err(|problem| vec![*problem])
    }

    /// Sets the field at `names`, making the objects on the way; whatever else is there
    /// makes room for them.
    pub(crate) fn set(&mut self, names: &[String], value: Value, by: &str) {
        let Some((name, rest)) = names.split_first() else {
            return;
        };
        let origin = Origin::Set(by.to_owned());
        if !matches!(self.value, Value::Object(_)) {
            *self = Self { origin: origin.clone(), value: Value::Object(Vec::new()) };
        }
        let Value::Object(members) = &mut self.value else {
            return;
        };
        if rest.is_empty() {
            members.retain(|member| member.name != *name);
            members.push(Member { name: name.clone(), name_origin: origin.clone(), node: Self { origin, value } });
            return;
        }
        let index = members.iter().rposition(|member| member.name == *name).unwrap_or_else(|| {
            let node = Self { origin: origin.clone(), value: Value::Object(Vec::new()) };
            members.push(Member { name: name.clone(), name_origin: origin, node });
            members.len() - 1
        });
        members[index].node.set(rest, value, by);
    }

    /// Appends to the list `name` of the first level, which is made where it is
    /// missing. What is no list is left for the component to complain about.
    pub(crate) fn append(&mut self, name: &str, literal: String, by: &str) {
        let Value::Object(members) = &mut self.value else {
            return;
        };
        let origin = Origin::Set(by.to_owned());
        let item = Self { origin: origin.clone(), value: Value::Literal(literal) };
        match members.iter_mut().rfind(|member| member.name == name) {
            Some(member) => {
                if let Value::Array(items) = &mut member.node.value {
                    items.push(item);
                }
            }
            None => members.push(Member {
                name: name.to_owned(),
                name_origin: origin.clone(),
                node: Self { origin, value: Value::Array(vec![item]) },
            }),
        }
    }

    /// Whether the document's first level has the field.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(&self.value, Value::Object(members) if members.iter().any(|member| member.name == name))
    }

    /// The text of a field of the document's first level.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let Value::Object(members) = &self.value else { return None };
        match &members.iter().rfind(|member| member.name == name)?.node.value {
            Value::Literal(json) => serde_json::from_str(json).ok(),
            Value::Array(_) | Value::Object(_) => None,
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
