// What the command of `imds run` asked for, by which version, and which process did.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imds_host::{Answered, Observer, Outcome, SessionVersion, shown};

use super::process::{self, Clients, Process, Processes, is_refused, matters};

/// Counts the requests of a command. Clones count together.
#[derive(Clone, Default)]
pub struct Asked {
    // Locked to count one request, or to copy all.
    counts: Arc<Mutex<Counts>>,
}

/// How often was asked for what.
#[derive(Clone, Default)]
pub struct Counts {
    requests: HashMap<Request, Times>,
    /// How many in there are not of version 1, for which their crowd leaves room.
    others: usize,
    /// Those for which there was no room above.
    pub rest: u64,
    /// Those of version 1 among them.
    pub version_1_rest: u64,
    pub version_2: u64,
    pub unknown: u64,
}

/// Requests that are alike. Each text is as a log shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub user_agent: Option<String>,
    /// 1 or 2; none where the request was refused before that was looked at.
    pub version: Option<u8>,
}

/// What became of requests that are alike, and whose they were.
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub all: u64,
    /// Refused since it takes a token.
    pub rejected: u64,
    /// Refused for this reason or another.
    pub refused: u64,
    /// Under `None` those to which nothing was sent.
    pub statuses: BTreeMap<Option<u16>, u64>,
    /// The processes that sent those of version 1 and refused ones, where known.
    pub processes: Vec<Process>,
}

/// So many different requests of version 1 are told apart, and so many others; a
/// command that makes up targets must not fill the memory.
const REQUESTS_MAX: usize = 1000;

impl Asked {
    /// As of now.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it is locked.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, answered: &Answered<'_>, process: Option<&Process>) {
        let request = Request::of(answered);
        let is_sent = answered.delivery.is_none_or(|delivery| delivery.is_sent());
        let once = Times {
            all: 1,
            rejected: u64::from(answered.outcome == Outcome::TokenMissing),
            refused: u64::from(is_refused(answered.status)),
            statuses: BTreeMap::from([(is_sent.then_some(answered.status), 1)]),
            processes: process.into_iter().cloned().collect(),
        };
        self.lock().add(request, once);
    }
}

impl Request {
    fn of(answered: &Answered<'_>) -> Self {
        Self {
            method: shown::method(answered.head.method()),
            target: shown::target(answered.head.target()),
            user_agent: answered.head.user_agent().map(shown::user_agent),
            version: answered.version.map(|version| match version {
                SessionVersion::One => 1,
                SessionVersion::Two => 2,
            }),
        }
    }
}

impl Counts {
    pub fn add(&mut self, request: Request, times: Times) {
        match request.version {
            Some(1) => {}
            // One that was refused shows a command that fails where tokens are required.
            Some(_) => {
                self.unknown += times.refused;
                self.version_2 += times.all - times.refused;
            }
            None => self.unknown += times.all,
        }
        if !self.requests.contains_key(&request) {
            let is_of_version_1 = request.version == Some(1);
            let alike = if is_of_version_1 { self.requests.len() - self.others } else { self.others };
            if alike >= REQUESTS_MAX {
                self.rest += times.all;
                self.version_1_rest += if is_of_version_1 { times.all } else { 0 };
                return;
            }
            self.others += usize::from(!is_of_version_1);
        }
        self.requests.entry(request).or_default().add(times);
    }

    /// Requests of version 1, those that are not told apart too.
    pub fn version_1(&self) -> u64 {
        self.sum_of_version_1(|times| times.all) + self.version_1_rest
    }

    /// Those of version 1 that were refused since it takes a token.
    pub fn version_1_rejected(&self) -> u64 {
        self.sum_of_version_1(|times| times.rejected)
    }

    fn sum_of_version_1(&self, count: impl Fn(&Times) -> u64) -> u64 {
        self.requests.iter().filter(|(request, _)| request.version == Some(1)).map(|(_, times)| count(times)).sum()
    }

    /// All that are told apart, the most frequent first.
    pub fn sorted(&self) -> Vec<(&Request, &Times)> {
        let mut sorted: Vec<_> = self.requests.iter().collect();
        sorted.sort_by(|(a, a_times), (b, b_times)| b_times.all.cmp(&a_times.all).then_with(|| a.cmp(b)));
        sorted
    }
}

impl Times {
    fn add(&mut self, more: Self) {
        self.all += more.all;
        self.rejected += more.rejected;
        self.refused += more.refused;
        for (status, number) in more.statuses {
            *self.statuses.entry(status).or_default() += number;
        }
        more.processes.iter().for_each(|one| process::add(&mut self.processes, one));
    }
}

/// Finds out which process asks and tells that to all who count. The process waits for its
/// answer meanwhile, so that it is there to be found; no other client does.
pub struct Attributing {
    pub processes: Option<Processes>,
    pub asked: Option<Asked>,
    pub clients: Option<Clients>,
}

impl Observer for Attributing {
    fn answered(&self, answered: &Answered<'_>) {
        let ends = answered.peer.zip(answered.local).filter(|_| matters(answered));
        let process =
            self.processes.as_ref().zip(ends).and_then(|(processes, (peer, local))| processes.of(peer, local));
        if let Some(asked) = &self.asked {
            asked.count(answered, process.as_ref());
        }
        if let Some((clients, process)) = self.clients.as_ref().zip(process) {
            clients.add(answered, &process);
        }
    }
}
