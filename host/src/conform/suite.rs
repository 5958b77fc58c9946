use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check::Stop;
use super::given::{Containers, Given};
use super::subject::Bounds;
use super::{Area, Check, Judged, Outcome, Report, Subject, checks};
use crate::probe::{Client, NoReply};

/// After this many checks in a row without an answer, the endpoint counts as gone.
const UNANSWERED_MAX: usize = 5;

/// The checks to run, by default all except the hostile ones.
///
/// ```
/// use imds_host::conform::{Area, Suite};
///
/// let suite = Suite::new().only(&["tokens", "head-of-401-ends-with-the-content-type"])?;
/// assert!(suite.checks().iter().any(|check| check.area() == Area::Heads));
/// assert!(Suite::new().skip(&["no-such-check"]).is_err());
/// # Ok::<_, imds_host::conform::UnknownCheck>(())
/// ```
#[derive(Clone)]
pub struct Suite {
    checks: Vec<Check>,
    given: Given,
    wait: Wait,
    bounds: Bounds,
}

/// How a suite lets time pass.
pub(super) type Wait = Arc<dyn Fn(Duration) + Send + Sync>;

impl Default for Suite {
    fn default() -> Self {
        Self {
            checks: checks::all().filter(|check| check.area() != Area::Hostile).collect(),
            given: Given::default(),
            wait: Arc::new(thread::sleep),
            bounds: Bounds::default(),
        }
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("checks", &self.checks).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Suite {
    /// All checks except the hostile ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the checks that send malformed and oversized requests.
    #[must_use]
    pub fn hostile(mut self) -> Self {
        self.checks.retain(|check| check.area() != Area::Hostile);
        self.checks.extend(checks::all().filter(|check| check.area() == Area::Hostile));
        self
    }

    /// Keeps only the checks with one of these names, or in an area with one of them.
    ///
    /// # Errors
    ///
    /// [`UnknownCheck`] if a name is that of no check or area of the suite.
    pub fn only<N: AsRef<str>>(mut self, names: &[N]) -> Result<Self, UnknownCheck> {
        self.know(names)?;
        self.checks.retain(|check| names.iter().any(|name| check.is_called(name.as_ref())));
        Ok(self)
    }

    /// Removes the checks with one of these names, or in an area with one of them.
    ///
    /// # Errors
    ///
    /// [`UnknownCheck`] if a name is that of no check or area of the suite.
    pub fn skip<N: AsRef<str>>(mut self, names: &[N]) -> Result<Self, UnknownCheck> {
        self.know(names)?;
        self.checks.retain(|check| !names.iter().any(|name| check.is_called(name.as_ref())));
        Ok(self)
    }

    fn know<N: AsRef<str>>(&self, names: &[N]) -> Result<(), UnknownCheck> {
        let is_known = |name: &str| self.checks.iter().any(|check| check.is_called(name));
        match names.iter().find(|name| !is_known(name.as_ref())) {
            Some(name) => Err(UnknownCheck {
                name: name.as_ref().to_owned(),
                is_hostile: checks::all().any(|check| check.is_called(name.as_ref())),
                nearest: nearest(name.as_ref()),
            }),
            None => Ok(()),
        }
    }

    /// The certificates that verify the signatures of the identity document, in PEM.
    /// Without them, only the form of the signatures is judged.
    #[must_use]
    pub fn certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.given.certificates = Some(pem.into());
        self
    }

    /// Where the credentials of a container are. Without this, they are not judged.
    #[must_use]
    pub fn containers(mut self, containers: Containers) -> Self {
        self.given.containers = Some(containers);
        self
    }

    /// A [description](crate::Description) as JSON, which the endpoint's answers must
    /// match. Without it, facts come only from the endpoint.
    #[must_use]
    pub fn description(mut self, description: Value) -> Self {
        self.given.description = Some(description);
        self
    }

    /// How many requests a run may send, 1000 by default, and how long it may take, 10
    /// minutes by default. Checks after that count as unanswered.
    ///
    /// ```
    /// use std::time::Duration;
    /// use imds_host::conform::Suite;
    ///
    /// assert_eq!(Suite::new().bounds(100, Duration::from_secs(30)).requests_max(), 100);
    /// ```
    #[must_use]
    pub fn bounds(mut self, requests: u64, time: Duration) -> Self {
        self.bounds = Bounds { requests, time };
        self
    }

    /// How to let time pass, if a rule is about time. By default, the thread sleeps. A test
    /// whose service has a virtual clock can advance that clock instead.
    ///
    /// ```
    /// use imds_host::VirtualClock;
    /// use imds_host::conform::Suite;
    ///
    /// let clock = VirtualClock::system();
    /// let suite = Suite::new().wait_by(move |time| clock.advance(time));
    /// ```
    #[must_use]
    pub fn wait_by(mut self, wait: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.wait = Arc::new(wait);
        self
    }

    /// The checks in the order in which they run.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// How many requests a run sends at most.
    pub fn requests_max(&self) -> u64 {
        self.bounds.requests
    }

    /// Runs the checks.
    ///
    /// # Errors
    ///
    /// No service answers at the endpoint.
    pub fn run(&self, client: &Client) -> Result<Report, NoReply> {
        self.run_observed(client, |_| ())
    }

    /// Runs the checks, and calls `done` with each result.
    ///
    /// ```no_run
    /// # use imds_host::conform::Suite;
    /// # use imds_host::probe::{Client, Endpoint};
    /// let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
    /// let report = Suite::new().run_observed(&client, |judged| println!("{}", judged.check().id()))?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No service answers at the endpoint.
    pub fn run_observed(&self, client: &Client, mut done: impl FnMut(&Judged)) -> Result<Report, NoReply> {
        let subject = Subject::new(client, self.given.clone(), self.wait.clone(), self.bounds);
        let is_disabled = match subject.is_disabled() {
            Ok(is_disabled) => is_disabled,
            Err(Stop::NoReply(none)) => return Err(none),
            Err(_) => false,
        };
        let is_of_containers = self.checks.iter().all(|check| check.area() == Area::Containers);
        let no_service = if is_disabled || is_of_containers { None } else { subject.no_service().unwrap_or(None) };
        let (mut judged, mut unanswered) = (Vec::with_capacity(self.checks.len()), 0);
        let checks = if no_service.is_some() { &[][..] } else { &self.checks };
        for check in checks {
            let began = Instant::now();
            let outcome = if unanswered >= UNANSWERED_MAX {
                Outcome::Unanswered("not asked: the endpoint has stopped answering".to_owned())
            } else if is_disabled != check.is_of_disabled {
                Outcome::NotApplicable(if is_disabled { DISABLED } else { ENABLED }.to_owned())
            } else {
                match (check.judge)(&subject) {
                    Ok(()) => Outcome::Held,
                    Err(Stop::Broken(failure)) => Outcome::Broken(failure),
                    Err(Stop::NotApplicable(why)) => Outcome::NotApplicable(why),
                    Err(Stop::NoReply(none)) => Outcome::Unanswered(none.to_string()),
                    Err(Stop::OutOfBounds(why)) => Outcome::Unanswered(why.to_owned()),
                }
            };
            unanswered = if matches!(outcome, Outcome::Unanswered(_)) { unanswered + 1 } else { 0 };
            let one = Judged { check: *check, outcome, took: began.elapsed() };
            done(&one);
            judged.push(one);
        }
        let (endpoint, requests) = (client.endpoint().to_string(), client.requests_sent());
        Ok(Report { endpoint, requests, is_disabled, no_service, judged })
    }
}

const DISABLED: &str = "the endpoint refuses every request with 403, as a disabled one does";
const ENABLED: &str = "the endpoint is not disabled";

/// A name that is neither a check of the suite nor an area.
///
/// ```
/// let unknown = imds_host::conform::Suite::new().only(&["hostile"]).unwrap_err();
/// assert_eq!(unknown.to_string(), "hostile is not in this suite: hostile checks must be asked for");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCheck {
    name: String,
    is_hostile: bool,
    nearest: Option<&'static str>,
}

