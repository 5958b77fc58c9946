// What the service was asked lately, and by whom without tokens.

mod entry;
mod usage;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use self::entry::JournalEntry;
pub use self::usage::Usage;
use self::usage::Usages;
use crate::observe::observer::{Answered, Observer};

/// An [`Observer`] that keeps the last requests, and counts which client uses which
/// version of the service. Clones are the same journal.
///
/// It keeps no token, key or body. An entry takes some hundred bytes, and at most four
/// kilobytes if a client sends long texts.
///
/// ```
/// use imds_host::{Journal, Outcome, Runtime, Service};
///
/// let runtime = Runtime::new()?;
/// let instance = runtime.open(&Default::default())?;
/// let journal = Journal::new(100);
/// let service = Service::new(instance).observer(journal.clone());
/// service.respond(hyper::Request::get("/latest/meta-data/").body(())?);
/// service.respond(hyper::Request::put("/latest/api/token").body(())?);
///
/// let refused = &journal.refusals(10)[0];
/// assert_eq!((refused.number, refused.outcome), (2, Outcome::TtlRefused));
/// assert!(runtime.explain(refused.outcome).remedy.contains("X-aws-ec2-metadata-token-ttl-seconds"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

/// Minutes of an instance at work, in less than a megabyte.
const CAPACITY: usize = 1000;

struct Shared {
    capacity: usize,
    // Locked to put in an entry that is made already, or to copy some out.
    kept: Mutex<Kept>,
    grown: Notify,
}

#[derive(Default)]
struct Kept {
    /// Their numbers have no gaps.
    entries: VecDeque<JournalEntry>,
    last: u64,
    usages: Usages,
}

impl Journal {
    /// Makes a journal that keeps this many entries, at least one.
    /// [`default`](Self::default) keeps 1000.
    ///
    /// ```
    /// assert_eq!(imds_host::Journal::new(50).last(), 0);
    /// ```
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { shared: Arc::new(Shared { capacity, kept: Mutex::default(), grown: Notify::new() }) }
    }

    /// Returns kept entries above the number `after`, at most `limit`, oldest first. To
    /// follow the journal, pass the number of the last entry. If requests come faster
    /// than you ask, there is a gap in the numbers.
    ///
    /// ```
    /// assert!(imds_host::Journal::default().entries(0, usize::MAX).is_empty());
    /// ```
    pub fn entries(&self, after: u64, limit: usize) -> Vec<JournalEntry> {
        let kept = self.kept();
        let newer = kept.last.saturating_sub(after);
        let newer = usize::try_from(newer).unwrap_or(usize::MAX);
        kept.entries.iter().skip(kept.entries.len().saturating_sub(newer)).take(limit).cloned().collect()
    }

    /// Returns the last `limit` kept entries that are
    /// [refusals](JournalEntry::is_refusal) or that a fault affected, oldest first.
    ///
    /// ```
    /// assert!(imds_host::Journal::default().refusals(10).is_empty());
    /// ```
    pub fn refusals(&self, limit: usize) -> Vec<JournalEntry> {
        let kept = self.kept();
        let refusals = kept.entries.iter().rev().filter(|entry| entry.is_refusal());
        let mut refusals: Vec<_> = refusals.take(limit).cloned().collect();
        drop(kept);
        refusals.reverse();
        refusals
    }

    /// The number of the last entry; 0 before the first.
    ///
    /// ```
    /// assert_eq!(imds_host::Journal::default().last(), 0);
    /// ```
    pub fn last(&self) -> u64 {
        self.kept().last
    }

    /// Waits until there is an entry above the number `after`.
    ///
    /// ```
    /// use imds_host::{Journal, Runtime, Service};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let instance = Runtime::new()?.open(&Default::default())?;
    /// let journal = Journal::default();
    /// let service = Service::new(instance).observer(journal.clone());
    /// let ask = async { service.respond(hyper::Request::get("/").body(()).unwrap()) };
    /// tokio::join!(journal.wait(0), ask);
    /// assert_eq!(journal.last(), 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub async fn wait(&self, after: u64) {
        loop {
            // Before the look at the number, so that no entry comes between them.
            let grown = self.shared.grown.notified();
            if self.last() > after {
                return;
            }
            grown.await;
        }
    }

    /// Counts requests by version since the start, also of entries that are no longer
    /// kept. Clients with most requests of version 1 come first: at most 256 callers
    /// with their user agents, and then one sum of all others.
    ///
    /// ```
    /// assert!(imds_host::Journal::default().usage().is_empty());
    /// ```
    pub fn usage(&self) -> Vec<Usage> {
        self.kept().usages.all()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is locked.
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Journal {
    fn answered(&self, answered: &Answered<'_>) {
        let mut entry = JournalEntry::new(answered);
        let mut kept = self.kept();
        kept.last += 1;
        entry.number = kept.last;
        kept.usages.count(&mut entry);
        let forgotten = if kept.entries.len() == self.shared.capacity { kept.entries.pop_front() } else { None };
        kept.entries.push_back(entry);
        drop(kept);
        // Others need not wait for these.
        drop(forgotten);
        self.shared.grown.notify_waiters();
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new(CAPACITY)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("capacity", &self.shared.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
