use std::collections::BTreeMap;
use std::ops::Range;

use crate::description::document::{Member, Node, Origin, Value};
use crate::description::excerpt::place;
use crate::description::lines::Lines;
use crate::description::secrets::{names_secret, tag_names_secret};
use crate::problem::{Finding, Problem, segments};
use crate::redact::{has_secret, without_secrets};

/// Finds where in `text` the component's findings are, and sorts them by that.
pub(crate) fn locate(findings: Vec<Finding>, text: &str, root: &Node) -> Vec<Problem> {
    let mut problems = place_each(findings, text, root);
    problems.sort_by_key(in_the_order_of_the_text);
    problems
}

/// Finds where in `text` each finding is; in their order.
pub(crate) fn place_each(findings: Vec<Finding>, text: &str, root: &Node) -> Vec<Problem> {
    let lines = Lines::of(text);
    let mut secrets = Vec::new();
    add_secrets(root, "", false, &mut secrets);
    let findings = findings.into_iter();
    let mut problems: Vec<_> = findings.map(|finding| locate_one(finding, &lines, root, &mut secrets)).collect();
    let mut may_be_shown = BTreeMap::new();
    for place in problems.iter_mut().filter_map(|problem| problem.place.as_mut()) {
        // One line may have the places of many problems.
        let is_harmless = *may_be_shown.entry(place.line).or_insert_with(|| {
            let line = lines.line(place.line);
            let overlaps = |secret: &Range<usize>| secret.start <= line.end && line.start < secret.end;
            let shown = &text[line.clone()];
            !names_secret(shown) && !has_secret(shown) && !secrets.iter().any(overlaps)
        });
        place.excerpt = place.excerpt.take().filter(|_| is_harmless);
    }
    problems
}

/// Those without a place last.
pub(crate) fn in_the_order_of_the_text(problem: &Problem) -> (bool, usize, usize) {
    match &problem.place {
        Some(place) => (false, place.line, place.column),
        None => (true, 0, 0),
    }
}

fn locate_one(finding: Finding, lines: &Lines<'_>, root: &Node, secrets: &mut Vec<Range<usize>>) -> Problem {
    let Found { origin, member, first } = walk(root, &finding.field, finding.in_name);
    let mut help = finding.help;
    // A suggestion that names a secret stands for a misspelt one.
    if let (Some(member), true) = (member, help.as_deref().is_some_and(suggests_secret)) {
        add_secret(member, secrets);
    }
    if let (Some(first), true) = (first, finding.in_name) {
        help = help.or_else(|| Some(format!("it was first given in line {}", lines.number(first))));
    }
    let (place, set_by) = match origin {
        Some(Origin::Text(range)) => (Some(place(lines, range.clone())), None),
        Some(Origin::Set(by)) => (None, Some(by.clone())),
        Some(Origin::Default) | None => (None, None),
    };
    // A message may repeat a word of the text.
    let message = without_secrets(&finding.message);
    let help = help.as_deref().map(without_secrets);
    Problem { field: finding.field, in_name: finding.in_name, message, help, place, set_by }
}

/// What a pointer leads to.
struct Found<'d> {
    origin: Option<&'d Origin>,
    /// The member around it.
    member: Option<&'d Member>,
    /// Where another member of its name begins before it.
    first: Option<usize>,
}

/// Follows the pointer as far as the document goes: a missing field is shown
/// at the nearest thing around it. Of members of one name the last is meant,
/// which is the one too many.
fn walk<'d>(root: &'d Node, pointer: &str, in_name: bool) -> Found<'d> {
    let mut node = root;
    let mut found = Found { origin: Some(&root.origin), member: None, first: None };
    for name in segments(pointer) {
        match &node.value {
            Value::Object(members) => {
                let mut of_name = members.iter().filter(|member| member.name == name);
                let Some(last) = of_name.clone().next_back() else { return found };
                let first = of_name.next().filter(|first| !std::ptr::eq(*first, last));
                found = Found {
                    origin: Some(if in_name { &last.name_origin } else { &last.node.origin }),
                    member: Some(last),
                    first: first.and_then(|first| Some(first.name_origin.range()?.start)),
                };
                node = &last.node;
            }
            Value::Array(items) => {
                let Some(item) = name.parse().ok().and_then(|index: usize| items.get(index)) else { return found };
                found.origin = Some(&item.origin);
                node = item;
            }
            Value::Literal(_) => return found,
        }
    }
    found
}

/// Whether a name that the help puts in backquotes is a secret's. A list of all
/// names has none.
fn suggests_secret(help: &str) -> bool {
    help.split('`').skip(1).step_by(2).any(names_secret)
}

/// Adds where the secret fields of a part of a document stand, and all that is in
/// them. The part has the name `of`, or is an item of what has.
fn add_secrets(node: &Node, of: &str, in_secret: bool, secrets: &mut Vec<Range<usize>>) {
    if let (true, Some(range)) = (in_secret, node.origin.range()) {
        secrets.push(range.clone());
    }
    match &node.value {
        Value::Literal(_) => {}
        Value::Array(items) => items.iter().for_each(|item| add_secrets(item, of, in_secret, secrets)),
        Value::Object(members) => {
            for member in members {
                let is_secret_tag = of == "tags" && tag_names_secret(&member.name);
                if in_secret || is_secret_tag || names_secret(&member.name) {
                    add_secret(member, secrets);
                } else {
                    add_secrets(&member.node, &member.name, false, secrets);
                }
            }
        }
    }
}

