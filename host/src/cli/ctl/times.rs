// Times as people tell them.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// How long before or after `now` a time is: `in 1m 30s`, `2m ago`. Both as the
/// listener writes them.
pub fn relative(at: &Value, now: &Value) -> String {
    let (Some(at), Some(now)) = (read(at), read(now)) else { return "at an unknown time".to_owned() };
    match at.duration_since(now) {
        Ok(left) if in_words(left) == "0s" => "now".to_owned(),
        Ok(left) => format!("in {}", in_words(left)),
        Err(passed) if in_words(passed.duration()) == "0s" => "now".to_owned(),
        Err(passed) => format!("{} ago", in_words(passed.duration())),
    }
}

/// What happens to an instance, as the listener tells it.
pub fn happenings(instance: &Value) -> impl Iterator<Item = &Value> {
    ["past", "to-come"].into_iter().flat_map(|part| instance["timeline"][part].as_array().into_iter().flatten())
}

/// A line for something that happens.
pub fn happening(happening: &Value, now: &Value) -> String {
    let text = |name: &str| happening[name].as_str().unwrap_or_default();
    format!("{:<13} {}  {}", relative(&happening["at"], now), text("at"), text("what"))
}

/// Whether a time is before another, or the same; no time is before none.
pub fn is_before(time: &Value, other: &Value) -> bool {
    read(time).zip(read(other)).is_some_and(|(time, other)| time <= other)
}

/// A time of a change that counts from the change.
pub fn from_now(time: Duration) -> String {
    format!("+{}", span(time))
}

/// A length of time as descriptions have it, to the millisecond.
pub fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds > 0 && time.subsec_millis() == 0 => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

fn read(time: &Value) -> Option<SystemTime> {
    humantime::parse_rfc3339(time.as_str()?).ok()
}

/// To the nearest second, by the two largest units.
pub fn in_words(time: Duration) -> String {
    let seconds = Duration::from_secs(time.as_secs() + u64::from(time.subsec_millis() >= 500));
    let words = humantime::format_duration(seconds).to_string();
    words.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_told_by_their_distance() {
        let now = json!("2026-10-01T00:00:00.000Z");
        for (at, wanted) in [
            ("2026-10-01T00:01:30.100Z", "in 1m 30s"),
            ("2026-09-30T23:58:00.000Z", "2m ago"),
            ("2026-10-01T00:00:00.400Z", "now"),
            ("2026-09-30T23:59:59.700Z", "now"),
            ("2026-10-01T06:35:00.000Z", "in 6h 35m"),
            ("2026-10-03T01:02:03Z", "in 2days 1h"),
        ] {
            assert_eq!(relative(&json!(at), &now), wanted, "{at}");
        }
        assert_eq!(from_now(Duration::from_secs(120)), "+120s");
    }
}
