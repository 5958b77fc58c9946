// Descriptions in one file, each on a line that names its caller.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str;
use std::sync::Arc;

use anyhow::Context;
use imds_host::{CallerKey, Problems};
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::keys::{Keys, Refused};
use super::load::{Entry, Source};
use super::wrong::problem;
use crate::cli::failure::WrongUse;
use crate::cli::file::open;

/// As much as a description may have, and more than what stands around it.
const LINE_BYTES_MAX: u64 = (1 << 20) + (1 << 10);

/// A hundred thousand descriptions of 10 KiB.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Gives the descriptions line by line, and what is wrong with the others.
pub fn read(
    file: &Path,
    callers: Option<&CallerKey>,
    give: &mut dyn FnMut(Result<Entry, Problems>),
) -> anyhow::Result<()> {
    let source: Arc<str> = file.display().to_string().into();
    let cannot = || WrongUse(format!("cannot read {source}"));
    let mut lines = BufReader::new(open(file).with_context(cannot)?.take(FILE_BYTES_MAX + 1));
    let mut keys = Keys::new(callers);
    let mut bytes = Vec::new();
    for number in 1.. {
        let is_whole = next_line(&mut lines, &mut bytes).with_context(cannot)?;
        if bytes.is_empty() {
            break;
        }
        let refuse = |column, message: String| problem(&source, Some((number, column)), message, Some(FORM.to_owned()));
        if !is_whole {
            give(Err(refuse(1, "this line is longer than 1 MiB, the most that a description may have".to_owned())));
            continue;
        }
        let line = match str::from_utf8(&bytes) {
            Ok(line) => line.strip_prefix('\u{feff}').unwrap_or(line),
            Err(_) => {
                give(Err(refuse(1, "this line is not UTF-8 text".to_owned())));
                continue;
            }
        };
        // One that ends the file, or stands between parts of it.
        if line.trim().is_empty() {
            continue;
        }
        give(match parse(line) {
            Ok((key, instance)) => match keys.take(&key, number) {
                Ok(key) => Ok(Entry {
                    key,
                    source: Source::Line {
                        file: Arc::clone(&source),
                        number,
                        before: line[..offset(line, instance)].chars().count(),
                        text: instance.to_owned(),
                    },
                }),
                Err(Refused::Unknown(error)) => Err(problem(&source, Some((number, 1)), error.to_string(), None)),
                Err(Refused::Twice(before)) => {
                    let message = format!("the caller `{key}` was given before, in line {before}");
                    Err(problem(&source, Some((number, 1)), message, None))
                }
            },
            // Told as the beginning of the next line.
            Err(error) if error.is_eof() => Err(refuse(line.trim_end().len() + 1, message(&error))),
            Err(error) => Err(refuse(error.column().max(1), message(&error))),
        });
    }
    if lines.get_ref().limit() == 0 {
        return Err(io::Error::other("it is larger than 1 GiB; divide it among several processes"))
            .with_context(cannot);
    }
    Ok(())
}

const FORM: &str =
    r#"each line has the form {"caller": "10.0.0.7", "instance": {…}}; for one instance alone there is --instance"#;

/// Reads the next line, with its end, into `bytes`, which are empty at the end of
/// the file. Of one that is too long, it reads on to its end and keeps the
/// beginning.
fn next_line(lines: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    lines.take(LINE_BYTES_MAX).read_until(b'\n', bytes)?;
    let is_whole = bytes.ends_with(b"\n") || (bytes.len() as u64) < LINE_BYTES_MAX;
    if !is_whole {
        lines.skip_until(b'\n')?;
    }
    Ok(is_whole)
}

fn parse(line: &str) -> serde_json::Result<(String, &str)> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let (caller, instance) = deserializer.deserialize_map(Line)?;
    deserializer.end()?;
    Ok((caller, instance.get()))
}

/// Without the place, and without what was found there, which may be secret.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    match what.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        _ => what.to_owned(),
    }
}

