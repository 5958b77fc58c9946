//! Connections from a listener: admission, and the end of all.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::observe::Trouble;
use crate::serve::admission::{Admission, Bounds};
use crate::serve::caller::Caller;
use crate::serve::connection::Connection;
use crate::serve::limits::ConnectionLimits;
use crate::serve::service::Service;
use crate::serve::socket_options;

/// Puts a [`Service`] on listeners, within limits.
///
/// Clones share the connections that the limits allow: serve one on each listener.
///
/// ```
/// use std::time::Duration;
/// use imds_host::{ConnectionLimits, Runtime, Server, Service};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let service = Service::new(Runtime::new()?.open(&Default::default())?);
/// let limits = ConnectionLimits::default().connections(64).stop_time(Duration::from_secs(1));
/// let server = Server::new(service).limits(limits);
/// let (stop, stopped) = tokio::sync::watch::channel(());
/// let mut serving = tokio::task::JoinSet::new();
/// for address in ["127.0.0.1:0", "127.0.0.2:0"] {
///     let listener = tokio::net::TcpListener::bind(address).await?;
///     let mut stopped = stopped.clone();
///     serving.spawn(server.clone().serve(listener, async move { drop(stopped.changed().await) }));
/// }
/// drop(stop);
/// serving.join_all().await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Server {
    service: Service,
    limits: Arc<ConnectionLimits>,
    admission: Arc<Admission>,
}

impl Server {
    /// A server of `service` with the default limits.
    ///
    /// ```
    /// # use imds_host::{Runtime, Server, Service};
    /// let instance = Runtime::new()?.open(&Default::default())?;
    /// let server = Server::new(Service::new(instance));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn new(service: Service) -> Self {
        Self::within(service, ConnectionLimits::default())
    }

    /// Sets the limits. The returned server counts its own connections: set the limits
    /// before you clone it.
    ///
    /// ```
    /// # use imds_host::{ConnectionLimits, Runtime, Server, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let server = Server::new(Service::new(instance)).limits(ConnectionLimits::default().head_bytes(4 << 10));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    #[must_use]
    pub fn limits(self, limits: ConnectionLimits) -> Self {
        Self::within(self.service, limits)
    }

    fn within(service: Service, limits: ConnectionLimits) -> Self {
        let bounds = Bounds { places: limits.connections.max(1), share: limits.connections_per_caller.max(1) };
        let admission = Arc::new(Admission::new(bounds, Admission::GRACE));
        Self { service, limits: Arc::new(limits), admission }
    }

    /// Serves on a listener until `shutdown` completes, then lets open requests
    /// end for up to `stop_time` of the limits.
    ///
    /// You own the listener and the signal, and run this in tokio, with its timers and
    /// I/O enabled. If accepting a connection fails, it reports that to the observer of
    /// the service and tries again, within a second.
    ///
    /// ```
    /// use imds_host::{Runtime, Server, Service};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let instance = Runtime::new()?.open(&Default::default())?;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// println!("http://{}", listener.local_addr()?);
    /// let shutdown = async { /* for instance tokio::signal::ctrl_c().await */ };
    /// Server::new(Service::new(instance)).serve(listener, shutdown).await;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> impl Future<Output = ()> {
        // Now, and not when somebody first waits: who connects until then has bounds too.
        socket_options::bound(&listener, &self.limits);
        self.accept_all(listener, shutdown)
    }

    async fn accept_all(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let Self { service, limits, admission } = &self;
        let listens_on = listener.local_addr().ok();
        let (stop, stopped) = watch::channel(());
        let mut open = JoinSet::new();
        loop {
            let admitting = async {
                let (stream, peer) = self.accept(&listener).await;
                // Until there is one, more connections wait in the backlog.
                (stream, peer, admission.take_in_turn(peer.ip().to_canonical()).await)
            };
            let (stream, peer, place) = tokio::select! {
                admitted = admitting => admitted,
                () = &mut shutdown => break,
            };
            let (service, limits, mut stopped) = (service.clone(), Arc::clone(limits), stopped.clone());
            let caller = caller(&stream, peer, listens_on);
            match place {
                Some(place) => {
                    open.spawn(Connection::new(stream, caller, place, service, limits, stopped).run());
                }
                None => match admission.waiting_room() {
                    Some(room) => {
                        let admission = Arc::clone(admission);
                        open.spawn(async move {
                            let place = tokio::select! {
                                place = admission.take_in_line(peer.ip().to_canonical()) => place,
                                _ = stopped.changed() => return,
                            };
                            drop(room);
                            Connection::new(stream, caller, place, service, limits, stopped).run().await;
                        });
                    }
                    None => {
                        drop(stream);
                        service.trouble(&Trouble::SentAway);
                    }
                },
            }
            // Clears what the ended ones leave behind.
            while open.try_join_next().is_some() {}
        }
        // From here on nobody can connect.
        drop(listener);
        drop(stop);
        let all_ended = async { while open.join_next().await.is_some() {} };
        // What is still open then is closed with the set.
        let _ = timeout(limits.stop_time, all_ended).await;
    }

    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        let mut wait = Duration::from_millis(10);
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                // The peer's doing: the next connection is not affected.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    let is_full =
                        cfg!(unix) && matches!(error.raw_os_error(), Some(OPEN_FILES_OF_PROCESS | OPEN_FILES));
                    self.service.trouble(&Trouble::Accept(error));
                    if is_full && self.admission.make_room().await {
                        continue;
                    }
                    sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(1));
                }
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, limits, .. } = self;
        f.debug_struct("Server").field("service", service).field("limits", limits).finish_non_exhaustive()
    }
}

/// Serves on one listener until `shutdown` completes, within the default limits:
/// [`Server::serve`], in short.
///
/// ```
/// use imds_host::{Runtime, Service, serve};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let shutdown = async { /* for instance tokio::signal::ctrl_c().await */ };
/// serve(listener, Service::new(instance), shutdown).await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn serve(listener: TcpListener, service: Service, shutdown: impl Future<Output = ()>) -> impl Future<Output = ()> {
    Server::new(service).serve(listener, shutdown)
}

/// `EMFILE` and `ENFILE`, which are the same numbers on every Unix.
const OPEN_FILES_OF_PROCESS: i32 = 24;
const OPEN_FILES: i32 = 23;

/// What is known of a connection's two ends without asking the system again.
fn caller(stream: &TcpStream, peer: SocketAddr, listens_on: Option<SocketAddr>) -> Caller {
    let local = listens_on.filter(|local| !local.ip().is_unspecified()).or_else(|| stream.local_addr().ok());
    Caller::new(Some(peer), local)
}

#[cfg(test)]
mod tests;
