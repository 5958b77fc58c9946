//! JSON of texts from a service, for files that people open in a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Whether a terminal obeys a character, or shows the text around it in another order.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes JSON in which these characters are escaped.
pub fn write(to: impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Escaping)).map_err(io::Error::from)
}

/// A text as a JSON string, which is a string of TOML too.
pub fn string(text: &str) -> String {
    let mut bytes = Vec::new();
    // Memory takes all, and every text is JSON.
    let _ = write(&mut bytes, &text);
    String::from_utf8(bytes).unwrap_or_default()
}

/// JSON on one line.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((place, c)) = rest.char_indices().find(|(_, c)| is_unprintable(*c)) {
            CompactFormatter.write_string_fragment(to, &rest[..place])?;
            // All of them have four digits.
            write!(to, "\\u{:04x}", u32::from(c))?;
            rest = &rest[place + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(to, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_written_as_it_is() {
        let text = "a\u{7f}b\u{9b}31m\u{202e}c\u{2066}\n\u{1b}\"é";
        let written = string(text);
        assert_eq!(written, r#""a\u007fb\u009b31m\u202ec\u2066\n\u001b\"é""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
