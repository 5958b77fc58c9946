use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of which none comes twice; clones share them.
#[derive(Clone)]
pub(crate) struct Entropy(Arc<AtomicU64>);

impl Entropy {
    /// Differs from one start to the next, so that two services that share a
    /// secret do not issue equal tokens in one millisecond. It need not be secret.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(RandomState::new().hash_one(()))))
    }

    pub(crate) fn next(&self) -> u64 {
        // Adding an odd number visits all 2^64 values before one comes again.
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}
