mod turn;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use hyper::{Request, Response};
use tokio::sync::{Semaphore, oneshot};

use self::turn::Step;
pub(crate) use self::turn::Turn;
use crate::engine::{
    Clock, Counts, Entropy, Instance, Moment, Reply, RequestHead, Runtime, Signatures, SystemClock, ToSign, Verdict,
};
use crate::error::Error;
use crate::observe::{Answered, Observer, Trouble};
use crate::serve::body::Body;
use crate::serve::caller::{Caller, Guest, Instances, Picked};
use crate::serve::http::{head_in, response_out};

/// The metadata service of one instance or of many, as HTTP requests in and
/// responses out.
///
/// It implements [`hyper::service::Service`], whose futures occupy the executor's
/// thread during a call into the component and wait for everything else;
/// [`respond`](Self::respond) is for callers without an executor.
/// [`serve`](crate::serve) puts it on a listener, and a [`Server`](crate::Server) on
/// several, with limits of your own. Clones share everything.
///
/// Your own server must do what only a server can: send the names of header fields in
/// title case and in order, add none, set the [`HopLimit`] of a response, and obey its
/// [`Delivery`](crate::Delivery).
///
/// ```
/// use imds_host::{Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
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
}

impl Service {
    /// Makes a service for `instances`: one [`Instance`], or many, such as a
    /// [`Fleet`](crate::Fleet).
    ///
    /// It follows the system's clock, has no observer and closes connections after each
    /// answer, as EC2 does.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// let instance = Runtime::new()?.open(&Default::default())?;
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
        }
    }

    /// Makes a service that picks an instance for each request, by its caller and its
    /// head. All instances belong to `runtime`, which answers callers without one.
    ///
    /// ```
    /// use imds_host::{Caller, RequestHead, Runtime, Service};
    ///
    /// let runtime = Runtime::new()?;
    /// let instance = runtime.open(&Default::default())?;
    /// let service = Service::picking(&runtime, move |_: &Caller, head: &RequestHead<'_>| {
    ///     (head.values("x-guest") == [b"vm-7"]).then(|| instance.clone())
    /// });
    /// assert_eq!(service.respond(hyper::Request::get("/").body(())?).status(), 403);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn picking(
        runtime: &Runtime,
        pick: impl Fn(&Caller, &RequestHead<'_>) -> Option<Instance> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Picked { runtime: runtime.clone(), pick })
    }

    /// Sets the clock: a closure, or a [`VirtualClock`](crate::VirtualClock), which you
    /// can move.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
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

    /// Sets the observer, in place of an earlier one. For two, pass a tuple, for
    /// instance of your log and [`Metrics`](crate::Metrics).
    ///
    /// ```
    /// # use imds_host::{Answered, Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let service = Service::new(instance).observer(|answered: &Answered<'_>| eprintln!("{answered:?}"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets whether connections stay open for more requests; their answers then lack
    /// `Connection: close`.
    ///
    /// DIFFERENCE: EC2 closes after each answer. For platforms with many requests, and
    /// for benchmarks. If an answer has a [`HopLimit`], the following ones on its
    /// connection keep it, because TCP may send the answer again.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let response = Service::new(instance).keep_alive(true).respond(hyper::Request::get("/").body(())?);
    /// assert!(!response.headers().contains_key("connection"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// Answers one request and ignores its body. Takes microseconds and does not block,
    /// except at the first request for a signature of the identity document: without
    /// given keys ([`IdentitySigning`](crate::IdentitySigning)), making them takes
    /// about a second. So in an executor, call the service as a
    /// [`hyper::service::Service`], which signs on its own thread.
    ///
    /// It reads the caller from the request's extensions: put a [`Caller`] there.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let response = Service::new(instance).respond(hyper::Request::get("/nothing/here").body(())?);
    /// assert_eq!(response.status(), 404);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn respond<B>(&self, request: Request<B>) -> Response<Body> {
        let (parts, _body) = request.into_parts();
        let (head, mut out) = (head_in(&parts), Vec::new());
        let head = RequestHead::new(&head).with_extensions(&parts.extensions);
        let caller = parts.extensions.get().copied().unwrap_or_default();
        let mut turn = self.turn(&caller, head, self.keep_alive);
        while let Step::Sign(instance, document) = self.ask(&mut turn, head, &mut out) {
            turn.signatures = Some(instance.sign(&document));
        }
        self.tell(&turn, &caller, head);
        response_out(out, &turn.verdict)
    }

    /// Answers the request with this head and appends the answer to `out`. Where the
    /// identity document has to be signed first, that happens on a thread of its
    /// own, so that others are answered meanwhile.
    pub(crate) async fn answer(
        &self,
        caller: &Caller,
        head: RequestHead<'_>,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) -> Turn {
        let mut turn = self.turn(caller, head, keep_alive);
        while let Step::Sign(instance, document) = self.ask(&mut turn, head, out) {
            turn.signatures = Some(self.sign(instance, document).await);
        }
        self.tell(&turn, caller, head);
        turn
    }

    /// The answer of a turn once more, with the word that the connection ends. Equal
    /// arguments give equal answers, so nothing else differs, and nothing is counted.
    pub(crate) fn answer_again(&self, head: RequestHead<'_>, turn: &Turn, out: &mut Vec<u8>) -> Result<Verdict, Error> {
        let moment = turn.moment.keep_alive(false);
        match &turn.instance {
            Some(instance) => instance.ask_again(head.bytes(), moment, turn.counts, turn.signatures(), out),
            None => self.instances.runtime().refuse_caller(head.bytes(), moment, out),
        }
    }

    fn turn(&self, caller: &Caller, head: RequestHead<'_>, keep_alive: bool) -> Turn {
        let started = self.observer.is_some().then(Instant::now);
        let guest = self.instances.guest_for(caller, &head);
        let (instance, clock, observer) = match guest {
            Some(Guest { instance, clock, observer }) => (Some(instance), clock, observer),
            None => (None, None, None),
        };
        let started = started.or_else(|| observer.is_some().then(Instant::now));
        let moment = Moment::at(clock.as_ref().unwrap_or(&self.clock).now_ms(), self.entropy.next());
        Turn {
            started,
            moment: moment.over_ipv6(caller.is_over_ipv6()).keep_alive(keep_alive),
            instance,
            observer,
            counts: Counts::default(),
            signatures: None,
            verdict: Verdict::NONE,
            error: None,
        }
    }

    pub(crate) fn keeps_alive(&self) -> bool {
        self.keep_alive
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

    /// Asks the instance of a turn, or the component for a caller without one.
    fn ask(&self, turn: &mut Turn, head: RequestHead<'_>, out: &mut Vec<u8>) -> Step {
        let answered = match (&turn.instance, turn.signatures.take()) {
            (None, _) => {
                let refused = self.instances.runtime().refuse_caller(head.bytes(), turn.moment, out);
                refused.map(|verdict| (verdict, Counts::default()))
            }
            (Some(_), Some(Err(error))) => Err(error),
            (Some(instance), None) => match instance.ask(head.bytes(), turn.moment, None, out) {
                Ok(Reply::Unsigned(document)) => return Step::Sign(instance.clone(), document),
                Ok(Reply::Answered(verdict, counts)) => Ok((verdict, counts)),
                Err(error) => Err(error),
            },
            (Some(instance), Some(Ok(signatures))) => {
                let answered = instance.ask_signed(head.bytes(), turn.moment, &signatures, out);
                turn.signatures = Some(Ok(signatures));
                answered
            }
        };
        match answered {
            Ok((verdict, counts)) => (turn.verdict, turn.counts) = (verdict, counts),
            Err(error) => {
                turn.verdict = Verdict::failed(turn.moment.now_ms, out);
                turn.error = Some(error);
            }
        }
        Step::Answered
    }

    /// Signs a document on a thread of its own.
    async fn sign(&self, instance: Instance, document: ToSign) -> Result<Arc<Signatures>, Error> {
        if let Some(signatures) = instance.signatures_of(&document) {
            return Ok(signatures);
        }
        // One at a time: who waited finds it done, and holds no thread meanwhile.
        let permit = Arc::clone(&self.signing).acquire_owned().await;
        if let Some(signatures) = instance.signatures_of(&document) {
            return Ok(signatures);
        }
        let (tell, told) = oneshot::channel();
        // Not tokio's: an embedder's executor may be another.
        let sign = move || {
            // Kept even if the request is given up.
            let _permit = permit;
            let _ = tell.send(instance.sign(&document));
        };
        thread::Builder::new().name("imds-signatures".into()).spawn(sign).map_err(Error::System)?;
        told.await.unwrap_or_else(|_| Err(Error::identity("the thread that signs panicked")))
    }

    /// Tells the observers of a turn.
    fn tell(&self, turn: &Turn, caller: &Caller, head: RequestHead<'_>) {
        if self.observer.is_none() && turn.observer.is_none() {
            return;
        }
        let duration = turn.started.map(|started| started.elapsed()).unwrap_or_default();
        let (between, error) = ((caller.peer, caller.local), turn.error.as_ref());
        let answered = Answered::new(head, turn.moment.now_ms, between, &turn.verdict, duration, error);
        for observer in self.observer.iter().chain(&turn.observer) {
            observer.answered(&answered);
        }
    }
}

