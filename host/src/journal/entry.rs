use std::net::IpAddr;
use std::time::Duration;

use crate::observer::Answered;
use crate::outcome::Outcome;
use crate::session_version::SessionVersion;
use crate::shown;

/// One request as a [`Journal`](crate::Journal) keeps it: of bounded size,
/// printable, and by [`shown`] without what may be a token or a key.
///
/// ```
/// use imds_host::{Journal, Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let journal = Journal::default();
/// Service::new(instance).observer(journal.clone()).respond(hyper::Request::get("/latest/?secret").body(())?);
/// let entry = &journal.entries(0, 1)[0];
/// assert_eq!((entry.number, entry.status, entry.target.as_str()), (1, 200, "/latest/?…"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Its number, from 1, one more than that of the entry before. None comes
    /// twice.
    pub number: u64,
    /// When it was answered, by the service's own clock: milliseconds since
    /// 1970-01-01T00:00:00Z.
    pub time_ms: u64,
    /// The method; empty where the head of the request could not be read.
    pub method: String,
    /// The target; empty where the head of the request could not be read.
    pub target: String,
    /// Which version of the service the client used; none where the request was
    /// refused before that was looked at.
    pub version: Option<SessionVersion>,
    /// The status of the answer, sent or not.
    pub status: u16,
    /// The kind of the fault that struck, by the name that descriptions have.
    pub fault: Option<&'static str>,
    /// Why the answer is what it is; [`Outcome::rule`] explains it.
    pub outcome: Outcome,
    /// The same in a few words.
    pub reason: &'static str,
    /// What the client calls itself, if it does so by text.
    pub user_agent: Option<String>,
    /// The caller's address; none where the server does not tell.
    pub caller: Option<IpAddr>,
    /// How long it took to find the answer, without receiving and sending.
    pub duration: Duration,
}

impl JournalEntry {
    /// An entry without its number.
    pub(super) fn new(answered: &Answered<'_>) -> Self {
        Self {
            number: 0,
            time_ms: answered.now_ms,
            method: shown::method(answered.method),
            target: shown::target(answered.target),
            version: answered.version,
            status: answered.status,
            fault: answered.fault(),
            outcome: answered.outcome,
            reason: answered.outcome.reason(),
            user_agent: answered.user_agent.map(shown::user_agent),
            caller: answered.peer.map(|peer| peer.ip().to_canonical()),
            duration: answered.duration,
        }
    }
}
