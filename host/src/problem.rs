use std::fmt;

use annotate_snippets::renderer::{
    DEFAULT_CONTEXT_STYLE, DEFAULT_EMPHASIS_STYLE, DEFAULT_ERROR_STYLE, DEFAULT_HELP_STYLE, DEFAULT_WARNING_STYLE,
    Style,
};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::redact::{Printable, name, without_secrets};

/// What is wrong with one description. Displays like a compiler's errors: the message,
/// the place, the line, and what to write instead. Control characters appear as
/// escapes, and long names are cut.
///
/// ```
/// use imds_host::{Description, Error};
///
/// let Err(Error::Invalid(problems)) = Description::from_toml("my.toml", "tags = [") else { panic!() };
/// assert_eq!(problems.list.len(), 1);
/// assert!(problems.to_string().contains("--> my.toml:1:"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The name of the text, usually a file's.
    pub source: String,
    /// The problems, at least one and at most 20, in the order of the text if it is
    /// known.
    pub list: Vec<Problem>,
}

/// One thing that is wrong with a description.
///
/// ```
/// # use imds_host::{Description, Error, Runtime};
/// let description = Description::from_json("my.json", r#"{"instance-type": 3}"#)?;
/// let Err(Error::Invalid(problems)) = Runtime::new()?.open(&description) else { panic!() };
/// let place = problems.list[0].place.as_ref().unwrap();
/// assert_eq!((place.line, place.column), (1, 19));
/// # Ok::<_, Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, as a JSON Pointer (RFC 6901); empty for the whole document.
    pub field: String,
    /// Whether the name of the field is wrong, and not its value.
    pub in_name: bool,
    /// The message, without a final full stop.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// The place in the text.
    pub place: Option<Place>,
    /// What set the field in place of the text, for instance a command line's
    /// `--http-tokens`.
    pub set_by: Option<String>,
}

/// A place in a text.
///
/// ```
/// # use imds_host::{Description, Error};
/// let Err(Error::Invalid(problems)) = Description::from_json("my.json", "{\n  oops }") else { panic!() };
/// assert_eq!(problems.list[0].place.as_ref().map(|place| place.line), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The line itself; `None` if it could contain a secret.
    pub excerpt: Option<Excerpt>,
}

/// The line of a problem.
///
/// ```
/// # use imds_host::{Description, Error};
/// let Err(Error::Invalid(problems)) = Description::from_json("my.json", "{ oops }") else { panic!() };
/// let excerpt = problems.list[0].place.as_ref().and_then(|place| place.excerpt.as_ref());
/// assert_eq!(excerpt.map(|excerpt| excerpt.text.as_str()), Some("{ oops }"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, or the part of a long line around the place. Control characters appear
    /// as escapes.
    pub text: String,
    /// The characters of `text` before the place.
    pub before: usize,
    /// The characters of `text` that are the place, at least 1.
    pub length: usize,
}

impl Problems {
    /// Displays like `self`, with ANSI colours, for a terminal.
    ///
    /// ```
    /// # use imds_host::{Description, Error};
    /// let Err(Error::Invalid(problems)) = Description::from_toml("my.toml", "tags = [") else { panic!() };
    /// assert!(problems.styled().to_string().starts_with("\u{1b}["));
    /// assert!(!problems.to_string().contains('\u{1b}'));
    /// ```
    pub fn styled(&self) -> impl fmt::Display + '_ {
        Styled(|f: &mut fmt::Formatter<'_>| self.write(&Look::styled(Kind::Error), f))
    }

    fn write(&self, look: &Look, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            problem.write(look, "", &self.source, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&Look::plain(Kind::Error), f)
    }
}

/// What a function writes.
pub(crate) struct Styled<F>(pub(crate) F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Styled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

/// Whether what is said makes a description invalid.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Error,
    Warning,
}

/// How problems look.
pub(crate) struct Look {
    kind: Kind,
    renderer: Renderer,
    /// Of the word that names the kind, the message, the arrow and the word `help`.
    styles: [Style; 4],
}

impl Look {
    /// As files and pipes have them.
    pub(crate) fn plain(kind: Kind) -> Self {
        Self { kind, renderer: Renderer::plain(), styles: [Style::new(); 4] }
    }

    /// As terminals have them.
    pub(crate) fn styled(kind: Kind) -> Self {
        let of_kind = match kind {
            Kind::Error => DEFAULT_ERROR_STYLE,
            Kind::Warning => DEFAULT_WARNING_STYLE,
        };
        let styles = [of_kind, DEFAULT_EMPHASIS_STYLE, DEFAULT_CONTEXT_STYLE, DEFAULT_HELP_STYLE];
        Self { kind, renderer: Renderer::styled(), styles }
    }
}

