//! What an operator changes while instances are served: the instance of one
//! service, the time, the instances of many callers.

mod clock;
mod fleet;
mod snapshot;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use crate::description::{Description, Warnings};
use crate::engine::{
    Answer, Clock, Entropy, Happening, Instance, Moment, Opening, Request, RequestHead, Runtime, Settings, Status,
    Terms, Verdict,
};
use crate::error::Error;
use crate::observe::{Answered, Journal, Observer};
use crate::problem::Finding;
use crate::serve::{Caller, Instances, Service};

pub use self::clock::{ClockState, VirtualClock, WrongSpeed};
pub use self::fleet::{CallerKey, Fleet};
pub use self::snapshot::Snapshot;

/// An instance that changes while it is served, under a clock that can be moved:
/// the operator's side of EC2.
///
/// A handle: clones control the same instance. As [`Instances`], it is served; an
/// edit holds from the next request on. All that it does needs no socket, so a
/// test of a spot handler runs in milliseconds:
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::{Control, Description, Request, Runtime, VirtualClock};
///
/// let start = UNIX_EPOCH + Duration::from_secs(1_790_812_800);
/// let description = Description::from_toml("web-1.toml", "instance-lifecycle = 'spot'")?;
/// let control = Control::open(&Runtime::new()?, &description, &Default::default(), VirtualClock::paused_at(start))?;
///
/// let notice = Request::get("/latest/meta-data/spot/instance-action");
/// assert_eq!(control.answer(&notice).status, 404);
/// control.edit(&Description::from_toml("interrupt", "spot-interruption = { action = 'stop' }")?)?;
/// assert_eq!(control.answer(&notice).body, br#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#);
///
/// // Its deadline stays, whoever asks and when.
/// control.clock().advance(Duration::from_secs(90));
/// assert_eq!(control.answer(&notice).body, br#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#);
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
    clock: VirtualClock,
    entropy: Entropy,
    journal: Journal,
    /// The time from which relative times of descriptions count.
    start: SystemTime,
    // Not held while the component answers; an edit holds it to be the only one.
    editing: Mutex<()>,
    present: RwLock<Present>,
}

/// What holds now.
#[derive(Clone)]
struct Present {
    revision: u64,
    /// JSON text.
    description: Arc<str>,
    instance: Instance,
}

