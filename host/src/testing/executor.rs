//! The one thread that serves all fixtures of a process.

use std::convert::Infallible;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::engine::Runtime;
use crate::error::Error;
use crate::observe::{Answered, Observer};
use crate::serve::{Server, Service};

/// What the fixtures of a process share. It comes with the first one and stays, so
/// that the next one starts in no time.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) runtime: Runtime,
    executor: Handle,
}

// Locked to look, and while the first fixture starts.
static SHARED: Mutex<Option<Shared>> = Mutex::new(None);

impl Shared {
    /// What there is, made at first need. Where that fails, the next fixture tries
    /// again.
    pub(super) fn get() -> Result<Self, Error> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shared {
            Some(shared) => Ok(shared.clone()),
            None => Ok(shared.insert(Self::make()?).clone()),
        }
    }

    fn make() -> Result<Self, Error> {
        let runtime = Runtime::new()?;
        let executor = Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
        let handle = executor.handle().clone();
        // A thread of its own and not the test's executor: that one may stand while a
        // test waits for its client, and ends with the test.
        let serve = move || executor.block_on(pending::<()>());
        thread::Builder::new().name("imds-testing".into()).spawn(serve).map_err(Error::System)?;
        Ok(Self { runtime, executor: handle })
    }

    /// Serves on a free port of 127.0.0.1 and tells `observer` of it.
    pub(super) fn serve(&self, service: Service, observer: impl Observer) -> Result<Serving, Error> {
        let (held, gone) = mpsc::channel();
        let server = Server::new(service.observer((observer, Held { _until_dropped: held })));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::System)?;
        let address = listener.local_addr().map_err(Error::System)?;
        listener.set_nonblocking(true).map_err(Error::System)?;
        let _executor = self.executor.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::System)?;
        let serving = self.executor.spawn(server.serve(listener, pending()));
        Ok(Serving { address, serving, gone: Mutex::new(gone) })
    }
}

/// A listener and its connections, until it is dropped.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) address: SocketAddr,
    serving: JoinHandle<()>,
    // In a lock, so that a fixture can be shared by threads.
    gone: Mutex<Receiver<Infallible>>,
}

impl Drop for Serving {
    /// Closes everything at once, without waiting for answers that a fault delays: the
    /// test is over. Returns when the port is free.
    fn drop(&mut self) {
        self.serving.abort();
        // Nothing is ever sent: it ends with the last service, which the listener and
        // each connection have.
        let _ = self.gone.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(GONE_TIME);
    }
}

/// Microseconds on a machine at rest. A test that ends must not hang on one that
/// is not.
const GONE_TIME: Duration = Duration::from_secs(5);

/// Tells that a service and all its connections are gone, by being dropped with
/// them.
struct Held {
    _until_dropped: Sender<Infallible>,
}

impl Observer for Held {
    fn answered(&self, _: &Answered<'_>) {}
}
