//! Many instances in one process, one for each caller.

mod delivered;
mod described;
mod entry;
mod key;
mod terms;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use self::entry::Entry;
pub use self::key::{CallerKey, WrongCallerKey};
pub(super) use self::terms::{make_keys_ahead, terms_of_many};
use crate::description::{Description, Start};
use crate::engine::{Instance, Opening, RequestHead, Runtime, Settings, Terms};
use crate::error::Error;
use crate::problem::Finding;
use crate::serve::{Caller, Instances};

/// Many instances, each with the key of its caller. As [`Instances`], it picks the
/// instance whose key a request has, by [`CallerKey`]. To change each while it is
/// served, use a [`ControlledFleet`](crate::ControlledFleet).
///
/// A handle: clones hold the same instances. You can insert, replace and remove them
/// while they are served. A lookup takes the same time among a hundred thousand
/// instances as among ten. An instance takes about 80 bytes beside the JSON text of its
/// description, and about 300 after its first request.
///
/// All have the same settings. A token of one instance is not valid at another, even if
/// their descriptions are equal: the secret of each is derived from the secret of the
/// settings and the key. So every fleet and every Spin application with the same secret
/// accepts the tokens of a key.
///
/// ```
/// use imds_host::{Caller, CallerKey, Description, Fleet, Runtime, Service};
///
/// let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
/// for (address, id) in [("10.0.0.7", "i-0123456789abcdef7"), ("10.0.0.8", "i-0123456789abcdef8")] {
///     let mut description = Description::default();
///     description.set_text("/instance-id", id, "example");
///     fleet.insert(address, &description)?;
/// }
///
/// let service = Service::new(fleet.clone());
/// let status = |peer: [u8; 4]| {
///     let caller = Caller::new(Some((peer, 50_000).into()), None);
///     service.respond(hyper::Request::get("/").extension(caller).body(()).unwrap()).status()
/// };
/// assert_eq!(status([10, 0, 0, 7]), 200);
/// assert_eq!(status([10, 0, 0, 9]), 403);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Fleet {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    terms: Arc<Terms>,
    callers: CallerKey,
    /// From when relative times count, where descriptions do not say it.
    start: Option<Start>,
    // Never held while the component runs.
    instances: RwLock<HashSet<Entry>>,
}

