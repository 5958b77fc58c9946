//! Leases: of one key, one change at a time, whichever replica makes it.
//!
//! A swap alone would not do. Spin's own store sets a key that was not there whatever
//! came meanwhile, it has no removal on a condition, and its Redis store does not tell
//! whether a swap succeeded: see [`Store::replace`]. What all of them but Cosmos do
//! atomically is to count. So whoever counts 1 on the counter of a key has its lease, and
//! removes the counter behind it. A lease that nobody released, since an engine stopped
//! under it, ends with its time: each span of time has a counter of its own. The swap
//! notices a program that writes to the store without a lease; a `DELETE` does not notice
//! it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use imds_spin::Reply;
use imds_spin::store::{Store, StoreError};
use sha2::{Digest, Sha256};

use crate::key::Key;
use crate::reply::{error, failed, with_field};

/// How long a lease may last: many times what a change takes.
const HELD_MAX: Duration = Duration::from_secs(2);
/// By as much the clocks of two replicas may differ.
const SKEW_MAX: Duration = Duration::from_secs(2);
/// One counter is for so long.
const SPAN: Duration = Duration::from_secs(10);
/// So often one asks for a lease, which takes some seconds: `imds ctl` waits for ten.
const TRIES: u32 = 150;
const PAUSE: Duration = Duration::from_millis(20);

/// The right to change what stands under a key, for a short time.
pub struct Lease<'s> {
    store: &'s Store,
    counters: Vec<String>,
    since: Instant,
}

impl<'s> Lease<'s> {
    /// Waits for the lease of a key.
    pub async fn acquire(store: &'s Store, key: &Key) -> Result<Lease<'s>, Reply> {
        for _ in 0..TRIES {
            if let Some(lease) = Lease::try_acquire(store, key).await.map_err(|trouble| failed(&trouble))? {
                return Ok(lease);
            }
            imds_spin::pause(PAUSE).await;
        }
        Err(busy())
    }

    async fn try_acquire(store: &'s Store, key: &Key) -> Result<Option<Lease<'s>>, StoreError> {
        let mut lease = Lease { store, counters: Vec::new(), since: Instant::now() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let span = |time: Duration| time.as_secs() / SPAN.as_secs();
        // A lease that goes on in the next span has that one too, by the clock of a replica
        // that is ahead as well.
        for span in span(now)..=span(now + HELD_MAX + SKEW_MAX) {
            let counter = counter(key, span);
            if store.count(&counter)? != 1 {
                lease.release().await?;
                return Ok(None);
            }
            lease.counters.push(counter);
        }
        Ok(Some(lease))
    }

    /// Fails where the lease has lasted so long that another one may have begun.
    pub fn check(&self) -> Result<(), Reply> {
        if self.since.elapsed() < HELD_MAX { Ok(()) } else { Err(busy()) }
    }

    /// How many pairs of the store it has.
    pub fn pairs(&self) -> usize {
        self.counters.len()
    }

    /// Lets others have theirs.
    pub async fn release(self) -> Result<(), StoreError> {
        for counter in &self.counters {
            self.store.remove(counter).await?;
        }
        Ok(())
    }
}

/// A counter's name. Keys are too long to stand in others.
fn counter(key: &Key, span: u64) -> String {
    let digest = Sha256::digest(key.stored());
    let digest = digest.iter().take(16).fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
    format!("control/lease/{digest:032x}/{span}")
}

fn busy() -> Reply {
    let message = "others change this instance, or the store is slow; nothing was changed, ask again in some seconds";
    with_field(error(503, message), "Retry-After", "5")
}