fn add_secret(member: &Member, secrets: &mut Vec<Range<usize>>) {
    secrets.extend(member.name_origin.range().cloned());
    add_secrets(&member.node, &member.name, true, secrets);
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

    /// The line shown for a problem with the value at `field`.
    fn shown(text: &str, field: &str) -> Option<String> {
        let root = if text.starts_with('{') { Node::from_json(text) } else { Node::from_toml(text) };
        let problems = locate(vec![finding(field, false, "")], text, &root.unwrap());
        problems[0].place.as_ref().unwrap().excerpt.as_ref().map(|excerpt| excerpt.text.clone())
    }

    #[test]
    fn problems_stand_in_the_order_of_the_text_and_those_without_a_place_last() {
        let text = "{\"a\": 1,\n \"b\": {\"c\": 2}, \"d\": 3}";
        let root = Node::from_toml("b.c = 2\n[d]\n").unwrap();
        let fields = ["", "/d", "/b/c"];
        let problems = locate(fields.map(|field| finding(field, false, "")).into(), "b.c = 2\n[d]\n", &root);
        let found: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(found, ["/b/c", "/d", ""]);
        let problems = locate_in(text, ["/d", "/b/c", "/a"].map(|field| finding(field, false, "")).into());
        let found: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(found, ["/a", "/b/c", "/d"]);
    }

    #[test]
    fn the_nearest_thing_around_a_missing_field_is_shown() {
        let text = "{\"a\": 1,\n \"b\": {\"c\": 2}}";
        let place = |field| {
            let problems = locate_in(text, vec![finding(field, false, "")]);
            problems[0].place.as_ref().map(|place| (place.line, place.column))
        };
        assert_eq!((place("/b/x"), place("/x"), place("")), (Some((2, 7)), Some((1, 1)), Some((1, 1))));
    }

    #[test]
    fn of_a_field_given_twice_the_last_is_shown_and_the_first_named() {
        let text = "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}";
        let twice = Finding { field: "/a".into(), in_name: true, ..Finding::default() };
        let problems = locate_in(text, vec![twice]);
        let place = problems[0].place.as_ref().unwrap();
        assert_eq!((place.line, place.column), (3, 2));
        assert_eq!(problems[0].help.as_deref(), Some("it was first given in line 1"));
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
        let text = "{\"x\": 1, \"usr-data\":\n \"hunter2\", \"y\": 2}";
        let findings = vec![
            finding("/x", true, ""),
            finding("/usr-data", true, "did you mean `user-data`?"),
            finding("/y", true, ""),
        ];
        assert!(locate_in(text, findings).iter().all(|p| p.place.as_ref().unwrap().excerpt.is_none()));
    }

    #[test]
    fn nothing_in_or_beside_a_secret_is_shown() {
        for (text, field) in [
            ("secret_key = \"hunter2\"\n", "/secret_key"),
            ("[tags]\nDBPassword = 42\n", "/tags/DBPassword"),
            ("[iam-instance-profile.credentials]\nkey = \"hunter2\"\n", "/iam-instance-profile/credentials/key"),
            ("[extra-entries]\n\"meta-data/x\" = 42\n", "/extra-entries/meta-data~1x"),
            ("extra-entries.\"meta-data/x\" = 42\n", "/extra-entries/meta-data~1x"),
            ("[Extra_Entries.\"meta-data\"]\nx = 42\n", "/Extra_Entries/meta-data/x"),
            ("user-data = \"\"\"\nhunter2\"\"\" # x\n", "/user-data"),
            ("user-data = [\n\"x\", 42\n]\n", "/user-data/1"),
            ("x = { user-data = [\n\"hunter2\", 3], y = 42 }\n", "/x/y"),
            ("x = 42 # the password is hunter2\n", "/x"),
            ("{\"user\\u002ddata\": \"hunter2\", \"x\": 42}", "/x"),
            ("{\"Authorization\":\n \"hunter2\", \"x\": 42}", "/x"),
        ] {
            assert_eq!(shown(text, field), None, "{text}");
        }
    }

    #[test]
    fn lines_without_a_secret_are_shown_whatever_stands_around_them() {
        for (text, field) in [
            ("user-data = \"hunter2\"\nx = 42\n", "/x"),
            ("user-data = \"\"\"\nhunter2\n\"\"\"\nx = 42\n", "/x"),
            ("[extra-entries]\n\"meta-data/x\" = \"a\"\n[tags]\nx = 42\n", "/tags/x"),
            ("[metadata-options]\nhttp-tokens = 42\n", "/metadata-options/http-tokens"),
            ("[metadata-options]\nHttpToken = 42\n", "/metadata-options/HttpToken"),
            ("[key-pair]\npublic-key = 42\n", "/key-pair/public-key"),
            ("{\"user-data\": \"hunter2\",\n\"x\": 42}", "/x"),
            ("# the password stands below\nx = 42\n", "/x"),
        ] {
            assert!(shown(text, field).is_some_and(|line| line.contains("42")), "{text}");
        }
    }
}
