// Prometheus' text format, version 0.0.4. By hand, for it is three kinds of lines: crates
// that write it bring a registry of metrics, which would count all that `Metrics` counts
// once more.

use std::fmt::{self, Display, Write};

/// A page that is being written.
pub(super) struct Exposition<'a> {
    to: &'a mut dyn Write,
}

impl<'a> Exposition<'a> {
    pub(super) fn new(to: &'a mut dyn Write) -> Self {
        Self { to }
    }

    /// Begins a metric, whose samples follow. `help` is one line without
    /// backslashes.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) -> fmt::Result {
        writeln!(self.to, "# HELP {name} {help}\n# TYPE {name} {kind}")
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) -> fmt::Result {
        self.to.write_str(name)?;
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            write!(self.to, "{before}{label}=\"")?;
            for c in text.chars() {
                match c {
                    '\\' | '"' => write!(self.to, "\\{c}")?,
                    '\n' => self.to.write_str("\\n")?,
                    _ => self.to.write_char(c)?,
                }
            }
            self.to.write_char('"')?;
        }
        if !labels.is_empty() {
            self.to.write_char('}')?;
        }
        writeln!(self.to, " {value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_the_format_says() {
        let mut text = String::new();
        let mut page = Exposition::new(&mut text);
        page.family("a_total", "counter", "What is counted.").unwrap();
        page.sample("a_total", &[], 3).unwrap();
        page.sample("a_total", &[("le", "0.1"), ("b", "\\ \" \n ä")], 0.25).unwrap();
        let lines = [
            "# HELP a_total What is counted.",
            "# TYPE a_total counter",
            "a_total 3",
            r#"a_total{le="0.1",b="\\ \" \n ä"} 0.25"#,
            "",
        ];
        assert_eq!(text, lines.join("\n"));
    }
}
