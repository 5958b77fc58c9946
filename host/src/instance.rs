use std::fmt;
use std::sync::Arc;

use crate::description::Description;
use crate::error::Error;
use crate::message::{Answer, Moment, Outcome, Request};
use crate::runtime::Runtime;
use crate::settings::{Secret, Settings};

/// One EC2 instance and its metadata service, ready to answer.
///
/// A handle: clones answer for the same instance, from any thread. It never
/// changes; to change the instance, open another description.
///
/// ```
/// use imds_host::{Moment, Request, Runtime};
///
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let moment = Moment::at(1_764_000_000_000, 7);
/// let request = Request::get("/latest/meta-data/instance-id");
/// assert_eq!(instance.answer(&request, moment), instance.clone().answer(&request, moment));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Instance {
    runtime: Runtime,
    id: u64,
    opening: Arc<Opening>,
}

impl Instance {
    pub(crate) fn new(runtime: Runtime, id: u64, opening: Opening) -> Self {
        Self { runtime, id, opening: Arc::new(opening) }
    }

    /// Answers one request as of `moment`. There is an answer to everything:
    /// where the component fails, it is a 500 with [`Outcome::Failed`].
    ///
    /// Takes microseconds, and on the first use in a worker the time to open
    /// the description; waits for no input or output.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let answer = instance.answer(&Request::get("/no-such-version/"), Moment::at(0, 0));
    /// assert_eq!(answer.status, 404);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer(&self, request: &Request, moment: Moment) -> Answer {
        self.try_answer(request, moment).unwrap_or_else(|_| failed())
    }

    /// Like [`answer`](Self::answer), for a caller that wants to know why the
    /// component failed. The next call gets a fresh worker.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(instance.try_answer(&Request::get("/"), Moment::at(0, 0)).is_ok());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn try_answer(&self, request: &Request, moment: Moment) -> Result<Answer, Error> {
        self.runtime.answer(self.id, &self.opening, request, moment)
    }

    /// The runtime in which the instance is open.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(!instance.runtime().fields_read().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The answer in place of one that the component failed to give.
pub(crate) fn failed() -> Answer {
    Answer::without_body(500, "Internal Server Error", Outcome::Failed)
}

/// What a worker needs to open the instance.
pub(crate) struct Opening {
    pub(crate) document: String,
    pub(crate) token_secret: Secret,
    pub(crate) allowed_hosts: Vec<String>,
}

impl Opening {
    pub(crate) fn new(description: &Description, settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            document: description.to_json(),
            token_secret: match &settings.token_secret {
                Some(secret) => secret.clone(),
                None => Secret::random()?,
            },
            allowed_hosts: settings.allowed_hosts.clone(),
        })
    }
}
