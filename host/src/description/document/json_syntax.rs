//! The JSON parser's messages in a user's words.

use std::ops::Range;

use super::hidden::in_json;
use super::syntax::{NUL, QUOTES, Unread, WITHOUT_NUL, before, in_place_of, word};
use crate::description::lines::Lines;
use crate::problem::Problem;

/// A text in which something is wrong at `at`, the first such place.
pub(super) fn unread(text: &str, at: usize) -> Unread<'_> {
    Unread { lines: Lines::of(text), hidden: Vec::from_iter(in_json(text, at)) }
}

/// The problem of which the parser says `error`. What is not known here is
/// passed on as it is.
pub(super) fn explain(error: &serde_json::Error, text: &str) -> Box<Problem> {
    if let Some(at) = text.find('\0') {
        // All else that is wrong follows from that.
        return Box::new(unread(text, at).problem(at..at + 1, NUL, Some(WITHOUT_NUL.to_owned())));
    }
    let said = said(error);
    // Of a control character the parser tells the column before.
    let behind = usize::from(said.starts_with("control character"));
    let at = match error.is_eof() {
        true => text.trim_end().len(),
        false => offset(text, error.line(), error.column() + behind),
    };
    let next = text[at..].chars().next();
    let unread = unread(text, at);
    let plain = |message: &str| Box::new(unread.problem(at..at, message, None));
    match said.as_str() {
        _ if text.trim().is_empty() => plain("the file is empty; `{}` is the default instance"),
        _ if is_toml(text) => {
            let help = "JSON is expected because of the file's name; name it .toml";
            Box::new(unread.problem(at..at, "this is TOML", Some(help.to_owned())))
        }
        "EOF while parsing a list" => plain("`]` is missing at the end"),
        "EOF while parsing an object" => plain("`}` is missing at the end"),
        "EOF while parsing a string" => plain("the text has no closing quote"),
        "EOF while parsing a value" => plain("a value is missing at the end"),
        control if control.starts_with("control character") => match next {
            Some('\n' | '\r') => {
                plain("the text has no closing quote on its line; a line break in it is written `\\n`")
            }
            _ => plain("this character must be written as an escape, such as `\\t`"),
        },
        "key must be a string"
        | "expected value"
        | "expected ident"
        | "trailing comma"
        | "expected `,` or `}`"
        | "expected `,` or `]`"
            if matches!(next, Some('/' | '#')) =>
        {
            plain("JSON has no comments; TOML has")
        }
        "key must be a string" | "expected value" | "trailing comma"
            if matches!(next, Some('}' | ']' | ',')) && before(text, at) == Some(',') =>
        {
            plain("there is a comma too many before this")
        }
        "key must be a string" => in_quotes(&unread, at, "a name needs double quotes around it"),
        "expected value" if matches!(next, Some('}' | ']' | ',')) => plain("a value is missing before this"),
        "expected value" | "expected ident" => in_quotes(&unread, at, "text needs double quotes around it"),
        "expected `:`" => plain("`:` is missing after the name"),
        "expected `,` or `}`" => plain("`,` or `}` is missing before this"),
        "expected `,` or `]`" => plain("`,` or `]` is missing before this"),
        "trailing characters" => plain("nothing may follow the end of the description"),
        "invalid escape" => {
            let help = Some("a backslash is written `\\\\`".to_owned());
            Box::new(unread.problem(at..at, "a backslash begins an escape, and this is none", help))
        }
        "invalid number" => plain("this is no number; text needs double quotes around it"),
        _ => plain(&said),
    }
}

/// The problem of the string or number at `range`, whose grammar is right.
pub(super) fn explain_literal(error: &serde_json::Error, text: &str, range: Range<usize>) -> Box<Problem> {
    let said = said(error);
    let message = match said.as_str() {
        "number out of range" => "this is not a number that a description can hold",
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" | "invalid unicode code point" => {
            "an escape in this text stands for half a character"
        }
        other => other,
    };
    Box::new(unread(text, range.start).problem(range, message, None))
}

