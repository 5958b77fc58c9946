//! Who wants to know that a clock goes on otherwise than before.

use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
pub(super) struct Watchers(Mutex<Vec<Arc<Watcher>>>);

/// False, and it is told no more.
pub(super) type Watcher = dyn Fn() -> bool + Send + Sync;

impl Watchers {
    pub(super) fn add(&self, watcher: Arc<Watcher>) {
        self.lock().push(watcher);
    }

    pub(super) fn tell(&self) {
        self.lock().retain(|watcher| watcher());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Watcher>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
