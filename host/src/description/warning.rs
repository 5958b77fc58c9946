use std::fmt;

use crate::problem::{Kind, Look, Problem, Styled};
use crate::redact::name;

/// What a description says that can be served but cannot be real. Displays like
/// [`Problems`](crate::Problems), with the name of each warning in brackets.
///
/// ```
/// use imds_host::{Description, Runtime};
///
/// let description = Description::from_toml("my.toml", "tags = { Name = 'web' }")?;
/// let warnings = Runtime::new()?.warnings(&description, std::time::SystemTime::now())?;
/// assert!(warnings.to_string().starts_with("warning: the tags are not shown"));
/// assert!(warnings.to_string().contains("[tags-not-shown]\n --> my.toml:1:8 (tags)\n"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// The name of the text, usually a file's.
    pub source: String,
    /// The warnings, at most five with one name, in the order of the text if it is
    /// known.
    pub list: Vec<Warning>,
}

/// Something in a description that cannot be real.
///
/// ```
/// # use imds_host::{Description, Runtime};
/// let description = Description::from_toml("my.toml", "instance-type = 't3.mikro'")?;
/// let warnings = Runtime::new()?.warnings(&description, std::time::SystemTime::now())?;
/// assert_eq!(warnings.list[0].name, "unknown-instance-type");
/// assert_eq!(warnings.list[0].problem.help.as_deref(), Some("did you mean `t3.micro`?"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The name of its rule. A description suppresses it by that name in
    /// `allow-warnings`.
    pub name: String,
    /// The message and its place.
    pub problem: Problem,
}

impl Warnings {
    /// Displays like `self`, with ANSI colours, for a terminal.
    ///
    /// ```
    /// # use imds_host::{Description, Runtime};
    /// let description = Description::from_toml("my.toml", "tags = { Name = 'web' }")?;
    /// let warnings = Runtime::new()?.warnings(&description, std::time::SystemTime::now())?;
    /// assert!(warnings.styled().to_string().starts_with("\u{1b}["));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn styled(&self) -> impl fmt::Display + '_ {
        Styled(|f: &mut fmt::Formatter<'_>| self.write(&Look::styled(Kind::Warning), f))
    }

    fn write(&self, look: &Look, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, warning) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            // The name is the component's, which may be another than the one that comes with this.
            warning.problem.write(look, &format!(" [{}]", name(&warning.name)), &self.source, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&Look::plain(Kind::Warning), f)
    }
}
