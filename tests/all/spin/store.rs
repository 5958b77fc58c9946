//! The variables and the key-value store by WASI's drafts, as Spin has them for
//! every component.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceType};

use super::engine::Ctx;

/// A key-value store, for any number of replicas.
#[derive(Default)]
pub struct Values {
    values: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Whether it says of every swap that it failed, as Spin's Redis store does.
    denies_swaps: bool,
    /// Whether it sets a key that was not there whatever came meanwhile, as Spin's own
    /// store does.
    sets_what_was_not_there: bool,
    health: Mutex<Health>,
    /// Changes of keys that begin so are made and said to have failed.
    doubted: Mutex<Option<&'static str>>,
    opened: AtomicUsize,
    asked: AtomicUsize,
}

/// What becomes of calls to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// They return.
    #[default]
    Works,
    /// They fail.
    Fails,
    /// They never return.
    Hangs,
}

impl Values {
    pub fn denying_swaps() -> Values {
        Values { denies_swaps: true, ..Values::default() }
    }

    pub fn setting_what_was_not_there() -> Values {
        Values { sets_what_was_not_there: true, ..Values::default() }
    }

    /// All keys, in their order.
    pub fn keys(&self) -> Vec<String> {
        self.with(|values| values.keys().cloned().collect())
    }

