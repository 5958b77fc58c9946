//! What fetches credentials from a source ahead of their end, and hands them to all
//! that take them.

mod schedule;
mod state;
mod waiting;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use self::state::{CredentialsState, FetchFailure};
use super::clock::VirtualClock;
use super::delivery::Delivered;
use crate::credentials::{CredentialSource, RoleCredentials, SourceError, is_one_word};
use crate::description::LAST_MS;
use crate::engine::{Clock, Entropy};
use crate::error::Error;

/// Fetches credentials from a source, ahead of the end of those before, and delivers
/// them to each [`Control`](crate::Control) and instance of a [`Fleet`](crate::Fleet)
/// that takes them from here: one fetch at a time, however many these and their
/// clients are.
///
/// They are fetched a quarter of an hour before the end, or at half of a life that is
/// shorter than half an hour, by a virtual clock. A source that fails is asked again
/// after a second, then ever later, up to a minute; what it gave last stays until it
/// ends.
///
/// A handle: clones are the same refresher. With the last of them, and the last
/// `Control` that takes from it, it ends.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::{CredentialRefresher, FunctionSource, RoleCredentials, VirtualClock};
///
/// let clock = VirtualClock::paused_at(UNIX_EPOCH);
/// let end = UNIX_EPOCH + Duration::from_secs(3600);
/// let give = move || Ok(RoleCredentials::new("ASIAEXAMPLE", "secret", "token").ending_at(end));
/// let refresher = CredentialRefresher::start(FunctionSource::new("the example", give), &clock)?;
/// let state = refresher.wait(Duration::from_secs(10));
/// assert_eq!(state.end, Some(end));
/// assert_eq!(state.next_fetch, Some(end - Duration::from_secs(900)));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct CredentialRefresher {
    inner: Arc<Inner>,
    /// The last one ends the thread.
    _running: Arc<Running>,
}

/// As long as it lives, what was subscribed gets credentials.
///
/// [`Fleet::take_credentials_from`](crate::Fleet::take_credentials_from) gives it.
#[must_use]
pub struct Subscription {
    _receive: Arc<Receive>,
}

type Receive = dyn Fn(&Delivered) -> Result<(), Error> + Send + Sync;

type Observe = dyn Fn(&CredentialsState) + Send + Sync;

struct Inner {
    source: Box<dyn CredentialSource>,
    clock: VirtualClock,
    observe: Box<Observe>,
    // Held for moments only.
    present: Mutex<Present>,
    changed: Condvar,
}

#[derive(Default)]
struct Present {
    delivered: Option<Arc<Delivered>>,
    /// When these are due, by the virtual clock.
    due: Option<SystemTime>,
    /// When the source is asked all the same, by the machine's.
    asked_at: Option<Instant>,
    is_fetching: bool,
    attempts: u64,
    failures: u32,
    last_failure: Option<FetchFailure>,
    receivers: Vec<Weak<Receive>>,
    is_wanted: bool,
    is_over: bool,
}

/// The machine may have slept, and its clock been set: the thread looks again then.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Between two attempts, whatever a source gives.
const PAUSE: Duration = Duration::from_secs(1);

