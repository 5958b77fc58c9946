//! The key-value store: plain reads as the engine has them, and the atomic
//! operations of WASI's interface, which the secret and the throttle need and
//! Spin's own does not have.
//!
//! The SDK keeps its bindings of WASI's drafts in `experimental`, which its
//! documentation does not show: there are no others. `Cargo.lock` holds the SDK, and
//! a test holds what the adapter imports.

use std::time::{Duration, Instant};

use spin_sdk::experimental::wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
use spin_sdk::experimental::wasi::keyvalue::store::Error;

use crate::engine::{self, Values};
use crate::keys;
use crate::store_error::LABEL;
pub use crate::store_error::StoreError;

/// Who waits longer for a call is told that the store does not answer. A store at
/// work takes milliseconds, and a client of the service gives up after a second or
/// two.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// An open store.
pub struct Store(Values);

impl Store {
    /// Opens the store.
    pub async fn open() -> Result<Store, StoreError> {
        Ok(Store(bounded(Values::open(LABEL)).await?))
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        bounded(self.0.get(key)).await
    }

    /// Sets the value of a key.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        bounded(self.0.set(key, value)).await
    }

    /// Removes a key.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        bounded(self.0.remove(key)).await
    }

    /// The names of all keys, in no order. WASI's interface has them: Spin's own gives
    /// them one by one.
    pub fn keys(&self) -> Result<Vec<String>, StoreError> {
        engine::called();
        let (mut keys, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let part = self.0.bucket()?.list_keys(cursor.as_deref())?;
            keys.extend(part.keys);
            cursor = part.cursor.filter(|cursor| !cursor.is_empty());
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Sets the value of a key if it is `expected`. `None` means the key must be absent.
    /// Returns whether it was set.
    ///
    /// Of what a store says of a swap only success is sure: Spin's Redis store swaps
    /// and says that it did not, and its own store sets a key that was not there
    /// whatever came meanwhile. So one caller at a time may do this to a key.
    pub fn replace(&self, key: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<bool, StoreError> {
        engine::called();
        let bucket = self.0.bucket()?;
        let cas = Cas::new(bucket, key)?;
        if cas.current()?.as_deref() != expected {
            return Ok(false);
        }
        match swap(cas, value) {
            Ok(()) => Ok(true),
            Err(CasError::StoreError(error)) => Err(error.into()),
            Err(CasError::CasFailed(_)) => Ok(bucket.get(key)?.as_deref() == Some(value)),
        }
    }

    /// Adds 1 to a counter that nothing else writes to. Returns the new count.
    pub fn count(&self, key: &str) -> Result<i64, StoreError> {
        engine::called();
        Ok(increment(self.0.bucket()?, key, 1)?)
    }

    /// A number as exchanges leave it; 0 where there is none. Unlike an exchange it waits
    /// for a store no longer than [`PATIENCE`].
    pub async fn number(&self, key: &str) -> Result<u64, StoreError> {
        Ok(number(&self.get(key).await?.unwrap_or_default()).0)
    }

    /// Puts in place of a number what `next` makes of it, and asks again where
    /// another replica was faster. 0 stands for one that is not there. No two
    /// exchanges may have the same `tag`. Returns `None` if others win every try.
    pub async fn exchange<T>(
        &self,
        key: &str,
        tag: u64,
        mut next: impl FnMut(u64) -> (T, u64),
    ) -> Result<Option<T>, StoreError> {
        engine::called();
        let bucket = self.0.bucket()?;
        let tag = tag.to_be_bytes();
        let mut cas = Cas::new(bucket, key)?;
        let mut seen = match cas.current()? {
            Some(seen) => seen,
            None => {
                self.begin(key).await?;
                cas = Cas::new(bucket, key)?;
                cas.current()?.unwrap_or_default()
            }
        };
        for _ in 0..EXCHANGES_MAX {
            let (state, tags) = number(&seen);
            let (result, next) = next(state);
            if next == state {
                return Ok(Some(result));
            }
            let others = &tags[..tags.len().min(TAGS_BYTES - tag.len())];
            match swap(cas, &[&next.to_be_bytes(), &tag, others].concat()) {
                Ok(()) => return Ok(Some(result)),
                Err(CasError::StoreError(error)) => return Err(error.into()),
                // Not the handle that comes back: stores differ in what it knows.
                Err(CasError::CasFailed(_)) => cas = Cas::new(bucket, key)?,
            }
            seen = cas.current()?.unwrap_or_default();
            // Spin's Redis store swaps and says that it did not.
            if seen.chunks_exact(tag.len()).skip(1).any(|other| other == tag) {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// Puts 0 where there is no number, and where nobody else has put one meanwhile:
    /// a swap does not see to that, as [`Store::replace`] says. Whoever counts 1 on a
    /// counter beside it does so, and removes the counter.
    async fn begin(&self, key: &str) -> Result<(), StoreError> {
        let counter = keys::first(key);
        let started = Instant::now();
        while started.elapsed() < BEGIN_TIME {
            if self.count(&counter)? == 1 {
                let begun = match self.get(key).await {
                    // Too late, the others may have elected another.
                    Ok(None) if started.elapsed() < BEGIN_TIME / 2 => self.set(key, &0_u64.to_be_bytes()).await,
                    other => other.map(drop),
                };
                return self.remove(&counter).await.and(begun);
            }
            if self.get(key).await?.is_some() {
                return Ok(());
            }
            engine::pause(BEGIN_PAUSE).await;
        }
        // Whoever counted 1 has vanished.
        self.remove(&counter).await
    }
}

/// A number as it is stored, and the tags behind it.
fn number(stored: &[u8]) -> (u64, &[u8]) {
    stored.split_first_chunk().map_or((0, &[]), |(number, tags)| (u64::from_be_bytes(*number), tags))
}

/// The tags of the last 32 exchanges stand behind the number, so that each
/// finds its own though others came after it.
const TAGS_BYTES: usize = 32 * 8;

/// One of the replicas succeeds each time. More tries than this would help the
/// one that tries and keep all others waiting: in Redis, Spin opens a connection
/// for each.
const EXCHANGES_MAX: u32 = 8;

/// Longer than any store takes for one write.
const BEGIN_TIME: Duration = Duration::from_secs(2);
const BEGIN_PAUSE: Duration = Duration::from_millis(10);

async fn bounded<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    engine::called();
    engine::within(PATIENCE, call).await.unwrap_or(Err(StoreError::TimedOut))
}

impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        match error {
            Error::NoSuchStore | Error::AccessDenied => StoreError::Absent,
            Error::Other(message) => StoreError::Failed(message),
        }
    }
}
