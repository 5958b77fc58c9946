// `/v1/clock` and `/v1/instances/{key}/clock`: the clocks by which all is answered.

use std::time::{Duration, SystemTime};

use axum::extract::State;
use hyper::StatusCode;
use imds_host::VirtualClock;
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::super::values;
use super::body::{self, Name};
use super::document::{Key, NoInstance, Refused, RefusedChange, Slow, WrongRequest};
use super::reply::{Refusal, Reply, error, ok};
use super::routes::Shared;
use super::shapes::{self, Clock};

/// The clock by which all is answered
///
/// Where there are many instances, it is that which the clocks of all follow.
#[utoipa::path(get, path = "/v1/clock", responses((status = 200, body = Clock, description = "The clock."), Refused))]
pub async fn get_clock(State(shared): State<Shared>) -> Reply {
    shown(shared.operated.operands.clock())
}

/// Move the clock
///
/// Where there are many instances, it moves those of all.
#[utoipa::path(patch, path = "/v1/clock",
    request_body(description = ANY, content((Change = "application/json"), (Change = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Clock, description = "Done."),
        (status = 422, body = shapes::Error, description = "It is wrong. Nothing was changed."),
        RefusedChange,
    ))]
pub async fn patch_clock(State(shared): State<Shared>, body::Change(body): body::Change) -> Result<Reply, Refusal> {
    patch(shared.operated.operands.clock(), &body)
}

/// The clock of one of the instances
#[utoipa::path(get, path = "/v1/instances/{key}/clock", params(Key), responses(
    (status = 200, body = Clock, description = "The clock."),
    Refused, WrongRequest, NoInstance, Slow,
))]
pub async fn get_clock_of_one(State(shared): State<Shared>, Name(name): Name) -> Result<Reply, Refusal> {
    Ok(shown(shared.named(name).await?.clock()))
}

/// Move the clock of one of the instances
///
/// It keeps its distance from that of all then, until it is set to the system's: it follows that of all again.
#[utoipa::path(patch, path = "/v1/instances/{key}/clock", params(Key),
    request_body(description = ANY, content((Change = "application/json"), (Change = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Clock, description = "Done."),
        (status = 422, body = shapes::Error, description = "It is wrong. Nothing was changed."),
        RefusedChange, WrongRequest, NoInstance, Slow,
    ))]
pub async fn patch_clock_of_one(
    State(shared): State<Shared>,
    Name(name): Name,
    body::Change(body): body::Change,
) -> Result<Reply, Refusal> {
    patch(shared.named(name).await?.clock(), &body)
}

const ANY: &str = "Any of these; all are done, or none.";

fn shown(clock: &VirtualClock) -> Reply {
    ok(&Clock::of(&clock.state()))
}

/// Changes it, all or nothing, and tells what it is then.
fn patch(clock: &VirtualClock, body: &[u8]) -> Result<Reply, Refusal> {
    let change = Change::read(body).map_err(|wrong| error(StatusCode::UNPROCESSABLE_ENTITY, wrong))?;
    change.make(clock);
    Ok(shown(clock))
}

#[derive(Debug, Default, PartialEq, ToSchema)]
#[schema(as = ClockChange)]
pub struct Change {
    /// Sets it to a time.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    now: Option<SystemTime>,
    /// Moves it on: 90s, 5m, 6h; with a minus, back: -5m.
    #[schema(value_type = Option<String>, nullable = false)]
    advance: Option<Step>,
    /// Whether it stands.
    #[schema(nullable = false)]
    paused: Option<bool>,
    /// Seconds that it shows for each that passes.
    #[schema(nullable = false, minimum = 0.001, maximum = 1_000_000.0)]
    speed: Option<f64>,
    /// True: back to the system's clock, or that of all; alone.
    #[schema(required = false)]
    system: bool,
}

/// A way from the time that it shows.
#[derive(Debug, PartialEq)]
enum Step {
    On(Duration),
    Back(Duration),
}

impl Step {
    fn read(text: &str) -> Result<Self, String> {
        match text.strip_prefix('-') {
            Some(rest) if !rest.starts_with('+') => values::span(rest).map(Self::Back),
            _ => values::span(text).map(Self::On),
        }
    }
}

