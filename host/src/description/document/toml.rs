use std::ops::Range;

use ::toml::de::{DeTable, DeValue, Error};

use super::hidden::in_toml;
use super::syntax::{NUL, Unread, WITHOUT_NUL};
use super::toml_keys::Keys;
use super::toml_syntax::explain;
use super::{Member, Node, Origin, Value, json_string};
use crate::description::lines::Lines;
use crate::problem::Problem;

pub(super) fn read(text: &str) -> Result<Node, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(problems(&errors, text, table.get_ref()));
    }
    match read_table(table.get_ref()) {
        // The document as a whole stands nowhere in particular.
        Ok(value) => Ok(Node { origin: Origin::Default, value }),
        Err(Unfit { at, message }) => {
            let lines = Lines::of(text);
            let keys = Keys::of(&lines, table.get_ref());
            let hidden = in_toml(&lines, &keys, &[lines.number(at.start)]);
            Err(vec![Unread { lines, hidden }.problem(at, message, None)])
        }
    }
}

/// The most lines that are no TOML of which it is told: the parser goes on to the end
/// of a text that is another format. How many problems of TOML that can be read are
/// told, the component decides.
const LINES_MAX: usize = 20;

/// One problem for each line, since what the parser says about the rest of a
/// line follows from the first, and no more than anybody reads.
fn problems(errors: &[Error], text: &str, read: &DeTable<'_>) -> Vec<Problem> {
    let lines = Lines::of(text);
    if let Some(at) = text.find('\0') {
        // All else that is wrong follows from that.
        let hidden = in_toml(&lines, &Keys::of(&lines, read), &[lines.number(at)]);
        return vec![Unread { lines, hidden }.problem(at..at + 1, NUL, Some(WITHOUT_NUL.to_owned()))];
    }
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let range = error.span().unwrap_or(0..0);
            (lines.number(range.start), range, error.message())
        })
        .collect();
    errors.sort_by_key(|(_, range, _)| range.start);
    errors.dedup_by_key(|(line, ..)| *line);
    errors.truncate(LINES_MAX);
    let wrong: Vec<_> = errors.iter().map(|(line, ..)| *line).collect();
    let keys = Keys::of(&lines, read);
    let hidden = in_toml(&lines, &keys, &wrong);
    let unread = Unread { lines, hidden };
    let explain = |(_, range, message)| explain(message, &unread, range, &keys);
    let mut problems: Vec<_> = errors.into_iter().map(explain).collect();
    // Of a string without an end, the beginning is shown.
    problems.dedup_by_key(|problem| problem.place.as_ref().map(|place| place.line));
    problems
}

/// A value that JSON has no text for.
struct Unfit {
    at: Range<usize>,
    message: &'static str,
}

fn read_table(table: &DeTable<'_>) -> Result<Value, Unfit> {
    let mut members = Vec::with_capacity(table.len());
    for (name, value) in table {
        members.push(Member {
            name: name.get_ref().to_string(),
            name_origin: Origin::Text(name.span()),
            node: Node { origin: Origin::Text(value.span()), value: read_value(value.span(), value.get_ref())? },
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

fn read_value(at: Range<usize>, value: &DeValue<'_>) -> Result<Value, Unfit> {
    let unfit = |message| Unfit { at, message };
    Ok(match value {
        DeValue::Table(table) => read_table(table)?,
        DeValue::Array(array) => {
            let items = array.iter().map(|item| {
                Ok(Node { origin: Origin::Text(item.span()), value: read_value(item.span(), item.get_ref())? })
            });
            Value::Array(items.collect::<Result<_, Unfit>>()?)
        }
        DeValue::String(string) => Value::Literal(json_string(string)),
        DeValue::Boolean(truth) => Value::Literal(truth.to_string()),
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
            .map(|integer| Value::Literal(integer.to_string()))
            .map_err(|_| unfit("so long an integer is not a number that a description can hold"))?,
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::Literal(format!("{float:?}")),
            _ => return Err(unfit("this is not a number that a description can hold")),
        },
        // As TOML writes them: RFC 3339.
        DeValue::Datetime(datetime) => Value::Literal(json_string(&datetime.to_string())),
    })
}