/// Answers as [`respond`](Service::respond) does, but never blocks: another thread
/// signs the identity document while the future waits. It needs no runtime of its own.
///
/// ```
/// use hyper::service::Service as _;
/// use imds_host::{Runtime, Service};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let service = Service::new(Runtime::new()?.open(&Default::default())?);
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
        let (parts, _body) = request.into_parts();
        let service = self.clone();
        Box::pin(async move {
            let (bytes, mut out) = (head_in(&parts), Vec::new());
            let head = RequestHead::new(&bytes).with_extensions(&parts.extensions);
            let caller = parts.extensions.get().copied().unwrap_or_default();
            let turn = service.answer(&caller, head, service.keep_alive, &mut out).await;
            Ok(response_out(out, &turn.verdict))
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("keep_alive", &self.keep_alive).finish_non_exhaustive()
    }
}

/// The IP time-to-live (IPv6: hop limit) of the packets of a response, 1 to 64; in the
/// response's extensions if there is one.
///
/// ```
/// # use imds_host::{HopLimit, Runtime, Service};
/// # let instance = Runtime::new()?.open(&Default::default())?;
/// let request = hyper::Request::put("/latest/api/token")
///     .header("x-aws-ec2-metadata-token-ttl-seconds", "60")
///     .body(())?;
/// let response = Service::new(instance).respond(request);
/// assert!(response.extensions().get::<HopLimit>().is_some());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopLimit(pub u8);

#[cfg(test)]
mod tests;