impl Control {
    /// Opens the instance of a description, as revision 1. Relative times in it
    /// count from now by `clock`, unless it has a `timeline-start` of its own.
    ///
    /// Fails as [`Runtime::open`] does.
    ///
    /// ```
    /// use imds_host::{Control, Runtime, VirtualClock};
    ///
    /// let runtime = Runtime::new()?;
    /// let control = Control::open(&runtime, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// assert_eq!(control.revision(), 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn open(
        runtime: &Runtime,
        description: &Description,
        settings: &Settings,
        clock: VirtualClock,
    ) -> Result<Self, Error> {
        let terms = Arc::new(Terms::new(settings)?);
        let start = clock.now();
        let mut description = description.clone();
        description.start_at(start);
        let instance = runtime.open_under(&description, Arc::clone(&terms))?;
        let present = Present { revision: 1, description: description.to_json().into(), instance };
        let shared = Shared {
            runtime: runtime.clone(),
            terms,
            clock,
            entropy: Entropy::new(),
            start,
            journal: Journal::default(),
            editing: Mutex::new(()),
            present: RwLock::new(present),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A service of the instance under the clock, whose answers the journal keeps.
    /// To observe it too, give it both: `(yours, control.journal().clone())`.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// let service = control.service();
    /// assert_eq!(service.respond(hyper::Request::get("/").body(())?).status(), 200);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn service(&self) -> Service {
        let Shared { clock, journal, .. } = &*self.shared;
        Service::new(self.clone()).clock(clock.clone()).observer(journal.clone())
    }

    /// Answers one request as of now by the clock, without a socket. The journal
    /// keeps it, as one of nobody.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
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
        let answered = Answered::new(head, moment.now_ms, None, &verdict, started.elapsed(), error.as_ref());
        self.shared.journal.answered(&answered);
        Answer::of(bytes, verdict)
    }

    /// What was asked lately, and by whom without tokens.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.answer(&Request::get("/latest/meta-data/").with("User-Agent", "my-agent/1"));
    /// assert_eq!(control.journal().entries(0, 10)[0].target, "/latest/meta-data/");
    /// assert_eq!(control.journal().usage()[0].version_1, 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// The clock by which all is answered.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.clock().advance(std::time::Duration::from_secs(7 * 3600));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn clock(&self) -> &VirtualClock {
        &self.shared.clock
    }

    /// How often the description was opened: 1 at first, one more with each edit that
    /// changes something.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// let before = control.revision();
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert_eq!(control.revision(), before + 1);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.present().revision
    }

    /// Changes the instance now, by a piece of a description: `edit` in
    /// `wit/imds.wit` tells what it can say. Returns the revision that has it: a new
    /// one, or the present one where the change says only what is so already. All
    /// of it is done, or nothing; requests that run get the one or the other.
    ///
    /// Fails with [`Error::Invalid`], whose places are those of `change`.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Request, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// let required = Description::from_toml("required", "metadata-options.http-tokens = 'required'")?;
    /// assert_eq!(control.edit(&required)?, 2);
    /// assert_eq!(control.edit(&required)?, 2);
    /// assert_eq!(control.answer(&Request::get("/")).status, 401);
    ///
    /// let wrong = Description::from_toml("wrong", "user-data = 'echo'")?;
    /// assert!(matches!(control.edit(&wrong), Err(Error::Invalid(_))));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn edit(&self, change: &Description) -> Result<u64, Error> {
        self.edit_if(change, None)
    }

    /// Changes the revision `revision` of the instance and no other, so that of
    /// two operators who looked at the same one the second is told.
    ///
    /// Fails as [`edit`](Self::edit) does, and with [`Error::Conflict`] where the
    /// instance has another revision by now.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// let change = Description::from_toml("change", "tags = { Name = 'web' }")?;
    /// control.edit_revision(1, &change)?;
    /// assert!(matches!(control.edit_revision(1, &change), Err(Error::Conflict { revision: 2 })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn edit_revision(&self, revision: u64, change: &Description) -> Result<u64, Error> {
        self.edit_if(change, Some(revision))
    }

    /// Puts another description in the place of the present one, whatever edits
    /// there were: what re-reading a file does. Gives the new revision. Relative
    /// times count from when the first description was opened, so that a deadline
    /// does not slide.
    ///
    /// Fails as [`Runtime::open`] does; then nothing has changed.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Request, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.replace(&Description::from_toml("web.toml", "instance-type = 'm7g.large'")?)?;
    /// assert_eq!(control.answer(&Request::get("/latest/meta-data/instance-type")).body, b"m7g.large");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn replace(&self, description: &Description) -> Result<u64, Error> {
        self.replace_if(description, None)
    }

    /// Puts another description in the place of the revision `revision` and of no
    /// other.
    ///
    /// Fails as [`replace`](Self::replace) does, and with [`Error::Conflict`] where
    /// the instance has another revision by now.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// assert_eq!(control.replace_revision(1, &Description::default())?, 2);
    /// assert!(matches!(control.replace_revision(1, &Description::default()), Err(Error::Conflict { revision: 2 })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn replace_revision(&self, revision: u64, description: &Description) -> Result<u64, Error> {
        self.replace_if(description, Some(revision))
    }

    fn replace_if(&self, description: &Description, revision: Option<u64>) -> Result<u64, Error> {
        let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
        self.expect(revision)?;
        let mut description = description.clone();
        description.start_at(self.shared.start);
        // Judged under its own name, with the places in its own text.
        self.shared.runtime.judge(&description, Arc::clone(&self.shared.terms))?;
        Ok(self.put(&description))
    }

    /// The description as of now: what its timeline did and what edits said is
    /// in it. It holds the secrets of the instance.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert!(control.description()?.to_json().contains(r#""tags":{"Name":"web"}"#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn description(&self) -> Result<Description, Error> {
        let status = self.status_at(&self.present(), self.shared.clock.now_ms())?;
        Description::from_json("the present description", &status.description)
    }

    /// What the instance is now: its revision, its options and state, its clock and
    /// what happens to it, all of one moment.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.edit(&Description::from_toml("stop", "state = 'stopped'")?)?;
    /// assert_eq!(control.snapshot()?.state, "stopped");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let (present, clock) = (self.present(), self.shared.clock.state());
        let status = self.status_at(&present, (move || clock.now).now_ms())?;
        Snapshot::new(present.revision, clock, status)
    }

    /// The instance as the last edit made it: it does not change, and the next
    /// edit makes another.
    ///
    /// ```
    /// # use imds_host::{Control, Moment, Request, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// assert_eq!(control.instance().answer(&Request::get("/"), Moment::at(0, 0)).status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn instance(&self) -> Instance {
        self.present().instance
    }

    /// What happens to the instance, in the order of time.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// assert!(control.timeline()?.iter().any(|happening| happening.what == "new credentials"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn timeline(&self) -> Result<Vec<Happening>, Error> {
        Ok(self.status_at(&self.present(), self.shared.clock.now_ms())?.timeline())
    }

    /// What the description says as of now that can be served and cannot be real:
    /// [`Runtime::warnings`] of [`description`](Self::description), without places,
    /// since nobody has its text.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime, VirtualClock};
    /// # let control = Control::open(&Runtime::new()?, &Default::default(), &Default::default(), VirtualClock::system())?;
    /// control.edit(&Description::from_toml("edit", "tags = { Name = 'web' }")?)?;
    /// assert_eq!(control.warnings()?.list[0].name, "tags-not-shown");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn warnings(&self) -> Result<Warnings, Error> {
        let mut warnings = self.shared.runtime.warnings(&self.description()?, self.shared.clock.now())?;
        warnings.list.iter_mut().for_each(|warning| warning.problem.place = None);
        Ok(warnings)
    }

    fn status_at(&self, present: &Present, now_ms: u64) -> Result<Status, Error> {
        let status = self.shared.runtime.status(&present.description, now_ms, None)?;
        // It was right before.
        status.map_err(|findings| Error::Invalid(Description::default().locate(findings)))
    }

    fn present(&self) -> Present {
        self.shared.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What holds now, if it is the revision that is wanted.
    fn expect(&self, revision: Option<u64>) -> Result<Present, Error> {
        let present = self.present();
        match revision {
            Some(wanted) if wanted != present.revision => Err(Error::Conflict { revision: present.revision }),
            _ => Ok(present),
        }
    }

    fn edit_if(&self, change: &Description, revision: Option<u64>) -> Result<u64, Error> {
        let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.expect(revision)?;
        let now_ms = self.shared.clock.now_ms();
        let json = self.edited(&present.description, &change.to_json(), change, now_ms)?;
        if json == self.status_at(&present, now_ms)?.description {
            return Ok(present.revision);
        }
        Ok(self.put(&Description::from_json("the present description", &json)?))
    }

    fn edited(&self, description: &str, change: &str, told: &Description, now_ms: u64) -> Result<String, Error> {
        let edited = self.shared.runtime.edit_text(description, change, Some(now_ms))?;
        let edited = edited.map_err(|findings| Error::Invalid(told.locate(findings)))?;
        if edited.len() > Description::BYTES_MAX {
            let message =
                format!("with this change the description would have {} KiB, and 1024 at most", edited.len() >> 10);
            let finding = Finding { field: String::new(), in_name: false, message, help: None };
            return Err(Error::Invalid(told.locate(vec![finding])));
        }
        Ok(edited)
    }

    /// Serves a description that is known to be right from now on.
    fn put(&self, description: &Description) -> u64 {
        // Nobody else edits, so that what is present stays; who answers does not wait.
        let Present { revision, instance, .. } = self.present();
        let opening = Opening::new(description, Arc::clone(&self.shared.terms), None);
        let instance = instance.edited(opening);
        let next = Present { revision: revision + 1, description: description.to_json().into(), instance };
        *self.shared.present.write().unwrap_or_else(PoisonError::into_inner) = next;
        revision + 1
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