impl Problem {
    /// Writes it, with what stands behind the message.
    pub(crate) fn write(&self, look: &Look, behind: &str, source: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [of_kind, of_message, of_arrow, of_help] = look.styles;
        let kind = match look.kind {
            Kind::Error => "error",
            Kind::Warning => "warning",
        };
        write!(f, "{of_kind}{kind}{of_kind:#}{of_message}: {}{of_message:#}{behind}", Printable(&self.message))?;
        let margin = self.place.as_ref().map_or(1, |place| place.line.to_string().len());
        write!(f, "\n{:margin$}{of_arrow}-->{of_arrow:#} ", "")?;
        match (&self.set_by, &self.place) {
            (Some(set_by), _) => write!(f, "{}{}", Printable(set_by), self.within(set_by))?,
            (None, Some(place)) => write!(f, "{}:{}:{}", Printable(source), place.line, place.column)?,
            (None, None) => write!(f, "{}", Printable(source))?,
        }
        // What was set from elsewhere is named by that: its user never wrote the field.
        if self.set_by.is_none() && !self.field.is_empty() {
            write!(f, " ({})", Dotted(&self.field))?;
        }
        if let Some(Place { line, excerpt: Some(excerpt), .. }) = &self.place {
            write!(f, "\n{}", excerpt.with_carets(*line, look))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n{of_help}help{of_help:#}: {}", Printable(help))?;
        }
        Ok(())
    }

    /// The way to the problem inside of the field that a flag set: `[1]` for the second
    /// value of `--set billing-products`.
    fn within(&self, set_by: &str) -> String {
        let field = Dotted(&self.field).to_string();
        let set = set_by.rsplit(' ').next().unwrap_or_default();
        let within = field.strip_prefix(set).filter(|within| !set.is_empty() && within.starts_with(['[', '.']));
        within.unwrap_or_default().to_owned()
    }
}

impl Excerpt {
    /// The line with its number and, below the place, carets. The library is given this
    /// line alone, and not the text: what may be a secret was left out before. So
    /// the place in the text, which it would take from there, is not for it to say.
    fn with_carets(&self, line: usize, look: &Look) -> String {
        let at = |character: usize| self.text.char_indices().nth(character).map_or(self.text.len(), |(at, _)| at);
        let place = at(self.before)..at(self.before.saturating_add(self.length));
        let snippet = Snippet::source(&self.text).line_start(line).annotation(AnnotationKind::Primary.span(place));
        let level = match look.kind {
            Kind::Error => Level::ERROR,
            Kind::Warning => Level::WARNING,
        };
        look.renderer.render(&[Group::with_level(level).element(snippet)])
    }
}

/// A JSON Pointer as one writes it in TOML: `network-interfaces[0].mac-address`.
struct Dotted<'a>(&'a str);

impl fmt::Display for Dotted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in segments(self.0).enumerate() {
            let step = without_secrets(&name(&step));
            if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
                write!(f, "[{step}]")?;
                continue;
            }
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&step)?;
        }
        Ok(())
    }
}

/// The names in a JSON Pointer, unescaped.
pub(crate) fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// What the component says about a description, before its place is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finding {
    pub(crate) field: String,
    pub(crate) in_name: bool,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What the component warns of, each with the name of its rule.
pub(crate) type NamedFindings = Vec<(String, Finding)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_shown(text: &str, before: usize, length: usize, wanted: &str) {
        let excerpt = Excerpt { text: text.to_owned(), before, length };
        assert_eq!(excerpt.with_carets(12, &Look::plain(Kind::Error)), wanted, "{text:?}");
    }

    #[test]
    fn carets_stand_below_the_place() {
        assert_shown("a = oops # x", 4, 4, "   |\n12 | a = oops # x\n   |     ^^^^");
        // At the end, where something is missing, even behind white space.
        assert_shown("a = [", 5, 1, "   |\n12 | a = [\n   |      ^");
        assert_shown("a =   ", 5, 1, "   |\n12 | a =   \n   |      ^");
        // Two columns for each of these.
        assert_shown("a = '東京' 3", 9, 1, "   |\n12 | a = '東京' 3\n   |            ^");
    }

    #[test]
    fn a_line_of_escapes_is_cut_around_the_place() {
        let text = "\\u{202e}".repeat(60) + "oops" + &"\\u{202e}".repeat(60);
        let excerpt = Excerpt { text, before: 480, length: 4 };
        let shown = excerpt.with_carets(1, &Look::plain(Kind::Error));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= 150) && lines[1].contains("oops"), "{shown}");
        assert_eq!(lines[1].find("oops"), lines[2].find("^^^^"), "{shown}");
    }

    /// An embedder can make one up.
    #[test]
    fn a_place_outside_of_its_line_is_its_end() {
        for (before, length) in [(99, 1), (usize::MAX, usize::MAX), (1, usize::MAX), (0, 0)] {
            let excerpt = Excerpt { text: "ä".to_owned(), before, length };
            assert!(excerpt.with_carets(usize::MAX, &Look::plain(Kind::Error)).contains('^'), "{before} {length}");
        }
    }
}
