//! What a fixture was asked, to be asserted.

use std::fmt;

use crate::engine::{Runtime, SessionVersion};
use crate::observe::{Journal, JournalEntry, Usage};

/// The requests to an [`Imds`](super::Imds) so far, for assertions. It displays as a
/// list, as in the journal: without tokens and keys.
///
/// Paths have no query; one that ends in `/` also matches all paths below it.
///
/// ```
/// use imds_host::Request;
/// use imds_host::testing::Imds;
///
/// let imds = Imds::start()?;
/// imds.control().answer(&Request::get("/latest/meta-data/instance-type"));
/// let requests = imds.requests();
/// assert!(requests.asked("/latest/meta-data/") && !requests.asked("/latest/meta-data/iam/"));
/// assert!(requests.to_string().contains("GET /latest/meta-data/instance-type: 200, version 1"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Requests {
    endpoint: String,
    entries: Vec<JournalEntry>,
    all: u64,
    usage: Vec<Usage>,
    runtime: Runtime,
}

impl Requests {
    pub(super) fn new(endpoint: String, journal: &Journal, runtime: &Runtime) -> Self {
        let entries = journal.entries(0, usize::MAX);
        let all = entries.last().map_or(0, |last| last.number);
        Self { endpoint, entries, all, usage: journal.usage(), runtime: runtime.clone() }
    }

    /// The requests in their order, the last 1000 of them.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// assert!(imds.requests().entries().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn entries(&self) -> &[JournalEntry] {
        &self.entries
    }

    /// Whether there was a request for a path, with any answer.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// assert!(!imds.requests().asked("/latest/meta-data/iam/"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn asked(&self, path: &str) -> bool {
        self.count(path) > 0
    }

    /// The number of requests for a path, with any answer.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// assert_eq!(imds.requests().count("/latest/api/token"), 0);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn count(&self, path: &str) -> usize {
        self.entries.iter().filter(|entry| is_at(&entry.target, path)).count()
    }

    /// Panics if there was no request for a path, and lists the requests.
    ///
    /// ```
    /// # use imds_host::{Request, testing::Imds};
    /// # let imds = Imds::start()?;
    /// # imds.control().answer(&Request::get("/latest/user-data"));
    /// imds.requests().assert_asked("/latest/user-data");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[track_caller]
    pub fn assert_asked(&self, path: &str) {
        assert!(self.asked(path), "nobody asked for {path}\n{self}");
    }

    /// Panics if there was a request for a path, and lists the requests.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// imds.requests().assert_not_asked("/latest/user-data");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[track_caller]
    pub fn assert_not_asked(&self, path: &str) {
        assert!(!self.asked(path), "somebody asked for {path}\n{self}");
    }

    /// Panics unless all requests used tokens, as `imds run --require-v2` demands of a
    /// command. It also panics if no request was answered by version 2, because then
    /// nothing proves that the program can use it.
    ///
    /// ```
    /// # use imds_host::{Request, testing::Imds};
    /// # let imds = Imds::start()?;
    /// # let put = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
    /// # imds.control().answer(&put.with("X-aws-ec2-metadata-token-ttl-seconds", "60"));
    /// imds.requests().assert_version2_only();
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[track_caller]
    pub fn assert_version2_only(&self) {
        // Of all requests, those too that the journal has forgotten.
        let version_1: u64 = self.usage.iter().map(|usage| usage.version_1 + usage.version_1_rejected).sum();
        assert!(version_1 == 0, "{version_1} of {} came without a token\n{self}", requests(self.all));
        let is_version_2 = |entry: &JournalEntry| entry.version == Some(SessionVersion::Two);
        let is_shown = self.entries.iter().any(|entry| is_version_2(entry) && !entry.outcome.is_refusal());
        assert!(is_shown, "no request was answered as one of version 2\n{self}");
    }

    /// Panics if a request was refused or a fault affected its answer, and prints the
    /// remedy.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// imds.requests().assert_none_refused();
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[track_caller]
    pub fn assert_none_refused(&self) {
        let refused = self.entries.iter().filter(|entry| entry.is_refusal()).count();
        assert!(refused == 0, "{refused} of {} refused\n{self}", requests(self.all));
    }
}

fn is_at(target: &str, path: &str) -> bool {
    let asked = target.split('?').next().unwrap_or_default();
    asked == path || (path.ends_with('/') && asked.starts_with(path))
}

fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, entries, all, .. } = self;
        write!(f, "{endpoint} was asked {}{}", requests(*all), if entries.is_empty() { "" } else { ":" })?;
        for entry in entries {
            let JournalEntry { number, method, target, status, .. } = entry;
            write!(f, "\n{number:5}  {method} {target}: {status}")?;
            f.write_str(match entry.version {
                Some(SessionVersion::One) => ", version 1",
                Some(SessionVersion::Two) => ", version 2",
                None => "",
            })?;
            if let Some(agent) = &entry.user_agent {
                write!(f, ", by {agent}")?;
            }
            if entry.is_refusal() {
                let explanation = self.runtime.explain(entry.outcome);
                write!(f, "\n       {}: {}", entry.outcome, entry.rule(explanation))?;
            }
        }
        Ok(())
    }
}
