// What a client of the control listener gets: JSON, and errors that say what to do.

use std::ops::Deref;

use axum::response::IntoResponse;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use imds_host::{Error, Metrics};
use serde::Serialize;

use super::super::failure::WrongUse;
use super::shapes::{self, Conflict, Wrong};

/// An answer.
pub type Reply = Response<String>;

/// An answer of which nothing was done.
#[derive(Clone, Debug)]
pub struct Refusal(Box<Reply>);

impl Deref for Refusal {
    type Target = Reply;

    fn deref(&self) -> &Reply {
        &self.0
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.0.into_response()
    }
}

impl Refusal {
    /// The same with another field, of printable ASCII.
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        set(&mut self.0, name, value);
        self
    }
}

fn refused(status: StatusCode, body: &impl Serialize) -> Refusal {
    Refusal(Box::new(with_status(status, body)))
}

pub fn ok(body: &impl Serialize) -> Reply {
    with_status(StatusCode::OK, body)
}

/// The page for Prometheus.
pub fn page(text: String) -> Reply {
    as_type(Response::new(text), Metrics::CONTENT_TYPE)
}

/// A JSON document that is there already.
pub fn document(text: &str) -> Reply {
    as_type(Response::new(text.to_owned()), "application/json")
}

/// `message` says what is wrong and what to do.
pub fn error(status: StatusCode, message: impl Into<String>) -> Refusal {
    refused(status, &shapes::Error { error: message.into() })
}

/// `allowed` as `Allow` has it.
pub fn method_not_allowed(allowed: &str) -> Refusal {
    error(StatusCode::METHOD_NOT_ALLOWED, format!("this path takes {allowed}")).with(ALLOW, allowed)
}

/// A reply about a revision of the instance.
pub fn of_revision(mut reply: Reply, revision: u64) -> Reply {
    set(&mut reply, ETAG, &tag(revision));
    reply
}

fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// The instance has another revision than the one to be changed, or there is none.
pub fn conflict(message: &str, revision: Option<u64>) -> Refusal {
    let refusal = refused(StatusCode::PRECONDITION_FAILED, &Conflict { error: message.to_owned(), revision });
    match revision {
        Some(revision) => refusal.with(ETAG, &tag(revision)),
        None => refusal,
    }
}

/// An error of the library or of the program.
pub fn failed(failure: impl Into<anyhow::Error>) -> Refusal {
    let failure = failure.into();
    let message = format!("{failure:#}");
    match failure.downcast_ref() {
        Some(Error::Invalid(problems)) => refused(StatusCode::UNPROCESSABLE_ENTITY, &Wrong::of(problems)),
        Some(Error::Conflict { revision }) => {
            conflict(&format!("{message}; look at that one first, then change it by its number"), Some(*revision))
        }
        Some(Error::Key { .. }) => error(StatusCode::BAD_REQUEST, message),
        Some(Error::Full { .. }) => error(StatusCode::CONFLICT, message),
        Some(Error::Read { .. }) => error(StatusCode::UNPROCESSABLE_ENTITY, message),
        _ if failure.is::<WrongUse>() => error(StatusCode::UNPROCESSABLE_ENTITY, message),
        _ => error(StatusCode::INTERNAL_SERVER_ERROR, message),
    }
}

pub fn with_status(status: StatusCode, body: &impl Serialize) -> Reply {
    // People read it too. What is answered is all names, numbers and texts.
    let body = serde_json::to_value(body).unwrap_or_default();
    let mut reply = as_type(Response::new(format!("{body:#}\n")), "application/json");
    *reply.status_mut() = status;
    reply
}

fn as_type(mut reply: Reply, kind: &'static str) -> Reply {
    set(&mut reply, CONTENT_TYPE, kind);
    // What it was is not what it is.
    set(&mut reply, CACHE_CONTROL, "no-store");
    set(&mut reply, HeaderName::from_static("x-content-type-options"), "nosniff");
    reply
}

fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    // All values are made here, of printable ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}
