use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use hyper::header::{HOST, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::sync::{Semaphore, oneshot};

use crate::engine::{
    Answer, Clock, Entropy, Instance, Moment, Outcome, RequestRef, SIGNINGS_MAX, SessionVersion, SystemClock, failed,
};
use crate::error::Error;
use crate::observe::{Answered, Observer, Trouble};
use crate::serve::admission::Places;
use crate::serve::body::Body;
use crate::serve::caller::{Caller, Instances};
use crate::serve::http::{fields_in, response_out, target};

/// The metadata service of one instance or of many, as HTTP requests in and
/// responses out.
///
/// It implements [`hyper::service::Service`], whose futures never block the
/// executor; [`respond`](Self::respond) is for callers without one.
/// [`serve`](crate::serve) puts it on a listener. Clones share everything, the
/// connections that [`Limits`](crate::Limits) allow too.
///
/// A server of another kind must do itself what only a server can: send the
/// names of header fields in title case and in order, add none, set the
/// [`HopLimit`] that a response carries, and do what its
/// [`Delivery`](crate::Delivery) says.
///
/// ```
/// use imds_host::{Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let service = Service::new(instance).keep_alive(true);
/// let request = hyper::Request::get("/latest/meta-data/").body(())?;
/// assert_eq!(service.respond(request).status(), 200);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Service {
    instances: Arc<dyn Instances>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    keep_alive: bool,
    entropy: Entropy,
    signing: Arc<Semaphore>,
    places: Arc<Places>,
}

impl Service {
    /// A service for `instances`: one [`Instance`], or what picks one for each
    /// request.
    ///
    /// It reads the system's clock, tells nobody of its answers and has
    /// connections closed after each, as EC2 does.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let service = Service::new(instance);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new(instances: impl Instances) -> Self {
        Self {
            instances: Arc::new(instances),
            clock: Arc::new(SystemClock),
            observer: None,
            keep_alive: false,
            entropy: Entropy::new(),
            signing: Arc::new(Semaphore::new(1)),
            places: Arc::new(Places::new(Places::GRACE)),
        }
    }

    /// The same with another clock: a closure, or a
    /// [`VirtualClock`](crate::VirtualClock), which can be moved.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let service = Service::new(instance).clock(|| std::time::SystemTime::UNIX_EPOCH);
    /// let response = service.respond(hyper::Request::get("/").body(())?);
    /// assert_eq!(response.headers()["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with an observer, in place of any before. For two, give a tuple
    /// of them, for instance of a log of yours and [`Metrics`](crate::Metrics).
    ///
    /// ```
    /// # use imds_host::{Answered, Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let service = Service::new(instance).observer(|answered: &Answered<'_>| eprintln!("{answered:?}"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The same, but connections stay open for more requests: the answers
    /// then lack `Connection: close`.
    ///
    /// DIFFERENCE: EC2 closes after each answer. For platforms with many
    /// requests, and for benchmarks. Where an answer has a [`HopLimit`], those
    /// that follow on its connection keep it: the answer may be on its way again.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let response = Service::new(instance).keep_alive(true).respond(hyper::Request::get("/").body(())?);
    /// assert!(!response.headers().contains_key("connection"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// Answers one request, whose body is ignored. Takes microseconds and
    /// waits for nothing, but for the first request for a signature of the
    /// identity document, which makes keys where none are given
    /// ([`IdentitySigning`](crate::IdentitySigning)): that takes about a second.
    /// So in an executor, call the service as a [`hyper::service::Service`], which
    /// signs on a thread of its own.
    ///
    /// What is known of the caller is read from the request's extensions: put
    /// a [`Caller`] there.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let response = Service::new(instance).respond(hyper::Request::get("/nothing/here").body(())?);
    /// assert_eq!(response.status(), 404);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn respond<B>(&self, request: Request<B>) -> Response<Body> {
        let received = self.receive(request, None);
        let instance = self.instances.instance_for(&received.caller, &received.parts);
        let answer = instance.map(|instance| {
            for _ in 0..SIGNINGS_MAX {
                let answer = self.ask(&instance, &received)?;
                if answer.outcome != Outcome::SignaturesWanted {
                    return Ok(answer);
                }
                instance.sign(received.moment.now_ms)?;
            }
            self.ask(&instance, &received)
        });
        self.finish(&received, answer)
    }

    /// Like [`respond`](Self::respond), but where the identity document has to
    /// be signed first, that happens on a thread of its own, so that others are
    /// answered meanwhile.
    pub(crate) async fn respond_later(&self, received: Received) -> Response<Body> {
        let answer = match self.instances.instance_for(&received.caller, &received.parts) {
            Some(instance) => Some(self.answer_later(&instance, &received).await),
            None => None,
        };
        self.finish(&received, answer)
    }

    /// A request as of now. Its caller is the one in its extensions where the
    /// server does not tell.
    pub(crate) fn receive<B>(&self, request: Request<B>, caller: Option<Caller>) -> Received {
        let started = Instant::now();
        let (parts, _body) = request.into_parts();
        let caller = caller.or_else(|| parts.extensions.get().copied()).unwrap_or_default();
        let moment = Moment::at(self.clock.now_ms(), self.entropy.next());
        Received { started, caller, moment, parts }
    }

    pub(crate) fn keeps_alive(&self) -> bool {
        self.keep_alive
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    pub(crate) fn trouble(&self, trouble: &Trouble) {
        if let Some(observer) = &self.observer {
            observer.trouble(trouble);
        }
    }

    pub(crate) fn connected(&self) {
        if let Some(observer) = &self.observer {
            observer.connected();
        }
    }

    pub(crate) fn disconnected(&self) {
        if let Some(observer) = &self.observer {
            observer.disconnected();
        }
    }

    /// The answer to a request whose head hyper refused, which the observer is
    /// told; none where `error` is of another kind.
    pub(crate) fn refuse_head(&self, caller: Caller, error: &hyper::Error) -> Option<Answer> {
        let started = Instant::now();
        let (status, reason, outcome) = match error {
            _ if error.is_parse_too_large() => (431, "Request Header Fields Too Large", Outcome::HeadTooLarge),
            _ if error.is_parse() => (400, "Bad Request", Outcome::HeadUnreadable),
            _ => return None,
        };
        let now_ms = self.clock.now_ms();
        let answer = Answer::without_body(status, reason, outcome, now_ms);
        if let Some(observer) = &self.observer {
            observer.answered(&Answered {
                now_ms,
                peer: caller.peer,
                method: "",
                target: "",
                host: None,
                user_agent: None,
                status,
                outcome,
                delivery: None,
                version: None,
                duration: started.elapsed(),
                error: None,
            });
        }
        Some(answer)
    }

    async fn answer_later(&self, instance: &Instance, received: &Received) -> Result<Answer, Error> {
        for _ in 0..SIGNINGS_MAX {
            let signed_times = instance.signed_times();
            let answer = self.ask(instance, received)?;
            if answer.outcome != Outcome::SignaturesWanted {
                return Ok(answer);
            }
            self.sign(instance, signed_times, received.moment.now_ms).await?;
        }
        self.ask(instance, received)
    }

    fn ask(&self, instance: &Instance, received: &Received) -> Result<Answer, Error> {
        let Received { caller, moment, parts, .. } = received;
        let request = RequestRef {
            method: parts.method.as_str(),
            target: &target(parts),
            fields: &fields_in(parts, instance.runtime().fields_read()),
            over_ipv6: caller.is_over_ipv6(),
        };
        instance.ask(request, *moment)
    }

    async fn sign(&self, instance: &Instance, signed_times: usize, now_ms: u64) -> Result<(), Error> {
        // One at a time: who waited finds it done, and holds no thread meanwhile.
        let permit = Arc::clone(&self.signing).acquire_owned().await;
        if instance.signed_times() > signed_times {
            return Ok(());
        }
        let instance = instance.clone();
        let (tell, told) = oneshot::channel();
        // Not tokio's: an embedder's executor may be another.
        let sign = move || {
            // Kept even if the request is given up.
            let _permit = permit;
            let _ = tell.send(instance.sign(now_ms));
        };
        thread::Builder::new().name("imds-signatures".into()).spawn(sign).map_err(Error::System)?;
        told.await.unwrap_or_else(|_| Err(Error::identity("the thread that signs panicked")))
    }

    fn finish(&self, received: &Received, answer: Option<Result<Answer, Error>>) -> Response<Body> {
        let Received { started, caller, moment: Moment { now_ms, .. }, parts } = received;
        let (answer, error) = match answer {
            None => (Answer::without_body(403, "Forbidden", Outcome::NoInstance, *now_ms), None),
            Some(Ok(answer)) => (answer, None),
            Some(Err(error)) => (failed(*now_ms), Some(error)),
        };
        if let Some(observer) = &self.observer {
            observer.answered(&Answered {
                now_ms: *now_ms,
                peer: caller.peer,
                method: parts.method.as_str(),
                target: &target(parts),
                host: host(parts),
                user_agent: parts.headers.get(USER_AGENT).and_then(|agent| str::from_utf8(agent.as_bytes()).ok()),
                status: answer.status,
                outcome: answer.outcome,
                delivery: answer.delivery,
                version: SessionVersion::of(&answer),
                duration: started.elapsed(),
                error: error.as_ref(),
            });
        }
        response_out(answer, self.keep_alive)
    }
}

