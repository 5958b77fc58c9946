//! Wrong timelines and wrong faults.

use super::*;

/// Each change makes a whole instance when the description is opened.
#[test]
fn a_large_description_cannot_change_often() {
    let entries: Vec<String> = (0..1000).map(|n| format!(r#""meta-data/x/{n}": "{}""#, "x".repeat(900))).collect();
    let described = |changes: usize| {
        let timeline: Vec<String> =
            (0..changes).map(|n| format!(r#"{{"at": "+{n}s", "tags": {{"N": "{n}"}}}}"#)).collect();
        format!(r#"{{"extra-entries": {{{}}}, "timeline": [{}]}}"#, entries.join(","), timeline.join(","))
    };
    assert_eq!(problems(&described(2)), []);
    let problems = problems(&described(128));
    assert_eq!(problems[0].field, "/timeline");
    assert!(problems[0].message.starts_with("the instance is described anew after each change"), "{problems:?}");
}

#[test]
fn a_wrong_change_is_told_at_its_place_in_the_timeline() {
    const TIME: &str =
        "expected a time such as 2026-09-26T11:16:22Z, or one that counts from another, such as +5m, +1h30m or +1d";
    let spot_only = Some("set `instance-lifecycle` to \"spot\"");
    for (json, field, message, help) in [
        (
            r#"{"timeline": [{"at": "+1m"}, {"at": "+2m"}, {"at": "+1m", "metadata-options": {"http-tokens": "requird"}}]}"#,
            "/timeline/2/metadata-options/http-tokens",
            "unknown value \"requird\"",
            Some("did you mean \"required\"? Known: optional, required"),
        ),
        (
            r#"{"timeline": [{"at": "+1m", "stat": "stopped"}]}"#,
            "/timeline/0/stat",
            "unknown field `stat`",
            Some("did you mean `state`?"),
        ),
        (
            r#"{"timeline": [{"state": "stopped"}]}"#,
            "/timeline/0",
            "field `at` is missing here",
            Some("it says when: a time, or one from the start on: \"+5m\""),
        ),
        (
            r#"{"timeline": [{"at": "5m"}]}"#,
            "/timeline/0/at",
            "expected a sign: +5m is in five minutes, -5m was five minutes ago",
            None,
        ),
        (r#"{"timeline": [{"at": "+5 minutes"}]}"#, "/timeline/0/at", TIME, None),
        (
            r#"{"timeline": [{"at": 300}]}"#,
            "/timeline/0/at",
            "expected a string, found a whole number",
            Some("write a time, or one from the start on: \"+5m\""),
        ),
        (
            r#"{"timeline": {"at": "+5m"}}"#,
            "/timeline",
            "expected an array, found an object",
            Some("in TOML, `[[timeline]]` begins each of its entries"),
        ),
        (r#"{"timeline": ["+5m"]}"#, "/timeline/0", "expected an object, found a string", None),
        (
            r#"{"timeline": [{"at": "+5m", "timeline": []}]}"#,
            "/timeline/0/timeline",
            "a change has no field `timeline`",
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "state": "stopped", "state": "running"}]}"#,
            "/timeline/0/state",
            "field `state` is given twice",
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "instance-lifecycle": "spot", "spot-interruption": {"time": "+5x"}}]}"#,
            "/timeline/0/spot-interruption/time",
            TIME,
            None,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "user-data": "late"}]}"#,
            "/timeline/0/user-data",
            "`user-data` changes only while the instance is stopped, as in EC2",
            Some("stop it first: imds ctl stop, or {\"operation\": \"stop\"} in a change before this one"),
        ),
        (
            r#"{"timeline": [{"at": "+5m", "placement": {"region": "eu-west-1"}}]}"#,
            "/timeline/0/placement/region",
            "an instance keeps its `placement.region` for life",
            Some("describe another instance and serve that"),
        ),
        (
            r#"{"timeline": [{"at": "+5m", "rebalance-recommendation": {}}]}"#,
            "/timeline/0/rebalance-recommendation",
            "only a spot instance has this",
            spot_only,
        ),
        (
            r#"{"timeline": [{"at": "+5m", "events": [{"state": "completed"}]}]}"#,
            "/timeline/0/events",
            "field `not-before` is missing here",
            Some("an event needs it, but for the change of one whose `instance-event-id` it gives"),
        ),
        (
            r#"{"spot-interruption": {}, "instance-lifecycle": "spot", "timeline": [{"at": "+5m", "instance-lifecycle": "on-demand"}]}"#,
            "/timeline/0",
            "with this change, /spot-interruption: only a spot instance has this",
            spot_only,
        ),
    ] {
        assert_problem(json, field, message, help);
    }
}

#[test]
fn a_timeline_has_an_end() {
    let entries = |count: usize| vec![r#"{"at": "+1m", "state": "running"}"#; count].join(",");
    assert_eq!(problems(&format!(r#"{{"timeline": [{}]}}"#, entries(128))), []);
    let too_many = format!(r#"{{"timeline": [{}]}}"#, entries(129));
    assert_problem(&too_many, "/timeline", "expected at most 128 entries, found 129", None);
}

#[test]
fn all_wrong_changes_are_told_at_once() {
    let told = problems(r#"{"timeline": [{"at": "x"}, {}, {"at": "+1m", "timeline-start": "+1m"}]}"#);
    let fields: Vec<&str> = told.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["/timeline/0/at", "/timeline/1", "/timeline/2/timeline-start"]);
}

#[test]
fn a_wrong_fault_is_told() {
    for (fault, field, message, help) in [
        (
            r#"{"kind": "refuze"}"#,
            "/kind",
            "unknown value \"refuze\"",
            Some("did you mean \"refuse\"? Known: refuse, delay, close, cut, withhold"),
        ),
        (r#"{"share": 0.5}"#, "", "field `kind` is missing here", None),
        (r#"{"kind": "cut", "share": 1.5}"#, "/share", "expected a number from 0 to 1", None),
        (
            r#"{"kind": "cut", "paths": ["latest"]}"#,
            "/paths/0",
            "expected a path such as /latest/api/token or, for every version, /*/meta-data/iam",
            None,
        ),
        (r#"{"kind": "cut", "methods": ["put"]}"#, "/methods/0", "expected a method such as PUT, in upper case", None),
        (r#"{"kind": "cut", "delay": "2s"}"#, "/delay", "only a fault of the kind `delay` has this", None),
        (r#"{"kind": "delay", "delay": "2m"}"#, "/delay", "expected at most 60s", None),
        (r#"{"kind": "cut", "from": "+2m", "until": "+1m"}"#, "/until", "expected a time not before `from`", None),
    ] {
        assert_problem(&format!(r#"{{"faults": [{fault}]}}"#), &format!("/faults/0{field}"), message, help);
    }
}
