// `--metrics`: the page for Prometheus, on a listener of its own.

use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use imds_host::Metrics;
use tokio::net::TcpListener;

use super::log::Log;
use super::operator::{self, Bounds, Listener, host};

/// What the program tells of itself.
pub struct Page {
    pub metrics: Metrics,
    pub log: Log,
    pub started: SystemTime,
}

/// Prometheus holds one connection, and a person with a browser some more; it
/// gives up after ten seconds.
const BOUNDS: Bounds = Bounds { connections: 32, head: Duration::from_secs(5), connection: Duration::from_secs(5) };

/// Serves the page until it is dropped.
pub async fn serve(listener: TcpListener, page: Arc<Page>) {
    let log = page.log.clone();
    let service = service_fn(move |request| ready(Ok(respond(request, &page))));
    operator::serve(Listener::Tcp(listener), BOUNDS, log, service).await;
}

fn respond(request: Request<Incoming>, page: &Page) -> Response<String> {
    let (parts, _) = request.into_parts();
    let is_read = [Method::GET, Method::HEAD].contains(&parts.method);
    let (status, kind, body) = match parts.uri.path() {
        // What asks for health may use a name or none, and learns nothing that a page could be after.
        path if path != "/health" && !host::is_wanted(&parts) => {
            (StatusCode::FORBIDDEN, "text/plain", format!("{}\n", host::WANTED))
        }
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
    pub fn text(&self) -> String {
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
