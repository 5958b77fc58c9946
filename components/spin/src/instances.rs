//! What this instance of the adapter knows: variables, the secret, and instances
//! that are open. Another one may know more or less; nothing is lost with it.
//!
//! Requests are answered at the same time, so nothing here is borrowed while
//! something is waited for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use crate::bindings::metadata::Instance;
use crate::callers::Callers;
use crate::failure::Failure;
use crate::keys::{DEFAULT_DESCRIPTION, INSTANCES};
use crate::known::Known;
use crate::store::{PATIENCE, Store, StoreError};
use crate::variables::{self, Variables};
use crate::{engine, log, opening, secret};

/// Spin drops an adapter after some hundred requests; this is for engines that do
/// not.
const OPEN_MAX: usize = 256;

#[derive(Default)]
struct Memory {
    variables: Option<Known<Result<Rc<Variables>, Failure>>>,
    secret: Option<Known<Rc<[u8]>>>,
    open: BTreeMap<String, Known<Found>>,
    store: Option<Rc<Store>>,
    /// When a call to the store was last given up.
    silent: Option<Instant>,
}

/// An open instance; `None` if nothing stands under its key.
type Found = Result<Option<Rc<Open>>, Failure>;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// An open instance.
pub struct Open {
    text: String,
    secret: Rc<[u8]>,
    /// The instance.
    pub instance: Instance,
    /// The throttle's state when it was last seen here.
    pub throttle_state: Cell<u64>,
}

/// What to read again behind an answer.
pub enum Due {
    /// The variables.
    Variables,
    /// The description under a key, and the secret.
    Instance(String),
}

/// The variables: from memory where that serves, else read.
pub async fn variables(now: Instant) -> Result<Rc<Variables>, Failure> {
    let known = MEMORY.with_borrow(|memory| {
        let known = memory.variables.as_ref().filter(|known| known.serves(now));
        known.map(|known| known.value.clone())
    });
    match known {
        Some(known) => known,
        None => read_variables().await,
    }
}

/// The instance whose description stands under `key`: from memory where that serves,
/// else read. Failures and nothing are remembered too: clients say how often they ask.
pub async fn open(key: &str, variables: &Rc<Variables>, now: Instant) -> Found {
    let known = MEMORY.with_borrow(|memory| {
        let known = memory.open.get(key).filter(|known| known.serves(now));
        known.map(|known| known.value.clone())
    });
    match known {
        Some(known) => known,
        None => read_instance(key, variables).await,
    }
}

/// What to read again behind an answer from what stands under `key`.
pub fn due(key: Option<&str>, now: Instant) -> Vec<Due> {
    MEMORY.with_borrow_mut(|memory| {
        let mut due = Vec::new();
        if memory.variables.as_mut().is_some_and(|known| known.is_due(now)) {
            due.push(Due::Variables);
        }
        if let Some((key, known)) = key.and_then(|key| Some((key, memory.open.get_mut(key)?)))
            && known.is_due(now)
        {
            due.push(Due::Instance(key.to_owned()));
        }
        due
    })
}

impl Due {
    /// Reads it again.
    pub async fn read(self) {
        match self {
            // What fails is told in the log, and by the next answer that needs it.
            Due::Variables => drop(read_variables().await),
            Due::Instance(key) => {
                let variables = MEMORY.with_borrow(|memory| memory.variables.as_ref()?.value.clone().ok());
                if let Some(variables) = variables {
                    drop(read_instance(&key, &variables).await);
                }
            }
        }
    }
}

async fn read_variables() -> Result<Rc<Variables>, Failure> {
    let values = engine::variables(variables::names()).await;
    let read = Variables::read(|name| values.get(name).cloned().unwrap_or(Ok(None))).map_err(Failure::Variable);
    MEMORY.with_borrow_mut(|memory| {
        let before = memory.variables.as_mut();
        let read = match (read, before) {
            (Err(failure), Some(known)) if failure.is_outage() && known.value.is_ok() => {
                known.keep();
                log::once(VARIABLES_OUT, || format!("{}; goes on with the values from before", failure.for_log()));
                return known.value.clone();
            }
            (Ok(read), Some(Known { value: Ok(before), .. })) if **before == read => Ok(Rc::clone(before)),
            (read, _) => {
                memory.secret = None;
                memory.open.clear();
                read.map(Rc::new)
            }
        };
        if let Ok(variables) = &read {
            if log::again(VARIABLES_OUT) {
                log::line("the variables can be read again");
            }
            if engine::LIVES_ON {
                log::once("variables", || format!("variables in force: {}", variables.in_force()));
            }
        }
        memory.variables = Some(Known::now(read.clone()));
        read
    })
}

