//! Scenarios at another speed: the story is shorter, and every time in it true.

use std::time::{Duration, UNIX_EPOCH};

use imds_core::{Happening, Instance, Moment, Outcome};
use imds_host::{Description, Scenario};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::case::milliseconds;
use crate::ways::{RUNTIME, Sent, open_json_in_core};

/// 2026-10-01T00:00:00Z.
const START_MS: u64 = 1_790_812_800_000;

const SPEEDS: [f64; 4] = [1.0, 2.0, 10.0, 60.0];

/// The longest scenario takes seven minutes.
const END_MS: u64 = 450_000;

/// A scenario over the default instance, begun at [`START_MS`].
fn begun(scenario: &Description) -> String {
    let mut description = RUNTIME.combine(&Description::default(), scenario).unwrap_or_else(|error| panic!("{error}"));
    description.start_at(UNIX_EPOCH + Duration::from_millis(START_MS));
    description.to_json()
}

fn at_speed(scenario: &Scenario, speed: f64) -> String {
    let faster = RUNTIME.speed_up(&scenario.description(), speed).unwrap_or_else(|error| panic!("{error}"));
    begun(&faster)
}

/// What is answered so many milliseconds after [`START_MS`]: why, and with which body.
fn answer(instance: &Instance, target: &str, after_ms: u64) -> (Outcome, String) {
    let moment = Moment { now_ms: START_MS + after_ms, ..Moment::default() };
    let answer = instance.answer(&Sent::get(target).head(), moment, None);
    (answer.outcome, String::from_utf8(answer.body.into_owned()).expect("it is text"))
}

/// A time in a JSON document that the service serves.
fn time_ms(document: &str, field: &str) -> u64 {
    let document: Value = serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"));
    milliseconds(document[field].as_str().expect("a time")).expect("a time")
}

/// As the service writes times: in whole seconds.
fn in_seconds(ms: u64) -> u64 {
    ms / 1000 * 1000
}

/// The moments that are looked at: 600 through the scenario, and all whole seconds.
fn moments(speed: f64) -> impl Iterator<Item = u64> {
    let end_ms = (END_MS as f64 / speed) as u64;
    (0..600).map(move |step| end_ms * step / 600).chain((0..end_ms / 1000).map(|second| second * 1000))
}

#[test]
fn an_interruption_is_told_for_when_it_comes() {
    let mut told = 0;
    for scenario in Scenario::all() {
        for speed in SPEEDS {
            let json = at_speed(scenario, speed);
            let instance = open_json_in_core(&json);
            let happenings = imds_core::status(&json, START_MS, None).expect("it ships").happenings;
            for after_ms in moments(speed) {
                let (outcome, notice) = answer(&instance, "/latest/meta-data/spot/instance-action", after_ms);
                if outcome != Outcome::Found {
                    continue;
                }
                told += 1;
                let action = notice.split('"').nth(3).expect("an action");
                // A hibernation begins with its notice, and the instance stops when its memory is written.
                let is_end = |happening: &&Happening| match action {
                    "hibernate" => happening.what.starts_with("spot notice: "),
                    "stop" => happening.what == "state = stopped",
                    _ => happening.what == "state = terminated",
                };
                let end = happenings.iter().find(is_end).unwrap_or_else(|| panic!("{notice}: {happenings:?}"));
                let place = format!("{} at speed {speed}, {after_ms} ms after its start: {notice}", scenario.name());
                assert_eq!(time_ms(&notice, "time"), in_seconds(end.at_ms), "{place}");
                if action != "hibernate" {
                    assert!(START_MS + after_ms < end.at_ms, "{place}");
                    let ended = answer(&instance, "/latest/", end.at_ms - START_MS).0;
                    assert_eq!(ended, Outcome::NotRunning, "{place}");
                }
            }
        }
    }
    assert!(told > 1000, "{told} notices were looked at");
}

#[test]
fn credentials_end_when_they_say() {
    for name in ["credentials-rotate", "credentials-expire"] {
        let scenario = Scenario::named(name).expect("it ships");
        for speed in SPEEDS {
            let instance = open_json_in_core(&at_speed(&scenario, speed));
            let (life_ms, last_ms) = if name == "credentials-rotate" { (60_000, END_MS) } else { (360_000, 60_000) };
            let life_ms = ((life_ms as f64 / speed) as u64).max(1000);
            for after_ms in moments(speed) {
                let (_, credentials) = answer(&instance, "/latest/meta-data/iam/security-credentials/imds", after_ms);
                let [updated, expiration] = ["LastUpdated", "Expiration"].map(|field| time_ms(&credentials, field));
                let place = format!("{name} at speed {speed}, {after_ms} ms after its start: {credentials}");
                // Both are cut to seconds.
                assert!(expiration.abs_diff(updated + life_ms) <= 1000, "{place}");
                assert!(updated <= START_MS + after_ms, "{place}");
                if (after_ms as f64) < last_ms as f64 / speed {
                    assert!(in_seconds(START_MS + after_ms) <= expiration, "{place}");
                }
            }
        }
    }
}