/// Answers as [`respond`](Service::respond) does, but never blocks: where the
/// identity document has to be signed first, another thread does so, and the
/// future waits for it. It needs no runtime of its own.
///
/// ```
/// use hyper::service::Service as _;
/// use imds_host::{Runtime, Service};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let service = Service::new(Runtime::new()?.open(&Default::default(), &Default::default())?);
/// let request = hyper::Request::get("/latest/dynamic/instance-identity/signature").body(())?;
/// assert_eq!(service.call(request).await?.status(), 200);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
impl<B> hyper::service::Service<Request<B>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let received = self.receive(request, None);
        let service = self.clone();
        Box::pin(async move { Ok(service.respond_later(received).await) })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("keep_alive", &self.keep_alive).finish_non_exhaustive()
    }
}

/// The IP time-to-live (IPv6: hop limit) that the packets of a response must
/// have, 1 to 64; in the response's extensions where there is one.
///
/// ```
/// # use imds_host::{HopLimit, Runtime, Service};
/// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let request = hyper::Request::put("/latest/api/token")
///     .header("x-aws-ec2-metadata-token-ttl-seconds", "60")
///     .body(())?;
/// let response = Service::new(instance).respond(request);
/// assert!(response.extensions().get::<HopLimit>().is_some());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopLimit(pub u8);

/// The host, where all that name one name the same.
fn host(parts: &Parts) -> Option<&str> {
    let authority = parts.uri.authority().map(|authority| Some(authority.as_str()));
    let fields = parts.headers.get_all(HOST).iter().map(|field| field.to_str().ok());
    let mut hosts = authority.into_iter().chain(fields);
    let host = hosts.next()?;
    if hosts.all(|other| other == host) { host } else { None }
}

/// A request and what is known of where it comes from.
pub(crate) struct Received {
    started: Instant,
    caller: Caller,
    /// The one time of the answer, its log line and its place in the journal,
    /// however long they take and however fast the clock runs.
    moment: Moment,
    parts: Parts,
}

#[cfg(test)]
mod tests;
