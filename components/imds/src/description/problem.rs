//! What is wrong with a description, and where.

/// One thing that is wrong with a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The field concerned, as a JSON Pointer (RFC 6901); empty for the whole.
    pub field: String,
    /// Whether the field's name is what is wrong, not its value.
    pub in_name: bool,
    /// What is wrong, without a final full stop and without the value of a
    /// field that may hold a secret.
    pub message: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// Where in the text, if the text is not JSON at all.
    pub position: Option<Position>,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in bytes.
    pub column: u32,
}

impl Problem {
    /// A problem with the value of the field at `pointer`.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { field: pointer.into(), message: message.into(), ..Problem::default() }
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.field.as_str(), &self.position) {
            (_, Some(position)) => write!(f, "line {} column {}: ", position.line, position.column)?,
            ("", None) => {}
            (field, None) => write!(f, "{field}: ")?,
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Problem {}

/// The most problems that are told at once: nobody reads more, and each costs the
/// reader of descriptions another reading.
pub(crate) const PROBLEMS_MAX: usize = 20;

/// One step of a JSON Pointer, escaped as RFC 6901 asks.
pub fn pointer_step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The most characters of a name that a message shows.
const NAME_CHARACTERS: usize = 60;

/// A name from a description, fit for a message: of bounded length, with
/// escapes for what a terminal would obey or not show.
pub fn shown(name: &str) -> String {
    let is_quote = |c| matches!(c, '"' | '\'' | '\\');
    let mut shown = String::new();
    for c in name.chars().take(NAME_CHARACTERS) {
        if is_quote(c) { shown.push(c) } else { shown.extend(c.escape_debug()) }
    }
    if name.chars().nth(NAME_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_control_characters_and_cut() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}"), "a\\u{1b}[31m\\u{202e}");
        assert_eq!(shown("it's"), "it's");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 61);
    }
}
