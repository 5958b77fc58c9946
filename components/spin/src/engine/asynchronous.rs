//! Spin's own interfaces, for the face of `wasi:http` 0.3.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use spin_sdk::experimental::wasi::keyvalue::store::{Bucket, open};
use spin_sdk::key_value::{self, Store};
use spin_sdk::variables::Error;
use spin_sdk::wit_bindgen::yield_async;

use super::Read;
use crate::store::{PATIENCE, StoreError};

/// Whether an instance of the adapter serves more than one request.
pub const LIVES_ON: bool = true;

/// The value of a variable; `None` if the application does not have it, and a reason
/// if it cannot be read.
pub async fn variable(name: &str) -> Result<Option<String>, String> {
    match within(PATIENCE, spin_sdk::variables::get(name)).await {
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(Error::Undefined(_) | Error::InvalidName(_))) => Ok(None),
        Some(Err(Error::Provider(reason) | Error::Other(reason))) => Err(reason),
        None => Err("no answer within a second".to_owned()),
    }
}

pub async fn variables(names: impl Iterator<Item = &'static str>) -> Read {
    let mut read = Read::new();
    for name in names {
        let value = variable(name).await;
        let is_out = value.is_err();
        read.insert(name, value);
        if is_out {
            break;
        }
    }
    read
}

/// The values of a store.
pub struct Values {
    label: &'static str,
    store: Store,
    bucket: OnceCell<Bucket>,
}

impl Values {
    /// Opens the store of that label.
    pub async fn open(label: &'static str) -> Result<Values, StoreError> {
        Ok(Values { label, store: Store::open(label).await?, bucket: OnceCell::new() })
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.get(key).await?)
    }

    /// Sets the value of a key.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        Ok(self.store.set(key, value).await?)
    }

    /// Removes a key.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        Ok(self.store.delete(key).await?)
    }

    /// The same store by WASI's interface, which has atomic operations.
    pub fn bucket(&self) -> Result<&Bucket, StoreError> {
        match self.bucket.get() {
            Some(bucket) => Ok(bucket),
            None => {
                let bucket = open(self.label)?;
                Ok(self.bucket.get_or_init(|| bucket))
            }
        }
    }
}

impl From<key_value::Error> for StoreError {
    fn from(error: key_value::Error) -> StoreError {
        match error {
            key_value::Error::NoSuchStore | key_value::Error::AccessDenied => StoreError::Absent,
            key_value::Error::StoreTableFull => StoreError::Failed("too many stores are open at once".to_owned()),
            key_value::Error::Other(reason) => StoreError::Failed(reason),
        }
    }
}

/// What is wanted, if it comes within `bound`; else it is given up.
pub async fn within<T>(bound: Duration, wanted: impl Future<Output = T>) -> Option<T> {
    let mut wanted = pin!(wanted);
    // What is there at once needs no timer.
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(wanted) = wanted.as_mut().poll(cx) {
            return Poll::Ready(Some(wanted));
        }
        timer.get_or_insert_with(|| Box::pin(pause(bound))).as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Waits.
pub async fn pause(duration: Duration) {
    spin_sdk::time::sleep(duration).await;
}

pub async fn give_way() {
    yield_async().await;
}
