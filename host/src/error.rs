use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use wasmtime::Trap;

use crate::problem::Problems;
use crate::redact::{Printable, name};

/// What can go wrong, one case for each thing that an embedder can act on.
///
/// ```
/// use imds_host::{Description, Error};
///
/// let Err(error) = Description::read("no-such-file.toml") else { panic!() };
/// assert!(matches!(error, Error::Read { .. }));
/// assert_eq!(error.to_string(), "cannot read no-such-file.toml");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The description is wrong; displays as all problems with their places.
    Invalid(Problems),
    /// A file cannot be read as a description.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says, or what the file is instead.
        source: io::Error,
    },
    /// No request can ever have this key, so nothing could reach its instance.
    Key {
        /// The key.
        key: String,
        /// What a key is.
        expected: &'static str,
    },
    /// The instance has another revision than the one to edit. Nothing changed.
    Conflict {
        /// Its present revision.
        revision: u64,
    },
    /// The limit of instances is reached, so no other can be added.
    Full {
        /// The limit.
        instances_max: usize,
    },
    /// The component trapped, took too long or took too much memory. The call
    /// had no effect; the next one runs in a fresh worker.
    Component(Box<dyn StdError + Send + Sync>),
    /// The identity document cannot be signed: a key cannot be made or read.
    Identity(Box<dyn StdError + Send + Sync>),
    /// The operating system refused a thread, a socket or entropy.
    System(io::Error),
}

impl Error {
    pub(crate) fn component(error: wasmtime::Error) -> Self {
        Self::Component(Box::new(Failed(error)))
    }

    pub(crate) fn identity(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Identity(error.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problems) => problems.fmt(f),
            Self::Read { path, .. } => write!(f, "cannot read {}", Printable(&path.to_string_lossy())),
            Self::Key { key, expected } => {
                write!(f, "no caller can have the key `{}`: expected {expected}", name(key))
            }
            Self::Conflict { revision } => {
                write!(f, "the instance was changed meanwhile: it has revision {revision} now")
            }
            Self::Full { instances_max } => {
                write!(f, "there are {instances_max} instances, as many as there may be: remove one first")
            }
            Self::Component(_) => f.write_str("the component failed"),
            Self::Identity(_) => f.write_str("the identity document cannot be signed"),
            Self::System(_) => f.write_str("the operating system refused a thread, a socket or entropy"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Invalid(_) | Self::Key { .. } | Self::Conflict { .. } | Self::Full { .. } => None,
            Self::Read { source, .. } | Self::System(source) => Some(source),
            Self::Component(source) | Self::Identity(source) => Some(&**source),
        }
    }
}

/// What the component did, in one sentence. Its backtrace is for who debugs it, and
/// no client, operator or log ever gets it: it is in the `Debug` form alone.
struct Failed(wasmtime::Error);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => f.write_str("a call ran for longer than it may (wasm trap: interrupt)"),
            Some(Trap::UnreachableCodeReached) => {
                f.write_str("its memory is used up, or it has a defect (wasm trap: unreachable)")
            }
            Some(trap) => trap.fmt(f),
            None => write!(f, "{}", self.0.root_cause()),
        }
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Failed {}