    pub fn turn(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// Says of changes of keys that begin with `keys` that they failed, though it makes them.
    pub fn doubt(&self, keys: Option<&'static str>) {
        *self.doubted.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    pub fn doubts(&self, key: &str) -> bool {
        self.doubted.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|keys| key.starts_with(keys))
    }

    pub fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it was opened, by whichever interface.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    pub fn count_open(&self) {
        self.opened.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was called by Spin's own interface.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn count_call(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
    }

    pub fn set(&self, key: &str, value: impl Into<Vec<u8>>) {
        self.with(|values| values.insert(key.to_owned(), value.into()));
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.with(|values| values.get(key).cloned())
    }

    pub fn remove(&self, key: &str) {
        self.with(|values| values.remove(key));
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        change(&mut self.values.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Few, so that a list has more than one page.
const KEYS_OF_A_PAGE: usize = 2;

/// What only the operator may see.
pub const REFUSED: &str = "10.9.8.7 refuses the connection";

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum KeyValueError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct KeyResponse {
    keys: Vec<String>,
    cursor: Option<String>,
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    Store(KeyValueError),
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum ConfigError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

struct Bucket(Arc<Values>);

struct Cas {
    values: Arc<Values>,
    key: String,
    seen: Option<Vec<u8>>,
}

type Caller<'a> = StoreContextMut<'a, Ctx>;
type Outcome<T> = wasmtime::Result<(Result<T, KeyValueError>,)>;

/// `wasi:config`, and the parts of `wasi:keyvalue` that the adapter uses.
pub fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    let mut config = linker.instance("wasi:config/store@0.2.0-draft-2024-09-27")?;
    config.func_wrap("get-all", |caller: Caller<'_>, (): ()| {
        if caller.data().options.variables_fail.is_set() {
            return Ok((Err(ConfigError::Upstream("the vault at 10.9.8.7 is sealed".to_owned())),));
        }
        Ok((Ok::<_, ConfigError>(caller.data().options.variables.clone()),))
    })?;

    let mut store = linker.instance("wasi:keyvalue/store@0.2.0-draft2")?;
    store.resource("bucket", ResourceType::host::<Bucket>(), |mut caller, rep| {
        caller.data_mut().table.delete(Resource::<Bucket>::new_own(rep))?;
        Ok(())
    })?;
    store.func_wrap("open", |mut caller: Caller<'_>, (label,): (String,)| -> Outcome<Resource<Bucket>> {
        let ctx = caller.data_mut();
        Ok((match &ctx.options.values {
            Some(values) if values.health() != Health::Works => Err(KeyValueError::Other(REFUSED.to_owned())),
            Some(values) if label == "default" => {
                values.count_open();
                Ok(ctx.table.push(Bucket(Arc::clone(values)))?)
            }
            _ => Err(KeyValueError::AccessDenied),
        },))
    })?;
    store.func_wrap(
        "[method]bucket.get",
        |caller: Caller<'_>, (bucket, key): (Resource<Bucket>, String)| -> Outcome<Option<Vec<u8>>> {
            Ok((Ok(caller.data().table.get(&bucket)?.0.get(&key)),))
        },
    )?;
    store.func_wrap(
        "[method]bucket.set",
        |caller: Caller<'_>, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| -> Outcome<()> {
            caller.data().table.get(&bucket)?.0.set(&key, value);
            Ok((Ok(()),))
        },
    )?;
    store.func_wrap(
        "[method]bucket.delete",
        |caller: Caller<'_>, (bucket, key): (Resource<Bucket>, String)| -> Outcome<()> {
            caller.data().table.get(&bucket)?.0.remove(&key);
            Ok((Ok(()),))
        },
    )?;

    store.func_wrap(
        "[method]bucket.list-keys",
        |caller: Caller<'_>, (bucket, cursor): (Resource<Bucket>, Option<String>)| -> Outcome<KeyResponse> {
            let mut keys = caller.data().table.get(&bucket)?.0.keys();
            keys.retain(|key| cursor.as_ref().is_none_or(|cursor| key > cursor));
            let is_last = keys.len() <= KEYS_OF_A_PAGE;
            keys.truncate(KEYS_OF_A_PAGE);
            let cursor = keys.last().filter(|_| !is_last).cloned();
            Ok((Ok(KeyResponse { keys, cursor }),))
        },
    )?;

    let mut atomics = linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?;
    atomics.resource("cas", ResourceType::host::<Cas>(), |mut caller, rep| {
        caller.data_mut().table.delete(Resource::<Cas>::new_own(rep))?;
        Ok(())
    })?;
    atomics.func_wrap(
        "increment",
        |caller: Caller<'_>, (bucket, key, delta): (Resource<Bucket>, String, i64)| -> Outcome<i64> {
            let count = caller.data().table.get(&bucket)?.0.with(|values| {
                let old =
                    values.get(&key).map_or(Some(0), |bytes| std::str::from_utf8(bytes).ok()?.parse::<i64>().ok());
                let new = old? + delta;
                values.insert(key, new.to_string().into_bytes());
                Some(new)
            });
            Ok((count.ok_or_else(|| KeyValueError::Other("not a number".to_owned())),))
        },
    )?;
    atomics.func_wrap(
        "[static]cas.new",
        |mut caller: Caller<'_>, (bucket, key): (Resource<Bucket>, String)| -> Outcome<Resource<Cas>> {
            let table = &mut caller.data_mut().table;
            let values = Arc::clone(&table.get(&bucket)?.0);
            let seen = values.get(&key);
            Ok((Ok(table.push(Cas { values, key, seen })?),))
        },
    )?;
    atomics.func_wrap(
        "[method]cas.current",
        |mut caller: Caller<'_>, (cas,): (Resource<Cas>,)| -> Outcome<Option<Vec<u8>>> {
            let cas = caller.data_mut().table.get_mut(&cas)?;
            cas.seen = cas.values.get(&cas.key);
            Ok((Ok(cas.seen.clone()),))
        },
    )?;
    atomics.func_wrap(
        "swap",
        |mut caller: Caller<'_>, (cas, value): (Resource<Cas>, Vec<u8>)| -> wasmtime::Result<(Result<(), CasError>,)> {
            let table = &mut caller.data_mut().table;
            let Cas { values, key, seen } = table.delete(cas)?;
            let sets_what_was_not_there = values.sets_what_was_not_there;
            let swapped = values.with(|values| {
                let sets = seen.is_none() && sets_what_was_not_there;
                (sets || values.get(&key) == seen.as_ref()).then(|| values.insert(key.clone(), value)).is_some()
            });
            if values.doubts(&key) {
                return Ok((Err(CasError::Store(KeyValueError::Other(REFUSED.to_owned()))),));
            }
            if swapped && !values.denies_swaps {
                return Ok((Ok(()),));
            }
            let seen = values.get(&key);
            Ok((Err(CasError::Failed(table.push(Cas { values, key, seen })?)),))
        },
    )
}
