//! What becomes of a description as that of one of a fleet, which need not be in it.

use std::time::SystemTime;

use super::{Fleet, Shared};
use crate::description::{Description, Warnings};
use crate::error::Error;

impl Fleet {
    /// What the description of the instance of this key says that can be served and
    /// cannot be real: [`Runtime::warnings`] for one of many.
    ///
    /// Fails as [`insert`](Self::insert) does.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let description = Description::from_toml("my.toml", "instance-type = 't3.mikro'")?;
    /// let warnings = fleet.warnings("10.0.0.7", &description, std::time::SystemTime::now())?;
    /// assert_eq!(warnings.list[0].name, "unknown-instance-type");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn warnings(&self, key: &str, description: &Description, now: SystemTime) -> Result<Warnings, Error> {
        let Shared { runtime, callers, .. } = &*self.shared;
        let key = callers.canonical(key)?;
        let opening = self.opening(&description.to_json(), &key);
        runtime.warnings_of_json(description, &opening.document, now, Some(&key))
    }
}
