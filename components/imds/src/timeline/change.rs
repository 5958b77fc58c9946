//! A change merged into a description, under the rules of EC2's API.

use super::relative::default_time;
use crate::description::SpotAction;
use crate::description::field::KNOWN;
use crate::description::json::Json;
use crate::description::problem::{Problem, pointer_step};
use crate::facts::{made, warning_seconds};
use crate::time::Time;

/// Fields that say nothing of the network interfaces, which are the dearest part
/// of an instance: phases that differ in these alone share theirs. A field that
/// is missing here costs time and nothing else; a test finds one too many.
pub const NOT_OF_THE_NETWORK: [&str; 22] = [
    "auto-scaling",
    "block-device-mappings",
    "events",
    "extra-entries",
    "faults",
    "hibernation-options",
    "iam-instance-profile",
    "identity-signatures",
    "instance-action",
    "instance-lifecycle",
    "key-pair",
    "launch-time",
    "managed-ssh-keys",
    "metadata-options",
    "monitoring",
    "rebalance-recommendation",
    "request-throttle",
    "spot-interruption",
    "state",
    "tags",
    "user-data",
    "user-data-base64",
];

/// Texts by name, of which `false` takes one away.
const TEXTS: [&str; 2] = ["tags", "extra-entries"];

/// What is told anew each time.
pub(super) const NOTICES: [&str; 2] = ["spot-interruption", "rebalance-recommendation"];

/// The field of the signatures of the identity document.
const SIGNATURES: &str = "identity-signatures";

/// Merges `change` into `document`, which is left half-changed on failure, and tells
/// whether the network interfaces may be others then. `instance_id` is the one of
/// an instance that states none. `at` is when; without it, it is before the launch,
/// when everything can change. Pointers in problems point into the change.
pub fn merge(document: &mut Json, change: &Json, at: Option<Time>, instance_id: &str) -> Result<bool, Vec<Problem>> {
    let before = document.clone();
    for (name, value) in change.fields() {
        match name.as_str() {
            "user-data" => drop(document.take("user-data-base64")),
            "user-data-base64" => drop(document.take("user-data")),
            _ => {}
        }
        match (name.as_str(), value) {
            ("events", Json::Array(events)) => merge_events(document, events, instance_id),
            (name, Json::Object(texts)) if TEXTS.contains(&name) => {
                let gone = |value: &Json| if *value == Json::Bool(false) { Json::Null } else { value.clone() };
                let texts = texts.iter().map(|(name, value)| (name.clone(), gone(value))).collect();
                document.merge_field(name, &Json::Object(texts));
            }
            (name, Json::Object(_)) if NOTICES.contains(&name) => {
                document.take(name);
                document.merge_field(name, value);
            }
            // The state restated is no change, whether or not the description states it.
            ("state", Json::String(restated)) if at.is_some() && restated == state(document) => {}
            (name, value) => document.merge_field(name, value),
        }
    }
    if let Some(at) = at {
        allowed(&before, document, change)?;
        begin_notices(document, change, at);
        if state(&before) == "stopped" && state(document) == "running" {
            start(document, change, at);
        }
    }
    let differs = |name: &str| before.at(&pointer_step(name)) != document.at(&pointer_step(name));
    // What is signed is given up with what it tells of.
    let another_document = KNOWN.identity.iter().any(|pointer| before.at(pointer) != document.at(pointer));
    // By the fields that the change names, and one that a start changes by itself.
    let is_of_network = |name: &str| !NOT_OF_THE_NETWORK.contains(&name);
    let network_changes =
        differs("start-count") || change.fields().iter().any(|(name, _)| is_of_network(name) && differs(name));
    if another_document && change.at(&pointer_step(SIGNATURES)).is_none() {
        document.take(SIGNATURES);
    }
    Ok(network_changes)
}

/// Whether an instance runs, in the words of its description.
pub fn state(document: &Json) -> &str {
    document.at("/state").and_then(Json::text).unwrap_or("running")
}

