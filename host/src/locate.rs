use std::ops::Range;

use crate::document::{Node, Origin, Value};
use crate::excerpt::{line_around, names_secret, place};
use crate::problem::{Finding, Problem, segments};

/// Finds where in `text` the component's findings are, and sorts them by that.
pub(crate) fn locate(findings: Vec<Finding>, text: &str, root: &Node) -> Vec<Problem> {
    let mut problems: Vec<_> = findings.into_iter().map(|finding| locate_one(finding, text, root)).collect();
    // A line that is hidden for one of them is hidden for all.
    let hidden: Vec<_> =
        problems.iter().filter_map(|p| p.place.as_ref()).filter(|p| p.excerpt.is_none()).map(|p| p.line).collect();
    for place in problems.iter_mut().filter_map(|problem| problem.place.as_mut()) {
        if hidden.contains(&place.line) {
            place.excerpt = None;
        }
    }
    problems.sort_by_key(|problem| match &problem.place {
        Some(place) => (false, place.line, place.column),
        None => (true, 0, 0),
    });
    problems
}

fn locate_one(finding: Finding, text: &str, root: &Node) -> Problem {
    let found = walk(root, &finding.field, finding.in_name);
    let mut problem =
        Problem { field: finding.field, message: finding.message, help: finding.help, place: None, set_by: None };
    match found {
        Found::Text(range) => {
            // A suggestion that names a secret stands for a misspelt one.
            let secret = segments(&problem.field).any(|name| names_secret(&name))
                || problem.help.as_deref().is_some_and(suggests_secret)
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
/// at the nearest thing around it. Of members of one name the last is meant,
/// which is the one too many.
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

/// Whether a name that the help puts in backquotes is a secret's. A list of all
/// names has none.
fn suggests_secret(help: &str) -> bool {
    help.split('`').skip(1).step_by(2).any(names_secret)
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
            (overlaps && names_secret(&member.name)) || covered_by_secret(&member.node, at, text)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(field: &str, in_name: bool, help: &str) -> Finding {
        Finding { field: field.into(), in_name, help: Some(help.into()), ..Finding::default() }
    }

    fn locate_in(text: &str, findings: Vec<Finding>) -> Vec<Problem> {
        let root = Node::from_json(text).unwrap();
        locate(findings, text, &root)
    }

    #[test]
    fn problems_stand_in_the_order_of_the_text_and_those_without_a_place_last() {
        let text = "{\"a\": 1,\n \"b\": {\"c\": 2}, \"d\": 3}";
        let fields = ["/none", "/d", "/b/c", "/a"];
        let problems = locate_in(text, fields.map(|field| finding(field, false, "")).into());
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["/a", "/b/c", "/d", "/none"]);
    }

    #[test]
    fn of_a_field_given_twice_the_last_is_shown() {
        let text = "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}";
        let problems = locate_in(text, vec![finding("/a", true, "")]);
        let place = problems[0].place.as_ref().unwrap();
        assert_eq!((place.line, place.column), (3, 2));
    }

    #[test]
    fn a_list_of_known_names_hides_nothing_and_a_suggested_one_does() {
        let text = "{\"usr-data\": \"hunter2\"}";
        let shown = |help| {
            let problems = locate_in(text, vec![finding("/usr-data", true, help)]);
            problems[0].place.as_ref().unwrap().excerpt.is_some()
        };
        assert!(shown("known here: instance-id, user-data, tags"));
        assert!(!shown("did you mean `user-data`?"));
    }

    #[test]
    fn a_line_hidden_for_one_problem_is_hidden_for_all() {
        let text = "{\"x\": 1, \"usr-data\": \"hunter2\"}";
        let findings = vec![finding("/x", true, ""), finding("/usr-data", true, "did you mean `user-data`?")];
        assert!(locate_in(text, findings).iter().all(|p| p.place.as_ref().unwrap().excerpt.is_none()));
    }
}
