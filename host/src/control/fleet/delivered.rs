//! Changes of an instance of a fleet that its operator does not make.

use std::sync::{Arc, PoisonError, Weak};

use serde_json::Value;
use zeroize::Zeroizing;

use super::super::delivery::not_taken;
use super::entry::Entry;
use super::{Fleet, Shared};
use crate::credentials::words;
use crate::engine::Opening;
use crate::error::Error;

/// A fleet, while somebody else has it.
pub(in crate::control) struct WeakFleet(Weak<Shared>);

impl WeakFleet {
    pub(in crate::control) fn upgrade(&self) -> Option<Fleet> {
        Some(Fleet { shared: self.0.upgrade()? })
    }
}

/// Each time, somebody else was faster.
const ATTEMPTS: usize = 8;

impl Fleet {
    pub(in crate::control) fn downgrade(&self) -> WeakFleet {
        WeakFleet(Arc::downgrade(&self.shared))
    }

    /// What the description of the instance of a key says of the source of its role.
    pub(in crate::control) fn words(&self, key: &str) -> Option<Value> {
        let instances = self.shared.instances.read().unwrap_or_else(PoisonError::into_inner);
        words(instances.get(key)?.document())
    }

    /// Changes what was so from the begin of the instance of a key, given in its one
    /// spelling, where there is one whose role has the source of these words. It goes on
    /// as it is: its requests are counted on.
    pub(in crate::control) fn change_quietly(&self, key: &str, own: &Value, change: &str) -> Result<(), Error> {
        let Shared { runtime, terms, instances, .. } = &*self.shared;
        for _ in 0..ATTEMPTS {
            let document = match instances.read().unwrap_or_else(PoisonError::into_inner).get(key) {
                Some(entry) => Zeroizing::new(entry.document().to_owned()),
                None => return Ok(()),
            };
            if words(&document).as_ref() != Some(own) {
                // Its role was taken away, or another source's description put here.
                return Ok(());
            }
            // Not while others are answered.
            let edited = runtime.edit_text(&document, change, None, Some(key))?;
            let edited = edited.map(Zeroizing::new).map_err(|_| not_taken())?;
            if *edited == *document {
                return Ok(());
            }
            let mut instances = instances.write().unwrap_or_else(PoisonError::into_inner);
            let entry = match instances.get(key) {
                Some(entry) if entry.document() != document.as_str() => continue,
                Some(Entry::Resting { .. }) => Entry::resting(&edited, key),
                Some(Entry::Awake(instance)) => {
                    let opening = Opening::of_json(edited.as_str().into(), Arc::clone(terms), Some(key.into()));
                    Entry::Awake(instance.edited(opening))
                }
                None => return Ok(()),
            };
            instances.replace(entry);
            return Ok(());
        }
        Err(not_taken())
    }
}
