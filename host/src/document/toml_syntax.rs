//! The TOML parser's messages in a user's words.

use std::ops::Range;

use ::toml::de::{DeTable, DeValue};

use super::syntax::{QUOTES, in_place_of, problem, word};
use crate::excerpt::line_around;
use crate::problem::Problem;

/// The problem of which the parser says `message` at `range`; `read` is what it
/// could make of `text`. What is not known here is passed on as it is.
pub(super) fn explain(message: &str, text: &str, range: Range<usize>, read: &DeTable<'_>) -> Problem {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let plain = |message: &str| problem(text, range.clone(), message, None);
    match what {
        "duplicate key" => given_twice(text, range, read),
        "string values must be quoted" | "missing value" | "missing value for key" => no_value(text, range),
        "unexpected leading zero"
        | "invalid boolean"
        | "invalid date-time"
        | "invalid date"
        | "invalid time"
        | "invalid float"
        | "invalid mantissa"
        | "invalid fraction"
        | "invalid exponent" => no_value(text, range),
        number if number.starts_with("invalid ") && number.ends_with(" number") => no_value(text, range),
        string if string.starts_with("invalid ") && string.ends_with(" string") => match expected {
            "`\"`" | "`'`" | "`\"\"\"`" | "`'''`" => not_closed(text, range, string.contains("multi-line")),
            _ => plain("this character must be written as an escape, such as \\u0007"),
        },
        "missing opening quote" => plain("a quote is missing before this text"),
        "missing escaped value" => {
            let help = "a backslash is written `\\\\`, or as it is in single quotes: 'C:\\dir'";
            problem(text, range, "a backslash begins an escape, and this is none", Some(help.to_owned()))
        }
        "invalid unquoted key" | "key with no value" | "invalid key-value pair" | "unquoted keys cannot be empty" => {
            no_name(text, range)
        }
        "missing comma between array elements" | "unclosed array" => plain("`,` or `]` is missing before this"),
        "missing comma between key-value pairs" | "unclosed inline table" => plain("`,` or `}` is missing before this"),
        "unclosed table" | "unclosed array table" => plain("`]` is missing"),
        "extra comma in array" | "extra comma in inline table" => plain("there is a comma too many"),
        "unexpected key or value" => plain("nothing may follow the value on its line"),
        _ => plain(message),
    }
}

fn given_twice(text: &str, range: Range<usize>, read: &DeTable<'_>) -> Problem {
    let name = text.get(range.clone()).unwrap_or_default().trim_matches(QUOTES);
    let message = format!("field `{}` is given twice", name.escape_debug());
    // Of two equal headers the parser keeps the second.
    let line = line_around(text, range.start);
    let header = text[line.clone()].trim_start().starts_with('[');
    let first = match header {
        true => text[..line.start].rfind(text[line].trim_end()),
        false => last_before(read, name, range.start),
    };
    let help = first.map(|at| format!("it was first given in line {}", text[..at].matches('\n').count() + 1));
    let mut problem = problem(text, range, message, None);
    problem.help = help;
    problem
}

/// Where a field of this name stands nearest before `end`.
fn last_before(table: &DeTable<'_>, name: &str, end: usize) -> Option<usize> {
    let here = |(key, value): (&::toml::Spanned<_>, &::toml::Spanned<DeValue<'_>>)| {
        let key: &::toml::Spanned<std::borrow::Cow<'_, str>> = key;
        let at = (key.get_ref() == name && key.span().start < end).then(|| key.span().start);
        at.max(last_in_value(value.get_ref(), name, end))
    };
    table.iter().filter_map(here).max()
}

fn last_in_value(value: &DeValue<'_>, name: &str, end: usize) -> Option<usize> {
    match value {
        DeValue::Table(table) => last_before(table, name, end),
        DeValue::Array(items) => items.iter().filter_map(|item| last_in_value(item.get_ref(), name, end)).max(),
        _ => None,
    }
}

/// Where a value is expected and none stands.
fn no_value(text: &str, range: Range<usize>) -> Problem {
    let line = line_around(text, range.start);
    let mut word = word(text, range.clone(), "=,[]{}#");
    if word.is_empty() || text[word.clone()].starts_with('=') {
        return problem(text, range, "a value is missing here", None);
    }
    // On a line of its own the text goes on to the line's end.
    let rest = text[word.start..line.end].split(" #").next().unwrap_or_default().trim_end();
    if text[line.start..word.start].trim_end().ends_with('=') && !rest.contains(['[', ']', '{', '}', ',', '"']) {
        word.end = word.start + rest.len();
    }
    let shown = &text[word.clone()];
    let message = if shown.starts_with(['“', '”', '‘', '’']) {
        "only straight quotes enclose text"
    } else {
        "text needs quotes around it"
    };
    problem(text, word, message, in_place_of(shown))
}

