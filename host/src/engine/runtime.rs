use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, StoreLimitsBuilder, Trap, UpdateDeadline};

use crate::description::{Description, Warnings};
use crate::engine::Status;
use crate::engine::bindings::ImdsPre;
use crate::engine::clock::Clock;
use crate::engine::contract_check;
use crate::engine::deadline::{self, Deadline};
use crate::engine::instance::Instance;
use crate::engine::limits::RuntimeLimits;
use crate::engine::message::{Moment, Verdict};
use crate::engine::opening::Opening;
use crate::engine::outcome::{Explanation, Outcome};
use crate::engine::settings::Settings;
use crate::engine::terms::Terms;
use crate::engine::translated::{self, Loaded};
use crate::engine::worker::{Asked, Bounds, Counts, Told, Worker};
use crate::error::Error;
use crate::identity::{IdentityKeys, KeyMaker};
use crate::problem::Finding;

/// The component, translated for this machine, and the workers that run it.
///
/// One runtime is enough for a process, however many instances it serves.
/// Clones are handles to the same runtime. Making one takes about a
/// millisecond; when the last handle is gone, its one thread ends.
///
/// ```
/// use imds_host::{Description, Moment, Request, Runtime};
///
/// let runtime = Runtime::new()?;
/// let instance = runtime.open(&Description::default())?;
/// let answer = instance.answer(&Request::get("/latest/meta-data/"), Moment::at(1_764_000_000_000, 0));
/// assert_eq!(answer.status, 200);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    component: ImdsPre<Bounds>,
    // Not of the embedded one: the cases hold what it promises, and it lends the lists
    // of its answers.
    checks_contract: bool,
    limits: RuntimeLimits,
    fields_read: Arc<[String]>,
    /// Of each outcome, once somebody asked.
    explanations: [OnceLock<Explanation>; Outcome::ALL.len()],
    // Never held while the component runs.
    idle: Mutex<Vec<Box<Worker>>>,
    next_id: AtomicU64,
    identity_keys: KeyMaker,
    // Dropping it ends the thread that moves the engine's epoch.
    _ticker: mpsc::Sender<()>,
}

