//! WASI's drafts, for the face of `wasi:http` 0.2. No future here is ever pending.

use std::collections::BTreeMap;
use std::time::Duration;

use spin_sdk::experimental::wasi::config::store as config;
use spin_sdk::experimental::wasi::keyvalue::store::{Bucket, open};

use super::Read;
use crate::store::StoreError;

/// Whether an instance of the adapter serves more than one request.
pub const LIVES_ON: bool = false;

/// Reads variables. All in one call: an instance has one request, and each call costs it
/// some twenty microseconds.
pub async fn variables(names: impl Iterator<Item = &'static str>) -> Read {
    let all = config::get_all().map(BTreeMap::from_iter).map_err(|error| match error {
        config::Error::Upstream(reason) | config::Error::Io(reason) => reason,
    });
    let value = |name| all.as_ref().map(|all| all.get(name).cloned()).map_err(String::clone);
    names.map(|name| (name, value(name))).collect()
}

/// The values of a store.
pub struct Values(Bucket);

impl Values {
    /// Opens the store of that label.
    pub async fn open(label: &'static str) -> Result<Values, StoreError> {
        Ok(Values(open(label)?))
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key)?)
    }

    /// Sets the value of a key.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        Ok(self.0.set(key, value)?)
    }

    /// Removes a key.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        Ok(self.0.delete(key)?)
    }

    /// The same store, for atomic operations.
    pub fn bucket(&self) -> Result<&Bucket, StoreError> {
        Ok(&self.0)
    }
}

/// What is wanted. A call to such an engine cannot be given up, so there is no bound.
pub async fn within<T>(_bound: Duration, wanted: impl Future<Output = T>) -> Option<T> {
    Some(wanted.await)
}

/// Waits.
pub async fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

pub async fn give_way() {}
