//! The key-value store, through WASI's interface: Spin's own has no atomic
//! operations, which the secret and the throttle need.

use std::fmt;

use spin_sdk::experimental::wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
use spin_sdk::experimental::wasi::keyvalue::store::{Bucket, Error, open};

/// The label under which `spin.toml` gives the store to the component.
const LABEL: &str = "default";

/// An open store.
pub struct Store(Bucket);

/// Why the store does not give what it was asked for.
#[derive(Debug)]
pub enum Trouble {
    /// The application has no store.
    Absent,
    /// The store failed, for a reason in its own words.
    Failed(String),
}

impl Store {
    /// Opens the store.
    pub fn open() -> Result<Store, Trouble> {
        Ok(Store(open(LABEL)?))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.0.get(key)?)
    }

    /// Sets the value of a key.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Trouble> {
        Ok(self.0.set(key, value)?)
    }

    /// Adds 1 to a counter that nothing else writes to; gives the new count.
    pub fn count(&self, key: &str) -> Result<i64, Trouble> {
        Ok(increment(&self.0, key, 1)?)
    }

    /// Puts in place of a value what `next` makes of it, and asks again where
    /// another replica was faster. `next` gives none to leave the value.
    pub fn exchange<T>(
        &self,
        key: &str,
        mut next: impl FnMut(Option<Vec<u8>>) -> (T, Option<Vec<u8>>),
    ) -> Result<T, Trouble> {
        let mut cas = Cas::new(&self.0, key)?;
        for _ in 0..EXCHANGES_MAX {
            let (result, value) = next(cas.current()?);
            let Some(value) = value else { return Ok(result) };
            match swap(cas, &value) {
                Ok(()) => return Ok(result),
                Err(CasError::StoreError(error)) => return Err(error.into()),
                // Not the handle that comes back: stores differ in what it knows.
                Err(CasError::CasFailed(_)) => cas = Cas::new(&self.0, key)?,
            }
        }
        Err(Trouble::Failed(format!("the key `{key}` is changed by others all the time")))
    }
}

/// One of the replicas succeeds each time, so this is never reached but by as
/// many that ask at once.
const EXCHANGES_MAX: u32 = 64;

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error {
            Error::NoSuchStore | Error::AccessDenied => Trouble::Absent,
            Error::Other(message) => Trouble::Failed(message),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Absent => write!(f, "the application has no key-value store `{LABEL}`"),
            Trouble::Failed(message) => write!(f, "the key-value store failed: {message}"),
        }
    }
}

impl std::error::Error for Trouble {}
