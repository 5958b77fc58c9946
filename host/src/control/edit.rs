//! Changes of the instance of a [`Control`], each done whole or not at all.

use std::sync::{Arc, PoisonError};

use zeroize::Zeroizing;

use super::{Control, Present};
use crate::description::Description;
use crate::engine::{Clock, Opening};
use crate::error::Error;
use crate::problem::Finding;

impl Control {
    /// Changes the instance now, by a piece of a description; `edit` in `wit/imds.wit`
    /// describes what it can contain. Returns the new revision, or the present one if
    /// the change changes nothing. The change is atomic: a running request sees the
    /// instance before it or after it.
    ///
    /// Fails with [`Error::Invalid`], whose places refer to `change`.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// let required = Description::from_toml("required", "metadata-options.http-tokens = 'required'")?;
    /// assert_eq!(control.edit(&required)?, 2);
    /// assert_eq!(control.edit(&required)?, 2);
    /// assert_eq!(control.answer(&Request::get("/")).status, 401);
    ///
    /// let wrong = Description::from_toml("wrong", "user-data = 'echo'")?;
    /// assert!(matches!(control.edit(&wrong), Err(Error::Invalid(_))));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn edit(&self, change: &Description) -> Result<u64, Error> {
        self.edit_if(change, None)
    }

    /// Changes the instance if its revision is `revision`. So if two operators edit the
    /// same revision, the second one gets an error.
    ///
    /// Fails as [`edit`](Self::edit) does, and with [`Error::Conflict`] if the instance
    /// has another revision.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// let change = Description::from_toml("change", "tags = { Name = 'web' }")?;
    /// control.edit_revision(1, &change)?;
    /// assert!(matches!(control.edit_revision(1, &change), Err(Error::Conflict { revision: 2 })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn edit_revision(&self, revision: u64, change: &Description) -> Result<u64, Error> {
        self.edit_if(change, Some(revision))
    }

    /// Replaces the description, with all its edits, as reading a file again does.
    /// Returns the new revision. Relative times count from when the first description
    /// was opened, so a deadline does not move.
    ///
    /// Fails as [`Runtime::open`](crate::Runtime::open) does; then nothing has changed.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.replace(&Description::from_toml("web.toml", "instance-type = 'm7g.large'")?)?;
    /// assert_eq!(control.answer(&Request::get("/latest/meta-data/instance-type")).body, b"m7g.large");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn replace(&self, description: &Description) -> Result<u64, Error> {
        self.replace_if(description, None)
    }

    /// Replaces the description if the revision is `revision`.
    ///
    /// Fails as [`replace`](Self::replace) does, and with [`Error::Conflict`] if the
    /// instance has another revision.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Error, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(control.replace_revision(1, &Description::default())?, 2);
    /// assert!(matches!(control.replace_revision(1, &Description::default()), Err(Error::Conflict { revision: 2 })));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn replace_revision(&self, revision: u64, description: &Description) -> Result<u64, Error> {
        self.replace_if(description, Some(revision))
    }

    fn replace_if(&self, description: &Description, revision: Option<u64>) -> Result<u64, Error> {
        let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
        self.expect(revision)?;
        let mut description = description.clone();
        description.start_at(self.shared.start);
        let opening = self.opening(&description);
        // Judged under its own name, with the places in its own text.
        let judged = self.shared.runtime.try_open(&opening)?;
        judged.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        let opening = self.with_delivered(opening);
        Ok(self.put(opening, self.revision() + 1))
    }

    /// Whether an edit would be made; nothing is changed.
    #[cfg(feature = "ec2")]
    pub(crate) fn judge(&self, change: &Description) -> Result<(), Error> {
        let present = self.present();
        self.edited(present.instance.document(), &change.to_json(), change, self.shared.clock.now_ms()).map(drop)
    }

    /// What holds now, if it is the revision that is wanted.
    fn expect(&self, revision: Option<u64>) -> Result<Present, Error> {
        let present = self.present();
        match revision {
            Some(wanted) if wanted != present.revision => Err(Error::Conflict { revision: present.revision }),
            _ => Ok(present),
        }
    }

    fn edit_if(&self, change: &Description, revision: Option<u64>) -> Result<u64, Error> {
        let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.expect(revision)?;
        let now_ms = self.shared.clock.now_ms();
        let json = Zeroizing::new(self.edited(present.instance.document(), &change.to_json(), change, now_ms)?);
        if *json == self.status_at(&present, now_ms)?.description {
            return Ok(present.revision);
        }
        Ok(self.put(self.opening_of_json(&json), present.revision + 1))
    }

    fn edited(&self, description: &str, change: &str, told: &Description, now_ms: u64) -> Result<String, Error> {
        let edited = self.shared.runtime.edit_text(description, change, Some(now_ms), self.key())?;
        let edited = edited.map_err(|findings| Error::Invalid(told.locate(findings)))?;
        if edited.len() > Description::BYTES_MAX {
            let message =
                format!("with this change the description would have {} KiB, and 1024 at most", edited.len() >> 10);
            let finding = Finding { field: String::new(), in_name: false, message, help: None };
            return Err(Error::Invalid(told.locate(vec![finding])));
        }
        Ok(edited)
    }

    /// What a worker needs to open a description as that of this instance.
    fn opening(&self, description: &Description) -> Opening {
        Opening::new(description, Arc::clone(&self.shared.terms), self.shared.key.clone())
    }

    /// The same of a description that is JSON text.
    pub(crate) fn opening_of_json(&self, description: &str) -> Opening {
        Opening::of_json(description.into(), Arc::clone(&self.shared.terms), self.shared.key.clone())
    }

    /// Serves from now on what is known to be right, as this revision.
    pub(super) fn put(&self, opening: Opening, revision: u64) -> u64 {
        // Nobody else edits, so that what is present stays; who answers does not wait.
        let Present { instance, .. } = self.present();
        let next = Present::new(revision, instance.edited(opening));
        *self.shared.present.write().unwrap_or_else(PoisonError::into_inner) = next;
        revision
    }
}
