//! What becomes of answers that a fault of the description affects, as far as an
//! engine lets it.

use std::time::Duration;

use crate::bindings::metadata::{Answer, Delivery, Outcome, explain};
use crate::head::Reply;
use crate::log;

/// The answer as it can be sent: late, or a 503 in its place, since an adapter has
/// no connection that it could close or leave open.
///
/// The log tells of it and nothing of the request: a client may have put a secret
/// anywhere.
pub fn deliver(answer: Answer) -> Reply {
    let (reply, what) = match (answer.outcome, answer.delivery) {
        (Outcome::NotRunning, _) => (reply(answer), explain(Outcome::NotRunning).reason),
        (Outcome::FaultRefused, _) => (reply(answer), "fault: refused".to_owned()),
        (_, None) => return reply(answer),
        (_, Some(Delivery::Delayed(ms))) => {
            let delay = Duration::from_millis(ms.into());
            (Reply { delay, ..reply(answer) }, format!("fault: answered after {ms} ms"))
        }
        (_, Some(Delivery::Closed)) => (unavailable(answer), "fault: in place of a closed connection".to_owned()),
        (_, Some(Delivery::Cut)) => (unavailable(answer), "fault: in place of a body cut short".to_owned()),
        (_, Some(Delivery::Withheld)) => (unavailable(answer), "fault: in place of no answer".to_owned()),
    };
    log::line(format!("{}: {what}", reply.status));
    reply
}

/// The component's answer, which is sent at once.
pub(crate) fn reply(answer: Answer) -> Reply {
    let head = String::from_utf8(answer.head).unwrap_or_default();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Reply {
        status: answer.status,
        // What becomes of connections is the engine's.
        fields: fields
            .filter(|(name, _)| *name != "Connection")
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: answer.body,
        delay: Duration::ZERO,
    }
}

/// A 503 in the shape of the service's refusals, with the time of the answer.
fn unavailable(answer: Answer) -> Reply {
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let mut fields = reply(answer).fields;
    fields.retain(|(name, _)| name == "Date" || name == "Server");
    fields.insert(0, field("Content-Length", "0"));
    fields.push(field("Content-Type", "text/plain"));
    Reply { status: 503, fields, body: Vec::new(), delay: Duration::ZERO }
}
