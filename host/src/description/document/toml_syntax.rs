//! The TOML parser's messages in a user's words.

use std::ops::Range;

use super::syntax::{QUOTES, Unread, in_place_of, word};
use super::toml_keys::Keys;
use crate::problem::Problem;
use crate::redact::{name, printable};

/// The problem of which the parser says `message` at `range`; `keys` are the
/// names that it could read. What is not known here is passed on as it is.
pub(super) fn explain(message: &str, unread: &Unread<'_>, range: Range<usize>, keys: &Keys<'_>) -> Problem {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let plain = |message: &str| unread.problem(range.clone(), message, None);
    match what {
        "duplicate key" => given_twice(unread, range, keys),
        "string values must be quoted" | "missing value" | "missing value for key" => no_value(unread, range),
        "unexpected leading zero"
        | "unexpected sign"
        | "redundant numeric sign"
        | "redundant integer number prefix"
        | "integers with a radix cannot be signed"
        | "radix must be lowercase"
        | "`_` may only go between digits"
        | "invalid boolean"
        | "invalid date-time"
        | "invalid date"
        | "invalid time"
        | "invalid float"
        | "invalid mantissa"
        | "invalid fraction"
        | "invalid exponent" => no_value(unread, range),
        number if number.starts_with("invalid ") && number.ends_with(" number") => no_value(unread, range),
        string if string.starts_with("invalid ") && string.ends_with(" string") => match expected {
            "`\"`" | "`'`" | "`\"\"\"`" | "`'''`" => not_closed(unread, range, string.contains("multi-line")),
            _ => plain("this character must be written as an escape, such as \\u0007"),
        },
        "missing opening quote" => plain("a quote is missing before this text"),
        "missing escaped value" => {
            let help = "a backslash is written `\\\\`, or as it is in single quotes: 'C:\\dir'";
            unread.problem(range, "a backslash begins an escape, and this is none", Some(help.to_owned()))
        }
        "too few unicode value digits" => plain("an escape has 4 digits behind `\\u` and 8 behind `\\U`"),
        "invalid unquoted key"
        | "key with no value"
        | "invalid key"
        | "invalid key-value pair"
        | "invalid table"
        | "unexpected content"
        | "unquoted keys cannot be empty" => no_name(unread, range),
        "missing comma between array elements" | "unclosed array" => plain("`,` or `]` is missing before this"),
        "missing comma between key-value pairs" | "unclosed inline table" => plain("`,` or `}` is missing before this"),
        "unclosed table" | "unclosed array table" => plain("`]` is missing"),
        "missing table open" | "missing array opening" => plain("`[` is missing before this"),
        "missing inline table opening" => plain("`{` is missing before this"),
        "missing key for inline table element" | "invalid inline table element" => {
            plain("a name and `=` are missing before this")
        }
        "missing assignment between key-value pairs" => plain("`=` is missing before this"),
        "extra comma in array" | "extra comma in inline table" => plain("there is a comma too many"),
        "extra `=`" | "extra assignment between key-value pairs" => plain("there is a `=` too many"),
        "unexpected `=` in array" => plain("a name cannot stand in an array but in `{ name = value }`"),
        "unexpected key or value" => plain("nothing may follow the value on its line"),
        "unexpected content between comment and newline" | "invalid comment character" => {
            plain("a comment cannot hold this character")
        }
        "carriage return must be followed by newline" => plain("a carriage return alone ends no line"),
        "cannot recurse further; max recursion depth met" => plain("nested too deep"),
        // The parser does not tell where.
        "recursion limit" => Problem { place: None, ..plain("a name has too many parts") },
        extended if extended.starts_with("cannot extend value of type ") => {
            plain("this field was given before, and not as a table")
        }
        _ => plain(message),
    }
}

fn given_twice(unread: &Unread<'_>, range: Range<usize>, keys: &Keys<'_>) -> Problem {
    let text = unread.text();
    let twice = text.get(range.clone()).unwrap_or_default().trim_matches(QUOTES);
    let line = unread.lines.around(range.start);
    let first = match text[line.clone()].trim_start().starts_with('[') {
        true => first_of_table(&text[..line.start], text[line].trim(), twice),
        false => keys.last_before(twice, range.start),
    };
    let mut problem = unread.problem(range, format!("field `{}` is given twice", name(twice)), None);
    problem.help = first.map(|at| format!("it was first given in line {}", unread.lines.number(at)));
    problem
}

/// Where `before` has this header, or a line that begins with the name: of two
/// tables or fields the parser keeps the second.
fn first_of_table(before: &str, header: &str, name: &str) -> Option<usize> {
    let begins_line = |at: &usize| before[..*at].rsplit('\n').next().is_some_and(|begin| begin.trim().is_empty());
    let is_whole =
        |at: &usize| !before[at + name.len()..].starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c));
    let places = |text| before.match_indices(text).map(|(at, _)| at).filter(begins_line);
    places(header).next().or_else(|| places(name).find(is_whole))
}

