//! What an operator changes while instances are served: the instance of one
//! service, the time, the instances of many callers.

mod clock;
mod controlled_fleet;
mod delivery;
mod edit;
mod fleet;
mod id;
mod operation;
mod refresher;
mod snapshot;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use self::delivery::Attached;
use crate::description::{Description, Warnings};
use crate::engine::{
    Answer, Clock, Entropy, Happening, Instance, Moment, Opening, Request, RequestHead, Runtime, Settings, Status,
    Terms, Verdict,
};
use crate::error::Error;
use crate::observe::{Answered, Journal, Observer};
use crate::serve::{Caller, Instances, Service};

pub use self::clock::{ClockState, VirtualClock, WrongSpeed};
pub use self::controlled_fleet::ControlledFleet;
pub use self::fleet::{CallerKey, Fleet, WrongCallerKey};
pub use self::operation::{Interruption, InterruptionAction};
pub use self::refresher::{CredentialRefresher, CredentialsState, FetchFailure, Subscription};
pub use self::snapshot::{MetadataOptions, Snapshot};

/// An instance that changes while it is served, under a clock that can be moved:
/// the operator's side of EC2.
///
/// A handle: clones control the same instance. As [`Instances`], it is served; an edit
/// affects every request after it. It needs no socket, so a test of a spot handler runs
/// in milliseconds:
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::{Control, Description, Interruption, InterruptionAction, Request, Runtime, VirtualClock};
///
/// let start = UNIX_EPOCH + Duration::from_secs(1_790_812_800);
/// let description = Description::from_toml("web-1.toml", "instance-type = 'm7g.large'")?;
/// let control = Control::open_with(&Runtime::new()?, &description, &Default::default(), VirtualClock::paused_at(start))?;
///
/// let notice = Request::get("/latest/meta-data/spot/instance-action");
/// assert_eq!(control.answer(&notice).status, 404);
/// control.interrupt(Interruption::default().action(InterruptionAction::Stop))?;
/// assert_eq!(control.answer(&notice).body, br#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#);
///
/// // The deadline stays the same, however often a client asks.
/// control.clock().advance(Duration::from_secs(90));
/// assert_eq!(control.answer(&notice).body, br#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#);
/// control.clock().advance(Duration::from_secs(30));
/// assert_eq!(control.snapshot()?.state, "stopped");
/// # Ok::<_, imds_host::Error>(())
/// ```
///
/// [`service`](Self::service) serves it over HTTP.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    terms: Arc<Terms>,
    /// Whose instance it is, where there are instances of others.
    key: Option<Arc<str>>,
    clock: VirtualClock,
    entropy: Entropy,
    journal: Journal,
    /// The time from which relative times of descriptions count.
    start: SystemTime,
    // Not held while the component answers; an edit holds it to be the only one.
    editing: Mutex<()>,
    /// Who delivers the credentials of the role, if somebody does.
    attached: Mutex<Option<Arc<Attached>>>,
    present: RwLock<Present>,
}

/// What holds now.
#[derive(Clone)]
struct Present {
    revision: u64,
    instance: Instance,
    /// The id of the instance, once somebody asked.
    id: OnceLock<Arc<str>>,
}

impl Present {
    fn new(revision: u64, instance: Instance) -> Self {
        Self { revision, instance, id: OnceLock::new() }
    }
}