/// Without the place, which is shown by other means.
fn said(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

fn in_quotes(unread: &Unread<'_>, at: usize, message: &str) -> Box<Problem> {
    let word = word(unread.text(), at..at, "=,:[]{}");
    let shown = &unread.text()[word.clone()];
    if shown.starts_with(QUOTES) {
        return Box::new(unread.problem(word, "only straight double quotes enclose text", None));
    }
    Box::new(unread.problem(word, message, in_place_of(shown)))
}

/// Whether the first line that says something is `name = value` or `[name]`.
fn is_toml(text: &str) -> bool {
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let line = text.lines().map(str::trim).find(said).unwrap_or_default();
    let header = || line.strip_prefix('[')?.strip_suffix(']');
    let name = line.split_once('=').map(|(name, _)| name.trim_end()).or_else(header);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(fits))
}

/// The byte offset of a line and column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = text[start..].split('\n').next().map_or(0, str::len);
    let at = start + column.saturating_sub(1).min(length);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    fn problem_of(text: &str) -> Problem {
        match Node::from_json(text) {
            Ok(_) => panic!("that is valid: {text}"),
            Err(mut problems) => problems.remove(0),
        }
    }

    #[test]
    fn what_parsers_say_is_said_in_words() {
        for (text, column, message) in [
            ("", 1, "the file is empty; `{}` is the default instance"),
            (" \n\n", 1, "the file is empty; `{}` is the default instance"),
            ("{\"a\": 1,}", 9, "there is a comma too many before this"),
            ("{\"a\": [1,]}", 10, "there is a comma too many before this"),
            ("{\"a\": [1,,2]}", 10, "there is a comma too many before this"),
            ("{\"a\": [1", 9, "`]` is missing at the end"),
            ("{\"a\": 1\n", 8, "`}` is missing at the end"),
            ("{\"a\": \"x", 9, "the text has no closing quote"),
            ("{\"a\":", 6, "a value is missing at the end"),
            ("{\"a\": \"x\n\"}", 9, "the text has no closing quote on its line; a line break in it is written `\\n`"),
            ("{\"a\": \"\t\"}", 8, "this character must be written as an escape, such as `\\t`"),
            ("{\"a\" 1}", 6, "`:` is missing after the name"),
            ("{a: 1}", 2, "a name needs double quotes around it"),
            ("{'a': 1}", 2, "only straight double quotes enclose text"),
            ("{\"a\": 'x'}", 7, "only straight double quotes enclose text"),
            ("{\"a\": t3.micro}", 7, "text needs double quotes around it"),
            ("{\"a\": True}", 7, "text needs double quotes around it"),
            ("{\"a\": }", 7, "a value is missing before this"),
            ("{\"a\": 1 \"b\": 2}", 9, "`,` or `}` is missing before this"),
            ("{\"a\": [1 2]}", 10, "`,` or `]` is missing before this"),
            ("{\"a\": 1} x", 10, "nothing may follow the end of the description"),
            ("{\"a\": 1, // b\n\"c\": 2}", 10, "JSON has no comments; TOML has"),
            ("{\"a\": \"\\d\"}", 9, "a backslash begins an escape, and this is none"),
        ] {
            let problem = problem_of(text);
            assert_eq!(problem.message, message, "{text}");
            assert_eq!(problem.place.unwrap().column, column, "{text}");
        }
        assert_eq!(problem_of("{\"a\": i-1}").help.as_deref(), Some("did you mean \"i-1\"?"));
        assert_eq!(problem_of("{\"a\": True}").help.as_deref(), Some("did you mean `true`?"));
    }

    #[test]
    fn a_literal_that_stands_for_nothing_has_its_own_place() {
        for (text, line, column) in [
            ("{\"a\": 1,\n \"b\": [2,  1e999]}", 2, 12),
            ("{\"a\": 1,\n \"b\": \"\\ud800\"}", 2, 7),
            ("{\"a\": 1,\n \"x\\udc00\": 1}", 2, 2),
        ] {
            let place = problem_of(text).place.unwrap();
            assert_eq!((place.line, place.column), (line, column), "{text}");
        }
    }
}
