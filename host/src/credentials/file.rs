use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{BYTES_MAX, CredentialSource, Fetch, RoleCredentials, SourceError, version_1};

/// A file with what a `credential_process` prints, which somebody else rewrites. It is
/// read again every 15 seconds.
///
/// ```
/// use imds_host::{CredentialSource, FileSource};
///
/// assert_eq!(FileSource::new("/run/credentials.json").name(), "the file /run/credentials.json");
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
}

/// Who rewrites it may have revoked what was in it.
const ASKED_EVERY: Duration = Duration::from_secs(15);

impl FileSource {
    /// The file at a path.
    ///
    /// ```
    /// let _source = imds_host::FileSource::new("credentials.json");
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self) -> Result<RoleCredentials, SourceError> {
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => SourceError::NoFile,
            kind => SourceError::Unreadable(kind),
        };
        // Who opens a pipe waits for its other end.
        if !fs::metadata(&self.path).map_err(failed)?.is_file() {
            return Err(SourceError::Unreadable(ErrorKind::InvalidInput));
        }
        let mut bytes = Zeroizing::new(vec![0; BYTES_MAX + 1]);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut length = 0;
        loop {
            match file.read(&mut bytes[length..]).map_err(failed)? {
                0 if length > BYTES_MAX => return Err(SourceError::TooLarge),
                0 => return version_1::read(&bytes[..length]),
                read => length += read,
            }
        }
    }
}

impl CredentialSource for FileSource {
    fn name(&self) -> String {
        format!("the file {}", self.path.display())
    }

    fn fetch(&self) -> Fetch<'_> {
        Box::pin(async { self.read() })
    }

    fn asked_every(&self) -> Option<Duration> {
        Some(ASKED_EVERY)
    }
}
