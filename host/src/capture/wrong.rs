//! Why a file is not a transcript.

use std::error::Error;
use std::fmt;

/// Why a file is not a transcript.
///
/// ```
/// # use imds_host::capture::Transcript;
/// assert_eq!(
///     Transcript::read_from(&b""[..]).unwrap_err().to_string(),
///     "line 1: there is no header of a transcript"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongTranscript {
    /// The line, from 1; 0 for the file as a whole.
    line: usize,
    why: String,
}

impl WrongTranscript {
    /// An error in a line, from 1; 0 for the file as a whole.
    pub(super) fn at(line: usize, why: impl Into<String>) -> Self {
        Self { line, why: why.into() }
    }
}

impl fmt::Display for WrongTranscript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.why),
            line => write!(f, "line {line}: {}", self.why),
        }
    }
}

impl Error for WrongTranscript {}
