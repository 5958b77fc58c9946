//! Where requests go: to a service behind a socket, or to an instance in this process.

use std::io;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::engine::{Delivery, Instance, Moment, Request};
use crate::probe::{Client, Endpoint, NoReply, Reply};

/// Something that answers requests: a [`Client`] of a service, an instance in this process
/// ([`InProcess`]), or any function.
///
/// ```
/// use imds_host::capture::Asker;
/// use imds_host::probe::{Client, Endpoint};
///
/// fn is_asked(_: impl Asker) {}
/// let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
/// is_asked(&client);
/// # Ok::<_, imds_host::probe::WrongEndpoint>(())
/// ```
pub trait Asker {
    /// Sends a request and returns its answer.
    ///
    /// # Errors
    ///
    /// [`NoReply`] if there is no answer.
    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply>;

    /// The time at the service.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits, because the service is busy.
    fn pause(&mut self, time: Duration) {
        thread::sleep(time);
    }
}

impl<F: FnMut(&Request) -> Result<Reply, NoReply>> Asker for F {
    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply> {
        self(request)
    }
}

impl Asker for &Client {
    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply> {
        self.exchange(request)
    }
}

/// An instance in this process with a clock of its own: each request advances the clock by
/// 10 milliseconds, and pauses take no real time.
///
/// ```
/// use imds_host::capture::{Asker as _, InProcess};
/// use imds_host::{Request, Runtime};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let mut asked = InProcess::new(instance, std::time::SystemTime::now());
/// assert_eq!(asked.ask(&Request::get("/latest/meta-data/instance-type"))?.body, b"t3.micro");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct InProcess {
    instance: Instance,
    now: SystemTime,
    number: u64,
}

/// How long a request takes, so that a throttle does not see all requests at once.
const STEP: Duration = Duration::from_millis(10);
/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

impl InProcess {
    /// Serves the instance from `now` on.
    pub fn new(instance: Instance, now: SystemTime) -> Self {
        Self { instance, now, number: 0 }
    }
}

impl Asker for InProcess {
    fn ask(&mut self, request: &Request) -> Result<Reply, NoReply> {
        self.now += STEP;
        self.number += 1;
        let now_ms = self.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let moment = Moment::at(u64::try_from(now_ms).unwrap_or(u64::MAX), self.number);
        let mut request = request.clone();
        request.fields.insert(0, crate::engine::Field::new("Host", Endpoint::of_ec2().authority()));
        let mut bytes = Vec::new();
        let verdict = self.instance.answer_head(&request.head(), moment, &mut bytes);
        let failed = match verdict.delivery {
            None => None,
            Some(Delivery::Delayed(delay)) => {
                self.now += delay.min(TIMEOUT);
                (delay > TIMEOUT).then_some(None)
            }
            Some(Delivery::Closed) => Some(Some("the connection was closed")),
            Some(Delivery::Cut) => Some(Some("the body was cut off")),
            Some(Delivery::Withheld) => {
                self.now += TIMEOUT;
                Some(None)
            }
        };
        let reply = match failed {
            Some(why) => Err(why.map(str::to_owned)),
            None => Reply::read(&bytes, request.method == "HEAD").map_err(|error: io::Error| Some(error.to_string())),
        };
        match reply {
            Ok(reply) => Ok(Reply { took: STEP, ..reply }),
            Err(why) => Err(NoReply::new(Endpoint::of_ec2(), TIMEOUT, why)),
        }
    }

    fn now(&self) -> SystemTime {
        self.now
    }

    fn pause(&mut self, time: Duration) {
        self.now += time;
    }
}
