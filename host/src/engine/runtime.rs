mod descriptions;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::description::Description;
use crate::engine::Status;
use crate::engine::bindings::ImdsPre;
use crate::engine::contract_check;
use crate::engine::deadline;
use crate::engine::instance::Instance;
use crate::engine::limits::RuntimeLimits;
use crate::engine::message::{Moment, Verdict};
use crate::engine::opening::Opening;
use crate::engine::outcome::{Explanation, Outcome};
use crate::engine::pool::{new_worker, start_ticker, took_too_long};
use crate::engine::settings::Settings;
use crate::engine::terms::Terms;
use crate::engine::translated::{self, Loaded};
use crate::engine::worker::{Asked, Bounds, Counts, Told, Worker};
use crate::error::Error;
use crate::identity::{IdentityKeys, KeyMaker};
use crate::problem::Finding;

/// The component, translated for this machine, and the workers that run it.
///
/// One runtime is enough for a process with any number of instances. Clones are handles
/// to the same runtime. Making one takes about a millisecond; its one thread ends with
/// the last handle.
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
    // Boxed, since one goes out and comes back with each request.
    #[allow(clippy::vec_box)]
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

    /// Makes a runtime with your own limits.
    ///
    /// Fails if the operating system refuses memory or a thread.
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

    /// Makes a runtime of another component in WebAssembly, with the same interface,
    /// `wit/imds.wit`, and no imports. It translates the component, which takes a
    /// while. The component cannot harm the process: the limits bound what it takes,
    /// and what it does against the interface is an error.
    ///
    /// Needs the feature `compiler`. Fails with [`Error::Component`] if it is not such
    /// a component, or if it fails to list the request fields that it reads.
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

    /// Opens an instance under the default settings, so that it can answer. Its session
    /// tokens end with it.
    ///
    /// Runs on the caller's thread, usually for a fraction of a millisecond and for
    /// [`RuntimeLimits::call`] at most: in an executor, open large descriptions on a
    /// thread that may block.
    ///
    /// Fails with [`Error::Invalid`], which has all problems with their places, or if
    /// the operating system has no entropy for a secret.
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

    /// Opens an instance under your own settings.
    ///
    /// Fails as [`open`](Self::open) does, and if the settings are invalid: a secret
    /// that is too short, a name that no `Host` can have.
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

    /// The JSON Schema of a description, as JSON text.
    ///
    /// ```
    /// assert!(imds_host::Runtime::new()?.schema()?.contains("instance-type"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn schema(&self) -> Result<String, Error> {
        self.with_worker(|worker| worker.schema())
    }

    /// The names of the request fields that can change an answer, in lower case. You
    /// may leave out all others.
    ///
    /// ```
    /// let runtime = imds_host::Runtime::new()?;
    /// assert!(runtime.fields_read().iter().any(|name| name == "x-aws-ec2-metadata-token"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fields_read(&self) -> &[String] {
        &self.shared.fields_read
    }

    /// Explains an outcome and what to do about it, in the component's words.
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

    /// The item or listing of the instance `id` at a path, without the checks of requests.
    #[cfg(feature = "ec2")]
    pub(crate) fn item(&self, id: u64, opening: &Opening, path: &str, now_ms: u64) -> Result<Option<Vec<u8>>, Error> {
        self.with_worker(|worker| worker.item(id, opening, self.shared.limits.instances_per_worker, path, now_ms))
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

#[cfg(test)]
mod tests;
