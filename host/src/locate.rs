use std::ops::Range;

use crate::document::{Node, Origin, Value};
use crate::problem::{Excerpt, Finding, Place, Problem, segments};

/// Fields whose values no error may repeat. A line that names one is not shown
/// at all, since the value can stand on the same line.
const SECRET: [&str; 5] = ["access-key", "credentials", "secret", "session-token", "user-data"];

/// Long lines are cut to about so many characters around the place.
const EXCERPT_CHARACTERS: usize = 120;

/// Finds where in `text` the component's finding is.
pub(crate) fn locate(finding: Finding, text: &str, root: &Node) -> Problem {
    let mut problem =
        Problem { field: finding.field, message: finding.message, help: finding.help, place: None, set_by: None };
    if let Some((line, column)) = finding.position {
        let start = offset(text, line, column);
        problem.place = Some(place(text, start..start));
        return problem;
    }
    match walk(root, &problem.field, finding.in_name) {
        Found::Text(range) => {
            // A suggestion that names a secret stands for a misspelt one.
            let secret = segments(&problem.field).any(|name| is_secret(&name))
                || problem.help.as_deref().is_some_and(is_secret)
                || covered_by_secret(root, range.start, text);
            let mut place = place(text, range);
            if secret {
                place.excerpt = None;
            }
            problem.place = Some(place);
        }
        Found::Set(by) => problem.set_by = Some(by),
        Found::Nowhere => {}
    }
    problem
}

/// A problem of the text itself, at `range`.
pub(crate) fn in_syntax(message: String, text: &str, range: Range<usize>) -> Problem {
    let mut place = place(text, range.clone());
    if in_long_string(text, range.start) {
        place.excerpt = None;
    }
    Problem { field: String::new(), message, help: None, place: Some(place), set_by: None }
}

/// The byte offset of a line and column, both from 1.
pub(crate) fn offset(text: &str, line: u32, column: u32) -> usize {
    let line = usize::try_from(line).unwrap_or(usize::MAX).max(1);
    let column = usize::try_from(column).unwrap_or(usize::MAX).max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let length = text[start..].split('\n').next().map_or(0, str::len);
    start + (column - 1).min(length)
}

enum Found {
    Text(Range<usize>),
    Set(String),
    Nowhere,
}

impl From<&Origin> for Found {
    fn from(origin: &Origin) -> Self {
        match origin {
            Origin::Text(range) => Self::Text(range.clone()),
            Origin::Set(by) => Self::Set(by.clone()),
            Origin::Default => Self::Nowhere,
        }
    }
}

/// Follows the pointer as far as the document goes: a missing field is shown
/// at the nearest thing around it.
fn walk(root: &Node, pointer: &str, in_name: bool) -> Found {
    let mut node = root;
    let mut found = Found::Nowhere;
    for name in segments(pointer) {
        let (next, key) = match &node.value {
            Value::Object(members) => match members.iter().rfind(|m| m.name == name) {
                Some(member) => (&member.node, Some(&member.name_origin)),
                None => return found,
            },
            Value::Array(items) => match name.parse().ok().and_then(|i: usize| items.get(i)) {
                Some(item) => (item, None),
                None => return found,
            },
            Value::Literal(_) => return found,
        };
        found = match key {
            Some(key) if in_name => key.into(),
            _ => (&next.origin).into(),
        };
        node = next;
    }
    found
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|secret| name.contains(secret))
}

/// Whether the line at `at` overlaps the value of a secret field.
fn covered_by_secret(node: &Node, at: usize, text: &str) -> bool {
    let line = line_around(text, at);
    match &node.value {
        Value::Literal(_) => false,
        Value::Array(items) => items.iter().any(|item| covered_by_secret(item, at, text)),
        Value::Object(members) => members.iter().any(|member| {
            let overlaps = match &member.node.origin {
                Origin::Text(range) => range.start <= line.end && line.start <= range.end,
                Origin::Set(_) | Origin::Default => false,
            };
            (overlaps && is_secret(&member.name)) || covered_by_secret(&member.node, at, text)
        }),
    }
}

/// Whether `at` may lie in a string of several lines, such as user data.
fn in_long_string(text: &str, at: usize) -> bool {
    let before = &text.as_bytes()[..at];
    [&b"\"\"\""[..], b"'''"].iter().any(|quotes| {
        let opened = before.windows(3).filter(|window| window == quotes).count();
        opened % 2 == 1
    })
}

fn place(text: &str, range: Range<usize>) -> Place {
    let start = floor(text, range.start);
    let line = line_around(text, start);
    let end = floor(text, range.end).clamp(start, line.end.max(start));
    Place {
        line: text[..start].matches('\n').count() + 1,
        column: text[line.start..start].chars().count() + 1,
        excerpt: excerpt(&text[line.clone()], start - line.start, end - line.start),
    }
}

fn excerpt(line: &str, start: usize, end: usize) -> Option<Excerpt> {
    if is_secret(line) || line.trim().is_empty() {
        return None;
    }
    let before = line[..start.min(line.len())].chars().count();
    let skipped = before.saturating_sub(EXCERPT_CHARACTERS / 2);
    let text: String = line
        .chars()
        .skip(skipped)
        .take(EXCERPT_CHARACTERS)
        // A terminal must not obey what a file says.
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let before = before - skipped;
    let room = text.chars().count().saturating_sub(before).max(1);
    let marked = line.get(start..end).map_or(0, |marked| marked.chars().count());
    Some(Excerpt { before, length: marked.clamp(1, room), text: text.trim_end().to_owned() })
}

/// The bytes of the line around `at`, without its end.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let at = floor(text, at);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// The nearest start of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_a_secret_is_not_shown() {
        let text = "[role]\nsecret-access-key = \"wJalr\nx = 1";
        let problem = in_syntax("unclosed".into(), text, 28..34);
        let place = problem.place.unwrap();
        assert_eq!((place.line, place.column, place.excerpt), (2, 22, None));
    }

    #[test]
    fn a_line_inside_a_long_string_is_not_shown() {
        let text = "user-data = \"\"\"\npassword \\d\n\"\"\"\n";
        let problem = in_syntax("bad escape".into(), text, 25..27);
        assert_eq!(problem.place.unwrap().excerpt, None);
    }

    #[test]
    fn columns_count_characters() {
        let problem = in_syntax("x".into(), "\"ä\" = ?", 7..8);
        let place = problem.place.unwrap();
        assert_eq!(place.column, 7);
        assert_eq!(place.excerpt.unwrap().before, 6);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{{\"a\": \"{}\", oops}}", "x".repeat(5000));
        let at = text.find("oops").unwrap();
        let excerpt = in_syntax("x".into(), &text, at..at + 4).place.unwrap().excerpt;
        let excerpt = excerpt.unwrap();
        assert!(excerpt.text.chars().count() <= EXCERPT_CHARACTERS);
        assert_eq!(&excerpt.text[excerpt.before..][..4], "oops");
    }
}
