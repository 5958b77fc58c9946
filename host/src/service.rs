use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::{Request, Response};

use crate::body::Body;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::http::{request_in, response_out};
use crate::instance::{Instance, failed};
use crate::message::{Answer, Moment, Outcome};
use crate::observer::{Answered, Observer, Trouble};

/// The metadata service of one instance or of many, as HTTP requests in and
/// responses out.
///
/// It implements [`hyper::service::Service`]; [`respond`](Self::respond) mounts
/// it anywhere else, for instance in `tower::service_fn`. [`serve`](crate::serve)
/// puts it on a listener. Clones share everything.
///
/// A server of another kind must do itself what only a server can: send the
/// names of header fields in title case and in order, add none, and set the
/// [`HopLimit`] that a response carries.
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
    entropy: Arc<AtomicU64>,
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
            entropy: Arc::new(AtomicU64::new(seed())),
        }
    }

    /// The same with another clock.
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

    /// The same with an observer, in place of any before.
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
    /// requests, and for benchmarks.
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
    /// waits for nothing.
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
        let started = Instant::now();
        let (parts, _body) = request.into_parts();
        let caller = parts.extensions.get::<Caller>().copied();
        let caller = caller.unwrap_or_default();
        let target = parts.uri.to_string();

        let (answer, error) = self.answer(&caller, &parts, &target);
        if let Some(observer) = &self.observer {
            observer.answered(&Answered {
                peer: caller.peer,
                method: parts.method.as_str(),
                target: &target,
                host: host(&parts),
                status: answer.status,
                outcome: answer.outcome,
                duration: started.elapsed(),
                error: error.as_ref(),
            });
        }
        response_out(answer, self.keep_alive)
    }

    pub(crate) fn keeps_alive(&self) -> bool {
        self.keep_alive
    }

    pub(crate) fn trouble(&self, trouble: &Trouble) {
        if let Some(observer) = &self.observer {
            observer.trouble(trouble);
        }
    }

    fn answer(&self, caller: &Caller, parts: &Parts, target: &str) -> (Answer, Option<Error>) {
        let Some(instance) = self.instances.instance_for(caller, parts) else {
            let refusal = Answer::without_body(403, "Forbidden", Outcome::NoInstance);
            return (refusal, None);
        };
        let request = request_in(parts, target, caller.is_over_ipv6(), instance.runtime().fields_read());
        match instance.try_answer(&request, self.moment()) {
            Ok(answer) => (answer, None),
            Err(error) => (failed(), Some(error)),
        }
    }

    fn moment(&self) -> Moment {
        // Adding an odd number visits all 2^64 values before one comes again.
        let entropy = self.entropy.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        Moment::at(self.clock.now_ms(), entropy)
    }
}

impl<B> hyper::service::Service<Request<B>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request)))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("keep_alive", &self.keep_alive).finish_non_exhaustive()
    }
}

/// Picks the instance that a request belongs to. An [`Instance`] picks itself;
/// a closure over the same arguments is one too.
///
/// Never pick by the source address alone where callers can forge it: a
/// platform knows its guests by the listener, interface or socket they come
/// through, and hands that on in the request's extensions.
///
/// ```
/// use std::collections::HashMap;
/// use hyper::http::request::Parts;
/// use imds_host::{Caller, Instance, Runtime, Service};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Guest(u32);
///
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let instances = HashMap::from([(Guest(7), instance)]);
/// let service = Service::new(move |_: &Caller, parts: &Parts| -> Option<Instance> {
///     instances.get(parts.extensions.get::<Guest>()?).cloned()
/// });
/// let request = hyper::Request::get("/").extension(Guest(7)).body(())?;
/// assert_eq!(service.respond(request).status(), 200);
/// let request = hyper::Request::get("/").body(())?;
/// assert_eq!(service.respond(request).status(), 403);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Instances: Send + Sync + 'static {
    /// The instance that `caller` sees with the request of which `parts` are
    /// the head; none is answered by 403.
    fn instance_for(&self, caller: &Caller, parts: &Parts) -> Option<Instance>;
}

impl Instances for Instance {
    fn instance_for(&self, _caller: &Caller, _parts: &Parts) -> Option<Instance> {
        Some(self.clone())
    }
}

impl<F> Instances for F
where
    F: Fn(&Caller, &Parts) -> Option<Instance> + Send + Sync + 'static,
{
    fn instance_for(&self, caller: &Caller, parts: &Parts) -> Option<Instance> {
        self(caller, parts)
    }
}

/// What a server knows of a caller; [`serve`](crate::serve) puts it into the
/// extensions of each request.
///
/// ```
/// assert_eq!(imds_host::Caller::default().peer, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The address that the connection comes from.
    pub peer: Option<SocketAddr>,
    /// The address that the connection came to.
    pub local: Option<SocketAddr>,
}

impl Caller {
    /// A caller with both addresses.
    ///
    /// ```
    /// use imds_host::Caller;
    ///
    /// let caller = Caller::new(Some(([127, 0, 0, 1], 50_000).into()), None);
    /// assert!(caller.peer.is_some());
    /// ```
    pub fn new(peer: Option<SocketAddr>, local: Option<SocketAddr>) -> Self {
        Self { peer, local }
    }

    /// Whether the connection is one of IPv6, and not of IPv4 under an IPv6
    /// address.
    fn is_over_ipv6(&self) -> bool {
        self.local.is_some_and(|local| local.ip().to_canonical().is_ipv6())
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

fn host(parts: &Parts) -> Option<&str> {
    let field = || parts.headers.get(HOST)?.to_str().ok();
    let authority = parts.uri.authority();
    authority.map(|authority| authority.as_str()).or_else(field)
}

/// Differs from one start to the next, so that two services that share a
/// secret do not issue equal tokens in one millisecond.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    // The entropy need not be secret: without any from the system, an address
    // of this process will do.
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => (&raw const bytes) as usize as u64,
    }
}
