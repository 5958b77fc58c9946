use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::engine::{Clock, Instance, RequestHead, Runtime};
use crate::observe::Observer;

/// Picks the instance for a request. An [`Instance`] picks itself; for a closure, see
/// [`Service::picking`](crate::Service::picking).
///
/// Do not pick by the source address alone if callers can forge it: a platform knows
/// its guests by their listener, interface or socket. Your own server passes that in
/// the extensions of the request.
///
/// ```
/// use std::collections::HashMap;
/// use imds_host::{Caller, Instance, Instances, RequestHead, Runtime, Service};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Guest(u32);
///
/// struct Guests {
///     runtime: Runtime,
///     instances: HashMap<Guest, Instance>,
/// }
///
/// impl Instances for Guests {
///     fn instance_for(&self, _: &Caller, head: &RequestHead<'_>) -> Option<Instance> {
///         self.instances.get(head.extension::<Guest>()?).cloned()
///     }
///
///     fn runtime(&self) -> &Runtime {
///         &self.runtime
///     }
/// }
///
/// let runtime = Runtime::new()?;
/// let instance = runtime.open(&Default::default())?;
/// let service = Service::new(Guests { runtime, instances: HashMap::from([(Guest(7), instance)]) });
/// let request = hyper::Request::get("/").extension(Guest(7)).body(())?;
/// assert_eq!(service.respond(request).status(), 200);
/// let request = hyper::Request::get("/").body(())?;
/// assert_eq!(service.respond(request).status(), 403);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Instances: Send + Sync + 'static {
    /// Returns the instance for a request of `caller` with this head. The answer to
    /// `None` is 403.
    fn instance_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Instance>;

    /// The same with what the instance has of its own: where each has its own clock,
    /// or its own observer. It is what a service asks.
    fn guest_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Guest> {
        self.instance_for(caller, head).map(Guest::new)
    }

    /// The runtime of the instances, which also answers callers without one.
    fn runtime(&self) -> &Runtime;
}

impl Instances for Instance {
    fn instance_for(&self, _caller: &Caller, _head: &RequestHead<'_>) -> Option<Instance> {
        Some(self.clone())
    }

    fn runtime(&self) -> &Runtime {
        self.runtime()
    }
}

/// An instance that answers a request, and what it has of its own.
///
/// ```
/// use std::sync::Arc;
/// use std::time::UNIX_EPOCH;
/// use imds_host::{Caller, Guest, Instance, Instances, RequestHead, Runtime, Service, VirtualClock};
///
/// struct AtTheBeginning(Instance);
///
/// impl Instances for AtTheBeginning {
///     fn instance_for(&self, _: &Caller, _: &RequestHead<'_>) -> Option<Instance> {
///         Some(self.0.clone())
///     }
///
///     fn guest_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Guest> {
///         let clock = VirtualClock::paused_at(UNIX_EPOCH);
///         Some(Guest::new(self.instance_for(caller, head)?).clock(Arc::new(clock)))
///     }
///
///     fn runtime(&self) -> &Runtime {
///         self.0.runtime()
///     }
/// }
///
/// let service = Service::new(AtTheBeginning(Runtime::new()?.open(&Default::default())?));
/// let response = service.respond(hyper::Request::get("/").body(())?);
/// assert_eq!(response.headers()["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Guest {
    pub(crate) instance: Instance,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Guest {
    /// An instance under the clock of the service, of which nobody else is told.
    ///
    /// ```
    /// # use imds_host::{Guest, Runtime};
    /// let guest = Guest::new(Runtime::new()?.open(&Default::default())?);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new(instance: Instance) -> Self {
        Self { instance, clock: None, observer: None }
    }

    /// The same under a clock of its own.
    ///
    /// ```
    /// # use imds_host::{Guest, Runtime, VirtualClock};
    /// let guest = Guest::new(Runtime::new()?.open(&Default::default())?);
    /// let guest = guest.clock(std::sync::Arc::new(VirtualClock::system()));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same with an observer that is told of its answers, after that of the
    /// service.
    ///
    /// ```
    /// # use imds_host::{Guest, Journal, Runtime};
    /// let guest = Guest::new(Runtime::new()?.open(&Default::default())?);
    /// let guest = guest.observer(std::sync::Arc::new(Journal::default()));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Instances that a closure picks.
pub(crate) struct Picked<F> {
    pub(crate) runtime: Runtime,
    pub(crate) pick: F,
}

impl<F> Instances for Picked<F>
where
    F: Fn(&Caller, &RequestHead<'_>) -> Option<Instance> + Send + Sync + 'static,
{
    fn instance_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Instance> {
        (self.pick)(caller, head)
    }

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// What a server knows of a caller. [`serve`](crate::serve) sets it; your own server
/// puts it into the extensions of each request.
///
/// ```
/// assert_eq!(imds_host::Caller::default().peer, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The source address of the connection.
    pub peer: Option<SocketAddr>,
    /// The destination address of the connection.
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
    pub(crate) fn is_over_ipv6(&self) -> bool {
        self.local.is_some_and(|local| local.ip().to_canonical().is_ipv6())
    }
}
