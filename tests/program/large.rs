//! `imds check` on the largest files that it reads.

use super::*;

/// The size of the files.
const BYTES: usize = 1 << 20;

/// No file gets more.
const MOST_ERRORS: usize = 20;

#[test]
fn unknown_fields() {
    refused_soon("unknown.toml", lines(|n| format!("x{n}=1\n")));
    refused_soon("unknown.json", object(&lines(|n| format!("\"x{n}\":1,"))));
    let table = |n| if n % 90 == 0 { "[[events]]\n" } else { "" };
    refused_soon("unknown-in-tables.toml", lines(|n| format!("{}x{n}=1\n", table(n))));
    let many = object(&(0..90).map(|n| format!("\"x{n}\":1,")).collect::<String>());
    refused_soon("unknown-in-objects.json", format!("{{\"events\":[{}{{}}]}}", lines(|_| format!("{many},"))));
}

#[test]
fn errors_of_syntax() {
    refused_soon("values.toml", lines(|n| format!("a{n}=t3\n")));
    refused_soon("no-values.toml", lines(|_| "a=\n".to_owned()));
    refused_soon("commas.toml", format!("a=[{}]", ",".repeat(BYTES - 4)));
    refused_soon("escapes.toml", lines(|n| format!("a{n}=\"\\q\"\n")));
    refused_soon("control-characters.json", format!("{{\"a\":\"{}", "\u{1}".repeat(BYTES - 6)));
    refused_soon("at-the-end.toml", "\n".repeat(BYTES - 2) + "x=");
}

#[test]
fn fields_given_twice() {
    refused_soon("twice.toml", lines(|_| "a=1\n".to_owned()));
    refused_soon("twice-in-a-line.toml", format!("a={}", object(&lines(|_| "b=1,".to_owned()))));
    refused_soon("tables-twice.toml", lines(|_| "[t]\n".to_owned()));
    refused_soon("twice.json", object(&lines(|n| format!("\"a{}\":1,", n / 2))));
}

#[test]
fn what_is_deep_or_long() {
    refused_soon("deep.toml", format!("a={}", "[".repeat(100_000)));
    refused_soon("deep.json", "[".repeat(100_000));
    refused_soon("deep-and-whole.json", "[".repeat(BYTES / 2) + &"]".repeat(BYTES / 2));
    refused_soon("deep-name.toml", format!("a{}=1", ".a".repeat(BYTES / 2 - 2)));
    refused_soon("long-name.toml", format!("{}=1", "x".repeat(BYTES - 2)));
    refused_soon("long-name.json", format!("{{\"tags\":{{\"{}\":1}}}}", "x".repeat(BYTES - 15)));
}

/// So many lines that the file has nearly the size.
fn lines(line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        let line = line(number);
        if text.len() + line.len() > BYTES - 100 {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// An object of members, each with a comma behind it.
fn object(members: &str) -> String {
    format!("{{{}}}", members.trim_end_matches(','))
}

/// Where time grows with the square of the text, this takes minutes.
#[track_caller]
fn refused_soon(name: &str, content: String) {
    let file = File::new(&format!("large/{name}"), content);
    let start = Instant::now();
    let output = imds(&["check", file.path.to_str().unwrap()]);
    let (time, errors) = (start.elapsed(), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{name}");
    let count = errors.lines().filter(|line| line.starts_with("error: ")).count();
    assert!((1..=MOST_ERRORS).contains(&count) && errors.len() < 20_000, "{name}: {count} errors");
    assert!(time < DEADLINE, "{name}: {time:?}");
}
