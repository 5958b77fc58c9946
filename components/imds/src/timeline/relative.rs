//! Times that count from another: `+5m`, `-1h30m`.

use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::value::Span;
use crate::facts::LAUNCH_TIME;
use crate::time::Time;

/// Where a description has times; `*` stands for each entry of a list. A test
/// finds one that is missing here.
const TIMES: [&[&str]; 14] = [
    &["launch-time"],
    &["spot-interruption", "time"],
    &["spot-interruption", "notice-time"],
    &["rebalance-recommendation", "notice-time"],
    &["events", "*", "not-before"],
    &["events", "*", "not-after"],
    &["faults", "*", "from"],
    &["faults", "*", "until"],
    &["iam-instance-profile", "credentials-rotation", "since"],
    &["iam-instance-profile", "credentials-rotation", "until"],
    &["iam-instance-profile", "credentials", "last-updated"],
    &["iam-instance-profile", "credentials", "expiration"],
    &["iam-instance-profile", "credentials-without-token", "last-updated"],
    &["iam-instance-profile", "credentials-without-token", "expiration"],
];

/// The time from which those of a description count: `timeline-start`, or the
/// launch.
pub fn start_of(document: &Json) -> Time {
    let absolute = |name| match document.at(name) {
        Some(Json::String(text)) => Time::parse(text),
        _ => None,
    };
    absolute("/timeline-start").or_else(|| absolute("/launch-time")).unwrap_or(LAUNCH_TIME)
}

/// The time that `text` tells: one of its own, or one that counts from `origin`.
pub fn time(text: &str, origin: Time) -> Result<Time, &'static str> {
    let wrong = match text.parse::<Span>() {
        Ok(_) => "expected a sign: +5m is in five minutes, -5m was five minutes ago",
        Err(_) => {
            "expected a time such as 2026-09-26T11:16:22Z, or one that counts from another, such as +5m, +1h30m or +1d"
        }
    };
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(span), _) => Ok(origin.plus_ms(span.parse::<Span>().map_err(|_| wrong)?.0)),
        (_, Some(span)) => Ok(origin.minus_ms(span.parse::<Span>().map_err(|_| wrong)?.0)),
        _ => Time::parse(text).ok_or(wrong),
    }
}

/// Makes all relative times absolute. What is no time is left for the reader of
/// descriptions to tell; `prefix` stands before the places of what is told here.
pub fn resolve(document: &mut Json, origin: Time, prefix: &str, problems: &mut Vec<Problem>) {
    for path in TIMES {
        resolve_at(document, path, origin, prefix.to_owned(), problems);
    }
}

fn resolve_at(value: &mut Json, path: &[&str], origin: Time, pointer: String, problems: &mut Vec<Problem>) {
    match (path, value) {
        ([], Json::String(text)) if text.starts_with(['+', '-']) => match time(text, origin) {
            Ok(time) => *text = time.rfc3339_exact(),
            Err(wrong) => problems.push(Problem::at(pointer, wrong)),
        },
        (["*", rest @ ..], Json::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                resolve_at(item, rest, origin, format!("{pointer}/{index}"), problems);
            }
        }
        ([name, rest @ ..], Json::Object(fields)) => {
            for (_, value) in fields.iter_mut().filter(|(field, _)| field == name) {
                resolve_at(value, rest, origin, format!("{pointer}/{name}"), problems);
            }
        }
        _ => {}
    }
}

/// Puts `time` into the field `name` of an object, unless it is there.
pub fn default_time(object: &mut Json, name: &str, time: Time) {
    if let Json::Object(fields) = object
        && !fields.iter().any(|(field, _)| field == name)
    {
        fields.push((name.to_owned(), Json::String(time.rfc3339_exact())));
    }
}
