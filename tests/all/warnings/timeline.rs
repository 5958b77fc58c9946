//! What is over, and what never happens.

use imds_core::warnings;

use super::{NOW_MS, assert_none, assert_warning, of};

#[test]
fn credentials_in_the_past() {
    let name = "credentials-in-the-past";
    assert_warning(
        r#"{"iam-instance-profile": {"credentials": {"expiration": "2026-09-30T12:00:00Z"}}}"#,
        name,
        "/iam-instance-profile/credentials/expiration",
        "these credentials ended by 2026-09-30T12:00:00Z",
    );
    assert_warning(
        r#"{"iam-instance-profile": {"credentials-rotation": {"until": "2026-09-27T00:00:00Z", "lifetime": "1h"}}}"#,
        name,
        "/iam-instance-profile/credentials-rotation/until",
        "no credentials come after this time, and the last ones ended by 2026-09-27T00:16:22Z",
    );
    assert_none(r#"{"iam-instance-profile": {"credentials": {"expiration": "2026-10-30T12:00:00Z"}}}"#);
}

#[test]
fn interruption_in_the_past() {
    let spot = r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-09-30T20:00:00Z"}}"#;
    assert_warning(
        spot,
        "interruption-in-the-past",
        "/spot-interruption/time",
        "the interruption (terminate) was at 2026-09-30T20:00:00Z, and the instance runs",
    );
    assert_eq!(warnings(spot, NOW_MS - 86_400_000), Ok(Vec::new()));
    assert_none(&spot.replacen('{', r#"{"state": "terminated", "#, 1));
    // One that hibernates runs for ten seconds from then on.
    let hibernates = spot.replace("Z\"", "Z\", \"action\": \"hibernate\"");
    assert_eq!(warnings(&hibernates, 1_790_798_400_000 + 9_999), Ok(Vec::new()));
    assert_eq!(warnings(&hibernates, 1_790_798_400_000 + 10_001).unwrap().len(), 1);
}

#[test]
fn event_in_the_past() {
    let event = |more: &str| format!(r#"{{"events": [{{"not-before": "2026-09-30T08:00:00Z"{more}}}]}}"#);
    let found = of(&event(""));
    let problem = &found[0].problem;
    assert_eq!((found[0].name, problem.field.as_str()), ("event-in-the-past", "/events/0/not-before"));
    assert!(problem.message.ends_with("is active and was over by 2026-09-30T10:00:00Z"), "{problem}");
    assert_none(&event(r#", "state": "completed""#));
    // It has no end, so that it is never over.
    assert_none(&event(r#", "code": "instance-stop""#));
    assert_none(&event(r#", "not-after": "2026-10-01T08:00:00Z""#));
}

#[test]
fn launch_in_the_future() {
    assert_warning(
        r#"{"launch-time": "2027-01-01T00:00:00Z"}"#,
        "launch-in-the-future",
        "/launch-time",
        "the instance runs and is launched at 2027-01-01T00:00:00Z",
    );
}

#[test]
fn tags_not_shown() {
    let tags = r#"{"tags": {"Name": "web"}}"#;
    let message = "the tags are not shown: `instance-metadata-tags` is disabled";
    assert_warning(tags, "tags-not-shown", "/tags", message);
    assert_none(r#"{"tags": {"Name": "web"}, "metadata-options": {"instance-metadata-tags": "enabled"}}"#);
    // A test may show them later.
    assert_none(
        r#"{"tags": {"Name": "web"},
            "timeline": [{"at": "+1d", "metadata-options": {"instance-metadata-tags": "enabled"}}]}"#,
    );
    assert_warning(
        r#"{"timeline": [{"at": "+1m", "tags": {"Name": "web"}}]}"#,
        "tags-not-shown",
        "/timeline/0/tags",
        message,
    );
}

#[test]
fn change_never_happens() {
    assert_warning(
        r#"{"timeline": [
            {"at": "+3m", "monitoring": "enabled"},
            {"at": "+1m", "state": "stopped"},
            {"at": "+2m", "state": "terminated"}]}"#,
        "change-never-happens",
        "/timeline/0",
        "this change never happens: the instance is terminated before",
    );
}

#[test]
fn change_of_nothing() {
    assert_warning(
        r#"{"monitoring": "enabled", "timeline": [{"at": "+1m", "monitoring": "enabled"}]}"#,
        "change-of-nothing",
        "/timeline/0",
        "this change leaves all as it is",
    );
}