impl Change {
    fn read(body: &[u8]) -> Result<Self, String> {
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| format!("expected {EXPECTED}"))?;
        let mut change = Self::default();
        for (name, value) in &fields {
            let wrong = |wrong: String| format!("{name}: {wrong}");
            match (name.as_str(), value) {
                ("now", Value::String(text)) => change.now = Some(values::time(text).map_err(wrong)?),
                ("advance", Value::String(text)) => change.advance = Some(Step::read(text).map_err(wrong)?),
                ("advance", Value::Number(number)) => return Err(wrong(without_unit(number))),
                ("paused", Value::Bool(paused)) => change.paused = Some(*paused),
                ("speed", Value::Number(speed)) => {
                    change.speed = Some(values::speed(&speed.to_string()).map_err(wrong)?);
                }
                ("system", Value::Bool(true)) => change.system = true,
                ("now" | "advance" | "paused" | "speed" | "system", _) => {
                    return Err(format!("{name} has a value of another kind; expected {EXPECTED}"));
                }
                _ => return Err(format!("no field has this name: {name:.60}; expected {EXPECTED}")),
            }
        }
        match (fields.len(), change.system) {
            (0, _) => Err(format!("that changes nothing; expected {EXPECTED}")),
            (2.., true) => Err("system says all about the clock; leave out the other fields, or system".to_owned()),
            _ => Ok(change),
        }
    }

    /// A clock that is to stand does so from the first step to the last, so that it
    /// shows what was asked for to the millisecond.
    fn make(&self, clock: &VirtualClock) {
        if self.system {
            clock.follow_system();
        }
        if self.paused == Some(true) {
            clock.pause();
        }
        if let Some(speed) = self.speed {
            // It was looked at when the change was read.
            let _ = clock.set_speed(speed);
        }
        if let Some(now) = self.now {
            clock.set(now);
        }
        match self.advance {
            Some(Step::On(time)) => clock.advance(time),
            Some(Step::Back(time)) => clock.step_back(time),
            None => {}
        }
        if self.paused == Some(false) {
            clock.resume();
        }
    }
}

/// What to write instead of a bare number.
fn without_unit(number: &Number) -> String {
    let seconds = number.as_i64().unwrap_or(300);
    let in_minutes =
        if seconds != 0 && seconds % 60 == 0 { format!(" or \"{}m\"", seconds / 60) } else { String::new() };
    format!("a number has no unit; expected a time with its unit in quotes, such as \"{seconds}s\"{in_minutes}")
}

const EXPECTED: &str = "an object with any of {\"now\": \"2026-10-01T00:00:00Z\", \"advance\": \"5m\", \"paused\": true, \
                        \"speed\": 60}, or {\"system\": true}";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_clock_is_set_moved_on_and_stopped_in_one_change() {
        let clock = VirtualClock::system();
        let body = br#"{"now": "2026-10-01T00:00:00Z", "advance": "+5m", "paused": true, "speed": 60}"#;
        let answer: Value = serde_json::from_str(patch(&clock, body).unwrap().body()).unwrap();
        let wanted = json!({ "now": "2026-10-01T00:05:00.000Z", "paused": true, "speed": 60.0, "system": false });
        assert_eq!(answer, wanted);
        let back: Value = serde_json::from_str(patch(&clock, br#"{"advance": "-90s"}"#).unwrap().body()).unwrap();
        assert_eq!(back["now"], "2026-10-01T00:03:30.000Z");
        assert_eq!(patch(&clock, br#"{"system": true}"#).unwrap().status(), 200);
        assert!(clock.state().is_system);
    }

    #[test]
    fn a_number_is_told_its_unit() {
        for (number, advice) in
            [("300", r#""300s" or "5m""#), ("90", r#"such as "90s""#), ("-60", r#""-60s" or "-1m""#)]
        {
            let wrong = Change::read(format!(r#"{{"advance": {number}}}"#).as_bytes()).unwrap_err();
            assert!(wrong.starts_with("advance: a number has no unit; ") && wrong.ends_with(advice), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_change_moves_nothing_and_says_what_is_expected() {
        let clock = VirtualClock::paused_at(SystemTime::UNIX_EPOCH);
        let before = clock.state();
        for body in [
            "",
            "[]",
            "{}",
            r#"{"paused": false, "advance": "5"}"#,
            r#"{"paused": false, "advance": "-+5m"}"#,
            r#"{"paused": false, "advance": 300}"#,
            r#"{"paused": false, "advance": -1.5e300}"#,
            r#"{"paused": false, "now": "tomorrow"}"#,
            r#"{"paused": false, "speed": 0}"#,
            r#"{"paused": false, "speed": "60"}"#,
            r#"{"paused": false, "pasued": true}"#,
            r#"{"paused": false, "system": true}"#,
            r#"{"system": false}"#,
        ] {
            let answer = patch(&clock, body.as_bytes()).unwrap_err();
            assert_eq!(answer.status(), 422, "{body}");
            let message: Value = serde_json::from_str(answer.body()).unwrap();
            let message = message["error"].as_str().unwrap();
            assert!(message.contains("expected") || message.contains("leave out"), "{message}");
            assert_eq!(clock.state(), before, "{body}");
        }
    }
}
