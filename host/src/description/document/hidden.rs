//! Which parts of a text that cannot be read no error may show. What does not
//! parse may belong to any field that was begun before, so this errs on the
//! side of hiding.

use std::ops::Range;

use super::toml_keys::{Keys, Kind};
use crate::description::lines::Lines;
use crate::description::secrets::{names_secret, resembles_secret, tag_names_secret};

/// Of TOML text with the names that the parser found in it and the lines that
/// it found wrong, in order: everything from the name of a secret to the next
/// name. If something is wrong up to there, nobody knows where the secret ends,
/// and everything behind it is hidden. Behind the last wrong line there is
/// nothing to hide, since nothing is shown.
pub(super) fn in_toml(lines: &Lines<'_>, keys: &Keys<'_>, wrong: &[usize]) -> Vec<Range<usize>> {
    let text = lines.text();
    let mut begins = vec![None; lines.count() + 1];
    for key in keys.iter().filter(|key| key.kind != Kind::Inner) {
        begins[lines.number(key.at)] = Some((key.kind, lines.number(key.end)));
    }
    let mut hidden = long_strings(lines);
    let mut open: Option<Secret> = None;
    for number in 1..=wrong.last().map_or(0, |last| *last) {
        let line = &text[lines.line(number)];
        let is_wrong = wrong.binary_search(&number).is_ok();
        let begin = begins[number].filter(|_| !is_wrong);
        if let Some(secret) = &open {
            let is_over = match (secret.kind, begin) {
                (_, Some((Kind::Header, _))) | (Kind::Line, Some(_)) => true,
                (Kind::Line, None) => is_wrong && secret.last_line.is_some_and(|last| last < number) && is_field(line),
                _ => false,
            };
            if is_over {
                hidden.push(secret.at..lines.line(number).start);
                open = None;
            }
        }
        if open.is_none() && names_secret_field(line) {
            let kind = if line.trim_start().starts_with('[') { Kind::Header } else { Kind::Line };
            open = Some(Secret { at: lines.line(number).start, kind, last_line: begin.map(|(_, end)| end) });
        }
        if let (Some(secret), true) = (&open, is_wrong) {
            hidden.push(secret.at..text.len());
            return hidden;
        }
    }
    hidden.extend(open.map(|secret| secret.at..text.len()));
    hidden
}

/// A secret whose end is looked for.
struct Secret {
    at: usize,
    kind: Kind,
    /// The last line of its value, if that can be read.
    last_line: Option<usize>,
}

