//! What becomes of a description as that of one of a fleet, which need not be in it.

use std::time::SystemTime;

use super::{Fleet, Shared};
use crate::description::{Description, Warnings};
use crate::error::Error;

impl Fleet {
    /// Warnings about the description of the instance with this key:
    /// [`Runtime::warnings`](crate::Runtime::warnings) for one of many.
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

    /// Returns the description of the instance with this key after a change at a time:
    /// [`Runtime::edit`](crate::Runtime::edit) for one of many. The fleet does not
    /// change; pass the result to [`insert`](Self::insert).
    ///
    /// Fails as [`insert`](Self::insert) does for the description, and then with places
    /// in the change.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, Fleet, Runtime};
    /// # let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let web = Description::from_toml("web.toml", "tags = { Name = 'web' }")?;
    /// let change = Description::from_toml("change", "tags = { Name = 'db' }")?;
    /// let edited = fleet.edit("10.0.0.7", &web, &change, std::time::SystemTime::now())?;
    /// assert_eq!(edited.to_json(), r#"{"tags":{"Name":"db"}}"#);
    /// fleet.insert("10.0.0.7", &edited)?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn edit(
        &self,
        key: &str,
        description: &Description,
        change: &Description,
        now: SystemTime,
    ) -> Result<Description, Error> {
        let Shared { runtime, callers, .. } = &*self.shared;
        let key = callers.canonical(key)?;
        let opening = self.opening(&description.to_json(), &key);
        runtime.edit_opening(&opening, description, change, now)
    }
}