#[test]
fn at_speed_1_nothing_changes() {
    for scenario in Scenario::all() {
        let same = RUNTIME.speed_up(&scenario.description(), 1.0).expect("it ships");
        assert_eq!(same.to_json(), scenario.description().to_json(), "{}", scenario.name());
        // Nor does it where what is left to defaults is stated, as at every other speed.
        let twice = RUNTIME.speed_up(&scenario.description(), 2.0).expect("it ships").to_json();
        let [plain, stated] =
            [begun(&scenario.description()), begun(&slowed(&twice, 2))].map(|json| open_json_in_core(&json));
        for after_ms in (0..END_MS).step_by(5000) {
            for target in TARGETS {
                let [one, two] = [&plain, &stated].map(|instance| answer(instance, target, after_ms));
                assert_eq!(one, two, "{}: {target} {after_ms} ms after its start", scenario.name());
            }
        }
    }
}

const TARGETS: [&str; 7] = [
    "/latest/meta-data/",
    "/latest/meta-data/spot/instance-action",
    "/latest/meta-data/events/maintenance/scheduled",
    "/latest/meta-data/events/recommendations/rebalance",
    "/latest/meta-data/iam/security-credentials/imds",
    "/latest/dynamic/instance-identity/document",
    "/latest/user-data",
];

/// A scenario whose times and spans are so many times as long, `delay` apart.
fn slowed(json: &str, times: u64) -> Description {
    fn slow(value: &mut Value, times: u64) {
        match value {
            Value::Object(fields) => {
                fields.iter_mut().filter(|(name, _)| *name != "delay").for_each(|(_, value)| slow(value, times));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| slow(item, times)),
            Value::String(text) => {
                let (sign, span) = text.split_at(usize::from(text.starts_with(['+', '-'])));
                let ms = span.strip_suffix("ms").map(|number| (number, 1));
                let ms = ms.or_else(|| span.strip_suffix('s').map(|number| (number, 1000)));
                if let Some((number, unit)) = ms
                    && let Ok(number) = number.parse::<u64>()
                {
                    *text = format!("{sign}{}ms", number * unit * times);
                }
            }
            _ => {}
        }
    }
    let mut document: Value = serde_json::from_str(json).expect("it is JSON");
    slow(&mut document, times);
    Description::from_json("slowed", &document.to_string()).expect("it is JSON")
}

/// The spans of a description that a story has are sped up; a fault's delay is not, nor those of a source, which is not
/// of the story.
#[test]
fn every_span_is_known() {
    fn spans(value: &Value, name: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let is_span = |value: &Value| value.as_str() == Some("#/$defs/Span");
                if fields.get("$ref").is_some_and(is_span) {
                    found.push(name.to_owned());
                }
                fields.iter().for_each(|(field, value)| {
                    let is_inside = ["anyOf", "oneOf", "items", "$ref"].contains(&field.as_str());
                    spans(value, if is_inside { name } else { field }, found);
                });
            }
            Value::Array(items) => items.iter().for_each(|item| spans(item, name, found)),
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(imds_core::schema()).expect("the schema is JSON");
    let mut found = Vec::new();
    spans(&schema, "", &mut found);
    found.sort();
    found.dedup();
    assert_eq!(found, ["delay", "duration", "interval", "lifetime", "time-limit"]);
}

proptest! {
    #![proptest_config(Config { cases: 128, failure_persistence: None, ..Config::default() })]

    /// What happens is the same, in the same order, each thing sooner.
    #[test]
    fn a_faster_story_is_the_same_story(
        entries in prop::collection::vec((0_u32..400, 0_u32..5, 1_u32..300), 1..8),
        speed in 1.0..200.0_f64,
    ) {
        let timeline: Vec<Value> = entries.iter().map(|(at, kind, later)| {
            let (at, later) = (format!("+{at}s"), format!("+{later}s"));
            match kind {
                0 => json!({ "at": at, "spot-interruption": { "action": "stop" } }),
                1 => json!({ "at": at, "spot-interruption": { "time": later } }),
                2 => json!({ "at": at, "spot-interruption": { "notice-time": later, "action": "terminate" } }),
                3 => json!({ "at": at, "events": [{ "code": "system-reboot", "not-before": later }] }),
                _ => json!({ "at": at, "tags": { "Name": later } }),
            }
        }).collect();
        let scenario = json!({ "instance-lifecycle": "spot", "iam-instance-profile": false, "timeline": timeline });
        let faster = imds_core::speed_up(&scenario.to_string(), speed).expect("it is a scenario");
        let [plain, faster] = [scenario.to_string(), faster].map(|json| {
            let json = begun(&Description::from_json("random", &json).expect("it is JSON"));
            imds_core::status(&json, START_MS, None).expect("it is valid").happenings
        });
        // Of notices the text tells the time, which is another.
        let kinds = |list: &[Happening]| -> Vec<String> {
            let mut kinds: Vec<String> =
                list.iter().map(|happening| happening.what.split(" at ").next().unwrap_or_default().to_owned()).collect();
            kinds.sort();
            kinds
        };
        prop_assert_eq!(kinds(&plain), kinds(&faster));
        let sooner: Vec<u64> = plain.iter().map(|happening| ((happening.at_ms - START_MS) as f64 / speed).round() as u64).collect();
        let faster: Vec<u64> = faster.iter().map(|happening| happening.at_ms - START_MS).collect();
        prop_assert_eq!(sooner, faster);
    }
}
