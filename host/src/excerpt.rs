use std::ops::Range;

use crate::problem::{Excerpt, Place};

/// Fields whose values no error may repeat, as [`fold`] leaves them.
const SECRET: [&str; 5] = ["accesskey", "credentials", "secret", "sessiontoken", "userdata"];

/// Long lines are cut to about so many characters around the place.
const EXCERPT_CHARACTERS: usize = 120;

/// The place of `range` in `text`, with its line unless that names a secret:
/// the value can stand on the same line.
pub(crate) fn place(text: &str, range: Range<usize>) -> Place {
    let start = floor(text, range.start);
    let line = line_around(text, start);
    let end = floor(text, range.end).clamp(start, line.end.max(start));
    Place {
        line: text[..start].matches('\n').count() + 1,
        column: text[line.start..start].chars().count() + 1,
        excerpt: excerpt(&text[line.clone()], start - line.start, end - line.start),
    }
}

/// The same in a text whose fields are not known, since it cannot be read: any
/// secret named up to there may have its value on this line.
pub(crate) fn place_in_unread(text: &str, range: Range<usize>) -> Place {
    let mut place = place(text, range.clone());
    if follows_secret(text, range.start) || in_long_string(text, range.start) {
        place.excerpt = None;
    }
    place
}

/// Whether the name, or any name in the text, is one of a secret field, in
/// whatever spelling.
pub(crate) fn names_secret(text: &str) -> bool {
    let folded = fold(text);
    SECRET.iter().any(|secret| folded.contains(secret))
}

/// The bytes of the line around `at`, without its end.
pub(crate) fn line_around(text: &str, at: usize) -> Range<usize> {
    let at = floor(text, at);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// Without what people put between the words of a name, in small letters.
fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn follows_secret(text: &str, at: usize) -> bool {
    let before = &text[..line_around(text, at).start];
    // A comment sets nothing, and the file that `imds new` prints names secrets in comments.
    before.lines().any(|line| !line.trim_start().starts_with('#') && names_secret(line))
}

/// Whether `at` may lie in a string of several lines.
fn in_long_string(text: &str, at: usize) -> bool {
    let before = &text.as_bytes()[..at.min(text.len())];
    [&b"\"\"\""[..], b"'''"].iter().any(|quotes| {
        let opened = before.windows(3).filter(|window| window == quotes).count();
        opened % 2 == 1
    })
}

fn excerpt(line: &str, start: usize, end: usize) -> Option<Excerpt> {
    if names_secret(line) || line.trim().is_empty() {
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

/// The nearest start of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(text: &str, part: &str) -> Place {
        let at = text.rfind(part).unwrap();
        place_in_unread(text, at..at + part.len())
    }

    #[test]
    fn a_line_that_names_a_secret_is_not_shown() {
        let place = unread("[role]\nsecret-access-key = \"wJalr\nx = 1", "wJalr");
        assert_eq!((place.line, place.column, place.excerpt), (2, 22, None));
    }

    #[test]
    fn no_line_after_the_name_of_a_secret_is_shown() {
        for (text, part) in [
            ("{\"user-data\":\n \"line hunter2\n\"}", "hunter2"),
            ("user-data = [\n \"hunter2\", oops\n", "oops"),
            ("user-data = \"\"\"\nx\nhunter2\"\"\" oops\n", "oops"),
            ("{\"SecretAccessKey\":\n \"hunter2\" oops}", "oops"),
            ("user_dta = '''\nhunter2 \u{7}\n'''\n", "\u{7}"),
        ] {
            assert_eq!(unread(text, part).excerpt, None, "{text}");
        }
    }

    #[test]
    fn a_comment_about_a_secret_hides_nothing_after_it() {
        let text = "# user-data = \"\"\n# credentials\ninstance-type = t3\n";
        assert!(unread(text, "t3").excerpt.is_some());
        assert_eq!(unread("# user-data = hunter2", "hunter2").excerpt, None);
    }

    #[test]
    fn columns_count_characters() {
        let place = place("\"ä\" = ?", 7..8);
        assert_eq!(place.column, 7);
        assert_eq!(place.excerpt.unwrap().before, 6);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{{\"a\": \"{}\", oops}}", "x".repeat(5000));
        let excerpt = unread(&text, "oops").excerpt.unwrap();
        assert!(excerpt.text.chars().count() <= EXCERPT_CHARACTERS);
        assert_eq!(&excerpt.text[excerpt.before..][..4], "oops");
    }
}