/// Whether EC2's API would make `after` of `before`.
///
/// DIFFERENCE: EC2 has no call that gives a running instance another private
/// address, key pair, subnet or way of being bought; tests may want one.
fn allowed(before: &Json, after: &Json, change: &Json) -> Result<(), Vec<Problem>> {
    if state(before) == "terminated" {
        // EC2 takes tags for as long as it shows the instance.
        return match without_tags(before) == without_tags(after) {
            true => Ok(()),
            false => Err(vec![nothing_changes("")]),
        };
    }
    let changes = |pointer: &&String| before.at(pointer) != after.at(pointer);
    let mut problems = Vec::new();
    // What an instance has with a role, it loses with it.
    let profile = "/iam-instance-profile";
    let is_taken = |pointer: &str| pointer.starts_with(profile) && after.at(profile) == Some(&Json::Bool(false));
    for pointer in KNOWN.never.iter().filter(changes).filter(|pointer| !is_taken(pointer)) {
        let message = format!("an instance keeps its `{}` for life", field(pointer));
        problems.push(Problem::at(place(change, pointer), message).help("describe another instance and serve that"));
    }
    if state(before) != "stopped" {
        for pointer in KNOWN.stopped.iter().filter(changes) {
            let message = format!("`{}` changes only while the instance is stopped, as in EC2", field(pointer));
            let help = "stop it first: imds ctl stop, or {\"operation\": \"stop\"} in a change before this one";
            problems.push(Problem::at(place(change, pointer), message).help(help));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn without_tags(document: &Json) -> Json {
    let mut document = document.clone();
    document.take("tags");
    document
}

/// Refuses a change of an instance that is terminated.
pub(super) fn nothing_changes(pointer: &str) -> Problem {
    let problem =
        Problem::at(pointer, "the instance is terminated, and nothing about it but its tags changes any more");
    problem.help("serve its description anew to have it back: imds ctl reset")
}

/// Where a change says what becomes of a field: there, or above it; user data in
/// one form takes that in the other away.
fn place(change: &Json, pointer: &str) -> String {
    let above = pointer.rsplit_once('/').map_or("", |(above, _)| above);
    let other = if pointer == "/user-data" { "/user-data-base64" } else { "/user-data" };
    let places = [pointer, above, if pointer.starts_with("/user-data") { other } else { "" }];
    let place = places.into_iter().find(|place| !place.is_empty() && change.at(place).is_some());
    place.unwrap_or_default().to_owned()
}

/// `placement.region`, of a pointer.
fn field(pointer: &str) -> String {
    pointer[1..].replace('/', ".")
}

/// What becomes of an instance by an interruption, as far as it says.
pub(super) fn action_of(interruption: &Json) -> SpotAction {
    let stated = interruption.at("/action").and_then(Json::text);
    let is_stated = |action: &SpotAction| Some(action.as_str()) == stated;
    [SpotAction::Terminate, SpotAction::Stop, SpotAction::Hibernate].into_iter().find(is_stated).unwrap_or_default()
}

/// What the notices of a change leave out begins with it.
pub(super) fn begin_notices(document: &mut Json, change: &Json, at: Time) {
    let Json::Object(fields) = document else { return };
    for (name, value) in fields.iter_mut().filter(|(name, _)| change.at(&pointer_step(name)).is_some()) {
        match name.as_str() {
            "spot-interruption" => {
                let warning = warning_seconds(action_of(value));
                let stated = |name| value.at(name).and_then(Json::text).and_then(Time::parse);
                let (time, notice_time) = (stated("/time"), stated("/notice-time"));
                // Not before this change, and as long before the interruption as it is always told.
                let told = time.map_or(at, |time| at.max(time.minus_seconds(warning)).min(time));
                default_time(value, "notice-time", told);
                default_time(value, "time", notice_time.unwrap_or(at).plus_seconds(warning));
            }
            "rebalance-recommendation" => default_time(value, "notice-time", at),
            _ => {}
        }
    }
}

/// The instance was stopped and runs again: EC2 gives it another launch time and
/// a new public address, unless it has one of its own.
///
/// UNRECORDED: that its credentials are new, that its notices are gone, and that
/// session tokens outlive it.
fn start(document: &mut Json, change: &Json, at: Time) {
    let starts = match document.at("/start-count") {
        Some(Json::Integer(starts)) => *starts,
        _ => 0,
    };
    document.put("start-count", Json::Integer(starts.saturating_add(1)));
    let is_given = |pointer: &str| change.at(pointer).is_some();
    if !is_given("/launch-time") {
        document.put("launch-time", Json::String(at.rfc3339_exact()));
    }
    for notice in NOTICES.iter().filter(|notice| !is_given(&pointer_step(notice))) {
        document.take(notice);
    }
    settle_volumes(document);
    // The new credentials are the first of a rotation, which one that ended before does not end.
    for name in ["since", "until"] {
        let pointer = format!("/iam-instance-profile/credentials-rotation/{name}");
        let time = document.at(&pointer).and_then(Json::text).and_then(Time::parse);
        if !is_given(&pointer) && time.is_some_and(|time| time <= at) {
            let gone = Json::Object(vec![(name.to_owned(), Json::Null)]);
            let rotation = Json::Object(vec![("credentials-rotation".to_owned(), gone)]);
            document.merge_field("iam-instance-profile", &rotation);
        }
    }
}

/// What was attached and detached since the last start is so from now on.
fn settle_volumes(document: &mut Json) {
    const VOLUMES: &str = "block-device-mappings";
    let attachment = |mapping: &Json| mapping.at("/attachment").and_then(Json::text).map(str::to_owned);
    let Some(Json::Array(mut mappings)) = document.at(&pointer_step(VOLUMES)).cloned() else { return };
    if mappings.iter().all(|mapping| attachment(mapping).is_none()) {
        return;
    }
    mappings.retain(|mapping| attachment(mapping).as_deref() != Some("detaching"));
    mappings.iter_mut().for_each(|mapping| drop(mapping.take("attachment")));
    document.merge_field(VOLUMES, &Json::Array(mappings));
}

/// Events with the id of one that is there change that one; others are added.
fn merge_events(document: &mut Json, changes: &[Json], instance_id: &str) {
    let instance_id = instance_id_of(document, instance_id).to_owned();
    let mut events = match document.take("events") {
        Some(Json::Array(events)) => events,
        _ => Vec::new(),
    };
    let mut ids = event_ids(&events, &instance_id);
    for change in changes {
        let id = change.at("/instance-event-id").and_then(Json::text);
        let known = id.and_then(|id| ids.iter().position(|other| other == id));
        match known {
            Some(index) => events[index].merge(change),
            None => {
                let mut event = Json::Null;
                event.merge(change);
                ids.push(event_id(events.len(), &event, &instance_id));
                events.push(event);
            }
        }
    }
    document.put("events", Json::Array(events));
}

/// The id of the instance of a document, or the one that it has where it states none.
pub(super) fn instance_id_of<'d>(document: &'d Json, instance_id: &'d str) -> &'d str {
    document.at("/instance-id").and_then(Json::text).unwrap_or(instance_id)
}

/// The ids of the events of an instance.
pub(super) fn event_ids(events: &[Json], instance_id: &str) -> Vec<String> {
    events.iter().enumerate().map(|(index, event)| event_id(index, event, instance_id)).collect()
}

fn event_id(index: usize, event: &Json, instance_id: &str) -> String {
    match event.at("/instance-event-id").and_then(Json::text) {
        Some(id) => id.to_owned(),
        None => made::event_id(instance_id, index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{edit, status};

    const NOW_MS: u64 = 1_790_812_800_000;

    fn changed(description: &str, change: &str) -> Result<String, Problem> {
        edit(description, change, Some(NOW_MS), None).map_err(|mut problems| problems.remove(0))
    }

    #[test]
    fn signatures_are_given_up_with_the_document_that_they_sign() {
        let signed = r#"{"state": "stopped", "identity-signatures": {"signature": "AAAA", "pkcs7": "AAAA"}}"#;
        let document = |description: &str| status(description, NOW_MS, None).unwrap().identity_document.text;
        for (change, gives_up) in [
            (r#"{"instance-type": "m7g.large"}"#, true),
            (r#"{"kernel-id": "aki-1"}"#, true),
            (r#"{"private-ip-address": "10.0.0.11"}"#, true),
            (r#"{"product-codes": [{"product-code-id": "a"}]}"#, true),
            (r#"{"state": "running"}"#, true),
            (r#"{"tags": {"a": "b"}}"#, false),
            (r#"{"placement": {"group-name": "a"}}"#, false),
            (r#"{"user-data": "a"}"#, false),
        ] {
            let changed = changed(signed, change).unwrap();
            assert_eq!(document(&changed) != document(signed), gives_up, "{change}");
            assert_eq!(!changed.contains("identity-signatures"), gives_up, "{change}");
        }
        // Those that come with the change are of the new document.
        let with_signatures = r#"{"instance-type": "m7g.large", "identity-signatures": {"signature": "BBBB"}}"#;
        assert!(changed(signed, with_signatures).unwrap().contains("BBBB"));
    }

    #[test]
    fn what_an_instance_is_launched_with_stays() {
        for change in [
            r#"{"instance-id": "i-1"}"#,
            r#"{"image-id": "ami-1"}"#,
            r#"{"placement": {"availability-zone": "us-east-1b"}}"#,
        ] {
            for description in ["{}", r#"{"state": "stopped"}"#] {
                let message = changed(description, change).unwrap_err().message;
                assert!(message.starts_with("an instance keeps its `") && message.ends_with("` for life"), "{message}");
            }
        }
    }

    #[test]
    fn a_terminated_instance_takes_tags_and_nothing_else() {
        let ended = r#"{"state": "terminated", "tags": {"Name": "web"}}"#;
        assert_eq!(
            changed(ended, r#"{"tags": {"Name": "old"}}"#).unwrap(),
            ended.replace("web", "old").replace(' ', "")
        );
        assert_eq!(changed(ended, r#"{"tags": null}"#).unwrap(), r#"{"state":"terminated"}"#);
        for change in [r#"{"monitoring": "enabled"}"#, r#"{"tags": {"a": "b"}, "state": "running"}"#] {
            assert!(changed(ended, change).unwrap_err().message.contains("nothing about it but its tags"), "{change}");
        }
    }

    #[test]
    fn volumes_settle_with_a_start_however_it_comes() {
        let mappings = r#"[{"device-name": "/dev/sdf", "attachment": "detaching"},
            {"device-name": "/dev/sdg", "attachment": "attaching"}, {"device-name": "/dev/sdh", "attachment": "attached"}]"#;
        let shown = |description: &str, now_ms: u64| {
            let settings = crate::Settings { token_secret: vec![7; 32], ..Default::default() };
            let instance = crate::Instance::open(description, settings).unwrap();
            let names = instance.item("meta-data/block-device-mapping/", now_ms).unwrap();
            let names = String::from_utf8(names).unwrap();
            let device = |name: &str| {
                let item = instance.item(&format!("meta-data/block-device-mapping/{name}"), now_ms);
                String::from_utf8(item.unwrap()).unwrap()
            };
            names.lines().filter(|name| name.starts_with("ebs")).map(device).collect::<Vec<_>>()
        };
        let running = format!(r#"{{"block-device-mappings": {mappings}}}"#);
        assert_eq!(shown(&running, NOW_MS), ["sdf", "sdh"]);
        let stopped = changed(&running, r#"{"operation": "stop"}"#).unwrap();
        assert_eq!(shown(&stopped, NOW_MS), ["sdf", "sdh"]);
        for start in [r#"{"operation": "start"}"#, r#"{"state": "running"}"#] {
            let started = changed(&stopped, start).unwrap();
            assert_eq!(shown(&started, NOW_MS), ["sdg", "sdh"]);
            assert!(!started.contains("attachment"), "{started}");
        }
        let timeline = r#""timeline": [{"at": "2026-10-01T00:01:00Z", "state": "stopped"},
            {"at": "2026-10-01T00:02:00Z", "state": "running"}]"#;
        let planned = format!(r#"{{"block-device-mappings": {mappings}, {timeline}}}"#);
        assert_eq!(
            (shown(&planned, NOW_MS), shown(&planned, NOW_MS + 120_000)),
            (vec!["sdf".into(), "sdh".into()], vec!["sdg".to_owned(), "sdh".into()])
        );
        // All of them are gone with a start.
        let last = r#"{"state": "stopped", "block-device-mappings": [{"device-name": "/dev/sdf", "attachment": "detaching"}]}"#;
        assert_eq!(shown(&changed(last, r#"{"operation": "start"}"#).unwrap(), NOW_MS), [""; 0]);
    }

    #[test]
    fn some_fields_change_only_while_the_instance_is_stopped() {
        for change in [r#"{"instance-type": "m7g.large"}"#, r#"{"user-data": "a"}"#, r#"{"user-data-base64": "YQ=="}"#]
        {
            let problem = changed("{}", change).unwrap_err();
            assert!(problem.message.ends_with("changes only while the instance is stopped, as in EC2"), "{problem}");
            assert!(changed(r#"{"state": "stopped"}"#, change).is_ok(), "{change}");
        }
    }
}
