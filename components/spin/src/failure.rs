//! Why no instance can be opened.

use std::fmt;

use crate::store_error::StoreError;
use crate::variables::VariableError;

/// Why no instance can be opened: the operator's to mend. Displays as what any
/// client may see.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A variable cannot be used.
    Variable(VariableError),
    /// The store does not give what is needed.
    Store(StoreError),
    /// There is neither a secret nor a store to keep one in.
    NoSecret(StoreError),
    /// The engine has no randomness.
    Entropy,
    /// A description is wrong. Where it is from, and all that is wrong with it.
    Description(String, Vec<String>),
}

impl Failure {
    /// Whether something else than the application is out, so that what was known
    /// before still holds and the same request may succeed later.
    pub fn is_outage(&self) -> bool {
        match self {
            Failure::Store(error) => *error != StoreError::Absent,
            Failure::Variable(wrong) => wrong.is_unreadable(),
            Failure::NoSecret(_) | Failure::Entropy | Failure::Description(..) => false,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        if self.is_outage() { 503 } else { 500 }
    }

    /// What the operator may see, who sees more than clients.
    pub fn for_log(&self) -> String {
        match self {
            Failure::Store(error) => error.to_string(),
            Failure::Variable(VariableError { reason: Some(reason), .. }) => format!("{self}: {reason}"),
            Failure::Description(source, problems) => {
                format!("{source} is not a valid description:\n  {}", problems.join("\n  "))
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Variable(wrong) => wrong.fmt(f),
            Failure::Store(error) => f.write_str(&error.for_clients()),
            Failure::Entropy => f.write_str("the engine gives no random bytes"),
            Failure::NoSecret(error) => write!(f, "there is no variable `token_secret`, and {error}"),
            // The problems quote the description.
            Failure::Description(source, _) => {
                write!(f, "{source} is not a valid description; the log says what is wrong")
            }
        }
    }
}