impl CredentialRefresher {
    /// Begins to ask a source, on a thread of its own, under a clock.
    ///
    /// Fails where the operating system refuses the thread.
    ///
    /// ```
    /// # use imds_host::{CredentialRefresher, EnvironmentSource, VirtualClock};
    /// let refresher = CredentialRefresher::start(EnvironmentSource::new(), &VirtualClock::system())?;
    /// assert_eq!(refresher.state().source, "the environment");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start(source: impl CredentialSource, clock: &VirtualClock) -> Result<Self, Error> {
        Self::start_observed(source, clock, |_| {})
    }

    /// The same, and `observe` gets the state after each attempt: to log what fails.
    ///
    /// ```
    /// # use imds_host::{CredentialRefresher, EnvironmentSource, VirtualClock};
    /// let clock = VirtualClock::system();
    /// CredentialRefresher::start_observed(EnvironmentSource::new(), &clock, |state| {
    ///     if let Some(failure) = state.last_failure.as_ref().filter(|_| state.failures > 0) {
    ///         eprintln!("{}: {}", state.source, failure.error);
    ///     }
    /// })?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start_observed(
        source: impl CredentialSource,
        clock: &VirtualClock,
        observe: impl Fn(&CredentialsState) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let inner = Arc::new(Inner {
            source: Box::new(source),
            clock: clock.clone(),
            observe: Box::new(observe),
            present: Mutex::default(),
            changed: Condvar::new(),
        });
        let moved = Arc::downgrade(&inner);
        clock.when_moved(move || {
            let Some(inner) = moved.upgrade() else { return false };
            // Who looked at the clock before waits by now, and hears it.
            drop(inner.present());
            inner.changed.notify_all();
            true
        });
        let running = Arc::new(Running(Arc::clone(&inner)));
        let runs = Arc::clone(&inner);
        // What an embedder's source waits for may need it.
        let runtime = tokio::runtime::Handle::try_current().ok();
        let run = move || {
            let _entered = runtime.as_ref().map(|runtime| runtime.enter());
            runs.run();
        };
        thread::Builder::new().name("imds-credentials".into()).spawn(run).map_err(Error::System)?;
        Ok(Self { inner, _running: running })
    }

    /// Waits, no longer than `limit`, until the source was asked at least once and what
    /// it gave is delivered; gives the state. It blocks.
    ///
    /// ```
    /// # use imds_host::{CredentialRefresher, FunctionSource, SourceError, VirtualClock};
    /// let source = FunctionSource::new("nobody", || Err(SourceError::Other("there is nobody")));
    /// let refresher = CredentialRefresher::start(source, &VirtualClock::system())?;
    /// assert_eq!(refresher.wait(std::time::Duration::from_secs(10)).failures, 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn wait(&self, limit: Duration) -> CredentialsState {
        self.wait_until(limit, |present| present.attempts > 0);
        self.state()
    }

    /// Has the source asked now, and waits for that, no longer than `limit`. It blocks.
    /// While an attempt runs, it waits for that one.
    ///
    /// ```
    /// # use imds_host::{CredentialRefresher, FunctionSource, SourceError, VirtualClock};
    /// # let source = FunctionSource::new("nobody", || Err(SourceError::Other("there is nobody")));
    /// # let refresher = CredentialRefresher::start(source, &VirtualClock::system())?;
    /// # refresher.wait(std::time::Duration::from_secs(10));
    /// assert_eq!(refresher.fetch_now(std::time::Duration::from_secs(10)).failures, 2);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fetch_now(&self, limit: Duration) -> CredentialsState {
        let before = {
            let mut present = self.inner.present();
            present.is_wanted = !present.is_fetching;
            present.attempts
        };
        self.inner.changed.notify_all();
        self.wait_until(limit, |present| present.attempts > before);
        self.state()
    }

    /// Where the credentials come from, when they end, and what failed last.
    ///
    /// ```
    /// # use imds_host::{CredentialRefresher, EnvironmentSource, VirtualClock};
    /// # let refresher = CredentialRefresher::start(EnvironmentSource::new(), &VirtualClock::system())?;
    /// assert_eq!(refresher.state().source, "the environment");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn state(&self) -> CredentialsState {
        self.inner.state()
    }

    pub(super) fn delivered(&self) -> Option<Arc<Delivered>> {
        self.inner.present().delivered.clone()
    }

    pub(super) fn subscribe(
        &self,
        receive: impl Fn(&Delivered) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Subscription {
        let receive: Arc<Receive> = Arc::new(receive);
        self.inner.present().receivers.push(Arc::downgrade(&receive));
        Subscription { _receive: receive }
    }

    fn wait_until(&self, limit: Duration, is_so: impl Fn(&Present) -> bool) {
        let waiting = self.inner.changed.wait_timeout_while(self.inner.present(), limit, |present| !is_so(present));
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Ends the thread, which a fetch may still occupy.
struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.present().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Inner {
    fn present(&self) -> MutexGuard<'_, Present> {
        // A panic elsewhere leaves it whole: each value is written in one piece.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let entropy = Entropy::new();
        loop {
            {
                let mut present = self.present();
                if present.is_over {
                    return;
                }
                (present.is_fetching, present.is_wanted) = (true, false);
            }
            let fetched = self.fetch();
            let now = self.clock.now();
            let delivered = fetched.map(|credentials| self.take(credentials, now)).and_then(|taken| taken);
            match delivered {
                Ok(Some(delivered)) => self.hand_out(&delivered),
                Ok(None) => {}
                Err(error) => {
                    let mut present = self.present();
                    present.failures = present.failures.saturating_add(1);
                    let pause = schedule::back_off(present.failures, entropy.next());
                    present.asked_at = Some(Instant::now() + pause);
                    present.last_failure = Some(FetchFailure { at: now, error });
                }
            }
            self.present().is_fetching = false;
            // What an observer does is no reason to fetch no more.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.observe)(&self.state())));
            self.present().attempts += 1;
            self.changed.notify_all();
            if self.is_over_when_due() {
                return;
            }
        }
    }

    fn fetch(&self) -> Result<RoleCredentials, SourceError> {
        let fetched = catch_unwind(AssertUnwindSafe(|| {
            let limit = self.source.time_limit();
            waiting::wait(self.source.fetch(), limit).unwrap_or(Err(SourceError::TimedOut(limit)))
        }));
        fetched.unwrap_or(Err(SourceError::Panicked))
    }

    /// Takes what was fetched; gives it where it is another than before.
    fn take(&self, credentials: RoleCredentials, now: SystemTime) -> Result<Option<Arc<Delivered>>, SourceError> {
        if credentials.texts().iter().any(|text| text.is_empty()) {
            return Err(SourceError::LongTerm);
        }
        if !credentials.texts().iter().all(|text| is_one_word(text)) {
            return Err(SourceError::Missing("access key, secret access key or session token"));
        }
        // Whatever a source says: later, nothing can be told, and the clock stops.
        let end = credentials.end().unwrap_or(now + schedule::LIFE_UNTOLD).min(last());
        if end <= now {
            return Err(SourceError::Ended);
        }
        let every = catch_unwind(AssertUnwindSafe(|| self.source.asked_every())).unwrap_or_default();
        let mut present = self.present();
        let is_same = |before: &Arc<Delivered>| before.end == end && before.credentials == credentials;
        let delivered = match present.delivered.as_ref().filter(|before| is_same(before)) {
            Some(_) => None,
            None => Some(Arc::new(Delivered { credentials, updated: now, end })),
        };
        if let Some(delivered) = &delivered {
            present.delivered = Some(Arc::clone(delivered));
        }
        present.due = Some(schedule::due(now, end));
        present.asked_at = every.and_then(|every| Instant::now().checked_add(every.max(PAUSE)));
        present.failures = 0;
        Ok(delivered)
    }

    /// To all that are there; one that cannot take them costs the others nothing.
    fn hand_out(&self, delivered: &Delivered) {
        let receivers: Vec<Arc<Receive>> = {
            let mut present = self.present();
            present.receivers.retain(|receiver| receiver.strong_count() > 0);
            present.receivers.iter().filter_map(Weak::upgrade).collect()
        };
        for receive in receivers {
            let taken = catch_unwind(AssertUnwindSafe(|| receive(delivered)));
            // It gets the next ones; until then its role has those that it had.
            if !matches!(taken, Ok(Ok(()))) {
                let error = SourceError::Other("an instance could not take the credentials that it gave");
                self.present().last_failure = Some(FetchFailure { at: delivered.updated, error });
            }
        }
    }

    /// Waits until the source is to be asked again; or says that nobody wants it any
    /// more.
    fn is_over_when_due(&self) -> bool {
        let earliest = Instant::now() + PAUSE;
        let mut present = self.present();
        loop {
            if present.is_over || present.is_wanted {
                return present.is_over;
            }
            // By the machine's clock, as far as that can be told.
            let until_due = present.due.filter(|_| present.failures == 0).map(|due| self.until(due));
            let until_asked = present.asked_at.map(|at| at.saturating_duration_since(Instant::now()));
            let wait = until_due.into_iter().chain(until_asked).min().unwrap_or(LOOK_AGAIN);
            let wait = wait.max(earliest.saturating_duration_since(Instant::now()));
            if wait.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(present, wait.min(LOOK_AGAIN));
            present = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How long it takes until the virtual clock shows a time.
    fn until(&self, time: SystemTime) -> Duration {
        let clock = self.clock.state();
        match time.duration_since(clock.now) {
            Err(_) | Ok(Duration::ZERO) => Duration::ZERO,
            Ok(_) if clock.is_paused => Duration::MAX,
            Ok(left) => Duration::try_from_secs_f64(left.as_secs_f64() / clock.speed).unwrap_or(Duration::MAX),
        }
    }

    fn state(&self) -> CredentialsState {
        let clock = self.clock.state();
        let present = self.present();
        let asked_at = present.asked_at.map(|at| {
            let left = at.saturating_duration_since(Instant::now()).as_secs_f64();
            let left = Duration::try_from_secs_f64(if clock.is_paused { 0.0 } else { left * clock.speed });
            left.ok().and_then(|left| clock.now.checked_add(left)).map_or(last(), |at| at.min(last()))
        });
        let due = present.due.filter(|_| present.failures == 0);
        CredentialsState {
            source: self.source.name(),
            updated: present.delivered.as_ref().map(|delivered| delivered.updated),
            end: present.delivered.as_ref().map(|delivered| delivered.end),
            next_fetch: asked_at.into_iter().chain(due).min().filter(|_| !present.is_fetching),
            failures: present.failures,
            last_failure: present.last_failure.clone(),
        }
    }
}

/// The last time that a virtual clock shows.
fn last() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(LAST_MS)
}

impl fmt::Debug for CredentialRefresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialRefresher").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
