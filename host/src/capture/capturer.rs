//! A complete capture: send the requests, replace secrets, return the transcript.

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::anonymize;
use super::asker::Asker;
use super::crawl::crawl;
use super::disguise::Disguise;
use super::secrets;
use super::session::Session;
use super::transcript::Transcript;
use crate::description::LAST_MS;
use crate::probe::NoReply;

/// Captures what a service serves: every version by its listings, items that listings may
/// omit, heads, and refusals. It only reads. It never returns a secret.
///
/// ```
/// use imds_host::Runtime;
/// use imds_host::capture::{Capturer, InProcess};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let mut asked = InProcess::new(instance, std::time::SystemTime::now());
/// let transcript = Capturer::new()?.capture("http://169.254.169.254", &mut asked)?;
/// assert!(transcript.header.missing.is_empty());
/// assert!(transcript.exchanges.len() > 1000);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Capturer {
    limits: Limits,
    keeps_user_data: bool,
    anonymizes: bool,
    disguise: Disguise,
}

/// The limits of a capture, or of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Which of them.
    pub of: &'static str,
    pub requests: u64,
    pub bytes: u64,
    pub time: Duration,
}

/// Four times what an instance with every item needs.
const REQUESTS: u64 = 20_000;
const BYTES: u64 = 64 << 20;
pub(super) const TIME: Duration = Duration::from_secs(3600);

/// The progress of a capture.
///
/// ```
/// # use imds_host::capture::Progress;
/// let progress = Progress { requests: 7, expected: None, target: "/latest/".into(), missing: 0 };
/// assert_eq!(progress.requests, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many requests have been sent.
    pub requests: u64,
    /// About how many there will be in all, once that is known.
    pub expected: Option<u64>,
    /// The target of the next request.
    pub target: String,
    /// How many requests got no answer.
    pub missing: usize,
}

/// Each method returns the capturer with one thing changed.
impl Capturer {
    /// A capturer that replaces credentials, tokens, user data and the keys of EC2 Instance
    /// Connect, and stops after 20000 requests, 64 MiB of answers or an hour.
    ///
    /// # Errors
    ///
    /// The system provides no entropy, which made-up values are derived from.
    pub fn new() -> Result<Self, crate::error::Error> {
        let limits = Limits { of: "capture", requests: REQUESTS, bytes: BYTES, time: TIME };
        Ok(Self { limits, keeps_user_data: false, anonymizes: false, disguise: Disguise::random()? })
    }

    /// Keeps user data unchanged.
    #[must_use]
    pub fn keep_user_data(self, keeps: bool) -> Self {
        Self { keeps_user_data: keeps, ..self }
    }

    /// Also replaces account, ids, addresses and names, each by the same value everywhere.
    #[must_use]
    pub fn anonymize(self, anonymizes: bool) -> Self {
        Self { anonymizes, ..self }
    }

    /// Sets how many requests it may send.
    #[must_use]
    pub fn requests_at_most(self, requests: u64) -> Self {
        Self { limits: Limits { requests, ..self.limits }, ..self }
    }

    /// Sets how many bytes the answers may have in all, with their header fields.
    #[must_use]
    pub fn bytes_at_most(self, bytes: u64) -> Self {
        Self { limits: Limits { bytes, ..self.limits }, ..self }
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn time_at_most(self, time: Duration) -> Self {
        Self { limits: Limits { time, ..self.limits }, ..self }
    }

    /// Captures a service. `endpoint` is for the header.
    ///
    /// # Errors
    ///
    /// [`CaptureError`] if the service never answers, or if a value that must be replaced
    /// would remain.
    pub fn capture(&self, endpoint: &str, asker: &mut dyn Asker) -> Result<Transcript, CaptureError> {
        self.capture_observed(endpoint, asker, &mut |_| ControlFlow::Continue(()))
    }

    /// Like [`capture`](Self::capture), but calls `observer` before each request. It can
    /// end the capture: the remaining requests then count as missing.
    ///
    /// # Errors
    ///
    /// As [`capture`](Self::capture).
    pub fn capture_observed(
        &self,
        endpoint: &str,
        asker: &mut dyn Asker,
        observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Transcript, CaptureError> {
        let mut session = Session::new(asker, observer, self.limits);
        crawl(&mut session);
        if let Some(none) = session.never_answered() {
            return Err(CaptureError::NoReply(none));
        }
        // A capture that ended early may not have come to any item.
        if !session.is_with_metadata() && !session.has_ended_early() {
            return Err(CaptureError::NoService(session.other_answer()));
        }
        let mut transcript = Transcript::begun(rfc3339(session.begun()), endpoint.to_owned());
        transcript.exchanges = session.exchanges;
        transcript.header.missing = session.missing;
        secrets::replace(&mut transcript, &self.disguise, self.keeps_user_data).map_err(CaptureError::Remains)?;
        if self.anonymizes {
            anonymize::replace(&mut transcript, &self.disguise).map_err(CaptureError::Remains)?;
        }
        Ok(transcript)
    }
}

/// A time in the form of descriptions, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since.min(Duration::from_millis(LAST_MS))).to_string()
}

/// Why there is no capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CaptureError {
    /// The service never answered.
    NoReply(NoReply),
    /// What answers is no metadata service. States an answer.
    NoService(String),
    /// A value that must be replaced would remain, so there is no capture. States the kind
    /// of the value.
    Remains(&'static str),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReply(none) => none.fmt(f),
            Self::NoService(answer) => write!(f, "this is no metadata service: {answer}"),
            Self::Remains(kind) => {
                write!(f, "{kind} would remain in the capture in a form that cannot be replaced; nothing is kept")
            }
        }
    }
}

impl Error for CaptureError {}
