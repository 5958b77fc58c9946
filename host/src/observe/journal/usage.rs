use std::collections::HashMap;
use std::net::IpAddr;

use super::entry::JournalEntry;
use crate::engine::{Outcome, SessionVersion};

/// The requests of one address and user agent, by version of the service.
///
/// ```
/// use imds_host::{Journal, Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let journal = Journal::default();
/// let request = hyper::Request::get("/latest/meta-data/").header("user-agent", "old-sdk/1.0").body(())?;
/// Service::new(instance).observer(journal.clone()).respond(request);
///
/// let usage = &journal.usage()[0];
/// assert_eq!(usage.user_agent.as_deref(), Some("old-sdk/1.0"));
/// assert_eq!((usage.version_1, usage.version_2), (1, 0));
/// assert_eq!(usage.version_1_target.as_deref(), Some("/latest/meta-data/"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The caller's address; `None` if the server does not set it.
    pub caller: Option<IpAddr>,
    /// The user agent, as in [`JournalEntry`](crate::JournalEntry).
    pub user_agent: Option<String>,
    /// Whether this is the sum of all others, which has neither a caller nor a user
    /// agent.
    pub is_rest: bool,
    /// Requests without a token that were answered with any status.
    pub version_1: u64,
    /// Requests without a token that were refused because tokens are required.
    pub version_1_rejected: u64,
    /// Requests with a token, and for one.
    pub version_2: u64,
    /// Requests that were refused before the version was known.
    pub unknown: u64,
    /// The target of the last request of version 1.
    pub version_1_target: Option<String>,
}

impl Usage {
    fn count(&mut self, entry: &JournalEntry) {
        match (entry.version, entry.outcome) {
            (Some(SessionVersion::One), Outcome::TokenMissing) => self.version_1_rejected += 1,
            (Some(SessionVersion::One), _) => self.version_1 += 1,
            (Some(SessionVersion::Two), _) => self.version_2 += 1,
            (None, _) => self.unknown += 1,
        }
        if entry.version == Some(SessionVersion::One) {
            // In the memory of the last one.
            self.version_1_target.get_or_insert_default().clone_from(&entry.target);
        }
    }
}

/// More programs than one machine has that ask. Each takes half a kilobyte, and
/// a few where a client sends the longest texts.
const USAGES_MAX: usize = 256;

/// The usage of the first callers and user agents, and of all others.
#[derive(Default)]
pub(super) struct Usages {
    by_client: HashMap<Client, Usage>,
    rest: Option<Usage>,
}

type Client = (Option<IpAddr>, Option<String>);

impl Usages {
    pub(super) fn count(&mut self, entry: &mut JournalEntry) {
        // Lent to look it up, so that only a new client costs memory.
        let client = (entry.caller, entry.user_agent.take());
        if !self.by_client.contains_key(&client) && self.by_client.len() < USAGES_MAX {
            let usage = Usage { caller: client.0, user_agent: client.1.clone(), ..Usage::default() };
            self.by_client.insert(client.clone(), usage);
        }
        let usage = match self.by_client.get_mut(&client) {
            Some(usage) => usage,
            None => self.rest.get_or_insert_with(|| Usage { is_rest: true, ..Usage::default() }),
        };
        usage.count(entry);
        entry.user_agent = client.1;
    }

    /// Those with most requests of version 1 first, the rest last.
    pub(super) fn all(&self) -> Vec<Usage> {
        let mut all: Vec<_> = self.by_client.values().cloned().collect();
        all.sort_by(|a, b| {
            let without_token = |usage: &Usage| usage.version_1.saturating_add(usage.version_1_rejected);
            let by_client = || (a.caller, &a.user_agent).cmp(&(b.caller, &b.user_agent));
            without_token(b).cmp(&without_token(a)).then_with(by_client)
        });
        all.extend(self.rest.clone());
        all
    }
}