/// Where a value is expected and none stands.
fn no_value(unread: &Unread<'_>, range: Range<usize>) -> Problem {
    let text = unread.text();
    let line = unread.lines.around(range.start);
    let mut word = word(text, range.clone(), "=,[]{}#");
    if word.is_empty() || text[word.clone()].starts_with('=') {
        return unread.problem(range, "a value is missing here", None);
    }
    // On a line of its own the text goes on to the line's end.
    let rest = text[word.start..line.end].split(" #").next().unwrap_or_default().trim_end();
    if text[line.start..word.start].trim_end().ends_with('=') && !rest.contains(['[', ']', '{', '}', ',', '"']) {
        word.end = word.start + rest.len();
    }
    let shown = &text[word.clone()];
    if is_like_a_time(shown) {
        let help = "a time is written 2026-09-26T11:16:22Z".to_owned();
        return unread.problem(word, "there is no such date or time", Some(help));
    }
    let message = if shown.starts_with(['“', '”', '‘', '’']) {
        "only straight quotes enclose text"
    } else {
        "text needs quotes around it"
    };
    unread.problem(word, message, in_place_of(shown))
}

/// Whether a word begins as a date does, `2026-09`, or a time, `11:16`.
fn is_like_a_time(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    matches!((digits, word.as_bytes().get(digits)), (4, Some(b'-')) | (2, Some(b':')))
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TtZz ".contains(&byte))
}

/// Where a name and `=` are expected.
fn no_name(unread: &Unread<'_>, range: Range<usize>) -> Problem {
    const COLON: &str = "`=` stands between a name and its value, not `:`";
    let text = unread.text();
    let line = unread.lines.around(range.start);
    let at = range.start.min(line.end);
    let begin = text[line.start..at].trim_end();
    if begin.ends_with(':') {
        let colon = line.start + begin.len() - 1;
        return unread.problem(colon..colon + 1, COLON, None);
    }
    let message = match text[at..line.end].chars().next() {
        Some(':') => COLON,
        Some('=') => "a name is missing before `=`",
        Some('{') if text.trim_start().starts_with('{') => {
            let help = "TOML is expected because of the file's name; name it .json";
            return unread.problem(range, "this is JSON", Some(help.to_owned()));
        }
        Some(c) if !c.is_ascii() && printable(c).count() > 1 => "this character is not seen; a plain space is one",
        _ if text[line.clone()].contains('=') => "a name with spaces or special characters needs quotes around it",
        _ => "`=` and a value are missing after the name",
    };
    unread.problem(range, message, None)
}

/// A string without its end.
fn not_closed(unread: &Unread<'_>, range: Range<usize>, long: bool) -> Problem {
    if !long {
        return unread.problem(range, "the text has no closing quote on its line", None);
    }
    let text = unread.text();
    let before = &text[..range.start.min(text.len())];
    // Of a string that goes on to the end of the text, the beginning tells more.
    let opened = before.rfind("\"\"\"").max(before.rfind("'''")).unwrap_or(range.start);
    unread.problem(opened..opened + 3, "the text that begins here has no closing quotes", None)
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
            ("a = 2026-02-30\n", "there is no such date or time", "a time is written 2026-09-26T11:16:22Z"),
            ("a = 25:00:00\n", "there is no such date or time", "a time is written 2026-09-26T11:16:22Z"),
            ("a == 1\n", "there is a `=` too many", ""),
            ("a = [\"b\" = 1]\n", "a name cannot stand in an array but in `{ name = value }`", ""),
            ("a = { { b = 1 } }\n", "a name and `=` are missing before this", ""),
            ("a\u{a0}= 1\n", "this character is not seen; a plain space is one", ""),
            ("a = 1\rb = 2\n", "a carriage return alone ends no line", ""),
            ("a = 1 # \u{7}\n", "a comment cannot hold this character", ""),
            ("a = \"\\u12\"\n", "an escape has 4 digits behind `\\u` and 8 behind `\\U`", ""),
            ("a = 1\na.b = 2\n", "this field was given before, and not as a table", ""),
            ("a = 1_\n", "text needs quotes around it", "did you mean \"1_\"?"),
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
            ("ab = 1\na = 2\n[a]\n", "a", 2),
            ("a.b = 1\n[a]\nc = 2\n", "a", 1),
            ("# [a]\n[a]\n[b]\n[a]\n", "a", 2),
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
    fn what_is_nested_too_deep_is_refused_with_its_place_where_that_is_known() {
        let problem = first(&format!("a = {}", "[".repeat(1000)));
        assert_eq!((problem.message.as_str(), problem.place.is_some()), ("nested too deep", true));
        let problem = first(&format!("b = 1\na{} = 1", ".a".repeat(1000)));
        assert_eq!((problem.message.as_str(), problem.place), ("a name has too many parts", None));
    }

    #[test]
    fn a_long_name_is_cut() {
        let name = "instance-type-".repeat(70);
        assert!(first(&format!("{name} = 1\n{name} = 2\n")).message.len() < 100);
        assert!(first(&format!("a = {name}\n")).help.unwrap().len() < 100);
    }

    #[test]
    fn help_repeats_no_secret() {
        let problem = first("user-data = hunter2\n");
        assert_eq!((problem.message.as_str(), problem.help), ("text needs quotes around it", None));
    }
}
