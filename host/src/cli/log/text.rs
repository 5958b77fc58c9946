// Lines for people.

use imds_host::{Answered, Runtime, Trouble, shown};

use super::reasons;

pub fn answered(answered: &Answered<'_>, runtime: &Runtime) -> String {
    let request = match answered.head.method() {
        "" => "unreadable request".to_owned(),
        method => format!("{} {}", shown::method(method), shown::target(answered.head.target())),
    };
    let peer = answered.peer.map(|peer| format!(" from {peer}")).unwrap_or_default();
    let why = answered.error.map_or_else(|| reasons::reason(answered, runtime), |error| reasons::error(error));
    if answered.delivery.is_some_and(|delivery| !delivery.is_sent()) {
        // A status that nobody got would mislead.
        return format!("imds: no answer to {request}{peer}: {why}");
    }
    format!("imds: {} {request}{peer}: {why}", answered.status)
}

pub fn trouble(trouble: &Trouble) -> String {
    format!("imds: {}", reasons::trouble(trouble))
}

pub fn lost(sentence: &str) -> String {
    format!("imds: {sentence}")
}
