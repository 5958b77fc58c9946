//! What a fixture is to be.

use std::path::PathBuf;
use std::time::SystemTime;

use super::executor::Shared;
use super::{Imds, Parts};
use crate::control::{CallerKey, Control, Fleet, VirtualClock};
use crate::description::{Description, Scenario};
use crate::engine::{Clock as _, Runtime, Settings};
use crate::error::Error;
use crate::observe::Journal;
use crate::problem::{Problem, Problems};
use crate::serve::{Instances, Service};

/// The configuration of an [`Imds`], from [`Imds::builder`]. The default is the default
/// instance under the system's clock, with tokens optional.
///
/// [`start`](Self::start) returns the errors.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::testing::Imds;
///
/// let imds = Imds::builder()
///     .toml("instance-type = 'm7g.large'")
///     .scenario("spot-interruption")
///     .tokens_required()
///     .paused_at(UNIX_EPOCH + Duration::from_secs(1_790_812_800))
///     .start()?;
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is served until it is started"]
pub struct Builder {
    description: Given,
    scenarios: Vec<String>,
    clock: VirtualClock,
    tokens_required: bool,
}

/// A description as it was given. It is read at the start, which tells what is wrong.
#[derive(Clone, Debug)]
enum Given {
    Toml(String),
    File(PathBuf),
    Typed(Box<Description>),
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            description: Given::Typed(Box::default()),
            scenarios: Vec::new(),
            clock: VirtualClock::system(),
            tokens_required: false,
        }
    }

    /// Sets the description, TOML text, in place of an earlier one.
    ///
    /// ```
    /// # use imds_host::testing::Imds;
    /// let error = Imds::builder().toml("instance-type = 3").start().unwrap_err();
    /// assert!(error.to_string().contains("--> the description of the test:1:17 (instance-type)"));
    /// ```
    pub fn toml(self, text: impl Into<String>) -> Self {
        Self { description: Given::Toml(text.into()), ..self }
    }

    /// Sets the description to that in a file, TOML or JSON, in place of an earlier
    /// one.
    ///
    /// ```
    /// # use imds_host::{Error, testing::Imds};
    /// let error = Imds::builder().file("no-such-file.toml").start().unwrap_err();
    /// assert!(matches!(error, Error::Read { .. }));
    /// ```
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        Self { description: Given::File(path.into()), ..self }
    }

    /// Sets the description, in place of an earlier one.
    ///
    /// ```
    /// # use imds_host::{Description, testing::Imds};
    /// let mut description = Description::default();
    /// description.set_text("/instance-id", "i-0123456789abcdef7", "the test");
    /// let imds = Imds::builder().description(description).start()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn description(self, description: Description) -> Self {
        Self { description: Given::Typed(Box::new(description)), ..self }
    }

    /// Adds a built-in scenario by its name, over the description and earlier
    /// scenarios.
    ///
    /// ```
    /// # use imds_host::testing::Imds;
    /// let imds = Imds::builder().scenario("credentials-expire").start()?;
    /// let error = Imds::builder().scenario("no-such").start().unwrap_err();
    /// assert!(error.to_string().contains("no scenario `no-such` ships"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn scenario(mut self, name: impl Into<String>) -> Self {
        self.scenarios.push(name.into());
        self
    }

    /// Sets the clock, which the test can move.
    ///
    /// ```
    /// # use imds_host::{VirtualClock, testing::Imds};
    /// let clock = VirtualClock::system();
    /// clock.set_speed(60.0)?;
    /// let imds = Imds::builder().clock(clock).start()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(self, clock: VirtualClock) -> Self {
        Self { clock, ..self }
    }

    /// Sets a clock that is paused at a time until the test advances it. A client that
    /// compares times with its own clock, as SDKs do with the expiration of
    /// credentials, sees a difference.
    ///
    /// ```
    /// # use imds_host::{Clock, testing::Imds};
    /// let imds = Imds::builder().paused_at(std::time::UNIX_EPOCH).start()?;
    /// assert_eq!(imds.clock().now_ms(), 0);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn paused_at(self, time: SystemTime) -> Self {
        self.clock(VirtualClock::paused_at(time))
    }

    /// Requires tokens (version 2), whatever the description and scenarios say.
    ///
    /// ```
    /// # use imds_host::{Request, testing::Imds};
    /// let imds = Imds::builder().tokens_required().start()?;
    /// assert_eq!(imds.control().answer(&Request::get("/latest/meta-data/")).status, 401);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn tokens_required(self) -> Self {
        Self { tokens_required: true, ..self }
    }

    /// Starts it, on a free port of 127.0.0.1.
    ///
    /// Fails if the description is wrong, with the place, and with [`Error::System`] if
    /// the operating system refuses a thread or a socket.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::builder().start()?;
    /// assert!(imds.endpoint().starts_with("http://127.0.0.1:"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start(self) -> Result<Imds, Error> {
        let shared = Shared::get()?;
        let description = self.read(&shared.runtime, None)?;
        let control = Control::open_with(&shared.runtime, &description, &Settings::default(), self.clock.clone())?;
        let journal = control.journal().clone();
        serve(&shared, control, journal, self.clock)
    }

    /// Starts many instances, each for the caller with its key; other callers get 403.
    /// The configuration so far applies to all instances; each member's description
    /// adds to it.
    ///
    /// Fails as [`start`](Self::start) does, and with [`Error::Key`] if no request can
    /// have a key.
    ///
    /// ```
    /// use imds_host::{CallerKey, Description};
    /// use imds_host::testing::Imds;
    ///
    /// let web = Description::from_toml("web", "instance-type = 'm7g.large'")?;
    /// let members = [("vm-1", web), ("vm-2", Description::default())];
    /// let callers: CallerKey = "header:x-guest".parse()?;
    /// let imds = Imds::builder().tokens_required().start_fleet(callers, members)?;
    /// assert_eq!(imds.fleet().len(), 2);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_fleet<K: AsRef<str>>(
        self,
        callers: CallerKey,
        members: impl IntoIterator<Item = (K, Description)>,
    ) -> Result<Imds<Fleet>, Error> {
        let shared = Shared::get()?;
        let fleet = Fleet::new(&shared.runtime, callers)?.start_at(self.clock.now());
        for (key, member) in members {
            fleet.insert(key.as_ref(), &self.read(&shared.runtime, Some(&member))?)?;
        }
        serve(&shared, fleet, Journal::default(), self.clock)
    }

    /// The description, as that of a member if there is one, with the scenarios over
    /// it and what the test demands over these.
    fn read(&self, runtime: &Runtime, member: Option<&Description>) -> Result<Description, Error> {
        let mut description = match &self.description {
            Given::Toml(text) => Description::from_toml("the description of the test", text)?,
            Given::File(path) => Description::read(path)?,
            Given::Typed(description) => (**description).clone(),
        };
        if let Some(member) = member {
            description = runtime.combine(&description, member)?;
        }
        for name in &self.scenarios {
            let scenario = Scenario::named(name).ok_or_else(|| no_such_scenario(name))?;
            description = runtime.combine(&description, &scenario.description())?;
        }
        if self.tokens_required {
            description.set_text("/metadata-options/http-tokens", "required", "tokens_required");
        }
        Ok(description)
    }
}

fn serve<S: Instances + Clone>(
    shared: &Shared,
    served: S,
    journal: Journal,
    clock: VirtualClock,
) -> Result<Imds<S>, Error> {
    let service = Service::new(served.clone()).clock(clock.clone());
    let serving = shared.serve(service, journal.clone())?;
    Ok(Imds { served, parts: Parts { serving, clock, journal, runtime: shared.runtime.clone() } })
}

fn no_such_scenario(name: &str) -> Error {
    let names: Vec<_> = Scenario::all().iter().map(Scenario::name).collect();
    let problem = Problem {
        field: String::new(),
        in_name: false,
        message: format!("no scenario `{}` ships", crate::redact::name(name)),
        help: Some(format!("one of {}", names.join(", "))),
        place: None,
        set_by: None,
    };
    Error::Invalid(Problems { source: "the scenarios of the test".to_owned(), list: vec![problem] })
}
