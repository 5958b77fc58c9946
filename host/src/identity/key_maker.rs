use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::IdentityKeys;
use crate::error::Error;

/// Makes keys once, at the first need for a signature. Clones share them.
///
/// For programs that store keys and do not want to wait for them at the start.
/// [`Instance::sign_ahead`](crate::Instance::sign_ahead) and
/// [`Fleet::make_keys_ahead`](crate::Fleet::make_keys_ahead) call it before a client
/// has to wait.
///
/// ```
/// use imds_host::{IdentityKeys, IdentitySigning, KeyMaker, Settings};
///
/// let maker = KeyMaker::new(|| {
///     let keys = IdentityKeys::generate()?;
///     // Here the program writes them down.
///     Ok(keys)
/// });
/// let settings = Settings::default().identity_signing(IdentitySigning::MadeBy(maker));
/// # let _ = settings;
/// ```
#[derive(Clone)]
pub struct KeyMaker {
    shared: Arc<Shared>,
}

struct Shared {
    make: Box<dyn Fn() -> Result<IdentityKeys, Error> + Send + Sync>,
    made: Mutex<Option<Arc<IdentityKeys>>>,
}

impl KeyMaker {
    /// Gets the keys from `make`. It runs on the first thread that needs them, while
    /// others wait, and again for the next one if it fails.
    pub fn new(make: impl Fn() -> Result<IdentityKeys, Error> + Send + Sync + 'static) -> Self {
        Self { shared: Arc::new(Shared { make: Box::new(make), made: Mutex::default() }) }
    }

    pub(crate) fn keys(&self) -> Result<Arc<IdentityKeys>, Error> {
        // Held while keys are made, so that they are made once.
        let mut made = self.shared.made.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some(keys) => Ok(Arc::clone(keys)),
            None => Ok(Arc::clone(made.insert(Arc::new((self.shared.make)()?)))),
        }
    }
}

impl fmt::Debug for KeyMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaker(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn keys_are_made_once_for_all_clones_and_again_after_a_failure() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let maker = KeyMaker::new(move || match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::identity("there is no entropy")),
            _ => IdentityKeys::generate(),
        });
        assert!(maker.keys().is_err());
        let keys = maker.clone().keys().unwrap();
        assert!(Arc::ptr_eq(&keys, &maker.keys().unwrap()));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}
