//! Edits: whoever has the document that came out has the instance.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::ways::{RUNTIME, Sent, open_json_in_core};

const START_MS: u64 = 1_790_812_800_000;

/// Whole answers by path, of all that there is, and how they are delivered.
type Everything = BTreeMap<String, (Vec<u8>, Vec<u8>, Option<imds_core::Delivery>)>;

/// What is asked for though it may not be listed.
const OPTIONAL: [&str; 6] = [
    "meta-data/spot/instance-action",
    "meta-data/spot/termination-time",
    "meta-data/events/recommendations/rebalance",
    "meta-data/autoscaling/target-lifecycle-state",
    "meta-data/tags/instance/A",
    "user-data",
];

/// Asks an instance for everything at a time, without a token and with one.
fn everything(instance: &imds_core::Instance, now_ms: u64) -> Everything {
    let ask = |method: &str, target: &str, fields: &[(&str, &[u8])]| {
        let moment = imds_core::Moment { now_ms, entropy: 1, ..Default::default() };
        instance.answer(&Sent::new(method, target, fields).head(), moment, None)
    };
    let token = ask("PUT", "/latest/api/token", &[("X-aws-ec2-metadata-token-ttl-seconds", b"60")]).body;
    let with_token: &[(&str, &[u8])] = &[("X-aws-ec2-metadata-token", &token)];
    let mut all = Everything::new();
    for version in ["1.0", "2016-09-02", "2021-03-23", "latest"] {
        let mut paths: Vec<String> = OPTIONAL.iter().map(|path| format!("/{version}/{path}")).collect();
        paths.push(format!("/{version}/"));
        while let Some(path) = paths.pop() {
            let answer = ask("GET", &path, with_token);
            let listing = String::from_utf8_lossy(&answer.body).into_owned();
            let is_folder = path.ends_with('/') && answer.status == 200;
            for name in listing.lines().filter(|_| is_folder) {
                let name = match name.split_once('=') {
                    Some((index, _)) if path.ends_with("public-keys/") => format!("{index}/"),
                    _ if path.matches('/').count() == 2 && name != "user-data" => format!("{name}/"),
                    _ => name.to_owned(),
                };
                paths.push(format!("{path}{name}"));
            }
            let without = ask("GET", &path, &[]);
            all.insert(format!("{path} without"), (without.head, without.body.into_owned(), without.delivery));
            all.insert(path, (answer.head, answer.body.into_owned(), answer.delivery));
        }
    }
    all
}

