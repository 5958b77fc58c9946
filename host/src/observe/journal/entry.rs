use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use crate::engine::{Explanation, Outcome, SessionVersion};
use crate::observe::observer::Answered;
use crate::redact;

/// One request as a [`Journal`](crate::Journal) keeps it: of bounded size, printable,
/// and without anything that may be a token or a key, as [`shown`](crate::shown)
/// removes it.
///
/// ```
/// use imds_host::{Journal, Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let journal = Journal::default();
/// Service::new(instance).observer(journal.clone()).respond(hyper::Request::get("/latest/?secret").body(())?);
/// let entry = &journal.entries(0, 1)[0];
/// assert_eq!((entry.number, entry.status, entry.target.as_str()), (1, 200, "/latest/?…"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Its number, from 1: one more than that of the previous entry.
    pub number: u64,
    /// The time of the answer by the service's clock, in milliseconds since
    /// 1970-01-01T00:00:00Z.
    pub time_ms: u64,
    /// The method; empty if the head of the request was unreadable.
    pub method: String,
    /// The target; empty if the head of the request was unreadable.
    pub target: String,
    /// The version of the service that the client used; `None` if the request was
    /// refused before the version was known.
    pub version: Option<SessionVersion>,
    /// The status of the answer, sent or not.
    pub status: u16,
    /// The kind of the fault that affected it, by its name in descriptions.
    pub fault: Option<&'static str>,
    /// Why the answer is what it is; see [`Runtime::explain`](crate::Runtime::explain).
    pub outcome: Outcome,
    /// The user agent, if it is text.
    pub user_agent: Option<String>,
    /// The caller's address; `None` if the server does not set it.
    pub caller: Option<IpAddr>,
    /// The time to find the answer, without receiving and sending.
    pub duration: Duration,
}

impl JournalEntry {
    /// Whether the answer may surprise the client: it is a
    /// [refusal](Outcome::is_refusal), or a fault affected it.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Request, Runtime};
    /// let faulty = Description::from_toml("faulty", "faults = [{ kind = 'close' }]")?;
    /// let control = Control::open(&Runtime::new()?, &faulty)?;
    /// control.answer(&Request::get("/"));
    /// let entry = &control.journal().entries(0, 1)[0];
    /// assert!(entry.is_refusal() && !entry.is_sent() && !entry.outcome.is_refusal());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn is_refusal(&self) -> bool {
        self.outcome.is_refusal() || self.fault.is_some()
    }

    /// Whether the server sends anything: not if a fault closes the connection or
    /// withholds the answer, and not if the instance is not running.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.answer(&Request::get("/"));
    /// assert!(control.journal().entries(0, 1)[0].is_sent());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn is_sent(&self) -> bool {
        self.outcome != Outcome::NotRunning && !matches!(self.fault, Some("close" | "withhold"))
    }

    /// Explains the answer and what to do about it: the remedy in the `explanation` of
    /// its outcome, and that of the fault which affected it. If a fault affected a
    /// refusal, it returns both.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Request, Runtime};
    /// # let faulty = Description::from_toml("faulty", "faults = [{ kind = 'cut' }]")?;
    /// # let runtime = Runtime::new()?;
    /// # let control = Control::open(&runtime, &faulty)?;
    /// control.answer(&Request::get("/"));
    /// let entry = &control.journal().entries(0, 1)[0];
    /// assert!(entry.rule(&runtime.explain(entry.outcome)).contains("\"cut\""));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn rule<'e>(&self, explanation: &'e Explanation) -> Cow<'e, str> {
        let remedy = &explanation.remedy;
        match self.fault_rule() {
            Some(fault) if self.outcome.is_refusal() => format!("{remedy} {fault}").into(),
            Some(fault) => fault.into(),
            None => remedy.into(),
        }
    }

    /// The rule of a fault that spoiled an answer. One that refuses is an outcome of
    /// its own.
    fn fault_rule(&self) -> Option<&'static str> {
        Some(match self.fault? {
            "delay" => {
                "A fault of the description affected it, of the kind \"delay\": the answer was sent late. Wait for it \
                 or ask again, or end the faults: imds ctl fault off, or take them out of the description."
            }
            "close" => {
                "A fault of the description affected it, of the kind \"close\": the connection ended and nothing was \
                 sent. Ask again on another connection, or end the faults: imds ctl fault off, or take them out of the \
                 description."
            }
            "cut" => {
                "A fault of the description affected it, of the kind \"cut\": half of the body was sent, less than its \
                 Content-Length. Throw it away and ask again, or end the faults: imds ctl fault off, or take them out \
                 of the description."
            }
            "withhold" => {
                "A fault of the description affected it, of the kind \"withhold\": nothing was sent and the connection \
                 was left open. Give up after a time and ask again, or end the faults: imds ctl fault off, or take \
                 them out of the description."
            }
            _ => return None,
        })
    }

    /// An entry without its number.
    pub(super) fn new(answered: &Answered<'_>) -> Self {
        Self {
            number: 0,
            time_ms: answered.now_ms,
            method: redact::method(answered.head.method()),
            target: redact::target(answered.head.target()),
            version: answered.version,
            status: answered.status,
            fault: answered.fault(),
            outcome: answered.outcome,
            user_agent: answered.head.user_agent().map(redact::user_agent),
            caller: answered.peer.map(|peer| peer.ip().to_canonical()),
            duration: answered.duration,
        }
    }
}
