// The keys of the callers, each given once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use imds_host::{CallerKey, Error};

/// The keys that were given so far, and where.
pub struct Keys<'c> {
    callers: &'c CallerKey,
    given: HashMap<String, usize>,
}

/// Why a key cannot be taken.
pub enum Refused {
    /// No request can have it.
    Unknown(Error),
    /// It was given before, at this place.
    Twice(usize),
}

impl<'c> Keys<'c> {
    pub fn new(callers: &'c CallerKey) -> Self {
        Self { callers, given: HashMap::new() }
    }

    /// Takes the key given at `place`; gives its one spelling.
    pub fn take(&mut self, key: &str, place: usize) -> Result<String, Refused> {
        let key = self.callers.canonical(key).map_err(Refused::Unknown)?;
        match self.given.entry(key.clone()) {
            Entry::Occupied(before) => Err(Refused::Twice(*before.get())),
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                Ok(key)
            }
        }
    }
}