impl Runtime {
    /// A runtime with the default limits.
    ///
    /// ```
    /// assert!(imds_host::Runtime::new()?.schema()?.starts_with('{'));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new() -> Result<Self, Error> {
        Self::with_limits(RuntimeLimits::default())
    }

    /// A runtime with limits of its own.
    ///
    /// Fails where the operating system refuses memory or a thread.
    ///
    /// ```
    /// use imds_host::{RuntimeLimits, Runtime};
    ///
    /// Runtime::with_limits(RuntimeLimits::default().memory_bytes(16 << 20))?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn with_limits(limits: RuntimeLimits) -> Result<Self, Error> {
        let Loaded { engine, component } = translated::load().map_err(Error::component)?;
        Self::of(engine, &component, limits, false)
    }

    /// A runtime of another component with the same interface, `wit/imds.wit`,
    /// and no imports, given as WebAssembly. It is translated here, which takes
    /// a while. Nothing that it does harms the process: it has no more than the
    /// limits give it, and what it breaks of the interface is an error.
    ///
    /// Needs the feature `compiler`. Fails with [`Error::Component`] where it is
    /// no such component, or fails when it is asked which request fields it reads.
    ///
    /// ```no_run
    /// use imds_host::{RuntimeLimits, Runtime};
    ///
    /// let runtime = Runtime::with_component(&std::fs::read("imds.wasm")?, RuntimeLimits::default())?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "compiler")]
    pub fn with_component(wasm: &[u8], limits: RuntimeLimits) -> Result<Self, Error> {
        let engine = Engine::new(&crate::engine::config::config()).map_err(Error::component)?;
        let component = Component::from_binary(&engine, wasm).map_err(Error::component)?;
        Self::of(engine, &component, limits, true)
    }

    fn of(engine: Engine, component: &Component, limits: RuntimeLimits, checks_contract: bool) -> Result<Self, Error> {
        // The linker is empty because the component imports nothing.
        let component =
            Linker::new(&engine).instantiate_pre(component).and_then(ImdsPre::new).map_err(Error::component)?;
        let ticker = start_ticker(&engine, limits.call / deadline::QUESTIONS).map_err(Error::System)?;

        let mut worker = new_worker(&engine, &component, &limits, !checks_contract).map_err(Error::component)?;
        let fields_read = worker.fields_read().map_err(Error::component)?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                component,
                checks_contract,
                limits,
                fields_read: fields_read.into(),
                explanations: Default::default(),
                idle: Mutex::new(vec![worker]),
                next_id: AtomicU64::new(0),
                identity_keys: KeyMaker::new(IdentityKeys::generate),
                _ticker: ticker,
            }),
        })
    }

    /// Opens an instance, so that it can answer, under the default settings: its
    /// session tokens end with it.
    ///
    /// Works on the thread of the caller, for a fraction of a millisecond where the
    /// description is a usual one and for [`RuntimeLimits::call`] at most: an
    /// executor opens large ones on a thread where it may block.
    ///
    /// Fails with [`Error::Invalid`], which holds all problems found and
    /// displays them with their places, or where the operating system gives no
    /// entropy for a secret.
    ///
    /// ```
    /// use imds_host::{Description, Error, Runtime};
    ///
    /// let wrong = Description::from_toml("my.toml", "instnace-type = 't3.micro'")?;
    /// let Err(Error::Invalid(problems)) = Runtime::new()?.open(&wrong) else {
    ///     panic!("that was no valid description");
    /// };
    /// assert_eq!(problems.list[0].field, "/instnace-type");
    /// # Ok::<_, Error>(())
    /// ```
    pub fn open(&self, description: &Description) -> Result<Instance, Error> {
        self.open_with(description, &Settings::default())
    }

    /// Opens an instance under settings of its operator.
    ///
    /// Fails as [`open`](Self::open) does, and where the component refuses the
    /// settings: a secret that is too short, a name that no `Host` can have.
    ///
    /// ```
    /// use imds_host::{Description, Moment, Request, Runtime, Settings};
    ///
    /// let settings = Settings::default().allowed_hosts(["imds.example.com"]);
    /// let instance = Runtime::new()?.open_with(&Description::default(), &settings)?;
    /// let request = Request::get("/").with("Host", "imds.example.com");
    /// assert_eq!(instance.answer(&request, Moment::at(0, 0)).status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn open_with(&self, description: &Description, settings: &Settings) -> Result<Instance, Error> {
        self.open_under(description, Arc::new(Terms::new(settings)?))
    }

    /// Opens an instance under terms that may be those of others too. It stays open
    /// in the worker, where the first request finds it.
    pub(crate) fn open_under(&self, description: &Description, terms: Arc<Terms>) -> Result<Instance, Error> {
        let opening = Opening::new(description, terms, None);
        let (id, instances) = (self.next_id(), self.shared.limits.instances_per_worker);
        let opened = self.with_worker(|worker| worker.open_kept(id, &opening, instances))?;
        opened.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        Ok(Instance::new(self.clone(), id, opening))
    }

    /// Opens a description to see whether it is valid under these terms.
    pub(crate) fn judge(&self, description: &Description, terms: Arc<Terms>) -> Result<(), Error> {
        let opening = Opening::new(description, terms, None);
        self.try_open(&opening)?.map_err(|findings| Error::Invalid(description.locate(findings)))
    }

    /// Opens a description to see whether it is valid.
    pub(crate) fn try_open(&self, opening: &Opening) -> Result<Result<(), Vec<Finding>>, Error> {
        self.with_worker(|worker| worker.try_open(opening))
    }

    /// A description with a change made before the launch: with a scenario, for
    /// example, which is a piece of a description too. Times stay as they are.
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does, first for the
    /// description, then with the places in the change.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let web = Description::from_toml("web.toml", "instance-type = 'm7g.large'")?;
    /// let scenario = Description::from_toml("late.toml", "timeline = [{ at = '+5m', state = 'stopped' }]")?;
    /// let both = Runtime::new()?.combine(&web, &scenario)?;
    /// assert!(both.to_json().starts_with(r#"{"instance-type":"m7g.large","timeline":[{"at":"+5m""#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn combine(&self, description: &Description, change: &Description) -> Result<Description, Error> {
        self.judge(description, Arc::new(Terms::new(&Settings::default())?))?;
        let combined = self.edit_text(&description.to_json(), &change.to_json(), None, None)?;
        let combined = combined.map_err(|findings| Error::Invalid(change.locate(findings)))?;
        let name = format!("{} with {}", description.source(), change.source());
        Description::from_json(&name, &combined)
    }

    /// A description with a change made to its instance at a time, under the rules
    /// of running instances: what [`Control::edit`](crate::Control::edit) does,
    /// where the description is kept elsewhere, such as in a store that replicas
    /// read. Of one of many instances, [`Fleet::edit`](crate::Fleet::edit) does it.
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does, first for the
    /// description, then with the places in the change.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let web = Description::from_toml("web.toml", "tags = { Name = 'web' }")?;
    /// let change = Description::from_toml("change", "tags = { Name = 'db' }")?;
    /// let edited = Runtime::new()?.edit(&web, &change, std::time::SystemTime::now())?;
    /// assert_eq!(edited.to_json(), r#"{"tags":{"Name":"db"}}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn edit(&self, description: &Description, change: &Description, now: SystemTime) -> Result<Description, Error> {
        let terms = Arc::new(Terms::new(&Settings::default())?);
        self.edit_opening(&Opening::new(description, terms, None), description, change, now)
    }

    /// The same of what `opening` opens, which is `description` and may say more.
    pub(crate) fn edit_opening(
        &self,
        opening: &Opening,
        description: &Description,
        change: &Description,
        now: SystemTime,
    ) -> Result<Description, Error> {
        self.try_open(opening)?.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        let now_ms = (move || now).now_ms();
        let edited = self.edit_text(&opening.document, &change.to_json(), Some(now_ms), opening.scope())?;
        let edited = edited.map_err(|findings| Error::Invalid(change.locate(findings)))?;
        Description::from_json("the description with the change", &edited)
    }

    /// A scenario that happens `speed` times as fast, 1 to 1000, and in which every
    /// time is still true: what a [`VirtualClock`](crate::VirtualClock) cannot do for
    /// clients that have clocks of their own. [`combine`](Self::combine) puts it over
    /// a description.
    ///
    /// Fails with [`Error::Invalid`] for another speed, and where a time in the
    /// scenario is absolute, so that it cannot come sooner.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let scenario = Description::from_toml("late.toml", "timeline = [{ at = '+5m', state = 'stopped' }]")?;
    /// let faster = Runtime::new()?.speed_up(&scenario, 10.0)?;
    /// assert_eq!(faster.to_json(), r#"{"timeline":[{"at":"+30s","state":"stopped"}]}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn speed_up(&self, scenario: &Description, speed: f64) -> Result<Description, Error> {
        let faster = self.with_worker(|worker| worker.speed_up(&scenario.to_json(), speed))?;
        let faster = faster.map_err(|findings| Error::Invalid(scenario.locate(findings)))?;
        Description::from_json(&format!("{} at speed {speed}", scenario.source()), &faster)
    }

    /// What a description says that can be served and cannot be real, as of the
    /// time at which it begins to be served: an instance type that nobody knows, an
    /// address outside of its subnet, a fault that can never strike. The page
    /// `docs/warnings.md` lists all. Relative times count as [`open`](Self::open)
    /// has them; [`Description::start_at`] lets them count from `now`.
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let description = Description::from_toml("my.toml", "instance-type = 't3.mikro'")?;
    /// let warnings = Runtime::new()?.warnings(&description, std::time::SystemTime::now())?;
    /// assert_eq!(warnings.list[0].name, "unknown-instance-type");
    /// assert!(warnings.to_string().contains("--> my.toml:1:17 (instance-type)"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn warnings(&self, description: &Description, now: SystemTime) -> Result<Warnings, Error> {
        self.warnings_of_json(description, &description.to_json(), now, None)
    }

    /// The same of `json`, which is what `description` says and more; of one of many
    /// instances, whose key is `scope`.
    pub(crate) fn warnings_of_json(
        &self,
        description: &Description,
        json: &str,
        now: SystemTime,
        scope: Option<&str>,
    ) -> Result<Warnings, Error> {
        let now_ms = (move || now).now_ms();
        let warnings = self.with_worker(|worker| worker.warnings(json, now_ms, scope))?;
        let warnings = warnings.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        Ok(description.locate_warnings(warnings))
    }

    /// The JSON Schema of a description, as JSON text.
    ///
    /// ```
    /// assert!(imds_host::Runtime::new()?.schema()?.contains("instance-type"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn schema(&self) -> Result<String, Error> {
        self.with_worker(|worker| worker.schema())
    }

    /// The names, in lower case, of the request fields that can change an
    /// answer. A shell may leave out all others.
    ///
    /// ```
    /// let runtime = imds_host::Runtime::new()?;
    /// assert!(runtime.fields_read().iter().any(|name| name == "x-aws-ec2-metadata-token"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fields_read(&self) -> &[String] {
        &self.shared.fields_read
    }

    /// What an outcome means and what to do about it, in the component's words.
    ///
    /// ```
    /// use imds_host::{Outcome, Runtime};
    ///
    /// let runtime = Runtime::new()?;
    /// let explanation = runtime.explain(Outcome::TokenExpired);
    /// assert_eq!(explanation.reason, "the token's lifetime is over");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn explain(&self, outcome: Outcome) -> &Explanation {
        let explain = || {
            let explained = outcome.of_the_contract().map(|it| self.with_worker(|worker| worker.explain(it)));
            explained.and_then(Result::ok).unwrap_or_else(Explanation::of_a_failure)
        };
        self.shared.explanations[outcome as usize].get_or_init(explain)
    }

    /// Asks for the instance `id` and appends the answer to `out`, or nothing where
    /// that fails.
    pub(crate) fn answer(
        &self,
        id: u64,
        opening: &Opening,
        asked: Asked<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Told, Error> {
        let start = out.len();
        let told = self.with_worker(|worker| {
            out.truncate(start);
            worker.answer(id, opening, self.shared.limits.instances_per_worker, asked, out)
        });
        self.check(asked.head, told, |told| &told.verdict, out, start)
    }

    /// Appends the answer to a caller that has no instance.
    pub(crate) fn refuse_caller(&self, head: &[u8], moment: Moment, out: &mut Vec<u8>) -> Result<Verdict, Error> {
        let asked = Asked { head, moment, counts: Counts::default(), signatures: None };
        let start = out.len();
        let verdict = self.with_worker(|worker| {
            out.truncate(start);
            worker.refuse_caller(asked, out)
        });
        self.check(head, verdict, |verdict| verdict, out, start)
    }

    /// Holds an answer against the contract where the component is an embedder's. What
    /// failed leaves nothing in `out`.
    fn check<T>(
        &self,
        head: &[u8],
        mut told: Result<T, Error>,
        verdict: impl Fn(&T) -> &Verdict,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<T, Error> {
        if let (true, Ok(answered)) = (self.shared.checks_contract, &told)
            && let Err(broken) = contract_check::check(head, verdict(answered), &out[start..])
        {
            told = Err(broken);
        }
        if told.is_err() {
            out.truncate(start);
        }
        told
    }

    /// A number for an instance, by which workers know it.
    pub(crate) fn next_id(&self) -> u64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Changes a description, JSON text, by another; of one of many instances, whose
    /// key is `scope`. See `edit` in the contract.
    pub(crate) fn edit_text(
        &self,
        description: &str,
        change: &str,
        now_ms: Option<u64>,
        scope: Option<&str>,
    ) -> Result<Result<String, Vec<Finding>>, Error> {
        self.with_worker(|worker| worker.edit(description, change, now_ms, scope))
    }

    /// What the instance of a description, JSON text, is.
    pub(crate) fn status(
        &self,
        description: &str,
        now_ms: u64,
        scope: Option<&str>,
    ) -> Result<Result<Status, Vec<Finding>>, Error> {
        self.with_worker(|worker| worker.status(description, now_ms, scope))
    }

    /// The runtime's own keys, made when they are first needed.
    pub(crate) fn identity_keys(&self) -> Result<Arc<IdentityKeys>, Error> {
        self.shared.identity_keys.keys()
    }

    /// Lends a worker to `call`. Where that fails in a worker that was used
    /// before, what is open in there may have taken the memory: then a new one
    /// tries again.
    fn with_worker<T>(&self, mut call: impl FnMut(&mut Worker) -> wasmtime::Result<T>) -> Result<T, Error> {
        let Shared { engine, component, checks_contract, limits, idle, .. } = &*self.shared;
        // A panic elsewhere leaves the list whole: it holds idle workers only.
        let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        // One that fails is thrown away: a component cannot be entered again after a trap.
        let mut lend = |mut worker: Box<Worker>| {
            worker.begin();
            let result = call(&mut worker)?;
            idle().push(worker);
            Ok(result)
        };
        let used = idle().pop();
        let result = match used.map(&mut lend) {
            Some(Err(error)) if !took_too_long(&error) => None,
            result => result,
        };
        result
            .unwrap_or_else(|| lend(new_worker(engine, component, limits, !checks_contract)?))
            .map_err(Error::component)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// `lends`: see [`Worker::new`].
fn new_worker(
    engine: &Engine,
    component: &ImdsPre<Bounds>,
    limits: &RuntimeLimits,
    lends: bool,
) -> wasmtime::Result<Box<Worker>> {
    let memory = StoreLimitsBuilder::new()
        .memory_size(limits.memory_bytes)
        .memories(MEMORIES_MAX)
        .tables(TABLES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .build();
    let mut store = Store::new(engine, Bounds { memory, deadline: Deadline::new(limits.call) });
    store.limiter(|bounds| &mut bounds.memory);
    store.epoch_deadline_callback(|mut call| {
        Ok(if call.data_mut().deadline.is_over() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    });
    // Strings that are passed out can overlap: copied, they could be far more
    // than the memory that they are in.
    store.set_hostcall_fuel(limits.memory_bytes);
    store.set_epoch_deadline(1);
    let instance = component.instance_pre().instantiate(&mut store)?;
    Worker::new(store, &instance, lends).map(Box::new)
}

/// A component of one module has one memory, and tables for its functions and for
/// those that its adapters pass on.
const MEMORIES_MAX: usize = 1;
const TABLES_MAX: usize = 8;
const TABLE_ELEMENTS_MAX: usize = 1 << 16;

/// Then another try would take as long again.
fn took_too_long(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref(), Some(Trap::Interrupt))
}

/// Moves the engine's epoch once for every `tick`, until the sender is dropped.
fn start_ticker(engine: &Engine, tick: Duration) -> std::io::Result<mpsc::Sender<()>> {
    let (sender, stop) = mpsc::channel();
    let engine = engine.clone();
    let tick = tick.max(Duration::from_millis(1));
    thread::Builder::new().name("imds-deadlines".into()).spawn(move || {
        while stop.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
            engine.increment_epoch();
        }
    })?;
    Ok(sender)
}

#[cfg(test)]
mod tests;
