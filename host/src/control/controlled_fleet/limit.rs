//! How many instances there may be, whoever adds them.

use std::sync::atomic::Ordering;

use super::{ControlledFleet, Controls};
use crate::error::Error;

impl ControlledFleet {
    /// The limit of instances unless [`limit`](Self::limit) sets another. Each instance has
    /// a journal and cached answers, so this many take gigabytes.
    ///
    /// ```
    /// assert_eq!(imds_host::ControlledFleet::INSTANCES_MAX, 100_000);
    /// ```
    pub const INSTANCES_MAX: usize = 100_000;

    /// Sets how many instances there may be, whoever adds them: you, an operator or
    /// `RunInstances`. Adding another one fails with [`Error::Full`]; existing instances
    /// stay.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Error, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// fleet.limit(1);
    /// fleet.insert("10.0.0.7", &Default::default())?;
    /// assert!(matches!(fleet.insert("10.0.0.8", &Default::default()), Err(Error::Full { instances_max: 1 })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn limit(&self, instances_max: usize) {
        self.shared.instances_max.store(instances_max, Ordering::Relaxed);
    }

    /// How many instances there may be.
    ///
    /// ```
    /// # use imds_host::{CallerKey, ControlledFleet, Runtime};
    /// # let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// assert_eq!(fleet.instances_max(), ControlledFleet::INSTANCES_MAX);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn instances_max(&self) -> usize {
        self.shared.instances_max.load(Ordering::Relaxed)
    }

    pub(super) fn has_room(&self, controls: &Controls, key: &str) -> Result<(), Error> {
        let instances_max = self.instances_max();
        match controls.len() < instances_max || controls.contains_key(key) {
            true => Ok(()),
            false => Err(Error::Full { instances_max }),
        }
    }
}
