//! What happens to an instance when, and which faults strike, where no single
//! exchange shows it.

use std::time::{Duration, UNIX_EPOCH};

use imds_core::{Delivery, Happening, Moment, Outcome, Status};
use imds_host::{Control, Description, Scenario, VirtualClock};
use serde_json::{Value, json};

use crate::case::tests_directory;
use crate::ways::{RUNTIME, Sent, open_in_core, open_json_in_core, read_toml, settings};

/// 2026-10-01T00:00:00Z.
const START_MS: u64 = 1_790_812_800_000;

/// A scenario over the default instance, begun at [`START_MS`].
fn scenario(name: &str) -> Description {
    let scenario = Scenario::named(name).unwrap_or_else(|| panic!("{name} ships")).description();
    let mut description = RUNTIME.combine(&Description::default(), &scenario).unwrap_or_else(|error| panic!("{error}"));
    description.start_at(UNIX_EPOCH + Duration::from_millis(START_MS));
    description
}

/// What happens, each with its seconds from [`START_MS`].
fn happenings(toml: &str) -> Vec<(i64, String)> {
    told(status(&read_toml(toml).to_json()).happenings)
}

fn status(json: &str) -> Status {
    imds_core::status(json, START_MS, None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn told(happenings: Vec<Happening>) -> Vec<(i64, String)> {
    let seconds = |at_ms: u64| (at_ms as i64 - START_MS as i64) / 1000;
    happenings.into_iter().map(|happening| (seconds(happening.at_ms), happening.what)).collect()
}

#[track_caller]
fn assert_happens(toml: &str, expected: &[(i64, &str)]) {
    let toml = format!("timeline-start = '2026-10-01T00:00:00Z'\niam-instance-profile = false\n{toml}");
    let happened = happenings(&toml);
    let happened: Vec<(i64, &str)> = happened.iter().map(|(at, what)| (*at, what.as_str())).collect();
    assert_eq!(happened, expected);
}

#[test]
fn what_is_called_off_or_moved_does_not_happen() {
    assert_happens(
        "instance-lifecycle = 'spot'\nspot-interruption = { time = '+10m' }\n\
         timeline = [{ at = '+5m', spot-interruption = false }]",
        &[(300, "no spot-interruption")],
    );
    assert_happens(
        "events = [{ instance-event-id = 'instance-event-0d59937288b749b32', not-before = '+10m' }]\n\
         timeline = [{ at = '+5m', events = [\
             { instance-event-id = 'instance-event-0d59937288b749b32', not-before = '+15m' }] }]",
        &[(300, "events: 1"), (1200, "event instance-event-0d59937288b749b32: system-reboot begins")],
    );
    assert_happens(
        "events = [{ instance-event-id = 'instance-event-0d59937288b749b32', not-before = '+10m' }]\n\
         timeline = [{ at = '+5m', events = [\
             { instance-event-id = 'instance-event-0d59937288b749b32', state = 'canceled' }] }]",
        &[(300, "events: 1")],
    );
}

#[test]
fn an_interruption_that_is_told_late_is_not_told_before() {
    assert_happens(
        "instance-lifecycle = 'spot'\ntimeline = [{ at = '+2m', spot-interruption = { time = '+30s' } }]",
        &[(120, "spot notice: terminate at 2026-10-01T00:02:30Z"), (150, "spot interruption: terminate")],
    );
}

#[test]
fn a_change_of_nothing_is_nothing_that_happens() {
    assert_happens("timeline = [{ at = '+2m' }, { at = '+3m', tags = { Name = 'web' } }]", &[(180, "tags.Name")]);
}

#[test]
fn a_scenario_tells_in_its_order_what_happens() {
    let spot = scenario("spot-interruption").to_json();
    let happened = told(status(&spot).happenings);
    let of_spot: Vec<(i64, &str)> =
        happened.iter().filter(|(at, _)| (0..3600).contains(at)).map(|(at, what)| (*at, what.as_str())).collect();
    assert_eq!(
        of_spot,
        [
            (15, "rebalance recommendation"),
            (30, "spot notice: terminate at 2026-10-01T00:02:30Z"),
            (150, "spot interruption: terminate"),
            (150, "state = terminated"),
        ]
    );
}

/// Through whole scenarios, second by second: a replica that gets the document
/// that an edit gave answers like one that was there from the start.
#[test]
fn an_edit_at_any_time_of_a_scenario_changes_nothing_that_it_does_not_say() {
    let paths = [
        "/latest/meta-data/",
        "/latest/meta-data/events/maintenance/scheduled",
        "/latest/meta-data/events/maintenance/history",
        "/latest/meta-data/events/recommendations/rebalance",
        "/latest/meta-data/spot/instance-action",
        "/latest/meta-data/public-ipv4",
        "/latest/meta-data/iam/info",
        "/latest/meta-data/iam/security-credentials/imds",
        "/latest/dynamic/instance-identity/document",
        "/latest/user-data",
    ];
    for shipped in Scenario::all() {
        let name = shipped.name();
        let json = scenario(name).to_json();
        let instance = open_json_in_core(&json);
        for edited_s in [0, 15, 30, 61, 100, 170] {
            let edited = imds_core::edit(&json, "{}", Some(START_MS + edited_s * 1000), None)
                .unwrap_or_else(|problems| panic!("{name} at {edited_s}: {problems:?}"));
            let edited = open_json_in_core(&edited);
            for now_s in (edited_s..450).step_by(15) {
                for target in paths {
                    let head = Sent::get(target).head();
                    let moment = Moment { now_ms: START_MS + now_s * 1000, ..Moment::default() };
                    let [one, two] = [&instance, &edited].map(|instance| instance.answer(&head, moment, None));
                    let [one, two] =
                        [one, two].map(|answer| (answer.head, answer.body, answer.outcome, answer.delivery));
                    assert_eq!(one, two, "{name}: {target} at {now_s}, edited at {edited_s}");
                }
            }
        }
    }
}

/// The body at a path, so many seconds after [`START_MS`].
fn body(instance: &imds_core::Instance, target: &str, second: u64) -> String {
    let moment = Moment { now_ms: START_MS + second * 1000, ..Moment::default() };
    let answer = instance.answer(&Sent::get(target).head(), moment, None);
    String::from_utf8(answer.body.into_owned()).expect("it is text")
}

/// TOML has no `null`, so no case says it.
#[test]
fn null_takes_a_field_back_to_its_default() {
    let instance = open_json_in_core(
        r#"{
            "timeline-start": "2026-10-01T00:00:00Z", "public-ip-address": false, "tags": {"Name": "web", "Old": ""},
            "metadata-options": {"instance-metadata-tags": "enabled", "http-put-response-hop-limit": 3},
            "auto-scaling": {"target-lifecycle-state": "Standby"},
            "timeline": [
                {"at": "+1m", "public-ip-address": null, "tags": {"Old": null}, "auto-scaling": null},
                {"at": "+2m", "tags": null}
            ]
        }"#,
    );
    let at = |target, second| body(&instance, target, second);
    assert_eq!(at("/latest/meta-data/tag-sets/instance", 59), r#"{"Name":"web","Old":""}"#);
    assert!(!at("/latest/meta-data/", 59).contains("public-ipv4"));
    assert_eq!(at("/latest/meta-data/public-ipv4", 60), "203.0.113.25");
    assert_eq!(at("/latest/meta-data/tag-sets/instance", 60), r#"{"Name":"web"}"#);
    assert!(!at("/latest/meta-data/", 60).contains("autoscaling/"));
    assert_eq!(at("/latest/meta-data/tag-sets/instance", 120), "{}");
}

#[test]
fn the_signatures_are_of_the_document_that_holds() {
    let description = scenario("stop-start");
    let clock = VirtualClock::starting_at(UNIX_EPOCH + Duration::from_millis(START_MS));
    clock.pause();
    let control = Control::open_with(&RUNTIME, &description, &settings(), clock).expect("it ships");
    let get = |name: &str| {
        let path = format!("/latest/dynamic/instance-identity/{name}");
        control.answer(&imds_host::Request::get(&path)).body
    };
    let before = ["document", "signature", "pkcs7", "rsa2048"].map(get);
    control.clock().advance(Duration::from_secs(60));
    let after = ["document", "signature", "pkcs7", "rsa2048"].map(get);
    for (before, after) in before.iter().zip(&after) {
        assert!(!before.is_empty() && !after.is_empty() && before != after);
    }
}

/// What became of a request.
type Seen = (Outcome, Option<Delivery>);

/// What becomes of requests for a path at a second of a scenario: of each 100.
fn struck(name: &str, second: u64, method: &str, target: &str) -> Vec<Seen> {
    let description = scenario(name);
    let instance = open_in_core(&description);
    let head = Sent::new(method, target, &[("X-aws-ec2-metadata-token-ttl-seconds", b"60")]).head();
    (0..100)
        .map(|request_number| {
            let moment = Moment { now_ms: START_MS + second * 1000, request_number, ..Moment::default() };
            let answer = instance.answer(&head, moment, None);
            (answer.outcome, answer.delivery)
        })
        .collect()
}

#[test]
fn a_flaky_service_strikes_its_share_for_its_while() {
    let number = |second, method, target, wanted: &dyn Fn(&Seen) -> bool| {
        struck("flaky-service", second, method, target).iter().filter(|seen| wanted(seen)).count()
    };
    let delivered = |delivery: Delivery| move |seen: &Seen| seen.1 == Some(delivery);
    let (credentials, any) = ("/latest/meta-data/iam/security-credentials/imds", "/latest/meta-data/instance-id");
    let document = "/latest/dynamic/instance-identity/document";
    let refused = |seen: &Seen| seen.0 == Outcome::FaultRefused;
    for (second, share) in [(9, 0..1), (10, 20..46), (39, 20..46), (40, 0..1)] {
        assert!(share.contains(&number(second, "GET", any, &refused)), "at {second}");
    }
    for (second, target, share) in
        [(39, credentials, 0..1), (40, credentials, 35..65), (40, any, 0..1), (70, credentials, 0..1)]
    {
        let delayed = delivered(Delivery::Delayed(3000));
        assert!(share.contains(&number(second, "GET", target, &delayed)), "{target} at {second}");
    }
    for (second, target, share) in [(69, any, 0..1), (70, any, 13..38), (99, document, 13..38), (100, any, 0..1)] {
        assert!(share.contains(&number(second, "GET", target, &delivered(Delivery::Closed))), "{target} at {second}");
    }
    for (second, target, share) in [(69, document, 0..1), (70, document, 23..53), (70, any, 0..1)] {
        assert!(share.contains(&number(second, "GET", target, &delivered(Delivery::Cut))), "{target} at {second}");
    }
    for (second, method, all) in [(99, "PUT", 0), (100, "PUT", 100), (100, "GET", 0), (130, "PUT", 0)] {
        let withheld = number(second, method, "/latest/api/token", &delivered(Delivery::Withheld));
        assert_eq!(withheld, all, "{method} at {second}");
    }
}

#[test]
fn the_component_strikes_the_same_requests_as_the_core() {
    let description = scenario("flaky-service");
    let clock = VirtualClock::starting_at(UNIX_EPOCH + Duration::from_millis(START_MS + 20_000));
    clock.pause();
    let control = Control::open_with(&RUNTIME, &description, &settings(), clock).expect("it ships");
    let request = imds_host::Request::get("/latest/meta-data/instance-id");
    let component: Vec<u16> = (0..100).map(|_| control.answer(&request).status).collect();
    let core = struck("flaky-service", 20, "GET", "/latest/meta-data/instance-id");
    let core: Vec<u16> = core.iter().map(|seen| if seen.0 == Outcome::FaultRefused { 503 } else { 200 }).collect();
    assert_eq!(component, core);
}

/// All places of a description that hold a time, as JSON Pointers, by the schema
/// that is made from its types.
fn times(schema: &Value, at: &Value, pointer: String, found: &mut Vec<String>) {
    let resolved = |reference: &str| schema.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference}"));
    if at["$ref"] == "#/$defs/Time" {
        found.push(pointer);
        return;
    }
    if let Some(reference) = at["$ref"].as_str() {
        return times(schema, resolved(reference), pointer, found);
    }
    for choice in ["anyOf", "allOf", "oneOf"].iter().filter_map(|name| at[name].as_array()).flatten() {
        times(schema, choice, pointer.clone(), found);
    }
    for (name, field) in at["properties"].as_object().into_iter().flatten() {
        times(schema, field, format!("{pointer}/{name}"), found);
    }
    if at["items"].is_object() {
        times(schema, &at["items"], format!("{pointer}/0"), found);
    }
}

/// A document that has a value at a pointer.
fn with(pointer: &str, value: Value) -> Value {
    pointer.rsplit('/').take_while(|step| !step.is_empty()).fold(value, |inner, step| match step {
        "0" => json!([inner]),
        step => json!({ step: inner }),
    })
}

#[test]
fn every_time_of_a_description_may_be_relative() {
    let schema: Value = serde_json::from_str(imds_core::schema()).expect("the schema is JSON");
    let mut found = Vec::new();
    let mut description = schema.clone();
    let fields = description["properties"].as_object_mut().expect("a description has fields");
    // From this one others count.
    fields.remove("timeline-start");
    fields.remove("timeline");
    times(&schema, &description, String::new(), &mut found);
    assert!(found.len() >= 14, "{found:?}");
    for pointer in found {
        let document = with(&pointer, json!("+5m")).to_string();
        let problems = imds_core::edit("{}", &document, None, None).err().unwrap_or_default();
        let about_times: Vec<_> = problems.iter().filter(|problem| problem.field == pointer).collect();
        assert!(
            about_times.iter().all(|problem| !problem.message.contains("expected a time such as")),
            "{pointer}: {about_times:?}"
        );
    }
}

#[test]
fn a_change_of_the_identity_document_gives_its_signatures_up() {
    let signed =
        json!({ "identity-signatures": { "signature": "AAAA", "pkcs7": "AAAA", "rsa2048": "AAAA" } }).to_string();
    let document = |json: &str| status(json).identity_document.text;
    let toml = std::fs::read_to_string(tests_directory().join("instances/everything.toml")).expect("it is text");
    let everything: Value = serde_json::from_str(&read_toml(&toml).to_json()).expect("a description is JSON");
    let more = json!({
        "owner-id": "210987654321", "instance-id": "i-0fedcba9876543210", "image-id": "ami-0fedcba9876543210",
        "instance-type": "m7g.large", "architecture": "arm64", "launch-time": "2026-10-01T00:00:00Z",
        "private-ip-address": "10.0.0.11",
        "network-interfaces": [{ "private-ip-addresses": [{ "private-ip-address": "10.0.0.11" }] }],
    });
    let mut changed = Vec::new();
    for (name, value) in [&everything, &more].into_iter().filter_map(Value::as_object).flatten() {
        let Ok(edited) = imds_core::edit(&signed, &json!({ name: value }).to_string(), None, None) else { continue };
        if document(&edited) != document(&signed) {
            assert!(!edited.contains("identity-signatures"), "{name} is in the document, and its change keeps them");
            changed.push(name.as_str());
        }
    }
    assert!(changed.len() >= 13, "{changed:?}");
}
