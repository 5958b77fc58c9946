//! The one escaper: whatever a terminal would obey, and whatever it would not show,
//! stands as an escape of Rust.

use std::fmt;
use std::fmt::Write as _;
use std::iter;

/// A text that a terminal shows and does not obey: control characters, marks
/// that turn the direction of writing and all else that is not seen stand as
/// escapes.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().flat_map(printable).try_for_each(|c| f.write_char(c))
    }
}

/// Lines, each without what a terminal would obey; their ends stay.
///
/// ```
/// assert_eq!(imds_host::shown::lines("a \u{1b}[2J\n\u{fc}"), "a \\u{1b}[2J\n\u{fc}");
/// ```
pub fn lines(lines: &str) -> String {
    lines.chars().flat_map(|c| escaped(c, c == '\n' || is_seen(c))).collect()
}

/// A character of an operator's, who may write in any language.
pub(crate) fn printable(c: char) -> impl Iterator<Item = char> {
    escaped(c, is_seen(c))
}

/// Adds a character of a client's, of whom nobody knows the language: what looks like
/// another character misleads nobody.
pub(super) fn push_ascii(text: &mut String, c: char) {
    match c {
        ' '..='~' => text.push(c),
        _ => text.extend(escaped(c, false)),
    }
}

/// Whether a reader sees the character: what Rust's debug form leaves as it is, and
/// what it escapes for Rust's sake alone.
fn is_seen(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1
}

fn escaped(c: char, is_plain: bool) -> impl Iterator<Item = char> {
    let plain = iter::once(c).filter(move |_| is_plain);
    plain.chain(c.escape_default().filter(move |_| !is_plain))
}

/// The most characters of a name that a message shows.
const NAME_CHARACTERS: usize = 60;

/// A name from a text, printable and of bounded length.
pub(crate) fn name(name: &str) -> String {
    let mut shown: String = name.chars().take(NAME_CHARACTERS).flat_map(printable).collect();
    if name.chars().nth(NAME_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let shown = |text| Printable(text).to_string();
        assert_eq!(shown("\u{1b}[31m\r\n\u{7f}\u{9b}"), r"\u{1b}[31m\r\n\u{7f}\u{9b}");
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200b}\u{feff}"), r"a\u{202e}b\u{2066}c\u{200b}\u{feff}");
        assert_eq!(shown("\u{a0}"), r"\u{a0}");
    }

    #[test]
    fn what_people_write_is_not_escaped() {
        let text = r#"C:\dir "it's" Zürich 東京 … “x”"#;
        assert_eq!(Printable(text).to_string(), text);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(name(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(name(&"x".repeat(1_000_000)), "x".repeat(60) + "…");
    }
}
