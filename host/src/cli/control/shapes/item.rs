// What is answered about an answer of the service.

use imds_host::Answer;
use serde::Serialize;
use utoipa::ToSchema;

/// What the service answers to a client. The fields of what is sent are missing where a fault withholds the answer,
/// and where the instance does not run.
#[derive(Serialize, ToSchema)]
pub struct Item {
    /// What was asked for.
    path: String,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, nullable = false)]
    status: Option<u16>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Why the answer is what it is, by its name in the log.
    outcome: &'static str,
    /// The status line and the header fields, as they go onto the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body: Option<String>,
}

impl Item {
    /// What is told of an answer, all of it: whether it holds a secret, the caller looks.
    pub fn of(path: &str, answer: &Answer) -> Self {
        // What a fault withholds, no client gets.
        let is_sent = answer.verdict.delivery.is_none_or(|delivery| delivery.is_sent());
        Self {
            path: path.to_owned(),
            status: is_sent.then_some(answer.status),
            reason: is_sent.then(|| answer.reason().to_owned()),
            outcome: answer.verdict.outcome.name(),
            head: is_sent.then(|| answer.head.clone()),
            body: is_sent.then(|| String::from_utf8_lossy(&answer.body).into_owned()),
        }
    }
}
