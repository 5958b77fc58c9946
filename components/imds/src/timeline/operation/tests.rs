use crate::{Problem, Status, edit, status};

/// 2026-10-01T00:00:00Z.
const NOW_MS: u64 = 1_790_812_800_000;

/// What is told of an instance after an operation on it.
fn after(description: &str, operation: &str) -> Status {
    let changed = done(description, operation).unwrap_or_else(|problem| panic!("{operation}: {problem}"));
    status_at(&changed, NOW_MS)
}

/// A description after an operation on its instance.
fn done(description: &str, operation: &str) -> Result<String, Problem> {
    changed(description, &format!(r#"{{"operation": {operation}}}"#))
}

fn changed(description: &str, change: &str) -> Result<String, Problem> {
    edit(description, change, Some(NOW_MS), None).map_err(|mut problems| problems.remove(0))
}

fn status_at(description: &str, now_ms: u64) -> Status {
    status(description, now_ms, None).unwrap_or_else(|problems| panic!("{description}: {problems:?}"))
}

fn state_at(description: &str, seconds: u64) -> &'static str {
    status_at(description, NOW_MS + seconds * 1000).state
}

/// When the instance is no longer running, in seconds from now: within an hour, to
/// ten seconds.
fn end_of(description: &str) -> Option<u64> {
    (0..=10).chain((20..=3600).step_by(10)).find(|seconds| state_at(description, *seconds) != "running")
}

const STOPPED: &str = r#"{"state": "stopped"}"#;
const TERMINATED: &str = r#"{"state": "terminated"}"#;
const ALL: [&str; 8] = [
    r#""stop""#,
    r#""start""#,
    r#""reboot""#,
    r#""terminate""#,
    r#""rebalance""#,
    r#"{"interrupt": {}}"#,
    r#"{"interrupt": {"action": "hibernate", "time": "+0s"}}"#,
    r#"{"interrupt": {"action": "stop", "time": "+1h", "notice-only": true}}"#,
];

#[test]
fn a_stop_a_start_and_a_termination_change_the_state() {
    assert_eq!(after("{}", r#""stop""#).state, "stopped");
    assert_eq!(after("{}", r#""terminate""#).state, "terminated");
    let started = after(STOPPED, r#""start""#);
    assert_eq!(started.state, "running");
    assert!(started.description.contains(r#""launch-time":"2026-10-01T00:00:00Z""#), "{}", started.description);
}

#[test]
fn what_is_so_already_changes_nothing() {
    for (description, operation) in
        [("{}", r#""start""#), (STOPPED, r#""stop""#), (TERMINATED, r#""terminate""#), ("{}", r#""reboot""#)]
    {
        assert_eq!(done(description, operation), changed(description, "{}"), "{operation}");
    }
}

#[test]
fn a_stopped_instance_is_not_interrupted_rebooted_or_rebalanced() {
    for operation in [r#""reboot""#, r#""rebalance""#, r#"{"interrupt": {}}"#] {
        let problem = done(STOPPED, operation).unwrap_err();
        assert_eq!(problem.field, "/operation", "{operation}");
        assert!(problem.message.starts_with("the instance is stopped"), "{problem}");
    }
}

#[test]
fn a_terminated_instance_takes_nothing() {
    for operation in ALL.into_iter().filter(|operation| *operation != r#""terminate""#) {
        let problem = done(TERMINATED, operation).unwrap_err();
        assert_eq!(problem.field, "/operation", "{operation}");
        assert!(problem.message.starts_with("the instance is terminated"), "{problem}");
    }
}

#[test]
fn an_interruption_is_told_now_and_comes_two_minutes_later() {
    let interrupted = done("{}", r#"{"interrupt": {}}"#).unwrap();
    let notice = r#""spot-interruption":{"action":"terminate","time":"2026-10-01T00:02:00Z","notice-time":"2026-10-01T00:00:00Z"}"#;
    assert!(interrupted.contains(notice), "{interrupted}");
    assert_eq!((state_at(&interrupted, 119), state_at(&interrupted, 120)), ("running", "terminated"));
    let stopped = done("{}", r#"{"interrupt": {"action": "stop", "time": "+10m"}}"#).unwrap();
    assert!(stopped.contains(r#""notice-time":"2026-10-01T00:08:00Z""#), "{stopped}");
    assert_eq!((state_at(&stopped, 599), state_at(&stopped, 600)), ("running", "stopped"));
}

#[test]
fn a_hibernation_comes_without_warning_and_takes_ten_seconds() {
    let hibernated = done("{}", r#"{"interrupt": {"action": "hibernate"}}"#).unwrap();
    assert!(hibernated.contains(r#""time":"2026-10-01T00:00:00Z","notice-time":"2026-10-01T00:00:00Z""#));
    assert_eq!((state_at(&hibernated, 9), state_at(&hibernated, 10)), ("running", "stopped"));
}

#[test]
fn an_interruption_that_is_told_only_ends_nothing() {
    let told = done("{}", r#"{"interrupt": {"notice-only": true}}"#).unwrap();
    assert!(told.contains("spot-interruption") && !told.contains("timeline"), "{told}");
}

#[test]
fn who_is_interrupted_or_rebalanced_is_a_spot_instance_then() {
    for operation in [r#""rebalance""#, r#"{"interrupt": {}}"#] {
        assert_eq!(after("{}", operation).lifecycle, "spot");
        assert_eq!(after(r#"{"instance-lifecycle": "scheduled"}"#, operation).lifecycle, "spot");
    }
    assert_eq!(after("{}", r#""stop""#).lifecycle, "on-demand");
}

#[test]
fn an_interruption_takes_the_place_of_one_that_was_to_come() {
    let first = done("{}", r#"{"interrupt": {"action": "stop"}}"#).unwrap();
    for (operation, end) in [
        (r#"{"interrupt": {"time": "+1h"}}"#, Some(3600)),
        (r#"{"interrupt": {"action": "hibernate", "time": "+5m"}}"#, Some(310)),
        (r#"{"interrupt": {"time": "+5s"}}"#, Some(5)),
        (r#"{"interrupt": {"time": "+0s"}}"#, Some(0)),
        (r#"{"interrupt": {"notice-only": true}}"#, None),
    ] {
        assert_eq!(end_of(&done(&first, operation).unwrap()), end, "{operation}");
    }
}

#[test]
fn what_else_is_to_come_still_comes() {
    let there = r#"{"instance-lifecycle": "spot", "spot-interruption": {"action": "stop", "time": "2026-10-01T00:02:00Z"},
        "timeline": [{"at": "2026-10-01T00:01:00Z", "tags": {"a": "b"}},
                     {"at": "2026-10-01T00:02:00Z", "state": "stopped", "tags": {"c": "d"}}]}"#;
    let replaced = done(there, r#"{"interrupt": {"action": "stop", "time": "+1h"}}"#).unwrap();
    assert_eq!(end_of(&replaced), Some(3600));
    assert!(status_at(&replaced, NOW_MS + 120_000).description.contains(r#""tags":{"a":"b","c":"d"}"#));
}

#[test]
fn an_instance_that_is_terminated_before_is_not_interrupted_then() {
    let there = r#"{"timeline-start": "2026-10-01T00:00:00Z", "timeline": [{"at": "+1m", "state": "terminated"}]}"#;
    let told = done(there, r#"{"interrupt": {"action": "stop"}}"#).unwrap();
    assert_eq!(
        (state_at(&told, 59), state_at(&told, 60), state_at(&told, 120)),
        ("running", "terminated", "terminated")
    );
    assert!(told.contains("spot-interruption"), "{told}");
}

#[test]
fn a_start_ends_an_interruption_with_what_was_to_come_of_it() {
    let interrupted = done("{}", r#"{"interrupt": {"time": "+1h"}}"#).unwrap();
    let started = done(&done(&interrupted, r#""stop""#).unwrap(), r#""start""#).unwrap();
    assert!(!started.contains("spot-interruption"), "{started}");
    assert_eq!(end_of(&started), None);
    // Where it runs already it is no start.
    assert_eq!(end_of(&done(&interrupted, r#""start""#).unwrap()), Some(3600));
}

#[test]
fn a_reboot_completes_the_reboots_that_were_scheduled() {
    let there = r#"{"events": [
        {"not-before": "2026-10-02T00:00:00Z"},
        {"not-before": "2026-10-02T00:00:00Z", "code": "instance-reboot", "instance-event-id": "instance-event-1"},
        {"not-before": "2026-10-02T00:00:00Z", "code": "instance-stop"},
        {"not-before": "2026-10-02T00:00:00Z", "state": "canceled"}]}"#;
    let rebooted = after(there, r#""reboot""#);
    let json: serde_json::Value = serde_json::from_str(&rebooted.description).unwrap();
    let states: Vec<_> = json["events"].as_array().unwrap().iter().map(|event| event["state"].as_str()).collect();
    assert_eq!(states, [Some("completed"), Some("completed"), None, Some("canceled")]);
    assert_eq!(rebooted.state, "running");
}

#[test]
fn an_operation_goes_with_fields_that_it_does_not_set() {
    let both = changed(STOPPED, r#"{"operation": "start", "instance-type": "m7g.large"}"#).unwrap();
    assert!(both.contains("m7g.large") && both.contains(r#""state":"running""#), "{both}");
    let problem = changed("{}", r#"{"operation": "stop", "state": "running"}"#).unwrap_err();
    assert_eq!(
        (problem.field.as_str(), problem.message.as_str()),
        ("/state", "the operation of this change sets this field too")
    );
    let with_timeline =
        changed("{}", r#"{"operation": {"interrupt": {}}, "timeline": [{"at": "+1m", "tags": {"a": "b"}}]}"#).unwrap();
    assert_eq!(end_of(&with_timeline), Some(120));
    assert!(status_at(&with_timeline, NOW_MS + 60_000).description.contains(r#""tags""#));
}

#[test]
fn problems_point_into_the_operation() {
    let too_many: Vec<String> =
        (0..128).map(|second| format!(r#"{{"at": "+{second}h", "tags": {{"a": "{second}"}}}}"#)).collect();
    let full = format!(r#"{{"timeline-start": "2026-10-01T01:00:00Z", "timeline": [{}]}}"#, too_many.join(","));
    for (description, operation, field) in [
        ("{}", r#""explode""#, "/operation"),
        ("{}", r#"{"interrupt": {"time": "soon"}}"#, "/operation/interrupt/time"),
        ("{}", r#"{"interrupt": {"time": "+soon"}}"#, "/operation/interrupt/time"),
        ("{}", r#"{"interrupt": {"time": "-1s"}}"#, "/operation/interrupt/time"),
        ("{}", r#"{"interrupt": {"action": "stop", "when": 1}}"#, "/operation/interrupt/when"),
        (&full, r#"{"interrupt": {"action": "stop"}}"#, "/operation"),
    ] {
        assert_eq!(done(description, operation).unwrap_err().field, field, "{operation}");
    }
    // Each is a step of its own: nothing of a wrong one is done.
    assert!(changed("{}", r#"{"operation": "stop", "tags": 7}"#).is_err());
}

#[test]
fn only_a_change_of_now_has_an_operation() {
    let before_launch = edit("{}", r#"{"operation": "stop"}"#, None, None).unwrap_err();
    assert_eq!(before_launch[0].field, "/operation");
    let entry = r#"{"timeline": [{"at": "+5m", "operation": "stop"}]}"#;
    for problems in [status(entry, NOW_MS, None).unwrap_err(), edit("{}", entry, Some(NOW_MS), None).unwrap_err()] {
        assert_eq!(problems[0].field, "/timeline/0/operation");
        assert!(problems[0].message.starts_with("an operation is done"), "{}", problems[0]);
    }
}

/// A replica that gets the description answers like one that was there.
#[test]
fn what_an_operation_leaves_is_the_description_from_then_on() {
    let described = [
        "{}",
        STOPPED,
        r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-10-01T00:01:00Z"},
            "timeline": [{"at": "2026-10-01T00:01:00Z", "state": "terminated"}]}"#,
        r#"{"timeline-start": "2026-10-01T00:00:00Z", "timeline": [{"at": "-1s", "state": "stopped"},
            {"at": "+1m", "state": "running"}, {"at": "+1h", "state": "terminated"}]}"#,
    ];
    for description in described {
        for first in ALL {
            let Ok(once) = done(description, first) else { continue };
            says_all_that_is_to_come(&once, first);
            for second in ALL {
                let Ok(twice) = done(&once, second) else { continue };
                says_all_that_is_to_come(&twice, &format!("{first}, {second} of {description}"));
            }
        }
    }
}

fn says_all_that_is_to_come(changed: &str, what: &str) {
    let now = status_at(changed, NOW_MS);
    assert_eq!(status_at(&now.description, NOW_MS), now, "{what}");
    for seconds in [1, 10, 60, 120, 3600] {
        let [of_changed, of_now] =
            [changed, &now.description].map(|description| status_at(description, NOW_MS + seconds * 1000));
        assert_eq!(of_changed.description, of_now.description, "{what}, {seconds} s later");
    }
}

#[test]
fn an_interruption_takes_the_place_of_one_that_a_timeline_would_announce() {
    let scenario = r#"{"instance-lifecycle": "spot", "timeline": [
        {"at": "2026-10-01T00:00:30Z", "spot-interruption": {"action": "terminate"}, "tags": {"a": "b"}},
        {"at": "2026-10-01T00:02:30Z", "state": "terminated"}]}"#;
    let changed = done(scenario, r#"{"interrupt": {"time": "+5m"}}"#).unwrap();
    assert_eq!(end_of(&changed), Some(300));
    let told = status_at(&changed, NOW_MS + 60_000).happenings;
    let notices: Vec<_> = told.iter().filter(|it| it.what.starts_with("spot notice")).map(|it| it.at_ms).collect();
    assert_eq!(notices, [NOW_MS + 180_000]);
    assert!(status_at(&changed, NOW_MS + 60_000).description.contains(r#""tags":{"a":"b"}"#), "what else comes stays");
    // A start ends the one that was announced, and no other.
    let stopped = changed_to_stopped(scenario);
    assert_eq!(end_of(&done(&stopped, r#""start""#).unwrap()), Some(150));
}

fn changed_to_stopped(description: &str) -> String {
    done(description, r#""stop""#).unwrap()
}