impl UnknownCheck {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is that of hostile checks, which [`Suite::hostile`] adds.
    pub fn is_hostile(&self) -> bool {
        self.is_hostile
    }

    /// The check or area whose name is nearly the same.
    ///
    /// ```
    /// let unknown = imds_host::conform::Suite::new().only(&["tokes"]).unwrap_err();
    /// assert_eq!(unknown.nearest(), Some("tokens"));
    /// ```
    pub fn nearest(&self) -> Option<&'static str> {
        self.nearest
    }
}

/// The check or area whose name differs least from this one, if it is nearly the same.
fn nearest(name: &str) -> Option<&'static str> {
    // Longer than any name.
    if name.len() > 120 {
        return None;
    }
    let names = Area::ALL.iter().map(|area| area.name()).chain(checks::all().map(|check| check.id()));
    let distances = names.map(|known| (strsim::damerau_levenshtein(known, name), known));
    let (distance, known) = distances.min()?;
    (distance <= 2.max(known.len() / 6)).then_some(known)
}

impl fmt::Display for UnknownCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = crate::redact::text(&self.name, 80);
        if self.is_hostile {
            write!(f, "{name} is not in this suite: hostile checks must be asked for")
        } else {
            write!(f, "no check and no area is called {name}")
        }
    }
}

impl std::error::Error for UnknownCheck {}
