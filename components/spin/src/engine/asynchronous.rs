//! Spin's own interfaces, for the face of `wasi:http` 0.3.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use spin_sdk::experimental::wasi::keyvalue::store::{Bucket, open};
use spin_sdk::key_value::{Error, Store};
use spin_sdk::variables;
use spin_sdk::wit_bindgen::yield_async;

use crate::store::StoreError;

/// Whether an instance of the adapter serves more than one request.
pub const LIVES_ON: bool = true;

pub async fn variable(name: &str) -> Result<Option<String>, String> {
    match variables::get(name).await {
        Ok(value) => Ok(Some(value)),
        Err(variables::Error::Undefined(_) | variables::Error::InvalidName(_)) => Ok(None),
        Err(variables::Error::Provider(reason) | variables::Error::Other(reason)) => Err(reason),
    }
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

impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        match error {
            Error::NoSuchStore | Error::AccessDenied => StoreError::Absent,
            Error::StoreTableFull => StoreError::Failed("too many stores are open at once".to_owned()),
            Error::Other(reason) => StoreError::Failed(reason),
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
