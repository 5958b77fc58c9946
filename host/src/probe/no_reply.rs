use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::Endpoint;

/// No service answers, or the answer is not HTTP.
#[derive(Clone, Debug)]
pub struct NoReply {
    pub(super) endpoint: Endpoint,
    pub(super) waited: Duration,
    /// The reason, unless it was the timeout.
    pub(super) why: Option<String>,
    pub(super) is_refused: bool,
}

impl NoReply {
    /// For callers that send requests without a [`Client`](super::Client): `why` is the reason, or `None`
    /// if the time `waited` was over.
    ///
    /// ```
    /// use imds_host::probe::{Endpoint, NoReply};
    /// use std::time::Duration;
    ///
    /// let endpoint = Endpoint::parse("http://127.0.0.1:1338").unwrap();
    /// let none = NoReply::new(endpoint, Duration::from_secs(1), None);
    /// assert_eq!(none.to_string(), "no answer from http://127.0.0.1:1338 within 1s");
    /// ```
    pub fn new(endpoint: Endpoint, waited: Duration, why: Option<String>) -> Self {
        Self { endpoint, waited, why, is_refused: false }
    }

    /// Whether no answer came in time, rather than a wrong one or a refused connection.
    pub fn is_late(&self) -> bool {
        self.why.is_none()
    }

    /// Whether the connection was refused: nothing listens there.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// The service that did not answer.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same after a longer wait, for callers that asked more than once.
    #[must_use]
    pub fn after(self, waited: Duration) -> Self {
        Self { waited, ..self }
    }
}

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waited = Duration::from_millis(self.waited.as_millis().try_into().unwrap_or(u64::MAX));
        write!(f, "no answer from {}", self.endpoint)?;
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => write!(f, " within {}", humantime::format_duration(waited)),
        }
    }
}

impl Error for NoReply {}
