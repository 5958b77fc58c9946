// A small HTTP server for whoever operates this program: `--metrics` and
// `--control`.

pub mod host;
mod listener;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use imds_host::{Observer, Trouble};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use self::listener::{Listener, Stream};
use super::log::Log;

/// What clients can take of the server.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// For the head of a request.
    pub head: Duration,
    /// For a request and its answer.
    pub connection: Duration,
}

/// Of what is read at once, and hence of a head.
const BUFFER_BYTES: usize = 8 << 10;

/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Answers each request by `service` until it is dropped: one for each connection.
///
/// Silent clients keep nobody out: one connection more closes the oldest.
pub async fn serve<S, B>(listener: Listener, bounds: Bounds, log: Log, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut open: VecDeque<JoinHandle<_>> = VecDeque::new();
    loop {
        let stream = accept(&listener, &log).await;
        open.retain(|connection| !connection.is_finished());
        if open.len() >= bounds.connections {
            open.pop_front().iter().for_each(JoinHandle::abort);
        }
        open.push_back(tokio::spawn(timeout(bounds.connection, on_connection(stream, bounds.head, service.clone()))));
    }
}

async fn accept(listener: &Listener, log: &Log) -> Box<dyn Stream> {
    loop {
        match listener.accept().await {
            Ok(stream) => return stream,
            // The peer's doing: the next connection is not affected.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                log.trouble(&Trouble::Accept(error));
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn on_connection<S, B>(stream: Box<dyn Stream>, head: Duration, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    // What fails is the client's doing, and it knows.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(BUFFER_BYTES)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