/// Whether a line has the form `name =`: whatever is wrong with it, it does not
/// belong to the line before.
fn is_field(line: &str) -> bool {
    let name = line.split_once('=').map_or("", |(name, _)| name.trim());
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Of JSON text that is right up to `at`: everything, if that lies in the value
/// of a secret.
pub(super) fn in_json(text: &str, at: usize) -> Option<Range<usize>> {
    let names = json_names(&text[..at]);
    names
        .iter()
        .any(|name| names_secret(name) || resembles_secret(name) || tag_names_secret(name))
        .then_some(0..text.len())
}

/// Whether a line of TOML begins with the name of a secret, or has one anywhere.
/// A comment sets nothing, and the file that `imds new` prints names secrets in
/// comments.
fn names_secret_field(line: &str) -> bool {
    let line = line.trim();
    let name = line.split(['=', ':']).next().unwrap_or_default();
    let name = name.trim_matches(|c: char| c.is_whitespace() || "[]\"'".contains(c));
    let is_secret = || names_secret(line) || resembles_secret(name) || names_in(line).any(tag_names_secret);
    !line.is_empty() && !line.starts_with('#') && is_secret()
}

/// What may be names in a line of TOML: tables of one line have some too.
fn names_in(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(['=', ':', ',', '{']).filter(|part| part.ends_with(['=', ':']))
}

/// Strings of several lines from their second line on: a secret whose name is
/// misspelt is mostly one of those. Counted by quotes, since the parser gives up
/// where they do not match.
fn long_strings(lines: &Lines<'_>) -> Vec<Range<usize>> {
    let text = lines.text();
    let mut strings = Vec::new();
    for quotes in ["\"\"\"", "'''"] {
        let mut places = text.match_indices(quotes).map(|(at, _)| at);
        while let Some(begin) = places.next() {
            let end = places.next().unwrap_or(text.len());
            strings.push((lines.around(begin).end + 1).min(end)..end);
        }
    }
    strings
}

/// The names of the fields around the end of a part of JSON text, outermost
/// first.
fn json_names(part: &str) -> Vec<&str> {
    // For each open object or array the last name in it.
    let mut open: Vec<&str> = Vec::new();
    let mut string = "";
    let mut rest = part;
    while let Some(at) = rest.find(['"', ':', ',', '{', '[', '}', ']']) {
        let (sign, behind) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = behind;
        match sign {
            b'"' => {
                let end = string_end(behind);
                (string, rest) = (&behind[..end], behind.get(end + 1..).unwrap_or_default());
            }
            b'{' | b'[' => open.push(""),
            b'}' | b']' => drop(open.pop()),
            // Behind a comma the name is over, until the next one.
            sign => {
                if let Some(name) = open.last_mut() {
                    *name = if sign == b':' { string } else { "" };
                }
            }
        }
    }
    open
}

/// Where a JSON string ends of which this is the inside and more.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    text.bytes()
        .position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    /// The lines shown with the problems of a text that cannot be read.
    fn shown(text: &str) -> Vec<Option<String>> {
        let read = if text.starts_with('{') { Node::from_json(text) } else { Node::from_toml(text) };
        let Err(problems) = read else { panic!("that is valid: {text}") };
        let excerpts = problems.into_iter().map(|problem| problem.place.and_then(|place| place.excerpt));
        excerpts.map(|excerpt| excerpt.map(|excerpt| excerpt.text)).collect()
    }

    #[test]
    fn nothing_that_may_belong_to_a_secret_is_shown() {
        for text in [
            "[role]\nsecret-access-key = \"hunter2\nx = 1",
            "SecretAccessKey = hunter2\n",
            "passwd: hunter2\n",
            "usr-data = hunter2\n",
            "uesr_data = [\n\"a\",\nhunter2\n]\n",
            "user-data = [\n \"hunter2\", oops\n",
            "user-data = \"\"\"\nx\nhunter2\"\"\" oops\n",
            "user-data = \"\"\"\necho \"\"\" x\nhunter2\n\"\"\"\n",
            "user-data = \"#!/bin/sh\nexport PW=hunter2\n\"\n",
            "user-data = |\n  #!/bin/sh\n  PW = hunter2\n",
            "user_dta = '''\nhunter2 \u{7}\n'''\n",
            "ud = '''\nhunter2 \u{7}\n'''\n",
            "ud = '''\n\nhunter2''' oops\n",
            "[extra-entries]\n\"meta-data/x\" = hunter2\n",
            "[extra-entries]\n\"meta-data/w\" = \"\"\n\"meta-data/x\" = hunter2\n",
            "[extra-entries]\n\"meta-data/x\" = [\n{ a = 1 },\nhunter2\n]\n",
            "[iam-instance-profile.credentials]\nkey = hunter2\n",
            "[tags]\ndb-pwd = hunter2\n",
            "tags = { Name = 'x', dbPass = 'hunter2' oops\n",
            "{\"tags\": {\"jwt\":\n \"hunter2\" oops}}",
            "tags = { user-data = [\n\"x\",\nhunter2\n] }\n",
            "user-data = \"#!/bin/sh\"\necho hunter2\n",
            "a: 1\nuser-data = [\n\"hunter2\",\noops hunter2]\n",
            "# user-data = hunter2\u{7}",
            "[key-pair]\npublic-key = '\n-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n",
            "{\"user-data\": \"hunter2\" oops}",
            "{\"user-data\":\n \"line hunter2\n\"}",
            "{\"user-data\": [\n\"hunter2\",\n oops]}",
            "{\"SecretAccessKey\":\n \"hunter2\" oops}",
            "{\"usr-data\":\n \"hunter2\" oops}",
            "{\"extra-entries\": {\n\"meta-data/x\": hunter2}}",
        ] {
            let lines = shown(text);
            let leaks = lines.iter().flatten().any(|line| line.contains("hunter2") || line.contains("oops"));
            assert!(!leaks, "{text}\n{lines:?}");
        }
    }

    #[test]
    fn what_plainly_is_no_secret_is_shown() {
        for text in [
            "instance-type = t3.micro\n",
            "[metadata-options]\nhttp-tokens = required\n",
            "[tags]\nName = web-1\n",
            "[tags]\nAuthor = web-1\n",
            "billing-products = [\n\"bp-1\"\n\"bp-2\"\n]\n",
            "# user-data = \"\"\n# credentials\ninstance-type = t3\n",
            "user-data = \"x\"\n[tags]\nName = web-1\n",
            "user-data = \"\"\"\n#!/bin/sh\nx = 1\n\"\"\"\n[tags]\nName = web-1\n",
            "[iam-instance-profile.credentials]\nsession-token = \"x\"\n[tags]\nName = web-1\n",
            "[extra-entries]\n\"meta-data/x\" = \"x\"\n\n[tags]\n# x\nName = web-1\n",
            "[iam-instance-profile]\nrole-name = \"token-service\"\nname = web\n",
            "key-pair = false\n[key-pair]\n",
            "user-data-base64 = \"\"\"\neA==\n\"\"\" # x\ninstance-type = t3\n",
            "{\"user-data\": \"x\",\n \"instance-type\": t3}",
            "{\"iam-instance-profile\": {\"credentials\": {\"session-token\": \"x\"}},\n \"tags\": {\"a\" 1}}",
        ] {
            let lines = shown(text);
            assert!(lines.iter().all(Option::is_some), "{text}\n{lines:?}");
        }
    }

    #[test]
    fn the_names_around_a_place_in_json() {
        for (part, names) in [
            ("", &[][..]),
            ("{\"a\": 1, ", &[""]),
            ("{\"a\": 1, \"b\": \"x", &["b"]),
            ("{\"a\": {\"b\": [1, {\"c\": ", &["a", "b", "", "c"]),
            ("{\"a\": {\"b\": 1}, \"c\": {}, \"d\"", &[""]),
            ("{\"a\": \"}\\\"{\", \"b\": \"\\\\\", \"c\":", &["c"]),
            ("}]", &[]),
        ] {
            // An array has no name.
            assert_eq!(json_names(part), names, "{part}");
        }
    }
}
