use std::net::SocketAddr;

use hyper::http::request::Parts;

use crate::engine::Instance;

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

/// What a server knows of a caller. [`serve`](crate::serve) fills it; a server of
/// another kind puts it into the extensions of each request.
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
    pub(crate) fn is_over_ipv6(&self) -> bool {
        self.local.is_some_and(|local| local.ip().to_canonical().is_ipv6())
    }
}
