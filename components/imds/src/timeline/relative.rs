//! Times that count from another: `+5m`, `-1h30m`.

use crate::description::field::KNOWN;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::value::Span;
use crate::facts::LAUNCH_TIME;
use crate::time::Time;

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

/// Whether a time counts from another one.
pub fn is_relative(text: &str) -> bool {
    text.starts_with(['+', '-'])
}

/// The relative time that lies `ms` milliseconds after its origin, or before it
/// where `ms` is negative: `+12s`, `-500ms`.
pub fn written(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    format!("{sign}{}", Span(ms.unsigned_abs()))
}

/// Makes all relative times absolute. What is no time is left for the reader of
/// descriptions to tell; `prefix` stands before the places of what is told here.
pub fn resolve(document: &mut Json, origin: Time, prefix: &str, problems: &mut Vec<Problem>) {
    each_time(document, prefix, &mut |pointer, text| {
        if is_relative(text) {
            match time(text, origin) {
                Ok(time) => *text = time.rfc3339_exact(),
                Err(wrong) => problems.push(Problem::at(pointer, wrong)),
            }
        }
    });
}

/// Calls `visit` with every time of a document, and with its place behind
/// `prefix`, a JSON Pointer.
pub fn each_time(document: &mut Json, prefix: &str, visit: &mut impl FnMut(String, &mut String)) {
    // From the start others count.
    for path in KNOWN.times.iter().filter(|path| path[..] != ["timeline-start"]) {
        each_text(document, path, prefix.to_owned(), visit);
    }
}

/// Calls `visit` with every text at a path, in which `*` stands for each entry
/// of a list.
pub fn each_text(value: &mut Json, path: &[&str], pointer: String, visit: &mut impl FnMut(String, &mut String)) {
    match (path, value) {
        ([], Json::String(text)) => visit(pointer, text),
        (["*", rest @ ..], Json::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                each_text(item, rest, format!("{pointer}/{index}"), visit);
            }
        }
        ([name, rest @ ..], Json::Object(fields)) => {
            for (_, value) in fields.iter_mut().filter(|(field, _)| field == name) {
                each_text(value, rest, format!("{pointer}/{name}"), visit);
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