impl Control {
    /// Opens the instance of a description, as revision 1, under the default settings
    /// and a clock that starts as the system's.
    ///
    /// Takes as long as [`Runtime::open`], as every change of the instance does, and
    /// fails as it does.
    ///
    /// ```
    /// use imds_host::{Control, Runtime};
    ///
    /// let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(control.revision(), 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn open(runtime: &Runtime, description: &Description) -> Result<Self, Error> {
        Self::open_with(runtime, description, &Settings::default(), VirtualClock::system())
    }

    /// Opens the instance of a description under your own settings and clock. Relative
    /// times in it count from now by `clock`, unless the description has a
    /// `timeline-start`.
    ///
    /// Fails as [`Runtime::open_with`] does.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use imds_host::{Control, Runtime, Settings, VirtualClock};
    ///
    /// let (runtime, clock) = (Runtime::new()?, VirtualClock::paused_at(UNIX_EPOCH));
    /// let control = Control::open_with(&runtime, &Default::default(), &Settings::default(), clock)?;
    /// assert_eq!(control.snapshot()?.clock.now, UNIX_EPOCH);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn open_with(
        runtime: &Runtime,
        description: &Description,
        settings: &Settings,
        clock: VirtualClock,
    ) -> Result<Self, Error> {
        let terms = Arc::new(Terms::new(settings)?);
        Self::open_under(runtime, description, terms, clock, (None, Journal::default()))
    }

    /// Opens an instance under terms that may be those of others too: then with the key
    /// by which it is told from these.
    fn open_under(
        runtime: &Runtime,
        description: &Description,
        terms: Arc<Terms>,
        clock: VirtualClock,
        (key, journal): (Option<Arc<str>>, Journal),
    ) -> Result<Self, Error> {
        let start = clock.now();
        let mut description = description.clone();
        description.start_at(start);
        let instance = match &key {
            None => runtime.open_under(&description, Arc::clone(&terms))?,
            // One of many is not kept open until somebody asks for it.
            Some(_) => {
                let opening = Opening::new(&description, Arc::clone(&terms), key.clone());
                let opened = runtime.try_open(&opening)?;
                opened.map_err(|findings| Error::Invalid(description.locate(findings)))?;
                Instance::new(runtime.clone(), runtime.next_id(), opening)
            }
        };
        let shared = Shared {
            runtime: runtime.clone(),
            terms,
            key,
            clock,
            entropy: Entropy::new(),
            start,
            journal,
            editing: Mutex::new(()),
            attached: Mutex::default(),
            present: RwLock::new(Present::new(1, instance)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns a service of the instance under the clock. The journal keeps its
    /// answers. To add an observer, pass both: `(yours, control.journal().clone())`.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// let service = control.service();
    /// assert_eq!(service.respond(hyper::Request::get("/").body(())?).status(), 200);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn service(&self) -> Service {
        let Shared { clock, journal, .. } = &*self.shared;
        Service::new(self.clone()).clock(clock.clone()).observer(journal.clone())
    }

    /// Answers one request as of now by the clock, without a socket. The journal keeps
    /// it without a caller.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(control.answer(&Request::get("/latest/meta-data/instance-type")).body, b"t3.micro");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer(&self, request: &Request) -> Answer {
        let started = Instant::now();
        let moment = Moment::at(self.shared.clock.now_ms(), self.shared.entropy.next());
        let head = request.head();
        let mut bytes = Vec::new();
        let (verdict, error) = match self.instance().try_answer_head(&head, moment, &mut bytes) {
            Ok(verdict) => (verdict, None),
            Err(error) => (Verdict::failed(moment.now_ms, &mut bytes), Some(error)),
        };
        let head = RequestHead::new(&head);
        let answered = Answered::new(head, moment.now_ms, (None, None), &verdict, started.elapsed(), error.as_ref());
        self.shared.journal.answered(&answered);
        Answer::of(bytes, verdict)
    }

    /// Answers one request as of now by the clock, without counting it: see
    /// [`Instance::peek`]. The journal does not keep it.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(control.peek(&Request::get("/latest/meta-data/instance-type"))?.body, b"t3.micro");
    /// assert_eq!(control.journal().last(), 0);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn peek(&self, request: &Request) -> Result<Answer, Error> {
        let moment = Moment::at(self.shared.clock.now_ms(), self.shared.entropy.next());
        self.instance().peek(request, moment)
    }

    /// The last requests, and the clients that ask without tokens.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.answer(&Request::get("/latest/meta-data/").with("User-Agent", "my-agent/1"));
    /// assert_eq!(control.journal().entries(0, 10)[0].target, "/latest/meta-data/");
    /// assert_eq!(control.journal().usage()[0].version_1, 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// The clock that decides every answer.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.clock().advance(std::time::Duration::from_secs(7 * 3600));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn clock(&self) -> &VirtualClock {
        &self.shared.clock
    }

    /// The number of the present description: 1 at first, and one more after each edit
    /// that changes something.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// let before = control.revision();
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert_eq!(control.revision(), before + 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.present().revision
    }

    /// The description as of now, with the changes of its timeline and of edits. It
    /// contains the secrets of the instance.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert!(control.description()?.to_json().contains(r#""tags":{"Name":"web"}"#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn description(&self) -> Result<Description, Error> {
        let status = self.status_at(&self.present(), self.shared.clock.now_ms())?;
        Description::from_json("the present description", &status.description)
    }

    /// What the instance is at this moment: its revision, options, state, clock and
    /// timeline.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.edit(&Description::from_toml("stop", "state = 'stopped'")?)?;
    /// assert_eq!(control.snapshot()?.state, "stopped");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let (present, clock) = (self.present(), self.shared.clock.state());
        let status = self.status_at(&present, (move || clock.now).now_ms())?;
        if present.id.get().is_none() {
            self.remember(&present, &status.instance_id.as_str().into());
        }
        Snapshot::new(present.revision, clock, status, self.credentials_of(present.instance.document()))
    }

    /// The instance as of the last edit. It never changes; the next edit makes another
    /// one.
    ///
    /// ```
    /// # use imds_host::{Control, Moment, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(control.instance().answer(&Request::get("/"), Moment::at(0, 0)).status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn instance(&self) -> Instance {
        self.present().instance
    }

    /// Under which key it is in a [`ControlledFleet`]; none where it is the only one.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// assert_eq!(Control::open(&Runtime::new()?, &Default::default())?.key(), None);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn key(&self) -> Option<&str> {
        self.shared.key.as_deref()
    }

    /// The changes of the instance over time, in order.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert!(control.timeline()?.iter().any(|happening| happening.what == "new credentials"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn timeline(&self) -> Result<Vec<Happening>, Error> {
        Ok(self.status_at(&self.present(), self.shared.clock.now_ms())?.timeline())
    }

    /// Warnings about the present description: see [`Runtime::warnings`]. They have no
    /// places, because [`description`](Self::description) has no text of the caller's.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert_eq!(control.warnings()?.list[0].name, "tags-not-shown");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn warnings(&self) -> Result<Warnings, Error> {
        let (description, Shared { runtime, clock, .. }) = (self.description()?, &*self.shared);
        let mut warnings = runtime.warnings_of_json(&description, &description.to_json(), clock.now(), self.key())?;
        warnings.list.iter_mut().for_each(|warning| warning.problem.place = None);
        Ok(warnings)
    }

    fn status_at(&self, present: &Present, now_ms: u64) -> Result<Status, Error> {
        let status = self.shared.runtime.status(present.instance.document(), now_ms, self.key())?;
        // It was right before.
        status.map_err(|findings| Error::Invalid(Description::default().locate(findings)))
    }

    fn present(&self) -> Present {
        self.shared.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Instances for Control {
    fn instance_for(&self, _: &Caller, _: &RequestHead<'_>) -> Option<Instance> {
        Some(self.shared.present.read().unwrap_or_else(PoisonError::into_inner).instance.clone())
    }

    fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("revision", &self.revision()).finish_non_exhaustive()
    }
}
