//! A scenario that happens faster: document in, document out.

use super::{Change, TIMELINE, change, read_changes, relative};
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::value::Span;
use crate::time::Time;

/// Lets a scenario happen `speed` times as fast, with every time in it true;
/// `wit/imds.wit` tells what that changes and what stays.
///
/// Fails with all that is wrong, at least one problem and at most 20.
///
/// ```
/// let scenario = r#"{"timeline": [{"at": "+30s", "spot-interruption": {"action": "terminate"}}]}"#;
/// let faster = imds_core::speed_up(scenario, 10.0)?;
/// let notice = r#"{"action":"terminate","notice-time":"+0s","time":"+12s"}"#;
/// assert_eq!(faster, format!(r#"{{"timeline":[{{"at":"+3s","spot-interruption":{notice}}}]}}"#));
///
/// let problems = imds_core::speed_up(scenario, 0.0).unwrap_err();
/// assert_eq!(problems[0].message, "expected a scenario's speed from 1 to 1000, found 0");
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn speed_up(scenario: &str, speed: f64) -> Result<String, Vec<Problem>> {
    crate::instance::at_most_problems(sped_up(scenario, speed))
}

/// At the fastest, an interruption comes 120 ms after its notice. No client polls
/// so often, and the service writes whole seconds.
const SPEED_MAX: f64 = 1000.0;

/// A stand-in for the start, which a scenario does not know. In the year 5138: as
/// far from the first time that there is as from the last.
const START: Time = Time::from_ms(100_000_000_000_000);

/// The spans that belong to the story. A fault's `delay` does not: it is held
/// against a client's patience, which nobody speeds up. A test finds one that is
/// missing here.
const SPANS: [&[&str]; 2] = [
    &["iam-instance-profile", "credentials-rotation", "interval"],
    &["iam-instance-profile", "credentials-rotation", "lifetime"],
];

/// The least that these spans may be.
const SPAN_MIN_MS: u64 = 1000;

fn sped_up(scenario: &str, speed: f64) -> Result<String, Vec<Problem>> {
    if !(1.0..=SPEED_MAX).contains(&speed) {
        let message = format!("expected a scenario's speed from 1 to {SPEED_MAX}, found {speed}");
        return Err(vec![Problem::at("", message)]);
    }
    let mut document = Json::parse(scenario).map_err(|problem| vec![problem])?;
    if !matches!(document, Json::Object(_)) {
        return Err(vec![Problem::at("", format!("expected an object, found {}", document.kind()))]);
    }
    if speed == 1.0 {
        return Ok(document.write());
    }
    let pace = Pace { speed };
    let mut problems = Vec::new();
    let mut entries = document.take(TIMELINE);
    let launch = take_launch_time(&mut document);
    refuse_absolute(&mut document, "", &mut problems);
    relative::resolve(&mut document, START, "", &mut problems);

    let launches = entries.as_mut().map_or_else(Vec::new, |entries| check_entries(entries, &mut problems));
    let is_list = matches!(entries, Some(Json::Array(_)));
    // `timeline = false` takes away what is to come, and is no list.
    let other = entries.take_if(|entries| matches!(entries, Json::Null | Json::Bool(false)));
    let changes = read_changes(entries, START, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }

    pace.shorten(&mut document, START);
    if let Some(launch) = launch {
        document.put(LAUNCH, launch);
    }
    if is_list {
        let entries = changes.into_iter().map(|change| pace.entry(change, &launches)).collect();
        document.put(TIMELINE, Json::Array(entries));
    } else if let Some(other) = other {
        document.put(TIMELINE, other);
    }
    Ok(document.write())
}

const LAUNCH: &str = "launch-time";

/// Takes out an absolute `launch-time`: it tells of the instance, not of what
/// happens to it.
fn take_launch_time(fields: &mut Json) -> Option<Json> {
    let is_absolute = fields.at("/launch-time").and_then(Json::text).is_some_and(|text| !relative::is_relative(text));
    if is_absolute { fields.take(LAUNCH) } else { None }
}

