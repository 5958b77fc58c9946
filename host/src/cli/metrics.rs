// `--metrics`: the page for Prometheus, on a listener of its own.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use imds_host::{Metrics, Observer, Trouble};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::log::Log;

/// What the program tells of itself.
pub struct Page {
    pub metrics: Metrics,
    pub log: Log,
    pub started: SystemTime,
}

/// Prometheus holds one, and a person with a browser some more.
const CONNECTIONS_MAX: usize = 32;

/// For a request and its answer; Prometheus gives up after ten seconds.
const CONNECTION_TIME: Duration = Duration::from_secs(5);

/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves the page until it is dropped.
///
/// Silent clients keep nobody out: one connection more closes the oldest. There
/// is no check of `Host` as for an instance: the page holds no secret that a web
/// page could be after.
pub async fn serve(listener: TcpListener, page: Page) {
    let page = Arc::new(page);
    let mut open: VecDeque<JoinHandle<_>> = VecDeque::new();
    loop {
        let stream = accept(&listener, &page.log).await;
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS_MAX {
            open.pop_front().iter().for_each(JoinHandle::abort);
        }
        open.push_back(tokio::spawn(timeout(CONNECTION_TIME, on_connection(stream, Arc::clone(&page)))));
    }
}

async fn accept(listener: &TcpListener, log: &Log) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The peer's doing: the next connection is not affected.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                log.trouble(&Trouble::Accept(error));
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn on_connection(stream: TcpStream, page: Arc<Page>) {
    let answering = service_fn(|request| {
        let response = respond(&request, &page);
        async { Ok::<_, Infallible>(response) }
    });
    // What fails is the client's doing, and it knows.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIME)
        .max_buf_size(8 << 10)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

fn respond<B>(request: &Request<B>, page: &Page) -> Response<String> {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let (status, kind, body) = match request.uri().path() {
        "/metrics" | "/health" if !is_read => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
        "/metrics" => (StatusCode::OK, Metrics::CONTENT_TYPE, page.text()),
        "/health" => (StatusCode::OK, "text/plain", "ok\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "text/plain", "the page is /metrics\n".to_owned()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

impl Page {
    /// The metrics of the service, and those that only the program knows.
    fn text(&self) -> String {
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!(
            "{}\
             # HELP imds_log_lines_lost_total Lines left out of the log.\n\
             # TYPE imds_log_lines_lost_total counter\n\
             imds_log_lines_lost_total {}\n\
             # HELP process_start_time_seconds When the program started, since the Unix epoch.\n\
             # TYPE process_start_time_seconds gauge\n\
             process_start_time_seconds {}\n",
            self.metrics,
            self.log.lost(),
            started.as_secs_f64()
        )
    }
}