/// What operators change; some of it is refused, at all times or at some.
fn changes() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "tags": { "A": "1", "B": "2" } }),
        json!({ "tags": { "A": "3" } }),
        json!({ "tags": { "B": false, "C": "4" } }),
        json!({ "tags": null }),
        json!({ "metadata-options": { "instance-metadata-tags": "enabled" } }),
        json!({ "metadata-options": { "http-tokens": "required" } }),
        json!({ "metadata-options": { "http-tokens": null, "http-put-response-hop-limit": 7 } }),
        json!({ "state": "stopped" }),
        json!({ "state": "running" }),
        json!({ "user-data": "#!/bin/sh" }),
        json!({ "user-data-base64": "AAEC", "state": "running" }),
        json!({ "instance-type": "m7g.large" }),
        json!({ "instance-id": "i-0fedcba9876543210" }),
        json!({ "spot-interruption": { "action": "terminate" } }),
        json!({ "spot-interruption": { "action": "hibernate", "time": "+1m" } }),
        json!({ "spot-interruption": false }),
        json!({ "rebalance-recommendation": {} }),
        json!({ "rebalance-recommendation": null }),
        json!({ "events": [{ "instance-event-id": "instance-event-1", "not-before": "+1h" }] }),
        json!({ "events": [{ "instance-event-id": "instance-event-1", "state": "completed" }] }),
        json!({ "events": [{ "not-before": "+2h", "code": "instance-stop" }] }),
        json!({ "events": [{ "state": "canceled" }] }),
        json!({ "auto-scaling": { "target-lifecycle-state": "Terminated" } }),
        json!({ "iam-instance-profile": { "credentials-rotation": { "interval": "5m", "lifetime": "6m" } } }),
        json!({ "iam-instance-profile": { "credentials-rotation": { "since": "+0s" } } }),
        json!({ "iam-instance-profile": { "credentials-rotation": { "until": "+1m" } } }),
        json!({ "iam-instance-profile": { "failure-code": "AssumeRoleUnauthorizedAccess" } }),
        json!({ "iam-instance-profile": false }),
        json!({ "iam-instance-profile": { "role-name": "other" } }),
        json!({ "public-ip-address": "198.51.100.9" }),
        json!({ "public-ip-address": false }),
        json!({ "extra-entries": { "meta-data/fabric/rack": "r17" } }),
        json!({ "extra-entries": { "meta-data/fabric/rack": false } }),
        json!({ "security-groups": [{ "group-name": "web" }, { "group-name": "db" }] }),
        json!({ "timeline": [
            { "at": "+3m", "tags": { "A": "later" } },
            { "at": "+1m", "metadata-options": { "http-endpoint": "disabled" } },
            { "at": "+2m", "metadata-options": { "http-endpoint": "enabled" } },
        ] }),
        json!({ "timeline": [{ "at": "+4m", "state": "stopped" }, { "at": "+5m", "state": "running", "user-data": "x" }] }),
        json!({ "timeline": [{ "at": "+10s", "tags": "no table" }] }),
        json!({ "timeline": null }),
        json!({ "timeline": [{ "at": "+6m", "state": "terminated" }] }),
        json!({ "user-data": null }),
        json!({ "placement": null }),
        json!({ "launch-time": "-1h" }),
        json!({ "network-interfaces": [{}, { "private-ip-addresses": [{ "private-ip-address": "10.0.1.9" }] }] }),
        json!({ "faults": [{ "kind": "refuse", "paths": ["/*/meta-data/tags"] }, { "kind": "delay", "methods": ["PUT"] }] }),
        json!({ "faults": [{ "kind": "cut", "from": "+1m", "until": "+4m", "share": 0.5, "seed": 7 }] }),
        json!({ "iam-instance-profile": { "credentials": {
            "access-key-id": "ASIAX", "secret-access-key": "s", "session-token": "t", "expiration": "+1h",
        } } }),
        json!({ "no-such-field": 1 }),
    ]
}

/// Each of them is one that a running instance takes, or one that it refuses.
#[test]
fn a_running_instance_takes_all_but_these() {
    let refused = |change: &Value| imds_core::edit(BASE, &change.to_string(), Some(START_MS), None).is_err();
    let refused: Vec<String> = changes().iter().filter(|change| refused(change)).map(Value::to_string).collect();
    assert_eq!(
        refused,
        [
            r##"{"user-data":"#!/bin/sh"}"##,
            r#"{"state":"running","user-data-base64":"AAEC"}"#,
            r#"{"instance-type":"m7g.large"}"#,
            r#"{"instance-id":"i-0fedcba9876543210"}"#,
            r#"{"events":[{"instance-event-id":"instance-event-1","state":"completed"}]}"#,
            r#"{"events":[{"state":"canceled"}]}"#,
            r#"{"timeline":[{"at":"+10s","tags":"no table"}]}"#,
            r#"{"no-such-field":1}"#,
        ]
    );
}

const BASE: &str = r#"{ "instance-lifecycle": "spot", "timeline-start": "2026-10-01T00:00:00Z" }"#;

