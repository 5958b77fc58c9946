// The keys of the callers, each given once.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

use imds_host::{CallerKey, Error};

/// The keys that were given so far, and where.
pub struct Keys<'c> {
    /// None where nothing is known of who calls: then keys are as they are written.
    callers: Option<&'c CallerKey>,
    hashers: [RandomState; 2],
    /// By two hashes that nobody can foresee, which no two of any number of keys will
    /// ever share: the memory of very many keys would stay taken.
    given: HashMap<[u64; 2], usize>,
}

/// Why a key cannot be taken.
pub enum Refused {
    /// No request can have it.
    Unknown(Error),
    /// It was given before, at this place.
    Twice(usize),
}

impl<'c> Keys<'c> {
    pub fn new(callers: Option<&'c CallerKey>) -> Self {
        Self { callers, hashers: Default::default(), given: HashMap::new() }
    }

    /// Takes the key given at `place`; gives its one spelling.
    pub fn take(&mut self, key: &str, place: usize) -> Result<String, Refused> {
        let key = match self.callers {
            Some(callers) => callers.canonical(key).map_err(Refused::Unknown)?,
            None => key.to_owned(),
        };
        match self.given.entry(self.hashers.each_ref().map(|hasher| hasher.hash_one(&key))) {
            Entry::Occupied(before) => Err(Refused::Twice(*before.get())),
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                Ok(key)
            }
        }
    }
}
