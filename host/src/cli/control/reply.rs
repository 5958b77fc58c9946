// What a client of the control listener gets: JSON, and errors that say what to do.

use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use imds_host::{Error, Metrics, Problems, Warning, Warnings};
use serde_json::{Value, json};

use super::super::failure::WrongUse;
use super::super::problems::problem;

/// An answer.
pub type Reply = Response<String>;

pub fn ok(body: &Value) -> Reply {
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
pub fn error(status: StatusCode, message: impl Into<String>) -> Reply {
    with_status(status, &json!({ "error": message.into() }))
}

pub fn method_not_allowed(allowed: &str) -> Reply {
    let mut reply = error(StatusCode::METHOD_NOT_ALLOWED, format!("this path takes {allowed}"));
    set(&mut reply, ALLOW, allowed);
    reply
}

/// A reply about a revision of the instance.
pub fn of_revision(mut reply: Reply, revision: u64) -> Reply {
    set(&mut reply, ETAG, &format!("\"{revision}\""));
    reply
}

/// What became of a change, and what it says that cannot be real.
pub fn changed(result: Result<u64, Error>, warnings: impl FnOnce() -> Warnings) -> Reply {
    match result {
        Ok(revision) => {
            let mut body = json!({ "revision": revision });
            add_warnings(&mut body, &warnings());
            of_revision(ok(&body), revision)
        }
        Err(error) => failed(&error.into()),
    }
}

/// Adds warnings to an object, if there are any.
pub fn add_warnings(body: &mut Value, warnings: &Warnings) {
    let warning = |Warning { name, problem }: &Warning| {
        without_nulls([
            ("name", json!(name)),
            ("field", json!(problem.field)),
            ("message", json!(problem.message)),
            ("help", json!(problem.help)),
        ])
    };
    if !warnings.list.is_empty() {
        body["warnings"] = warnings.list.iter().map(warning).collect();
    }
}

/// An error of the library or of the program.
pub fn failed(failure: &anyhow::Error) -> Reply {
    let message = format!("{failure:#}");
    match failure.downcast_ref() {
        Some(Error::Invalid(problems)) => with_status(StatusCode::UNPROCESSABLE_ENTITY, &wrong(problems)),
        Some(Error::Conflict { revision }) => {
            let message = format!("{message}; look at that one first, then change it by its number");
            let body = json!({ "error": message, "revision": revision });
            of_revision(with_status(StatusCode::PRECONDITION_FAILED, &body), *revision)
        }
        Some(Error::Read { .. }) => error(StatusCode::UNPROCESSABLE_ENTITY, message),
        _ if failure.is::<WrongUse>() => error(StatusCode::UNPROCESSABLE_ENTITY, message),
        _ => error(StatusCode::INTERNAL_SERVER_ERROR, message),
    }
}

/// Without the lines of the text, which the client has.
fn wrong(problems: &Problems) -> Value {
    json!({
        "error": format!("{}; nothing was changed", number_of_problems(problems.list.len())),
        "source": problems.source,
        "problems": problems.list.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn number_of_problems(number: usize) -> String {
    if number == 1 { "there is 1 problem".to_owned() } else { format!("there are {number} problems") }
}

/// An object of what is known.
pub fn without_nulls<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let known = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(known.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn with_status(status: StatusCode, body: &Value) -> Reply {
    // People read it too.
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
