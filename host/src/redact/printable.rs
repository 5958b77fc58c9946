use std::fmt;
use std::fmt::Write as _;

/// A text that a terminal shows and does not obey: control characters, marks
/// that turn the direction of writing and all else that is not seen stand as
/// escapes.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().flat_map(printable).try_for_each(|c| f.write_char(c))
    }
}

/// A character as [`Printable`] shows it.
pub(crate) fn printable(c: char) -> impl Iterator<Item = char> {
    // Of what Rust's own escapes cover, quotes and the backslash are harmless.
    let plain = matches!(c, '"' | '\'' | '\\').then_some(c);
    let escaped = plain.is_none().then(|| c.escape_debug());
    plain.into_iter().chain(escaped.into_iter().flatten())
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
