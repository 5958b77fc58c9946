//! Many instances that are changed while they are served.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::fleet::{CallerKey, make_keys_ahead, terms_of_many};
use super::{Control, VirtualClock};
use crate::description::Description;
use crate::engine::{Runtime, Settings, Terms};
use crate::error::Error;
use crate::observe::Journal;
use crate::serve::Service;

/// Many instances, each under the key of its caller and each with a [`Control`]:
/// with its own revision, journal and clock.
///
/// A handle: clones hold the same instances, which can be put in, changed and taken
/// out while they are served. What a [`Fleet`](crate::Fleet) is for instances that
/// nobody operates, this is for some thousands that somebody does: one takes about a
/// kilobyte beside its description, and its journal keeps the last 100 requests.
///
/// Settings, keys and tokens are as in a [`Fleet`](crate::Fleet). The fleet has one
/// clock, which the clock of each instance [follows](VirtualClock::following): move the
/// one, and all instances are at another time; move the other, and this instance is.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::{CallerKey, Clock, ControlledFleet, Description, Request, Runtime};
///
/// let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
/// let web = fleet.insert("10.0.0.7", &Description::from_toml("web", "instance-type = 'm7g.large'")?)?;
/// let db = fleet.insert("10.0.0.8", &Description::default())?;
///
/// web.stop()?;
/// assert_eq!((web.revision(), db.revision()), (2, 1));
/// assert_eq!((&*web.snapshot()?.state, &*db.snapshot()?.state), ("stopped", "running"));
///
/// fleet.clock().pause();
/// db.clock().advance(Duration::from_secs(60));
/// assert_eq!(db.clock().now_ms(), web.clock().now_ms() + 60_000);
///
/// let (key, found) = fleet.find(&db.instance_id()?).expect("it is there");
/// assert_eq!((key.as_str(), found.revision()), ("10.0.0.8", 1));
/// # Ok::<_, imds_host::Error>(())
/// ```
///
/// [`service`](Self::service) serves it over HTTP.
#[derive(Clone)]
pub struct ControlledFleet {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    terms: Arc<Terms>,
    callers: CallerKey,
    clock: VirtualClock,
    instances_max: AtomicUsize,
    // Never held while the component runs.
    controls: RwLock<Controls>,
}

type Controls = BTreeMap<Arc<str>, Control>;

/// What the journal of each keeps: those of thousands take the memory of some of one
/// instance.
const JOURNAL_ENTRIES: usize = 100;

