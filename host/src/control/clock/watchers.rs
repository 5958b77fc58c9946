//! Who wants to know that a clock goes on otherwise than before.

use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub(super) struct Watchers(Mutex<Vec<Box<Watcher>>>);

/// False, and it is told no more.
type Watcher = dyn Fn() -> bool + Send + Sync;

impl Watchers {
    pub(super) fn add(&self, watcher: impl Fn() -> bool + Send + Sync + 'static) {
        self.lock().push(Box::new(watcher));
    }

    pub(super) fn tell(&self) {
        self.lock().retain(|watcher| watcher());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<Watcher>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