/// Refuses what cannot come sooner in the entries of a timeline, and takes their
/// absolute launch times out: gives these with the entries' places.
fn check_entries(entries: &mut Json, problems: &mut Vec<Problem>) -> Vec<(String, Json)> {
    let Json::Array(entries) = entries else { return Vec::new() };
    let mut launches = Vec::new();
    for (index, fields) in entries.iter_mut().enumerate() {
        let pointer = format!("/{TIMELINE}/{index}");
        if let Some(launch) = take_launch_time(fields) {
            launches.push((pointer.clone(), launch));
        }
        let at = fields.at("/at").and_then(Json::text);
        if at.is_some_and(|text| Time::parse(text).is_some()) {
            problems.push(absolute(format!("{pointer}/at")));
        }
        refuse_absolute(fields, &pointer, problems);
    }
    launches
}

fn refuse_absolute(fields: &mut Json, prefix: &str, problems: &mut Vec<Problem>) {
    relative::each_time(fields, prefix, &mut |pointer, text| {
        if Time::parse(text).is_some() {
            problems.push(absolute(pointer));
        }
    });
}

fn absolute(pointer: String) -> Problem {
    let help = "write one that counts from the start, or inside of an entry from its `at`, such as +5m";
    Problem::at(pointer, "an absolute time cannot come sooner, as the scenario's speed asks").help(help)
}

/// How fast a scenario happens.
#[derive(Clone, Copy)]
struct Pace {
    speed: f64,
}

impl Pace {
    /// When something happens that would happen at `time`: milliseconds from the
    /// start on.
    fn moment_ms(self, time: Time) -> i64 {
        let ms = time.as_ms() as i64 - START.as_ms() as i64;
        (ms as f64 / self.speed).round() as i64
    }

    /// Makes the times of `fields`, none of which is relative, count from `origin`
    /// again, and sooner. Both ends of a span are moved, not the span: so two times
    /// that were one still are.
    fn shorten(self, fields: &mut Json, origin: Time) {
        let stated = fields.clone();
        change::begin_notices(fields, &stated, origin);
        relative::each_time(fields, "", &mut |_, text| {
            if let Some(time) = Time::parse(text) {
                *text = relative::written(self.moment_ms(time) - self.moment_ms(origin));
            }
        });
        for path in SPANS {
            relative::each_text(fields, path, String::new(), &mut |_, text| {
                // One that cannot be read is told by the reader of descriptions.
                if let Ok(Span(ms)) = text.parse() {
                    let shorter = (ms as f64 / self.speed).round() as u64;
                    // Too short a span stays so, and is told with what was written.
                    *text = Span(shorter.max(SPAN_MIN_MS.min(ms))).to_string();
                }
            });
        }
    }

