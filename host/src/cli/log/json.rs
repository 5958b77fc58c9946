// Lines for programs: one JSON object each. docs/operations.md lists the fields;
// their names do not change.

use std::time::SystemTime;

use imds_host::{
    Answered, CredentialsState, Delivery, Outcome, Runtime, SessionVersion, Trouble, Warning, Warnings, shown,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::reasons;

pub fn answered(answered: &Answered<'_>, runtime: &Runtime, now: SystemTime) -> String {
    let level = match answered.outcome {
        Outcome::Failed => "error",
        outcome if outcome.is_refusal() || answered.fault().is_some() => "warn",
        _ => "info",
    };
    // A status that nobody got would mislead.
    let is_sent = answered.delivery.is_none_or(Delivery::is_sent);
    // Of a head that could not be read, nothing is known.
    let is_readable = !answered.head.method().is_empty();
    let microseconds = answered.duration.as_nanos() as f64 / 1000.0;
    let version = answered.version.map(|version| match version {
        SessionVersion::One => 1,
        SessionVersion::Two => 2,
    });
    line(
        now,
        level,
        "answered",
        [
            ("status", is_sent.then_some(answered.status).into()),
            ("method", is_readable.then(|| shown::method(answered.head.method())).into()),
            ("target", is_readable.then(|| shown::target(answered.head.target())).into()),
            ("host", answered.head.host().map(shown::host).into()),
            ("peer", answered.peer.map(|peer| peer.to_string()).into()),
            ("version", version.into()),
            ("outcome", answered.outcome.name().into()),
            ("fault", answered.fault().into()),
            ("reason", reasons::reason(answered, runtime).into()),
            ("duration-us", microseconds.into()),
            ("error", answered.error.map(|error| reasons::error(error)).into()),
        ],
    )
}

pub fn trouble(trouble: &Trouble, now: SystemTime) -> String {
    let level = match trouble {
        Trouble::SentAway => "warn",
        _ => "error",
    };
    line(now, level, "trouble", [("trouble", trouble.name().into()), ("reason", reasons::trouble(trouble).into())])
}

pub fn lost(count: u64, sentence: &str, now: SystemTime) -> String {
    line(now, "warn", "lost-lines", [("lines", count.into()), ("reason", sentence.into())])
}

/// A line for each warning.
pub fn warnings(warnings: &Warnings, now: SystemTime) -> String {
    let text = |text: &str| shown::text(text, WARNING_CHARACTERS);
    let warning = |Warning { name, problem }: &Warning| {
        let place = problem.place.as_ref().filter(|_| problem.set_by.is_none());
        line(
            now,
            "warn",
            "warning",
            [
                ("warning", text(name).into()),
                ("source", text(problem.set_by.as_ref().unwrap_or(&warnings.source)).into()),
                ("line", place.map(|place| place.line).into()),
                ("column", place.map(|place| place.column).into()),
                ("field", text(&problem.field).into()),
                ("reason", text(&problem.message).into()),
                ("help", problem.help.as_deref().map(text).into()),
            ],
        )
    };
    warnings.list.iter().map(warning).collect::<Vec<_>>().join("\n")
}

/// How an attempt to get real credentials went.
pub fn credentials(state: &CredentialsState, shown_now: SystemTime, now: SystemTime) -> String {
    let failure = state.last_failure.as_ref().filter(|_| state.failures > 0);
    let rfc3339 = |time: SystemTime| humantime::format_rfc3339_millis(time).to_string();
    let next = state.next_fetch.filter(|_| failure.is_some());
    let next = next.map(|next| next.duration_since(shown_now).unwrap_or_default().as_secs_f64());
    line(
        now,
        if failure.is_some() { "warn" } else { "info" },
        "credentials",
        [
            ("source", shown::text(&state.source, SOURCE_CHARACTERS).into()),
            ("end", state.end.map(rfc3339).into()),
            ("failures", failure.map(|_| state.failures).into()),
            ("next-seconds", next.into()),
            ("reason", failure.map(|failure| shown::text(&failure.error.to_string(), SOURCE_CHARACTERS)).into()),
        ],
    )
}

/// No name of a source or of a command needs more.
const SOURCE_CHARACTERS: usize = 200;

pub fn many_warnings(descriptions: usize, sentence: &str, now: SystemTime) -> String {
    let sentence = shown::text(sentence, WARNING_CHARACTERS);
    line(now, "warn", "warnings", [("descriptions", descriptions.into()), ("reason", sentence.into())])
}

/// No message has more.
const WARNING_CHARACTERS: usize = 2000;

fn line<const N: usize>(now: SystemTime, level: &str, event: &str, fields: [(&str, Value); N]) -> String {
    let time = humantime::format_rfc3339_millis(now).to_string();
    let first = [("time", time.into()), ("level", level.into()), ("event", event.into())];
    let all: Vec<_> = first.into_iter().chain(fields).filter(|(_, value)| !value.is_null()).collect();
    // What is in memory can be written there.
    serde_json::to_string(&Fields(all)).unwrap_or_default()
}

/// An object whose fields keep their order, which people read too.
struct Fields<'a>(Vec<(&'a str, Value)>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_is_an_object_with_fields_in_order() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_764_000_000_123);
        assert_eq!(
            lost(3, "3 more", now),
            r#"{"time":"2025-11-24T16:00:00.123Z","level":"warn","event":"lost-lines","lines":3,"reason":"3 more"}"#
        );
    }

    #[test]
    fn what_is_printed_stays_json() {
        // `to_stderr` would write escapes of its own for what is not plain here.
        let error = io::Error::other("a\u{1b}\u{7f}\u{202e}\u{200b}\"\\");
        let line = trouble(&Trouble::Accept(error), SystemTime::UNIX_EPOCH);
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["trouble"], "accept");
        let reason = "cannot accept a connection: a\\u{1b}\\u{7f}\\u{202e}\\u{200b}\"\\";
        assert_eq!(value["reason"], reason);
    }
}
