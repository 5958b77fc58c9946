use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::BYTES_MAX;
use crate::redact::name;

/// Why a source gave no credentials, in words that are this library's own: nothing
/// that a command printed or a file holds is in them.
///
/// ```
/// use imds_host::SourceError;
///
/// assert_eq!(SourceError::Ended.to_string(), "it gave credentials that have ended");
/// assert_eq!(SourceError::Exited(Some(1)).to_string(), "it ended with exit status 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no such command.
    NoCommand {
        /// Its name.
        program: String,
    },
    /// There is no such command, and its text has white space in it: it may be arguments
    /// too.
    OneText {
        /// The text up to the white space: what follows may be secret.
        program: String,
    },
    /// The command cannot be run.
    NotStarted(io::ErrorKind),
    /// The command ended with this exit status, or by a signal.
    Exited(Option<i32>),
    /// It took longer than this. What a command started was ended with it.
    TimedOut(Duration),
    /// It gave more than 64 KiB.
    TooLarge,
    /// There is no such file.
    NoFile,
    /// The file, or what the command prints, cannot be read.
    Unreadable(io::ErrorKind),
    /// It gave something that is not the JSON of credentials.
    Malformed,
    /// It gave JSON in which this is missing or wrong.
    Missing(&'static str),
    /// It gave long-term keys, without a session token: an instance is given none.
    LongTerm,
    /// It gave credentials that have ended.
    Ended,
    /// The source panicked.
    Panicked,
    /// What a source of an embedder says; a text of its program, and so no secret.
    Other(&'static str),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand { program } if program == "aws" => f.write_str(
                "there is no command aws on the PATH; install the AWS CLI, version 2, or give the credentials by process",
            ),
            Self::NoCommand { program } => write!(f, "there is no command {}", name(program)),
            Self::OneText { program } => {
                write!(f, "there is no command {}: write each argument as an item of its own", name(program))
            }
            Self::NotStarted(kind) => write!(f, "the command cannot be run: {kind}"),
            Self::Exited(Some(status)) => write!(f, "it ended with exit status {status}"),
            Self::Exited(None) => f.write_str("a signal ended it"),
            Self::TimedOut(limit) => write!(f, "it took more than {}", humantime::format_duration(*limit)),
            Self::TooLarge => write!(f, "it gave more than {} KiB", BYTES_MAX >> 10),
            Self::NoFile => f.write_str("the file does not exist"),
            Self::Unreadable(kind) => write!(f, "it cannot be read: {kind}"),
            Self::Malformed => f.write_str("it did not return the JSON of a credential_process, Version 1"),
            Self::Missing(what) if what.starts_with("AWS_") => {
                write!(f, "{what} is missing or no single word; set it and start imds again")
            }
            Self::Missing(what) => write!(f, "it gave no usable {what}"),
            Self::LongTerm => f.write_str(
                "it gave long-term keys, which no instance has; have a role assumed: its keys come with a session token",
            ),
            Self::Ended => f.write_str("it gave credentials that have ended"),
            Self::Panicked => f.write_str("it panicked"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl Error for SourceError {}
