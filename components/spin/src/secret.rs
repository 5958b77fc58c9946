//! The secret of the session tokens, where no variable gives one.

use std::time::{Duration, Instant};

use crate::store::{Store, StoreError};
use crate::{engine, log};

const KEY: &str = "token-secret";
const SECRET_BYTES: usize = 32;

/// Longer than any store takes for one write.
const MAKER_TIME: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);
/// Who counts 1 on the counter of a round makes the secret. Each further round is
/// one that vanished between two calls to the store.
const ROUNDS: u32 = 3;

/// The secret that all replicas share; made by one of them if there is none.
///
/// A counter elects who makes it, because stores count atomically even where
/// they cannot set a key on the condition that it is not there. The others wait
/// until it is there. Who makes it removes the counters, so that a secret that
/// was removed is made again; who is elected after that finds it made.
pub async fn shared(store: &Store) -> Result<Vec<u8>, StoreError> {
    if let Some(secret) = kept(store).await? {
        return Ok(secret);
    }
    for round in 0..ROUNDS {
        let started = Instant::now();
        if store.count(&makers(round))? == 1 && kept(store).await?.is_none() {
            let mut secret = [0; SECRET_BYTES];
            getrandom::fill(&mut secret).map_err(|error| StoreError::Failed(error.to_string()))?;
            // Too late, the others may have elected another.
            if started.elapsed() < MAKER_TIME / 2 {
                store.set(KEY, &secret).await?;
                for round in 0..=round {
                    store.remove(&makers(round)).await?;
                }
                log::line(format!(
                    "there is no variable `token_secret`: made a secret and keep it in the key-value store as `{KEY}`"
                ));
            }
        }
        while started.elapsed() < MAKER_TIME {
            if let Some(secret) = kept(store).await? {
                return Ok(secret);
            }
            // Only at the very first requests to a new store.
            engine::pause(PAUSE).await;
        }
    }
    Err(StoreError::Failed(format!(
        "nobody made the key `{KEY}`; remove the keys `{}` to `{}`, or set the variable `token_secret`",
        makers(0),
        makers(ROUNDS - 1)
    )))
}

fn makers(round: u32) -> String {
    format!("{KEY}/makers/{round}")
}

async fn kept(store: &Store) -> Result<Option<Vec<u8>>, StoreError> {
    match store.get(KEY).await? {
        // Not one that was made here.
        Some(secret) if secret.len() < SECRET_BYTES => {
            Err(StoreError::Failed(format!("the key `{KEY}` holds fewer than {SECRET_BYTES} bytes; remove it")))
        }
        secret => Ok(secret),
    }
}
