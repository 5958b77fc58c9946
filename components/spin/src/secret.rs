//! The secret of the session tokens, where no variable gives one.

use std::time::{Duration, Instant};

use crate::store::{Store, Trouble};

const KEY: &str = "token-secret";
/// Who counts 1 here makes the secret. One counter for each time that the
/// one who had to make it did not.
const MAKERS: &str = "token-secret/makers/";
const SECRET_BYTES: usize = 32;

/// Longer than any store takes for one write.
const MAKER_TIME: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);
/// Each round is one maker that vanished between two calls to the store.
const ROUNDS: u32 = 3;

/// The secret that all replicas share; made by one of them if there is none.
///
/// A counter elects who makes it, because stores count atomically even where
/// they cannot set a key on the condition that it is not there. The others wait
/// until it is there.
pub fn shared(store: &Store) -> Result<Vec<u8>, Trouble> {
    for round in 0..ROUNDS {
        if let Some(secret) = kept(store)? {
            return Ok(secret);
        }
        let started = Instant::now();
        if store.count(&format!("{MAKERS}{round}"))? == 1 {
            let mut secret = [0; SECRET_BYTES];
            getrandom::fill(&mut secret).map_err(|error| Trouble::Failed(error.to_string()))?;
            // Too late, the others may have elected another.
            if started.elapsed() < MAKER_TIME / 2 {
                store.set(KEY, &secret)?;
                eprintln!(
                    "imds: there is no variable `token_secret`: made a secret and keep it in the key-value store as `{KEY}`"
                );
            }
        }
        while started.elapsed() < MAKER_TIME {
            if let Some(secret) = kept(store)? {
                return Ok(secret);
            }
            // Only at the very first requests to a new store.
            std::thread::sleep(PAUSE);
        }
    }
    Err(Trouble::Failed(format!("nobody made the key `{KEY}`; set the variable `token_secret`")))
}

fn kept(store: &Store) -> Result<Option<Vec<u8>>, Trouble> {
    match store.get(KEY)? {
        Some(secret) if secret.len() < 16 => {
            Err(Trouble::Failed(format!("the key `{KEY}` holds fewer than 16 bytes; remove it")))
        }
        secret => Ok(secret),
    }
}