/// A change at a time is an entry of the timeline, and so is what it brings.
fn add_to_timeline(timeline: &mut Vec<Value>, change: &Value, now_ms: u64) {
    let at = |seconds: u64| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now_ms + seconds * 1000);
        humantime::format_rfc3339_millis(time).to_string()
    };
    let mut fields = change.clone();
    let later = fields.as_object_mut().and_then(|fields| fields.remove("timeline"));
    if later.as_ref().is_some_and(Value::is_null) {
        let now = at(0);
        // RFC 3339 of one length: as texts in the order of time.
        timeline.retain(|entry| entry["at"].as_str() <= Some(now.as_str()));
    }
    fields["at"] = at(0).into();
    timeline.push(fields);
    for entry in later.iter().flat_map(|later| later.as_array().into_iter().flatten()) {
        let mut entry = entry.clone();
        let span = entry["at"].as_str().map(str::to_owned).unwrap_or_default();
        let unit = if span.ends_with('m') { 60 } else { 1 };
        let number: u64 = span.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a span of one unit");
        entry["at"] = at(number * unit).into();
        timeline.push(entry);
    }
}

/// Edits an instance at times and gives the document that came out, the same
/// edits as a timeline, and the time of the last.
fn edited(edits: &[(u64, Value)]) -> (String, String, u64) {
    let base: Value = serde_json::from_str(BASE).expect("it is JSON");
    let (mut document, mut timeline, mut now_ms) = (base.to_string(), Vec::new(), START_MS);
    for (seconds, change) in edits {
        now_ms += seconds * 1000;
        match imds_core::edit(&document, &change.to_string(), Some(now_ms), None) {
            Ok(edited) => {
                document = edited;
                add_to_timeline(&mut timeline, change, now_ms);
            }
            Err(problems) => assert!(!problems.is_empty()),
        }
    }
    let mut whole = base;
    whole["timeline"] = timeline.into();
    (document, whole.to_string(), now_ms)
}

#[track_caller]
fn assert_same(one: &Everything, other: &Everything, what: &str) {
    for (path, answer) in one {
        assert_eq!(Some(answer), other.get(path), "{what}: {path}");
    }
    assert_eq!(one.len(), other.len(), "{what}");
}

/// Edits one after the other, and a timeline that has them all, are two ways to
/// the same instance; and what came out, opened anywhere, is that instance too.
#[test]
fn a_fresh_start_from_the_document_that_came_out_answers_like_who_saw_every_edit() {
    let edit = (0..240_u64, proptest::sample::select(changes()));
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    proptest!(config, |(edits in proptest::collection::vec(edit, 0..10))| {
        let (document, timeline, now_ms) = edited(&edits);
        let came_out = open_json_in_core(&document);
        let saw_all = open_json_in_core(&timeline);
        let folded = imds_core::edit(&document, "{}", Some(now_ms), None).expect("no change is a good change");
        let folded = open_json_in_core(&folded);
        for later_ms in [0, 61_000, 190_000, 310_000, 7_300_000] {
            let now_ms = now_ms + later_ms;
            let expected = everything(&saw_all, now_ms);
            assert_same(&expected, &everything(&came_out, now_ms), "what came out");
            assert_same(&expected, &everything(&folded, now_ms), "with what is past done");
        }
    });
}

