//! What an operator gets: JSON, and errors that say what to do, as from the native
//! listener.

use std::time::{Duration, Instant};

use imds_spin::Reply;
use imds_spin::store::StoreError;
use serde_json::{Value, json};

use crate::bindings::metadata::Problem;
use crate::description::redact;

/// An answer with a status.
pub fn with_status(status: u16, body: &Value) -> Reply {
    // People read it too.
    document(status, format!("{body:#}\n"))
}

/// JSON text that is there already.
pub fn document(status: u16, text: String) -> Reply {
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let fields = vec![
        field("Content-Type", "application/json"),
        // What it was is not what it is.
        field("Cache-Control", "no-store"),
        field("X-Content-Type-Options", "nosniff"),
    ];
    Reply { status, fields, body: text.into_bytes(), delay: Duration::ZERO }
}

/// An answer as if nothing were there.
pub fn nothing() -> Reply {
    Reply { status: 404, fields: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
}

/// `message` says what is wrong and what to do.
pub fn error(status: u16, message: impl Into<String>) -> Reply {
    with_status(status, &json!({ "error": message.into() }))
}

/// The same with a header field.
pub fn with_field(mut reply: Reply, name: &str, value: &str) -> Reply {
    reply.fields.push((name.to_owned(), value.as_bytes().to_vec()));
    reply
}

/// An answer about a revision of an instance.
pub fn with_etag(reply: Reply, revision: u64) -> Reply {
    with_field(reply, "ETag", &format!("\"{revision}\""))
}

/// The store does not give what it was asked for: the reason is for the log.
pub fn failed(trouble: &StoreError) -> Reply {
    // Also to those who have not shown the secret yet.
    imds_spin::log::refusal(Instant::now(), || format!("control: {trouble}"));
    error(if *trouble == StoreError::Absent { 500 } else { 503 }, trouble.for_clients())
}

/// A change is wrong.
pub fn invalid(problems: &[Problem]) -> Reply {
    let number = match problems.len() {
        1 => "there is 1 problem".to_owned(),
        number => format!("there are {number} problems"),
    };
    let problem = |problem: &Problem| {
        without_nulls([
            ("field", json!(problem.field)),
            ("in-name", if problem.in_name { json!(true) } else { Value::Null }),
            ("message", json!(redact::without_secrets(&problem.message))),
            ("help", json!(problem.help.as_deref().map(redact::without_secrets))),
            ("line", json!(problem.position.map(|position| position.line))),
            ("column", json!(problem.position.map(|position| position.column))),
        ])
    };
    let body = json!({
        "error": format!("{number}; nothing was changed"),
        "source": "the request",
        "problems": problems.iter().map(problem).collect::<Vec<_>>(),
    });
    with_status(422, &body)
}

/// A change that is wrong for a reason that no field has.
pub fn refused(message: impl Into<String>) -> Reply {
    let (field, message) = (String::new(), message.into());
    invalid(&[Problem { field, in_name: false, message, help: None, position: None }])
}

/// An object of what is known.
pub fn without_nulls<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let known = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(known.map(|(name, value)| (name.to_owned(), value)).collect())
}
