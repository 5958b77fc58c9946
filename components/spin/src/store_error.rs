//! Why a key-value store does not give what it was asked for.

use std::fmt;

/// The label under which `spin.toml` gives the store to the component.
pub const LABEL: &str = "default";

/// Why the store does not give what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The application has no store.
    Absent,
    /// The store failed, for a reason in its own words.
    Failed(String),
    /// The store let a call wait for longer than a second.
    TimedOut,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Absent => write!(f, "the application has no key-value store `{LABEL}`"),
            StoreError::Failed(message) => write!(f, "the key-value store failed: {message}"),
            StoreError::TimedOut => f.write_str("the key-value store does not answer within a second"),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// What any client may see: the store's own words are for the log.
    pub fn for_clients(&self) -> String {
        match self {
            StoreError::Failed(_) => "the key-value store failed; the log says how".to_owned(),
            StoreError::Absent | StoreError::TimedOut => self.to_string(),
        }
    }
}