/// The same through the component, which is what replicas run.
#[test]
fn a_replica_that_gets_the_document_answers_like_the_one_that_was_edited() {
    use imds_host::{Control, Description, Secret, Settings, VirtualClock};
    let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH + std::time::Duration::from_millis(START_MS));
    let settings = Settings::default().token_secret(Secret::new([7; 32]));
    let open = |description: &Description| {
        Control::open_with(&RUNTIME, description, &settings, clock.clone()).unwrap_or_else(|error| panic!("{error}"))
    };
    let spot = Description::from_toml("spot", "instance-lifecycle = 'spot'").expect("it is TOML");
    let [edited, replica] = [open(&spot), open(&Description::default())];
    for change in changes() {
        clock.advance(std::time::Duration::from_secs(45));
        let change = Description::from_json("change", &change.to_string()).expect("it is JSON");
        let (before, document) = (edited.revision(), edited.description().expect("it was right before").to_json());
        match edited.edit(&change) {
            Ok(revision) => {
                let is_another = edited.description().expect("it was right before").to_json() != document;
                assert_eq!(revision, before + u64::from(is_another), "what changes nothing keeps the revision");
            }
            Err(_) => assert_eq!(edited.revision(), before),
        }
        let document = edited.description().expect("it was right before");
        replica.replace(&document).unwrap_or_else(|error| panic!("{error}"));
        let fresh = open(&document);
        for path in ["/latest/meta-data/", "/latest/meta-data/iam/info", "/latest/dynamic/instance-identity/document"]
            .into_iter()
            .map(str::to_owned)
            .chain(OPTIONAL.iter().map(|path| format!("/latest/{path}")))
        {
            let request = imds_host::Request::get(path.as_str());
            let expected = edited.answer(&request);
            assert_eq!(replica.answer(&request), expected, "{path}");
            assert_eq!(fresh.answer(&request), expected, "{path}");
        }
    }
}

/// Signatures are of the document that is served, also after a start made another.
#[test]
fn signatures_follow_the_identity_document() {
    use imds_host::{Control, Description, Request, VirtualClock};
    let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH + std::time::Duration::from_millis(START_MS));
    let description = "timeline = [{ at = '+1m', state = 'stopped' }, { at = '+2m', state = 'running' }]";
    let description = Description::from_toml("restart", description).expect("it is TOML");
    let control = Control::open_with(&RUNTIME, &description, &Default::default(), clock.clone()).expect("it is right");
    let get = |path: &str| control.answer(&Request::get(format!("/latest/dynamic/instance-identity/{path}")));
    let [document, signature] = [get("document").body, get("signature").body];
    clock.advance(std::time::Duration::from_secs(180));
    assert_ne!(get("document").body, document);
    let after = get("signature");
    assert_eq!(after.status, 200);
    assert_ne!(after.body, signature);
    assert_eq!(get("signature").body, after.body, "it is made once");
    clock.set(std::time::UNIX_EPOCH + std::time::Duration::from_millis(START_MS));
    assert_eq!((get("document").body, get("signature").body), (document, signature));
}

/// Whatever the timeline does to signatures, asking for them costs nobody else.
#[test]
fn who_asks_for_signatures_that_are_taken_away_harms_nobody() {
    use imds_host::{Control, Description, Request, VirtualClock};
    let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH + std::time::Duration::from_millis(START_MS));
    let entries = format!("extra-entries.'meta-data/x' = '{}'\n", "x".repeat(40_000));
    let many: Vec<String> = (0..100).map(|n| format!("{{ at = '+{}s', tags.n = '{n}' }}", 1000 + n)).collect();
    for toml in [
        "timeline = [{ at = '+0s', private-ip-address = '10.0.0.99' }, { at = '+1ms', identity-signatures = { } }]",
        "timeline = [{ at = '+0s', private-ip-address = '10.0.0.99' }, { at = '+1ms', launch-time = '+0s' }]",
        &format!("{entries}timeline = [{}]", many.join(", ")),
    ] {
        let description = Description::from_toml("signatures", toml).expect("it is TOML");
        let open = || Control::open_with(&RUNTIME, &description, &Default::default(), clock.clone());
        let control = open().unwrap_or_else(|error| panic!("{error}"));
        control.instance().sign_ahead().expect("a thread can be had");
        for seconds in [0, 1, 1100] {
            clock.advance(std::time::Duration::from_secs(seconds));
            for name in ["signature", "pkcs7", "rsa2048"] {
                let signature = Request::get(format!("/latest/dynamic/instance-identity/{name}"));
                assert_eq!(control.answer(&signature).status, 200, "{toml:.60}");
            }
            assert_eq!(control.answer(&Request::get("/latest/meta-data/")).status, 200);
        }
    }
    // Those that are given in a change stay.
    let given = r#"{"timeline": [{"at": "+0s", "private-ip-address": "10.0.0.9", "identity-signatures": {"signature": "AAAA"}}]}"#;
    let description = Description::from_json("given", given).expect("it is JSON");
    let control = Control::open_with(&RUNTIME, &description, &Default::default(), clock).expect("it is right");
    let get = |name: &str| control.answer(&Request::get(format!("/latest/dynamic/instance-identity/{name}")));
    assert_eq!((get("pkcs7").status, get("signature").body), (200, b"AAAA".to_vec()));
}