/// Where a name and `=` are expected.
fn no_name(text: &str, range: Range<usize>) -> Problem {
    let line = line_around(text, range.start);
    let at = range.start.min(line.end);
    let message = match text[at..line.end].chars().next() {
        next if next == Some(':') || text[line.start..at].trim_end().ends_with(':') => {
            "`=` stands between a name and its value, not `:`"
        }
        Some('=') => "a name is missing before `=`",
        Some('{') if text.trim_start().starts_with('{') => {
            let help = "TOML is expected because of the file's name; name it .json";
            return problem(text, range, "this is JSON", Some(help.to_owned()));
        }
        _ if text[line.clone()].contains('=') => "a name with spaces or special characters needs quotes around it",
        _ => "`=` and a value are missing after the name",
    };
    problem(text, range, message, None)
}

/// A string without its end.
fn not_closed(text: &str, range: Range<usize>, long: bool) -> Problem {
    if !long {
        return problem(text, range, "the text has no closing quote on its line", None);
    }
    let before = &text[..range.start.min(text.len())];
    // Of a string that goes on to the end of the text, the beginning tells more.
    let opened = before.rfind("\"\"\"").max(before.rfind("'''")).unwrap_or(range.start);
    problem(text, opened..opened + 3, "the text that begins here has no closing quotes", None)
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    fn first(text: &str) -> Problem {
        match Node::from_toml(text) {
            Ok(_) => panic!("that is valid: {text}"),
            Err(problems) => problems.into_iter().next().unwrap(),
        }
    }

    #[test]
    fn what_parsers_say_is_said_in_words() {
        for (text, message, help) in [
            ("a = t3.micro\n", "text needs quotes around it", "did you mean \"t3.micro\"?"),
            ("a = 10.0.0.10\n", "text needs quotes around it", "did you mean \"10.0.0.10\"?"),
            ("a = my server # x\n", "text needs quotes around it", "did you mean \"my server\"?"),
            ("a = [i-1, i-2]\n", "text needs quotes around it", "did you mean \"i-1\"?"),
            ("a = 012\n", "text needs quotes around it", "did you mean \"012\"?"),
            ("a = True\n", "text needs quotes around it", "did you mean `true`?"),
            ("a = “x”\n", "only straight quotes enclose text", "did you mean \"x\"?"),
            ("a = \nb = 1\n", "a value is missing here", ""),
            ("a = # x\n", "a value is missing here", ""),
            ("a =", "a value is missing here", ""),
            ("a = \"x\n", "the text has no closing quote on its line", ""),
            ("a = 'x\n", "the text has no closing quote on its line", ""),
            ("a: 1\n", "`=` stands between a name and its value, not `:`", ""),
            ("a: b c\n", "`=` stands between a name and its value, not `:`", ""),
            ("\"a\" : 1\n", "`=` stands between a name and its value, not `:`", ""),
            ("a : 1\n", "`=` stands between a name and its value, not `:`", ""),
            ("a b = 1\n", "a name with spaces or special characters needs quotes around it", ""),
            ("a\n", "`=` and a value are missing after the name", ""),
            ("= 1\n", "a name is missing before `=`", ""),
            ("{\"a\": 1}", "this is JSON", "TOML is expected because of the file's name; name it .json"),
            ("a = [1\nb = 2\n", "`,` or `]` is missing before this", ""),
            ("a = { b = 1\nc = 2\n", "`,` or `}` is missing before this", ""),
            ("[a\nb = 1\n", "`]` is missing", ""),
            ("a = [1,,2]\n", "there is a comma too many", ""),
            ("a = \"x\" \"y\"\n", "nothing may follow the value on its line", ""),
        ] {
            let problem = first(text);
            assert_eq!((problem.message.as_str(), problem.help.as_deref().unwrap_or("")), (message, help), "{text}");
        }
    }

    #[test]
    fn a_field_given_twice_is_named_with_its_first_line() {
        for (text, name, line) in [
            ("a = 1\nb = 2\na = 3\n", "a", 1),
            ("[x]\na = 1\n[y]\na = 1\n\"a\" = 2\n", "a", 4),
            ("[tags]\na = 1\n[b]\n[tags]\n", "tags", 1),
            ("\nt = { a = 1, a = 2 }\n", "a", 2),
            ("[[n]]\nm = 1\n[[n]]\nm = 1\nm = 2\n", "m", 4),
        ] {
            let problem = first(text);
            assert_eq!(problem.message, format!("field `{name}` is given twice"), "{text}");
            assert_eq!(problem.help, Some(format!("it was first given in line {line}")), "{text}");
        }
    }

    #[test]
    fn a_long_text_without_an_end_is_shown_where_it_begins() {
        let place = first("a = 1\nb = \"\"\"x\ny\nz\n").place.unwrap();
        assert_eq!((place.line, place.column), (2, 5));
    }

    #[test]
    fn help_repeats_no_secret() {
        let problem = first("user-data = hunter2\n");
        assert_eq!((problem.message.as_str(), problem.help), ("text needs quotes around it", None));
    }
}