    /// A change as an entry of the timeline.
    fn entry(self, change: Change, launches: &[(String, Json)]) -> Json {
        let Change { at, pointer, mut fields } = change;
        self.shorten(&mut fields, at);
        let mut entry = vec![("at".to_owned(), Json::String(relative::written(self.moment_ms(at))))];
        if let Json::Object(fields) = fields {
            entry.extend(fields);
        }
        let launch = launches.iter().find(|(place, _)| *place == pointer);
        entry.extend(launch.map(|(_, launch)| (LAUNCH.to_owned(), launch.clone())));
        Json::Object(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document at another speed, or the places and messages of what is wrong.
    fn faster(scenario: &str, speed: f64) -> Result<String, Vec<(String, String)>> {
        let tell = |problem: Problem| (problem.field, problem.message);
        speed_up(scenario, speed).map_err(|problems| problems.into_iter().map(tell).collect())
    }

    #[test]
    fn every_time_that_counts_from_another_is_divided() {
        let scenario = r#"{
            "launch-time": "-1h", "events": [{"not-before": "+2m", "not-after": "+1h"}],
            "iam-instance-profile": {"credentials-rotation": {"since": "+0s", "interval": "30s", "lifetime": "1m"}},
            "faults": [{"kind": "delay", "delay": "3s", "from": "+10s", "until": "+25s"}],
            "timeline": [{"at": "+1m", "state": "stopped"}, {"at": "+15s", "spot-interruption": {"time": "+45s"}}]
        }"#;
        assert_eq!(
            faster(scenario, 10.0).unwrap(),
            [
                r#"{"launch-time":"-360s","events":[{"not-before":"+12s","not-after":"+360s"}],"#,
                r#""iam-instance-profile":{"credentials-rotation":{"since":"+0s","interval":"3s","lifetime":"6s"}},"#,
                r#""faults":[{"kind":"delay","delay":"3s","from":"+1s","until":"+2500ms"}],"#,
                r#""timeline":[{"at":"+1500ms","spot-interruption":{"time":"+4500ms","notice-time":"+0s"}},"#,
                r#"{"at":"+6s","state":"stopped"}]}"#,
            ]
            .concat()
        );
    }

    #[test]
    fn what_happens_at_once_still_does() {
        for speed in [1.5, 3.0, 7.0, 60.0, 999.0] {
            let scenario = r#"{"timeline": [{"at": "+31s", "spot-interruption": {}}, {"at": "+151s"}]}"#;
            let faster = Json::parse(&faster(scenario, speed).unwrap()).unwrap();
            let time = |pointer, origin| relative::time(faster.at(pointer).unwrap().text().unwrap(), origin).unwrap();
            let notice = time("/timeline/0/at", START);
            assert_eq!(time("/timeline/0/spot-interruption/time", notice), time("/timeline/1/at", START), "{speed}");
        }
    }

    #[test]
    fn credentials_live_a_second_at_least() {
        let rotation = r#"{"iam-instance-profile":{"credentials-rotation":{"interval":"30s","lifetime":"90s"}}}"#;
        let wanted = r#"{"iam-instance-profile":{"credentials-rotation":{"interval":"1s","lifetime":"1500ms"}}}"#;
        assert_eq!(faster(rotation, 60.0).unwrap(), wanted);
    }

    #[test]
    fn an_absolute_time_is_refused_unless_it_is_of_the_launch() {
        let time = "2026-10-01T00:00:00Z";
        let launches = format!(r#"{{"launch-time":"{time}","timeline":[{{"at":"+2s","launch-time":"{time}"}}]}}"#);
        assert_eq!(faster(&launches, 2.0).unwrap(), launches.replace("+2s", "+1s"));
        let scenario = format!(
            r#"{{"spot-interruption": {{"time": "{time}"}}, "timeline": [
                {{"at": "{time}"}}, {{"at": "+1s", "events": [{{"not-before": "{time}"}}]}}]}}"#
        );
        let problems = faster(&scenario, 2.0).unwrap_err();
        let places: Vec<&str> = problems.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/spot-interruption/time", "/timeline/0/at", "/timeline/1/events/0/not-before"]);
        assert!(problems.iter().all(|(_, message)| message.starts_with("an absolute time cannot come sooner")));
        // As long as nothing is to come sooner, it can stay.
        assert!(faster(&scenario, 1.0).is_ok());
    }

    #[test]
    fn only_a_number_that_makes_sense_is_a_speed() {
        for speed in [0.0, -1.0, 0.5, 1001.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            let message = format!("expected a scenario's speed from 1 to 1000, found {speed}");
            assert_eq!(faster("{}", speed), Err(vec![(String::new(), message)]));
        }
        for speed in [1.0, 1.25, 1000.0] {
            assert_eq!(faster("{}", speed).as_deref(), Ok("{}"));
        }
    }

    #[test]
    fn what_is_no_scenario_is_refused_and_what_takes_a_timeline_away_stays() {
        assert!(faster("[]", 2.0).is_err() && faster("{", 2.0).is_err());
        for wrong in [r#"{"timeline": 7}"#, r#"{"timeline": [{}]}"#, r#"{"timeline": [{"at": "1m"}]}"#] {
            assert!(faster(wrong, 2.0).is_err(), "{wrong}");
        }
        for taken in [r#"{"timeline":false}"#, r#"{"timeline":null}"#] {
            assert_eq!(faster(taken, 2.0).as_deref(), Ok(taken));
        }
    }

    /// Far times are not computed with, and nothing overflows.
    #[test]
    fn times_that_no_calendar_has_are_taken_as_its_ends() {
        let far = format!(r#"{{"timeline":[{{"at":"+{}d"}},{{"at":"-{}d"}}]}}"#, u64::MAX, u64::MAX);
        assert!(faster(&far, 2.0).is_ok());
    }
}
