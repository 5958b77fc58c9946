use std::ops::Range;

use ::toml::de::{DeTable, DeValue};

use super::syntax::problem;
use super::toml_syntax::explain;
use super::{Member, Node, Origin, Value, json_string};
use crate::problem::Problem;

pub(super) fn read(text: &str) -> Result<Node, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(problems(errors, text, table.get_ref()));
    }
    let range = table.span();
    let value = read_table(table.into_inner(), text).map_err(|problem| vec![*problem])?;
    Ok(Node { origin: Origin::Text(range), value })
}

/// One problem for each line: what the parser says about the rest of a line
/// follows from the first.
fn problems(errors: Vec<::toml::de::Error>, text: &str, read: &DeTable<'_>) -> Vec<Problem> {
    let mut errors: Vec<_> = errors.into_iter().map(|error| (error.span().unwrap_or(0..0), error)).collect();
    errors.sort_by_key(|(range, _)| range.start);
    let mut problems: Vec<_> =
        errors.into_iter().map(|(range, error)| explain(error.message(), text, range, read)).collect();
    problems.dedup_by_key(|problem| problem.place.as_ref().map(|place| place.line));
    problems
}

fn read_table(table: DeTable<'_>, text: &str) -> Result<Value, Box<Problem>> {
    let mut members = Vec::with_capacity(table.len());
    for (name, value) in table {
        members.push(Member {
            name_origin: Origin::Text(name.span()),
            node: Node {
                origin: Origin::Text(value.span()),
                value: read_value(value.span(), value.into_inner(), text)?,
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

fn read_value(at: Range<usize>, value: DeValue<'_>, text: &str) -> Result<Value, Box<Problem>> {
    let no_number = |what| {
        let message = format!("{what} is not a number that a description can hold");
        Box::new(problem(text, at.clone(), message, None))
    };
    Ok(match value {
        DeValue::Table(table) => read_table(table, text)?,
        DeValue::Array(array) => {
            let items = array.into_iter().map(|item| {
                Ok(Node { origin: Origin::Text(item.span()), value: read_value(item.span(), item.into_inner(), text)? })
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
            _ => return Err(no_number("this")),
        },
        // As TOML writes them: RFC 3339.
        DeValue::Datetime(datetime) => Value::Literal(json_string(&datetime.to_string())),
    })
}
