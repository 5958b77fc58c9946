// Lines for people.

use std::time::SystemTime;

use imds_host::{Answered, CredentialsState, Runtime, Trouble, shown};

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

/// How an attempt to get real credentials went.
pub fn credentials(state: &CredentialsState, now: SystemTime) -> String {
    let source = shown::text(&state.source, SOURCE_CHARACTERS);
    let until = |end: SystemTime| humantime::format_rfc3339_seconds(end).to_string();
    let Some(failure) = state.last_failure.as_ref().filter(|_| state.failures > 0) else {
        let end = state.end.map(|end| format!(", until {}", until(end))).unwrap_or_default();
        return format!("imds: note: the role has the credentials of {source}{end}");
    };
    let reason = shown::text(&failure.error.to_string(), SOURCE_CHARACTERS);
    let what_holds = match state.end {
        Some(end) if end > now => format!("the last ones hold until {}", until(end)),
        Some(end) => format!("the last ones ended at {}", until(end)),
        None => "the role has none".to_owned(),
    };
    format!("imds: warning: no credentials from {source}: {reason}; {what_holds}; imds will ask again")
}

/// No name of a source or of a command needs more.
const SOURCE_CHARACTERS: usize = 200;

pub fn lost(sentence: &str) -> String {
    format!("imds: {sentence}")
}