impl ControlledFleet {
    /// No instances yet, in `runtime`, under the default settings and the system's
    /// clock, which can be moved from there.
    ///
    /// Fails where the operating system gives no entropy for a token secret.
    ///
    /// ```
    /// use imds_host::{CallerKey, ControlledFleet, Runtime};
    ///
    /// assert!(ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new(runtime: &Runtime, callers: CallerKey) -> Result<Self, Error> {
        Self::with_settings(runtime, &Settings::default(), callers, VirtualClock::system())
    }

    /// No instances yet, under settings and a clock of your own. Without a token secret
    /// in the settings, one is made for the whole fleet.
    ///
    /// Fails as [`Fleet::with_settings`](crate::Fleet::with_settings) does.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use imds_host::{CallerKey, ControlledFleet, Runtime, Settings, VirtualClock};
    ///
    /// let clock = VirtualClock::paused_at(UNIX_EPOCH);
    /// let callers = CallerKey::ClientAddress;
    /// let fleet = ControlledFleet::with_settings(&Runtime::new()?, &Settings::default(), callers, clock)?;
    /// let control = fleet.insert("10.0.0.7", &Default::default())?;
    /// assert_eq!(control.snapshot()?.clock.now, UNIX_EPOCH);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn with_settings(
        runtime: &Runtime,
        settings: &Settings,
        callers: CallerKey,
        clock: VirtualClock,
    ) -> Result<Self, Error> {
        let terms = terms_of_many(runtime, settings)?;
        let instances_max = AtomicUsize::new(Self::INSTANCES_MAX);
        let runtime = runtime.clone();
        let shared = Shared { runtime, terms, callers, clock, instances_max, controls: RwLock::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Opens an instance for the caller with this key, as revision 1, in place of any
    /// that it had. Tokens stay good. Relative times in the description count from now
    /// by the clock of the fleet.
    ///
    /// To keep the revision, the journal and the clock of what is there, use
    /// [`Control::replace`].
    ///
    /// Takes the time to open the description, in which others are answered, and fails
    /// as [`Fleet::insert`](crate::Fleet::insert) does, and with [`Error::Full`]. What was
    /// there before stays then.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Error, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let control = fleet.insert("::ffff:10.0.0.7", &Default::default())?;
    /// assert_eq!((control.key(), control.revision()), (Some("10.0.0.7"), 1));
    /// assert!(matches!(fleet.insert("vm-7", &Default::default()), Err(Error::Key { .. })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn insert(&self, key: &str, description: &Description) -> Result<Control, Error> {
        let (key, control) = self.open(key, description)?;
        let mut controls = self.write();
        self.has_room(&controls, &key)?;
        let before = controls.insert(key, control.clone());
        drop(controls);
        // What takes a while, in which nobody waits.
        drop(before);
        Ok(control)
    }

    /// The same, only where the key has no instance: none where it has one, which
    /// stays.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// assert!(fleet.insert_new("10.0.0.7", &Default::default())?.is_some());
    /// assert!(fleet.insert_new("10.0.0.7", &Default::default())?.is_none());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn insert_new(&self, key: &str, description: &Description) -> Result<Option<Control>, Error> {
        let (key, control) = self.open(key, description)?;
        let mut controls = self.write();
        self.has_room(&controls, &key)?;
        Ok(match controls.entry(key) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => Some(free.insert(control).clone()),
        })
    }

    fn open(&self, key: &str, description: &Description) -> Result<(Arc<str>, Control), Error> {
        let Shared { runtime, terms, callers, clock, .. } = &*self.shared;
        let key: Arc<str> = callers.canonical(key)?.into();
        let (terms, clock) = (Arc::clone(terms), VirtualClock::following(clock));
        let own = (Some(Arc::clone(&key)), Journal::new(JOURNAL_ENTRIES));
        let control = Control::open_under(runtime, description, terms, clock, own)?;
        Ok((key, control))
    }

    /// Takes out the instance of a key, and tells whether there was one. Requests for
    /// it that run are answered; after them, its caller gets 403.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Default::default())?;
    /// assert!(fleet.remove("10.0.0.7") && !fleet.remove("10.0.0.7"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn remove(&self, key: &str) -> bool {
        let Ok(key) = self.shared.callers.canonical(key) else { return false };
        let removed = self.write().remove(&*key);
        removed.is_some()
    }

    /// The control of the instance of a key.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("fd00::7", &Default::default())?;
    /// assert!(fleet.get("FD00::0:7").is_some());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<Control> {
        let key = self.shared.callers.canonical(key).ok()?;
        self.read().get(&*key).cloned()
    }

    /// The key and the control of the instance that has this key, or else this id: the
    /// first one, should several have it.
    ///
    /// Looks at all of them, and has the component tell the ids of those that were not
    /// asked for theirs since their last change.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Description, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.insert("10.0.0.7", &Description::from_toml("a", "instance-id = 'i-0123456789abcdef7'")?)?;
    /// let (key, _) = fleet.find("i-0123456789abcdef7").expect("it is there");
    /// assert_eq!(key, "10.0.0.7");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn find(&self, id: &str) -> Option<(String, Control)> {
        if let Some(control) = self.get(id) {
            return Some((control.key()?.to_owned(), control));
        }
        let controls: Vec<_> = self.read().values().cloned().collect();
        let found = controls.into_iter().find(|control| control.instance_id().is_ok_and(|its| *its == *id))?;
        Some((found.key()?.to_owned(), found))
    }

    /// All keys, sorted as text.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::Host)?;
    /// for key in ["b", "a"] {
    ///     fleet.insert(key, &Default::default())?;
    /// }
    /// assert_eq!(fleet.keys(), ["a", "b"]);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn keys(&self) -> Vec<String> {
        self.read().keys().map(|key| key.as_ref().to_owned()).collect()
    }

    /// The first `limit` instances whose keys come after this one, or the first of all:
    /// in the order of their keys. The key need not be there.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::Host)?;
    /// for key in ["c", "b", "a"] {
    ///     fleet.insert(key, &Default::default())?;
    /// }
    /// let behind = fleet.page(Some("a"), 1);
    /// assert_eq!(behind[0].key(), Some("b"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn page(&self, after: Option<&str>, limit: usize) -> Vec<Control> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read()
            .range::<str, _>((behind, Bound::Unbounded))
            .take(limit)
            .map(|(_, control)| control.clone())
            .collect()
    }

    /// The number of instances.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// assert_eq!(ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?.len(), 0);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is no instance.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// assert!(ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// By what the callers are told apart.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?;
    /// assert_eq!(fleet.callers().to_string(), "listener");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn callers(&self) -> &CallerKey {
        &self.shared.callers
    }

    /// The clock that those of all instances follow.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Clock, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let control = fleet.insert("10.0.0.7", &Default::default())?;
    /// fleet.clock().pause();
    /// fleet.clock().advance(std::time::Duration::from_secs(60));
    /// assert_eq!(control.clock().now(), fleet.clock().now());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn clock(&self) -> &VirtualClock {
        &self.shared.clock
    }

    /// The runtime of the instances.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?;
    /// assert!(!fleet.runtime().fields_read().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// A service of the instances, each under its clock and with its journal. Who has
    /// no instance is answered by the clock of the fleet.
    ///
    /// ```
    /// # use imds_host::{Caller, CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let control = fleet.insert("10.0.0.7", &Default::default())?;
    /// let caller = Caller::new(Some(([10, 0, 0, 7], 50_000).into()), None);
    /// let request = hyper::Request::get("/latest/meta-data/").extension(caller).body(())?;
    /// assert_eq!(fleet.service().respond(request).status(), 200);
    /// assert_eq!(control.journal().last(), 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn service(&self) -> Service {
        Service::new(self.clone()).clock(self.clock().clone())
    }

    /// Begins to make the keys that sign identity documents, where an instance will
    /// need them, as [`Fleet::make_keys_ahead`](crate::Fleet::make_keys_ahead) does.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// ControlledFleet::new(&Runtime::new()?, CallerKey::Listener)?.make_keys_ahead()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn make_keys_ahead(&self) -> Result<(), Error> {
        let Shared { runtime, terms, .. } = &*self.shared;
        if !terms.makes_keys() || !self.read().values().any(|control| control.instance().needs_keys()) {
            return Ok(());
        }
        make_keys_ahead(runtime, terms)
    }

    // A panic elsewhere leaves the map whole: nothing panics while it is locked.

    fn read(&self) -> RwLockReadGuard<'_, Controls> {
        self.shared.controls.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Controls> {
        self.shared.controls.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ControlledFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ControlledFleet");
        shown.field("callers", self.callers()).field("len", &self.len()).finish_non_exhaustive()
    }
}

mod limit;
mod served;
#[cfg(test)]
mod tests;