async fn read_instance(key: &str, variables: &Rc<Variables>) -> Found {
    let before = MEMORY.with_borrow(|memory| memory.open.get(key)?.value.clone().ok().flatten());
    let found = open_anew(key, variables, before).await;
    MEMORY.with_borrow_mut(|memory| {
        // What was read under other variables is nothing to remember.
        let current = memory.variables.as_ref().and_then(|known| known.value.as_ref().ok());
        if !current.is_some_and(|current| Rc::ptr_eq(current, variables)) {
            return found;
        }
        match (&found, memory.open.get_mut(key)) {
            (Err(failure), Some(known)) if failure.is_outage() && !is_outage(&known.value) => {
                known.keep();
                log::once(STORE_OUT, || format!("{}; goes on with what is known", failure.for_log()));
                return known.value.clone();
            }
            (Ok(_), _) if log::again(STORE_OUT) => log::line("the key-value store answers again"),
            _ => {}
        }
        if memory.open.len() >= OPEN_MAX && !memory.open.contains_key(key) {
            let oldest = memory.open.iter().min_by_key(|(_, known)| known.read()).map(|(key, _)| key.clone());
            oldest.map(|key| memory.open.remove(&key));
        }
        memory.open.insert(key.to_owned(), Known::now(found.clone()));
        found
    })
}

const VARIABLES_OUT: &str = "variables cannot be read";
const STORE_OUT: &str = "store fails";

fn is_outage(found: &Found) -> bool {
    found.as_ref().is_err_and(Failure::is_outage)
}

async fn open_anew(key: &str, variables: &Variables, before: Option<Rc<Open>>) -> Found {
    let Some((text, source)) = description(key, variables).await? else {
        return Ok(None);
    };
    let secret = shared_secret(variables).await?;
    if let Some(before) = before.filter(|before| before.text == text && before.secret == secret) {
        return Ok(Some(before));
    }
    // Two that describe themselves alike are still two.
    let scope = key.strip_prefix(INSTANCES);
    let instance = opening::open(&text, &source, &secret, scope, variables)?;
    Ok(Some(Rc::new(Open { text, secret, instance, throttle_state: Cell::new(0) })))
}

/// The description of the instance under `key`, and what to call its source.
async fn description(key: &str, variables: &Variables) -> Result<Option<(String, String)>, Failure> {
    if let Some(text) = &variables.instance {
        return Ok(Some((text.clone(), "the variable `instance`".to_owned())));
    }
    let source = format!("the key `{key}` of the key-value store");
    let stored = match with_store(async |store| store.get(key).await).await {
        // Without a store nobody can have described anything.
        Err(StoreError::Absent) if variables.callers == Callers::One => None,
        stored => stored.map_err(Failure::Store)?,
    };
    match stored {
        None if variables.callers == Callers::One => {
            Ok(Some((DEFAULT_DESCRIPTION.to_owned(), "the default instance".to_owned())))
        }
        None => Ok(None),
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((text, source))),
            Err(_) => Err(Failure::Description(source, vec!["is not UTF-8".to_owned()])),
        },
    }
}

/// The secret of the variables, or the one that the replicas share.
async fn shared_secret(variables: &Variables) -> Result<Rc<[u8]>, Failure> {
    if let Some(secret) = &variables.token_secret {
        return Ok(Rc::from(secret.as_slice()));
    }
    let now = Instant::now();
    let known = MEMORY.with_borrow_mut(|memory| {
        let known = memory.secret.as_mut().filter(|known| known.serves(now))?;
        (!known.is_due(now)).then(|| Rc::clone(&known.value))
    });
    if let Some(secret) = known {
        return Ok(secret);
    }
    let secret = with_store(async |store| secret::shared(store).await).await;
    let secret: Rc<[u8]> = secret.map(Rc::from).map_err(|error| match error {
        StoreError::Absent => Failure::NoSecret(error),
        StoreError::Failed(_) | StoreError::TimedOut => Failure::Store(error),
    })?;
    MEMORY.with_borrow_mut(|memory| memory.secret = Some(Known::now(Rc::clone(&secret))));
    Ok(secret)
}

/// Asks the store, which is opened once. One that was silent is left alone for a
/// while: else each request that needs it would wait.
pub async fn with_store<T>(ask: impl AsyncFnOnce(&Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let now = Instant::now();
    let (is_silent, store) = MEMORY.with_borrow(|memory| {
        let is_silent = memory.silent.is_some_and(|silent| now.saturating_duration_since(silent) < PATIENCE);
        (is_silent, memory.store.clone())
    });
    if is_silent {
        return Err(StoreError::TimedOut);
    }
    let asked = async {
        let store = match store {
            Some(store) => store,
            None => Rc::new(Store::open().await?),
        };
        let told = ask(&store).await?;
        Ok((store, told))
    };
    let asked = asked.await;
    MEMORY.with_borrow_mut(|memory| match asked {
        Ok((store, told)) => {
            memory.store = Some(store);
            memory.silent = None;
            Ok(told)
        }
        Err(error) => {
            // It may be the connection that fails.
            memory.store = None;
            memory.silent = (error == StoreError::TimedOut).then(Instant::now);
            Err(error)
        }
    })
}