impl Fleet {
    /// Makes an empty fleet in `runtime`, under the default settings and with a new
    /// token secret.
    ///
    /// Fails if the operating system has no entropy for it.
    ///
    /// ```
    /// use imds_host::{CallerKey, Fleet, Runtime};
    ///
    /// assert!(Fleet::new(&Runtime::new()?, CallerKey::Listener)?.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new(runtime: &Runtime, callers: CallerKey) -> Result<Self, Error> {
        Self::with_settings(runtime, &Settings::default(), callers)
    }

    /// Makes an empty fleet under these settings. If they have no token secret, it gets
    /// a new one.
    ///
    /// Fails if the settings are invalid, or if the operating system has no entropy for
    /// a secret.
    ///
    /// ```
    /// use imds_host::{CallerKey, Fleet, Runtime, Secret, Settings};
    ///
    /// let settings = Settings::default().token_secret(Secret::new(b"too short"));
    /// assert!(Fleet::with_settings(&Runtime::new()?, &settings, CallerKey::Listener).is_err());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn with_settings(runtime: &Runtime, settings: &Settings, callers: CallerKey) -> Result<Self, Error> {
        let terms = terms_of_many(runtime, settings)?;
        let shared = Shared { runtime: runtime.clone(), terms, callers, start: None, instances: RwLock::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes an empty fleet like [`empty`](Self::empty), in which relative times of
    /// descriptions count from `start`, unless a description has its own start: see
    /// [`Description::start_at`].
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Moment, Request, Runtime, Settings};
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let start = UNIX_EPOCH + Duration::from_secs(1_790_812_800);
    /// let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?.start_at(start);
    /// fleet.insert_json("10.0.0.7", "my.json", r#"{"timeline":[{"at":"+5m","tags":{"Name":"web"}}]}"#)?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start_at(&self, start: SystemTime) -> Self {
        self.empty_from(Some(Start::new(start)))
    }

    /// Opens an instance for the caller with this key. Returns the instance that it
    /// replaces, if any. Tokens stay valid; a throttle starts anew.
    ///
    /// Takes the time to open the description. Requests are answered meanwhile, and
    /// several threads can insert in parallel.
    ///
    /// Fails as [`Runtime::open`] does, and with [`Error::Key`] if no request can ever
    /// have the key. The previous instance then stays.
    ///
    /// ```
    /// use imds_host::{CallerKey, Description, Error, Fleet, Runtime};
    ///
    /// let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// assert!(fleet.insert("10.0.0.7", &Description::default())?.is_none());
    /// let error = fleet.insert("vm-7", &Description::default()).unwrap_err();
    /// assert!(matches!(error, Error::Key { .. }));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn insert(&self, key: &str, description: &Description) -> Result<Option<Instance>, Error> {
        let located = |findings| Error::Invalid(description.locate(findings));
        self.insert_text(key, &description.to_json(), |findings| Ok(located(findings)))
    }

    /// Like [`insert`](Self::insert) with a description in JSON, which is kept as it is
    /// and not parsed here: for very many instances. `source` names the text in errors,
    /// which are those of [`Description::from_json`] and of `insert`.
    ///
    /// ```
    /// use imds_host::{CallerKey, Error, Fleet, Runtime, Settings};
    ///
    /// let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// assert!(fleet.insert_json("10.0.0.7", "my.json", r#"{"instance-type":"m7g.large"}"#)?.is_none());
    /// let Err(Error::Invalid(problems)) = fleet.insert_json("10.0.0.8", "my.json", "{\"instance-type\": 3}") else {
    ///     panic!("that was no valid description");
    /// };
    /// assert_eq!(problems.list[0].place.as_ref().map(|place| place.column), Some(19));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn insert_json(&self, key: &str, source: &str, json: &str) -> Result<Option<Instance>, Error> {
        // Read only for its places, if it is wrong.
        let located = |findings| Ok(Error::Invalid(Description::from_json(source, json)?.locate(findings)));
        let object = json.trim();
        if !object.starts_with('{') {
            // The component takes no other JSON either; this says it with the place.
            return self.insert(key, &Description::from_json(source, json)?);
        }
        self.insert_text(key, object, located)
    }

    /// Opens the instance of a JSON object to see whether it is right, and lets it
    /// rest.
    fn insert_text(
        &self,
        key: &str,
        document: &str,
        located: impl FnOnce(Vec<Finding>) -> Result<Error, Error>,
    ) -> Result<Option<Instance>, Error> {
        let Shared { runtime, callers, instances, .. } = &*self.shared;
        let key = callers.canonical(key)?;
        if let Err(findings) = runtime.try_open(&self.opening(document, &key))? {
            return Err(located(findings)?);
        }
        let entry = Entry::resting(document, &key);
        // A panic elsewhere leaves the set whole: nothing in here panics half-way.
        let before = instances.write().unwrap_or_else(PoisonError::into_inner).replace(entry);
        Ok(before.map(|before| self.awake(before)))
    }

    /// What a worker needs to open an instance.
    fn opening(&self, document: &str, key: &str) -> Opening {
        let Shared { terms, start, .. } = &*self.shared;
        let started = start.as_ref().map_or(Ok(document.into()), |start| start.in_json(document));
        // What cannot be read is for the component to complain about.
        let started = started.unwrap_or(Cow::Borrowed(document));
        Opening::of_json(started.into(), Arc::clone(terms), Some(key.into()))
    }

    /// The instance of an entry.
    fn awake(&self, entry: Entry) -> Instance {
        match entry {
            Entry::Awake(instance) => instance,
            resting => {
                let runtime = &self.shared.runtime;
                Instance::new(runtime.clone(), runtime.next_id(), self.opening(resting.document(), resting.key()))
            }
        }
    }

    /// Removes the instance with this key. Running requests are answered; later ones
    /// get 403.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Description::default())?;
    /// assert!(fleet.remove("10.0.0.7").is_some());
    /// assert!(fleet.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn remove(&self, key: &str) -> Option<Instance> {
        let key = self.shared.callers.canonical(key).ok()?;
        let entry = self.shared.instances.write().unwrap_or_else(PoisonError::into_inner).take(&*key)?;
        Some(self.awake(entry))
    }

    /// Makes an empty fleet with the same settings and secret, to fill it and pass it
    /// to [`replace_all`](Self::replace_all).
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Description::default())?;
    /// assert!(fleet.empty().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn empty(&self) -> Self {
        self.empty_from(self.shared.start.clone())
    }

    fn empty_from(&self, start: Option<Start>) -> Self {
        let Shared { runtime, terms, callers, .. } = &*self.shared;
        let (runtime, terms, callers) = (runtime.clone(), Arc::clone(terms), callers.clone());
        Self { shared: Arc::new(Shared { runtime, terms, callers, start, instances: RwLock::default() }) }
    }

    /// Replaces all instances by those of another fleet, at once: a request finds
    /// either the old or the new ones. Make the other fleet with
    /// [`empty`](Self::empty); it is empty afterwards.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Description::default())?;
    /// let others = fleet.empty();
    /// others.insert("10.0.0.8", &Description::default())?;
    /// fleet.replace_all(others);
    /// assert!(fleet.get("10.0.0.7").is_none() && fleet.get("10.0.0.8").is_some());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    // An entry is found by its key, which never changes.
    #[allow(clippy::mutable_key_type)]
    pub fn replace_all(&self, with: Self) {
        let instances = std::mem::take(&mut *with.shared.instances.write().unwrap_or_else(PoisonError::into_inner));
        let mut present = self.shared.instances.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *present, instances);
        drop(present);
        // Takes a while, in which nobody waits.
        drop(before);
    }

    /// Returns the instance with this key, for an embedder without an HTTP request.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Moment, Request, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Description::default())?;
    /// let instance = fleet.get("::ffff:10.0.0.7").unwrap();
    /// assert_eq!(instance.answer(&Request::get("/"), Moment::at(0, 0)).status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<Instance> {
        self.look(&self.shared.callers.canonical(key).ok()?)
    }

    /// How it identifies callers.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Fleet, Runtime};
    /// let fleet = Fleet::new(&Runtime::new()?, CallerKey::Listener)?;
    /// assert_eq!(fleet.callers().to_string(), "listener");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn callers(&self) -> &CallerKey {
        &self.shared.callers
    }

    /// The number of instances.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Fleet, Runtime};
    /// assert_eq!(Fleet::new(&Runtime::new()?, CallerKey::Listener)?.len(), 0);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.shared.instances.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it is empty.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Fleet, Runtime};
    /// assert!(Fleet::new(&Runtime::new()?, CallerKey::Listener)?.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts making the keys that sign identity documents, on a thread of their own,
    /// if an instance will need them: once for all instances. See
    /// [`Instance::sign_ahead`]. Each document is signed, within milliseconds, at its
    /// first request.
    ///
    /// Fails if the operating system refuses a thread.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Fleet, Runtime};
    /// Fleet::new(&Runtime::new()?, CallerKey::Listener)?.make_keys_ahead()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn make_keys_ahead(&self) -> Result<(), Error> {
        let needs_keys = |entry: &Entry| match entry {
            Entry::Awake(instance) => instance.needs_keys(),
            resting => self.opening(resting.document(), resting.key()).needs_keys(),
        };
        let Shared { runtime, terms, instances, .. } = &*self.shared;
        if !terms.makes_keys() || !instances.read().unwrap_or_else(PoisonError::into_inner).iter().any(needs_keys) {
            return Ok(());
        }
        make_keys_ahead(runtime, terms)
    }

    /// The instance of a key in its one spelling.
    fn look(&self, key: &str) -> Option<Instance> {
        let instances = &self.shared.instances;
        match instances.read().unwrap_or_else(PoisonError::into_inner).get(key)? {
            Entry::Awake(instance) => return Some(instance.clone()),
            Entry::Resting { .. } => {}
        }
        // The first to ask wakes it; another may have been faster.
        let mut instances = instances.write().unwrap_or_else(PoisonError::into_inner);
        let instance = self.awake(instances.take(key)?);
        instances.insert(Entry::Awake(instance.clone()));
        Some(instance)
    }
}

impl Instances for Fleet {
    fn instance_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Instance> {
        self.shared.callers.find(caller, head, |key| self.look(key))
    }

    fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("callers", self.callers()).field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