/// The place of `part`, which is a slice of `text`.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// One line: both fields, once, and no other.
struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = (String, &'de RawValue);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the fields `caller` and `instance`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut caller, mut instance) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "caller" if caller.is_none() => caller = Some(map.next_value()?),
                "instance" if instance.is_none() => instance = Some(map.next_value()?),
                "caller" => return Err(A::Error::duplicate_field("caller")),
                "instance" => return Err(A::Error::duplicate_field("instance")),
                _ => {
                    // Any length that a line can have.
                    let name: String = name.chars().take(60).collect();
                    return Err(A::Error::unknown_field(&name, &["caller", "instance"]));
                }
            }
        }
        match (caller, instance) {
            (Some(caller), Some(instance)) => Ok((caller, instance)),
            (None, _) => Err(A::Error::missing_field("caller")),
            (_, None) => Err(A::Error::missing_field("instance")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file of these bytes gives.
    fn read_bytes(name: &str, bytes: &[u8]) -> Vec<Result<(String, usize), String>> {
        let file = std::env::temp_dir().join(format!("imds-lines-{}-{name}", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        let mut given = Vec::new();
        let result = read(&file, Some(&CallerKey::ClientAddress), &mut |entry| {
            let entry = entry.map(|Entry { key, source }| match source {
                Source::Line { number, .. } => (key, number),
                Source::File(_) => panic!("there are no files"),
            });
            given.push(entry.map_err(|problems| problems.to_string()));
        });
        std::fs::remove_file(&file).unwrap();
        result.unwrap();
        given
    }

    #[test]
    fn lines_are_read_with_their_numbers() {
        let bytes = "\u{feff}{\"caller\": \"10.0.0.7\", \"instance\": {}}\r\n\n{\"instance\":{},\"caller\":\"::1\"}";
        let given = read_bytes("right", bytes.as_bytes());
        assert_eq!(given, [Ok(("10.0.0.7".to_owned(), 1)), Ok(("::1".to_owned(), 3))]);
        assert_eq!(read_bytes("empty", b""), []);
    }

    #[test]
    fn what_is_wrong_is_named_and_the_next_line_is_read() {
        let right = b"{\"caller\":\"::1\",\"instance\":{}}\n";
        for (name, line, column, message) in [
            ("json", &b"{\"caller\""[..], 10, "EOF while parsing an object"),
            ("list", b"[]", 1, "expected an object with the fields `caller` and `instance`"),
            ("text", b"\"hunter2\"", 9, "expected an object with the fields `caller` and `instance`"),
            ("missing", b"{\"caller\":\"10.0.0.7\"}", 21, "missing field `instance`"),
            ("unknown", b"{\"key\":1}", 6, "unknown field `key`, expected `caller` or `instance`"),
            ("twice", b"{\"caller\":\"a\",\"caller\":\"b\"}", 22, "duplicate field `caller`"),
            ("number", b"{\"caller\":7,\"instance\":{}}", 11, "expected a string"),
            ("more", b"{\"caller\":\"::2\",\"instance\":{}} {}", 32, "trailing characters"),
            ("key", b"{\"caller\":\"vm-7\",\"instance\":{}}", 1, "no caller can have the key `vm-7`"),
            ("utf-8", b"\xff", 1, "this line is not UTF-8 text"),
            ("long", &[b' '; LINE_BYTES_MAX as usize + 1], 1, "this line is longer than 1 MiB"),
        ] {
            let given = read_bytes(name, &[line, b"\n", right].concat());
            let [Err(wrong), Ok((key, 2))] = &given[..] else { panic!("{name}: {given:?}") };
            assert!(wrong.starts_with(&format!("error: {message}")), "{wrong}");
            assert!(wrong.lines().any(|line| line.ends_with(&format!("-{name}:1:{column}"))), "{wrong}");
            assert_eq!(key, "::1");
        }
        let given = read_bytes("again", &[&right[..], right].concat());
        let [Ok(_), Err(wrong)] = &given[..] else { panic!("{given:?}") };
        assert!(wrong.contains("the caller `::1` was given before, in line 1"), "{wrong}");
    }
}
