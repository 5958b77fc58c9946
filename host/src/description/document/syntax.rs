//! What is wrong with a text that cannot be read, in its user's words: the
//! parsers speak of their grammars.

use std::ops::Range;

use crate::description::excerpt::place;
use crate::description::lines::Lines;
use crate::description::secrets::names_secret;
use crate::problem::Problem;
use crate::redact::{has_secret, name};

/// Of a character that no text has.
pub(super) const NUL: &str = "this is a NUL character, which no text has";
pub(super) const WITHOUT_NUL: &str =
    "take it out; where a file has many, it is damaged, no text, or text of another encoding than UTF-8";

/// A text that cannot be read, so that its fields are not known.
pub(super) struct Unread<'t> {
    pub(super) lines: Lines<'t>,
    /// What may be the value of a secret.
    pub(super) hidden: Vec<Range<usize>>,
}

impl<'t> Unread<'t> {
    pub(super) fn text(&self) -> &'t str {
        self.lines.text()
    }

    /// A problem of the text at `range`. Its line is shown if no secret can be
    /// on it.
    pub(super) fn problem(&self, range: Range<usize>, message: impl Into<String>, help: Option<String>) -> Problem {
        let mut place = place(&self.lines, range);
        let line = self.lines.line(place.line);
        let is_hidden = |hidden: &Range<usize>| hidden.start <= line.end && line.start < hidden.end;
        let shown = &self.text()[line.clone()];
        if names_secret(shown) || has_secret(shown) || self.hidden.iter().any(is_hidden) {
            place.excerpt = None;
        }
        // The help may repeat what stands there.
        let help = help.filter(|_| place.excerpt.is_some());
        Problem {
            field: String::new(),
            in_name: false,
            message: message.into(),
            help,
            place: Some(place),
            set_by: None,
        }
    }
}

/// The word at `range`, which a parser may have noticed in its middle, up to
/// white space or one of `ends`.
pub(super) fn word(text: &str, range: Range<usize>, ends: &str) -> Range<usize> {
    let ends = |c: char| c.is_whitespace() || ends.contains(c);
    let at = range.start.min(text.len());
    let start = text[..at].char_indices().rfind(|(_, c)| ends(*c)).map_or(0, |(end, c)| end + c.len_utf8());
    let end = text[at..].find(ends).map_or(text.len(), |end| at + end);
    start..end
}

/// The last character before `at` that is no white space.
pub(super) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].trim_end().chars().next_back()
}

/// What to write for a word that is no value.
pub(super) fn in_place_of(word: &str) -> Option<String> {
    Some(match word.to_ascii_lowercase().as_str() {
        "" => return None,
        truth @ ("true" | "false") => format!("did you mean `{truth}`?"),
        "nil" | "none" | "null" => {
            "leave the field out for its default, or write `false` where there is none".to_owned()
        }
        _ => format!("did you mean \"{}\"?", name(word.trim_matches(QUOTES))),
    })
}

/// What a word processor makes of quotes, and single ones.
pub(super) const QUOTES: [char; 6] = ['\'', '"', '“', '”', '‘', '’'];
