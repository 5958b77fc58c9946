//! A capture as a whole: ask, then replace, then hand out.

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

/// Captures what a service serves: every version by its listings, what they may not
/// show, heads, and refusals. It only reads. Nothing that is secret leaves it.
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

/// What a capture may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub requests: u64,
    pub bytes: u64,
    pub time: Duration,
}

/// Four times what an instance with everything takes.
const REQUESTS: u64 = 20_000;
const BYTES: u64 = 64 << 20;
const TIME: Duration = Duration::from_secs(3600);

/// What a capture is at.
///
/// ```
/// # use imds_host::capture::Progress;
/// let progress = Progress { requests: 7, expected: None, target: "/latest/".into(), missing: 0 };
/// assert_eq!(progress.requests, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many requests were sent.
    pub requests: u64,
    /// How many it will be, about, once that is known.
    pub expected: Option<u64>,
    /// What is asked for next.
    pub target: String,
    /// How many have no answer.
    pub missing: usize,
}

/// Each method returns the capturer with one thing changed.
impl Capturer {
    /// One that replaces credentials, tokens, user data and the keys of EC2 Instance
    /// Connect, and stops after 20000 requests, 64 MiB of bodies or an hour.
    ///
    /// # Errors
    ///
    /// The system has no entropy, from which what is made up comes.
    pub fn new() -> Result<Self, crate::error::Error> {
        let limits = Limits { requests: REQUESTS, bytes: BYTES, time: TIME };
        Ok(Self { limits, keeps_user_data: false, anonymizes: false, disguise: Disguise::random()? })
    }

    /// Keeps user data as it is.
    #[must_use]
    pub fn keep_user_data(self, keeps: bool) -> Self {
        Self { keeps_user_data: keeps, ..self }
    }

    /// Replaces account, ids, addresses and names too, each by the same everywhere.
    #[must_use]
    pub fn anonymize(self, anonymizes: bool) -> Self {
        Self { anonymizes, ..self }
    }

    /// How many requests it may send.
    #[must_use]
    pub fn requests_at_most(self, requests: u64) -> Self {
        Self { limits: Limits { requests, ..self.limits }, ..self }
    }

    /// How many bytes the bodies may have in all.
    #[must_use]
    pub fn bytes_at_most(self, bytes: u64) -> Self {
        Self { limits: Limits { bytes, ..self.limits }, ..self }
    }

    /// How long it may take.
    #[must_use]
    pub fn time_at_most(self, time: Duration) -> Self {
        Self { limits: Limits { time, ..self.limits }, ..self }
    }

    /// Captures what answers; `endpoint` is for the header.
    ///
    /// # Errors
    ///
    /// [`CaptureError`] if the service never answers, or if something that was to be
    /// replaced would remain.
    pub fn capture(&self, endpoint: &str, asker: &mut dyn Asker) -> Result<Transcript, CaptureError> {
        self.capture_observed(endpoint, asker, &mut |_| ControlFlow::Continue(()))
    }

    /// Like [`capture`](Self::capture); `observer` hears of each request before it goes,
    /// and can end the capture: the rest is then among what is missing.
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

/// A time as descriptions have it, to the second.
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
    /// What was to be replaced would still be in the capture, so there is none: the kind
    /// of it.
    Remains(&'static str),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReply(none) => none.fmt(f),
            Self::Remains(kind) => {
                write!(f, "{kind} would remain in the capture in a form that cannot be replaced; nothing is kept")
            }
        }
    }
}

impl Error for CaptureError {}
