use crate::engine::Status;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A change of an instance at a time of its description.
///
/// ```
/// use imds_host::{Control, Description, Runtime};
///
/// let description = Description::from_toml("web.toml", r#"timeline = [{ at = "+5m", state = "stopped" }]"#)?;
/// let control = Control::open(&Runtime::new()?, &description)?;
/// assert!(control.timeline()?.iter().any(|happening| happening.what == "state = stopped"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Happening {
    /// Its time, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: u64,
    /// What changes, in a few words for people, without anything that may be a secret.
    pub what: String,
}

impl Happening {
    /// Its time.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let description = Description::from_toml("web.toml", r#"timeline = [{ at = "+5m", state = "stopped" }]"#)?;
    /// # let control = Control::open(&Runtime::new()?, &description)?;
    /// let first = &control.timeline()?[0];
    /// assert!(first.at() > std::time::UNIX_EPOCH);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.at_ms)
    }
}

impl Status {
    /// What happens to the instance, in the order of time.
    pub(crate) fn timeline(&self) -> Vec<Happening> {
        self.happenings.iter().map(|it| Happening { at_ms: it.at_ms, what: it.what.clone() }).collect()
    }
}
