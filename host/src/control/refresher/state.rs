use std::time::SystemTime;

use crate::credentials::SourceError;

/// What a [`CredentialRefresher`](super::CredentialRefresher) has and does, for
/// operators: no secret is in it. Times are those of its clock.
///
/// ```
/// use std::time::Duration;
/// use imds_host::{CredentialRefresher, FunctionSource, SourceError, VirtualClock};
///
/// let source = FunctionSource::new("nobody", || Err(SourceError::Other("there is nobody")));
/// let state = CredentialRefresher::start(source, &VirtualClock::system())?.wait(Duration::from_secs(10));
/// assert_eq!((state.source.as_str(), state.end, state.failures), ("nobody", None, 1));
/// assert_eq!(state.last_failure.unwrap().error.to_string(), "there is nobody");
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CredentialsState {
    /// Where they come from.
    pub source: String,
    /// When those that are delivered were fetched; none before the first.
    pub updated: Option<SystemTime>,
    /// When those that are delivered end, or ended.
    pub end: Option<SystemTime>,
    /// When the source is asked again; none while it is.
    pub next_fetch: Option<SystemTime>,
    /// How many attempts failed since the last that did not.
    pub failures: u32,
    /// The last attempt that failed, whatever came after it.
    pub last_failure: Option<FetchFailure>,
}

/// An attempt to get credentials that failed.
///
/// ```
/// # use imds_host::{CredentialRefresher, FunctionSource, SourceError, VirtualClock};
/// # let source = FunctionSource::new("nobody", || Err(SourceError::LongTerm));
/// # let state = CredentialRefresher::start(source, &VirtualClock::system())?.wait(std::time::Duration::from_secs(10));
/// assert_eq!(state.last_failure.unwrap().error, SourceError::LongTerm);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchFailure {
    /// When it failed.
    pub at: SystemTime,
    /// Why.
    pub error: SourceError,
}
