//! What an engine brings: variables, plain reads of the store, and time to wait.
//!
//! Spin 4 has interfaces of its own for these, whose calls suspend one request and
//! no other. Engines that know WASI 0.2 only have WASI's drafts, whose calls hold
//! everything until they return: there nothing can be bounded.

#[cfg(feature = "asynchronous")]
mod asynchronous;
#[cfg(not(feature = "asynchronous"))]
mod synchronous;

use std::cell::Cell;
use std::collections::BTreeMap;

#[cfg(feature = "asynchronous")]
use asynchronous as face;
#[cfg(not(feature = "asynchronous"))]
use synchronous as face;

pub use face::{LIVES_ON, Values, pause, within};

/// What is known of variables by their names: the value, `None` for one that the
/// application does not have, and a reason for one that cannot be read.
pub type Read = BTreeMap<&'static str, Result<Option<String>, String>>;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Reads variables, up to one that cannot be read: whoever provides one provides them
/// all.
pub async fn variables(names: impl Iterator<Item = &'static str>) -> Read {
    called();
    face::variables(names).await
}

#[cfg(feature = "asynchronous")]
pub use face::variable;

/// Notes a call that may have cost the thread.
pub fn called() {
    CALLS.set(CALLS.get() + 1);
}

/// Knows whether the engine was called for variables or values since.
pub struct Mark(u64);

impl Mark {
    /// From now on.
    pub fn set() -> Mark {
        Mark(CALLS.get())
    }

    /// Gets back onto a thread on which head and body leave together.
    ///
    /// Spin reads variables and its own store in a way that takes the executor's
    /// place from the thread. What is woken from such a thread runs on another one at
    /// once: the server would write the head while the body is still handed over, and
    /// a client that keeps its connection waits 40 ms for the second packet. Who gives
    /// way is taken up again by a thread that has a place; twice, since the first time
    /// the engine only looks whether the instance can take another request meanwhile.
    pub async fn settle(&self) {
        if CALLS.get() != self.0 {
            face::give_way().await;
            face::give_way().await;
        }
    }
}

/// Lets all go ahead that can.
pub async fn give_way() {
    face::give_way().await;
}