#[test]
fn two_faults_that_state_no_seed_strike_other_requests() {
    let description = r#"{"faults": [{"kind": "refuse", "share": 0.3}, {"kind": "close", "share": 0.3}]}"#;
    let instance = open_json_in_core(description);
    let (mut refused, mut closed) = (0, 0);
    for request_number in 0..1000 {
        let moment = imds_core::Moment { request_number, ..Default::default() };
        let answer = instance.answer(&Sent::get("/").head(), moment, None);
        refused += u32::from(answer.outcome == imds_core::Outcome::FaultRefused);
        closed += u32::from(answer.delivery == Some(imds_core::Delivery::Closed));
    }
    assert!((250..350).contains(&refused) && (160..260).contains(&closed), "{refused} {closed}");
}

/// Scenarios are for one another.
#[test]
fn any_two_scenarios_that_ship_can_be_combined() {
    use imds_host::{Description, Scenario};
    for one in Scenario::all() {
        for other in Scenario::all() {
            let first = RUNTIME.combine(&Description::default(), &one.description());
            let both = first.and_then(|first| RUNTIME.combine(&first, &other.description()));
            both.unwrap_or_else(|error| panic!("{} with {}: {error}", one.name(), other.name()));
        }
    }
}

#[test]
fn an_instance_that_is_terminated_has_nothing_to_come() {
    let spot = r#"{"timeline": [{"at": "+1h", "state": "stopped"}, {"at": "+2h", "user-data": "x"}]}"#;
    let edit = |document: &str, change: &str| imds_core::edit(document, change, Some(START_MS), None);
    let started = edit(&spot.replacen('{', r#"{"timeline-start": "2026-10-01T00:00:00Z", "#, 1), "{}").expect("right");
    let gone = edit(&started, r#"{"state": "terminated"}"#).expect("it ends");
    assert!(!gone.contains("timeline\":"), "{gone}");
    assert_eq!(edit(&gone, r#"{"state": "terminated"}"#).as_ref(), Ok(&gone), "it is gone already");
    let problems = edit(&gone, r#"{"state": "running"}"#).unwrap_err();
    assert!(problems[0].message.starts_with("the instance is terminated"), "{problems:?}");
    for none in ["null", "false"] {
        let calm = edit(&started, &format!(r#"{{"timeline": {none}}}"#)).expect("what is to come can be taken away");
        assert!(!calm.contains("timeline\":"), "{calm}");
    }
    // What does not fit what is to come is told with the way out.
    let problems = edit(&started, r#"{"timeline": [{"at": "+90m", "state": "running"}]}"#).unwrap_err();
    assert!(
        problems[0].message.starts_with("what is to come at 2026-10-01T02:00:00Z, /user-data does not fit"),
        "{problems:?}"
    );
    assert!(problems[0].help.as_ref().is_some_and(|help| help.contains("timeline = false")), "{problems:?}");
}

#[test]
fn what_is_taken_back_is_judged_too() {
    let given = r#"{"user-data-base64": "AAEC", "placement": {"availability-zone": "eu-west-1b"}}"#;
    for (change, field) in [(r#"{"user-data": null}"#, "/user-data"), (r#"{"placement": null}"#, "/placement")] {
        let problems = imds_core::edit(given, change, Some(START_MS), None).unwrap_err();
        assert_eq!(problems[0].field, field, "{problems:?}");
    }
}
