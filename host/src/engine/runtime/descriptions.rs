//! What becomes of a description without an instance of it: changes, warnings.

use std::sync::Arc;
use std::time::SystemTime;

use super::Runtime;
use crate::description::{Description, Warnings};
use crate::engine::clock::Clock;
use crate::engine::opening::Opening;
use crate::engine::settings::Settings;
use crate::engine::terms::Terms;
use crate::error::Error;
use crate::problem::Finding;

impl Runtime {
    /// Returns a description with a change from before the launch, for example with a
    /// scenario, which is a piece of a description. Times stay as they are.
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does, first for the
    /// description, then with places in the change.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let web = Description::from_toml("web.toml", "instance-type = 'm7g.large'")?;
    /// let scenario = Description::from_toml("late.toml", "timeline = [{ at = '+5m', state = 'stopped' }]")?;
    /// let both = Runtime::new()?.combine(&web, &scenario)?;
    /// assert!(both.to_json().starts_with(r#"{"instance-type":"m7g.large","timeline":[{"at":"+5m""#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn combine(&self, description: &Description, change: &Description) -> Result<Description, Error> {
        self.judge(description, Arc::new(Terms::new(&Settings::default())?))?;
        let combined = self.edit_text(&description.to_json(), &change.to_json(), None, None)?;
        let combined = combined.map_err(|findings| Error::Invalid(change.locate(findings)))?;
        let name = format!("{} with {}", description.source(), change.source());
        Description::from_json(&name, &combined)
    }

    /// Returns a description with a change of its instance at a time, under the rules
    /// of running instances. [`Control::edit`](crate::Control::edit) does the same;
    /// this is for descriptions in another place, such as a store that replicas read.
    /// For one of many instances, see [`Fleet::edit`](crate::Fleet::edit).
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does, first for the
    /// description, then with places in the change.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let web = Description::from_toml("web.toml", "tags = { Name = 'web' }")?;
    /// let change = Description::from_toml("change", "tags = { Name = 'db' }")?;
    /// let edited = Runtime::new()?.edit(&web, &change, std::time::SystemTime::now())?;
    /// assert_eq!(edited.to_json(), r#"{"tags":{"Name":"db"}}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn edit(&self, description: &Description, change: &Description, now: SystemTime) -> Result<Description, Error> {
        let terms = Arc::new(Terms::new(&Settings::default())?);
        self.edit_opening(&Opening::new(description, terms, None), description, change, now)
    }

    /// The same of what `opening` opens, which is `description` and may say more.
    pub(crate) fn edit_opening(
        &self,
        opening: &Opening,
        description: &Description,
        change: &Description,
        now: SystemTime,
    ) -> Result<Description, Error> {
        self.try_open(opening)?.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        let now_ms = (move || now).now_ms();
        let edited = self.edit_text(&opening.document, &change.to_json(), Some(now_ms), opening.scope())?;
        let edited = edited.map_err(|findings| Error::Invalid(change.locate(findings)))?;
        Description::from_json("the description with the change", &edited)
    }

    /// Returns a scenario that happens `speed` times as fast, 1 to 1000, and whose
    /// times are all still true. A [`VirtualClock`](crate::VirtualClock) cannot do that
    /// for clients with their own clocks. [`combine`](Self::combine) adds it to a
    /// description.
    ///
    /// Fails with [`Error::Invalid`] for another speed, and if a time in the scenario
    /// is absolute, because it cannot come sooner.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let scenario = Description::from_toml("late.toml", "timeline = [{ at = '+5m', state = 'stopped' }]")?;
    /// let faster = Runtime::new()?.speed_up(&scenario, 10.0)?;
    /// assert_eq!(faster.to_json(), r#"{"timeline":[{"at":"+30s","state":"stopped"}]}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn speed_up(&self, scenario: &Description, speed: f64) -> Result<Description, Error> {
        let faster = self.with_worker(|worker| worker.speed_up(&scenario.to_json(), speed))?;
        let faster = faster.map_err(|findings| Error::Invalid(scenario.locate(findings)))?;
        Description::from_json(&format!("{} at speed {speed}", scenario.source()), &faster)
    }

    /// Returns warnings: what a description says that can be served but cannot be real,
    /// as of `now`, when it begins to be served. Examples are an unknown instance type,
    /// an address outside of its subnet, and a fault that can never apply;
    /// `docs/warnings.md` lists all. Relative times count as in [`open`](Self::open);
    /// with [`Description::start_at`] they count from `now`.
    ///
    /// Fails with [`Error::Invalid`] as [`open`](Self::open) does.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let description = Description::from_toml("my.toml", "instance-type = 't3.mikro'")?;
    /// let warnings = Runtime::new()?.warnings(&description, std::time::SystemTime::now())?;
    /// assert_eq!(warnings.list[0].name, "unknown-instance-type");
    /// assert!(warnings.to_string().contains("--> my.toml:1:17 (instance-type)"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn warnings(&self, description: &Description, now: SystemTime) -> Result<Warnings, Error> {
        self.warnings_of_json(description, &description.to_json(), now, None)
    }

    /// The same of `json`, which is what `description` says and more; of one of many
    /// instances, whose key is `scope`.
    pub(crate) fn warnings_of_json(
        &self,
        description: &Description,
        json: &str,
        now: SystemTime,
        scope: Option<&str>,
    ) -> Result<Warnings, Error> {
        let now_ms = (move || now).now_ms();
        let warnings = self.with_worker(|worker| worker.warnings(json, now_ms, scope))?;
        let warnings = warnings.map_err(|findings| Error::Invalid(description.locate(findings)))?;
        Ok(description.locate_warnings(warnings))
    }

    /// Changes a description, JSON text, by another; of one of many instances, whose
    /// key is `scope`. See `edit` in the contract.
    pub(crate) fn edit_text(
        &self,
        description: &str,
        change: &str,
        now_ms: Option<u64>,
        scope: Option<&str>,
    ) -> Result<Result<String, Vec<Finding>>, Error> {
        self.with_worker(|worker| worker.edit(description, change, now_ms, scope))
    }
}
